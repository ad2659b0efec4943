"""What is concluded from the events of a round, how a run adds up, and that it obeys the law."""

from itertools import islice
from math import sqrt

import pytest

from toy_paxos.event import Adoption, Attempt, Chosen, Crash, Delivery, Event, Fate, Learned, Quorum, Violation, Wants
from toy_paxos.message import Message, Prepare, Promise
from toy_paxos.round import DirectRound, Facts, Outcome, Round, Statistics, Times
from toy_paxos.settings import Network, Settings
from toy_paxos.simulation import play_rounds
from toy_paxos.story import Configuration, Story

CHOSEN, LEARNED = Chosen(20.0, 1, "x", ("acceptor-0",)), Learned(30.4, "proposer-0", "x")
CRASHES = [Crash(1.0, f"proposer-{n}", "PREPARE", "acceptor-0") for n in range(2)]
VIOLATION = Violation(31.0, "property", "why")
WISHES = {"proposer-0": "x", "proposer-1": "y"}
NETWORK = Settings(3, 0.1, seed=1, network=Network(2))


def finished(*events: Event) -> Round:
    return Round.told(1, Story(Configuration.of(2, 1), [*(Wants(0, *wish) for wish in WISHES.items()), *events]))


def delivery(message: Message, fate: Fate = Fate.DELIVERED) -> Delivery:
    return Delivery(1.0, message, fate)


def promise_to(proposer: str) -> Promise:
    return Promise("acceptor-0", proposer, 1, None)


@pytest.mark.parametrize(
    ("events", "outcome"),
    [
        ([CHOSEN, LEARNED], Outcome.CONSENSUS),
        ([CHOSEN, LEARNED, *CRASHES], Outcome.CONSENSUS),
        ([CHOSEN], Outcome.CHOSEN_NOT_LEARNED),
        ([CHOSEN, *CRASHES], Outcome.CHOSEN_NOT_LEARNED),
        ([], Outcome.NOT_CHOSEN),
        (CRASHES[:1], Outcome.NOT_CHOSEN),
        (CRASHES, Outcome.ALL_CRASHED),
        ([CHOSEN, LEARNED, VIOLATION], Outcome.VIOLATED),
    ],
)
def test_a_chosen_value_stays_chosen_whichever_proposers_learn_or_crash(events: list[Event], outcome: Outcome) -> None:
    assert finished(*events).outcome is outcome


def test_with_direct_calls_the_outcome_names_the_first_quorum_that_was_missed() -> None:
    seen = {}
    for played in islice(play_rounds(Settings(3, 0.4, seed=1)), 200):
        facts = played.facts
        missed = Outcome.NO_PROMISE_QUORUM if facts.promises < 2 else Outcome.NO_ACCEPT_QUORUM
        assert played.outcome is (Outcome.CONSENSUS if facts.accepts >= 2 else missed)
        assert (facts.messages, bool(played.value)) == (played.messages, facts.accepts >= 2)
        seen[facts.promises, facts.accepts] = played.outcome
    assert {(3, 3), (2, 2), (2, 1), (3, 0), (1, 0), (0, 0)} <= set(seen)


def test_direct_calls_are_told_as_they_were_played() -> None:
    for played in islice(play_rounds(Settings(5, 0.3, seed=1)), 300):
        assert isinstance(played, DirectRound)
        failed = sum(map(sum, played.failures.values()))
        assert sum(event.denial == "failed" for event in played.events if isinstance(event, Delivery)) == failed
        assert played.facts == Facts.of(played.events)
        assert [event for event in played.follows() if event] == [
            event for event in played.events if isinstance(event, (Quorum, Chosen, Learned))
        ]


def test_a_duel_takes_promises_to_two_proposers_that_arrive() -> None:
    to_0, to_1 = promise_to("proposer-0"), promise_to("proposer-1")
    assert finished(delivery(to_0), delivery(to_1)).facts.is_duel
    assert not finished(delivery(to_0), delivery(to_0)).facts.is_duel
    assert not finished(delivery(to_0), delivery(to_1, Fate.LOST)).facts.is_duel


def test_copies_are_no_more_promises() -> None:
    promise = promise_to("proposer-0")
    assert finished(delivery(promise), delivery(promise, Fate.DUPLICATE)).facts.promises == 1


def test_the_first_to_learn_is_remembered() -> None:
    assert finished(CHOSEN, LEARNED, Learned(40.0, "proposer-1", "x")).facts.learned is LEARNED


def test_nothing_adds_up_to_nothing() -> None:
    assert Facts.of([]) == Facts()


def test_statistics_add_up() -> None:
    statistics = Statistics(NETWORK, first=7)
    prepare = Prepare("proposer-0", "acceptor-0", 1)
    statistics.add(finished(delivery(prepare), delivery(prepare, Fate.DUPLICATE), CHOSEN, LEARNED))
    statistics.add(
        finished(
            delivery(prepare, Fate.LOST),
            Attempt(40.0, "proposer-0", 2, 3),
            Adoption(50.0, "proposer-0", "acceptor-0", 1, "x"),
        )
    )
    assert (statistics.rounds, statistics.messages) == (2, 3)
    assert (statistics.lost, statistics.duplicates, statistics.adoptions) == (1, 1, 1)
    assert (statistics.attempts_mean, statistics.attempts_max) == (2.5, 3)
    assert statistics.consensus_rate == 0.5
    assert (statistics.until_chosen.percentile(50), statistics.until_learned.percentile(50)) == (20, 30)
    assert not statistics.violated


def test_without_rounds_there_is_no_rate() -> None:
    assert Statistics(Settings(3, 0.1, seed=1)).consensus_rate is None


def test_a_violation_is_remembered() -> None:
    statistics = Statistics(NETWORK)
    statistics.add(finished(VIOLATION))
    statistics.add(finished())
    assert statistics.violated


def test_percentiles_are_times_that_occurred() -> None:
    times = Times()
    assert times.percentile(50) is None
    times.update(range(1, 101))
    assert [times.percentile(percent) for percent in (1, 50, 95, 100)] == [1, 50, 95, 100]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("num_acceptors", "failure_prob", "quorums"),
    [
        *[(1, 0.3, None), (2, 0.1, None), (3, 0.25, None), (4, 0.2, None), (5, 0.2, None), (6, 0.3, None)],
        *[(9, 0.35, None), (50, 0.29, None)],
        *[(4, 0.2, (3, 2)), (4, 0.4, (2, 2)), (5, 0.2, (4, 2)), (5, 0.3, (2, 4)), (6, 0.25, (5, 2)), (6, 0.3, (4, 3))],
        *[(8, 0.4, (6, 1)), (50, 0.29, (36, 25))],
    ],
)
def test_the_observed_rate_is_within_4_standard_deviations_of_the_law(
    num_acceptors: int, failure_prob: float, quorums: tuple[int, int] | None
) -> None:
    settings = Settings(num_acceptors, failure_prob, seed=20, quorums=quorums)
    number = 3_000
    statistics = Statistics(settings)
    for played in islice(play_rounds(settings), number):
        statistics.add(played)
    expected = settings.expected_consensus_rate
    deviation = sqrt(expected * (1 - expected) / number)
    assert statistics.consensus_rate == pytest.approx(expected, abs=4 * deviation)
