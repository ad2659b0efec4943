"""What can happen in a round, as plain data: one story, which every source tells and every view shows.

A source (direct calls, the simulated network, the checker) tells what proposers want, what is delivered
(:func:`hand_over`), and what befalls them. What follows from that, :func:`toy_paxos.safety.watch` adds: that somebody
has a quorum of promises, adopts, or learns; that a value is chosen; that safety is lost.
"""

from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from typing import Any, ClassVar, Literal

from toy_paxos.acceptor import Acceptor, FailingAcceptor
from toy_paxos.actor import Actor
from toy_paxos.message import Accept, Fail, Message, Prepare, Promise, Proposal, Propose, Restart, Timeout
from toy_paxos.message_like import UnlikeMessageError, as_message, own_words


class Fate(StrEnum):
    """What became of a message."""

    DELIVERED = "delivered"
    LOST = "lost"
    DUPLICATE = "duplicate"
    STALE = "stale"


# Before Python 3.12 looking up the member of an enumeration takes longer than a call; these are asked for at each
# message.
DELIVERED, LOST, DUPLICATE, STALE = Fate.DELIVERED, Fate.LOST, Fate.DUPLICATE, Fate.STALE


KINDS: dict[str, type["Event"]] = {}


@dataclass(slots=True)
class Event:
    """Something that happened.

    ``time`` is in simulated milliseconds since the round began; where there is no clock, it is the number of
    deliveries so far.
    """

    event: ClassVar[str]

    time: float

    def __init_subclass__(cls, event: str = "") -> None:
        """Give a kind of event its name; with slots, a dataclass makes each class twice, and then without one."""
        cls.event = event or cls.event
        KINDS[cls.event] = cls


@dataclass(slots=True)
class Wants(Event, event="wants"):
    """A proposer enters with a wish, and with what it says first; a correct one has learned nothing yet."""

    proposer: str
    value: str
    says: Sequence[Message] = ()
    learned: str | None = None


@dataclass(slots=True)
class Delivery(Event, event="message"):
    """A message met its fate, and provoked these answers.

    ``sent`` is when it was sent. A lost one is known to be lost when it is sent, or when it reaches a proposer that
    has crashed; a stale one answers an earlier attempt. ``denial`` says why a request came to nothing: the acceptor
    failed, or it refused; or why real processes lost a message. The rest is what can be seen of the recipient
    afterwards: of an acceptor what it has ``promised`` and ``accepted``, of a proposer what it has ``learned``.
    """

    message: Message
    fate: Fate = Fate.DELIVERED
    sent: float = 0
    answers: Sequence[Message] = ()
    denial: str | None = None
    promised: int | None = None
    accepted: Proposal | None = None
    learned: str | None = None


@dataclass(slots=True)
class Crash(Event, event="crash"):
    """A proposer crashed before it could send a message; type and recipient are empty if it was not about to send."""

    proposer: str
    unsent: str
    recipient: str


@dataclass(slots=True)
class AcceptorCrash(Event, event="acceptor-crash"):
    """An acceptor crashed, and lost what was on its way to it; it comes back with what is in stable storage."""

    acceptor: str


@dataclass(slots=True)
class TimedOut(Event, event="timeout"):
    """A proposer has waited too long for a quorum; ``last`` if it will not try again."""

    proposer: str
    attempt: int
    id: int
    last: bool


@dataclass(slots=True)
class Attempt(Event, event="attempt"):
    """A proposer begins another attempt, under ``id``; that it begins a first one goes without saying."""

    proposer: str
    attempt: int
    id: int


@dataclass(slots=True)
class Quorum(Event, event="quorum"):
    """A proposer has heard a quorum of acceptors promise ``id``."""

    proposer: str
    id: int
    acceptors: Sequence[str]


@dataclass(slots=True)
class Adoption(Event, event="adoption"):
    """A proposer gives up its own value for the one that an acceptor reported in its promise (P2c)."""

    proposer: str
    acceptor: str
    accepted_id: int
    value: str


@dataclass(slots=True)
class Chosen(Event, event="chosen"):
    """A quorum of acceptors has now accepted one proposal; from here on its value is chosen."""

    id: int
    value: str
    acceptors: Sequence[str]


@dataclass(slots=True)
class Learned(Event, event="learned"):
    """A proposer knows that a value is chosen."""

    proposer: str
    value: str


@dataclass(slots=True)
class Violation(Event, event="violation"):
    """A property of :mod:`toy_paxos.safety` is lost, and how.

    If a second value is chosen, ``id`` and ``value`` are its proposal, which these ``acceptors`` have accepted.
    """

    property: str
    words: str
    id: int | None = None
    value: str | None = None
    acceptors: Sequence[str] = ()


@dataclass(slots=True)
class Departure(Event, event="departure"):
    """For the first time an actor breaks a rule of :mod:`toy_paxos.rules`, which need not be a violation."""

    actor: str
    rule: str
    words: str


@dataclass(slots=True)
class Unheard(Event, event="unheard"):
    """What an actor said in the delivery that lost a property; most stories end before that is received."""

    actor: str
    words: str


def hand_over(
    actor: Actor, message: Message, time: float, sent: float, fate: Fate = Fate.DELIVERED, proposes: bool = False
) -> Delivery:
    """Let an actor, which proposes or accepts, receive a message; tell all that can be seen of it."""
    answers = listed(actor.receive(message))
    if proposes:
        return Delivery(time, message, fate, sent, answers, None, None, None, learned_by(actor))
    return Delivery(time, message, fate, sent, answers, *seen_of(actor, message, answers))


Denial = Literal["failed", "refused"]
"""Why a request came to nothing: the acceptor failed, or it refused."""


def seen_of(
    acceptor: Actor, message: Message, answers: Iterable[Message]
) -> tuple[Denial | None, int | None, Proposal | None]:
    """Return why an acceptor denied what it has just received, if it did, then what it has promised and accepted."""
    promised, accepted = stored_by(acceptor.acceptor if isinstance(acceptor, FailingAcceptor) else acceptor)
    for answer in answers:
        if isinstance(answer, Fail) and isinstance(message, (Prepare, Propose)):
            failed = isinstance(acceptor, FailingAcceptor) and acceptor.failures[-1:] == [True]
            return "failed" if failed else "refused", promised, accepted
    return None, promised, accepted


# More than the largest cluster has to say at once.
TOO_MANY = 100_000


class AnswerError(Exception):
    """A method of an actor returned what it must not return; the words, one line of them, say what that is."""


def listed(messages: Iterable[Message], method: str = "receive") -> list[Message]:
    """Return what a method of an actor returned as a list of messages; raises AnswerError if it cannot be one.

    What has the parts of a message becomes one.
    """
    if type(messages) is list:
        for message in messages:
            if not isinstance(message, Message):
                break
        else:
            return messages
    if hasattr(messages, "__await__") or hasattr(messages, "__aiter__"):
        # Python would warn that it was never awaited.
        getattr(messages, "close", int)()
        raise AnswerError(f"{method} is async: it is never awaited, so make it a plain method")
    if isinstance(messages, str) or not hasattr(messages, "__iter__"):
        raise AnswerError(f"{method} returned {described(messages)}, not a list of messages")
    found = list(islice(messages, TOO_MANY))
    if len(found) == TOO_MANY:
        raise AnswerError(f"{method} returned {TOO_MANY:,} messages or more: there seems to be no end to them")
    try:
        return [as_message(message) for message in found]
    except UnlikeMessageError as error:
        raise AnswerError(str(error)) from error


def described(returned: object) -> str:
    """Name what a method returned instead of a list."""
    if returned is None:
        return "None"
    return f"a {returned.type}" if isinstance(returned, Message) else f"a value of type {type(returned).__name__}"


def check_message(message: object, names: Container[str]) -> None:
    """Raise AnswerError for what no actor can send.

    That is anything but a message, a message with parts of the wrong type, one that only the clock or the power switch
    sends, and one to a recipient that has none of these names.
    """
    if not isinstance(message, Message):
        raise AnswerError(f"a {type(message).__name__} is not a message")
    if isinstance(message, (Timeout, Restart)):
        raise AnswerError(f"an actor must not send {message.type}: the clock and the power switch do")
    parts = {"sender": str, "recipient": str, "id": int, "value": str}
    for name, kind in parts.items():
        part = getattr(message, name, kind())
        # Not one of a class derived from it either, which may have its own idea of what is equal.
        if type(part) is not kind:
            raise AnswerError(f"the {name} of a {message.type} has type {type(part).__name__}, not {kind.__name__}")
    if message.recipient not in names:
        raise AnswerError(f"{message.type} to {message.recipient!r}, but no actor has that name")


def unheard(events: Sequence[Event]) -> Iterator[Unheard]:
    """Yield what was said in the last delivery of some events, the same to several recipients once."""
    last = next((event for event in reversed(events) if isinstance(event, Delivery)), None)
    recipients: dict[str, list[str]] = {}
    for answer in last.answers if last else ():
        value, accepted = said_by(answer)
        about = f" {value}" if value is not None else f" ({accepted.id} {accepted.value})" if accepted else ""
        recipients.setdefault(f"{answer.type} {answer.id}{about}", []).append(answer.recipient)
    for words, names in recipients.items():
        assert last
        yield Unheard(last.time, last.message.recipient, f"{words} to {', '.join(names)}")


def says(event: Event) -> Sequence[Message]:
    """What is said in an event."""
    if isinstance(event, Delivery):
        return event.answers
    return event.says if isinstance(event, Wants) else ()


def stored_by(actor: Actor) -> tuple[int | None, Proposal | None]:
    """What an acceptor has promised and accepted, if it keeps that under these names, as ours do."""
    if type(actor) is Acceptor:
        return actor.promised, actor.accepted
    promised, accepted = getattr(actor, "promised", None), getattr(actor, "accepted", None)
    if type(promised) is not int:
        return None, None
    if accepted is None:
        return promised, None
    proposal = as_proposal(accepted)
    return (promised, proposal) if proposal else (None, None)


def as_proposal(accepted: object) -> Proposal | None:
    """A pair of a number and a text as a proposal, anything else as none."""
    # A match statement alone would do, at several times the price.
    if type(accepted) is Proposal and type(accepted.id) is int and type(accepted.value) is str:
        return accepted
    match accepted:
        case (int(id), str(value)):
            return Proposal(id, value)
    return None


VALUED = (Propose, Accept)


def said_by(message: Message) -> tuple[str | None, Proposal | None]:
    """What a message says beyond its number: a value, or what its sender accepted before.

    Of a message of an actor's own type it is all its fields, as JSON.
    """
    if isinstance(message, Promise):
        return None, message.accepted and as_proposal(message.accepted)
    return (message.value if isinstance(message, VALUED) else own_words(message)), None


def learned_by(actor: Actor) -> str | None:
    """What a proposer has learned."""
    learned = getattr(actor, "learned", None)
    return None if learned is None else str(learned)


def plain_learned(proposer: Any) -> str | None:
    """What a proposer says that it has learned; raises AnswerError if it can be no value."""
    learned: str | None = proposer.learned
    if learned is not None and type(learned) is not str:
        raise AnswerError(f"it has type {type(learned).__name__}")
    return learned
