"""Tests that each actor is deterministic and keeps its state in its attributes; otherwise a search would be incorrect.

A search takes each step of an actor once and caches the result. That is incorrect for an actor that uses random
numbers, or that keeps state where no snapshot sees it. So there are three tests. Every step that made a difference is
repeated in another order. Real instances, which are never restored from a snapshot, receive random deliveries in
parallel with the model. And the variables that instances of a class share must not change. These tests cannot reveal
that an actor reads a clock or uses the address of an object, or that it uses chance only in larger clusters than those
that are searched: there, each actor is only judged alone.
"""

import builtins
import io
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from random import Random, getstate
from types import FunctionType, ModuleType
from typing import Any

from toy_paxos import snapshot
from toy_paxos.actor import Actor
from toy_paxos.checking.cluster import MAKE_A_NEW_ONE, Cluster, Step, numbers
from toy_paxos.checking.model import CheckError
from toy_paxos.checking.refusal import described, failure, failure_at, program_of, refusal
from toy_paxos.event import in_brief, listed, plain_learned
from toy_paxos.message import Message

WALKS = 60
DELIVERIES = 40

KEEP_IT_IN_ATTRIBUTES = "an actor's answers may depend only on its attributes and the message"

NOT_ON = "not on chance, files, shared variables, the order of a set, or which of two equal things it has"

KEEP_IT_IN_THE_STATE = "an answer may depend only on the question, so all that an actor remembers must be in its state"

# Numbers that are in a set while it is built for the second time, so that its elements get another order. The hash of a
# number is the number, so these occupy a section of the table, and elements with a place there move elsewhere. Two
# elements keep their order in half of all cases, so several ranges are tried.
FILLERS = [range(at, at + 70) for at in range(10**9, 10**9 + 128, 16)] + [range(10**9, 10**9 + 280)]


def repeat_steps(cluster: Cluster, steps: Iterable[tuple[int, int, int]]) -> None:
    """Repeat those of some steps that made a difference, the last one first; raise CheckError if a result differs.

    Programs answer all questions again in a new process.
    """
    begin_afresh(cluster)
    for position, state, number in reversed([*steps]):
        if (step := cluster.steps[position, state, number]) == (state, 0):
            continue
        for fillers in FILLERS:
            maker = snapshot.OtherMaker(fillers)
            if (other := cluster.receive(position, state, number, maker)) != step:
                raise not_deterministic(cluster, position, difference(cluster, step, other), number)
            if not maker.num_choices:
                break


def begin_afresh(cluster: Cluster) -> None:
    """End the processes of programs: new ones answer the next questions."""
    for program in filter(None, {program_of(type(actor)) for actor in cluster.actors}):
        try:
            program.begin_afresh()
        except Exception as error:
            raise failure("after the last message", error) from error


def not_deterministic(cluster: Cluster, position: int, differs: str, number: int | None = None) -> CheckError:
    """Return the error for an actor that reacts differently in the same state, perhaps to a certain message."""
    kind = type(cluster.actors[position])
    remedy = KEEP_IT_IN_THE_STATE if program_of(kind) else f"{KEEP_IT_IN_ATTRIBUTES}, {NOT_ON}"
    received = "" if number is None else f"on receiving {described(cluster.messages[number])}: "
    return refusal(f"{received}{cluster.names[position]} does not always do the same ({differs}): {remedy}", kind)


def difference(cluster: Cluster, step: Step, other: Step) -> str:
    """Return in words in what two results of a step differ."""
    (state, said), (other_state, other_said) = step, other
    if said != other_said:
        return f"once it says {first_in(cluster, said & ~other_said)}, once {first_in(cluster, other_said & ~said)}"
    one, another = cluster.states[state], cluster.states[other_state]
    return f"{' and '.join(name for name in {**one, **another} if one.get(name) != another.get(name))} can differ"


def first_in(cluster: Cluster, messages: int) -> str:
    """Return the first message of a set in words."""
    found = [cluster.messages[number] for number in numbers(messages)]
    return f"{in_brief(found[0])} to {found[0].recipient}" if found else "nothing"


def walk_real_actors(cluster: Cluster) -> None:
    """Let real actors receive random deliveries; raise CheckError if the model differs.

    A program is restored at each question, in a walk as in the model, so this shows nothing new of programs.
    """
    if all(program_of(type(actor)) for actor in cluster.actors):
        return
    for seed in range(WALKS):
        Walk(cluster, Random(seed)).go(DELIVERIES)


class Walk:
    """One random execution, by real actors and by those of the model at the same time."""

    def __init__(self, cluster: Cluster, random: Random) -> None:
        self.cluster = cluster
        self.random = random
        actors, self.said, self.pending, _ = cluster.start
        self.states = [*actors]
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
        """Deliver some messages, fewer if none is left; raise CheckError if one is changed later."""
        draw, known, possible = self.random.random, 0, list[int]()
        for _ in range(deliveries):
            if known != (known := self.said | self.pending):
                possible = list(numbers(known))
            if not possible:
                return
            # Prefer new messages: old ones are likely to change nothing.
            self.deliver(possible[int(max(draw(), draw()) * len(possible))])
        for message, when_sent in self.sent:
            if snapshot.take(message) != when_sent:
                words = f"a {message.type} of {message.sender} is changed after it was sent: {MAKE_A_NEW_ONE}"
                raise refusal(words, self.cluster.model.acceptor, self.cluster.model.proposer)

    def send(self, messages: list[Message]) -> int:
        """Remember the snapshots of some messages that are sent; return the messages as a set."""
        bits = 0
        for message in messages:
            if self.cluster.is_deliverable(message):
                number = self.cluster.number_of_message(message)
                self.sent.append((message, self.cluster.message_snapshots[number]))
                bits |= 1 << number
        return bits

    def deliver(self, number: int) -> None:
        """Deliver one message to the real actor and to that of the model, and compare."""
        cluster = self.cluster
        position = cluster.positions[cluster.messages[number].recipient]
        after, said = step = cluster.step(position, self.states[position], number)
        actor, differs = self.actors[position], ""
        try:
            message = cluster.delivered(position, self.states[position], number)
            if not cluster.timeouts >> number & 1:
                self.sent.append((message, cluster.message_snapshots[number]))
            if (really_said := self.send(listed(actor.receive(message)))) != said:
                differs = difference(cluster, step, (after, really_said))
            elif position < cluster.first_acceptor and plain_learned(actor) != cluster.learned(position, after):
                differs = "learned can differ"
        except BaseException as error:
            raise failure_at(cluster.messages[number], error, *cluster.kinds(number)) from error
        if differs:
            raise not_deterministic(cluster, position, differs, number)
        self.states[position] = after
        self.said |= said
        self.pending &= ~(1 << number)


def refuse_files(cluster: Cluster) -> None:
    """Raise CheckError if an actor that receives a message for the first time reads a file."""
    opened, paths = io.open, list[str]()

    def note(path: Any, mode: str = "r", *args: Any, **keywords: Any) -> Any:
        # A number is a file that is open already, such as the pipe to a program.
        if not isinstance(path, int) and ("r" in mode or "+" in mode):
            paths.append(str(path))
        return opened(path, mode, *args, **keywords)

    builtins.open = io.open = note  # type: ignore[assignment]
    try:
        for position, actor in enumerate(cluster.actors):
            for number in numbers(cluster.to[position]):
                with suppress(CheckError):
                    cluster.receive(position, cluster.start.actors[position], number)
                if paths:
                    words = f"on receiving {described(cluster.messages[number])}: {actor.name} reads {paths[0]!r}"
                    raise refusal(f"{words}: {KEEP_IT_IN_ATTRIBUTES}", type(actor))
    finally:
        builtins.open = io.open = opened


class SharedState:
    """The state that actors share: the variables of their classes and modules, and that of the module ``random``."""

    def __init__(self, cluster: Cluster) -> None:
        types = [kind for actor in cluster.actors for kind in (type(actor), getattr(actor, "__adapts__", object))]
        self.kinds = list(dict.fromkeys(base for kind in types for base in getattr(kind, "__mro__", ())[:-1]))
        self.before = self.variables()

    def variables(self) -> dict[str, object]:
        """Return each shared variable in comparable form, by the words for the case that it has changed."""
        owners: dict[str, Mapping[str, object]] = {}
        for kind in self.kinds:
            owners[f"class {kind.__qualname__}"] = vars(kind)
            owners[f"module {kind.__module__}"] = vars(sys.modules.get(kind.__module__, object))
        variables = [(owner, name) for owner in owners for name in owners[owner] if not name.startswith("__")]
        found = {f"{name} of {owner} has changed": comparable(owners[owner][name]) for owner, name in variables}
        return found | {"the actors use the module random": getstate()}

    def check(self) -> None:
        """Raise CheckError if a shared variable has changed."""
        after = self.variables()
        for words in after | self.before:
            if after.get(words) != self.before.get(words):
                raise refusal(f"{words}: {KEEP_IT_IN_ATTRIBUTES}", *self.kinds)


def comparable(thing: object) -> object:
    """Return the value of a variable in comparable form, or None if it has none, as a module or a class."""
    if isinstance(thing, (type, ModuleType)):
        return None
    function = getattr(thing, "__func__", thing)
    if isinstance(function, FunctionType):
        return [comparable(part) for part in kept_by(function) if not isinstance(part, FunctionType)]
    for convert in (snapshot.take, repr):
        # Some variables of a module have no snapshot, or not even a repr.
        with suppress(Exception):
            return thing.getstate() if isinstance(thing, Random) else convert(thing)
    return None


def kept_by(function: FunctionType) -> list[object]:
    """Return what a function keeps from one call to the next."""
    parts = [*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values(), *vars(function).values()]
    for cell in function.__closure__ or ():
        # A cell is empty if the variable that it refers to has no value yet.
        with suppress(ValueError):
            parts.append(cell.cell_contents)
    return parts
