"""What is concluded from the events of a round, and how a run adds up."""

import pytest

from toy_paxos.message import Message, Prepare, Promise
from toy_paxos.network import Adoption, Attempt, Crash, Delivery, Event, Fate, Learned
from toy_paxos.network_result import NetworkOutcome, NetworkRound, NetworkStatistics, Times
from toy_paxos.safety import Chosen, Violation
from toy_paxos.settings import Network, Settings

CHOSEN, LEARNED = Chosen(20.0, 1, "x"), Learned(30.4, "proposer-0", "x")
CRASHES = [Crash(1.0, f"proposer-{n}", "PREPARE", "acceptor-0") for n in range(2)]


def finished(*events: Event) -> NetworkRound:
    return NetworkRound(1, {"proposer-0": "x", "proposer-1": "y"}, events)


def delivery(message: Message, fate: Fate = Fate.DELIVERED) -> Delivery:
    return Delivery(1.0, message, fate)


def promise_to(proposer: str) -> Promise:
    return Promise("acceptor-0", proposer, 1, None)


@pytest.mark.parametrize(
    ("events", "outcome"),
    [
        ([CHOSEN, LEARNED], NetworkOutcome.CONSENSUS),
        ([CHOSEN, LEARNED, *CRASHES], NetworkOutcome.CONSENSUS),
        ([CHOSEN], NetworkOutcome.CHOSEN_NOT_LEARNED),
        ([CHOSEN, *CRASHES], NetworkOutcome.CHOSEN_NOT_LEARNED),
        ([], NetworkOutcome.NOT_CHOSEN),
        (CRASHES[:1], NetworkOutcome.NOT_CHOSEN),
        (CRASHES, NetworkOutcome.ALL_CRASHED),
        ([CHOSEN, LEARNED, Violation(31.0, "why")], NetworkOutcome.VIOLATED),
    ],
)
def test_what_is_chosen_stays_chosen_whoever_knows_and_whoever_crashed(
    events: list[Event], outcome: NetworkOutcome
) -> None:
    assert finished(*events).outcome is outcome


def test_a_duel_takes_promises_to_two_proposers_that_arrive() -> None:
    to_0, to_1 = promise_to("proposer-0"), promise_to("proposer-1")
    assert finished(delivery(to_0), delivery(to_1)).is_duel
    assert not finished(delivery(to_0), delivery(to_0)).is_duel
    assert not finished(delivery(to_0), delivery(to_1, Fate.LOST)).is_duel


def test_copies_are_no_more_promises() -> None:
    promise = promise_to("proposer-0")
    assert finished(delivery(promise), delivery(promise, Fate.DUPLICATE)).promises == 1


def test_the_first_to_learn_is_remembered() -> None:
    assert finished(CHOSEN, LEARNED, Learned(40.0, "proposer-1", "x")).learned is LEARNED


def test_statistics_add_up() -> None:
    statistics = NetworkStatistics(Settings(3, 0.1, seed=1, network=Network(2)), first=7)
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


def test_a_violation_is_remembered() -> None:
    statistics = NetworkStatistics(Settings(3, 0.1, seed=1, network=Network(2)))
    statistics.add(finished(Violation(1.0, "why")))
    statistics.add(finished())
    assert statistics.violated


def test_percentiles_are_times_that_occurred() -> None:
    times = Times()
    assert times.percentile(50) is None
    for t_ms in range(1, 101):
        times.add(t_ms + 0.2)
    assert [times.percentile(percent) for percent in (1, 50, 95, 100)] == [1, 50, 95, 100]
