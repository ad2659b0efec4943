"""A network that delays, reorders, loses and duplicates: another delivery loop over the same actors.

Time is simulated, in milliseconds. A heap holds what will happen and when, nothing sleeps, and every die has
a stream of its own, so that one more message on one link does not change the delays on another. An actor
cannot tell this network from direct calls; what a proposer takes for a timeout is a message from the clock.

A round always ends: each message provokes finitely many others, and each proposer begins ``max_attempts``
attempts at most.

What is left out: partitions that last, and clocks that disagree.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from heapq import heappop, heappush
from itertools import count
from typing import Any

from toy_paxos.actor import ProposingActor
from toy_paxos.actor_registry import ActorRegistry
from toy_paxos.event import AcceptorCrash, Crash, Delivery, Event, Fate, TimedOut, Wants, hand_over, learned_by, listed
from toy_paxos.message import Fail, Message, Restart, Terminate, Timeout
from toy_paxos.simulation.settings import Network

# How long a message is on its way, at least and at most. More than a factor of two lets messages overtake
# each other; a request and its answer take up to 20 ms, which is what a timeout competes with.
MIN_DELAY_MS, MAX_DELAY_MS = 1.0, 10.0

# How long an acceptor that has crashed is down at most.
MAX_DOWN_MS = 30.0

Draws = Mapping[tuple[str, ...], Callable[[], float]]
"""A die for each name, a tuple of its purpose and of who it is for; each draws from 0 to below 1."""


class Simulation:
    """One round of proposers, each with its wish, among the registered acceptors."""

    def __init__(self, actors: ActorRegistry, wishes: Mapping[str, str], network: Network, dice: Draws) -> None:
        self.actors = actors
        self.wishes = wishes
        self.network = network
        self.dice = dice
        self.now = 0.0
        self.events: list[Event] = []
        # What will happen: when, a number that keeps the order among equals, what to do, and with what.
        self.agenda: list[tuple[float, int, Callable[[Any], None], Any]] = []
        self.order = count()
        self.crashed: set[str] = set()
        self.gave_up: set[str] = set()
        # Of each proposer: the number that it last spoke of, how many attempts it has begun, and which of its
        # timers counts.
        self.ids: dict[str, int] = {}
        self.attempts = dict.fromkeys(wishes, 1)
        self.timers: dict[str, int] = {}
        # Of each acceptor: when it crashed last, whether it is still down, and how often it has restarted.
        self.last_crash: dict[str, float] = {}
        self.down: set[str] = set()
        self.restarts: Counter[str] = Counter()

    def run(self) -> list[Event]:
        """Let all proposers begin, and return what happened until nothing is left to happen."""
        for name, value in self.wishes.items():
            proposer = self.proposer(name)
            messages = listed(proposer.prepare())
            self.events.append(Wants(self.now, name, value, messages, learned_by(proposer)))
            self.send(name, messages)
        while self.agenda:
            self.now, _, action, subject = heappop(self.agenda)
            action(subject)
        return self.events

    def proposer(self, name: str) -> ProposingActor:
        """The proposer of that name."""
        proposer: Any = self.actors[name]
        return proposer  # type: ignore[no-any-return]

    def schedule(self, delay: float, action: Callable[[Any], None], subject: object) -> None:
        """Do something after a delay."""
        heappush(self.agenda, (self.now + delay, next(self.order), action, subject))

    # Messages

    def send(self, proposer: str, messages: Sequence[Message]) -> None:
        """Send what a proposer has to say, if anything, unless it crashes between two messages, and set its timer."""
        if not messages:
            return
        crash_prob = self.network.proposer_failure_prob
        for message in messages:
            if crash_prob and self.dice["crash", proposer]() < crash_prob:
                self.crashed.add(proposer)
                self.events.append(Crash(self.now, proposer, message.type, message.recipient))
                return
            self.route(message)
        self.ids[proposer] = messages[0].id
        if not isinstance(messages[0], Terminate):
            self.set_timer(proposer)

    def route(self, message: Message) -> None:
        """Lose a message, or let it arrive once or twice."""
        link = message.sender, message.recipient
        loss_prob = self.network.message_loss_prob
        if loss_prob and self.dice["loss", *link]() < loss_prob:
            self.events.append(Delivery(self.now, message, Fate.LOST, self.now))
            return
        delay = self.delay(link)
        duplication_prob = self.network.message_duplication_prob
        if duplication_prob and self.dice["duplication", *link]() < duplication_prob:
            delay, later = sorted((delay, self.delay(link)))
            self.schedule(later, self.deliver, (message, self.now, Fate.DUPLICATE))
        self.schedule(delay, self.deliver, (message, self.now, Fate.DELIVERED))

    def delay(self, link: tuple[str, str]) -> float:
        """How long the next message on a link takes."""
        return MIN_DELAY_MS + (MAX_DELAY_MS - MIN_DELAY_MS) * self.dice["delay", *link]()

    def deliver(self, arriving: tuple[Message, float, Fate]) -> None:
        """Let a message reach its recipient, who may be dead, or may act."""
        message, sent, fate = arriving
        recipient = message.recipient
        if recipient in self.crashed or recipient in self.down or sent < self.last_crash.get(recipient, 0):
            self.events.append(Delivery(self.now, message, Fate.LOST, sent))
            return
        crash_prob = self.network.acceptor_crash_prob
        if crash_prob and recipient not in self.wishes and self.dice["acceptor-crash", recipient]() < crash_prob:
            self.crash_acceptor(arriving)
            return
        proposes = recipient in self.wishes
        event = hand_over(self.actors[recipient], message, self.now, sent, fate, proposes)
        self.events.append(event)
        if proposes:
            if recipient in self.gave_up:
                # It may still learn, but it has nothing more to say.
                event.answers = ()
            self.send(recipient, event.answers)
            return
        if self.network.failure_mode == "silent":
            event.answers = [answer for answer in event.answers if not isinstance(answer, Fail)]
        for answer in event.answers:
            self.route(answer)

    def crash_acceptor(self, arriving: tuple[Message, float, Fate]) -> None:
        """Let an acceptor crash, and lose a message and all that is on its way; it comes back after a random pause."""
        message, sent, _ = arriving
        acceptor = message.recipient
        self.events += [
            AcceptorCrash(self.now, acceptor),
            Delivery(self.now, message, Fate.LOST, sent),
        ]
        self.last_crash[acceptor] = self.now
        self.down.add(acceptor)
        self.schedule(MAX_DOWN_MS * self.dice["restart", acceptor](), self.restart, acceptor)

    def restart(self, acceptor: str) -> None:
        """Let an acceptor come back with what is in stable storage."""
        self.down.remove(acceptor)
        self.restarts[acceptor] += 1
        message = Restart("power", acceptor, self.restarts[acceptor])
        event = hand_over(self.actors[acceptor], message, self.now, self.now)
        self.events.append(event)
        for answer in event.answers:
            self.route(answer)

    # Time

    def set_timer(self, proposer: str) -> None:
        """Begin to wait for a majority; an earlier wait of the same proposer is over."""
        self.timers[proposer] = timer = next(self.order)
        self.schedule(self.network.timeout, self.time_out, (proposer, timer))

    def is_waiting(self, proposer: str, timer: int) -> bool:
        """Whether a proposer still waits for what it waited for when the timer was set."""
        return (
            self.timers[proposer] == timer and proposer not in self.crashed and self.proposer(proposer).learned is None
        )

    def time_out(self, waiting: tuple[str, int]) -> None:
        """End a wait: the proposer gives up, or tries again after a random pause."""
        proposer, _ = waiting
        if not self.is_waiting(*waiting):
            return
        attempts = self.attempts[proposer]
        last = attempts == self.network.max_attempts
        self.events.append(TimedOut(self.now, proposer, attempts, self.ids[proposer], last))
        if last:
            self.gave_up.add(proposer)
        else:
            # The pauses grow, and so do the chances that one proposer is through before the other is back.
            pause = attempts * self.network.backoff * self.dice["backoff", proposer]()
            self.schedule(pause, self.try_again, waiting)

    def try_again(self, waiting: tuple[str, int]) -> None:
        """Let a proposer begin another attempt, unless a late answer has brought it further meanwhile."""
        proposer, _ = waiting
        if self.is_waiting(*waiting):
            self.attempts[proposer] += 1
            timeout = Timeout("clock", proposer, self.ids[proposer])
            self.deliver((timeout, self.now, Fate.DELIVERED))
