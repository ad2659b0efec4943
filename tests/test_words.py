"""Events in words: each kind a line, and nothing that a value could wreck."""

import re
from dataclasses import replace
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
    plural,
)
from toy_paxos.message import Accept, Fail, Message, Prepare, Promise, Proposal, Propose, Restart, Timeout
from toy_paxos.round import Outcome, Round, Statistics
from toy_paxos.settings import Network, Settings
from toy_paxos.simulation import play_rounds
from toy_paxos.story import Configuration, Story
from toy_paxos.view.run_words import Words, running_line
from toy_paxos.view.words import event_line, printable

SETTINGS = Settings(num_acceptors=3, acceptor_failure_prob=0.25, seed=1)
NETWORK = Settings(3, 0.25, seed=1, values=("x", "y"), network=Network(2, message_loss_prob=0.1, max_attempts=3))
WISHES = {"proposer-0": "x", "proposer-1": "a\nb"}

PREPARE = Prepare("proposer-0", "acceptor-0", 3)
PROMISE = Promise("acceptor-0", "proposer-0", 3, None)
PROPOSE = Propose("proposer-0", "acceptor-0", 3, "x")
ACCEPT = Accept("acceptor-0", "proposer-0", 3, "x")

STORIES: list[tuple[Event, str]] = [
    (Delivery(0, PREPARE), "proposer-0 -> acceptor-0 PREPARE 3"),
    (Delivery(0, PREPARE, denial="failed", promised=0), "proposer-0 -> acceptor-0 failed: PREPARE 3"),
    (Delivery(0, PROPOSE, denial="refused", promised=4), "proposer-0 -> acceptor-0 refused, promised 4: PROPOSE 3 x"),
    (
        Delivery(0, PROPOSE, denial="refused", promised=0),
        "proposer-0 -> acceptor-0 refused, promised nothing: PROPOSE 3 x",
    ),
    (Delivery(0, PROPOSE, denial="refused"), "proposer-0 -> acceptor-0 refused: PROPOSE 3 x"),
    (
        Delivery(0, PROPOSE, Fate.DUPLICATE, denial="failed"),
        "proposer-0 -> acceptor-0 duplicate, failed: PROPOSE 3 x",
    ),
    (Delivery(0, PROPOSE, Fate.LOST), "proposer-0 -> acceptor-0 lost: PROPOSE 3 x"),
    (Delivery(0, PROMISE), "acceptor-0 -> proposer-0 PROMISE 3, nothing accepted"),
    (
        Delivery(0, Promise("acceptor-0", "proposer-0", 3, Proposal(1, "a\nb"))),
        r"acceptor-0 -> proposer-0 PROMISE 3, accepted 1 a\nb",
    ),
    (Delivery(0, ACCEPT, Fate.STALE), "acceptor-0 -> proposer-0 stale: ACCEPT  3 x"),
    (Delivery(0, Fail("acceptor-0", "proposer-0", 3)), "acceptor-0 -> proposer-0 FAIL    3"),
    (Delivery(0, Restart("power", "acceptor-0", 1)), "acceptor-0 restarts"),
    (
        Crash(0, "proposer-0", "PROPOSE", "acceptor-2"),
        "proposer-0 crashes before it can send PROPOSE to acceptor-2",
    ),
    (Crash(0, "proposer-0", "", ""), "proposer-0 crashes"),
    (AcceptorCrash(0, "acceptor-1"), "acceptor-1 crashes, and loses what is on its way to it"),
    (TimedOut(0, "proposer-0", 1, 1, last=False), "proposer-0 times out, no quorum for 1 in time"),
    (
        TimedOut(0, "proposer-0", 3, 5, last=True),
        "proposer-0 gives up after 3 attempts, no quorum for 5 in time",
    ),
    (Attempt(0, "proposer-0", 2, 3), "proposer-0 tries again, attempt 2 under 3"),
    (
        Quorum(0, "proposer-0", 3, ("acceptor-2", "acceptor-0")),
        "proposer-0 has a quorum of promises for 3: acceptor-2, acceptor-0",
    ),
    (
        Adoption(0, "proposer-0", "acceptor-1", 2, "a\nb"),
        r"proposer-0 adopts what acceptor-1 accepted under 2: a\nb",
    ),
    (Chosen(0, 2, "x", ("acceptor-0",)), "CHOSEN, for a quorum has accepted proposal 2: x"),
    (Learned(0, "proposer-0", "x"), "proposer-0 learns x"),
    (Violation(0, "property", "a\nb"), r"SAFETY VIOLATED, a\nb"),
]


@pytest.mark.parametrize(("event", "words"), STORIES)
def test_each_event_is_a_line(event: Event, words: str) -> None:
    line = event_line(event, route_width=0)
    assert line
    assert line.text == words
    assert "".join(text for _, text in line.spans) == words


@pytest.mark.parametrize("event", [event for event, _ in STORIES])
def test_each_event_has_a_style_and_senders_are_not_dim(event: Event) -> None:
    line = event_line(event, route_width=0)
    assert line
    assert any(style for style, _ in line.spans)
    for style, text in line.spans:
        assert text not in ("proposer-0", "acceptor-0") or style == text


def test_routes_are_as_wide_as_the_widest_one() -> None:
    line = event_line(Delivery(0, PREPARE), route_width=26)
    assert line
    assert line.text == "proposer-0 -> acceptor-0   PREPARE 3"


def test_wishes_and_timeouts_have_no_line_of_their_own() -> None:
    assert event_line(Wants(0, "proposer-0", "x"), 0) is None
    assert event_line(Delivery(0, Timeout("clock", "proposer-0", 3)), 0) is None


# Values


@given(st.text(), st.text())
def test_a_value_can_be_read_back_and_stays_on_its_line(first: str, second: str) -> None:
    assert "\n" not in printable(first)
    assert printable(first).isprintable()
    assert (printable(first) == printable(second)) == (first == second)
    parts = re.split(r"(\\.)", printable(first))
    assert all(part.isprintable() for part in parts)


@given(st.text())
def test_characters_are_escaped_as_in_python(value: str) -> None:
    read = re.sub(
        r"\\(?:\\|[nrt]|x..|u....|U........)",
        lambda found: found[0].encode("ascii").decode("unicode_escape"),
        printable(value),
    )
    assert read == value


def test_values_that_look_alike_are_told_apart() -> None:
    assert printable("two\nlines\t\x1b[31m \u202e \udcff") == r"two\nlines\t\x1b[31m \u202e \udcff"
    assert printable("a\\n") == r"a\\n"
    assert printable("a\n") == r"a\n"
    assert printable("naïve 漢字 😀 e\u0301") == "naïve 漢字 😀 e\u0301"


# Rounds


def texts(settings: Settings, finished: Round) -> list[str]:
    return [line.text for line in Words(settings).round(finished)]


def over_network(*events: Event) -> Round:
    return Round.told(7, Story(Configuration.of(2, 3), [*(Wants(0, *wish) for wish in WISHES.items()), *events]))


def direct(**outcome: int) -> list[str]:
    """The first round of direct calls in which so many promised and accepted."""
    for finished in play_rounds(Settings(3, 0.4, seed=1, values=("x",))):
        if (finished.facts.promises, finished.facts.accepts) == (outcome["promises"], outcome["accepts"]):
            return texts(SETTINGS, finished)
    raise AssertionError


def test_a_round_is_a_wish_two_phases_with_their_tallies_and_an_outcome() -> None:
    _, wish, *lines, outcome = direct(promises=2, accepts=2)
    assert re.fullmatch(r"Round \d+: proposer-0 wants x", wish)
    assert re.fullmatch(r"Round \d+: consensus on x", outcome)
    promised = lines.index("  2 of 3 promised, 2 needed: quorum")
    assert lines[promised - 1].endswith(("PROMISE 1, nothing accepted", "FAIL    1"))
    assert re.fullmatch(r"  proposer-0 -> acceptor-0 (.*: )?PROPOSE 1 x", lines[promised + 1])
    assert lines[-1] == "  2 of 3 accepted, 2 needed: quorum"
    assert lines.count("  CHOSEN, for a quorum has accepted proposal 1: x") == 1
    assert lines.count("  proposer-0 learns x") == 1


def test_a_missed_quorum_of_promises_is_named_and_measured() -> None:
    lines = direct(promises=0, accepts=0)
    tally = lines.index("  0 of 3 promised, 2 needed: no quorum")
    assert lines[tally + 1] == "  proposer-0 -> acceptor-0 TERMINATE 1"
    assert lines[-1].endswith("no consensus, 2 promises short of a quorum")


def test_a_missed_quorum_of_accepts_is_named_and_measured() -> None:
    lines = direct(promises=2, accepts=1)
    assert lines[-2] == "  1 of 3 accepted, 2 needed: no quorum"
    assert lines[-1].endswith("no consensus, 1 accept short of a quorum")


def test_over_the_network_each_line_begins_with_the_time() -> None:
    text = texts(NETWORK, over_network(Learned(12345.6, "proposer-0", "x"), TimedOut(1.25, "proposer-1", 1, 1, True)))
    assert text[1:5] == [
        "Round 7: proposer-0 wants x",
        r"         proposer-1 wants a\nb",
        " 12345.6 ms  proposer-0 learns x",
        "     1.2 ms  proposer-1 gives up after 1 attempt, no quorum for 1 in time",
    ]


@pytest.mark.parametrize(
    ("events", "words", "style"),
    [
        ([Chosen(1, 1, "x", ()), Learned(2, "proposer-0", "x")], "consensus on x", "good"),
        ([Chosen(1, 1, "x", ())], "chosen, but no proposer has learned it: x", "bad"),
        ([], "no value is chosen", "bad"),
        ([Crash(0, name, "PREPARE", "acceptor-0") for name in WISHES], "all proposers crashed, no value is", "bad"),
        ([Violation(1, "property", "why")], "safety is violated", "bad"),
    ],
)
def test_the_outcome_does_not_say_more_than_is_known(events: list[Event], words: str, style: str) -> None:
    lines = Words(NETWORK).round(over_network(*events))
    (outcome,) = [line for line in lines if line.text.startswith(f"Round 7: {words}")]
    assert outcome.spans[0][0].split()[0] == style


def test_a_violation_ends_with_the_command_that_replays_it() -> None:
    last = Words(NETWORK).round(over_network(Violation(1, "property", "why")))[-1]
    assert last.text == f"To see it again: {NETWORK.command} --round 7"
    assert last.spans[0][0] == "command"


@pytest.mark.parametrize("actors", ["", "--break forgets-all"])
def test_a_violation_in_real_time_is_seen_again_from_a_file(actors: str) -> None:
    last = Words(replace(NETWORK, seed=None, actors=actors)).round(over_network(Violation(1, "property", "why")))[-1]
    play = f"toy-paxos play FILE {actors}".strip()
    assert last.text == f"To see it again: save the first lines and this round in FILE, then run: {play}"


def test_every_message_of_a_round_is_a_line() -> None:
    for finished in islice(play_rounds(NETWORK), 50):
        said = [event.message for event in finished.events if isinstance(event, Delivery)]
        expected = [m for m in said if not isinstance(m, Timeout)]
        shown = [line for line in texts(NETWORK, finished) if " -> " in line]
        assert len(shown) == len(expected)
        for line, message in zip(shown, expected, strict=True):
            assert re.search(rf"{message.sender} -> {message.recipient} .*\b{message.type} +{message.id}", line)


# What is said around the rounds


def test_the_first_line_says_who_takes_part_and_the_seed() -> None:
    (line,) = Words(SETTINGS).start()
    assert line.text.endswith("1 proposer, 3 acceptors, failure probability 0.25, seed 1")


def test_over_the_network_the_second_line_says_what_can_go_wrong() -> None:
    assert Words(NETWORK).start()[1].text == (
        "network: loss 0.1, duplication 0.0, proposers crash 0.0, acceptors crash 0.0, "
        "timeout 30 ms, backoff 30 ms, 3 attempts"
    )


def summary(statistics: Statistics) -> str:
    return "".join(f"{line.text}\n" for line in Words(statistics.settings).summary(statistics))


def test_the_summary_has_each_outcome_the_law_and_the_replay_command() -> None:
    statistics = Statistics(SETTINGS, rounds=4, messages=1234, elapsed_s=2.0)
    statistics.outcomes[Outcome.CONSENSUS] = 3
    statistics.outcomes[Outcome.NO_ACCEPT_QUORUM] = 1
    assert summary(statistics) == (
        "\n"
        "--- 4 rounds of toy-paxos ---\n"
        "consensus                    3   75.00%\n"
        "  expected                       59.33%\n"
        "no quorum of accepts         1   25.00%\n"
        "1,234 messages in 2.00 s, 2.0 rounds/s\n"
        "expected: P(Binomial(3, 0.5625) >= 2), a majority fails neither phase\n"
        "seed 1, replay: toy-paxos --num-acceptors 3 --acceptor-failure-prob 0.25 --seed 1 --rounds 4\n"
    )


def test_a_summary_without_rounds_has_no_shares() -> None:
    assert "consensus                    0\n" in summary(Statistics(SETTINGS))
    assert summary(Statistics(SETTINGS)).endswith("--seed 1\n")
    nothing, heading, *table = summary(Statistics(NETWORK)).splitlines()
    assert (nothing, heading) == ("", "--- 0 rounds of toy-paxos ---")
    assert table[:-1] == ["safety violated              0", "0 messages in 0.00 s"]


@pytest.mark.parametrize(
    ("settings", "outcome", "words"),
    [
        (SETTINGS, Outcome.CONSENSUS, "consensus (expected in 59.33% of rounds)"),
        (SETTINGS, Outcome.NO_PROMISE_QUORUM, "no quorum of promises (consensus expected in 59.33% of rounds)"),
        (NETWORK, Outcome.CHOSEN_NOT_LEARNED, "chosen, never learned"),
        (NETWORK, Outcome.VIOLATED, "safety violated"),
    ],
)
def test_the_summary_of_one_round_is_its_outcome_without_a_table(
    settings: Settings, outcome: Outcome, words: str
) -> None:
    statistics = Statistics(settings, rounds=1, messages=12, first=7)
    statistics.outcomes[outcome] = 1
    assert summary(statistics) == (
        f"\n--- 1 round of toy-paxos: {words} ---\nseed 1, replay: {settings.command} --round 7\n"
    )


def test_the_table_leaves_out_zeros_except_for_violations() -> None:
    statistics = Statistics(NETWORK, rounds=2, messages=12, lost=3, attempts=4, attempts_max=3)
    statistics.outcomes[Outcome.NOT_CHOSEN] = 2
    assert summary(statistics).splitlines()[2:-2] == [
        "no value chosen              2  100.00%",
        "safety violated              0    0.00%",
        "attempts a round: mean 2.00, max 3",
        "3 lost messages",
    ]


def test_the_running_line_is_one_line() -> None:
    assert running_line(Statistics(SETTINGS)) == (
        "toy-paxos: 0 rounds, consensus - (expected 59.33%), 0 messages in 0.00 s"
    )


def test_one_is_singular() -> None:
    assert [plural(number, "round") for number in (0, 1, 2, 1000)] == [
        "0 rounds",
        "1 round",
        "2 rounds",
        "1,000 rounds",
    ]


def test_a_message_of_a_users_own_class_is_told_like_its_base_class() -> None:
    class Told(Promise):
        pass

    messages: list[Message] = [Told("acceptor-0", "proposer-0", 3, (1, "x"))]  # type: ignore[arg-type]
    line = event_line(Delivery(0, messages[0]), 0)
    assert line
    assert line.text == "acceptor-0 -> proposer-0 PROMISE 3, accepted 1 x"
