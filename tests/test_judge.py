"""The judge: what properties get to see of a delivery is what a record of all that was said would show them."""

import random

import pytest
from wrong_actors import by_chance

from toy_paxos.checking import Model
from toy_paxos.checking.cluster import Cluster, numbers
from toy_paxos.checking.game import story
from toy_paxos.checking.judge import Judge
from toy_paxos.event import Violation
from toy_paxos.message import Accept, Message, Promise, Proposal, Propose
from toy_paxos.safety import LEARNED_CHOSEN, ONE_VALUE, PROMISES_RISE, Property


def walk(seed: int) -> tuple[Property | None, Violation | None, int]:
    """What judge and watch say first of an execution of wrong actors, all by chance; and its length."""
    acceptor, proposer = by_chance(seed)
    model = Model(2, 2, 2, acceptor, proposer, fail=True)
    cluster, draw = Cluster(model), random.Random(seed)
    judge, state = Judge(cluster), cluster.start
    execution: list[Message] = []
    lost = None
    while not lost and len(execution) < 40:
        number = draw.choice(list(numbers(state[-3] | state[-2])))
        execution.append(cluster.messages[number])
        position = cluster.positions[cluster.messages[number].recipient]
        actor, said = cluster.step(position, state[position], number)
        chosen = judge.chosen(state[-1], state[-3] | said, said)
        after = (
            *state[:position],
            actor,
            *state[position + 1 : -3],
            state[-3] | said,
            state[-2] & ~(1 << number),
            chosen,
        )
        lost = judge.lost(state, after, said)
        state = after
    first = next((event for event in story(model, execution) if isinstance(event, Violation)), None)
    return lost, first, len(execution)


@pytest.mark.parametrize("seed", range(200))
def test_the_judge_of_a_search_and_the_watch_over_a_run_agree_about_wrong_actors(seed: int) -> None:
    lost, first, length = walk(seed)
    assert (first and first.property) == (lost and lost.name)
    assert first is None or first.time == length


def test_actors_by_chance_are_wrong_in_many_ways() -> None:
    # Else to agree about them would be easy.
    assert {lost for lost, _, _ in map(walk, range(200))} >= {None, ONE_VALUE, LEARNED_CHOSEN, PROMISES_RISE}


def test_only_what_is_said_now_makes_a_proposal_chosen() -> None:
    cluster = Cluster(Model(1, 1))
    judge = Judge(cluster)
    bits = cluster.bits([Accept("acceptor-0", "proposer-0", 1, "x"), Accept("acceptor-0", "proposer-0", 2, "x")])
    first, second = (1 << number for number in numbers(bits))
    assert judge.choices[judge.chosen(0, bits, first)] == (Proposal(1, "x"),)
    assert judge.choices[judge.chosen(0, bits, second)] == (Proposal(2, "x"),)
    assert judge.chosen(0, bits, 0) == 0


def test_messages_are_found_by_their_kind() -> None:
    cluster = Cluster(Model(1, 1))
    judge = Judge(cluster)
    promise = Promise("acceptor-0", "proposer-0", 1, None)
    propose = Propose("proposer-0", "acceptor-0", 1, "x")
    bits = cluster.bits([promise, propose])
    assert list(judge.all_of(Promise, bits)) == [promise]
    assert judge.issued(bits) == {Proposal(1, "x")}
