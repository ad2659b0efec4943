"""The property cache: its results are those of the watch, which sees all messages."""

import random

import pytest
from wrong_actors import by_chance

from toy_paxos.acceptor import Acceptor
from toy_paxos.checking import Model
from toy_paxos.checking.cluster import Cluster, State, numbers
from toy_paxos.checking.game import story
from toy_paxos.checking.property_cache import PropertyCache
from toy_paxos.event import Violation
from toy_paxos.message import Accept, Message, Prepare, Promise, Proposal, Propose
from toy_paxos.proposer import Proposer
from toy_paxos.safety import LEARNED_CHOSEN, ONE_VALUE, PROMISES_RISE, Property


class HoldsBack(Acceptor):
    """It says its first promise together with the next answer, and the higher number first."""

    held: tuple[str, int] | None = None

    def receive(self, message: Message) -> list[Message]:
        is_first = isinstance(message, Prepare) and not self.promised
        held, self.held = self.held, (message.sender, message.id) if is_first else None
        answers = super().receive(message)
        return [] if is_first else answers + ([Promise(self.name, *held, None)] if held else [])


def walk(seed: int, acceptor: type[Acceptor] | None = None) -> tuple[Property | None, Violation | None, int]:
    """What property cache and watch say first of an execution of wrong actors, all by chance; and its length."""
    by_dice, proposer = by_chance(seed)
    model = Model(2, 2, 2, acceptor or by_dice, Proposer if acceptor else proposer, fail=True)
    cluster, draw = Cluster(model), random.Random(seed)
    property_cache, state = PropertyCache(cluster), cluster.start
    execution: list[Message] = []
    lost = None
    while not lost and len(execution) < 40:
        number = draw.choice(list(numbers(state.said | state.pending)))
        execution.append(cluster.messages[number])
        position = cluster.positions[cluster.messages[number].recipient]
        actor, said = cluster.step(position, state.actors[position], number)
        actors = (*state.actors[:position], actor, *state.actors[position + 1 :])
        chosen = property_cache.chosen(state.chosen, state.said | said, said)
        after = State(actors, state.said | said, state.pending & ~(1 << number), chosen)
        lost = property_cache.lost(state, after, said)
        state = after
    first = next((event for event in story(model, execution).events if isinstance(event, Violation)), None)
    return lost, first, len(execution)


@pytest.mark.parametrize("seed", range(200))
def test_the_property_cache_and_the_watch_agree_about_faulty_actors(seed: int) -> None:
    lost, first, length = walk(seed)
    assert (first and first.property) == (lost and lost.name)
    assert first is None or first.time == length


@pytest.mark.parametrize("seed", range(10))
def test_what_an_actor_says_at_once_has_no_order(seed: int) -> None:
    lost, first, _ = walk(seed, HoldsBack)
    assert (lost, first) == (None, None)


def test_random_actors_are_faulty_in_many_ways() -> None:
    # Else to agree about them would be easy.
    assert {lost for lost, _, _ in map(walk, range(200))} >= {None, ONE_VALUE, LEARNED_CHOSEN, PROMISES_RISE}


def test_only_new_acceptances_make_a_proposal_chosen() -> None:
    cluster = Cluster(Model(1, 1))
    property_cache = PropertyCache(cluster)
    bits = cluster.bits([Accept("acceptor-0", "proposer-0", 1, "x"), Accept("acceptor-0", "proposer-0", 2, "x")])
    first, second = (1 << number for number in numbers(bits))
    assert property_cache.choices[property_cache.chosen(0, bits, first)] == (Proposal(1, "x"),)
    assert property_cache.choices[property_cache.chosen(0, bits, second)] == (Proposal(2, "x"),)
    assert property_cache.chosen(0, bits, 0) == 0


def test_a_promise_is_compared_with_the_highest_before_it_in_any_order_of_numbers() -> None:
    cluster = Cluster(Model(1, 1))
    property_cache = PropertyCache(cluster)
    three, one, two = (
        1 << cluster.number_of_message(Promise("acceptor-0", "proposer-0", id, None)) for id in (3, 1, 2)
    )
    before = cluster.start._replace(said=three | one)
    after = cluster.start._replace(said=three | one | two)
    assert property_cache.lost(before, after, two) == PROMISES_RISE


def test_messages_are_found_by_their_kind() -> None:
    cluster = Cluster(Model(1, 1))
    property_cache = PropertyCache(cluster)
    promise = Promise("acceptor-0", "proposer-0", 1, None)
    propose = Propose("proposer-0", "acceptor-0", 1, "x")
    bits = cluster.bits([promise, propose])
    assert list(property_cache.all_of(Promise, bits)) == [promise]
    assert property_cache.issued(bits) == {Proposal(1, "x")}
