"""An event is one JSON object with exactly these keys, and can be read back."""

import json
from typing import Any

import pytest

from toy_paxos.event import (
    KINDS,
    AcceptorCrash,
    Adoption,
    Attempt,
    Chosen,
    Crash,
    Delivery,
    Departure,
    Event,
    Fate,
    Learned,
    Quorum,
    TimedOut,
    Unheard,
    Violation,
    Wants,
    says,
)
from toy_paxos.event_json import FormatError, check_format, event_line, event_of, json_line
from toy_paxos.message import Accept, Message, Prepare, Promise, Proposal, Propose, Timeout

KEYS: list[tuple[Event, list[str]]] = [
    (Wants(1, "proposer-0", "x"), ["proposer", "value"]),
    (Crash(1, "proposer-0", "PROPOSE", "acceptor-2"), ["proposer", "unsent", "recipient"]),
    (AcceptorCrash(1, "acceptor-2"), ["acceptor"]),
    (TimedOut(1, "proposer-0", 1, 1, last=False), ["proposer", "attempt", "id", "last"]),
    (Attempt(1, "proposer-0", 2, 3), ["proposer", "attempt", "id"]),
    (Quorum(1, "proposer-0", 3, ("acceptor-2",)), ["proposer", "id", "acceptors"]),
    (Adoption(1, "proposer-0", "acceptor-1", 2, "x"), ["proposer", "acceptor", "accepted_id", "value"]),
    (Chosen(1, 2, "x", ("acceptor-0",)), ["id", "value", "acceptors"]),
    (Learned(1, "proposer-0", "x"), ["proposer", "value"]),
    (Departure(1, "acceptor-0", "A4", "how"), ["actor", "rule", "words"]),
    (Unheard(1, "acceptor-0", "ACCEPT 1 x to proposer-0"), ["actor", "words"]),
    (Violation(1, "property", "why"), ["property", "words", "id", "value", "acceptors"]),
    (Violation(1, "property", "why", 2, "x", ("acceptor-0",)), ["property", "words", "id", "value", "acceptors"]),
]

DELIVERY_KEYS = [
    "type",
    "sender",
    "recipient",
    "id",
    "value",
    "accepted_id",
    "fate",
    "denial",
    "after",
    "t_ms",
    "sent_ms",
]


def stored(promised: int, id: int | None = None, value: str | None = None) -> dict[str, Any]:
    return {"promised": promised, "accepted_id": id, "accepted_value": value}


def told(event: Event) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(event_line(event, '"round":7'))
    assert (loaded.pop("event"), loaded.pop("round")) == (event.event, 7)
    return loaded


@pytest.mark.parametrize(("event", "keys"), KEYS)
def test_each_event_is_an_object_with_its_fields(event: Event, keys: list[str]) -> None:
    assert told(event) == {key: loads_as(getattr(event, key)) for key in keys} | {"t_ms": None}
    assert list(told(event)) == [*keys, "t_ms"]


def loads_as(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


@pytest.mark.parametrize(
    ("delivery", "values"),
    [
        (
            Delivery(1, Prepare("proposer-0", "acceptor-0", 4), promised=4),
            ["PREPARE", "proposer-0", "acceptor-0", 4, None, None, "delivered", None, stored(4)],
        ),
        (
            Delivery(1, Promise("acceptor-0", "proposer-0", 4, Proposal(2, "x"))),
            ["PROMISE", "acceptor-0", "proposer-0", 4, "x", 2, "delivered", None, None],
        ),
        (
            Delivery(
                1, Propose("proposer-0", "acceptor-0", 4, "x"), denial="refused", promised=5, accepted=Proposal(2, "y")
            ),
            ["PROPOSE", "proposer-0", "acceptor-0", 4, "x", None, "delivered", "refused", stored(5, 2, "y")],
        ),
        (
            Delivery(1, Accept("acceptor-0", "proposer-0", 4, "x"), Fate.DUPLICATE, learned="x"),
            ["ACCEPT", "acceptor-0", "proposer-0", 4, "x", None, "duplicate", None, {"learned": "x"}],
        ),
    ],
)
def test_a_delivery_has_the_message_its_fate_and_its_effect(delivery: Delivery, values: list[object]) -> None:
    assert told(delivery) == dict(zip(DELIVERY_KEYS, [*values, None, None], strict=True))
    assert list(told(delivery)) == DELIVERY_KEYS


def test_values_that_json_does_not_have_are_refused() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        json_line(rate=float("nan"))


PREPARE = Prepare("proposer-0", "acceptor-0", 4)
DELIVERIES: list[Event] = [
    Delivery(1.5, PREPARE, Fate.STALE, 0.25, (), None, 4, None),
    Delivery(1.5, PREPARE, Fate.LOST, 0.25),
    Delivery(2, Promise("acceptor-0", "proposer-0", 4, Proposal(2, "x\n\ud800")), sent=1, learned="x"),
    Delivery(
        2, Propose("proposer-0", "acceptor-0", 4, "\u2028"), denial="refused", promised=5, accepted=Proposal(2, "y")
    ),
    Delivery(2, Timeout("clock", "proposer-0", 0)),
]
EVENTS = [event for event, _ in KEYS] + DELIVERIES


def test_there_is_an_example_of_each_kind_of_event() -> None:
    assert {event.event for event in EVENTS} == KINDS.keys()


@pytest.mark.parametrize("event", EVENTS)
def test_every_event_can_be_read_back(event: Event) -> None:
    line = json.loads(event_line(event, '"round":7', is_timed=True))
    assert as_tuples(event_of(line)) == as_tuples(event)


def as_tuples(event: Event | None) -> Event | None:
    """The same event, whose answers are a tuple."""
    if isinstance(event, Delivery):
        event.answers = tuple(event.answers)
    elif isinstance(event, Wants):
        event.says = tuple(event.says)
    return event


def test_only_a_log_has_the_messages_said() -> None:
    said: list[Message] = [PREPARE, Accept("acceptor-0", "proposer-0", 1, "x")]
    for event in (Wants(0, "proposer-0", "x", said), Delivery(0, PREPARE, answers=said)):
        assert event_of(json.loads(event_line(event, '"run":1,"round":7', is_log=True))) == event
        printed = json.loads(event_line(event, '"round":7'))
        assert not {"says", "answers"} & printed.keys()
        read = event_of(printed)
        assert read
        assert list(says(read)) == []


def test_a_step_takes_the_place_of_a_time() -> None:
    assert event_of({"event": "learned", "proposer": "p", "value": "x", "step": 7, "t_ms": None}) == Learned(
        7, "p", "x"
    )


def test_unknown_kinds_of_event_and_unknown_keys_are_ignored() -> None:
    assert event_of({"event": "party", "value": []}) is None
    line = json.loads(event_line(PREPARED, '"round":7')) | {"mood": "good"}
    assert event_of(line) == PREPARED


PREPARED = Delivery(0, PREPARE, answers=[])


@pytest.mark.parametrize(
    "changes",
    [
        {"type": "ROT"},
        {"type": "PROPOSE"},
        {"type": "PROMISE", "accepted_id": 1},
        {"type": []},
        {"sender": 7},
        {"id": "1"},
        {"id": True},
        {"fate": "eaten"},
        {"denial": "asleep"},
        {"after": 7},
        {"after": {"promised": "1"}},
        {"after": {"learned": 7}},
        {"answers": [7]},
        {"answers": None},
        {"t_ms": "now"},
        {"t_ms": True},
        {"event": "quorum", "proposer": "p", "acceptors": [7]},
        {"event": "quorum", "proposer": "p"},
        {"event": "timeout", "proposer": "p", "attempt": 1, "last": 1},
        {"event": "learned", "proposer": "p", "value": None},
        {"event": "wants", "proposer": "p", "value": "x", "says": [{}]},
    ],
    ids=repr,
)
def test_an_object_that_is_not_an_event_is_refused(changes: dict[str, Any]) -> None:
    line = json.loads(event_line(PREPARED, '"round":7')) | changes
    with pytest.raises((ValueError, KeyError, TypeError, AttributeError)):
        event_of(line)


def test_another_format_is_refused() -> None:
    check_format(2)
    for number in (1, 3, "2", None):
        with pytest.raises(FormatError, match="not in format 2"):
            check_format(number)
