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

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from time import monotonic

from toy_paxos.actor import Actor
from toy_paxos.checking.cluster import CheckError, Cluster, Model, Order, State, Symmetry, numbers
from toy_paxos.event import Event, Violation, Wants, hand_over, learned_by
from toy_paxos.message import Accept, Message, Promise, Propose, Timeout
from toy_paxos.safety import Moment, Property, chosen, watch


@dataclass(frozen=True)
class Report:
    """What a search found.

    ``violation`` says in words what goes wrong at the end of ``story``, an execution told as events, and ``lost`` names
    the property. If nothing does, ``complete`` says whether there was nothing left to explore; if so, ``never`` has
    the values that some execution should choose, and none does. ``missed_at`` is the delivery at which a changed rule
    showed first, 0 if that was before any, None if no rule was changed or nothing goes wrong.
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
    missed_at: int | None = None

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
        self.judged: dict[tuple[int, int, tuple[str | None, ...], int, int], tuple[Property, str] | None] = {}
        # Where each state was met first: after which state, and which message.
        self.origins: dict[State, tuple[State, int] | None] = {self.canonical(self.cluster.start)[0]: None}

    def canonical(self, state: State) -> tuple[State, Order]:
        """The state that stands for all that differ from this one by names only, and how to get there."""
        if self.symmetry:
            return self.symmetry.canonical(state)
        return state, tuple(range(self.model.num_acceptors))

    def run(self) -> Report:
        """Explore, and report."""
        found = self.explore()
        (lost, violation), execution = found or ((None, None), [])
        if self.symmetry and not self.symmetry.holds():
            by_names = Search(replace(self.model, symmetric=False), self.max_states, self.keep_going)
            by_names.began = self.began
            return by_names.run()
        self.check_timeouts()
        elapsed = monotonic() - self.began
        ever = self.values_chosen() if self.complete else self.model.values
        never = [value for value in self.model.values if value not in ever]
        states = len(self.origins)
        return Report(
            self.model,
            states,
            self.transitions,
            len(execution) or self.depth,
            elapsed,
            self.complete,
            violation,
            lost,
            execution,
            list(story(self.model, execution)) if violation else [],
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

    def explore(self) -> tuple[tuple[Property, str], list[Message]] | None:
        """Visit states level by level; return the first violation, and the execution that ends with it."""
        frontier = list(self.origins)
        while frontier:
            level, frontier = frontier, []
            for state in level:
                for number, position, after in self.cluster.successors(state):
                    self.transitions += 1
                    if lost := self.violation(state, number, position, after):
                        return lost, self.execution(state, number)
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

    def violation(self, before: State, number: int, position: int, after: State) -> tuple[Property, str] | None:
        """Which property is lost when a message is delivered, and how, if any is."""
        cluster = self.cluster
        matters = cluster.accepts | cluster.proposes
        learned = tuple(map(cluster.learned, after[: cluster.first_acceptor]))
        new = self.new_promises(before, number, position)
        promised = before[-2] & cluster.promises & cluster.involving[position] if new else 0
        # What the properties ask about is much less than a state, and the same for many.
        key = before[-2] & cluster.accepts, after[-2] & matters, learned, new, promised
        if key not in self.judged:
            moment = self.moment(*key)
            lost = ((property, property.lost(moment)) for property in self.model.properties)
            self.judged[key] = next(((property, words) for property, words in lost if words), None)
        return self.judged[key]

    def new_promises(self, before: State, number: int, position: int) -> int:
        """The promises that a delivery brings about, and that were not there before."""
        _, answers = self.cluster.step(position, before[position], number)
        return answers & self.cluster.promises & ~before[-2]

    def moment(self, accepts_before: int, said: int, learned: Sequence[str | None], new: int, promised: int) -> Moment:
        """What is so when this has been said and learned."""
        messages = [self.cluster.messages[at] for at in numbers(accepts_before)]
        messages += [self.cluster.messages[at] for at in numbers(said & ~accepts_before)]
        accepts = [message for message in messages if isinstance(message, Accept)]
        highest: dict[str, int] = {}
        for promise in self.promises(promised):
            highest[promise.sender] = max(promise.id, highest.get(promise.sender, 0))
        return Moment(
            wishes=self.model.values,
            issued={(message.id, message.value) for message in messages if isinstance(message, Propose)},
            chosen=chosen(accepts, self.model.num_acceptors),
            learned={
                name: value for name, value in zip(self.cluster.names, learned, strict=False) if value is not None
            },
            promises=self.promises(new),
            promised=highest,
        )

    def promises(self, messages: int) -> list[Promise]:
        """The promises in a set of messages."""
        found = [self.cluster.messages[at] for at in numbers(messages)]
        return [message for message in found if isinstance(message, Promise)]

    def values_chosen(self) -> set[str]:
        """The values that were chosen in any of the states that were judged."""
        moments = (self.moment(*key) for key in self.judged)
        return {proposal.value for moment in moments for proposal in moment.chosen}

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


def story(model: Model, execution: Iterable[Message]) -> Iterator[Event]:
    """An execution told as events, with the number of the delivery for a time, until a property of the model is lost.

    It is played on real actors. Every message was there from the moment when it was first said.
    """
    names = {property.name for property in model.properties}
    for event in watch(play(model, execution), model.num_acceptors):
        if not isinstance(event, Violation) or event.property in names:
            yield event
        if isinstance(event, Violation) and event.property in names:
            return


def play(model: Model, execution: Iterable[Message]) -> Iterator[Event]:
    """What happens when these messages are delivered one after the other."""
    proposers, acceptors = model.new_actors()
    actors: dict[str, Actor] = {actor.name: actor for actor in (*proposers, *acceptors)}
    sent: dict[str, int] = {}
    for proposer, value in zip(proposers, model.values, strict=True):
        says = proposer.prepare()
        sent |= dict.fromkeys(map(repr, says), 0)
        yield Wants(0, proposer.name, value, says, learned_by(proposer))
    wishes = {proposer.name for proposer in proposers}
    for time, message in enumerate(execution, start=1):
        recipient = message.recipient
        event = hand_over(actors[recipient], message, time, sent.get(repr(message), time), proposes=recipient in wishes)
        for answer in event.answers:
            sent.setdefault(repr(answer), time)
        yield event
