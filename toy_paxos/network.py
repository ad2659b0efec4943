"""A network that delays, reorders, loses and duplicates: another delivery loop over the same actors.

Time is simulated, in milliseconds. A heap holds what will happen and when, nothing sleeps, and every die has
a stream of its own, so that one more message on one link does not change the delays on another. An actor
cannot tell this network from direct calls; what a proposer takes for a timeout is a message from the clock.

A round always ends: each message provokes finitely many others, and each proposer begins ``max_attempts``
attempts at most.

What is left out: acceptors that restart, partitions that last, and clocks that disagree.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from heapq import heappop, heappush
from itertools import count
from typing import Any, ClassVar

from toy_paxos.acceptor import FailingAcceptor
from toy_paxos.actor_registry import ActorRegistry
from toy_paxos.message import Fail, Message, Promise, Proposal, Propose, Terminate, Timeout
from toy_paxos.proposer import Proposer
from toy_paxos.settings import Network

# How long a message is on its way, at least and at most. More than a factor of two lets messages overtake
# each other; a request and its answer take up to 20 ms, which is what a timeout competes with.
MIN_DELAY_MS, MAX_DELAY_MS = 1.0, 10.0

Dice = Mapping[tuple[str, ...], Callable[[], float]]
"""A die for each name, a tuple of its purpose and of who it is for; each draws from 0 to below 1."""


class Fate(StrEnum):
    """What became of a message."""

    DELIVERED = "delivered"
    LOST = "lost"
    DUPLICATE = "duplicate"
    STALE = "stale"


@dataclass(slots=True)
class Event:
    """Something that happened, ``t_ms`` after the round began."""

    event: ClassVar[str]

    t_ms: float


@dataclass(slots=True)
class Delivery(Event):
    """A message met its fate, and provoked these answers.

    A lost one is known to be lost when it is sent, or when it reaches a proposer that has crashed. A stale
    one reached a proposer that has moved on to another number, and was ignored.
    """

    event: ClassVar[str] = "message"

    message: Message
    fate: Fate
    answers: Sequence[Message] = ()


@dataclass(slots=True)
class Crash(Event):
    """A proposer crashed before it could send a message."""

    event: ClassVar[str] = "crash"

    proposer: str
    unsent: str
    recipient: str


@dataclass(slots=True)
class TimedOut(Event):
    """A proposer has waited too long for a majority; ``last`` if it will not try again."""

    event: ClassVar[str] = "timeout"

    proposer: str
    attempt: int
    id: int
    last: bool


@dataclass(slots=True)
class Attempt(Event):
    """A proposer begins another attempt, under ``id``; that it begins a first one goes without saying."""

    event: ClassVar[str] = "attempt"

    proposer: str
    attempt: int
    id: int


@dataclass(slots=True)
class Adoption(Event):
    """A proposer gives up its own value for the one that an acceptor reported in its promise (P2c)."""

    event: ClassVar[str] = "adoption"

    proposer: str
    acceptor: str
    accepted_id: int
    value: str


@dataclass(slots=True)
class Learned(Event):
    """A proposer knows that a value is chosen."""

    event: ClassVar[str] = "learned"

    proposer: str
    value: str


class SilentAcceptor(FailingAcceptor):
    """A failing acceptor that never says no: it does not answer, as the paper has it."""

    def receive(self, message: Message) -> list[Message]:
        """Answer as a failing acceptor does, but for FAIL."""
        return [answer for answer in super().receive(message) if not isinstance(answer, Fail)]


class Simulation:
    """One round of proposers among the registered acceptors."""

    def __init__(self, actors: ActorRegistry, proposers: Sequence[Proposer], network: Network, dice: Dice) -> None:
        self.actors = actors
        self.proposers = {proposer.name: proposer for proposer in proposers}
        self.network = network
        self.dice = dice
        self.now = 0.0
        self.events: list[Event] = []
        # What will happen: when, a number that keeps the order among equals, what to do, and with what.
        self.agenda: list[tuple[float, int, Callable[[Any], None], Any]] = []
        self.order = count()
        self.crashed: set[str] = set()
        self.gave_up: set[str] = set()
        # What was reported as accepted: to whom, for which number, what, and by whom.
        self.reports: list[tuple[str, int, Proposal, str]] = []
        self.attempts = dict.fromkeys(self.proposers, 1)
        # A timer counts only as long as its number stands here.
        self.timers: dict[str, int] = {}

    def run(self) -> list[Event]:
        """Let all proposers begin, and return what happened until nothing is left to happen."""
        for proposer in self.proposers.values():
            self.send(proposer, proposer.prepare())
        while self.agenda:
            self.now, _, action, subject = heappop(self.agenda)
            action(subject)
        return self.events

    def schedule(self, delay: float, action: Callable[[Any], None], subject: object) -> None:
        """Do something after a delay."""
        heappush(self.agenda, (self.now + delay, next(self.order), action, subject))

    # Messages

    def send(self, proposer: Proposer, messages: list[Message]) -> None:
        """Send what a proposer has to say, unless it crashes between two messages, and set its timer."""
        crash_prob = self.network.proposer_failure_prob
        for message in messages:
            if crash_prob and self.dice["crash", proposer.name]() < crash_prob:
                self.crashed.add(proposer.name)
                self.events.append(Crash(self.now, proposer.name, message.type, message.recipient))
                return
            self.route(message)
        if not isinstance(messages[0], Terminate):
            self.set_timer(proposer)

    def route(self, message: Message) -> None:
        """Lose a message, or let it arrive once or twice."""
        link = message.sender, message.recipient
        loss_prob = self.network.message_loss_prob
        if loss_prob and self.dice["loss", *link]() < loss_prob:
            self.events.append(Delivery(self.now, message, Fate.LOST))
            return
        delay = self.delay(link)
        duplication_prob = self.network.message_duplication_prob
        if duplication_prob and self.dice["duplication", *link]() < duplication_prob:
            delay, later = sorted((delay, self.delay(link)))
            self.schedule(later, self.deliver_again, message)
        self.schedule(delay, self.deliver, message)

    def delay(self, link: tuple[str, str]) -> float:
        """How long the next message on a link takes."""
        return MIN_DELAY_MS + (MAX_DELAY_MS - MIN_DELAY_MS) * self.dice["delay", *link]()

    def deliver(self, message: Message, fate: Fate = Fate.DELIVERED) -> None:
        """Let a message reach its recipient."""
        proposer = self.proposers.get(message.recipient)
        if proposer:
            self.deliver_to_proposer(proposer, message, fate)
            return
        answers = self.actors[message.recipient].receive(message)
        self.events.append(Delivery(self.now, message, fate, answers))
        for answer in answers:
            self.route(answer)

    def deliver_again(self, message: Message) -> None:
        """Let the second copy of a message reach its recipient."""
        self.deliver(message, Fate.DUPLICATE)

    def deliver_to_proposer(self, proposer: Proposer, message: Message, fate: Fate) -> None:
        """Let an answer reach a proposer, which may be dead, or may have moved on, or may act."""
        if proposer.name in self.crashed:
            self.events.append(Delivery(self.now, message, Fate.LOST))
            return
        if message.id != proposer.id:
            fate = Fate.STALE
        elif isinstance(message, Promise) and message.accepted:
            self.reports.append((proposer.name, message.id, message.accepted, message.sender))
        knew = proposer.learned
        answers = proposer.receive(message)
        if proposer.name in self.gave_up:
            # It may still learn, but it has nothing more to say.
            answers = []
        self.events.append(Delivery(self.now, message, fate, answers))
        if proposer.learned is not None and proposer.learned != knew:
            self.events.append(Learned(self.now, proposer.name, proposer.learned))
        if answers:
            self.note_adoption(proposer, answers[0])
            self.send(proposer, answers)

    def note_adoption(self, proposer: Proposer, message: Message) -> None:
        """Tell whose value a proposer proposes, if it is not its own, and which promise brought it."""
        if isinstance(message, Propose) and message.value != proposer.value:
            carriers = [
                (accepted, acceptor)
                for name, id, accepted, acceptor in self.reports
                if (name, id, accepted.value) == (proposer.name, message.id, message.value)
            ]
            for (id, value), acceptor in sorted(carriers)[-1:]:
                self.events.append(Adoption(self.now, proposer.name, acceptor, id, value))

    # Time

    def set_timer(self, proposer: Proposer) -> None:
        """Begin to wait for a majority; an earlier wait of the same proposer is over."""
        self.timers[proposer.name] = timer = next(self.order)
        self.schedule(self.network.timeout, self.time_out, (proposer, timer))

    def is_waiting(self, proposer: Proposer, timer: int) -> bool:
        """Whether a proposer still waits for what it waited for when the timer was set."""
        return (
            self.timers[proposer.name] == timer and proposer.name not in self.crashed and proposer.learned is None
        )

    def time_out(self, waiting: tuple[Proposer, int]) -> None:
        """End a wait: the proposer gives up, or tries again after a random pause."""
        proposer, _ = waiting
        if not self.is_waiting(*waiting):
            return
        attempts = self.attempts[proposer.name]
        last = attempts == self.network.max_attempts
        self.events.append(TimedOut(self.now, proposer.name, attempts, proposer.id, last))
        if last:
            self.gave_up.add(proposer.name)
        else:
            # The pauses grow, and so do the chances that one proposer is through before the other is back.
            pause = attempts * self.network.backoff * self.dice["backoff", proposer.name]()
            self.schedule(pause, self.try_again, waiting)

    def try_again(self, waiting: tuple[Proposer, int]) -> None:
        """Let a proposer begin another attempt, unless a late answer has brought it further meanwhile."""
        proposer, _ = waiting
        if not self.is_waiting(*waiting):
            return
        messages = proposer.receive(Timeout("clock", proposer.name, proposer.id))
        self.attempts[proposer.name] += 1
        self.events.append(Attempt(self.now, proposer.name, self.attempts[proposer.name], proposer.id))
        self.send(proposer, messages)
