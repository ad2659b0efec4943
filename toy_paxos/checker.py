"""Every execution: all orders of delivery, all losses, all duplications, for a small cluster.

The network is the set of all messages sent so far. Any of them may be delivered at any time, any number of
times, or never; that is delay, reordering, loss and duplication at once. What the environment does, a timeout
or a restart, is a message too, which is delivered once at most. The search goes breadth first, so that the
first violation it meets ends one of the shortest executions that have one.

It knows nothing of Paxos but ``receive``, names, ``learned``, and what is :func:`chosen
<toy_paxos.safety.chosen>`. States that differ only by renaming acceptors count as one, as long as acceptors are
alike. Whether they are is found out; if what one does depends on what it is called, all names count.

What is left out: FAIL is never delivered, unless a model says so. It tells a proposer only that it may give up,
and a proposer that hears nothing has given up too; but to tell all the ways of giving up apart takes hundreds
of times as many states.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from time import monotonic

from toy_paxos.actor import Actor
from toy_paxos.cluster import CheckError, Cluster, Model, Order, State, Symmetry, numbers
from toy_paxos.message import Accept, Message, Timeout
from toy_paxos.network import Delivery, Event, Fate, Learned
from toy_paxos.safety import chosen, watch


@dataclass(frozen=True)
class Report:
    """What a search found.

    ``violation`` says in words what goes wrong at the end of ``execution``, the messages delivered until then.
    If nothing does, ``complete`` says whether there was nothing left to explore; if so, ``never`` has the
    values that some execution should choose, and none does.
    """

    model: Model
    states: int
    transitions: int
    depth: int
    elapsed_s: float
    complete: bool
    violation: str | None
    execution: Sequence[Message]
    never: Sequence[str]

    @property
    def safe(self) -> bool:
        """Whether all was explored, nothing goes wrong, and what should happen sometimes can."""
        return self.complete and self.violation is None and not self.never


def check(
    model: Model,
    max_states: int | None = None,
    keep_going: Callable[[int, int], bool] = lambda states, depth: True,
) -> Report:
    """Explore all that can happen in a model, or until something goes wrong, or up to so many states.

    ``keep_going`` is asked now and then, with the numbers of states and of deliveries so far; the search
    ends early when it says no. Raises CheckError if an actor fails, or has a state that is not plain data.
    """
    try:
        return Search(model, max_states, keep_going).run()
    except (TypeError, ValueError, AttributeError) as error:
        raise CheckError(f"{type(error).__name__}: {error}") from error


class Search:
    """A search through the states of a model, breadth first."""

    def __init__(self, model: Model, max_states: int | None, keep_going: Callable[[int, int], bool]) -> None:
        self.began = monotonic()
        self.model = model
        self.max_states = max_states
        self.keep_going = keep_going
        self.cluster = Cluster(model)
        self.symmetry = Symmetry(self.cluster) if model.symmetric else None
        self.transitions = self.depth = 0
        self.complete = False
        self.values_chosen: dict[int, list[str]] = {}
        # Where each state was met first: after which state, and which message.
        self.origins: dict[State, tuple[State, int] | None] = {self.canonical(self.cluster.start)[0]: None}

    def canonical(self, state: State) -> tuple[State, Order]:
        """The state that stands for all that differ from this one by names only, and how to get there."""
        if self.symmetry:
            return self.symmetry.canonical(state)
        return state, tuple(range(self.model.num_acceptors))

    def run(self) -> Report:
        """Explore, and report."""
        violation, execution = self.explore() or (None, [])
        if self.symmetry and not self.symmetry.holds():
            by_names = Search(replace(self.model, symmetric=False), self.max_states, self.keep_going)
            by_names.began = self.began
            return by_names.run()
        self.check_timeouts()
        elapsed = monotonic() - self.began
        ever = {value for values in self.values_chosen.values() for value in values}
        never = [value for value in self.model.values if value not in ever and self.complete]
        states = len(self.origins)
        return Report(
            self.model,
            states,
            self.transitions,
            len(execution) or self.depth,
            elapsed,
            self.complete,
            violation,
            execution,
            never,
        )

    def check_timeouts(self) -> None:
        """Raise CheckError if a proposer never tried again, though it was told to: that would prove little."""
        if not self.complete:
            return
        effective = {number for (_, _, number), result in self.cluster.steps.items() if result[1]}
        for number, message in enumerate(self.cluster.messages):
            if isinstance(message, Timeout) and number not in effective:
                raise CheckError(
                    f"TIMEOUT {message.id} never makes {message.recipient} try again: "
                    "its numbers have to be its first one, plus the step, plus the step again"
                )

    def explore(self) -> tuple[str, list[Message]] | None:
        """Visit states level by level; return the first violation, and the execution that ends with it."""
        frontier = list(self.origins)
        while frontier:
            level, frontier = frontier, []
            for state in level:
                for number, position, after in self.cluster.successors(state):
                    self.transitions += 1
                    if words := self.violation(state, number, position, after):
                        return words, self.execution(state, number)
                    # Many a state is canonical already, and the cheaper question comes first.
                    if after in self.origins:
                        continue
                    canonical, _ = self.canonical(after)
                    if canonical not in self.origins:
                        self.origins[canonical] = state, number
                        frontier.append(canonical)
                if not self.may_go_on():
                    return None
            self.depth += bool(frontier)
        self.complete = True
        return None

    def may_go_on(self) -> bool:
        """Whether neither the number of states nor anybody speaks against it."""
        states = len(self.origins)
        return (self.max_states is None or states <= self.max_states) and self.keep_going(states, self.depth)

    # What must always be so

    def violation(self, before: State, number: int, position: int, after: State) -> str | None:
        """What goes wrong when a message is delivered, if anything does."""
        values = self.chosen_values(after[-2])
        if len(values) > 1:
            first = self.chosen_values(before[-2]) or values[:1]
            return f"a second value is chosen: {next(value for value in values if value not in first)}"
        if values and values[0] not in self.model.values:
            return f"a value is chosen that nobody proposed: {values[0]}"
        if position < self.cluster.first_acceptor:
            learned = self.cluster.learned(after[position])
            if learned is not None and learned not in values:
                return f"{self.cluster.names[position]} learns what is not chosen: {learned}"
        elif not self.model.promises_may_fall:
            return self.fallen_promise(before, number, position)
        return None

    def chosen_values(self, sent: int) -> list[str]:
        """The values that are chosen once these messages have been sent."""
        accepts = sent & self.cluster.accepts
        if accepts not in self.values_chosen:
            said = [m for at in numbers(accepts) if isinstance(m := self.cluster.messages[at], Accept)]
            proposals = chosen(said, self.model.num_acceptors)
            self.values_chosen[accepts] = list(dict.fromkeys(proposal.value for proposal in proposals))
        return self.values_chosen[accepts]

    def fallen_promise(self, before: State, number: int, position: int) -> str | None:
        """Whether an acceptor promises a number below one that it has promised."""
        _, answers = self.cluster.step(position, before[position], number)
        for promise in self.promises(answers):
            for earlier in self.promises(before[-2] & self.cluster.involving[position]):
                if earlier.sender == promise.sender and earlier.id > promise.id:
                    return f"{promise.sender} promises {promise.id} after {earlier.id}"
        return None

    def promises(self, messages: int) -> list[Message]:
        """The promises in a set of messages."""
        return [self.cluster.messages[at] for at in numbers(messages & self.cluster.promises)]

    # How it came to that

    def execution(self, state: State, number: int) -> list[Message]:
        """The messages whose delivery leads from the start to a state, and then one more."""
        path = [(state, number)]
        while origin := self.origins[path[-1][0]]:
            path.append(origin)
        # A state on the path has canonical names; here is who is meant by them.
        _, order = self.canonical(self.cluster.start)
        meant = {new: old for old, new in self.cluster.names_in(order).items()}
        delivered = []
        for state, number in reversed(path):
            delivered.append(self.cluster.renamed_message(number, meant))
            (after,) = (after for at, _, after in self.cluster.successors(state) if at == number)
            _, order = self.canonical(after)
            meant = {new: meant[old] for old, new in self.cluster.names_in(order).items()}
        return delivered


def story(model: Model, execution: Iterable[Message]) -> list[Event]:
    """An execution told as events, with the number of the delivery for a time; it is played to see the answers."""
    proposers, acceptors = model.new_actors()
    actors: dict[str, Actor] = {actor.name: actor for actor in (*proposers, *acceptors)}
    for proposer in proposers:
        proposer.prepare()
    events: list[Event] = []
    for time, message in enumerate(execution, start=1):
        actor = actors[message.recipient]
        knew = getattr(actor, "learned", None)
        events.append(Delivery(time, message, Fate.DELIVERED, actor.receive(message)))
        learned = getattr(actor, "learned", None)
        if learned is not None and learned != knew:
            events.append(Learned(time, actor.name, str(learned)))
    return list(watch(events, model.num_acceptors, model.values))
