"""Messages of other classes: an object with the parts of a message becomes one."""

import math
from collections import namedtuple
from dataclasses import dataclass
from enum import Enum
from html import unescape
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from conftest import Run, RunHere

from toy_paxos.checking import Model, check
from toy_paxos.event import listed, said_by
from toy_paxos.message import Accept, Message, Prepare, Promise, Proposal, Propose
from toy_paxos.message_like import AnswerError, own_kind

pytestmark = pytest.mark.usefixtures("few_walks")

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


class Kind(Enum):
    NACK = 1


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
        (SimpleNamespace(type="PROMISE", **ROUTE), "a PROMISE lacks accepted"),
        (SimpleNamespace(type="PREPARE", id=1), "a PREPARE lacks sender and recipient"),
        (SimpleNamespace(type="NACK", id=1), "a NACK lacks sender and recipient"),
        (
            SimpleNamespace(**ROUTE),
            "an object of type SimpleNamespace is not a message: it lacks an attribute type, a text such as",
        ),
        (
            SimpleNamespace(type=Kind.NACK, **ROUTE),
            "an object of type SimpleNamespace is not a message: its attribute type is <Kind.N",
        ),
        (SimpleNamespace(type="PROMISE", **ROUTE, accepted=1), "accepted in a PROMISE must be None, or a pair of a"),
        (
            SimpleNamespace(type="PROMISE", **ROUTE, accepted=(True, "x")),
            "accepted in a PROMISE must be None, or a pair",
        ),
        (SimpleNamespace(type="PROMISE", **ROUTE, accepted=("x", 1)), "accepted in a PROMISE must be None, or"),
    ],
)
def test_an_error_names_the_missing_part(said: Any, words: str) -> None:
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
        return say("NACK", value=self.promised) if message.type in ("PREPARE", "PROPOSE") else []


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
    assert "a PROMISE lacks accepted (strangers.py, line " in done.stderr


def test_one_type_has_one_class_in_every_search() -> None:
    its: dict[str, Any] = {"__name__": "strangers"}
    exec(STRANGERS, its)
    assert check(Model(acceptor=its["Acceptor"])).states == check(Model(acceptor=its["Acceptor"])).states


# Beside the six types these say two of their own, one of them derived from ours.
TALKATIVE = """
from dataclasses import dataclass
from typing import ClassVar

from toy_paxos.acceptor import Acceptor
from toy_paxos.message import Message
from toy_paxos.proposer import Proposer


@dataclass
class Nack(Message):
    type: ClassVar[str] = "NACK"
    promised: int


@dataclass
class Heartbeat:
    type = "Heartbeat"
    sender: str
    recipient: str
    id: int
    load: tuple
    note: str = 'lost: "x" \\\\ \\x1b'


class Busy(Acceptor):
    def promise(self, request):
        if request.id <= self.promised:
            return [Nack(self.name, request.sender, request.id, self.promised)]
        beat = Heartbeat(self.name, request.sender, request.id, (self.promised, None))
        return [beat, *super().promise(request)]


class Forgets(Busy):
    def accept(self, request):
        answers = super().accept(request)
        self.promised = 0
        return answers


class Asks(Proposer):
    def receive(self, message):
        if message.type == "NACK":
            return [Heartbeat(self.name, message.sender, message.id, (message.promised,))]
        return super().receive(message)
"""

BEAT = r"""Heartbeat 2 {"load":[0,null],"note":"lost: \\"x\\" \\\\ \\u001b"}"""
IN_JSON = r"""{"load":[0,null],"note":"lost: \"x\" \\ \u001b"}"""


@pytest.fixture
def talkative(tmp_path: Path) -> tuple[str, ...]:
    """The options for a correct pair that says messages of its own types."""
    file = tmp_path / "talkative.py"
    file.write_text(TALKATIVE)
    return "--acceptor", f"{file}:Busy", "--proposer", f"{file}:Asks"


ROUND = ("-n", "2", "--num-proposers", "2", "--seed", "3", "-c", "1")


@pytest.mark.parametrize("network", [(), ("--message-loss-prob", "0.1")])
@pytest.mark.parametrize("form", [(), ("--json",)])
def test_an_actors_own_types_appear_in_a_run_and_can_be_played(
    talkative: tuple[str, ...], network: tuple[str, ...], form: tuple[str, ...], run_here: RunHere, run: Run
) -> None:
    told = run_here(*talkative, *ROUND, *network, *form).stdout
    assert (f'"fields":{IN_JSON},' if form else f" {BEAT}\n") in told
    assert ('"fields":{"promised":' if form else 'NACK    1 {"promised":') in told
    played = run("play", *talkative, "-", typed=told)
    assert played.returncode == 0
    assert f" {BEAT}\n" in played.stdout
    assert "NACK " in played.stdout


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_an_actors_own_types_appear_in_a_counterexample_and_can_be_played(
    talkative: tuple[str, ...], form: tuple[str, ...], run_here: RunHere, run: Run
) -> None:
    forgetful = [word.replace("Busy", "Forgets") for word in talkative]
    told = run_here("check", *forgetful, *form).stdout
    played = run("play", *forgetful, "-", typed=told)
    assert "acceptor-1 says Heartbeat 1 {" in played.stdout
    assert "Safety is lost" in played.stdout


@pytest.mark.parametrize("ending", ["svg", "html", "mmd", "txt", "jsonl"])
def test_an_actors_own_types_appear_in_every_file(
    talkative: tuple[str, ...], ending: str, tmp_path: Path, run_here: RunHere
) -> None:
    file = tmp_path / f"round.{ending}"
    assert run_here(*talkative, *ROUND, "--message-loss-prob", "0.1", "-o", str(file)).returncode == 0
    text = unescape(file.read_text().replace("#123;", "{").replace("#34;", '"'))
    assert '{"promised":' in text
    assert "Heartbeat 2 {" in text or f'"fields":{IN_JSON}' in text
    if ending in ("txt", "jsonl"):
        assert f" {BEAT}\n" in run_here("play", *talkative, str(file)).stdout


def test_an_actors_own_types_appear_on_lanes(talkative: tuple[str, ...], run_here: RunHere) -> None:
    assert f"●   {BEAT}\n" in run_here(*talkative, *ROUND, "--diagram").stdout


def test_fields_of_any_type_become_json() -> None:
    class Colour(Enum):
        RED = 1

    said = SimpleNamespace(
        type="NACK",
        **ROUTE,
        a=Colour.RED,
        b={"y", "x"},
        c={1: (Proposal(1, "x"), math.inf)},
        d=SimpleNamespace(e=True),
        f=object(),
    )
    (message,) = listed([said])  # type: ignore[list-item]
    fields = '{"a":"RED","b":["x","y"],"c":{"1":[{"id":1,"value":"x"},"inf"]},"d":{"e":true},"f":"object"}'
    assert said_by(message) == (fields, None)


@pytest.mark.parametrize("line", ["NACK 1", "NACK 1 x", "NACK 1 {x}", 'NACK 1 {"class":1}', 'NACK 1 {"sender":1}'])
def test_an_object_that_is_not_such_a_message_is_one_line(line: str, run_here: RunHere) -> None:
    done = run_here("play", "-", typed=f"p0 wants x\na0 -> p0 {line}\n")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "line 2: " in done.stderr
