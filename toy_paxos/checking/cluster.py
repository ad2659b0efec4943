"""A small cluster as numbers: the states of its actors, the messages that they send, and the steps between states.

The behaviour of an actor depends only on its state and on the message, so each pair is tried once and cached. A set of
messages is one integer with a bit for each message. Both make it feasible to visit every state.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cache, cached_property, partial
from itertools import chain
from typing import Any, NamedTuple, TypeVar, cast
from weakref import proxy

from toy_paxos import snapshot
from toy_paxos.actor import Actor
from toy_paxos.checking.model import CheckError, Model
from toy_paxos.checking.refusal import described, failure, failure_at, needs_learned, refusal
from toy_paxos.event import check_message, listed, plain_learned
from toy_paxos.message import Accept, Fail, Message, Promise, Propose, Timeout

F = TypeVar("F", bound=Callable[..., Any])


def cached_method(method: F) -> F:
    """Cache the results of a method, for each object separately; the cache goes when the object goes."""
    return cast("F", cached_property(lambda self: cache(partial(method, proxy(self)))))


class State(NamedTuple):
    """A state of a cluster.

    ``actors`` has the number of the state of each actor. ``said`` and ``pending`` are sets of messages: those said so
    far, and those that the environment may still deliver. ``chosen`` is the number of the set of chosen proposals.
    """

    actors: tuple[int, ...]
    said: int
    pending: int
    chosen: int


Step = tuple[int, int]
"""The number of the state in which a delivery leaves an actor, and the set of messages that it sends."""


# In a state, this stands for the value of a deleted attribute; no object has this snapshot.
MISSING: snapshot.Snapshot = (object, ())

# Besides attributes, a state can have two more entries: the number that the next timeout of a proposer gets, and the
# order of all attributes if that of the changed ones does not determine it.
NUMBER = "the number under which it spoke last"
ORDER = "the order of its attributes"

MAKE_A_NEW_ONE = "leave it as it is, and make a new one (dataclasses.replace)"


class Cluster:
    """The actors of a model, and the steps that single deliveries make.

    The state of an actor is a snapshot of the attributes that have changed since the start. Its name does not change,
    so acceptors that differ only in their names are in the same state.
    """

    def __init__(self, model: Model) -> None:
        self.model = model
        self.messages: list[Message] = []
        self.message_snapshots: list[snapshot.Snapshot] = []
        self.message_numbers: dict[snapshot.Snapshot, int] = {}
        self.states: list[dict[str, snapshot.Snapshot]] = []
        self.state_numbers: dict[snapshot.Snapshot, int] = {}
        # Caches: the step by actor, state and message; the messages without effect by actor and state.
        self.steps: dict[tuple[int, int, int], Step] = {}
        # The steps that are part of an execution; others were only tried, and perhaps cannot happen.
        self.taken: dict[tuple[int, int, int], None] = {}
        self.ineffective: dict[tuple[int, int], int] = {}
        try:
            proposers, acceptors = model.new_actors()
            self.first_acceptor = len(proposers)
            self.actors: list[Actor] = [*proposers, *acceptors]
            self.names = [actor.name for actor in self.actors]
            self.positions = {name: at for at, name in enumerate(self.names)}
            if len(self.positions) < len(self.names):
                raise refusal("two of them have the same name", model.acceptor, model.proposer)
            # Sets of messages, by recipient, by sender or recipient, and by type.
            self.to = [0] * len(self.actors)
            self.involving = [0] * len(self.actors)
            self.accepts = self.promises = self.proposes = self.timeouts = 0
            began = [listed(proposer.prepare(), "prepare") for proposer in proposers]
            said = self.bits(chain(*began))
            self.began_under = [messages[0].id if messages else 0 for messages in (*began, *([] for _ in acceptors))]
        except BaseException as error:
            raise failure("the actors cannot begin", error, model.proposer, model.acceptor) from error
        pending = sum(1 << self.add(message, snapshot.take(message)) for message in model.environment())
        # Actors that share a mutable object have no separate states.
        others: set[int] = set()
        self.at_start = [self.attributes(actor, others) for actor in self.actors]
        unchanged = self.number_of_state({})
        self.start = State((unchanged,) * len(self.actors), said, pending, 0)
        for position in range(self.first_acceptor):
            self.learned(position, unchanged)

    def attributes(self, actor: Actor, others: set[int]) -> dict[str, snapshot.Snapshot]:
        """Return a snapshot of each attribute of an actor; raise CheckError if one is not plain data.

        ``others`` has the identities of the mutable objects of other actors; those of this actor are added.
        """
        if words := getattr(actor, "cannot_be_restored", ""):
            raise CheckError(f"{actor.name}: {words}")
        found, name, value = {}, "", None
        seen = {id(actor): 0}
        try:
            for name, value in snapshot.attributes(actor).items():
                found[name] = snapshot.take(value, seen)
                if not others.isdisjoint(seen):
                    raise snapshot.NotPlainError(type(value).__name__, "another actor has it, too; give each its own")
        except snapshot.NotPlainError as error:
            is_it = not name or error.kind == type(value).__name__
            words = f"self{'.' if name else ''}{name} {'is' if is_it else 'holds'} a {error.kind}: {error.remedy}"
            raise refusal(f"{actor.name}: {words}", type(actor), error=error) from error
        except BaseException as error:
            raise failure(f"{actor.name} cannot be copied", error, type(actor)) from error
        others.update(seen)
        return found

    def number_of_state(self, changed: dict[str, snapshot.Snapshot]) -> int:
        """Return the number of the state of an actor in which these attributes have changed."""
        key = tuple(changed.items())
        if key not in self.state_numbers:
            self.state_numbers[key] = len(self.states)
            self.states.append(changed)
        return self.state_numbers[key]

    def number_of_message(self, message: Message) -> int:
        """Return the number of a message, new or known."""
        key = snapshot.take(message)
        if key not in self.message_numbers:
            check_message(message, self.positions)
            return self.add(message, key)
        return self.message_numbers[key]

    def add(self, message: Message, key: snapshot.Snapshot) -> int:
        """Give a new message a number, and add it to the sets that it belongs to."""
        number = self.message_numbers[key] = len(self.messages)
        # A copy, because the sender may keep and change the message.
        self.messages.append(snapshot.put_back(key))
        self.message_snapshots.append(key)
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
        elif isinstance(message, Timeout):
            self.timeouts |= bit
        return number

    def bits(self, messages: Iterable[Message]) -> int:
        """Return messages as a set, without those that are never delivered."""
        bits = 0
        for message in messages:
            if self.is_deliverable(message):
                bits |= 1 << self.number_of_message(message)
        return bits

    def is_deliverable(self, message: Message) -> bool:
        """Return whether the model ever delivers a message."""
        return self.model.fail or not isinstance(message, Fail)

    def step(self, position: int, state: int, number: int) -> Step:
        """Return the state of an actor after it has received a message, and the set of messages that it sends."""
        key = position, state, number
        if key not in self.steps:
            self.steps[key] = after = self.receive(position, state, number)
            if after == (state, 0):
                known = self.ineffective.get((position, state), 0)
                self.ineffective[position, state] = known | 1 << number
        return self.steps[key]

    def forget_steps(self) -> None:
        """Clear the caches of steps."""
        self.steps.clear()
        self.ineffective.clear()

    def effective(self, position: int, state: int, messages: int) -> Iterator[int]:
        """Yield the messages in a set that an actor receives, without those known to have no effect in this state."""
        found = self.first_timeout(messages & self.to[position])
        return numbers(found & ~self.ineffective.get((position, state), 0))

    def first_timeout(self, messages: int) -> int:
        """Return a set of messages to one actor without all but the first timeout; timeouts are interchangeable."""
        timeouts = messages & self.timeouts
        return messages ^ timeouts & (timeouts - 1)

    def delivered(self, position: int, state: int, number: int, maker: snapshot.OtherMaker | None = None) -> Message:
        """Return a copy of a message for an actor: a timeout gets the number under which the actor spoke last."""
        message: Message = snapshot.put_back(self.message_snapshots[number], maker)
        if self.timeouts >> number & 1:
            return replace(message, id=self.spoke_last(position, state))
        return message

    def receive(self, position: int, state: int, number: int, maker: snapshot.OtherMaker | None = None) -> Step:
        """Let an actor in some state receive a copy of a message; raise CheckError if it cannot."""
        actor = self.restore(position, state, maker)
        message = self.delivered(position, state, number, maker)
        before = snapshot.take(message) if self.timeouts >> number & 1 else self.message_snapshots[number]
        try:
            answers = listed(actor.receive(message))
            said = self.bits(answers)
            is_changed = snapshot.take(message) != before
        except BaseException as error:
            raise failure_at(self.messages[number], error, *self.kinds(number)) from error
        if is_changed:
            words = f"on receiving {described(self.messages[number])}: {self.names[position]} changes a message"
            raise refusal(f"{words}, which others may see, too: {MAKE_A_NEW_ONE}", *self.kinds(number))
        spoke_last = answers[0].id if answers else self.spoke_last(position, state)
        return self.changes(position, actor, spoke_last), said

    def spoke_last(self, position: int, state: int) -> int:
        """Return the number under which a proposer in some state spoke last, 0 if it has not spoken."""
        number: int = self.states[state].get(NUMBER) or self.began_under[position]
        return number

    def changes(self, position: int, actor: Actor, spoke_last: int) -> int:
        """Return the number of an actor's state; a proposer's includes the number under which it spoke last."""
        if type(actor) is not type(self.actors[position]):
            words = f"{self.names[position]} changes its class: keep its class, and use an attribute instead"
            raise refusal(words, type(self.actors[position]))
        before, after = self.at_start[position], self.attributes(actor, set())
        now = dict.fromkeys(before, MISSING) | after
        changed = {name: now[name] for name in now if now[name] != before.get(name, MISSING)}
        if list(after) != [name for name in now if now[name] != MISSING]:
            changed[ORDER] = snapshot.take(tuple(after))
        if position < self.first_acceptor and spoke_last != self.began_under[position]:
            changed[NUMBER] = spoke_last
        return self.number_of_state(changed)

    def kinds(self, number: int) -> list[type]:
        """Return the classes of the recipient and of the sender of a message."""
        message = self.messages[number]
        names = (message.recipient, message.sender)
        return [type(self.actors[self.positions[name]]) for name in names if name in self.positions]

    def restore(self, position: int, state: int, maker: snapshot.OtherMaker | None = None) -> Actor:
        """Return a new actor in a certain state."""
        now = self.at_start[position] | self.states[state]
        names = snapshot.put_back(now[ORDER]) if ORDER in now else now
        attributes = [(name, now[name]) for name in names if now[name] != MISSING and name != NUMBER]
        actor: Actor = snapshot.put_attributes_back(type(self.actors[position]), attributes, maker, [])
        return actor

    @cached_method
    def learned(self, position: int, state: int) -> str | None:
        """Return what a proposer has learned in some state; raise CheckError if ``learned`` cannot tell."""
        actor = self.restore(position, state)
        try:
            learned = plain_learned(actor)
        except BaseException as error:
            raise failure(needs_learned(self.names[position]), error, type(actor)) from error
        if self.changes(position, actor, self.spoke_last(position, state)) != state:
            words = f"reading what {self.names[position]} has learned changes it: make `learned` free of side effects"
            raise refusal(words, type(actor))
        return learned

    def names_in(self, order: tuple[int, ...]) -> dict[str, str]:
        """Return the new name of each acceptor in another order."""
        acceptors = self.names[self.first_acceptor :]
        return {acceptors[old]: acceptors[new] for new, old in enumerate(order)}

    def renamed_message(self, message: Message, names: Mapping[str, str]) -> Message:
        """Return a message in which names are replaced."""
        renamed: Message = snapshot.put_back(snapshot.rename(snapshot.take(message), names))
        return renamed


def numbers(bits: int) -> Iterator[int]:
    """Yield the numbers in a set of messages, lowest first."""
    while bits:
        lowest = bits & -bits
        yield lowest.bit_length() - 1
        bits ^= lowest
