"""Merging logs keeps the order of each process, and no message is received before it is sent."""

from collections.abc import Iterator, Mapping, Sequence

import pytest

from toy_paxos.event import Delivery, Event, Wants
from toy_paxos.message import Fail, Message, Prepare, Promise, Restart
from toy_paxos.remote import CannotError
from toy_paxos.remote.merge_logs import merge_logs

P0, P1 = (Prepare(f"proposer-{at}", "acceptor-0", at + 1) for at in range(2))
YES, NO = Promise("acceptor-0", "proposer-1", 2, None), Fail("acceptor-0", "proposer-0", 1)


def merged(told: Mapping[str, Sequence[Event]]) -> Iterator[Event]:
    """Round 1 by these logs."""
    return merge_logs(told, 1, "why")


def wants(time: float, first: Prepare) -> Event:
    """A proposer that begins."""
    return Wants(time, first.sender, "apple", [first])


def hears(time: float, message: Message, *answers: Message) -> Event:
    """Somebody who hears something, and answers."""
    return Delivery(time, message, answers=answers)


def test_what_is_said_comes_before_what_is_heard_whatever_the_clocks_say() -> None:
    begins, handles, learns = wants(5, P1), hears(0, P1, YES), hears(3, YES)
    story = list(merged({"acceptor-0": [handles], "proposer-1": [begins, learns]}))
    assert story == [begins, handles, learns]


def test_of_what_can_happen_next_the_earliest_by_its_own_time_comes_first() -> None:
    early, late = wants(1, P0), wants(2, P1)
    for told in ({"proposer-0": [early], "proposer-1": [late]}, {"proposer-1": [late], "proposer-0": [early]}):
        assert list(merged(told)) == [early, late]


def test_everybody_keeps_its_own_order() -> None:
    first, second = hears(9, P1, YES), hears(1, P0, NO)
    told = {"proposer-0": [wants(0, P0), hears(2, NO)], "proposer-1": [wants(1, P1)], "acceptor-0": [first, second]}
    story = list(merged(told))
    assert [event for event in story if event in (first, second)] == [first, second]
    assert len(story) == 5


def test_the_same_words_twice_are_heard_twice_the_second_time_after_they_were_said_again() -> None:
    again = Prepare("proposer-0", "acceptor-0", 1)
    acceptor = [hears(0, P0, NO), hears(0, again, NO)]
    proposer = [Wants(0, "proposer-0", "apple", [P0]), hears(1, NO, again), hears(2, NO)]
    story = list(merged({"proposer-0": proposer, "acceptor-0": acceptor}))
    assert story == [proposer[0], acceptor[0], proposer[1], acceptor[1], proposer[2]]


def test_what_was_said_once_may_be_heard_twice() -> None:
    begins, handles, again = wants(0, P1), hears(0, P1, YES), hears(0, P1, YES)
    story = list(merged({"acceptor-0": [handles, again], "proposer-1": [begins]}))
    assert story == [begins, handles, again]


def test_what_somebody_said_who_is_missing_can_be_heard_at_any_time() -> None:
    handles, restarts = hears(0, P1, YES), hears(0, Restart("power", "acceptor-0", 1))
    assert list(merged({"acceptor-0": [restarts, handles]})) == [restarts, handles]


def test_if_both_heard_what_the_other_said_only_afterwards_they_contradict_each_other() -> None:
    told = {"proposer-1": [hears(0, YES), wants(1, P1)], "acceptor-0": [hears(0, P1, YES)]}
    with pytest.raises(CannotError, match="round 1: proposer-1 and acceptor-0 contradict each other: why"):
        list(merged(told))
