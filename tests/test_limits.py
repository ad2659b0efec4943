"""Numbers and texts from outside are used only if Paxos and protobuf have a meaning for them."""

from typing import Any

import pytest

from toy_paxos.event import Delivery, Event, TimedOut, Wants
from toy_paxos.message import Message, Prepare, Promise, Proposal, Propose, Restart, Timeout
from toy_paxos.remote.limits import LARGEST, LONGEST, check_event, check_message, number

PREPARE = Prepare("proposer-0", "acceptor-0", 1)


@pytest.mark.parametrize("value", [0, -1, LARGEST + 1, True, 1.0, "1", None])
def test_a_number_is_from_1_to_the_largest_that_protobuf_has(value: object) -> None:
    assert (number(1), number(LARGEST)) == (1, LARGEST)
    with pytest.raises(ValueError, match="is not a number from 1"):
        number(value)


@pytest.mark.parametrize("value", ["", "x" * (LONGEST + 1), "\ud800"])
def test_a_text_is_utf_8_of_limited_length_and_not_empty(value: str) -> None:
    messages: list[Message] = [
        Propose("proposer-0", "acceptor-0", 1, value),
        Promise("acceptor-0", "proposer-0", 1, Proposal(1, value)),
    ]
    for message in messages:
        with pytest.raises(ValueError, match=r"."):
            check_message(message)
    assert check_message(Propose("proposer-0", "acceptor-0", 1, "x" * LONGEST))


@pytest.mark.parametrize("name", ["", "acceptor", "acceptor-00", "acceptor-1000", "proposer-0\n", "x\x1b[2J", "clock"])
def test_a_name_is_that_of_an_acceptor_or_a_proposer(name: str) -> None:
    for message in (
        Prepare(name, "acceptor-0", 1),
        Prepare("proposer-0", name, 1),
        Restart(f"{name}x", "acceptor-0", 1),
    ):
        with pytest.raises(ValueError, match="is not a name"):
            check_message(message)
    assert check_message(Timeout("clock", "proposer-0", 1))


def delivery(**about: Any) -> Event:
    return Delivery(0, PREPARE, **about)


@pytest.mark.parametrize(
    "event",
    [
        Delivery(0, Prepare("proposer-0", "acceptor-0", 0)),
        delivery(answers=[Promise("acceptor-0", "proposer-0", 0, None)]),
        delivery(promised=-1),
        delivery(promised=2**63),
        delivery(promised=1, accepted=Proposal(0, "apple")),
        delivery(learned=""),
        Wants(0, "proposer-0", ""),
        Wants(0, "proposer-0", "apple", [Prepare("proposer-0", "acceptor-0", 0)]),
        TimedOut(0, "proposer-0", 0, 1, last=False),
        TimedOut(0, "proposer-0", 1, 0, last=False),
    ],
)
def test_whatever_a_log_tells_is_within_the_limits(event: Event) -> None:
    with pytest.raises(ValueError, match=r"."):
        check_event(event)


def test_an_acceptor_may_have_promised_nothing_yet() -> None:
    check_event(delivery(promised=0))
