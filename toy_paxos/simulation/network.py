"""A network that delays, reorders, loses and duplicates messages: another delivery loop over the same actors.

Time is simulated, in milliseconds: a heap holds the actions to come, and nothing sleeps. Each die draws from a stream
of its own, so one more message on one link does not change the delays on another. The actors are those of direct
calls; a timeout is a message from the clock.

A round always ends: each proposer begins at most ``max_attempts`` attempts, and actors that answer each other for ever
are an error. Partitions that last and clocks that disagree are not simulated.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import count
from typing import Any

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
    begin,
    listed,
    seen_of,
)
from toy_paxos.message import Fail, Message, Restart, Terminate, Timeout
from toy_paxos.message_like import AnswerError
from toy_paxos.round import Facts
from toy_paxos.safety import Watcher
from toy_paxos.settings import Network
from toy_paxos.story import Configuration

# The delays are spread widely enough for messages to overtake each other. A request and its answer take up to 20 ms
# together, which is less than the default timeout.
MIN_DELAY_MS, MAX_DELAY_MS = 1.0, 10.0
DELAYS_MS = MAX_DELAY_MS - MIN_DELAY_MS

# The limit on the actions of a round, for each acceptor and each pair of acceptors in each attempt: acceptors may tell
# each other what they do.
MANY_ACTIONS = 20

# The longest time between the crash of an acceptor and its restart.
MAX_DOWN_MS = 30.0

Arriving = tuple[Message, float, Fate]
"""A message on its way, when it was sent, and whether it is the first or the second copy to arrive."""

Draws = Mapping[tuple[str, ...], Callable[[], float]]
"""A die for each name, which is a purpose and perhaps actors; each draws from 0 (included) to 1 (excluded)."""


@dataclass
class Simulation:
    """One round of proposers, each with its wish, among the registered acceptors.

    Unless the round is ``told``, ``events`` stays empty, which saves time. Safety is watched, and the ``facts`` of the
    round are the same.
    """

    configuration: Configuration
    actors: Mapping[str, Any]
    wishes: Mapping[str, str]
    network: Network
    dice: Draws
    told: bool = True

    def __post_init__(self) -> None:
        self.watcher = Watcher(self.configuration)
        self.facts = Facts()
        self.now = 0.0
        self.events: list[Event] = []
        # Actions to come: the time, a number that orders those at the same time, what to do, and its argument.
        self.agenda: list[tuple[float, int, Callable[[Any], None], Any]] = []
        self.order = count()
        self.crashed: set[str] = set()
        self.gave_up: set[str] = set()
        # For each proposer: its current proposal number, how many attempts it has begun, and its current timer.
        self.ids: dict[str, int] = {}
        self.attempts = dict.fromkeys(self.wishes, 1)
        self.timers: dict[str, int] = {}
        # For each acceptor: when it crashed last, whether it is still down, and how often it has restarted.
        self.last_crash: dict[str, float] = {}
        self.down: set[str] = set()
        self.restarts: Counter[str] = Counter()

    def run(self) -> list[Event]:
        """Let all proposers begin; return the events until no action is left, or until safety is lost."""
        for name, value in self.wishes.items():
            wants = begin(self.actors[name], value, self.now)
            self.note(wants)
            if wants.says:
                self.send(name, wants.says)
            else:
                self.set_timer(name)
        agenda, facts, configuration = self.agenda, self.facts, self.configuration
        number, attempts = len(configuration.acceptors), len(configuration.proposers) * self.network.max_attempts
        for _ in range(MANY_ACTIONS * attempts * number * (number + 10)):
            if not agenda or facts.violation:
                return self.events
            self.now, _, action, subject = heappop(agenda)
            action(subject)
        raise AnswerError("there seems to be no end to the messages of a round: do actors answer each other for ever?")

    def note(self, event: Event) -> None:
        """Note an event and those that follow from it, unless safety is lost already."""
        if not self.facts.violation:
            self.note_all([event])
            self.note_all(self.watcher.after(event))

    def note_all(self, events: Iterable[Event]) -> None:
        """Note events up to the first violation."""
        for event in events:
            self.facts.add(event)
            if self.told:
                self.events.append(event)
            if self.facts.violation:
                return

    def schedule(self, delay: float, action: Callable[[Any], None], subject: object) -> None:
        """Add an action to the agenda."""
        heappush(self.agenda, (self.now + delay, next(self.order), action, subject))

    # Messages

    def send(self, proposer: str, messages: Sequence[Message]) -> None:
        """Send the messages of a proposer, which may crash before any of them, and set its timer."""
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
        """Lose a message, or schedule its arrival once or twice."""
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
        # As schedule() does, but without a call, for speed.
        heappush(self.agenda, (now + delay, next(self.order), arrive, (message, now, DELIVERED)))

    def reach_proposer(self, arriving: Arriving) -> None:
        """Let a message reach a proposer, unless that has crashed, and send its answers."""
        message, sent, fate = arriving
        name, facts, watcher = message.recipient, self.facts, self.watcher
        if name in self.crashed:
            self.note(Delivery(self.now, message, LOST, sent))
            return
        proposer = self.actors[name]
        answers = proposer.receive(message)
        if type(answers) is not list:
            answers = listed(answers)
        if name in self.gave_up:
            # It may still learn, but it sends nothing more.
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
        """Let a message reach an acceptor, unless that is down or crashes at this message."""
        message, sent, _ = arriving
        name = message.recipient
        if name in self.down or sent < self.last_crash.get(name, 0):
            self.note(Delivery(self.now, message, LOST, sent))
        elif self.dice["acceptor-crash", name]() < self.network.acceptor_crash_prob:
            self.crash_acceptor(message, sent)
        else:
            self.answer(arriving)

    def answer(self, arriving: Arriving) -> None:
        """Let an acceptor receive a message, and send its answers."""
        message, sent, fate = arriving
        acceptor = self.actors[message.recipient]
        answers = acceptor.receive(message)
        if type(answers) is not list:
            answers = listed(answers)
        if self.told:
            seen = seen_of(acceptor, message, answers)
        if self.network.failure_mode == "silent":
            answers = [answer for answer in answers if not isinstance(answer, Fail)]
        # As facts.count() does with a request, but faster; a RESTART is not a message between actors.
        self.facts.messages += message.sender != "power"
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
        """Crash an acceptor: it loses this message and all that are on their way, and restarts after a random pause."""
        acceptor = message.recipient
        self.note(AcceptorCrash(self.now, acceptor))
        self.note(Delivery(self.now, message, LOST, sent))
        self.last_crash[acceptor] = self.now
        self.down.add(acceptor)
        self.schedule(MAX_DOWN_MS * self.dice["restart", acceptor](), self.restart, acceptor)

    def restart(self, acceptor: str) -> None:
        """Restart an acceptor with what is in its stable storage."""
        self.down.remove(acceptor)
        self.restarts[acceptor] += 1
        self.answer((Restart("power", acceptor, self.restarts[acceptor]), self.now, DELIVERED))

    # Time

    def set_timer(self, proposer: str) -> None:
        """Let a proposer wait for a quorum; this ends an earlier wait."""
        self.timers[proposer] = timer = next(self.order)
        self.schedule(self.network.timeout, self.time_out, (proposer, timer))

    def is_waiting(self, proposer: str, timer: int) -> bool:
        """Return whether a proposer still waits as it did when this timer was set."""
        is_current = self.timers[proposer] == timer and proposer not in self.crashed
        return is_current and self.actors[proposer].learned is None

    def time_out(self, waiting: tuple[str, int]) -> None:
        """End a wait: the proposer gives up, or tries again after a random pause."""
        proposer, _ = waiting
        if not self.is_waiting(*waiting):
            return
        attempts = self.attempts[proposer]
        last = attempts == self.network.max_attempts
        self.note(TimedOut(self.now, proposer, attempts, self.ids.get(proposer, 0), last))
        if last:
            self.gave_up.add(proposer)
        else:
            # Growing pauses make it more likely that one proposer succeeds before another one tries again.
            pause = attempts * self.network.backoff * self.dice["backoff", proposer]()
            self.schedule(pause, self.try_again, waiting)

    def try_again(self, waiting: tuple[str, int]) -> None:
        """Let a proposer begin another attempt, unless it no longer waits."""
        proposer, _ = waiting
        if self.is_waiting(*waiting):
            self.attempts[proposer] += 1
            timeout = Timeout("clock", proposer, self.ids.get(proposer, 0))
            timer = self.timers[proposer]
            self.reach_proposer((timeout, self.now, DELIVERED))
            if self.timers[proposer] == timer:
                # It has sent nothing, and waits again.
                self.set_timer(proposer)
