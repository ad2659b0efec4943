"""A round in real time, with acceptors of this process behind the calls."""

import os
import signal
import time
from concurrent.futures import Future
from itertools import count
from threading import Timer
from typing import Any

import grpc
import pytest
from test_service import service

from toy_paxos.event import AcceptorCrash, Delivery, Event, Fate, TimedOut, Violation
from toy_paxos.message import Message, Prepare, Promise, Propose, Restart
from toy_paxos.proposer import Proposer
from toy_paxos.remote import wire_pb2 as wire
from toy_paxos.remote.codec import to_wire
from toy_paxos.remote.merge_logs import merge_logs
from toy_paxos.remote.real_round import Party, RealRound, acceptor_events
from toy_paxos.remote.records import Log
from toy_paxos.remote.supervisor import Change
from toy_paxos.safety import watch
from toy_paxos.settings import Network
from toy_paxos.story import Configuration

ACCEPTORS = [f"acceptor-{number}" for number in range(3)]


class FailedError(grpc.RpcError):
    """A call has failed."""

    def __init__(self, code: grpc.StatusCode) -> None:
        self._code = code

    def code(self) -> grpc.StatusCode:
        return self._code

    def details(self) -> str:
        return "failed to connect to all addresses; last error: UNKNOWN: ipv4:127.0.0.1:1: Connection refused"


DEAD, LATE = FailedError(grpc.StatusCode.UNAVAILABLE), FailedError(grpc.StatusCode.DEADLINE_EXCEEDED)
WAYS: dict[str, str | Exception] = {"dead": DEAD, "late": LATE, "gone": "nowhere", "moved": "acceptor-0"}
WHY = {
    "dead": "connection refused",
    "late": "no answer in 1000 ms",
    "gone": "its address is not known",
    "moved": "this is acceptor-0, not acceptor-2",
}


class Here:
    """Calls acceptors of this process, which answer at once; some are dead or late, and some are elsewhere now."""

    def __init__(self, **instead: str | Exception) -> None:
        self.services = {name: service(name=name) for name in ACCEPTORS}
        self.instead = {name.replace("_", "-"): how for name, how in instead.items()}
        self.calls: list[tuple[str, str]] = []

    def call(self, name: str, envelope: wire.Envelope, timeout_s: float) -> Any:
        """A call that has ended already."""
        self.calls.append((name, wire.Kind.Name(envelope.message.kind)))
        how = self.instead.get(name, name)
        if how == "nowhere":
            return None
        ended: Future[wire.Handled] = Future()
        if isinstance(how, Exception):
            ended.set_exception(how)
        else:
            try:
                ended.set_result(self.services[how].receive(envelope))
            except ValueError as error:
                ended.set_exception(error)
        return ended

    def close(self) -> None:
        """There is nothing to close."""


def played(
    client: Any,
    *values: str,
    attempts: int = 3,
    backoff: float = 1,
    new: type[Proposer] = Proposer,
    quorums: tuple[int, int] = (2, 2),
) -> tuple[list[Event], list[Proposer], RealRound]:
    """A round of proposers that want these values, as it is told."""
    configuration = Configuration.of(2, 3, quorums)
    proposers = [
        new(f"proposer-{at}", value, ACCEPTORS, at + 1, len(values), quorums=quorums) for at, value in enumerate(values)
    ]
    draws = count()
    parties = [Party(proposer, proposer.value, Log(None, proposer.name)) for proposer in proposers]
    network = Network(timeout=1000, backoff=backoff, max_attempts=attempts)
    round = RealRound(client, 7, 1, configuration, parties, network, lambda: next(draws) % 2)
    return list(watch(merge_logs(round.play(), 1, ""), configuration)), proposers, round


def lost(events: list[Event]) -> list[Message]:
    """The messages without an answer."""
    return [event.message for event in events if isinstance(event, Delivery) and event.fate is Fate.LOST]


def test_a_proposer_learns_its_value() -> None:
    events, (proposer,), _ = played(Here(), "apple")
    assert proposer.learned == "apple"
    assert not lost(events)


def test_two_proposers_agree() -> None:
    events, proposers, _ = played(Here(), "apple", "pear", attempts=100)
    assert {proposer.learned for proposer in proposers} in ({"apple"}, {"pear"})
    assert not any(isinstance(event, Violation) for event in events)


@pytest.mark.parametrize("way", WAYS)
def test_without_a_minority_it_learns_and_tells_which_calls_came_to_nothing_and_why(way: str) -> None:
    events, (proposer,), _ = played(Here(acceptor_2=WAYS[way]), "apple")
    assert {event.denial for event in events if isinstance(event, Delivery) and event.fate is Fate.LOST} == {WHY[way]}
    assert proposer.learned == "apple"
    assert lost(events) == [
        Prepare("proposer-0", "acceptor-2", 1),
        Propose("proposer-0", "acceptor-2", 1, "apple"),
    ]


@pytest.mark.parametrize("how", [DEAD, LATE], ids=["dead", "late"])
def test_the_first_call_that_comes_to_nothing_is_no_reason_to_back_off_if_a_majority_is_left(how: Exception) -> None:
    events, (proposer,), _ = played(Here(acceptor_0=how), "apple")
    assert (proposer.learned, proposer.id) == ("apple", 1)
    assert not any(isinstance(event, TimedOut) for event in events)


@pytest.mark.parametrize("how", WAYS.values(), ids=WAYS)
def test_without_a_majority_it_gives_up_after_its_attempts(how: str | Exception) -> None:
    events, (proposer,), _ = played(Here(acceptor_1=how, acceptor_2=how), "apple")
    assert proposer.learned is None
    waited = [event for event in events if isinstance(event, TimedOut)]
    assert [event.attempt for event in waited if event.last] == [3]
    # Who was refused did not wait, and does not say so.
    assert len(waited) == (3 if how is LATE else 1)


def test_however_many_calls_fail_an_attempt_ends_once() -> None:
    events, _, _ = played(Here(acceptor_0=LATE, acceptor_1=LATE, acceptor_2=LATE), "apple")
    assert [event.attempt for event in events if isinstance(event, TimedOut)] == [1, 2, 3]


class FirstLost(Here):
    """Acceptors of which one does not get the first PROPOSE."""

    def call(self, name: str, envelope: wire.Envelope, timeout_s: float) -> Any:
        is_first = envelope.message.kind == wire.PROPOSE and envelope.message.id == 1
        self.instead = {"acceptor-0": DEAD} if is_first else {}
        return super().call(name, envelope, timeout_s)


def test_how_many_calls_may_fail_depends_on_the_quorum_of_the_phase() -> None:
    events, (proposer,), _ = played(FirstLost(), "apple", quorums=(1, 3))
    assert (proposer.learned, proposer.id) == ("apple", 2)
    # It backed off at once, and not because nothing more came.
    assert not any(isinstance(event, TimedOut) for event in events)


class Hasty(Proposer):
    """A proposer that proposes at the first promise."""

    def count_promise(self, promise: Promise) -> list[Message]:
        self.promise_quorum = 1
        return super().count_promise(promise)


def test_one_that_has_given_up_says_nothing_more() -> None:
    client = Here(acceptor_0=DEAD, acceptor_1=DEAD)
    _, (proposer,), _ = played(client, "apple", attempts=1, new=Hasty)
    assert (proposer.learned, {kind for _, kind in client.calls}) == (None, {"PREPARE"})


def test_a_pause_grows_with_the_attempts_and_a_late_answer_to_an_earlier_attempt_is_not_of_this_one() -> None:
    proposer = Proposer("proposer-0", "apple", ACCEPTORS, 1, 1)
    party = Party(proposer, "apple", Log(None, "proposer-0"), attempts=3, requests=proposer.prepare())
    client: Any = Here()
    round = RealRound(client, 7, 1, Configuration.of(1, 3), [party], Network(timeout=1000, backoff=100), lambda: 1.0)
    ended: Future[wire.Handled] = Future()
    ended.set_exception(LATE)
    round.finish(party, Prepare("proposer-0", "acceptor-0", 1), 0, ended)
    assert not party.is_late
    before = round.now
    round.back_off(party)
    assert party.resumes
    assert party.resumes >= before + 3 * 100


class Refusing(Here):
    """Acceptors that have promised somebody else all numbers but the last before they were asked."""

    def __init__(self, attempts: int) -> None:
        super().__init__()
        for name, its in self.services.items():
            its.receive(wire.Envelope(run=7, round=1, message=to_wire(Prepare("proposer-9", name, attempts - 1))))


def test_one_that_was_refused_backs_off_at_once_and_tries_again() -> None:
    events, (proposer,), _ = played(Refusing(4), "apple", attempts=4)
    assert (proposer.learned, proposer.id) == ("apple", 4)
    assert not any(isinstance(event, TimedOut) for event in events)


class Interrupting(Here):
    """Acceptors of which two are dead, and a signal soon after the second attempt, in the pause that follows."""

    timer = Timer(0.05, lambda: os.kill(os.getpid(), signal.SIGQUIT))

    def call(self, name: str, envelope: wire.Envelope, timeout_s: float) -> Any:
        if (name, envelope.message.id) == (ACCEPTORS[-1], 2):
            self.timer.start()
        return super().call(name, envelope, timeout_s)


@pytest.mark.usefixtures("restored_signals")
def test_a_signal_does_not_make_a_pause_last_for_ever() -> None:
    # The second pause takes 400 ms, and the signal keeps the process busy until it is over.
    handled: list[int] = []

    def handle(number: int, _: object) -> None:
        time.sleep(0.5)
        handled.append(number)

    signal.signal(signal.SIGQUIT, handle)
    client = Interrupting(acceptor_1=DEAD, acceptor_2=DEAD)
    _, (proposer,), _ = played(client, "apple", backoff=200)
    # On a slow machine the signal may come after the pause, and this test then shows nothing.
    client.timer.join()
    assert (proposer.id, proposer.learned, handled) == (3, None, [signal.SIGQUIT])


def test_answers_of_somebody_else_are_taken_for_none() -> None:
    class Wrong(Here):
        def call(self, name: str, envelope: wire.Envelope, timeout_s: float) -> Any:
            ended = super().call(name, envelope, timeout_s)
            for answer in ended.result().answers:
                answer.sender = "acceptor-0"
            return ended

    _, (proposer,), _ = played(Wrong(), "apple")
    assert proposer.learned is None


def test_a_round_that_is_over_is_left_for_the_newest() -> None:
    client = Here()
    for name, its in client.services.items():
        its.receive(wire.Envelope(run=7, round=500, message=to_wire(Prepare("proposer-9", name, 1))))
    events, (proposer,), round = played(client, "apple")
    assert (proposer.learned, round.newest) == (None, 500)
    assert len(lost(events)) == 9


def test_what_an_acceptor_did_is_told_in_its_own_order_with_its_restarts() -> None:
    messages = [Prepare("proposer-0", "acceptor-0", id) for id in (1, 2, 3)]
    first, second, third = (Delivery(time, message) for time, message in zip((3, 1, 2), messages, strict=True))
    events = acceptor_events("acceptor-0", [(2, 1, third), (1, 2, second), (1, 1, first)])
    assert [restarts(event) or event for event in events] == [first, second, 1, third]
    assert [event.time for event in events] == [1, 1, 2, 2]
    # JSON has no infinity, and --json tells when each message was sent.
    assert isinstance(events[2], Delivery)
    assert events[2].sent == 2


def restarts(event: Event) -> int:
    """The number of the restart that an event is, or 0."""
    return event.message.id if isinstance(event, Delivery) and isinstance(event.message, Restart) else 0


def test_who_was_killed_is_told_between_what_it_did_in_its_lives() -> None:
    first, second = (Delivery(time, Prepare("proposer-0", "acceptor-0", time)) for time in (2, 6))
    changes = [Change("acceptor-0", starts, time, is_up) for starts, time, is_up in ((1, 3, False), (2, 4, True))]
    crash = AcceptorCrash(3, "acceptor-0")
    for handled, expected in (
        ([], [crash, 1]),
        ([(1, 1, first)], [first, crash, 1]),
        ([(2, 1, second)], [crash, 1, second]),
        ([(1, 1, first), (2, 1, second)], [first, crash, 1, second]),
    ):
        events = acceptor_events("acceptor-0", handled, [*changes, Change("acceptor-1", 1, 1, False)])
        assert [restarts(event) or event for event in events] == expected
        assert [event.time for event in events] == sorted(event.time for event in events)
    # An answer that came late was given before its acceptor was killed.
    late = Delivery(9, first.message)
    assert [event.time for event in acceptor_events("acceptor-0", [(1, 1, late)], changes)] == [3, 3, 4]
