"""A run for programs: the same keys, whether calls are direct or go over a network."""

import json
from dataclasses import fields
from itertools import islice
from typing import Any

import pytest
from conftest import Run

from toy_paxos.event import Delivery, Violation, Wants
from toy_paxos.message import Prepare
from toy_paxos.round import Round, Statistics
from toy_paxos.settings import Network, Settings
from toy_paxos.simulation import play_rounds
from toy_paxos.story import Configuration, Story
from toy_paxos.view.json_lines import JsonLines

SETTINGS = Settings(num_acceptors=3, acceptor_failure_prob=0.25, seed=1)
NETWORK = Settings(3, 0.25, seed=1, values=("x", "y"), network=Network(2, message_loss_prob=0.1, max_attempts=3))


def lines_of(settings: Settings, finished: Round) -> list[dict[str, Any]]:
    return [json.loads(line) for line in JsonLines(settings).round(finished).splitlines()]


def test_start_round_and_summary_of_direct_calls_have_exactly_these_keys() -> None:
    view = JsonLines(SETTINGS)
    network = [field.name for field in fields(Network)]
    started = json.loads(view.start())
    assert list(started) == [
        *("event", "format", "version", "seed", "num_proposers", "num_acceptors", "quorums"),
        *("acceptor_failure_prob", "values"),
        *(name for name in network if name != "num_proposers"),
        *("place", "changed_rule", "actors"),
    ]
    assert {name: started[name] for name in network} == dict.fromkeys(network) | {"num_proposers": 1}
    finished = next(played for played in play_rounds(SETTINGS) if played.facts.promises == 0)
    assert lines_of(SETTINGS, finished)[-1] == {
        "event": "round",
        "round": finished.number,
        "proposal": finished.wishes["proposer-0"],
        "proposals": [finished.wishes["proposer-0"]],
        "outcome": "no-promise-quorum",
        "value": None,
        "promises": 0,
        "accepts": 0,
        "attempts": 1,
        "duel": False,
        "adoptions": 0,
        "chosen_ms": None,
        "learned_ms": None,
    }
    summary = json.loads(view.summary(Statistics(SETTINGS)))
    assert {key: value for key, value in summary.items() if value is not None} == {
        "event": "summary",
        "rounds": 0,
        "consensus": 0,
        "no_promise_quorum": 0,
        "no_accept_quorum": 0,
        "messages": 0,
        "expected_consensus_rate": SETTINGS.expected_consensus_rate,
        "elapsed_s": 0.0,
    }


def test_direct_calls_and_the_network_have_the_same_keys() -> None:
    direct, network = (objects_of(settings) for settings in (SETTINGS, NETWORK))
    assert direct.keys() <= network.keys()
    assert {kind: network[kind] for kind in direct} == direct


def objects_of(settings: Settings) -> dict[str, list[str]]:
    """The keys of each kind of event in some rounds."""
    view = JsonLines(settings)
    text = "".join(map(view.round, islice(play_rounds(settings), 20)))
    lines = [view.start(), *text.splitlines(), view.summary(Statistics(settings))]
    return {told["event"]: list(told) for told in map(json.loads, lines)}


def test_a_network_has_times_and_further_figures() -> None:
    view = JsonLines(NETWORK)
    started = json.loads(view.start())
    assert (started["num_proposers"], started["values"], started["timeout"]) == (2, ["x", "y"], 30.0)
    summary = json.loads(view.summary(Statistics(NETWORK)))
    assert (summary["chosen_ms"], summary["violated"]) == ({"median": None, "p95": None}, 0)
    assert (summary["no_promise_quorum"], summary["expected_consensus_rate"]) == (None, None)


def test_a_violation_names_the_command_that_replays_it_if_there_is_one() -> None:
    finished = Round.told(
        7, Story(Configuration.of(1, 1), [Wants(0, "proposer-0", "x"), Violation(1, "property", "why")])
    )
    assert lines_of(NETWORK, finished)[1]["replay"] == f"{NETWORK.command} --round 7"
    finished.no_replay = "an actor draws"
    assert lines_of(NETWORK, finished)[1]["replay"] is None


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


def test_awkward_values_are_unchanged_in_json(run: Run) -> None:
    values = ["two\nlines", "\x1b[31mred", "漢字", "e\u0301", 'it\'s "quoted"', "back\\slash", "\ue000"]
    options = [word for value in values for word in ("--value", value)]
    done = run("--num-proposers", "7", *options, "--json", "--seed", "1", "-c", "1")
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert events[0]["values"] == values
    assert [event["value"] for event in events if event["event"] == "wants"] == values
    text = run("--num-proposers", "7", *options, "--seed", "1", "-c", "1").stdout
    assert r"proposer-0 wants two\nlines" in text
    assert "\x1b" not in text
