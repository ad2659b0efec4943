"""One execution by real instances of the actors: a player chooses its moves, or it repeats what a search has found.

To undo moves, new actors repeat all the other moves; no state has to be restored, because actors are deterministic. A
message stays deliverable once it was sent, as in the checker, so a game without failures and crashes is a path through
the checker's states.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import chain
from operator import attrgetter
from typing import Literal

from toy_paxos.acceptor import Acceptor, FailingAcceptor
from toy_paxos.actor import Actor
from toy_paxos.checking.model import Model
from toy_paxos.checking.refusal import failure, failure_at
from toy_paxos.event import (
    Crash,
    Delivery,
    Event,
    Fate,
    TimedOut,
    Violation,
    begin,
    check_message,
    hand_over,
    learned_by,
    plural,
    said_by,
    unheard,
)
from toy_paxos.message import Message, Prepare, Propose, Restart, Timeout
from toy_paxos.proposer import Proposer
from toy_paxos.rules import Onlooker
from toy_paxos.safety import ALWAYS, Watcher
from toy_paxos.story import Story

Kind = Literal["deliver", "fail", "drop", "timeout", "restart", "crash", "give up"]


@dataclass(frozen=True)
class Move:
    """What happens to a message, or what the clock or a crash does to the actor with a name.

    ``unsent`` is the type and the recipient of the first message that a crashed proposer did not send, or empty texts.
    """

    kind: Kind
    message: Message | None = None
    actor: str = ""
    unsent: tuple[str, str] = ("", "")

    @classmethod
    def of(cls, message: Message) -> "Move":
        """Return the move that delivers a message."""
        if isinstance(message, (Timeout, Restart)):
            return cls("timeout" if isinstance(message, Timeout) else "restart", actor=message.recipient)
        return cls("deliver", message)


class WrongMoveError(Exception):
    """A move cannot be made; the message is one line that says why, and what to do."""


class Game:
    """A cluster of real actors, and all that has happened in it so far.

    ``said`` has the messages in the order in which they were first said, ``moves`` the moves so far, ``chapters`` the
    events of the beginning and of each move or delivery. ``time`` is the number of deliveries; ``past`` has those that
    did not fail, each with whether its answers were sent. ``violation`` is the first violation of a property of the
    model, or None.
    """

    def __init__(self, model: Model) -> None:
        self.model = model
        self.begin()

    def begin(self) -> None:
        """Start again with new actors; raise CheckError if they cannot begin."""
        model = self.model
        try:
            proposers, acceptors = model.new_actors()
            wishes = list(map(begin, proposers, model.values))
            self.actors: dict[str, Actor] = {actor.name: actor for actor in (*proposers, *acceptors)}
            for message in chain.from_iterable(wish.says for wish in wishes):
                check_message(message, self.actors)
        except (Exception, SystemExit, GeneratorExit) as error:
            raise failure("the actors cannot begin", error, model.proposer, model.acceptor) from error
        self.proposers = [wish.proposer for wish in wishes]
        self.moves: list[Move] = []
        self.chapters: list[Sequence[Event]] = []
        self.violation: Violation | None = None
        self.past: list[tuple[Message, bool]] = []
        self.time = 0
        self.said: list[Message] = []
        self.by_wording: dict[tuple[object, ...], Message] = {}
        self.since: dict[str, int] = {}
        # By message, how often it was said minus how often it was delivered; the messages delivered or dropped so far.
        self.undelivered: Counter[str] = Counter()
        self.gone: set[str] = set()
        self.crashed: set[str] = set()
        self.gave_up: set[str] = set()
        # By proposer, the number under which it spoke last, and its attempts; by acceptor, its restarts.
        self.ids: dict[str, int] = {}
        self.attempts = dict.fromkeys(self.proposers, 1)
        self.restarts: Counter[str] = Counter()
        # A property that is lost is part of the story even if it is not one of the model.
        always = tuple(dict.fromkeys((*ALWAYS, *model.properties)))
        self.watcher = Watcher(model.configuration, always)
        is_ours = (model.acceptor, model.proposer) == (Acceptor, Proposer)
        self.onlooker = None if is_ours else Onlooker(model.configuration)
        for wish in wishes:
            self.note_said(wish.proposer, wish.says)
        self.tell(*wishes)

    @property
    def events(self) -> list[Event]:
        """All events so far."""
        return [*chain.from_iterable(self.chapters)]

    @property
    def stopped(self) -> set[str]:
        """The proposers that have crashed or given up."""
        return self.crashed | self.gave_up

    def in_flight(self) -> Iterator[tuple[int, Message]]:
        """Yield the messages that were neither delivered nor dropped, if their recipients run, with their numbers."""
        for number, message in enumerate(self.said, start=1):
            if repr(message) not in self.gone and message.recipient not in self.crashed:
                yield number, message

    def numbered(self, number: int) -> Message:
        """Return the message with this number; raise WrongMoveError if there is none."""
        if not 1 <= number <= len(self.said):
            raise WrongMoveError(f"message {number} does not exist; messages are numbered 1 to {len(self.said)}")
        return self.said[number - 1]

    def make(self, move: Move) -> Sequence[Event]:
        """Make a move; return what happens. If it cannot be made, raise WrongMoveError and change nothing."""
        events: list[Event] = getattr(self, move.kind.replace(" ", "_"))(move)
        self.moves.append(move)
        return self.tell(*events)

    def make_alike(self, move: Move) -> None:
        """Make a move, with a similar message if its own was not sent; skip a move that cannot be made."""
        with suppress(WrongMoveError):
            if move.message and wording(move.message) not in self.by_wording:
                move = replace(move, message=self.alike(move.message))
            self.make(move)

    def alike(self, wanted: Message) -> Message:
        """Return the last message said with this type, sender, recipient and number; if none was, the wanted one."""
        outline = attrgetter("type", "sender", "recipient", "id")
        return next((other for other in reversed(self.said) if outline(other) == outline(wanted)), wanted)

    def receive(self, message: Message) -> Sequence[Event]:
        """Deliver a message that was said, a timeout or a restart, as the checker does; return what happens.

        This is not a move: it cannot be undone, and the limits of the model do not apply.
        """
        return self.tell(self.hand_over(self.actors[message.recipient], message))

    def is_deliverable(self, message: Message) -> bool:
        """Return whether a message was said or comes from the environment."""
        return repr(message) in self.since or isinstance(message, (Timeout, Restart))

    def undo(self, number: int) -> None:
        """Undo the last moves: start again, and repeat the others."""
        if number > len(self.moves):
            words = f"only {plural(len(self.moves), 'move')} can be undone"
            raise WrongMoveError(words if self.moves else "nothing to undo")
        kept = self.moves[: len(self.moves) - number]
        self.begin()
        for move in kept:
            self.make(move)

    def tell(self, *events: Event) -> list[Event]:
        """Add events, and what follows from them, to the story; return both."""
        told = [each for event in events for each in self.watcher.told(event)]
        told = [*self.onlooker.told(told)] if self.onlooker else told
        self.chapters.append(told)
        names = {property.name for property in self.model.properties}
        lost = (event for event in told if isinstance(event, Violation) and event.property in names)
        if not self.violation and (violation := next(lost, None)):
            self.violation = violation
            told += unheard(told)
        return told

    def note_said(self, speaker: str, messages: Sequence[Message]) -> None:
        """Record the messages of one actor."""
        for message in messages:
            key = repr(message)
            if key not in self.since:
                self.since[key] = self.time
                self.said.append(message)
                self.by_wording[wording(message)] = message
            self.undelivered[key] += 1
        if messages:
            self.ids[speaker] = messages[0].id

    # The moves

    def deliver(self, move: Move) -> list[Event]:
        """Let a message reach its recipient."""
        message = self.find(move.message)
        if message.recipient in self.crashed:
            raise WrongMoveError(f"{message.recipient} has crashed, and receives nothing more")
        return [self.hand_over(self.actors[message.recipient], message)]

    def fail(self, move: Move) -> list[Event]:
        """Deliver a request to an acceptor that fails to handle it, and answers FAIL."""
        message = self.find(move.message)
        if not isinstance(message, (Prepare, Propose)) or message.recipient in self.proposers:
            raise WrongMoveError("only a request, a PREPARE or a PROPOSE, can fail")
        return [self.hand_over(FailingAcceptor(self.actors[message.recipient], 1, lambda: 0), message)]

    def drop(self, move: Move) -> list[Event]:
        """Note that a copy of a message is lost; another copy can still be delivered."""
        message = self.find(move.message)
        self.gone.add(repr(message))
        return [Delivery(self.time, message, Fate.LOST, self.since[repr(message)])]

    def timeout(self, move: Move) -> list[Event]:
        """Deliver a timeout to a proposer."""
        name = self.waiting(move.actor)
        if self.attempts[name] >= self.model.max_attempts:
            raise WrongMoveError(f"{name} has no attempt left: begin with --max-attempts {self.attempts[name] + 1}")
        self.attempts[name] += 1
        return [self.hand_over(self.actors[name], Timeout("clock", name, self.attempts[name]))]

    def restart(self, move: Move) -> list[Event]:
        """Let an acceptor restart after a crash."""
        if move.actor not in self.actors or move.actor in self.proposers:
            acceptors = self.model.configuration.acceptors
            raise WrongMoveError(f"only an acceptor can restart, {acceptors[0]} to {acceptors[-1]}")
        if self.restarts[move.actor] >= self.model.restarts:
            number = self.restarts[move.actor] + 1
            raise WrongMoveError(f"{move.actor} has no restart left: begin with --restarts {number}")
        self.restarts[move.actor] += 1
        return [self.hand_over(self.actors[move.actor], Restart("power", move.actor, self.restarts[move.actor]))]

    def crash(self, move: Move) -> list[Event]:
        """Let a proposer crash: from now on it receives nothing."""
        name = self.alive(move.actor)
        self.crashed.add(name)
        return [Crash(self.time, name, *move.unsent)]

    def give_up(self, move: Move) -> list[Event]:
        """Let a proposer give up: it may still learn, but from now on it says nothing."""
        name = self.waiting(move.actor)
        self.gave_up.add(name)
        return [TimedOut(self.time, name, self.attempts[name], self.ids.get(name, 0), last=True)]

    def hand_over(self, actor: Actor, message: Message) -> Delivery:
        """Let an actor receive a message, and record its answers, unless it has given up.

        A timeout arrives with the number under which the proposer spoke last.
        """
        name = message.recipient
        if isinstance(message, Timeout):
            message = replace(message, id=self.ids.get(name, 0))
        key = repr(message)
        is_answered = name not in self.gave_up
        is_again = key in self.since and self.undelivered[key] <= 0
        fate = Fate.DUPLICATE if is_again else Fate.DELIVERED
        since = self.since.get(key, self.time)
        try:
            event = hand_over(actor, message, self.time + 1, since, fate, name in self.proposers)
            event.answers = list(event.answers)
            for answer in event.answers:
                check_message(answer, self.actors)
        except (Exception, SystemExit, GeneratorExit) as error:
            raise failure_at(message, error, type(self.actors[name])) from error
        if not is_answered:
            event.answers = []
        self.time += 1
        if event.denial != "failed":
            self.past.append((message, is_answered))
        self.undelivered[key] -= 1
        self.gone.add(key)
        self.note_said(name, event.answers)
        return event

    # Whether a move can be made

    def find(self, wanted: Message | None) -> Message:
        """Return the message that was said with the same content; raise WrongMoveError if there is none."""
        assert wanted
        if message := self.by_wording.get(wording(wanted)):
            return message
        for name in (wanted.sender, wanted.recipient):
            if name not in self.actors:
                raise WrongMoveError(f"{name} does not take part")
        raise NotSentError(wanted)

    def waiting(self, name: str) -> str:
        """Return the name of a proposer that still waits; raise WrongMoveError for any other name."""
        name = self.alive(name)
        if name in self.gave_up:
            raise WrongMoveError(f"{name} has given up")
        if learned_by(self.actors[name]) is not None:
            raise WrongMoveError(f"{name} has learned a value, and waits for nothing")
        return name

    def alive(self, name: str) -> str:
        """Return the name of a proposer that has not crashed; raise WrongMoveError for any other name."""
        if name not in self.proposers:
            raise WrongMoveError(f"{name} is not one of the proposers {', '.join(self.proposers)}")
        if name in self.crashed:
            raise WrongMoveError(f"{name} has crashed already")
        return name


class NotSentError(WrongMoveError):
    """A move delivers a message that no actor has sent."""

    def __init__(self, message: Message) -> None:
        super().__init__("this message was not sent")
        self.message = message


def wording(message: Message) -> tuple[object, ...]:
    """Return the content of a message without attributes that a derived class adds."""
    return message.type, message.sender, message.recipient, message.id, *said_by(message)


def story(model: Model, execution: Iterable[Message], instead: bool = False) -> Story:
    """Return the story of these deliveries by real actors; its times are the numbers of the deliveries.

    With ``instead``, a message that no actor has sent is replaced by one with the same type, sender, recipient and
    number; if there is none, that delivery is left out.
    """
    game = Game(model)
    for message in execution:
        if instead and not game.is_deliverable(message):
            message = game.alike(message)
        if not instead or game.is_deliverable(message):
            game.receive(message)
        else:
            game.time += 1
    return Story(model.configuration, game.events)
