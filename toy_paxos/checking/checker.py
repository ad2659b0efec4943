"""Every execution: all orders of delivery, all losses, all duplications, for a small cluster.

The network is the set of all messages sent so far. Any of them may be delivered at any time, any number of
times, or never; that is delay, reordering, loss and duplication at once. What the environment does, a timeout
or a restart, is a message too, which is delivered once at most. The search goes by the number of deliveries, so
that the first violation it meets ends one of the shortest executions that have one.

It knows nothing of Paxos but ``receive``, ``prepare``, names, ``learned``, and the properties of
:mod:`toy_paxos.safety`. States that differ only by renaming acceptors count as one, as long as acceptors are
alike. Whether they are is found out; if what one does depends on what it is called, all names count.

A *state* is what every actor remembers, what has been said, and what is chosen, between two deliveries that make
somebody speak or learn; what has been said without what no longer makes a difference
(:mod:`toy_paxos.checking.reduction`). A *transition* leads from one to the next by some silent deliveries to an
actor, and one to the same that is not.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from time import monotonic
from typing import NamedTuple

from toy_paxos.checking.cluster import Cluster, State, numbers
from toy_paxos.checking.game import story
from toy_paxos.checking.honesty import KEEP_IT_IN_ATTRIBUTES, Surroundings, check_again, walk_beside
from toy_paxos.checking.judge import Judge
from toy_paxos.checking.model import Model
from toy_paxos.checking.reduction import MANY_STEPS, Future, Move, Turn
from toy_paxos.checking.refusal import failure, refusal
from toy_paxos.checking.symmetry import Order, Symmetry
from toy_paxos.event import Event, Violation
from toy_paxos.message import Message, Timeout
from toy_paxos.safety import Property

# How many states a search visits at most, unless it is told otherwise.
MAX_STATES = 1_000_000

# After so many deliveries that bring nothing new it is assumed that there may be no end to them.
LONG_SILENCE = 100

Origin = tuple[State, int, tuple[int, ...]]
"""Where a state was met first: the state before it, and which deliveries to which actor lead from there to it."""


class Missed(NamedTuple):
    """The delivery at which a changed rule showed first, 0 if that was before any, and what the right actor says."""

    delivery: int
    right_answers: Sequence[Message]


@dataclass(frozen=True)
class Report:
    """What a search found.

    ``violation`` says in words what goes wrong at the end of ``execution``, the messages delivered until then, which
    ``story`` tells as events; ``lost`` is the property that is lost. If nothing goes wrong, ``complete`` says whether
    there was nothing left to explore; if so, ``never`` has the values that some execution should choose, and none
    does. If a changed rule lost something, ``missed`` says where it showed first, and ``right_story`` what would have
    come of the same deliveries without the change. What is found ``by_chance`` (:mod:`toy_paxos.checking.chance`) is
    short, but need not be the shortest, and no states were visited.
    """

    model: Model
    states: int
    transitions: int
    depth: int
    elapsed_s: float
    complete: bool
    violation: str | None
    lost: Property | None
    execution: Sequence[Message]
    story: Sequence[Event]
    never: Sequence[str]
    missed: Missed | None = None
    right_story: Sequence[Event] = ()
    by_chance: bool = False

    @property
    def safe(self) -> bool:
        """Whether all was explored, nothing goes wrong, and what should happen sometimes can."""
        return self.complete and self.violation is None and not self.never


def check(
    model: Model,
    max_states: int = MAX_STATES,
    keep_going: Callable[[int, int], bool] = lambda states, depth: True,
) -> Report:
    """Explore all that can happen in a model, or until something goes wrong, or up to so many states.

    ``keep_going`` is asked now and then, with the numbers of states and of deliveries so far; the search
    ends early when it says no. Raises CheckError for actors that cannot be checked.
    """
    began = monotonic()
    try:
        report = Search(model, max_states, keep_going).run()
    except NamesMatterError:
        report = Search(replace(model, symmetric=False), max_states, keep_going).run()
    return replace(report, elapsed_s=monotonic() - began)


@dataclass(frozen=True)
class Prospect:
    """What can still happen: which values can be chosen, and the shortest way to lose a property.

    ``execution`` is that way, or None if none was found; unless ``complete``, there may be more to find in both.
    """

    complete: bool
    values: Sequence[str]
    lost: Property | None
    execution: Sequence[Message] | None


def prospect(
    model: Model,
    past: Sequence[tuple[Message, bool]],
    deaf: Collection[str],
    max_states: int,
    keep_going: Callable[[int, int], bool] = lambda states, depth: True,
) -> Prospect:
    """Explore all that can happen after some deliveries, each with whether what was answered to it was sent.

    Those who are ``deaf`` receive nothing more. Raises CheckError for actors that cannot be checked.
    """
    try:
        return Search(model, max_states, keep_going, past, deaf).look_ahead()
    except NamesMatterError:
        return Search(replace(model, symmetric=False), max_states, keep_going, past, deaf).look_ahead()


class NamesMatterError(Exception):
    """What an acceptor does depends on what it is called, or what a proposer does on what the acceptors are."""


class Search:
    """A search through the states of a model, by the number of deliveries that it takes to get there.

    It begins after the deliveries that are ``past``, and from there on delivers nothing to those who are ``deaf``.
    """

    def __init__(
        self,
        model: Model,
        max_states: int,
        keep_going: Callable[[int, int], bool],
        past: Sequence[tuple[Message, bool]] = (),
        deaf: Collection[str] = (),
    ) -> None:
        self.model = model
        self.max_states = max_states
        self.keep_going = keep_going
        self.cluster = Cluster(model)
        self.surroundings = Surroundings(self.cluster)
        self.judge = Judge(self.cluster)
        are_alike = model.symmetric and model.reducible and model.num_acceptors > 1
        self.symmetry = Symmetry(self.cluster) if are_alike else None
        self.future = Future(self.cluster, self.judge) if model.past_forgotten else None
        self.turns: dict[tuple[int, int, int, int], Turn] = {}
        self.origins: dict[State, Origin | None] = {}
        self.transitions = self.depth = 0
        self.complete = self.was_stopped = False
        self.deaf = {self.cluster.positions[name] for name in deaf}
        self.present = self.after_all(past)

    def after_all(self, past: Sequence[tuple[Message, bool]]) -> State:
        """The state after some deliveries, each with whether what was answered to it was sent."""
        began = self.cluster.start[-3]
        state = (*self.cluster.start[:-1], self.judge.chosen(0, began, began))
        for message, is_answered in past:
            position = self.cluster.positions[message.recipient]
            if isinstance(message, Timeout):
                (number, *_) = numbers(state[-2] & self.cluster.to[position] & self.cluster.timeouts)
            else:
                number = self.cluster.number_of_message(message)
            _, move = self.move(state, position, (number,))
            after = self.follow(state, position, move if is_answered else move._replace(said=0)) or state
            # What can be delivered once only is used up, even if it made no difference.
            state = (*after[:-2], after[-2] & ~move.used, after[-1])
        return state

    def look_ahead(self) -> Prospect:
        """Explore, and tell what can still happen."""
        lost, execution = self.explore() or (None, None)
        self.compare_names()
        values = {proposal.value for proposals in self.judge.choices for proposal in proposals}
        return Prospect(self.complete, [value for value in self.model.values if value in values], lost, execution)

    def run(self) -> Report:
        """Explore, and report."""
        all_steps_known = self.future is not None and self.future.known
        if all_steps_known:
            self.compare_names()
        lost, execution = self.explore() or (None, [])
        if not self.was_stopped:
            self.surroundings.check()
            check_again(self.cluster)
            walk_beside(self.cluster)
            self.surroundings.check()
        # A search that found nothing and came to no end says nothing that would have to be true of all.
        if not all_steps_known and (lost or self.complete):
            self.compare_names()
        violation, told = what_happens(self.model, execution, lost) if lost else (None, [])
        chosen = {proposal.value for proposals in self.judge.choices for proposal in proposals}
        never = [value for value in self.model.values if value not in chosen and self.complete]
        return Report(
            self.model,
            len(self.origins),
            self.transitions,
            self.depth,
            0,
            self.complete,
            violation,
            lost,
            execution,
            told,
            never,
        )

    def compare_names(self) -> None:
        """Raise NamesMatterError if names that were taken for exchangeable are not."""
        if self.symmetry and not self.symmetry.holds():
            raise NamesMatterError

    def explore(self) -> tuple[Property, list[Message]] | None:
        """Visit states, those first that take fewer deliveries; return what is lost first, and how."""
        start = self.present
        nothing = (*start[:-3], 0, 0, 0)
        if lost := self.judge.lost(nothing, start, start[-3]):
            return lost, []
        turns = self.visit(self.canonical(self.essence(start))[0], None)
        deliveries = 0
        while turns:
            now, turns = turns, []
            for state, turn, num_silent in now:
                has_more = turn.find_out(num_silent)
                for move in turn.lessons[num_silent]:
                    after = self.follow(state, turn.position, move)
                    if after and (lost := self.judge.lost(state, after, 0)):
                        return lost, self.execution((state, turn.position, move.deliveries))
                for move in turn.moves[num_silent]:
                    after = self.follow(state, turn.position, move)
                    if after is None:
                        continue
                    self.transitions += 1
                    if lost := self.judge.lost(state, after, move.said):
                        return lost, self.execution((state, turn.position, move.deliveries))
                    after = self.essence(after)
                    # Many a state is canonical already, and the cheaper question comes first.
                    if after not in self.origins and (after := self.canonical(after)[0]) not in self.origins:
                        turns += self.visit(after, (state, turn.position, move.deliveries))
                        self.depth = deliveries + 1
                if has_more:
                    turns.append((state, turn, num_silent + 1))
                if (num_silent or not turn.position) and not self.may_go_on(deliveries):
                    return None
            deliveries += 1
        self.complete = True
        return None

    def may_go_on(self, deliveries: int) -> bool:
        """Whether neither the number of states, nor long silence, nor anybody speaks against it."""
        states = len(self.origins)
        self.was_stopped = not self.keep_going(states, self.depth)
        return (
            not self.was_stopped
            and states <= self.max_states
            and len(self.cluster.steps) <= self.max_states + MANY_STEPS
            and deliveries <= self.depth + LONG_SILENCE
        )

    # From state to state

    def visit(self, state: State, origin: Origin | None) -> list[tuple[State, Turn, int]]:
        """Note where a new state was met first; return whose turn it can be there."""
        self.origins[state] = origin
        *actors, said, pending, _ = state
        found = []
        for position, actor in enumerate(actors):
            to = self.cluster.to[position]
            if (said | pending) & to and position not in self.deaf:
                key = position, actor, said & to, pending & to
                if key not in self.turns:
                    self.turns[key] = Turn(self.cluster, *key)
                found.append((state, self.turns[key], 0))
        return found

    def follow(self, state: State, position: int, move: Move) -> State | None:
        """The state after a move, or None if that makes no difference."""
        said = state[-3] | move.said
        if move.after == state[position] and said == state[-3]:
            return None
        chosen = self.judge.chosen(state[-1], said, move.said) if move.said & self.cluster.accepts else state[-1]
        actors = (*state[:position], move.after, *state[position + 1 : -3])
        return (*actors, said, state[-2] & ~move.used, chosen)

    def essence(self, state: State) -> State:
        """The state without what no longer makes a difference."""
        return self.future.without_past(state) if self.future else state

    def canonical(self, state: State) -> tuple[State, Order]:
        """The state that stands for all that differ from this one by names only, and how to get there."""
        if self.symmetry:
            return self.symmetry.canonical(state)
        return state, tuple(range(self.model.num_acceptors))

    # How it came to that

    def execution(self, last: Origin) -> list[Message]:
        """The messages whose delivery leads from the start to a state, and then some more."""
        path = [last]
        while origin := self.origins[path[-1][0]]:
            path.append(origin)
        # A state on the path has canonical names; here is who is meant by them.
        _, order = self.canonical(self.essence(self.present))
        meant = {new: old for old, new in self.cluster.names_in(order).items()}
        delivered = []
        for state, position, deliveries in reversed(path):
            messages, move = self.move(state, position, deliveries)
            delivered += [self.cluster.renamed_message(message, meant) for message in messages]
            after = self.follow(state, position, move)
            _, order = self.canonical(self.essence(after or state))
            meant = {new: meant[old] for old, new in self.cluster.names_in(order).items()}
        return delivered

    def move(self, state: State, position: int, deliveries: tuple[int, ...]) -> tuple[list[Message], Move]:
        """Some messages as an actor receives them, and what it does then."""
        actor, all_said, used = state[position], 0, 0
        messages = []
        for number in deliveries:
            messages.append(self.cluster.delivered(position, actor, number))
            actor, said = self.cluster.step(position, actor, number)
            all_said |= said
            used |= 1 << number & state[-2]
        return messages, Move(deliveries, actor, all_said, used)


def what_happens(model: Model, execution: Sequence[Message], lost: Property) -> tuple[str, list[Event]]:
    """How real actors lose a property at the end of an execution, and the story; raises CheckError if they do not."""
    try:
        told = story(model, execution)
    except BaseException as error:
        raise failure("what was found does not happen again", error, model.acceptor, model.proposer) from error
    for event in told:
        if isinstance(event, Violation) and (event.property, event.time) == (lost.name, len(execution)):
            return event.words, told
    raise refusal(f"what was found does not happen again: {KEEP_IT_IN_ATTRIBUTES}", model.acceptor, model.proposer)
