"""Whether an actor is what its attributes say, and nothing else, so that what was found out about it is true.

A search looks at what an actor does in a state once, and believes it. That would be wrong for an actor that draws
lots, or that keeps something where no snapshot sees it. So here every step that made a difference is taken
once more, in another order; actors of flesh and blood, which are never put back, go for walks beside the model; and
what actors of a class have in common has to stay as it is. Nobody can see in this way that an actor reads a clock, or
asks where in memory something is.
"""

import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from random import Random, getstate
from types import FunctionType, ModuleType

from toy_paxos.actor import Actor
from toy_paxos.checking import snapshot
from toy_paxos.checking.cluster import MAKE_A_NEW_ONE, Cluster, numbers
from toy_paxos.checking.refusal import failure, failure_at, refusal
from toy_paxos.event import listed, plain_learned
from toy_paxos.message import Message

WALKS = 60
DELIVERIES = 40

KEEP_IT_IN_ATTRIBUTES = (
    "what it does may depend on its attributes and the message alone, not on chance, "
    "on variables of its class or module, on the order of a set, or on which of two equal things it has"
)


# What stands in the way when sets are made for the second time, so that they are gone through in another order: a
# number lies in the table of a set at its own remainder, so these fill a stretch of it, and whoever belongs there goes
# elsewhere. Two elements may still keep their order, in half of all cases, so it takes several to be all but sure.
FILLERS = [range(at, at + 70) for at in range(10**9, 10**9 + 128, 16)] + [range(10**9, 10**9 + 280)]


def check_again(cluster: Cluster) -> None:
    """Take every step that made a difference once more, the last ones first; raise CheckError if it is another."""
    for (position, state, number), step in reversed(list(cluster.steps.items())):
        if step == (state, 0):
            continue
        for fillers in FILLERS:
            maker = snapshot.OtherMaker(fillers)
            if cluster.receive(position, state, number, maker) != step:
                raise not_the_same(cluster, position, number)
            if not maker.num_choices:
                break


def not_the_same(cluster: Cluster, position: int, number: int) -> Exception:
    """The error that an actor does not do the same for the same message in the same state."""
    words = f"on receiving {cluster.words(number)}: {cluster.names[position]} does not always do the same"
    return refusal(f"{words}: {KEEP_IT_IN_ATTRIBUTES}", type(cluster.actors[position]))


def walk_beside(cluster: Cluster) -> None:
    """Let real actors, never put back, receive what chance delivers; raise CheckError if the model differs."""
    for seed in range(WALKS):
        Walk(cluster, Random(seed)).go(DELIVERIES)


class Walk:
    """One execution that chance chooses, by real actors and by those of the model at the same time."""

    def __init__(self, cluster: Cluster, random: Random) -> None:
        self.cluster = cluster
        self.random = random
        *self.states, self.said, self.pending, _ = cluster.start
        try:
            proposers, acceptors = cluster.model.new_actors()
            self.actors: list[Actor] = [*proposers, *acceptors]
            self.sent: list[tuple[Message, snapshot.Snapshot]] = []
            began = self.send([message for proposer in proposers for message in listed(proposer.prepare(), "prepare")])
        except BaseException as error:
            raise failure("the actors cannot begin", error, cluster.model.proposer) from error
        if began != self.said:
            words = f"the actors do not always begin in the same way: {KEEP_IT_IN_ATTRIBUTES}"
            raise refusal(words, cluster.model.proposer)

    def go(self, deliveries: int) -> None:
        """Deliver so many messages, or fewer if there is none to deliver."""
        for _ in range(deliveries):
            if not (self.said | self.pending):
                return
            possible = list(numbers(self.said | self.pending))
            # Rather a new message than an old one, which is likely to change nothing.
            self.deliver(max(self.random.choice(possible), self.random.choice(possible)))
        for message, letter in self.sent:
            if snapshot.take(message) != letter:
                words = f"{message.sender} changes a {message.type} after it was sent: {MAKE_A_NEW_ONE}"
                raise refusal(words, self.cluster.model.acceptor, self.cluster.model.proposer)

    def send(self, messages: list[Message]) -> int:
        """Remember some messages as they were when they were sent; return them as a set."""
        bits = 0
        for message in messages:
            if self.cluster.is_deliverable(message):
                number = self.cluster.number_of_message(message)
                self.sent.append((message, self.cluster.letters[number]))
                bits |= 1 << number
        return bits

    def deliver(self, number: int) -> None:
        """Deliver one message to the real actor and to that of the model, and compare."""
        cluster = self.cluster
        position = cluster.positions[cluster.messages[number].recipient]
        after, said = cluster.step(position, self.states[position], number)
        actor = self.actors[position]
        try:
            message = cluster.delivered(position, self.states[position], number)
            same = self.send(listed(actor.receive(message))) == said
            if position < cluster.first_acceptor:
                same = same and plain_learned(actor) == cluster.learned(position, after)
        except BaseException as error:
            raise failure_at(cluster.messages[number], error, *cluster.kinds(number)) from error
        if not same:
            raise not_the_same(cluster, position, number)
        self.states[position] = after
        self.said |= said
        self.pending &= ~(1 << number)


class Surroundings:
    """What the actors of a cluster share: the variables of their classes and modules, and the die of Python."""

    def __init__(self, cluster: Cluster) -> None:
        self.kinds = list(dict.fromkeys(kind for actor in cluster.actors for kind in type(actor).__mro__[:-1]))
        self.before = self.look()

    def look(self) -> dict[tuple[str, str], object]:
        """Everything that is shared, by the class or module it belongs to and its name."""
        owners: dict[str, Mapping[str, object]] = {}
        for kind in self.kinds:
            owners[f"class {kind.__qualname__}"] = vars(kind)
            owners[f"module {kind.__module__}"] = vars(sys.modules.get(kind.__module__, object))
        variables = [(owner, name) for owner in owners for name in owners[owner] if not name.startswith("__")]
        found = {(owner, name): look_at(owners[owner][name]) for owner, name in variables}
        return found | {("module random", "the state"): getstate()}

    def check(self) -> None:
        """Raise CheckError if anything that is shared is not as it was."""
        after = self.look()
        for owner, name in after | self.before:
            if after.get((owner, name)) != self.before.get((owner, name)):
                raise refusal(f"{name} of {owner} is not what it was: {KEEP_IT_IN_ATTRIBUTES}", *self.kinds)


def look_at(thing: object) -> object:
    """What can be compared of a variable: nothing if it is a module or a class."""
    if isinstance(thing, (type, ModuleType)):
        return None
    function = getattr(thing, "__func__", thing)
    if isinstance(function, FunctionType):
        parts = [part for part in parts_of_function(function) if not isinstance(part, FunctionType)]
        return [look_at(part) for part in parts]
    for look in (snapshot.take, repr):
        # Not all that a module holds can be compared, or even shown.
        with suppress(Exception):
            return thing.getstate() if isinstance(thing, Random) else look(thing)
    return None


def parts_of_function(function: FunctionType) -> Iterator[object]:
    """What a function carries with it from one call to the next."""
    yield from function.__defaults__ or ()
    yield from (function.__kwdefaults__ or {}).values()
    yield from vars(function).values()
    for cell in function.__closure__ or ():
        # A cell can be empty, when a function was defined before what it refers to.
        with suppress(ValueError):
            yield cell.cell_contents
