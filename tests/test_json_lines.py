"""What programs get to see: one object an event, with exactly these keys."""

import json
from itertools import islice
from typing import Any

import pytest
from conftest import Run

from toy_paxos.event import (
    AcceptorCrash,
    Adoption,
    Attempt,
    Chosen,
    Crash,
    Delivery,
    Event,
    Fate,
    Learned,
    Quorum,
    TimedOut,
    Violation,
    Wants,
)
from toy_paxos.message import Accept, Prepare, Promise, Proposal, Propose
from toy_paxos.simulation import Network, Round, Settings, Statistics, play_rounds
from toy_paxos.story import Configuration, Story
from toy_paxos.view.json_lines import JsonLines, event_object, json_line

SETTINGS = Settings(num_acceptors=3, acceptor_failure_prob=0.25, seed=1)
NETWORK = Settings(3, 0.25, seed=1, values=("x", "y"), network=Network(2, message_loss_prob=0.1, max_attempts=3))

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
    (Violation(1, "property", "why"), ["property", "words"]),
]

DELIVERY_KEYS = ["type", "sender", "recipient", "id", "value", "accepted_id", "fate", "denial", "after"]


def stored(promised: int, id: int | None = None, value: str | None = None) -> dict[str, Any]:
    return {"promised": promised, "accepted_id": id, "accepted_value": value}


def told(event: Event) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(event_object(event, '"round":7'))
    assert (loaded.pop("event"), loaded.pop("round")) == (event.event, 7)
    return loaded


@pytest.mark.parametrize(("event", "keys"), KEYS)
def test_each_event_is_an_object_with_what_it_holds(event: Event, keys: list[str]) -> None:
    assert told(event) == {key: loads_as(getattr(event, key)) for key in keys}
    assert list(told(event)) == keys


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
def test_a_delivery_tells_the_message_its_fate_and_what_came_of_it(delivery: Delivery, values: list[object]) -> None:
    assert told(delivery) == dict(zip(DELIVERY_KEYS, values, strict=True))
    assert list(told(delivery)) == DELIVERY_KEYS


def lines_of(settings: Settings, finished: Round) -> list[dict[str, Any]]:
    return [json.loads(line) for line in JsonLines(settings).round(finished).splitlines()]


def test_start_round_and_summary_of_direct_calls_have_exactly_these_keys() -> None:
    view = JsonLines(SETTINGS)
    assert list(json.loads(view.start())) == [
        "event",
        "format",
        "version",
        "seed",
        "num_acceptors",
        "acceptor_failure_prob",
    ]
    finished = next(played for played in play_rounds(SETTINGS) if played.facts.promises == 0)
    assert lines_of(SETTINGS, finished)[-1] == {
        "event": "round",
        "round": finished.number,
        "proposal": finished.wishes["proposer-0"],
        "outcome": "no-promise-quorum",
        "value": None,
        "promises": 0,
        "accepts": 0,
    }
    assert json.loads(view.summary(Statistics(SETTINGS))) == {
        "event": "summary",
        "rounds": 0,
        "consensus": 0,
        "no_promise_quorum": 0,
        "no_accept_quorum": 0,
        "messages": 0,
        "consensus_rate": None,
        "expected_consensus_rate": SETTINGS.expected_consensus_rate,
        "elapsed_s": 0.0,
    }


def test_a_network_has_more_to_say() -> None:
    view = JsonLines(NETWORK)
    started = json.loads(view.start())
    assert (started["num_proposers"], started["values"], started["timeout"]) == (2, ["x", "y"], 30.0)
    events = lines_of(NETWORK, next(play_rounds(NETWORK)))
    first = next(event for event in events if event["event"] == "message")
    assert list(first)[-2:] == ["t_ms", "sent_ms"]
    assert list(events[-1])[-5:] == ["attempts", "duel", "adoptions", "chosen_ms", "learned_ms"]
    assert json.loads(view.summary(Statistics(NETWORK)))["chosen_ms"] == {"median": None, "p95": None}


def test_times_are_simulated_milliseconds_to_the_microsecond() -> None:
    finished = Round.told(
        7,
        Story(
            Configuration.of(1, 1), [Wants(0, "proposer-0", "x"), Delivery(1.23456, Prepare("a", "b", 1), sent=0.10006)]
        ),
    )
    (_, message, _) = lines_of(NETWORK, finished)
    assert (message["t_ms"], message["sent_ms"]) == (1.235, 0.1)


@pytest.mark.parametrize("settings", [SETTINGS, NETWORK])
def test_every_event_of_a_round_is_a_line_and_the_round_is_the_last(settings: Settings) -> None:
    for finished in islice(play_rounds(settings), 50):
        *events, last = lines_of(settings, finished)
        assert [event["event"] for event in events] == [event.event for event in finished.events]
        assert (last["event"], last["outcome"]) == ("round", finished.outcome)
        assert {event["round"] for event in events} == {finished.number}


def test_what_is_no_json_is_refused() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        json_line(rate=float("nan"))


def test_awkward_values_reach_the_program_whole(run: Run) -> None:
    values = ["two\nlines", "\x1b[31mred", "漢字", "e\u0301", 'it\'s "quoted"', "back\\slash", "\ue000"]
    options = [word for value in values for word in ("--value", value)]
    done = run("--num-proposers", "7", *options, "--json", "--seed", "1", "-c", "1")
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert events[0]["values"] == values
    assert [event["value"] for event in events if event["event"] == "wants"] == values
    text = run("--num-proposers", "7", *options, "--seed", "1", "-c", "1").stdout
    assert r"proposer-0 wants two\nlines" in text
    assert "\x1b" not in text
