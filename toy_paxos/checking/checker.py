"""The model checker: it explores every execution of a small cluster, with all orders, losses and duplications.

The network is the set of all messages sent so far. Any of them may be delivered at any time, any number of times, or
never; this covers delay, reordering, loss and duplication. A timeout or a restart is a message of the environment,
which is delivered at most once. The search is breadth-first in the number of deliveries, so the first violation that it
finds ends a shortest execution with a violation.

Of Paxos, the checker knows only ``receive``, ``prepare``, names, ``learned``, and the properties of
:mod:`toy_paxos.safety`. States that differ only in the names of the acceptors count as one if the acceptors behave
alike. The checker verifies that they do; if the behaviour of one depends on its name, all names count.

A *state* is the state of every actor, the messages said so far, and what is chosen. A *transition* leads from one state
to the next: some silent deliveries to one actor, then one delivery to the same actor that is not silent.
:mod:`toy_paxos.checking.reduction` says what counts as silent, and which messages are removed from a state.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from time import monotonic
from typing import TypeVar

from toy_paxos.checking.cluster import Cluster, State, cached_method, numbers
from toy_paxos.checking.determinism import KEEP_IT_IN_ATTRIBUTES, SharedState, repeat_steps, walk_real_actors
from toy_paxos.checking.game import story
from toy_paxos.checking.model import KeepGoing, Model, always
from toy_paxos.checking.progress import NOT_EXPLORED, Progress, Stuck
from toy_paxos.checking.property_cache import PropertyCache
from toy_paxos.checking.reduction import MANY_STEPS, ActorTransitions, Future, Transition
from toy_paxos.checking.refusal import failure, refusal
from toy_paxos.checking.report import Report
from toy_paxos.checking.symmetry import Order, Symmetry
from toy_paxos.event import Violation
from toy_paxos.message import Accept, Message, Prepare, Promise, Propose, Timeout
from toy_paxos.message_like import MESSAGES
from toy_paxos.safety import Property
from toy_paxos.story import Story

# The default limit on the number of states that a search visits.
MAX_STATES = 1_000_000

# Give up after this many deliveries without a new state.
LONG_SILENCE = 100

T = TypeVar("T")

Past = Sequence[tuple[Message, bool]]
"""Earlier deliveries, each with whether its answers were sent."""

Origin = tuple[State, int, tuple[int, ...]]
"""How a state was reached first: the state before it, the position of an actor, and the deliveries to that actor."""


def check(model: Model, max_states: int = MAX_STATES, keep_going: KeepGoing = always) -> Report:
    """Explore all executions of a model, until one violates a property, or up to ``max_states`` states.

    The search ends early when ``keep_going`` returns False. Raises CheckError for actors that cannot be checked.
    """
    began = monotonic()
    report = with_fewest_states(model, lambda model: Search(model, max_states, keep_going).run())
    return replace(report, elapsed_s=monotonic() - began)


@dataclass(frozen=True)
class Prospect:
    """What can still happen: the values that can be chosen, and a shortest execution that violates a property.

    ``execution`` is None if none was found. Unless ``complete``, a longer search may find more of both.
    """

    complete: bool
    values: Sequence[str]
    lost: Property | None
    execution: Sequence[Message] | None


def prospect(
    model: Model, past: Past, stopped: Collection[str], max_states: int, keep_going: KeepGoing = always
) -> Prospect:
    """Explore all that can happen after some deliveries, in which ``stopped`` actors receive nothing.

    Raises CheckError for actors that cannot be checked.
    """
    return with_fewest_states(model, lambda model: Search(model, max_states, keep_going, past, stopped).look_ahead())


def with_fewest_states(model: Model, search: Callable[[Model], T]) -> T:
    """Return the result of a search with symmetry reduction, or without it if names make a difference."""
    try:
        return search(model)
    except NamesMatterError as error:
        return search(replace(model, symmetric=False, names_matter=str(error)))


class NamesMatterError(Exception):
    """The behaviour of an acceptor depends on its name, or that of a proposer on the names of the acceptors."""


class Search:
    """A breadth-first search through the states of a model, by the number of deliveries that it takes to reach them.

    It starts after the deliveries in ``past``, and from then on delivers nothing to ``stopped`` actors.
    """

    def __init__(
        self, model: Model, max_states: int, keep_going: KeepGoing, past: Past = (), stopped: Collection[str] = ()
    ) -> None:
        self.model = model
        self.max_states = max_states
        self.keep_going = keep_going
        self.cluster = Cluster(model)
        self.shared_state = SharedState(self.cluster)
        self.property_cache = PropertyCache(self.cluster)
        are_alike = model.symmetric and model.reducible and model.num_acceptors > 1
        self.symmetry = Symmetry(self.cluster) if are_alike else None
        self.future = Future(self.cluster, self.property_cache)
        self.origins: dict[State, Origin | None] = {}
        self.transitions = self.depth = 0
        self.complete = self.was_stopped = False
        self.progress: Progress | None = None
        self.stopped = {self.cluster.positions[name] for name in stopped}
        self.start = self.state_after(past)

    def state_after(self, past: Past) -> State:
        """Return the state after some deliveries."""
        state = self.cluster.start
        state = state._replace(chosen=self.property_cache.chosen(0, state.said, state.said))
        for message, is_answered in past:
            position = self.cluster.positions[message.recipient]
            if isinstance(message, Timeout):
                (number, *_) = numbers(state.pending & self.cluster.to[position] & self.cluster.timeouts)
            else:
                number = self.cluster.number_of_message(message)
            _, transition = self.transition(state, position, (number,))
            transition = transition if is_answered else transition._replace(said=0)
            after = self.successor(state, position, transition) or state
            # The environment sends a message once, even if it makes no difference.
            state = after._replace(pending=after.pending & ~transition.used)
        return state

    def look_ahead(self) -> Prospect:
        """Explore, and return the prospect."""
        lost, execution = self.explore() or (None, None)
        self.compare_names()
        return Prospect(self.complete, self.wanted_values(chosen=True), lost, execution)

    def run(self) -> Report:
        """Explore, verify that the actors can be checked, and report."""
        if self.future.known:
            self.compare_names()
        self.progress = Progress(self.cluster)
        lost, execution = self.explore() or (None, [])
        if not self.was_stopped:
            self.shared_state.check()
            repeat_steps(self.cluster, self.cluster.taken)
            walk_real_actors(self.cluster)
            self.shared_state.check()
        # An incomplete search without a violation claims nothing that depends on the names.
        if not self.future.known and (lost or self.complete or self.progress.stuck):
            self.compare_names()
        stuck = self.progress.stuck or Stuck([], None, Story(self.model.configuration, []), "")
        violation, told = what_happens(self.model, execution, lost) if lost else (None, stuck.story)
        if not (self.complete or self.progress.stuck or self.progress.reason):
            self.progress.note(NOT_EXPLORED)
        return Report(
            self.model,
            len(self.origins),
            self.transitions,
            self.depth,
            0,
            self.complete,
            violation,
            lost,
            execution if lost else stuck.execution,
            told,
            self.wanted_values(chosen=False) if self.complete else [],
            progress=self.progress.result,
            progress_reason=self.progress.reason,
            quiet_from=None if lost else stuck.quiet_from,
            because="; ".join(filter(None, self.silence(stuck.reason))),
            was_stopped=self.was_stopped,
        )

    def silence(self, stuck: str) -> tuple[str, str]:
        """Return which message of a round no actor says, if no value is chosen, and the likely cause.

        That is a message of a type that is not of Paxos, or else the reason why a proposer is ``stuck``.
        """
        if not self.complete or self.wanted_values(chosen=True):
            return "", stuck
        said = {message.type: message for message in reversed(self.cluster.messages)}
        missing = [kind.type for kind in (Prepare, Promise, Propose, Accept) if kind.type not in said]
        own = [
            f"{said[type].sender} says {type}, which is not a message type of Paxos"
            for type in sorted(said.keys() - MESSAGES.keys())
        ]
        return f"no actor says {missing[0]}" if missing else "", "; ".join(own) or stuck

    def wanted_values(self, chosen: bool) -> list[str]:
        """Return the values that proposers want and that some execution chooses, or that none chooses."""
        values = {proposal.value for proposals in self.property_cache.choices for proposal in proposals}
        return [value for value in self.model.values if (value in values) == chosen]

    def compare_names(self) -> None:
        """Raise NamesMatterError if the names of the acceptors were treated as exchangeable but are not."""
        if self.symmetry and (why := self.symmetry.broken()):
            raise NamesMatterError(why)

    def explore(self) -> tuple[Property, list[Message]] | None:
        """Visit the states in the order of their deliveries; return the first property lost, and the execution."""
        start = self.start
        before_start = State(start.actors, 0, 0, 0)
        if lost := self.property_cache.lost(before_start, start, start.said):
            return lost, []
        frontier = self.visit(self.canonical(self.future.without_past(start))[0], None)
        deliveries = 0
        while frontier:
            layer, frontier = frontier, []
            before = None
            for state, actor, num_silent in layer:
                is_first, before = state is not before, state
                has_more = actor.explore(num_silent)
                for transition in actor.silent_learning[num_silent]:
                    after = self.successor(state, actor.position, transition)
                    if after and (lost := self.property_cache.lost(state, after, 0)):
                        return lost, self.execution((state, actor.position, transition.deliveries))
                for transition in actor.transitions[num_silent]:
                    after = self.successor(state, actor.position, transition)
                    if after is None:
                        continue
                    self.transitions += 1
                    if lost := self.property_cache.lost(state, after, transition.said):
                        return lost, self.execution((state, actor.position, transition.deliveries))
                    after = self.future.without_past(after)
                    # Many states are canonical already, and this lookup is cheaper than finding the canonical state.
                    if after not in self.origins and (after := self.canonical(after)[0]) not in self.origins:
                        frontier += self.visit(after, (state, actor.position, transition.deliveries))
                        self.depth = deliveries + 1
                if has_more:
                    frontier.append((state, actor, num_silent + 1))
                if (num_silent or is_first) and not self.may_go_on(deliveries):
                    return None
            deliveries += 1
        self.complete = True
        return None

    def may_go_on(self, deliveries: int) -> bool:
        """Return whether no limit and not the caller ends the search."""
        states = len(self.origins)
        self.was_stopped = not self.keep_going(states, self.depth)
        return (
            not self.was_stopped
            and states <= self.max_states
            and len(self.cluster.steps) <= self.max_states + MANY_STEPS
            and deliveries <= self.depth + LONG_SILENCE
        )

    # From state to state

    def visit(self, state: State, origin: Origin | None) -> list[tuple[State, ActorTransitions, int]]:
        """Record how a new state was reached; return the transitions of each actor that can receive a message."""
        self.origins[state] = origin
        if self.progress:
            for proposer, restarted in self.progress.losers(state):
                if not self.progress.stuck:
                    self.shared_state.check()
                    self.progress.confirm(proposer, self.execution(origin) if origin else [], restarted)
        actors, said, pending, _ = state
        found = []
        for position, actor in enumerate(actors):
            to = self.cluster.to[position]
            if (said | pending) & to and position not in self.stopped:
                found.append((state, self.actor_transitions(position, actor, said & to, pending & to), 0))
        return found

    @cached_method
    def actor_transitions(self, position: int, actor: int, said: int, pending: int) -> ActorTransitions:
        """Return the transitions of an actor from one of its states, given the messages to it."""
        return ActorTransitions(self.cluster, position, actor, said, pending)

    def successor(self, state: State, position: int, transition: Transition) -> State | None:
        """Return the state after a transition, or None if nothing changes."""
        actors, before, pending, chosen = state
        said = before | transition.said
        if transition.after == actors[position] and said == before:
            return None
        if accepts := transition.said & self.cluster.accepts:
            chosen = self.property_cache.chosen(chosen, said & self.cluster.accepts, accepts)
        actors = (*actors[:position], transition.after, *actors[position + 1 :])
        return State(actors, said, pending & ~transition.used, chosen)

    def canonical(self, state: State) -> tuple[State, Order]:
        """Return the canonical state of those that differ only in names, and the order that leads to it."""
        if self.symmetry:
            return self.symmetry.canonical(state)
        return state, tuple(range(self.model.num_acceptors))

    def execution(self, last: Origin) -> list[Message]:
        """Return the messages whose delivery leads from the start to a state, and then those of its last transition."""
        path = [last]
        while origin := self.origins[path[-1][0]]:
            path.append(origin)
        # The states on the path have canonical names; map these to the real ones.
        _, order = self.canonical(self.future.without_past(self.start))
        real_names = {new: old for old, new in self.cluster.names_in(order).items()}
        delivered = []
        for state, position, deliveries in reversed(path):
            messages, transition = self.transition(state, position, deliveries)
            delivered += [self.cluster.renamed_message(message, real_names) for message in messages]
            after = self.successor(state, position, transition)
            _, order = self.canonical(self.future.without_past(after or state))
            real_names = {new: real_names[old] for old, new in self.cluster.names_in(order).items()}
        return delivered

    def transition(self, state: State, position: int, deliveries: tuple[int, ...]) -> tuple[list[Message], Transition]:
        """Return the messages as an actor receives them, and the transition that they make."""
        actor, all_said, used = state.actors[position], 0, 0
        messages = []
        for number in deliveries:
            messages.append(self.cluster.delivered(position, actor, number))
            actor, said = self.cluster.step(position, actor, number)
            all_said |= said
            used |= 1 << number & state.pending
        return messages, Transition(deliveries, actor, all_said, used)


def what_happens(model: Model, execution: Sequence[Message], lost: Property) -> tuple[str, Story]:
    """Return how real actors lose a property at the end of an execution, and the story; raise CheckError otherwise."""
    try:
        told = story(model, execution)
    except BaseException as error:
        raise failure("what was found does not happen again", error, model.acceptor, model.proposer) from error
    for event in told.events:
        if isinstance(event, Violation) and (event.property, event.time) == (lost.name, len(execution)):
            return event.words, told
    raise refusal(f"what was found does not happen again: {KEEP_IT_IN_ATTRIBUTES}", model.acceptor, model.proposer)
