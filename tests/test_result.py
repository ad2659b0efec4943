"""Outcomes, totals, and whether they obey the law of the success rate."""

from itertools import islice
from math import sqrt

import pytest

from toy_paxos.message import Accept, Promise
from toy_paxos.proposer import Proposer
from toy_paxos.result import Outcome, Round, Statistics
from toy_paxos.rounds import play_rounds
from toy_paxos.settings import Settings


def finished(num_promises: int, num_accepts: int) -> Round:
    """A round among three acceptors in which so many promised and accepted."""
    proposer = Proposer("proposer-0", "v", ["acceptor-0", "acceptor-1", "acceptor-2"])
    answers = [Promise(f"acceptor-{n}", "proposer-0", 1, None) for n in range(num_promises)]
    accepts = [Accept(f"acceptor-{n}", "proposer-0", 1, "v") for n in range(num_accepts)]
    for answer in (*answers, *accepts):
        proposer.receive(answer)
    return Round(1, proposer, [*answers, *accepts])


@pytest.mark.parametrize(
    ("num_promises", "num_accepts", "outcome"),
    [
        (1, 0, Outcome.NO_PROMISE_QUORUM),
        (2, 1, Outcome.NO_ACCEPT_QUORUM),
        (2, 2, Outcome.CONSENSUS),
        (3, 3, Outcome.CONSENSUS),
    ],
)
def test_the_outcome_names_the_first_quorum_that_was_missed(
    num_promises: int, num_accepts: int, outcome: Outcome
) -> None:
    assert finished(num_promises, num_accepts).outcome is outcome


def test_promises_and_accepts_beyond_the_majority_are_counted_too() -> None:
    assert (finished(3, 3).promises, finished(3, 3).accepts) == (3, 3)


def test_statistics_add_up() -> None:
    statistics = Statistics(Settings(3, 0.1, seed=1))
    for numbers in ((1, 0), (2, 1), (2, 2), (3, 3)):
        statistics.add(finished(*numbers))
    assert (statistics.rounds, statistics.messages) == (4, 1 + 3 + 4 + 6)
    assert statistics.consensus_rate == 0.5


def test_without_rounds_there_is_no_rate() -> None:
    assert Statistics(Settings(3, 0.1, seed=1)).consensus_rate is None


@pytest.mark.parametrize(
    ("num_acceptors", "failure_prob"),
    [(1, 0.3), (2, 0.1), (3, 0.25), (4, 0.2), (5, 0.2), (6, 0.3), (9, 0.35), (50, 0.29)],
)
def test_the_observed_rate_is_within_4_standard_deviations_of_the_law(
    num_acceptors: int, failure_prob: float
) -> None:
    settings = Settings(num_acceptors, failure_prob, seed=20)
    number = 3_000
    statistics = Statistics(settings)
    for finished in islice(play_rounds(settings), number):
        statistics.add(finished)
    expected = settings.expected_consensus_rate
    deviation = sqrt(expected * (1 - expected) / number)
    assert statistics.consensus_rate == pytest.approx(expected, abs=4 * deviation)
