"""The events of a round, as plain data: every source of stories yields them, and every view shows them.

A source (direct calls, the simulated network, the checker) yields what proposers want, the deliveries
(:func:`hand_over`), and failures. :func:`toy_paxos.safety.watch` adds the events that follow: a proposer has a quorum
of promises, adopts a value, or learns one; a value is chosen; a property is lost.
"""

from collections.abc import Collection, Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from typing import Any, ClassVar, Literal

from toy_paxos.acceptor import Acceptor, FailingAcceptor
from toy_paxos.actor import Actor
from toy_paxos.message import Accept, Fail, Message, Prepare, Promise, Proposal, Propose, Restart, Timeout
from toy_paxos.message_like import AnswerError, as_message, own_words


class Fate(StrEnum):
    """The fate of a message."""

    DELIVERED = "delivered"
    LOST = "lost"
    DUPLICATE = "duplicate"
    STALE = "stale"


# Before Python 3.12 looking up the member of an enumeration takes longer than a call, and each message needs these.
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
        """Give a kind of event its name; a dataclass with slots makes the class twice, the second time without it."""
        cls.event = event or cls.event
        KINDS[cls.event] = cls


@dataclass(slots=True)
class Wants(Event, event="wants"):
    """A proposer begins: its wish, and its first messages; a correct proposer has learned nothing yet."""

    proposer: str
    value: str
    says: Sequence[Message] = ()
    learned: str | None = None


@dataclass(slots=True)
class Delivery(Event, event="message"):
    """The delivery or the loss of a message.

    ``sent`` is the time when it was sent. A message is known to be lost when it is sent, or when it reaches a proposer
    that has crashed; a stale one answers an earlier attempt. ``denial`` says why a request was not granted (a
    :data:`Denial`), or why real processes lost a message. The rest is what can be seen of the recipient
    afterwards: an acceptor's ``promised`` and ``accepted``, or a proposer's ``learned``.
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
    """An acceptor crashed: messages on their way to it are lost. It restarts with what is in stable storage."""

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
    """A proposer begins another attempt, under ``id``; its first attempt has no such event."""

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
    """A quorum of acceptors has accepted one proposal: from now on its value is chosen."""

    id: int
    value: str
    acceptors: Sequence[str]


@dataclass(slots=True)
class Learned(Event, event="learned"):
    """A proposer has learned a value."""

    proposer: str
    value: str


@dataclass(slots=True)
class Violation(Event, event="violation"):
    """A property of :mod:`toy_paxos.safety` is lost, in the way that ``words`` describe.

    If a second value is chosen, ``id`` and ``value`` are its proposal, which these ``acceptors`` have accepted.
    """

    property: str
    words: str
    id: int | None = None
    value: str | None = None
    acceptors: Sequence[str] = ()


@dataclass(slots=True)
class Departure(Event, event="departure"):
    """An actor breaks a rule of :mod:`toy_paxos.rules` for the first time, which need not be a violation."""

    actor: str
    rule: str
    words: str


@dataclass(slots=True)
class Unheard(Event, event="unheard"):
    """What an actor said in the delivery that lost a property; most stories end before it is delivered."""

    actor: str
    words: str


def hand_over(
    actor: Actor, message: Message, time: float, sent: float, fate: Fate = Fate.DELIVERED, proposes: bool = False
) -> Delivery:
    """Let an acceptor, or an actor that ``proposes``, receive a message; return the event."""
    answers = listed(actor.receive(message))
    if proposes:
        return Delivery(time, message, fate, sent, answers, None, None, None, learned_by(actor))
    return Delivery(time, message, fate, sent, answers, *seen_of(actor, message, answers))


def begin(proposer: Any, value: str, time: float = 0) -> Wants:
    """Let a proposer begin; return the event."""
    return Wants(time, proposer.name, value, listed(proposer.prepare(), "prepare"), learned_by(proposer))


Denial = Literal["failed", "refused", "unanswered"]
"""Why a request was not granted: the acceptor failed, it refused, or it answered nothing."""


def seen_of(
    acceptor: Actor, message: Message, answers: Collection[Message]
) -> tuple[Denial | None, int | None, Proposal | None]:
    """Return why an acceptor denied the request that it has just received, or None; then what it has stored."""
    promised, accepted = stored_by(acceptor.acceptor if isinstance(acceptor, FailingAcceptor) else acceptor)
    for answer in answers:
        if isinstance(answer, Fail) and isinstance(message, (Prepare, Propose)):
            failed = isinstance(acceptor, FailingAcceptor) and acceptor.failures[-1:] == [True]
            return "failed" if failed else "refused", promised, accepted
    is_unanswered = not answers and isinstance(message, (Prepare, Propose))
    return "unanswered" if is_unanswered else None, promised, accepted


# More messages than an actor of the largest cluster says at once.
TOO_MANY = 100_000


def listed(messages: Iterable[Message], method: str = "receive") -> list[Message]:
    """Return what a method of an actor returned as a list of messages; raise AnswerError if it cannot be one.

    Objects with the parts of a message become messages.
    """
    if type(messages) is list:
        for message in messages:
            if not isinstance(message, Message):
                break
        else:
            return messages
    if hasattr(messages, "__await__") or hasattr(messages, "__aiter__"):
        # Otherwise Python warns that it was never awaited.
        getattr(messages, "close", int)()
        raise AnswerError(f"{method} is async: it is never awaited, so make it a plain method")
    if isinstance(messages, str) or not hasattr(messages, "__iter__"):
        raise AnswerError(f"{method} returned {described(messages)}, not a list of messages")
    found = list(islice(messages, TOO_MANY))
    if len(found) == TOO_MANY:
        raise AnswerError(f"{method} returned {TOO_MANY:,} messages or more: there seems to be no end to them")
    return [as_message(message) for message in found]


def described(returned: object) -> str:
    """Return words for what a method returned instead of a list."""
    if returned is None:
        return "None"
    return f"a {returned.type}" if isinstance(returned, Message) else f"a value of type {type(returned).__name__}"


def check_message(message: Message, names: Container[str]) -> None:
    """Raise AnswerError if no actor can send a message.

    It must have parts of the correct types, not be of the clock or the power switch, and go to one of these names.
    """
    if isinstance(message, (Timeout, Restart)):
        raise AnswerError(f"an actor must not send {message.type}: the clock and the power switch do")
    parts = {"sender": str, "recipient": str, "id": int, "value": str}
    for name, kind in parts.items():
        part = getattr(message, name, kind())
        # A derived class is refused, too, because it may override comparison. One's own type may give value any type.
        if type(part) is not kind and (name != "value" or isinstance(message, VALUED)):
            raise AnswerError(f"the {name} of a {message.type} has type {type(part).__name__}, not {kind.__name__}")
    if message.recipient not in names:
        is_answer = message.recipient == "power"
        why = ": RESTART comes from no actor, do not answer it" if is_answer else ", but no actor has that name"
        raise AnswerError(f"{message.type} to {message.recipient!r}{why}")


def plural(count: int, noun: str) -> str:
    """Return a count with its noun: ``1 round``, ``2 rounds``, ``3 deliveries``."""
    return f"{count:,} {noun if count == 1 else noun.removesuffix('y') + 'ies' if noun.endswith('y') else noun + 's'}"


def unheard(events: Sequence[Event]) -> Iterator[Unheard]:
    """Yield what was said in the last of some deliveries; a message to several recipients is one event."""
    last = next((event for event in reversed(events) if isinstance(event, Delivery)), None)
    recipients: dict[str, list[str]] = {}
    for answer in last.answers if last else ():
        recipients.setdefault(in_brief(answer), []).append(answer.recipient)
    for words, names in recipients.items():
        assert last
        yield Unheard(last.time, last.message.recipient, f"{words} to {', '.join(names)}")


def in_brief(message: Message) -> str:
    """Return what a message says in words."""
    value, accepted = said_by(message)
    about = f" {value}" if value is not None else f" ({accepted.id} {accepted.value})" if accepted else ""
    return f"{message.type} {message.id}{about}"


def says(event: Event) -> Sequence[Message]:
    """Return the messages that are said in an event."""
    if isinstance(event, Delivery):
        return event.answers
    return event.says if isinstance(event, Wants) else ()


def stored_by(actor: Actor) -> tuple[int | None, Proposal | None]:
    """Return what an acceptor has promised and accepted, if its attributes have these names, as ours do."""
    if type(actor) is Acceptor:
        return actor.promised, actor.accepted
    # Without the attribute it is not known what it has accepted.
    promised, accepted = getattr(actor, "promised", None), getattr(actor, "accepted", "")
    if type(promised) is not int:
        return None, None
    if accepted is None:
        return promised, None
    proposal = as_proposal(accepted)
    return (promised, proposal) if proposal else (None, None)


def as_proposal(accepted: object) -> Proposal | None:
    """Return a pair of a number and a text as a proposal, None for anything else."""
    # The match statement below would suffice, but it takes several times as long.
    if type(accepted) is Proposal and type(accepted.id) is int and type(accepted.value) is str:
        return accepted
    match accepted:
        case (int(id), str(value)) if type(id) is int:
            return Proposal(id, value)
    return None


VALUED = (Propose, Accept)


def said_by(message: Message) -> tuple[str | None, Proposal | None]:
    """Return what a message says besides its number: a value, or the proposal that its sender accepted before.

    For a message of an actor's own type, the value is all its fields, as JSON.
    """
    if isinstance(message, Promise):
        return None, message.accepted and as_proposal(message.accepted)
    return (message.value if isinstance(message, VALUED) else own_words(message)), None


def learned_by(actor: Actor) -> str | None:
    """Return what a proposer has learned as text, or None."""
    learned = getattr(actor, "learned", None)
    return None if learned is None else str(learned)


def plain_learned(proposer: Any) -> str | None:
    """Return what a proposer has learned; raise AnswerError if that cannot be a value."""
    learned: str | None = proposer.learned
    if learned is not None and type(learned) is not str:
        raise AnswerError(f"it has type {type(learned).__name__}")
    return learned
