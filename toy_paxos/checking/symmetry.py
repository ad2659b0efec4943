"""Symmetry reduction: states that differ only in the names of the acceptors count as one state.

For example, these two states differ only in which acceptor has promised. Exchanging acceptor-0 and acceptor-2 turns one
into the other, so what can happen after one can happen after the other with the names exchanged:

    acceptor-0 has promised 1, and PROMISE 1 from acceptor-0 was said
    acceptor-2 has promised 1, and PROMISE 1 from acceptor-2 was said

The search keeps one *canonical* state of all that differ in this way. To find it, the acceptors are sorted by their
appearance: the acceptor's state, the messages that it sends or receives, and how the proposers' states mention it, each
without the names. Here acceptor-2 gets the same place in the second state as acceptor-0 in the first. If two acceptors
look the same and exchanging them changes nothing, either may come first; otherwise all their orders are tried.

This is sound only if the actors treat all acceptors alike, which is tested after the search, step by step. If they do
not, the search starts again without the reduction.
"""

from collections import defaultdict
from itertools import count, islice, pairwise, permutations, product

from toy_paxos import snapshot
from toy_paxos.checking.cluster import Cluster, State, Step, cached_method, numbers

Order = tuple[int, ...]
"""A permutation of the acceptors: the one at ``order[n]`` becomes acceptor ``n``."""


class Symmetry:
    """The canonical states of a cluster, and the test that names make no difference."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.positions = range(cluster.first_acceptor, len(cluster.actors))
        self.acceptors = cluster.names[cluster.first_acceptor :]
        self.identity: Order = tuple(range(len(self.acceptors)))
        # A number for each part of an appearance.
        self.parts: dict[object, int] = defaultdict(count().__next__)

    def broken(self) -> str | None:
        """Return why the names of the acceptors made a difference in the steps so far, or None if they made none.

        If two neighbours exchange their names, each step must become a step with the renamed result. The comparison
        adds steps, and these are compared, too, until there are no new ones: only then do the exchanges of neighbours
        stand for all orders.
        """
        swaps = [self.swap(at, at + 1) for at in range(len(self.acceptors) - 1)]
        if any(self.rename(self.cluster.start, order) != self.cluster.start for order in swaps):
            return "the proposers begin with some acceptors only"
        if any(getattr(message, "value", None) in self.acceptors for message in self.cluster.messages):
            return "a value is the name of an acceptor"
        compared = 0
        while new := list(islice(self.cluster.steps.items(), compared, None)):
            compared += len(new)
            for step, result in new:
                if not all(self.is_the_same(order, step, result) for order in swaps):
                    return self.because(step, result)
        return None

    def because(self, step: tuple[int, int, int], result: Step) -> str:
        """Return why the result of a step depends on names."""
        position, state, _ = step
        texts = [
            text for each in (state, result[0]) for text in snapshot.texts(tuple(self.cluster.states[each].items()))
        ]
        for text in texts:
            for name in self.acceptors:
                if name in text and name != text:
                    return f"{text!r} contains the name of {name}"
        return f"{self.cluster.names[position]} does not treat all acceptors alike"

    def is_the_same(self, order: Order, step: tuple[int, int, int], result: Step) -> bool:
        """Return whether the renamed step has the renamed result."""
        (position, state, number), (after, said) = step, result
        first = self.cluster.first_acceptor
        renamed = position if position < first else first + order.index(position - first)
        after_renamed = self.rename_state(order, after)
        step = renamed, self.rename_state(order, state), self.rename_message(order, number)
        if self.cluster.step(*step) != (after_renamed, self.rename_set(order, said)):
            return False
        # `learned` may be computed, so comparing the attributes is not enough.
        return position >= first or self.cluster.learned(position, after) == self.cluster.learned(
            position, after_renamed
        )

    def swap(self, a: int, b: int) -> Order:
        """Return the order in which two acceptors are exchanged."""
        order = list(self.identity)
        order[a], order[b] = b, a
        return tuple(order)

    def canonical(self, state: State) -> tuple[State, Order]:
        """Return the canonical state, and the order of acceptors that leads to it."""
        appearances = [(self.appearance(state, position), at) for at, position in enumerate(self.positions)]
        appearances.sort()
        order = tuple(at for _, at in appearances)
        if all(
            one != other or self.rename(state, self.swap(a, b)) == state
            for (one, a), (other, b) in pairwise(appearances)
        ):
            return self.rename(state, order), order
        groups: dict[object, list[int]] = {}
        for appearance, at in appearances:
            groups.setdefault(appearance, []).append(at)
        orders = product(*(permutations(group) for group in groups.values()))
        return min((self.rename(state, order), order) for order in (sum(parts, ()) for parts in orders))

    def appearance(self, state: State, position: int) -> tuple[int, ...]:
        """Return the appearance of an acceptor, which does not depend on names."""
        actors, said, pending, _ = state
        involving = self.cluster.involving[position]
        proposers = actors[: self.cluster.first_acceptor]
        return self.seen(position, actors[position], said & involving, pending & involving, proposers)

    @cached_method
    def seen(self, position: int, actor: int, said: int, pending: int, proposers: tuple[int, ...]) -> tuple[int, ...]:
        """Return numbers for an acceptor's state, its messages, and the states of the proposers, without names."""
        return (
            self.anonymous_state(position, actor),
            self.anonymous_set(position, said),
            self.anonymous_set(position, pending),
            *(self.anonymous_state(position, proposer) for proposer in proposers),
        )

    @cached_method
    def anonymous_set(self, position: int, messages: int) -> int:
        """Return a number for some messages in which the names of this acceptor and of the others are replaced."""
        names = self.anonymous(position)
        renamed = [snapshot.rename(self.cluster.message_snapshots[number], names) for number in numbers(messages)]
        return self.parts[snapshot.unordered(renamed)]

    @cached_method
    def anonymous_state(self, position: int, state: int) -> int:
        """Return a number for a state in which the names of this acceptor and of the others are replaced."""
        return self.parts[self.renamed(state, self.anonymous(position))]

    def anonymous(self, position: int) -> dict[str, str]:
        """Return new names that distinguish one acceptor from the others, and nothing else."""
        return dict.fromkeys(self.acceptors, "another") | {self.cluster.names[position]: "this one"}

    def renamed(self, state: int, names: dict[str, str]) -> tuple[tuple[str, snapshot.Snapshot], ...]:
        """Return the changed attributes of an actor, with other names in them."""
        changed = self.cluster.states[state]
        return tuple((name, snapshot.rename(value, names)) for name, value in changed.items())

    def rename(self, state: State, order: Order) -> State:
        """Return the state with the acceptors in another order."""
        if order == self.identity:
            return state
        actors, said, pending, chosen = state
        first = self.cluster.first_acceptor
        inverse = [*actors[:first], *(actors[first + at] for at in order)]
        renamed = tuple([self.rename_state(order, actor) for actor in inverse])
        return State(renamed, self.rename_set(order, said), self.rename_set(order, pending), chosen)

    @cached_method
    def rename_state(self, order: Order, state: int) -> int:
        """Return the state of an actor with the acceptors renamed."""
        return self.cluster.number_of_state(dict(self.renamed(state, self.cluster.names_in(order))))

    @cached_method
    def rename_message(self, order: Order, number: int) -> int:
        """Return the message with the acceptors renamed."""
        message = self.cluster.renamed_message(self.cluster.messages[number], self.cluster.names_in(order))
        return self.cluster.number_of_message(message)

    def rename_set(self, order: Order, messages: int) -> int:
        """Return the set of messages with the acceptors renamed."""
        renamed = shift = 0
        while messages:
            # Twelve messages at a time, so that the cache stays small.
            renamed |= self.rename_part(order, shift, messages & 0xFFF)
            messages >>= 12
            shift += 12
        return renamed

    @cached_method
    def rename_part(self, order: Order, shift: int, part: int) -> int:
        """Return the set of some messages, which are numbered from ``shift``, with the acceptors renamed."""
        return sum(1 << self.rename_message(order, shift + number) for number in numbers(part))
