"""Progress: once the network behaves, a proposer that keeps trying learns a value.

A cluster that never decides is safe, so safety is not enough. From each state that the search visits, there is a
**quiet run** for each proposer, and another one after each acceptor has restarted once more, if it can: the search does
not visit the state of an actor that is silent from then on. Everything said so far is delivered once (without FAIL, if
the search delivers none), and then each new message once, FAIL included. When deliveries bring nothing new, this
proposer gets a timeout; the other proposers get none. Such a run is a possible execution, so a failure in it can
happen. Progress is lost only if the proposer never learns in the run, however long that lasts:

- at some timeout the state is the same as at an earlier timeout, so the run repeats itself for ever; or
- the proposer has begun five attempts, each above every number that an acceptor has promised.

For example, a proposer repeats its PREPARE with the same number at each timeout. If two acceptors of three have
promised a higher number, they refuse it, and at the next timeout the state is the same.

Other proposers may go on when they receive messages. Then proposers can interrupt each other, as correct ones do, so
timeouts and attempts before that do not count. The result is *not known* after fifty timeouts, or if an actor raises an
error. It is *not judged* if a timeout has no effect on the proposer, which then does not keep trying.

Runs from states that differ only in messages on their way soon meet, so most of a run is taken from a cache. The search
removes messages that make no difference to it (:mod:`toy_paxos.checking.reduction`), but in a quiet run they could make
one. So a run without progress is repeated after the whole execution, and then by real actors.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import groupby, islice
from operator import attrgetter
from typing import NamedTuple

from toy_paxos.checking.cluster import Cluster, State, Step, cached_method, numbers
from toy_paxos.checking.determinism import repeat_steps
from toy_paxos.checking.game import story
from toy_paxos.checking.model import CheckError
from toy_paxos.event import Delivery, Learned
from toy_paxos.message import Accept, Message, Prepare, Promise, Propose, Restart, Timeout
from toy_paxos.story import Story

MAX_TIMEOUTS = 50
MAX_ATTEMPTS = 5

# The limit on the deliveries between two timeouts; more of them may have no end.
MAX_DELIVERIES = 1_000

# The limit on the runs without a known result; after it no more are tried.
MAX_DOUBTS = 100

# Quiet runs may take this many steps, and in addition a quarter as many as the search.
FREE_STEPS = 2_000

KEPT, LOST, NOT_JUDGED, NOT_KNOWN = "kept", "lost", "not judged", "not known"

Actors = tuple[int, ...]
"""The number of the state of each actor."""


class Settled(NamedTuple):
    """The result of deliveries until nothing is new: actors, messages still on their way, deliveries, and speakers."""

    actors: Actors
    coming: int
    deliveries: Sequence[int]
    spoke: set[int]


class QuietRun(NamedTuple):
    """The result of a quiet run, the reason for it, and the deliveries.

    If the run repeats itself, ``repeats`` is the number of deliveries after which the state was that of the end.
    """

    result: str
    reason: str = ""
    deliveries: Sequence[int] = ()
    repeats: int | None = None


NOT_EXPLORED = QuietRun(NOT_KNOWN, "not explored to the end")


class Stuck(NamedTuple):
    """A loss of progress: the deliveries, how many of them come before the quiet run, the story, and the reason."""

    execution: Sequence[Message]
    quiet_from: int | None
    story: Story
    reason: str


class Progress:
    """The quiet runs from the states of a search, in a separate cluster, so that the search does not count their steps.

    ``result`` is the result of all runs so far, and ``reason`` the reason; ``stuck`` is the first loss of progress.
    """

    def __init__(self, searched: Cluster) -> None:
        self.searched = searched
        self.cluster = Cluster(replace(searched.model, fail=True, max_attempts=2))
        self.proposers = range(self.cluster.first_acceptor)
        # Proposers come last, so that what acceptors answer reaches them in the same turn.
        self.turns = [*range(self.cluster.first_acceptor, len(self.cluster.actors)), *self.proposers]
        self.timeouts = [*numbers(self.cluster.start.pending & self.cluster.timeouts)]
        self.result, self.reason = KEPT, ""
        self.stuck: Stuck | None = None
        self.doubts = 0

    def losers(self, state: State) -> list[tuple[int, bool]]:
        """Return the proposers that seem to be stuck in a state of the search, and whether only after restarts."""
        too_many = len(self.cluster.steps) > FREE_STEPS + len(self.searched.steps) // 4
        if self.stuck or self.doubts > MAX_DOUBTS or too_many:
            if too_many and self.result == KEPT:
                self.result, self.reason = NOT_KNOWN, "the actors have too many states"
            return []
        try:
            if found := self.losers_after(*self.after_hearing_all(state)):
                return [(proposer, False) for proposer in found]
            if after := self.after_restarts(state):
                found = self.losers_after(*self.after_hearing_all(after))
        except CheckError as error:
            self.note(QuietRun(NOT_KNOWN, str(error)))
            return []
        return [(proposer, True) for proposer in found]

    @cached_method
    def losers_after(self, actors: Actors, coming: int) -> list[int]:
        """Return the proposers that seem to be stuck with these messages on their way."""
        # No proposer with the usual numbers has a higher one in the search.
        model = self.searched.model
        highest = model.first_number + model.num_proposers * model.max_attempts
        runs = [self.quiet_run(proposer, actors, coming, highest) for proposer in self.proposers]
        return [proposer for proposer, run in enumerate(runs) if self.note(run)]

    def note(self, run: QuietRun) -> bool:
        """Add the result of a run to those before; return whether progress seems to be lost in it."""
        self.doubts += run.result == NOT_KNOWN
        if run.result == NOT_JUDGED or (run.result == NOT_KNOWN and self.result == KEPT):
            self.result, self.reason = run.result, run.reason
        return run.result == LOST

    def confirm(self, proposer: int, execution: Sequence[Message], restarted: bool) -> None:
        """Repeat the quiet run of a proposer after a whole execution, and by real actors; note whether it is stuck.

        If ``restarted``, each acceptor that can restarts once more before that run.
        """
        cluster = self.cluster
        if restarted:
            # The environment has all restarts of an acceptor one after the other.
            left = (each for each in cluster.model.environment() if each not in execution and isinstance(each, Restart))
            execution = [*execution, *[next(each) for _, each in groupby(left, attrgetter("recipient"))]]
        delivered = [
            self.timeouts[cluster.positions[message.recipient]]
            if isinstance(message, Timeout)
            else cluster.number_of_message(message)
            for message in execution
        ]
        actors, said, steps = self.deliver(cluster.start.actors, cluster.start.said, delivered)
        run = self.quiet_run(proposer, actors, said, self.highest(Promise, numbers(said)))
        name = cluster.names[proposer]
        if run.result == LOST:
            *_, quiet_steps = self.deliver(actors, said, run.deliveries)
            repeat_steps(cluster, [*steps, *quiet_steps])
            deliveries = [*execution, *(cluster.messages[number] for number in run.deliveries)]
            told = story(self.searched.model, deliveries)
            if not any(isinstance(event, Learned) and event.proposer == name for event in told.events):
                begins, reason = len(execution), run.reason
                if run.repeats is not None:
                    reason = f"the state after delivery {len(deliveries)} is that after delivery {begins + run.repeats}"
                self.result = LOST
                since = f" after delivery {begins}" if begins else ""
                self.reason = f"no message is lost{since}, but {name} never learns: {reason}"
                self.stuck = Stuck(deliveries, begins, told, refusals(told, name))
                return
        self.note(QuietRun(NOT_KNOWN, "a quiet run depends on messages that the search has forgotten"))

    def deliver(
        self, actors: Actors, said: int, messages: Sequence[int]
    ) -> tuple[Actors, int, list[tuple[int, int, int]]]:
        """Return the actors after some deliveries, all messages said by then, and the steps."""
        steps = []
        for number in messages:
            at = self.cluster.positions[self.cluster.messages[number].recipient]
            steps.append((at, actors[at], number))
            after, news = self.cluster.step(*steps[-1])
            actors, said = (*actors[:at], after, *actors[at + 1 :]), said | news
        return actors, said, steps

    def after_restarts(self, state: State) -> State | None:
        """Return the state of the search after each acceptor has restarted that can; None if that changes nothing."""
        first = self.searched.first_acceptor
        before = state.actors[first:]
        acceptors, said = self.restart_all(before, state.pending & ~self.searched.timeouts)
        if (acceptors, said) == (before, 0):
            return None
        return state._replace(actors=(*state.actors[:first], *acceptors), said=state.said | said)

    @cached_method
    def restart_all(self, acceptors: Actors, pending: int) -> tuple[Actors, int]:
        """Return the acceptors after the first pending restart of each, and the messages that they say."""
        cluster, after, all_said = self.searched, [*acceptors], 0
        for place, acceptor in enumerate(acceptors):
            at = cluster.first_acceptor + place
            for number in islice(cluster.effective(at, acceptor, pending), 1):
                after[place], said = cluster.step(at, acceptor, number)
                all_said |= said
        return tuple(after), all_said

    def after_hearing_all(self, state: State) -> tuple[Actors, int]:
        """Return the actors after they receive everything said in a state of the search, and the new messages."""
        actors, coming = [*state.actors], 0
        for at in self.turns:
            actor, said = self.translated(at, actors[at], state.said & self.searched.to[at])
            arrived = said | coming & self.cluster.to[at]
            actors[at], answers = self.hear(at, actor, arrived)
            coming = coming & ~arrived | answers
        return tuple(actors), coming

    @cached_method
    def translated(self, position: int, actor: int, said: int) -> tuple[int, int]:
        """Return the state of an actor, and messages to it, with their numbers here instead of those in the search."""
        messages = [self.cluster.number_of_message(self.searched.messages[number]) for number in numbers(said)]
        return self.cluster.number_of_state(self.searched.states[actor]), sum(1 << number for number in messages)

    @cached_method
    def hear(self, position: int, state: int, messages: int) -> Step:
        """Let an actor receive messages, one after the other; return its state and the messages that it says."""
        all_said = 0
        for number in numbers(messages):
            state, said = self.cluster.step(position, state, number)
            all_said |= said
        return state, all_said

    def quiet_run(self, proposer: int, actors: Actors, coming: int, highest: int) -> QuietRun:
        """Deliver messages until nothing is new, then let a proposer keep trying."""
        try:
            settled = self.settle(actors, coming)
            run = self.keep_trying(proposer, settled.actors, settled.coming, highest)
        except CheckError as error:
            return QuietRun(NOT_KNOWN, str(error))
        repeats = None if run.repeats is None else len(settled.deliveries) + run.repeats
        return run._replace(deliveries=[*settled.deliveries, *run.deliveries], repeats=repeats)

    @cached_method
    def keep_trying(self, proposer: int, actors: Actors, coming: int, highest: int) -> QuietRun:
        """Let a proposer time out again and again; its attempts count only above the ``highest`` number promised."""
        deliveries: list[int] = []
        seen: dict[tuple[Actors, int], int] = {}
        attempts = 0
        for _ in range(MAX_TIMEOUTS):
            if self.cluster.learned(proposer, actors[proposer]) is not None:
                return QuietRun(KEPT)
            if attempts == MAX_ATTEMPTS:
                return QuietRun(LOST, f"{attempts} attempts above all promised numbers came to nothing", deliveries)
            if (actors, coming) in seen:
                return QuietRun(LOST, "", deliveries, seen[actors, coming])
            seen[actors, coming] = len(deliveries)
            timeout = self.timeouts[proposer]
            after, said = self.cluster.step(proposer, actors[proposer], timeout)
            if (after, said) == (actors[proposer], 0):
                name = self.cluster.names[proposer]
                return QuietRun(NOT_JUDGED, f"{name} does nothing on TIMEOUT in a state that it reaches")
            begun = self.highest(Prepare, numbers(said))
            attempts += begun > highest
            actors = (*actors[:proposer], after, *actors[proposer + 1 :])
            actors, coming, delivered, spoke = self.settle(actors, coming | said)
            deliveries += (timeout, *delivered)
            highest = max(highest, begun, self.highest(Promise, delivered))
            if spoke.intersection(self.proposers) - {proposer}:
                seen.clear()
                attempts = 0
        return QuietRun(NOT_KNOWN, f"nothing is known after {MAX_TIMEOUTS} timeouts")

    def highest(self, kind: type[Message], among: Iterable[int]) -> int:
        """Return the highest number of the messages of one kind, or 0 if there are none."""
        messages = [self.cluster.messages[number] for number in among]
        return max((message.id for message in messages if isinstance(message, kind)), default=0)

    @cached_method
    def settle(self, actors: Actors, coming: int) -> Settled:
        """Deliver messages until none is left, or the state repeats itself.

        Raises CheckError if there may be no end.
        """
        deliveries: list[int] = []
        spoke: set[int] = set()
        seen = set()
        while coming and (actors, coming) not in seen:
            seen.add((actors, coming))
            if len(deliveries) > MAX_DELIVERIES:
                raise CheckError("deliveries perhaps have no end")
            now = [*actors]
            for at in self.turns:
                if arrived := coming & self.cluster.to[at]:
                    deliveries += numbers(arrived)
                    now[at], said = self.hear(at, now[at], arrived)
                    coming = coming & ~arrived | said
                    if said:
                        spoke.add(at)
            actors = tuple(now)
        return Settled(actors, coming, deliveries, spoke)


def refusals(told: Story, proposer: str) -> str:
    """Return which of a proposer's last requests acceptors could grant and do not, or that its number is too low."""
    deliveries = [event for event in told.events if isinstance(event, Delivery)]
    requests = [each.message for each in deliveries if isinstance(each.message, (Prepare, Propose))]
    last = [request for request in requests if request.sender == proposer][-1]
    refused: dict[str, dict[str, None]] = {}
    promised: dict[str, int] = {}
    for event in deliveries:
        request, name = event.message, event.message.recipient
        if (request.sender, request.type) == (proposer, last.type):
            numbers = refused.setdefault(name, {})
            if any(isinstance(answer, (Promise, Accept)) for answer in event.answers):
                numbers.clear()
            elif promised.get(name, 0) < request.id + isinstance(request, Propose):
                numbers[str(request.id)] = None
        for answer in event.answers:
            if isinstance(answer, Promise):
                promised[name] = max(answer.id, promised.get(name, 0))
    if any(refused.values()):
        told_of = ((name, ", ".join(numbers)) for name, numbers in refused.items() if numbers)
        return "; ".join(f"{name} does not grant {last.type} {numbers}" for name, numbers in told_of)
    above = [name for name, number in promised.items() if number > last.id]
    return f"{proposer} goes on with {last.id}, but {', '.join(above)} promised a higher number" if above else ""
