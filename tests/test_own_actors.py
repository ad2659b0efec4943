"""Actors of the user's own as real processes: saved as they are, restarted, and blamed for what they do wrong."""

import json
import re
import shlex
import sys
from enum import Enum
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from conftest import NEVER_LATE, Run, RunHere, Start
from test_program import ACCEPTOR
from test_real_round import Here, played
from test_remote import Acceptors, propose
from test_service import answers, ended, handled, service

from toy_paxos.acceptor import Acceptor
from toy_paxos.checking import CHANGED_RULES
from toy_paxos.event import TimedOut
from toy_paxos.message import Fail, Message, Prepare, Promise, Propose, Restart
from toy_paxos.proposer import Proposer
from toy_paxos.remote import CannotError
from toy_paxos.remote.saved import as_json, from_json

pytestmark = pytest.mark.usefixtures("own_folder")

PREPARE, PROPOSE = Prepare("proposer-0", "acceptor-0", 2), Propose("proposer-0", "acceptor-0", 2, "apple")


class Mood(Enum):
    GOOD = "good"


class Note(NamedTuple):
    mood: Mood
    said: frozenset[str]


class Keeping(Acceptor):
    """An acceptor with a state of many kinds."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.notes: dict[int, list[Note]] = {}
        self.data = b"\x00"
        self.weight = 0.5
        self.restarts = 0

    def receive(self, message: Message) -> list[Message]:
        if isinstance(message, Restart):
            self.restarts += 1
        else:
            self.notes.setdefault(message.id, []).append(Note(Mood.GOOD, frozenset({message.type})))
        return super().receive(message)


def test_any_state_of_plain_data_is_there_after_a_restart(tmp_path: Path) -> None:
    for restarts, message in enumerate((PREPARE, PROPOSE, PREPARE)):
        its = service(tmp_path, new=Keeping)
        actor: Any = its.maker.make(its.store.states.get((7, 1)))
        assert (actor.restarts, len(actor.notes.get(2, []))) == (restarts, restarts)
        handled(its, message)
        ended(its)
    assert actor.notes[2] == [Note(Mood.GOOD, frozenset({kind})) for kind in ("PREPARE", "PROPOSE")]
    assert (actor.data, actor.weight, actor.accepted) == (b"\x00", 0.5, (2, "apple"))


def test_each_instance_is_told_of_a_restart(tmp_path: Path) -> None:
    forgetful = CHANGED_RULES["forgets-all"].model.acceptor
    for expected in (Promise, Fail), (Promise, Fail):
        its = service(tmp_path, new=forgetful)
        for round in (1, 2):
            assert [type(answers(its, PREPARE, round)[0]) for _ in range(2)] == [*expected]
        ended(its)


class Open(Acceptor):
    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.file = open("/dev/null")  # noqa: SIM115


def test_a_state_that_cannot_be_saved_is_refused() -> None:
    with pytest.raises(CannotError, match="acceptor-0 cannot be saved: a TextIOWrapper is not plain data"):
        service(new=Open)

    class Local(NamedTuple):
        number: int

    with pytest.raises(CannotError, match=r"Local cannot be saved: make it a class that its module has"):
        as_json((Local, (1,)))


@pytest.mark.parametrize("part", [None, 7, "x", (), (1, ("a", None)), b"\xff", Mood.GOOD, Note])
def test_a_part_of_a_state_comes_back(part: object) -> None:
    assert from_json(json.loads(json.dumps(as_json(part)))) == part


class WaitsForAll(Proposer):
    """A proposer that waits for the promises of all, be they ever so many."""

    def count_promise(self, promise: Promise) -> list[Message]:
        self.promise_quorum = len(self.acceptors)
        return super().count_promise(promise)


def test_a_proposer_that_waits_for_more_than_there_will_be_gives_up() -> None:
    events, (proposer,), _ = played(Here(acceptor_2="nowhere"), "apple", new=WaitsForAll)
    assert proposer.learned is None
    assert [event.attempt for event in events if isinstance(event, TimedOut)] == [1, 2, 3]


ACTORS = """
from toy_paxos.acceptor import Acceptor
from toy_paxos.proposer import Proposer

class Mine(Acceptor):
    heard = 0
    def receive(self, message):
        self.heard += 1
        return super().receive(message)

class Loud(Proposer):
    def prepare(self):
        print("here I am")
        return super().prepare()

class Failing(Acceptor):
    def accept(self, request):
        raise RuntimeError("out of order")

class Unborn(Acceptor):
    def __init__(self, name):
        raise RuntimeError("out of order")

class Waiting(Acceptor):
    async def receive(self, message):
        return super().receive(message)
"""


@pytest.fixture
def actors(tmp_path: Path) -> str:
    """A file with actors."""
    path = tmp_path / "mine.py"
    path.write_text(ACTORS)
    return str(path)


def test_a_cluster_plays_with_ones_own_actors(actors: str, nothing_left: dict[str, str], run: Run) -> None:
    own = "--acceptor", f"{actors}:Mine", "--proposer", f"{actors}:Loud"
    play = "cluster", "-n", "2", "-p", "0", "-c", "2", "--quorums", "1,2", *NEVER_LATE, "--json"
    done = run(*play, *own, **nothing_left)
    assert done.returncode == 0
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert (lines[0]["actors"], lines[-1]["consensus"]) == (f"--acceptor {actors}:Mine --proposer {actors}:Loud", 2)
    assert "here I am" in done.stderr


def test_processes_one_by_one_play_with_ones_own_actors(
    actors: str, start: Start, run_here: RunHere, tmp_path: Path
) -> None:
    its = Acceptors(start, tmp_path, 1, "--acceptor", f"{actors}:Mine")
    done = run_here("propose", *its.places, "-c", "1", "--proposer", f"{actors}:Loud")
    assert f"\nActors: proposer {actors}:Loud\n" in done.stdout
    assert "Round 1: consensus on" in done.stdout
    its.kill(0)
    assert '["heard", 2]' in (tmp_path / "acceptor-0" / "promises").read_text()
    its.begin("acceptor-0")
    assert propose(its.addresses, 0, "pear").learned == "pear"


# A proposer for a cluster of one acceptor: the first promise and the first acceptance are a quorum.
PROPOSER = """
import json, sys

for line in sys.stdin:
    asked = json.loads(line)
    if asked["do"] == "new":
        state, type, more = {key: asked[key] for key in ("id", "value", "acceptors")}, "PREPARE", {}
    else:
        state, said = asked["state"], asked["message"]
        value = (said.get("accepted") or state)["value"]
        type, more = ("PROPOSE", {"value": value}) if said["type"] == "PROMISE" else (None, {})
    route = {"id": state["id"], "recipient": state["acceptors"][0]}
    print(json.dumps({"state": state, "messages": [{"type": type, **route, **more}] if type else []}), flush=True)
"""


@pytest.fixture
def programs(tmp_path: Path) -> list[str]:
    """The options for an acceptor and a proposer that are programs."""
    words = []
    for role, code in (("acceptor", ACCEPTOR), ("proposer", PROPOSER)):
        (tmp_path / f"{role}_program.py").write_text(code)
        words += [f"--{role}", f"exec:{shlex.join([sys.executable, '-S', str(tmp_path / f'{role}_program.py')])}"]
    return words


def test_a_cluster_plays_with_programs(programs: list[str], nothing_left: dict[str, str], run: Run) -> None:
    done = run("cluster", "-n", "1", "-p", "0", "-c", "2", *NEVER_LATE, *programs, **nothing_left)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("proposer-0 learns ") == 2


def test_a_program_is_restored_from_the_state_that_its_process_saved(
    programs: list[str], start: Start, run_here: RunHere, tmp_path: Path
) -> None:
    its = Acceptors(start, tmp_path, 1, *programs[:2])
    assert propose(its.addresses, 0, "pear").learned == "pear"
    its.kill(0)
    assert '["state.promised", 1]' in (tmp_path / "acceptor-0" / "promises").read_text()
    its.begin("acceptor-0")
    assert propose(its.addresses, 1, "apple").learned == "pear"
    done = run_here("propose", *its.places, "-c", "1", *programs[2:])
    assert "Round 1: consensus on" in done.stdout


def test_an_actor_that_fails_ends_its_process_in_one_line_and_its_cluster(
    actors: str, nothing_left: dict[str, str], run: Run, run_here: RunHere
) -> None:
    own = "--acceptor", f"{actors}:Failing"
    words = "toy-paxos: acceptor-0 stops: an actor fails: RuntimeError: out of order (mine.py, line 18)"
    play = "cluster", "-n", "1", "-p", "0", "-q", *own
    for done in (run(*play, **nothing_left), run_here(*play, "-c", "1")):
        assert done.returncode == 2
        told = "toy-paxos: the cluster stopped because acceptor-0 stopped (see above)"
        assert done.stderr.splitlines() == [words, told]


def test_an_actor_whose_answer_is_not_one_ends_its_process_with_the_place_of_its_class(
    actors: str, nothing_left: dict[str, str], run: Run
) -> None:
    done = run("cluster", "-n", "1", "-p", "0", "-q", "--acceptor", f"{actors}:Waiting", **nothing_left)
    why = "receive is async: it is never awaited, so make it a plain method (mine.py, line 24)"
    assert done.stderr.splitlines()[0] == f"toy-paxos: acceptor-0 stops: an actor fails: {why}"


def test_an_actor_that_cannot_begin_is_one_line(actors: str, run: Run) -> None:
    done = run("acceptor", "--name", "acceptor-0", "--data-dir", "a0", "--acceptor", f"{actors}:Unborn")
    words = "toy-paxos: an actor fails: RuntimeError: out of order (mine.py, line 22)\n"
    assert (done.returncode, done.stdout, done.stderr) == (2, "", words)


def test_the_rules_can_be_listed(run_here: RunHere) -> None:
    for command in ("cluster", "acceptor --name acceptor-0 --data-dir x", "propose"):
        assert "forgets-all" in run_here(*command.split(), "--break", "list").stdout


@pytest.mark.slow
def test_acceptors_that_forget_lose_agreement_before_ones_eyes(
    nothing_left: dict[str, str], run: Run, run_here: RunHere
) -> None:
    play = (
        "cluster",
        "-n",
        "3",
        "-p",
        "0",
        "--num-proposers",
        "2",
        "--kill-every",
        "0.2",
        "--backoff",
        "1000",
        "--quiet",
    )
    done = run(*play, "--break", "forgets-all", **nothing_left)
    assert done.returncode == 3
    # On a busy machine a promise may go down before a second value is chosen.
    assert re.search(r"acceptor-\d breaks A[234]: (.*\n)*.* (SAFETY|INVARIANT) VIOLATED", done.stdout)
    played = run_here("play", "-", typed=done.stdout)
    assert played.returncode == 3
