"""Every step of the actors is one of the four actions of Lamport's specification of Paxos, or changes nothing.

The specification (Lamport, *Paxos* in TLA+) has the variables maxBal, maxVBal and maxVal of each acceptor, and
msgs, the set of all messages sent. Its actions are Phase1a, Phase1b, Phase2a and Phase2b. Here they are functions
from what is seen of a cluster before a step to what has to be seen after it. FAIL, TERMINATE, TIMEOUT and RESTART
are not in the specification, so they may change nothing of this.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import combinations
from random import Random
from typing import Any

import pytest

from toy_paxos.acceptor import Acceptor
from toy_paxos.checking import CHANGED_RULES, Model
from toy_paxos.checking.cluster import Cluster, State, numbers
from toy_paxos.message import Accept, Message, Prepare, Promise, Propose

Msgs = frozenset[tuple[Any, ...]]


@dataclass(frozen=True)
class Spec:
    """A state of the specification; -1 and None are what the acceptors begin with."""

    max_bal: Mapping[str, int]
    max_vbal: Mapping[str, int]
    max_val: Mapping[str, str | None]
    msgs: Msgs


def letter(message: Message) -> tuple[Any, ...] | None:
    """A message as the specification writes it, for all to read: 1a and 2a have no recipient."""
    match message:
        case Prepare(id=b):
            return "1a", b
        case Promise(sender=a, id=b, accepted=None):
            return "1b", a, b, -1, None
        case Promise(sender=a, id=b, accepted=(mb, mv)):
            return "1b", a, b, mb, mv
        case Propose(id=b, value=v):
            return "2a", b, v
        case Accept(sender=a, id=b, value=v):
            return "2b", a, b, v
    return None


def phase_1a(s: Spec, b: int) -> Spec:
    """Anybody may ask for promises under any number."""
    return replace(s, msgs=s.msgs | {("1a", b)})


def phase_1b(s: Spec, a: str) -> Iterator[Spec]:
    """An acceptor promises a number higher than all before, and says what it accepted last."""
    for m in s.msgs:
        if m[0] == "1a" and m[1] > s.max_bal[a]:
            said = ("1b", a, m[1], s.max_vbal[a], s.max_val[a])
            yield replace(s, max_bal={**s.max_bal, a: m[1]}, msgs=s.msgs | {said})


def phase_2a(s: Spec, b: int, v: str) -> Iterator[Spec]:
    """One value for each number: any, or that of the highest-numbered proposal which a quorum reports."""
    if any(m[:2] == ("2a", b) for m in s.msgs):
        return
    for quorum in combinations(s.max_bal, len(s.max_bal) // 2 + 1):
        q1b = [m for m in s.msgs if m[0] == "1b" and m[1] in quorum and m[2] == b]
        q1bv = [m for m in q1b if m[3] >= 0]
        is_safe = not q1bv or any(m[4] == v and m[3] == max(mm[3] for mm in q1bv) for m in q1bv)
        if {m[1] for m in q1b} == {*quorum} and is_safe:
            yield replace(s, msgs=s.msgs | {("2a", b, v)})


def phase_2b(s: Spec, a: str) -> Iterator[Spec]:
    """An acceptor accepts what is proposed under a number not below its promise; ours wants it to be equal."""
    for m in s.msgs:
        if m[0] == "2a" and m[1] >= s.max_bal[a]:
            yield Spec(
                {**s.max_bal, a: m[1]},
                {**s.max_vbal, a: m[1]},
                {**s.max_val, a: m[2]},
                s.msgs | {("2b", a, m[1], m[2])},
            )


def is_a_step(before: Spec, after: Spec) -> bool:
    """Whether the specification allows this step, or nothing has changed that it speaks of."""
    if after == before:
        return True
    new = after.msgs - before.msgs
    return (
        any(after == phase_1a(before, m[1]) for m in new if m[0] == "1a")
        or any(after == s for m in new if m[0] == "2a" for s in phase_2a(before, m[1], m[2]))
        or any(after == s for a in before.max_bal for s in (*phase_1b(before, a), *phase_2b(before, a)))
    )


def seen(cluster: Cluster, state: State) -> Spec:
    """What the specification sees of a state."""
    acceptors: list[Any] = [
        cluster.restore(position, state.actors[position])
        for position in range(cluster.first_acceptor, len(cluster.actors))
    ]
    letters = (letter(cluster.messages[number]) for number in numbers(state.said))
    return Spec(
        {a.name: a.promised or -1 for a in acceptors},
        {a.name: a.accepted.id if a.accepted else -1 for a in acceptors},
        {a.name: a.accepted.value if a.accepted else None for a in acceptors},
        frozenset(filter(None, letters)),
    )


def steps(cluster: Cluster, state: State) -> Iterator[State]:
    """Every state that one delivery can lead to."""
    for position, actor in enumerate(state.actors):
        for number in cluster.effective(position, actor, state.said | state.pending):
            after, said = cluster.step(position, actor, number)
            if after != actor or said & ~state.said:
                actors = (*state.actors[:position], after, *state.actors[position + 1 :])
                yield State(actors, state.said | said, state.pending & ~(1 << number), 0)


def explore(model: Model) -> int:
    """Visit every state, names and all, and look at every step; return the number of states."""
    cluster = Cluster(model)
    states = {cluster.start: seen(cluster, cluster.start)}
    for state in (queue := [cluster.start]):
        for after in steps(cluster, state):
            if after not in states:
                states[after] = seen(cluster, after)
                queue.append(after)
            assert is_a_step(states[state], states[after])
    return len(states)


def wander(model: Model, seed: int, deliveries: int) -> None:
    """Go some way through the states, as chance has it, and look at every step."""
    cluster, random = Cluster(model), Random(seed)
    state = cluster.start
    for _ in range(deliveries):
        possible = list(steps(cluster, state))
        if not possible:
            return
        after = random.choice(possible)
        assert is_a_step(seen(cluster, state), seen(cluster, after))
        state = after


def test_every_step_of_two_proposers_and_three_acceptors_is_lamports() -> None:
    assert explore(Model(3, 2)) == 5_473


@pytest.mark.parametrize("seed", range(60))
def test_every_step_of_larger_clusters_is_lamports(seed: int) -> None:
    wander(Model(5, 3, max_attempts=3, fail=True), seed, 60)


@pytest.mark.parametrize("name", ["accepts-below", "lowers-promise", "ignores-accepted", "forgets-all"])
def test_with_a_rule_changed_some_step_is_not(name: str) -> None:
    with pytest.raises(AssertionError):
        explore(replace(CHANGED_RULES[name].model, num_acceptors=1))


def test_what_accepts_any_number_not_below_its_promise_is_lamports_too() -> None:
    explore(CHANGED_RULES["accepts-above"].model)
    assert issubclass(CHANGED_RULES["accepts-above"].changed, Acceptor)
