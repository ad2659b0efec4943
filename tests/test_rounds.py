"""Who takes part in a round, and that a round depends on nothing but its number."""

from itertools import islice

import pytest

from toy_paxos.actor_registry import registry
from toy_paxos.checking import CHANGED_RULES
from toy_paxos.event import Delivery, Violation
from toy_paxos.round import Facts, Outcome
from toy_paxos.settings import EMOJI, Network, Settings
from toy_paxos.simulation.rounds import CHAPTER, Dice, play_rounds


def test_proposals_are_the_79_emoji_of_the_original() -> None:
    assert (EMOJI[0], EMOJI[-1], len(EMOJI)) == ("\U0001f601", "\U0001f64f", 79)
    settings = Settings(1, 0, seed=1)
    wanted = {finished.wishes["proposer-0"] for finished in islice(play_rounds(settings), 2_000)}
    assert wanted == set(EMOJI)


def test_each_round_has_new_actors_in_the_one_registry() -> None:
    rounds = play_rounds(Settings(3, 0, seed=1))
    first = next(rounds)
    acceptor = registry["acceptor-0"]
    second = next(rounds)
    assert sorted(registry) == ["acceptor-0", "acceptor-1", "acceptor-2", "proposer-0"]
    assert registry["acceptor-0"] is not acceptor
    assert (first.number, second.number) == (1, 2)


def test_rounds_can_begin_anywhere() -> None:
    settings = Settings(3, 0.3, seed=1)
    all_rounds = [finished.events for finished in islice(play_rounds(settings), 3 * CHAPTER)]
    for first in (1, 2, CHAPTER, CHAPTER + 1, 2 * CHAPTER + 50):
        finished = next(play_rounds(settings, first))
        assert finished.number == first
        assert finished.events == all_rounds[first - 1]


def test_rounds_over_the_network_can_begin_anywhere() -> None:
    network = Network(num_proposers=2, message_loss_prob=0.2, message_duplication_prob=0.2)
    settings = Settings(3, 0.2, seed=1, network=network)
    all_rounds = [finished.events for finished in islice(play_rounds(settings), 120)]
    for first in (1, 2, 100, 101, 120):
        finished = next(play_rounds(settings, first))
        assert (finished.number, finished.events) == (first, all_rounds[first - 1])


def test_a_die_does_not_depend_on_other_dice() -> None:
    alone, together = Dice(seed=1, chapter=1), Dice(seed=1, chapter=1)
    for _ in range(10):
        together["delay", "a", "b"]()
    assert alone["delay", "a", "c"]() == together["delay", "a", "c"]()
    assert alone["delay", "a", "b"]() != alone["delay", "a", "c"]()


@pytest.mark.parametrize("num_proposers", [1, 2, 79])
def test_proposers_want_different_values(num_proposers: int) -> None:
    network = Network(num_proposers)
    finished = next(play_rounds(Settings(1, 0, seed=1, network=network)))
    assert len(set(finished.wishes.values())) == num_proposers


def test_an_emoji_that_was_given_is_not_drawn_again() -> None:
    network = Network(79)
    finished = next(play_rounds(Settings(1, 0, 1, (EMOJI[0],), network)))
    assert len(set(finished.wishes.values())) == 79


def test_given_values_go_to_the_proposers_in_turn_and_the_rest_want_emoji() -> None:
    network = Network(num_proposers=3)
    finished = next(play_rounds(Settings(1, 0, 1, ("x", "y"), network)))
    first, second, third = finished.wishes.values()
    assert (first, second) == ("x", "y")
    assert third in EMOJI


def test_a_given_value_serves_direct_calls_too() -> None:
    assert next(play_rounds(Settings(3, 0, 1, ("x",)))).value == "x"


def test_no_two_proposers_ever_use_the_same_number() -> None:
    network = Network(num_proposers=3, message_loss_prob=0.5)
    used: dict[int, str] = {}
    for finished in islice(play_rounds(Settings(3, 0.2, 1, network=network)), 1):
        for event in finished.events:
            message = getattr(event, "message", None)
            if message and message.type in ("PREPARE", "PROPOSE"):
                assert used.setdefault(message.id, message.sender) == message.sender
    assert len(used) > 3


ROUGH = Network(
    num_proposers=3,
    message_loss_prob=0.1,
    message_duplication_prob=0.1,
    proposer_failure_prob=0.01,
    acceptor_crash_prob=0.02,
    max_attempts=3,
)


def test_a_round_over_the_network_is_the_same_told_while_it_is_played_or_afterwards() -> None:
    settings = Settings(3, 0.2, seed=1, network=ROUGH)
    for aloud, afterwards in zip(play_rounds(settings), islice(play_rounds(settings, told=False), 120), strict=False):
        assert (aloud.number, aloud.wishes, aloud.outcome, aloud.messages, aloud.facts) == (
            afterwards.number,
            afterwards.wishes,
            afterwards.outcome,
            afterwards.messages,
            afterwards.facts,
        )
        if afterwards.number % 7 == 0:
            assert aloud.events == afterwards.events


def test_safety_is_watched_whether_or_not_a_round_is_told() -> None:
    proposer = CHANGED_RULES["ignores-accepted"].model.proposer
    settings = Settings(3, 0.1, seed=1, network=Network(2, message_loss_prob=0.1), proposer=proposer)
    rounds = islice(play_rounds(settings, told=False), 40)
    violated = [finished for finished in rounds if finished.outcome is Outcome.VIOLATED]
    assert len(violated) > 10
    for finished in violated:
        assert finished.facts.violation
        assert finished.events[-1] == finished.facts.violation
        assert sum(isinstance(event, Violation) for event in finished.events) == 1
        assert finished.facts == Facts.of(finished.events)


def test_the_facts_of_a_round_are_those_of_its_events() -> None:
    for finished in islice(play_rounds(Settings(3, 0.2, seed=2, network=ROUGH)), 200):
        assert finished.facts == Facts.of(finished.events)


def test_to_tell_a_round_again_disturbs_no_later_round() -> None:
    settings = Settings(3, 0.2, seed=1, network=ROUGH)
    undisturbed = [finished.events for finished in islice(play_rounds(settings), 5)]
    disturbed = []
    for finished in islice(play_rounds(settings, told=False), 5):
        assert finished.events == finished.tell(finished.wishes)
        disturbed.append(finished.events)
    assert disturbed == undisturbed


def test_told_or_not_a_failure_with_probability_1_is_one() -> None:
    (finished,) = islice(play_rounds(Settings(3, 1, seed=1)), 1)
    assert [event.denial for event in finished.events if isinstance(event, Delivery)][:3] == ["failed"] * 3
