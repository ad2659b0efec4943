"""A small cluster as numbers: the states of its actors, the messages they send, and how one follows another.

What an actor does depends on its state and the message alone, so each pair is tried once and remembered. That,
and sets of messages that are the bits of one number, is what makes it possible to visit every state.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise, permutations, product

from toy_paxos.acceptor import Acceptor
from toy_paxos.actor import Actor, ProposingActor
from toy_paxos.checking import snapshot
from toy_paxos.message import Accept, Fail, Message, Promise, Propose, Restart, Timeout
from toy_paxos.proposer import Proposer
from toy_paxos.safety import ALWAYS, Property

State = tuple[int, ...]
"""A number for the state of each actor, then two sets of messages, a bit a message: those sent so far, and
those that the environment may still deliver."""

Order = tuple[int, ...]
"""A way to rename the acceptors: the one at ``order[n]`` becomes acceptor ``n``."""


@dataclass(frozen=True)
class Model:
    """What is checked: a cluster, and whom it consists of.

    ``acceptor`` is called with a name; ``proposer`` with a name, a value, the names of the acceptors, its first
    number, and the step from each of its numbers to the next.
    """

    num_acceptors: int = 3
    num_proposers: int = 2
    max_attempts: int = 1
    acceptor: Callable[[str], Actor] = Acceptor
    proposer: Callable[[str, str, Sequence[str], int, int], ProposingActor] = Proposer
    never_delivered: tuple[type[Message], ...] = (Fail,)
    properties: tuple[Property, ...] = ALWAYS
    symmetric: bool = True

    @property
    def values(self) -> list[str]:
        """What the proposers want."""
        return [f"value-{number}" for number in range(self.num_proposers)]

    def new_actors(self) -> tuple[list[ProposingActor], list[Actor]]:
        """New proposers, and new acceptors."""
        names = [f"acceptor-{number}" for number in range(self.num_acceptors)]
        proposers = [
            self.proposer(f"proposer-{at}", value, names, at + 1, self.num_proposers)
            for at, value in enumerate(self.values)
        ]
        return proposers, [self.acceptor(name) for name in names]

    def environment(self) -> Iterator[Message]:
        """What the environment may say, once each: a timeout an attempt but the last, a restart an acceptor."""
        for at in range(self.num_proposers):
            for attempt in range(self.max_attempts - 1):
                yield Timeout("clock", f"proposer-{at}", at + 1 + attempt * self.num_proposers)
        for at in range(self.num_acceptors):
            yield Restart("power", f"acceptor-{at}", 1)


class Missing(Enum):
    """What stands for the value of an attribute that an actor has not got."""

    MISSING = "missing"


class CheckError(Exception):
    """An actor cannot be checked; the words say why, and while it received which message."""


class Cluster:
    """The actors of a model, and all that can happen to them one delivery at a time.

    The state of an actor is a snapshot of what has changed since the start. Its name never does, so acceptors
    that are alike but for it are in the same state.
    """

    def __init__(self, model: Model) -> None:
        self.model = model
        try:
            proposers, acceptors = model.new_actors()
            began = [message for proposer in proposers for message in proposer.prepare()]
            self.actors: list[Actor] = [*proposers, *acceptors]
            self.names = [actor.name for actor in self.actors]
        except (Exception, SystemExit, KeyboardInterrupt) as error:
            raise CheckError(f"the actors cannot begin: {type(error).__name__}: {error}") from error
        self.positions = {name: at for at, name in enumerate(self.names)}
        self.first_acceptor = len(proposers)
        self.messages: list[Message] = []
        self.message_numbers: dict[snapshot.Snapshot, int] = {}
        self.states: list[dict[str, snapshot.Snapshot]] = []
        self.state_numbers: dict[snapshot.Snapshot, int] = {}
        # Sets of messages: by recipient, by those who are involved, and by type.
        self.to = [0] * len(self.actors)
        self.involving = [0] * len(self.actors)
        self.accepts = self.promises = self.proposes = 0
        # What is known of an actor, its state and a message; and of an actor and its state.
        self.steps: dict[tuple[int, int, int], tuple[int, int]] = {}
        self.ineffective: dict[tuple[int, int], int] = {}
        try:
            sent, environment = self.bits(began), self.bits(model.environment())
        except (LookupError, TypeError, AttributeError) as error:
            raise CheckError(f"the actors cannot begin: {type(error).__name__}: {error}") from error
        self.at_start = [self.attributes(actor) for actor in self.actors]
        unchanged = self.number_of_state({})
        self.start: State = (*[unchanged] * len(self.actors), sent, environment)

    def attributes(self, actor: Actor) -> dict[str, snapshot.Snapshot]:
        """A snapshot of each attribute of an actor; raises CheckError if one is not plain data."""
        seen: set[int] = set()
        try:
            found = snapshot.attributes(actor)
            return {name: snapshot.take(value, seen) for name, value in found.items()}
        except (TypeError, RecursionError) as error:
            raise CheckError(f"{actor.name} cannot be checked: {error}") from error

    def number_of_state(self, changed: dict[str, snapshot.Snapshot]) -> int:
        """The number of the state of an actor of which these attributes have changed."""
        key = tuple(changed.items())
        if key not in self.state_numbers:
            self.state_numbers[key] = len(self.states)
            self.states.append(changed)
        return self.state_numbers[key]

    def number_of_message(self, message: Message) -> int:
        """The number of a message, be it new or known."""
        key = snapshot.take(message)
        if key not in self.message_numbers:
            if message.recipient not in self.positions:
                raise LookupError(f"{message.type} to {message.recipient!r}, who is not there")
            number = self.message_numbers[key] = len(self.messages)
            self.messages.append(message)
            bit = 1 << number
            self.to[self.positions[message.recipient]] |= bit
            for name in {message.sender, message.recipient} & self.positions.keys():
                self.involving[self.positions[name]] |= bit
            if isinstance(message, Accept):
                self.accepts |= bit
            elif isinstance(message, Promise):
                self.promises |= bit
            elif isinstance(message, Propose):
                self.proposes |= bit
        return self.message_numbers[key]

    def bits(self, messages: Iterable[Message]) -> int:
        """Some messages as a set, without those that are never delivered."""
        bits = 0
        for message in messages:
            if not isinstance(message, self.model.never_delivered):
                bits |= 1 << self.number_of_message(message)
        return bits

    def step(self, position: int, state: int, number: int) -> tuple[int, int]:
        """The state of an actor after it has received a message, and the set of those that it sends."""
        key = position, state, number
        if key not in self.steps:
            self.steps[key] = after = self.receive(position, state, self.messages[number])
            if after == (state, 0):
                known = self.ineffective.get((position, state), 0)
                self.ineffective[position, state] = known | 1 << number
        return self.steps[key]

    def receive(self, position: int, state: int, message: Message) -> tuple[int, int]:
        """Let an actor in some state receive a message; raises CheckError if it cannot."""
        actor = self.wake(position, state)
        try:
            sent = self.bits(actor.receive(message))
        except (Exception, SystemExit, KeyboardInterrupt) as error:
            words = f"{message.type} {message.id} from {message.sender} to {message.recipient}"
            raise CheckError(f"on receiving {words}: {type(error).__name__}: {error}") from error
        before = self.at_start[position]
        now = dict.fromkeys(before, Missing.MISSING) | self.attributes(actor)
        changed = {name: now[name] for name in now if now[name] != before.get(name, Missing.MISSING)}
        return self.number_of_state(changed), sent

    def wake(self, position: int, state: int) -> Actor:
        """A new actor in a certain state."""
        actor: Actor = object.__new__(type(self.actors[position]))
        for name, value in (self.at_start[position] | self.states[state]).items():
            if value is not Missing.MISSING:
                object.__setattr__(actor, name, snapshot.put_back(value))
        return actor

    def names_in(self, order: Order) -> dict[str, str]:
        """Which acceptor gets whose name in another order."""
        acceptors = self.names[self.first_acceptor :]
        return {acceptors[old]: acceptors[new] for new, old in enumerate(order)}

    def renamed_message(self, number: int, names: Mapping[str, str]) -> Message:
        """The message that says the same between others."""
        message: Message = snapshot.put_back(snapshot.rename(snapshot.take(self.messages[number]), names))
        return message

    def learned(self, state: int) -> str | None:
        """What a proposer in some state has learned."""
        value = snapshot.put_back(self.states[state].get("learned"))
        return None if value is None else str(value)

    def successors(self, state: State) -> Iterator[tuple[int, int, State]]:
        """Every delivery that makes a difference: the message, its recipient, and the state that follows."""
        *actors, sent, pending = state
        for position, actor in enumerate(actors):
            useless = self.ineffective.get((position, actor), 0)
            for number in numbers((sent | pending) & self.to[position] & ~useless):
                after, answers = self.step(position, actor, number)
                if after != actor or answers & ~sent:
                    moved = (*actors[:position], after, *actors[position + 1 :])
                    yield number, position, (*moved, sent | answers, pending & ~(1 << number))


def numbers(bits: int) -> Iterator[int]:
    """The members of a set of messages, lowest first."""
    while bits:
        lowest = bits & -bits
        yield lowest.bit_length() - 1
        bits ^= lowest


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
        self.views: dict[tuple[int, int], int] = {}
        self.mail: dict[tuple[int, int], int] = {}
        self.renamed_states: dict[tuple[Order, int], int] = {}
        self.renamed_messages: dict[tuple[Order, int], int] = {}
        self.renamed_sets: dict[tuple[Order, int, int], int] = {}

    def holds(self) -> bool:
        """Whether acceptors were alike in all that was tried: who is who made no difference.

        Two neighbours exchanging their names must lead from what is the same to what is the same.
        """
        swaps = [self.swap(at, at + 1) for at in range(len(self.acceptors) - 1)]
        steps = list(self.cluster.steps.items())
        return all(self.rename(self.cluster.start, order) == self.cluster.start for order in swaps) and all(
            self.is_the_same(order, step, result) for order in swaps for step, result in steps
        )

    def is_the_same(self, order: Order, step: tuple[int, int, int], result: tuple[int, int]) -> bool:
        """Whether a step and its result, renamed, are a step and its result."""
        (position, state, number), (after, sent) = step, result
        first = self.cluster.first_acceptor
        renamed = position if position < first else first + order.index(position - first)
        return self.cluster.step(renamed, self.rename_state(order, state), self.rename_message(order, number)) == (
            self.rename_state(order, after),
            self.rename_set(order, sent),
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
        *actors, sent, pending = state
        involving = self.cluster.involving[place]
        return (
            self.view(place, actors[place]),
            self.letters(place, sent & involving),
            self.letters(place, pending & involving),
            *(self.view(place, actors[at]) for at in range(self.cluster.first_acceptor)),
        )

    def letters(self, place: int, messages: int) -> int:
        """A number for some messages as they would be if the acceptor had no name."""
        key = place, messages
        if key not in self.mail:
            nameless = self.anonymous(place)
            letters = [
                snapshot.rename(snapshot.take(self.cluster.messages[number]), nameless) for number in numbers(messages)
            ]
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
        *actors, sent, pending = state
        first = self.cluster.first_acceptor
        inverse = [*actors[:first], *(actors[first + at] for at in order)]
        renamed = [self.rename_state(order, actor) for actor in inverse]
        return (*renamed, self.rename_set(order, sent), self.rename_set(order, pending))

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
            message = self.cluster.renamed_message(number, self.cluster.names_in(order))
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
