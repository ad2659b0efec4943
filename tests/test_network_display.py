"""What is shown of the simulated network: each event in words, and in JSON."""

import json
import re
from itertools import islice

import pytest
from conftest import Run

from toy_paxos.message import Accept, Promise, Proposal
from toy_paxos.network import Adoption, Attempt, Crash, Delivery, Event, Fate, Learned, TimedOut
from toy_paxos.network_display import NetworkJsonDisplay, NetworkTextDisplay
from toy_paxos.network_result import NetworkRound, NetworkStatistics
from toy_paxos.rounds import play_network_rounds
from toy_paxos.safety import Chosen, Violation
from toy_paxos.settings import Network, Settings

NETWORK = Network(num_proposers=2, message_loss_prob=0.1, max_attempts=3)
SETTINGS = Settings(3, 0.25, seed=1, values=("x", "y"), network=NETWORK)
PROPOSALS = {"proposer-0": "x", "proposer-1": "a\nb"}

STORIES: list[tuple[Event, str]] = [
    (
        Delivery(1.25, Promise("acceptor-0", "proposer-0", 3, Proposal(1, "x")), Fate.DELIVERED),
        "     1.2 ms  acceptor-0 -> proposer-0 PROMISE 3, accepted 1 x",
    ),
    (
        Delivery(10.0, Accept("acceptor-0", "proposer-0", 3, "x"), Fate.STALE),
        "    10.0 ms  acceptor-0 -> proposer-0 stale: ACCEPT  3 x",
    ),
    (
        Crash(0.0, "proposer-0", "PROPOSE", "acceptor-2"),
        "     0.0 ms  proposer-0 crashes before it can send PROPOSE to acceptor-2",
    ),
    (
        TimedOut(30.0, "proposer-0", 1, 1, last=False),
        "    30.0 ms  proposer-0 times out, no majority for 1 in time",
    ),
    (
        TimedOut(30.0, "proposer-0", 3, 5, last=True),
        "    30.0 ms  proposer-0 gives up after 3 attempts, no majority for 5 in time",
    ),
    (
        Attempt(40.0, "proposer-0", 2, 3),
        "    40.0 ms  proposer-0 tries again, attempt 2 under 3",
    ),
    (
        Adoption(50.0, "proposer-0", "acceptor-1", 2, "a\nb"),
        r"    50.0 ms  proposer-0 adopts what acceptor-1 accepted under 2: a\nb",
    ),
    (
        Chosen(60.0, 2, "x"),
        "    60.0 ms  CHOSEN, for a majority has accepted proposal 2: x",
    ),
    (Learned(12345.6, "proposer-0", "x"), " 12345.6 ms  proposer-0 learns x"),
]


@pytest.mark.parametrize(("event", "line"), STORIES)
def test_each_event_is_a_line_that_begins_with_the_time(event: Event, line: str) -> None:
    text = NetworkTextDisplay(SETTINGS, NETWORK).round(NetworkRound(7, PROPOSALS, [event]))
    assert text.splitlines()[3] == line


@pytest.mark.parametrize("event", [event for event, _ in STORIES])
def test_each_event_is_an_object_with_its_round_and_time(event: Event) -> None:
    lines = NetworkJsonDisplay(SETTINGS, NETWORK).round(NetworkRound(7, PROPOSALS, [event])).splitlines()
    shown = json.loads(lines[0])
    assert (shown["event"], shown["round"], shown["t_ms"]) == (event.event, 7, event.t_ms)


def test_json_messages_have_the_keys_of_direct_calls_and_two_more() -> None:
    event = Delivery(1.23456, Promise("acceptor-0", "proposer-0", 3, Proposal(1, "x")), Fate.LOST)
    lines = NetworkJsonDisplay(SETTINGS, NETWORK).round(NetworkRound(7, PROPOSALS, [event])).splitlines()
    assert lines[0] == (
        '{"event":"message","round":7,"type":"PROMISE","sender":"acceptor-0","recipient":"proposer-0",'
        '"id":3,"value":"x","accepted_id":1,"t_ms":1.235,"fate":"lost"}'
    )


def test_the_first_lines_say_what_can_go_wrong() -> None:
    assert NetworkTextDisplay(SETTINGS, NETWORK).start().splitlines()[1] == (
        "network: loss 0.1, duplication 0.0, proposers crash 0.0, timeout 30 ms, backoff 30 ms, 3 attempts"
    )
    started = json.loads(NetworkJsonDisplay(SETTINGS, NETWORK).start())
    assert (started["num_proposers"], started["values"], started["timeout"]) == (2, ["x", "y"], 30.0)


def test_every_proposer_says_what_it_wants() -> None:
    text = NetworkTextDisplay(SETTINGS, NETWORK).round(NetworkRound(7, PROPOSALS, []))
    assert text.startswith("\nRound 7: proposer-0 wants x\n" + r"         proposer-1 wants a\nb" + "\n")


@pytest.mark.parametrize(
    ("events", "words"),
    [
        ([Chosen(1.0, 1, "x"), Learned(2.0, "proposer-0", "x")], "consensus on x"),
        ([Chosen(1.0, 1, "x")], "chosen, but no proposer has learned it: x"),
        ([], "no value is chosen"),
        (
            [Crash(0.0, name, "PREPARE", "acceptor-0") for name in PROPOSALS],
            "all proposers crashed, no value is",
        ),
        ([Violation(1.0, "why")], "safety is violated"),
    ],
)
def test_the_outcome_does_not_say_more_than_is_known(events: list[Event], words: str) -> None:
    text = NetworkTextDisplay(SETTINGS, NETWORK).round(NetworkRound(7, PROPOSALS, events))
    assert f"\nRound 7: {words}" in text


def test_the_summary_of_nothing_is_no_division_by_zero() -> None:
    text = NetworkTextDisplay(SETTINGS, NETWORK).summary(NetworkStatistics(SETTINGS))
    assert "attempts a round: mean -, max 0\n" in text
    assert "until chosen: -\n" in text
    event = json.loads(NetworkJsonDisplay(SETTINGS, NETWORK).summary(NetworkStatistics(SETTINGS)))
    assert event["chosen_ms"] == {"median": None, "p95": None}


def test_text_and_json_tell_of_the_same_events() -> None:
    for finished in islice(play_network_rounds(SETTINGS, NETWORK), 50):
        text = NetworkTextDisplay(SETTINGS, NETWORK).round(finished).splitlines()
        events = NetworkJsonDisplay(SETTINGS, NETWORK).round(finished).splitlines()
        times = [line.split()[0] for line in text if " ms  " in line]
        assert times == [f"{event.t_ms:.1f}" for event in finished.events]
        assert len(events) == len(finished.events) + 1


def test_awkward_values_reach_the_program_whole(run: Run) -> None:
    values = ["two\nlines", "\x1b[31mred", "漢字", "e\u0301", 'it\'s "quoted"']
    options = [word for value in values for word in ("--value", value)]
    done = run("--num-proposers", "5", *options, "--json", "--seed", "1", "-c", "1")
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert events[0]["values"] == values
    text = run("--num-proposers", "5", *options, "--seed", "1", "-c", "1").stdout
    assert r"proposer-0 wants two\nlines" in text
    assert "\x1b" not in text
    assert not re.search(r"^lines", text, re.MULTILINE)
