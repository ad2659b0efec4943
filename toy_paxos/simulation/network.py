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
from toy_paxos.event import (
    DELIVERED,
    DUPLICATE,
    LOST,
    AcceptorCrash,
    Crash,
    Delivery,
    Event,
    Fate,
    TimedOut,
    Wants,
    learned_by,
    listed,
    seen_of,
)
from toy_paxos.message import Fail, Message, Restart, Terminate, Timeout
from toy_paxos.round import Facts
from toy_paxos.safety import Watcher
from toy_paxos.settings import Network
from toy_paxos.story import Configuration

# How long a message is on its way, at least and at most. More than a factor of two lets messages overtake
# each other; a request and its answer take up to 20 ms, which is what a timeout competes with.
MIN_DELAY_MS, MAX_DELAY_MS = 1.0, 10.0
DELAYS_MS = MAX_DELAY_MS - MIN_DELAY_MS

# How long an acceptor that has crashed is down at most.
MAX_DOWN_MS = 30.0

Arriving = tuple[Message, float, Fate]
"""A message on its way, when it was sent, and whether it is the first or the second to arrive."""

Draws = Mapping[tuple[str, ...], Callable[[], float]]
"""A die for each name, a tuple of its purpose and of who it is for; each draws from 0 to below 1."""


class Simulation:
    """One round of proposers, each with its wish, among the registered acceptors.

    Unless the round is ``told``, ``events`` stays empty: most of the time would go into what nobody looks at. The
    watch over safety and the ``facts`` of the round are the same.
    """

    def __init__(
        self,
        configuration: Configuration,
        actors: ActorRegistry,
        wishes: Mapping[str, str],
        network: Network,
        dice: Draws,
        told: bool = True,
    ) -> None:
        self.actors = actors
        self.wishes = wishes
        self.network = network
        self.dice = dice
        self.told = told
        self.watcher = Watcher(configuration)
        self.facts = Facts()
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
        """Let all proposers begin; return what happened until nothing is left to happen, or safety is lost."""
        for name, value in self.wishes.items():
            proposer = self.proposer(name)
            messages = listed(proposer.prepare())
            self.note(Wants(self.now, name, value, messages, learned_by(proposer)))
            if messages:
                self.send(name, messages)
        agenda, facts = self.agenda, self.facts
        while agenda and not facts.violation:
            self.now, _, action, subject = heappop(agenda)
            action(subject)
        return self.events

    def note(self, event: Event) -> None:
        """Note what happened, and what follows from it, unless safety is lost already."""
        if self.facts.violation:
            return
        self.facts.add(event)
        if self.told:
            self.events.append(event)
        if follows := self.watcher.after(event):
            self.note_all(follows)

    def note_all(self, follows: Sequence[Event]) -> None:
        """Note what follows from an event, up to the first property that is lost."""
        for event in follows:
            self.facts.add(event)
            if self.told:
                self.events.append(event)
            if self.facts.violation:
                return

    def proposer(self, name: str) -> ProposingActor:
        """The proposer of that name."""
        proposer: Any = self.actors[name]
        return proposer  # type: ignore[no-any-return]

    def schedule(self, delay: float, action: Callable[[Any], None], subject: object) -> None:
        """Do something after a delay."""
        heappush(self.agenda, (self.now + delay, next(self.order), action, subject))

    # Messages

    def send(self, proposer: str, messages: Sequence[Message]) -> None:
        """Send what a proposer has to say, unless it crashes between two messages, and set its timer."""
        crash_prob = self.network.proposer_failure_prob
        for message in messages:
            if crash_prob and self.dice["crash", proposer]() < crash_prob:
                self.crashed.add(proposer)
                self.note(Crash(self.now, proposer, message.type, message.recipient))
                return
            self.route(message)
        self.ids[proposer] = messages[0].id
        if not isinstance(messages[0], Terminate):
            self.set_timer(proposer)

    def route(self, message: Message) -> None:
        """Lose a message, or let it arrive once or twice."""
        sender, recipient = message.sender, message.recipient
        network, now = self.network, self.now
        if network.message_loss_prob and self.dice["loss", sender, recipient]() < network.message_loss_prob:
            self.note(Delivery(now, message, LOST, now))
            return
        if recipient in self.wishes:
            arrive = self.reach_proposer
        else:
            arrive = self.reach_acceptor if network.acceptor_crash_prob else self.answer
        draw = self.dice["delay", sender, recipient]
        delay = MIN_DELAY_MS + DELAYS_MS * draw()
        duplication_prob = network.message_duplication_prob
        if duplication_prob and self.dice["duplication", sender, recipient]() < duplication_prob:
            delay, later = sorted((delay, MIN_DELAY_MS + DELAYS_MS * draw()))
            self.schedule(later, arrive, (message, now, DUPLICATE))
        # As schedule() does, at the price of no call.
        heappush(self.agenda, (now + delay, next(self.order), arrive, (message, now, DELIVERED)))

    def reach_proposer(self, arriving: Arriving) -> None:
        """Let a message reach a proposer, unless that has crashed, and send what it says next."""
        message, sent, fate = arriving
        name, facts, watcher = message.recipient, self.facts, self.watcher
        if name in self.crashed:
            self.note(Delivery(self.now, message, LOST, sent))
            return
        proposer: Any = self.actors[name]
        answers = proposer.receive(message)
        if type(answers) is not list:
            answers = listed(answers)
        if name in self.gave_up:
            # It may still learn, but it has nothing more to say.
            answers = []
        if (learned := proposer.learned) is not None:
            learned = str(learned)
        fate = watcher.fate(message, fate)
        facts.count(message, fate)
        if self.told:
            self.events.append(Delivery(self.now, message, fate, sent, answers, None, None, None, learned))
        if follows := watcher.after_answer(self.now, message, fate, answers, learned):
            self.note_all(follows)
        if answers:
            self.send(name, answers)

    def reach_acceptor(self, arriving: Arriving) -> None:
        """Let a message reach an acceptor, unless that is down or crashes just then."""
        message, sent, _ = arriving
        name = message.recipient
        if name in self.down or sent < self.last_crash.get(name, 0):
            self.note(Delivery(self.now, message, LOST, sent))
        elif self.dice["acceptor-crash", name]() < self.network.acceptor_crash_prob:
            self.crash_acceptor(message, sent)
        else:
            self.answer(arriving)

    def answer(self, arriving: Arriving) -> None:
        """Let an acceptor receive a message, and send what it answers."""
        message, sent, fate = arriving
        acceptor = self.actors[message.recipient]
        answers = acceptor.receive(message)
        if type(answers) is not list:
            answers = listed(answers)
        if self.told:
            seen = seen_of(acceptor, message, answers)
        if self.network.failure_mode == "silent":
            answers = [answer for answer in answers if not isinstance(answer, Fail)]
        # What count() would do with a request; a RESTART is no message between actors.
        self.facts.messages += message.sender in self.wishes
        if fate is DUPLICATE:
            self.facts.duplicates += 1
        if self.told:
            self.events.append(Delivery(self.now, message, fate, sent, answers, *seen))
        if answers:
            if follows := self.watcher.after_saying(self.now, answers):
                self.note_all(follows)
            for answer in answers:
                self.route(answer)

    def crash_acceptor(self, message: Message, sent: float) -> None:
        """Let an acceptor crash, and lose a message and all that is on its way; it comes back after a random pause."""
        acceptor = message.recipient
        self.note(AcceptorCrash(self.now, acceptor))
        self.note(Delivery(self.now, message, LOST, sent))
        self.last_crash[acceptor] = self.now
        self.down.add(acceptor)
        self.schedule(MAX_DOWN_MS * self.dice["restart", acceptor](), self.restart, acceptor)

    def restart(self, acceptor: str) -> None:
        """Let an acceptor come back with what is in stable storage."""
        self.down.remove(acceptor)
        self.restarts[acceptor] += 1
        self.answer((Restart("power", acceptor, self.restarts[acceptor]), self.now, DELIVERED))

    # Time

    def set_timer(self, proposer: str) -> None:
        """Begin to wait for a quorum; an earlier wait of the same proposer is over."""
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
        self.note(TimedOut(self.now, proposer, attempts, self.ids[proposer], last))
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
            self.reach_proposer((timeout, self.now, DELIVERED))
