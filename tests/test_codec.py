"""Messages survive the way over the wire, and what Paxos has no meaning for does not get in."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toy_paxos.event import Delivery
from toy_paxos.message import Accept, Fail, Message, Prepare, Promise, Proposal, Propose, Terminate, Timeout
from toy_paxos.remote import wire_pb2 as wire
from toy_paxos.remote.codec import from_handled, from_wire, to_handled, to_wire
from toy_paxos.remote.limits import LARGEST, LONGEST

IDS = st.integers(1, LARGEST)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)
PROPOSALS = st.none() | st.builds(Proposal, IDS, TEXTS)
NAMES = st.builds("{}-{}".format, st.sampled_from(["acceptor", "proposer"]), st.integers(0, 999))
REQUESTS = st.builds(Prepare, NAMES, NAMES, IDS) | st.builds(Propose, NAMES, NAMES, IDS, TEXTS)
MESSAGES = (
    REQUESTS
    | st.builds(Promise, NAMES, NAMES, IDS, PROPOSALS)
    | st.builds(Accept, NAMES, NAMES, IDS, TEXTS)
    | st.builds(Fail, NAMES, NAMES, IDS)
    | st.builds(Terminate, NAMES, NAMES, IDS)
)


@given(MESSAGES)
def test_every_message_comes_back_as_it_was(message: Message) -> None:
    assert from_wire(wire.Message.FromString(to_wire(message).SerializeToString())) == message


def fields(**changes: Any) -> dict[str, Any]:
    """A PROPOSE as it is sent, with some changes."""
    return {"kind": "PROPOSE", "sender": "proposer-0", "recipient": "acceptor-0", "id": 1, "value": "apple"} | changes


@pytest.mark.parametrize(
    "changes",
    [
        {"id": 0},
        {"id": -1},
        {"kind": 0},
        {"kind": 99},
        {"sender": ""},
        {"recipient": ""},
        {"value": ""},
        {"value": None},
        {"value": "x" * (LONGEST + 1)},
        {"kind": "PROMISE", "accepted": wire.Proposal(id=0, value="apple")},
        {"kind": "PROMISE", "accepted": wire.Proposal(id=1)},
    ],
    ids=repr,
)
def test_what_paxos_has_no_meaning_for_is_refused(changes: dict[str, Any]) -> None:
    assert from_wire(wire.Message(**fields()))
    with pytest.raises(ValueError, match=r"."):
        from_wire(wire.Message(**fields(**changes)))


def test_what_only_the_clock_says_is_not_sent() -> None:
    with pytest.raises(ValueError, match="TIMEOUT"):
        to_wire(Timeout("clock", "proposer-0", 1))


@given(REQUESTS, IDS, PROPOSALS)
def test_what_became_of_a_request_comes_back(request: Message, promised: int, accepted: Proposal | None) -> None:
    fail = Fail(request.recipient, request.sender, request.id)
    event = Delivery(0, request, answers=[fail], denial="refused", promised=promised, accepted=accepted)
    assert from_handled(wire.Handled.FromString(to_handled(event).SerializeToString()), request) == event


PREPARE, PROPOSE = Prepare("proposer-0", "acceptor-0", 1), Propose("proposer-0", "acceptor-0", 1, "apple")


@pytest.mark.parametrize(
    ("request_", "answers"),
    [
        (PREPARE, [Promise("acceptor-1", "proposer-0", 1, None)]),
        (PREPARE, [Promise("acceptor-0", "proposer-1", 1, None)]),
        (PREPARE, [Promise("acceptor-0", "proposer-0", 2, None)]),
        (PREPARE, [Accept("acceptor-0", "proposer-0", 1, "apple")]),
        (PREPARE, [Promise("acceptor-0", "proposer-0", 1, None)] * 2),
        (PROPOSE, [Accept("acceptor-0", "proposer-0", 1, "pear")]),
        (PROPOSE, [Promise("acceptor-0", "proposer-0", 1, None)]),
        (Terminate("proposer-0", "acceptor-0", 1), [Fail("acceptor-0", "proposer-0", 1)]),
    ],
)
def test_an_answer_of_somebody_else_or_to_something_else_is_refused(request_: Message, answers: list[Message]) -> None:
    with pytest.raises(ValueError, match=r"."):
        from_handled(to_handled(Delivery(0, request_, answers=answers, promised=1)), request_)


@pytest.mark.parametrize(
    "handled", [wire.Handled(denial="asleep"), wire.Handled(promised=-1)], ids=["denial", "number"]
)
def test_an_acceptor_that_denies_or_promises_as_none_does_is_refused(handled: wire.Handled) -> None:
    with pytest.raises(ValueError, match="no acceptor"):
        from_handled(handled, PREPARE)
