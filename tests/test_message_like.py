"""Messages of other classes: whatever has the parts of a message is one."""

from collections import namedtuple
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from conftest import RunHere

from toy_paxos.checking import Model, check
from toy_paxos.event import AnswerError, listed
from toy_paxos.message import Accept, Message, Prepare, Promise, Proposal, Propose
from toy_paxos.message_like import own_kind

ROUTE = {"sender": "a", "recipient": "b", "id": 1}


@pytest.mark.parametrize(
    ("said", "message"),
    [
        (SimpleNamespace(type="PREPARE", **ROUTE, more=1), Prepare("a", "b", 1)),
        (SimpleNamespace(type="PROPOSE", **ROUTE, value="x"), Propose("a", "b", 1, "x")),
        (SimpleNamespace(type="ACCEPT", **ROUTE, value="x"), Accept("a", "b", 1, "x")),
        (SimpleNamespace(type="PROMISE", **ROUTE, accepted=None), Promise("a", "b", 1, None)),
        (SimpleNamespace(type="PROMISE", **ROUTE, accepted=(1, "x")), Promise("a", "b", 1, Proposal(1, "x"))),
        (SimpleNamespace(type="PROMISE", **ROUTE, accepted=[1, "x"]), Promise("a", "b", 1, Proposal(1, "x"))),
        (
            SimpleNamespace(type="PROMISE", **ROUTE, accepted=SimpleNamespace(id=1, value="x", by="c")),
            Promise("a", "b", 1, Proposal(1, "x")),
        ),
    ],
)
def test_an_object_with_the_parts_of_a_message_becomes_one(said: Any, message: Message) -> None:
    assert listed([said]) == [message]
    assert listed((said, message)) == [message, message]


@dataclass
class Nack:
    type = "NACK"
    sender: str
    recipient: str
    id: int
    highest: int
    why: str = "late"


Vote = namedtuple("Vote", "type sender recipient id seen")


def test_a_type_that_is_not_known_keeps_its_parts() -> None:
    (nack, vote) = listed([Nack("a", "b", 1, 7), Vote("VOTE", "a", "b", 1, (1, 2))])  # type: ignore[list-item]
    assert isinstance(nack, Message)
    assert (nack.type, nack.sender, nack.recipient, nack.id) == ("NACK", "a", "b", 1)
    assert repr(nack) == "NACK(sender='a', recipient='b', id=1, highest=7, why='late')"
    assert nack == own_kind("NACK", ("highest", "why"))("a", "b", 1, 7, "late")  # type: ignore[call-arg]
    assert vote.seen == (1, 2)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (SimpleNamespace(type="PROMISE", **ROUTE), "a PROMISE needs accepted besides type, sender, recipient and id"),
        (SimpleNamespace(type="PREPARE", id=1), "a PREPARE needs sender and recipient besides type, sender"),
        (SimpleNamespace(type="NACK", id=1), "a NACK needs sender and recipient besides type, sender"),
        (SimpleNamespace(type="PROMISE", **ROUTE, accepted=1), "accepted in a PROMISE must be None, or a pair of a"),
        (SimpleNamespace(type="PROMISE", **ROUTE, accepted=("x", 1)), "accepted in a PROMISE must be None, or"),
    ],
)
def test_what_is_missing_is_named(said: Any, words: str) -> None:
    with pytest.raises(AnswerError) as raised:
        listed([said])
    assert str(raised.value).startswith(words)


# Actors that import nothing from here, and say things that they have not said to us before.
STRANGERS = """
from types import SimpleNamespace


class Acceptor:
    def __init__(self, name):
        self.name, self.promised, self.accepted = name, 0, None

    def receive(self, message):
        def say(type, **more):
            return [SimpleNamespace(type=type, sender=self.name, recipient=message.sender, id=message.id, **more)]

        if message.type == "PREPARE" and message.id > self.promised:
            self.promised = message.id
            return say("PROMISE", accepted=self.accepted)
        if message.type == "PROPOSE" and message.id >= self.promised:
            self.promised, self.accepted = message.id, (message.id, message.value)
            return say("ACCEPT", value=message.value)
        return say("NACK", promised=self.promised) if message.type in ("PREPARE", "PROPOSE") else []


class Hasty(Acceptor):
    def receive(self, message):
        self.promised = min(self.promised, message.id - 1)
        return super().receive(message)


class Talker(Acceptor):
    def receive(self, message):
        return [SimpleNamespace(type="PROMISE", sender=self.name, recipient=message.sender, id=1)]
"""


def test_such_actors_are_checked_run_and_explained(tmp_path: Path, run_here: RunHere) -> None:
    file = tmp_path / "strangers.py"
    file.write_text(STRANGERS)
    assert run_here("check", "--acceptor", f"{file}:Acceptor", "-n", "3").returncode == 0
    ran = run_here("--acceptor", f"{file}:Acceptor", "--num-proposers", "2", "--seed", "1", "-c", "3", "-n", "3")
    assert ran.returncode == 0
    assert "NACK" in ran.stdout
    assert run_here("check", "--acceptor", f"{file}:Hasty").returncode == 3
    done = run_here("check", "--acceptor", f"{file}:Talker", "-n", "1")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "a PROMISE needs accepted besides type, sender, recipient and id (strangers.py, line " in done.stderr


def test_one_type_has_one_class_in_every_search() -> None:
    its: dict[str, Any] = {"__name__": "strangers"}
    exec(STRANGERS, its)
    assert check(Model(acceptor=its["Acceptor"])).states == check(Model(acceptor=its["Acceptor"])).states
