"""States that are one but for the names of the acceptors, and whether names make a difference at all."""

from itertools import islice, pairwise, permutations, product

from toy_paxos.checking import snapshot
from toy_paxos.checking.cluster import Cluster, State, Step, numbers

Order = tuple[int, ...]
"""A way to rename the acceptors: the one at ``order[n]`` becomes acceptor ``n``."""


class Symmetry:
    """Which states are one but for the names of the acceptors: of each kind, one is canonical.

    Acceptors are put in the order of what can be seen of each without its name: its own state, the messages
    it is involved in, and how the proposers see it. If two look the same and it makes no difference to
    exchange them, either may come first; else all their orders are tried.
    """

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.places = range(cluster.first_acceptor, len(cluster.actors))
        self.acceptors = cluster.names[cluster.first_acceptor :]
        self.as_they_are: Order = tuple(range(len(self.acceptors)))
        self.looks: dict[object, int] = {}
        self.known_looks: dict[tuple[int, ...], tuple[int, ...]] = {}
        self.views: dict[tuple[int, int], int] = {}
        self.mail: dict[tuple[int, int], int] = {}
        self.renamed_states: dict[tuple[Order, int], int] = {}
        self.renamed_messages: dict[tuple[Order, int], int] = {}
        self.renamed_sets: dict[tuple[Order, int, int], int] = {}

    def holds(self) -> bool:
        """Whether acceptors were alike in all that was tried: who is who made no difference.

        Two neighbours exchanging their names must lead from what is the same to what is the same. A step that
        this comparison adds is compared in its turn, until none is new; else what holds for two neighbours need
        not hold for two others.
        """
        swaps = [self.swap(at, at + 1) for at in range(len(self.acceptors) - 1)]
        if any(self.rename(self.cluster.start, order) != self.cluster.start for order in swaps):
            return False
        if any(getattr(message, "value", None) in self.acceptors for message in self.cluster.messages):
            return False
        compared = 0
        while new := list(islice(self.cluster.steps.items(), compared, None)):
            compared += len(new)
            if not all(self.is_the_same(order, step, result) for step, result in new for order in swaps):
                return False
        return True

    def is_the_same(self, order: Order, step: tuple[int, int, int], result: Step) -> bool:
        """Whether a step and its result, renamed, are a step and its result."""
        (position, state, number), (after, said) = step, result
        first = self.cluster.first_acceptor
        renamed = position if position < first else first + order.index(position - first)
        after_renamed = self.rename_state(order, after)
        step = renamed, self.rename_state(order, state), self.rename_message(order, number)
        if self.cluster.step(*step) != (after_renamed, self.rename_set(order, said)):
            return False
        # What a proposer has learned need not be one of the attributes that are renamed.
        return position >= first or self.cluster.learned(position, after) == self.cluster.learned(
            position, after_renamed
        )

    def swap(self, a: int, b: int) -> Order:
        """The order in which two acceptors have exchanged their places."""
        order = list(self.as_they_are)
        order[a], order[b] = b, a
        return tuple(order)

    def canonical(self, state: State) -> tuple[State, Order]:
        """The canonical state of its kind, and the order of acceptors that leads to it."""
        looks = [(self.look(state, place), at) for at, place in enumerate(self.places)]
        looks.sort()
        order = tuple(at for _, at in looks)
        if all(first != second or self.is_exchangeable(state, a, b) for (first, a), (second, b) in pairwise(looks)):
            return self.rename(state, order), order
        groups: dict[object, list[int]] = {}
        for look, at in looks:
            groups.setdefault(look, []).append(at)
        orders = product(*(permutations(group) for group in groups.values()))
        return min((self.rename(state, order), order) for order in (sum(parts, ()) for parts in orders))

    def look(self, state: State, place: int) -> tuple[int, ...]:
        """What can be seen of an acceptor, whatever its name."""
        *actors, said, pending, _ = state
        involving = self.cluster.involving[place]
        proposers = actors[: self.cluster.first_acceptor]
        key = place, actors[place], said & involving, pending & involving, *proposers
        if key not in self.known_looks:
            self.known_looks[key] = (
                self.view(place, actors[place]),
                self.letters(place, said & involving),
                self.letters(place, pending & involving),
                *(self.view(place, proposer) for proposer in proposers),
            )
        return self.known_looks[key]

    def letters(self, place: int, messages: int) -> int:
        """A number for some messages as they would be if the acceptor had no name."""
        key = place, messages
        if key not in self.mail:
            nameless = self.anonymous(place)
            letters = [snapshot.rename(self.cluster.letters[number], nameless) for number in numbers(messages)]
            self.mail[key] = self.looks.setdefault(snapshot.unordered(letters), len(self.looks))
        return self.mail[key]

    def view(self, place: int, state: int) -> int:
        """A number for the state of an actor as it would be if no acceptor but this one could be told apart."""
        key = place, state
        if key not in self.views:
            nameless = self.anonymous(place)
            self.views[key] = self.looks.setdefault(self.renamed(state, nameless), len(self.looks))
        return self.views[key]

    def anonymous(self, place: int) -> dict[str, str]:
        """Names that tell an acceptor from the others, and nothing else."""
        return dict.fromkeys(self.acceptors, "another") | {self.cluster.names[place]: "this one"}

    def renamed(self, state: int, names: dict[str, str]) -> tuple[tuple[str, snapshot.Snapshot], ...]:
        """What has changed of an actor, under other names."""
        changed = self.cluster.states[state]
        return tuple((name, snapshot.rename(value, names)) for name, value in changed.items())

    def is_exchangeable(self, state: State, a: int, b: int) -> bool:
        """Whether it makes no difference if two acceptors exchange their names."""
        return self.rename(state, self.swap(a, b)) == state

    def rename(self, state: State, order: Order) -> State:
        """The state with the acceptors in another order."""
        if order == self.as_they_are:
            return state
        *actors, said, pending, chosen = state
        first = self.cluster.first_acceptor
        inverse = [*actors[:first], *(actors[first + at] for at in order)]
        renamed = [self.rename_state(order, actor) for actor in inverse]
        return (*renamed, self.rename_set(order, said), self.rename_set(order, pending), chosen)

    def rename_state(self, order: Order, state: int) -> int:
        """The state of an actor that knows the acceptors by their other names."""
        key = order, state
        if key not in self.renamed_states:
            changed = dict(self.renamed(state, self.cluster.names_in(order)))
            self.renamed_states[key] = self.cluster.number_of_state(changed)
        return self.renamed_states[key]

    def rename_message(self, order: Order, number: int) -> int:
        """The message that says the same between others."""
        key = order, number
        if key not in self.renamed_messages:
            message = self.cluster.renamed_message(self.cluster.messages[number], self.cluster.names_in(order))
            self.renamed_messages[key] = self.cluster.number_of_message(message)
        return self.renamed_messages[key]

    def rename_set(self, order: Order, messages: int) -> int:
        """The set of the messages that say the same between others."""
        renamed = shift = 0
        while messages:
            # Twelve messages at a time, so that what is remembered stays small.
            part = messages & 0xFFF
            key = order, shift, part
            if key not in self.renamed_sets:
                moved = (1 << self.rename_message(order, shift + number) for number in numbers(part))
                self.renamed_sets[key] = sum(moved)
            renamed |= self.renamed_sets[key]
            messages >>= 12
            shift += 12
        return renamed
