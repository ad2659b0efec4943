"""The simulated network: what it may do to messages and proposers, and that every round ends."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import islice

import pytest

from toy_paxos.acceptor import Acceptor
from toy_paxos.actor_registry import ActorRegistry
from toy_paxos.checking.broken import ForgetsAll
from toy_paxos.event import (
    AcceptorCrash,
    Adoption,
    Attempt,
    Crash,
    Delivery,
    Event,
    Fate,
    Learned,
    Quorum,
    TimedOut,
)
from toy_paxos.message import Accept, Fail, Message, Prepare, Promise, Proposal, Timeout
from toy_paxos.message_like import AnswerError
from toy_paxos.proposer import Proposer
from toy_paxos.round import Facts
from toy_paxos.settings import Network, Settings
from toy_paxos.simulation.network import MAX_DELAY_MS, MIN_DELAY_MS, Simulation
from toy_paxos.simulation.rounds import Dice, play_rounds
from toy_paxos.story import Configuration


class LoadedDice(Dice):
    """Dice of which some always show the same: one for each purpose that is named."""

    def __init__(self, **always: float) -> None:
        super().__init__(seed=1, chapter=1)
        self.always = always

    def __missing__(self, name: tuple[str, ...]) -> Callable[[], float]:
        if name[0] in self.always:
            return lambda: self.always[name[0]]
        return super().__missing__(name)


def simulate(network: Network, num_acceptors: int = 3, dice: Dice | None = None) -> list[Event]:
    """One round of healthy acceptors."""
    actors = ActorRegistry()
    configuration = Configuration.of(network.num_proposers, num_acceptors)
    for name in configuration.acceptors:
        actors.register(Acceptor(name))
    wishes = dict(zip(configuration.proposers, "xyz", strict=False))
    for id, (name, value) in enumerate(wishes.items(), start=1):
        actors.register(Proposer(name, value, configuration.acceptors, id, len(wishes)))
    dice = Dice(seed=1, chapter=1) if dice is None else dice
    return Simulation(configuration, actors, wishes, network, dice).run()


def deliveries(events: Iterable[Event], type: str | None = None) -> list[Delivery]:
    """What became of the messages, perhaps of one type only."""
    found = [event for event in events if isinstance(event, Delivery)]
    return [delivery for delivery in found if type in (None, delivery.message.type)]


def kinds(events: Iterable[Event], *wanted: type[Event]) -> list[Event]:
    """The events of some kinds."""
    return [event for event in events if isinstance(event, wanted)]


def test_without_faults_one_proposer_learns_its_value_at_the_first_attempt() -> None:
    events = simulate(Network())
    assert kinds(events, Learned) == [Learned(kinds(events, Learned)[0].time, "proposer-0", "x")]
    assert {delivery.fate for delivery in deliveries(events)} == {Fate.DELIVERED}
    assert not kinds(events, TimedOut, Attempt, Crash)


def test_events_come_in_the_order_of_time() -> None:
    times = [event.time for event in simulate(Network(3, message_loss_prob=0.3), num_acceptors=5)]
    assert times == sorted(times)


def test_every_message_takes_its_time_and_some_overtake_others() -> None:
    sent = deliveries(simulate(Network(), num_acceptors=50), "PREPARE")
    assert all(MIN_DELAY_MS <= delivery.time < MAX_DELAY_MS for delivery in sent)
    recipients = [delivery.message.recipient for delivery in sent]
    assert recipients != sorted(recipients, key=lambda name: int(name.removeprefix("acceptor-")))


def test_one_more_message_on_one_link_does_not_change_the_delays_on_another() -> None:
    few = deliveries(simulate(Network(), num_acceptors=3), "PREPARE")
    many = deliveries(simulate(Network(), num_acceptors=4), "PREPARE")
    arrivals = {delivery.message.recipient: delivery.time for delivery in many}
    assert {delivery.message.recipient: delivery.time for delivery in few}.items() < arrivals.items()


def test_loss_does_not_change_the_delays_of_what_arrives() -> None:
    def first_arrivals(network: Network) -> dict[str, float]:
        sent = deliveries(simulate(network, num_acceptors=9), "PREPARE")[:9]
        return {d.message.recipient: d.time for d in sent if d.fate is Fate.DELIVERED}

    assert 0 < len(first_arrivals(Network(message_loss_prob=0.5))) < 9
    assert first_arrivals(Network(message_loss_prob=0.5)).items() < first_arrivals(Network()).items()


def test_a_lost_message_is_known_when_it_is_sent_and_is_not_received() -> None:
    events = simulate(Network(message_loss_prob=1, max_attempts=1))
    assert [(d.time, d.fate, d.message.type) for d in deliveries(events)] == [(0, Fate.LOST, "PREPARE")] * 3


def test_a_duplicate_is_the_later_of_two_copies() -> None:
    events = simulate(Network(message_duplication_prob=1))
    prepares = deliveries(events, "PREPARE")
    assert len(prepares) == 6
    for at in range(3):
        copies = [d for d in prepares if d.message.recipient == f"acceptor-{at}"]
        assert [copy.fate for copy in copies] == [Fate.DELIVERED, Fate.DUPLICATE]


def test_a_proposer_may_crash_in_the_middle_of_a_broadcast() -> None:
    lots = iter([0.9, 0.9, 0.0])
    dice = Dice(seed=1, chapter=1)
    dice["crash", "proposer-0"] = lambda: next(lots)
    events = simulate(Network(proposer_failure_prob=0.5), dice=dice)
    assert kinds(events, Crash) == [Crash(0.0, "proposer-0", "PREPARE", "acceptor-2")]
    assert [d.message.recipient for d in deliveries(events, "PREPARE")].count("acceptor-2") == 0


def test_a_crashed_proposer_neither_times_out_nor_tries_again() -> None:
    lots = iter([0.9] * 3 + [0.0])
    dice = Dice(seed=1, chapter=1)
    dice["crash", "proposer-0"] = lambda: next(lots)
    events = simulate(Network(proposer_failure_prob=0.5), dice=dice)
    assert [event.unsent for event in events if isinstance(event, Crash)] == ["PROPOSE"]
    assert not kinds(events, TimedOut, Attempt)


def test_a_proposer_that_gave_up_says_nothing_more() -> None:
    # Two times 5.5 ms are more than it waits.
    events = simulate(Network(timeout=10, max_attempts=1), dice=LoadedDice(delay=0.5))
    assert kinds(events, TimedOut) == [TimedOut(10, "proposer-0", 1, 1, last=True)]
    assert len(deliveries(events, "PROMISE")) == 3
    assert not deliveries(events, "PROPOSE")


def test_a_proposer_that_gave_up_neither_proposes_nor_adopts_nor_has_a_quorum() -> None:
    network = Network(2, message_duplication_prob=0.5, timeout=8, backoff=5, max_attempts=2)
    gave_up = 0
    for finished in islice(play_rounds(Settings(3, 0.1, seed=2, network=network)), 200):
        done: set[str] = set()
        for event in finished.events:
            if isinstance(event, TimedOut) and event.last:
                done.add(event.proposer)
                gave_up += 1
            assert not isinstance(event, (Adoption, Quorum)) or event.proposer not in done
            assert not isinstance(event, Delivery) or event.message.recipient not in done or not event.answers
    assert gave_up > 10


def test_an_abandoned_attempt_has_no_quorum() -> None:
    network = Network(2, message_loss_prob=0.1, message_duplication_prob=0.4)
    abandoned = 0
    for finished in islice(play_rounds(Settings(3, 0.2, seed=1, network=network)), 200):
        ended: set[tuple[str, int]] = set()
        for event in finished.events:
            if isinstance(event, Delivery):
                terminates = [m for m in event.answers if m.type == "TERMINATE"]
                ended |= {(m.sender, m.id) for m in terminates}
                abandoned += bool(terminates)
            assert not isinstance(event, Quorum) or (event.proposer, event.id) not in ended
    assert abandoned > 10


def test_a_message_to_a_crashed_proposer_is_lost_even_if_it_is_late() -> None:
    for seed in range(20):
        network = Network(2, proposer_failure_prob=0.1, timeout=5)
        for finished in islice(play_rounds(Settings(3, 0, seed=seed, network=network)), 20):
            crashed: set[str] = set()
            for event in finished.events:
                if isinstance(event, Crash):
                    crashed.add(event.proposer)
                if isinstance(event, Delivery) and event.message.recipient in crashed:
                    assert event.fate is Fate.LOST


class Speechless(Proposer):
    def prepare(self) -> list[Message]:
        return []


class Patient(Proposer):
    """It tries again at every second timeout only."""

    timeouts = 0

    def receive(self, message: Message) -> list[Message]:
        self.timeouts += isinstance(message, Timeout)
        return [] if isinstance(message, Timeout) and self.timeouts % 2 else super().receive(message)


def with_actors(proposer: type[Proposer], acceptor: type[Acceptor] = Acceptor) -> Simulation:
    """Return a round of one proposer and two acceptors of these classes, in which nothing fails."""
    actors = ActorRegistry()
    names = ["acceptor-0", "acceptor-1"]
    actors.register(proposer("proposer-0", "x", names))
    for name in names:
        actors.register(acceptor(name))
    network = Network(max_attempts=3, timeout=0.5, backoff=0)
    return Simulation(Configuration.of(1, 2), actors, {"proposer-0": "x"}, network, Dice(seed=1, chapter=1))


@pytest.mark.parametrize("proposer", [Speechless, Patient])
def test_a_proposer_that_says_nothing_times_out_all_the_same(proposer: type[Proposer]) -> None:
    events = with_actors(proposer).run()
    timed_out = [event for event in events if isinstance(event, TimedOut)]
    assert [(event.attempt, event.last) for event in timed_out] == [(1, False), (2, False), (3, True)]
    assert any(isinstance(event, Delivery) and isinstance(event.message, Timeout) for event in events)


class Gossips(Acceptor):
    """It tells the other acceptor what it promises."""

    def promise(self, request: Prepare) -> list[Message]:
        other = {"acceptor-0": "acceptor-1", "acceptor-1": "acceptor-0"}[self.name]
        return [*super().promise(request), Accept(self.name, other, request.id, "gossip")]


def test_messages_between_acceptors_are_messages() -> None:
    simulation = with_actors(Proposer, Gossips)
    events = simulation.run()
    assert simulation.facts.messages == Facts.of(events).messages


class Echoes(Acceptor):
    """It answers everything with a message to itself."""

    def receive(self, message: Message) -> list[Message]:
        return [*super().receive(message), Fail(self.name, self.name, message.id)]


def test_messages_without_end_are_an_error() -> None:
    with pytest.raises(AnswerError, match="there seems to be no end to the messages of a round"):
        with_actors(Proposer, Echoes).run()


def test_a_proposer_that_gave_up_may_still_learn() -> None:
    dice = LoadedDice(delay=0.5)
    for acceptor in ("acceptor-0", "acceptor-1"):
        # The promise is fast, and the accept so slow that it comes after the timeout.
        dice["delay", acceptor, "proposer-0"] = iter([0.0, 0.9]).__next__
    gave_up, learned = kinds(simulate(Network(timeout=14, max_attempts=1), dice=dice), TimedOut, Learned)
    assert isinstance(gave_up, TimedOut)
    assert gave_up.last
    assert isinstance(learned, Learned)


def test_a_stale_copy_is_stale() -> None:
    events = simulate(Network(timeout=5, backoff=0, max_attempts=5, message_duplication_prob=1))
    current = 1
    for event in events:
        if isinstance(event, Attempt):
            current = event.id
        if isinstance(event, Delivery) and event.message.recipient == "proposer-0":
            assert (event.fate is Fate.STALE) == (event.message.id != current)


def test_every_purpose_and_every_link_has_a_die_of_its_own() -> None:
    dice = Dice(seed=1, chapter=1)
    network = Network(2, message_loss_prob=0.1, message_duplication_prob=0.1, timeout=5)
    simulate(network, dice=dice)
    links = [(f"proposer-{p}", f"acceptor-{a}") for p in range(2) for a in range(3)]
    both_ways = [*links, *((b, a) for a, b in links)]
    expected = {(purpose, *link) for purpose in ("loss", "duplication", "delay") for link in both_ways}
    assert expected | {("backoff", "proposer-0"), ("backoff", "proposer-1")} == set(dice)


def test_messages_to_a_crashed_proposer_are_lost_and_it_never_acts_again() -> None:
    lots = iter([0.9, 0.9, 0.0])
    dice = Dice(seed=1, chapter=1)
    dice["crash", "proposer-0"] = lambda: next(lots)
    events = simulate(Network(proposer_failure_prob=0.5), dice=dice)
    assert [d.fate for d in deliveries(events, "PROMISE")] == [Fate.LOST, Fate.LOST]
    assert not kinds(events, TimedOut, Attempt, Learned)


def test_a_proposer_that_waits_too_long_pauses_and_tries_again_under_a_higher_number() -> None:
    dice = LoadedDice(backoff=0.5, loss=0.0)
    network = Network(message_loss_prob=0.5, timeout=20, backoff=8, max_attempts=3)
    events = kinds(simulate(network, dice=dice), TimedOut, Attempt)
    assert events == [
        TimedOut(20, "proposer-0", 1, 1, last=False),
        Attempt(24, "proposer-0", 2, 2),
        TimedOut(44, "proposer-0", 2, 2, last=False),
        Attempt(52, "proposer-0", 3, 3),
        TimedOut(72, "proposer-0", 3, 3, last=True),
    ]


def test_each_phase_has_the_whole_timeout() -> None:
    dice = LoadedDice(delay=0.5)
    assert not kinds(simulate(Network(timeout=12), dice=dice), TimedOut)
    assert kinds(simulate(Network(timeout=10), dice=dice), TimedOut)


def test_a_majority_that_comes_during_the_pause_still_counts() -> None:
    dice = LoadedDice(delay=0.5, backoff=0.9)
    events = simulate(Network(timeout=10, backoff=30), dice=dice)
    assert kinds(events, TimedOut)
    assert not kinds(events, Attempt)
    assert kinds(events, Learned)


def test_an_answer_to_an_earlier_attempt_is_stale() -> None:
    events = simulate(Network(timeout=5, backoff=0, max_attempts=5))
    stale = [delivery for delivery in deliveries(events) if delivery.fate is Fate.STALE]
    assert stale
    for delivery in stale:
        begun = [e.id for e in events if isinstance(e, Attempt) and e.time <= delivery.time]
        assert delivery.message.id < begun[-1]


def test_an_adoption_names_the_promise_that_carried_the_value() -> None:
    events = simulate(Network(num_proposers=2))
    (adoption,) = kinds(events, Adoption)
    assert isinstance(adoption, Adoption)
    reports = [
        (d.message.sender, d.message.accepted)
        for d in deliveries(events, "PROMISE")
        if isinstance(d.message, Promise) and d.message.accepted and d.time <= adoption.time
    ]
    assert (adoption.acceptor, Proposal(adoption.accepted_id, adoption.value)) in reports


def test_a_silent_acceptor_says_nothing_but_the_story_tells_its_denial() -> None:
    network = Network(num_proposers=2, failure_mode="silent")
    denied = [
        delivery
        for finished in islice(play_rounds(Settings(3, 0.3, 1, network=network)), 50)
        for delivery in deliveries(finished.events)
        if delivery.denial
    ]
    assert {delivery.denial for delivery in denied} == {"failed", "refused"}
    assert not any(delivery.answers for delivery in denied)
    for delivery in denied:
        if delivery.denial == "refused" and delivery.message.type == "PREPARE":
            assert delivery.promised
            assert delivery.promised >= delivery.message.id


def test_a_delivery_says_when_its_message_was_sent() -> None:
    answered: dict[str, float] = {}
    for delivery in deliveries(simulate(Network(num_proposers=2))):
        if delivery.message.type != "TIMEOUT":
            assert MIN_DELAY_MS <= delivery.time - delivery.sent < MAX_DELAY_MS
        answered |= dict.fromkeys(map(repr, delivery.answers), delivery.time)
        assert delivery.sent == answered.get(repr(delivery.message), delivery.sent)


def test_silent_rounds_have_no_fail() -> None:
    network = Network(num_proposers=2, failure_mode="silent")
    for finished in islice(play_rounds(Settings(3, 0.3, 1, network=network)), 50):
        assert not deliveries(finished.events, "FAIL")


@pytest.mark.parametrize("timeout", [0.1, 3, 1000])
@pytest.mark.parametrize("max_attempts", [1, 20])
def test_a_round_ends_even_if_nothing_ever_arrives(timeout: float, max_attempts: int) -> None:
    network = Network(2, message_loss_prob=1, timeout=timeout, max_attempts=max_attempts)
    events = simulate(network)
    assert [event.last for event in events if isinstance(event, TimedOut)].count(True) == 2
    assert len(kinds(events, Attempt)) == 2 * (max_attempts - 1)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("network", "failure_prob"),
    [(Network(num_proposers=2), 0.0), (Network(message_loss_prob=0.3, max_attempts=100), 0.0)],
)
def test_a_value_is_learned_in_999_of_1000_rounds(network: Network, failure_prob: float) -> None:
    settings = Settings(5, failure_prob, 1, network=network)
    rounds = list(islice(play_rounds(settings), 2_000))
    assert sum(finished.facts.learned is not None for finished in rounds) >= 1_998


def test_a_direct_call_and_a_network_without_faults_say_the_same() -> None:
    settings = Settings(3, 0, seed=1, values=("x",))
    direct = deliveries(next(play_rounds(settings)).events)
    over_network = deliveries(next(play_rounds(replace(settings, network=Network()))).events)
    assert len(direct) == 12
    assert sorted(repr(d.message) for d in direct) == sorted(repr(d.message) for d in over_network)


# Acceptors that crash and restart


def test_a_crash_of_an_acceptor_loses_messages_on_their_way_and_not_its_memory() -> None:
    network = Network(2, acceptor_crash_prob=0.2)
    restarts = 0
    for finished in islice(play_rounds(Settings(3, 0, seed=1, network=network)), 100):
        crashed: dict[str, float] = {}
        down: set[str] = set()
        stored: dict[str, tuple[object, object]] = {}
        for event in finished.events:
            if isinstance(event, AcceptorCrash):
                crashed[event.acceptor] = event.time
                down.add(event.acceptor)
            if not isinstance(event, Delivery):
                continue
            name = event.message.recipient
            if event.message.type == "RESTART":
                restarts += 1
                down.remove(name)
                assert stored.get(name, (0, None)) == (event.promised, event.accepted)
            elif name in down or event.sent < crashed.get(name, 0):
                assert event.fate is Fate.LOST
            if event.promised is not None:
                stored[name] = event.promised, event.accepted
        assert not down
    assert restarts > 50


def test_an_acceptor_that_forgets_loses_safety_when_it_crashes() -> None:
    network = Network(2, acceptor_crash_prob=0.1)
    settings = Settings(3, 0.1, seed=1, network=network, acceptor=ForgetsAll)
    assert any(finished.facts.violation for finished in islice(play_rounds(settings), 50))


def test_restarts_are_no_messages() -> None:
    network = Network(2, acceptor_crash_prob=0.2)
    finished = next(play_rounds(Settings(3, 0, seed=1, network=network)))
    assert finished.messages == len(
        [d for d in deliveries(finished.events) if d.message.sender not in ("clock", "power")]
    )
