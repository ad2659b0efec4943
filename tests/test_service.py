"""An acceptor behind a call: the same acceptor, which has forgotten nothing, and takes nothing that is not for it."""

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest

from toy_paxos.acceptor import Acceptor
from toy_paxos.actor import Actor
from toy_paxos.event import Delivery
from toy_paxos.message import Accept, Fail, Message, Prepare, Promise, Proposal, Propose, Restart, Terminate
from toy_paxos.remote import wire_pb2 as wire
from toy_paxos.remote.codec import from_wire, to_wire
from toy_paxos.remote.records import Log
from toy_paxos.remote.saved import Maker, State
from toy_paxos.remote.service import Service
from toy_paxos.remote.store import ROUNDS_KEPT, RUNS_KEPT, Instance, Store
from toy_paxos.remote.verify import read_logs


class StoppedError(Exception):
    """The process has ended."""


def stop(error: Exception) -> NoReturn:
    """End as a process would."""
    raise StoppedError(str(error))


def let_go(kept: Store) -> None:
    """Let go of a folder, as the end of a process does."""
    for file in (kept.file, kept.lock):
        os.close(file)


class Memory(Store):
    """A store that forgets all at the end of its process."""

    starts = 0

    def __init__(self) -> None:
        Memory.starts += 1
        self.starts = Memory.starts
        self.states = {}
        self.newest = {}
        self.last = []

    def save(self, instance: Instance, state: State) -> None:
        self.keep(instance, state)


def service(
    folder: Path | None = None,
    failure_prob: float = 0.0,
    name: str = "acceptor-0",
    log: Path | None = None,
    new: Callable[[str], Actor] = Acceptor,
) -> Service:
    """An acceptor as a process is when it begins."""
    maker = Maker(new, name)
    kept = Store(folder, name, "", maker.restarted) if folder else Memory()
    return Service(maker, kept, Log(log, name), failure_prob, lambda: 0.5, stop)


def ended(its: Service) -> None:
    """Let a process end."""
    let_go(its.store)


def handled(its: Service, message: Message, round: int = 1, run: int = 7) -> wire.Handled:
    """What an acceptor answers, as it is sent."""
    return its.receive(wire.Envelope(run=run, round=round, message=to_wire(message)))


def answers(its: Service, message: Message, round: int = 1) -> list[Message]:
    """What an acceptor answers."""
    return list(map(from_wire, handled(its, message, round).answers))


PREPARE, PROPOSE = Prepare("proposer-0", "acceptor-0", 2), Propose("proposer-0", "acceptor-0", 2, "apple")


def test_it_answers_as_an_acceptor_does_and_tells_what_it_holds() -> None:
    its = service()
    assert answers(its, PREPARE) == [Promise("acceptor-0", "proposer-0", 2, None)]
    after = handled(its, PROPOSE)
    assert list(map(from_wire, after.answers)) == [Accept("acceptor-0", "proposer-0", 2, "apple")]
    assert (after.promised, after.accepted.id, after.accepted.value, after.step) == (2, 2, "apple", 2)
    assert handled(its, PREPARE).denial == "refused"


def test_each_round_of_each_run_is_an_instance_of_its_own() -> None:
    its = service()
    handled(its, PREPARE)
    assert answers(its, PREPARE, round=2) == [Promise("acceptor-0", "proposer-0", 2, None)]
    assert handled(its, PREPARE, run=8).denial == ""


def test_after_a_restart_it_holds_what_it_held(tmp_path: Path) -> None:
    its = service(tmp_path)
    handled(its, PREPARE)
    handled(its, PROPOSE)
    ended(its)
    again = service(tmp_path)
    assert answers(again, PREPARE) == [Fail("acceptor-0", "proposer-0", 2)]
    higher = Prepare("proposer-1", "acceptor-0", 3)
    assert answers(again, higher) == [Promise("acceptor-0", "proposer-1", 3, Proposal(2, "apple"))]
    ended(again)


def test_it_logs_first_what_it_saved_last(tmp_path: Path) -> None:
    for message, round in ((PREPARE, 1), (PREPARE, 2), (PROPOSE, 1)):
        its = service(tmp_path / "data")
        handled(its, message, round)
        ended(its)
    its = service(tmp_path / "data", log=tmp_path / "log")
    ended(its)
    restart = Restart("power", "acceptor-0", 1)
    kept = Delivery(0, restart, answers=[], promised=2, accepted=Proposal(2, "apple"))
    assert read_logs(tmp_path / "log")[0].rounds == {(7, 1): [kept]}


def test_one_that_forgets_promises_again_after_a_restart() -> None:
    for its in (service(), service()):
        assert answers(its, PREPARE) == [Promise("acceptor-0", "proposer-0", 2, None)]


@pytest.mark.parametrize(("step", "file"), [("toy_paxos.remote.records.write_all", "log"), ("os.fdatasync", "data")])
def test_what_cannot_be_kept_ends_it_before_anything_is_answered(
    step: str, file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    its = service(tmp_path / "data", log=tmp_path / "log")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(step, full)
    with pytest.raises(StoppedError, match=f"{tmp_path / file} cannot be written: No space left on device"):
        handled(its, PREPARE)
    its.log.close()
    ended(its)


def test_a_request_that_fails_changes_nothing() -> None:
    its = service(failure_prob=1)
    after = handled(its, PREPARE)
    assert (after.denial, after.promised, len(after.answers)) == ("failed", 0, 1)


def test_terminate_is_heard_and_not_answered() -> None:
    after = handled(service(), Terminate("proposer-0", "acceptor-0", 2))
    assert (list(after.answers), after.step) == ([], 1)


def test_a_round_that_is_over_is_not_played_and_it_says_which_is_the_newest() -> None:
    its = service()
    assert handled(its, PREPARE, round=ROUNDS_KEPT + 1).newest == ROUNDS_KEPT + 1
    late = handled(its, PREPARE, round=1)
    assert (list(late.answers), late.step, late.newest) == ([], 0, ROUNDS_KEPT + 1)


def test_a_run_that_is_over_is_not_played_and_it_says_which_is_the_newest() -> None:
    its = service()
    for run in range(2, RUNS_KEPT + 3):
        assert handled(its, PREPARE, run=run).step
    for late in (handled(its, PREPARE, run=2), handled(its, PREPARE, run=1), its.receive(wire.Envelope())):
        assert (list(late.answers), late.step, late.newest_run) == ([], 0, RUNS_KEPT + 2)


def test_it_says_how_often_it_has_started(tmp_path: Path) -> None:
    for starts in (1, 2, 3):
        its = service(tmp_path)
        assert handled(its, PREPARE).starts == starts
        ended(its)


@pytest.mark.parametrize(
    "message",
    [
        Prepare("proposer-0", "acceptor-1", 2),
        Prepare("acceptor-1", "acceptor-0", 2),
        Promise("acceptor-1", "acceptor-0", 2, None),
        Accept("acceptor-1", "acceptor-0", 2, "apple"),
        Fail("acceptor-1", "acceptor-0", 2),
    ],
)
def test_what_is_not_for_it_or_for_no_acceptor_is_refused(message: Message) -> None:
    with pytest.raises(ValueError, match="acceptor"):
        handled(service(), message)


@pytest.mark.parametrize(("run", "round"), [(0, 1), (1, 0), (-1, 1), (1, -1)])
def test_a_run_or_round_below_1_is_refused(run: int, round: int) -> None:
    with pytest.raises(ValueError, match="is not a number from"):
        handled(service(), PREPARE, round, run)
