"""Messages as protobuf and back: whatever Paxos has no meaning for is refused here, and nowhere else.

In proto3 a number that is missing is 0, a text that is missing is empty, and an acceptor would take PROPOSE 0 for one
that it promised: so numbers are from 1 to 2^63-1, and no text is empty.
"""

from typing import Any, Literal

from toy_paxos.event import Delivery, as_proposal, said_by
from toy_paxos.message import BETWEEN_ACTORS, Accept, Fail, Message, Prepare, Promise, Proposal, Propose
from toy_paxos.remote import wire_pb2 as wire

LARGEST = 2**63 - 1


def number(value: object) -> int:
    """The number, if it is one that a proposal, a round or a run can have; raises ValueError."""
    if type(value) is not int or not 1 <= value <= LARGEST:
        raise ValueError(f"{value!r} is no number from 1 to 2^63-1")
    return value


LONGEST = 16 * 1024
"""How many bytes a value or a name may have: an answer may hold a value twice, and more."""


def text(value: object) -> str:
    """The text, if a value or a name can be that; raises ValueError."""
    # What cannot be encoded raises UnicodeEncodeError, which is a ValueError.
    if type(value) is not str or not 1 <= len(value.encode()) <= LONGEST:
        raise ValueError(f"that is no text of 1 to {LONGEST:,} bytes")
    return value


def message_of(kind: str, sender: object, recipient: object, id: object, value: object, accepted: object) -> Message:
    """The message with these parts; raises ValueError if there is no such message."""
    if kind not in BETWEEN_ACTORS:
        raise ValueError(f"there is no kind of message {kind!r}")
    about: list[Any] = []
    if kind in (Propose.type, Accept.type):
        about = [text(value)]
    elif kind == Promise.type:
        about = [proposal_of(accepted)]
    return BETWEEN_ACTORS[kind](text(sender), text(recipient), number(id), *about)


def proposal_of(accepted: object) -> Proposal | None:
    """What was accepted, a number and a value, or None; raises ValueError if it is neither."""
    if accepted is None:
        return None
    if not (proposal := as_proposal(accepted)):
        raise ValueError(f"{accepted!r} is no number and value")
    return Proposal(number(proposal.id), text(proposal.value))


def denial(value: object) -> Literal["failed", "refused"] | None:
    """Why a request came to nothing, if it did; raises ValueError if it is for no such reason."""
    if value not in (None, "failed", "refused"):
        raise ValueError(f"no acceptor denies like that: {value!r}")
    return value


def to_wire(message: Message) -> wire.Message:
    """A message as protobuf."""
    value, accepted = said_by(message)
    return wire.Message(
        kind=message.type,
        sender=message.sender,
        recipient=message.recipient,
        id=message.id,
        value=value,
        accepted=to_proposal(accepted),
    )


def from_wire(message: wire.Message) -> Message:
    """A message from protobuf; raises ValueError."""
    kind = wire.Kind.Name(message.kind) if message.kind in wire.Kind.values() else str(message.kind)
    value = message.value if message.HasField("value") else None
    return message_of(kind, message.sender, message.recipient, message.id, value, from_proposal(message))


def to_proposal(accepted: Proposal | None) -> wire.Proposal | None:
    """What was accepted, as protobuf."""
    return accepted and wire.Proposal(id=accepted.id, value=accepted.value)


def from_proposal(message: wire.Message | wire.Handled) -> Proposal | None:
    """What was accepted, from protobuf; raises ValueError."""
    if not message.HasField("accepted"):
        return None
    return proposal_of((message.accepted.id, message.accepted.value))


def to_handled(event: Delivery) -> wire.Handled:
    """What became of a request at its acceptor, as protobuf."""
    return wire.Handled(
        answers=map(to_wire, event.answers),
        denial=event.denial,
        promised=event.promised,
        accepted=to_proposal(event.accepted),
    )


# What may be answered to what.
FITTING: dict[str, tuple[type[Message], ...]] = {Prepare.type: (Promise, Fail), Propose.type: (Accept, Fail)}


def from_handled(handled: wire.Handled, request: Message) -> Delivery:
    """What became of a request at its acceptor; raises ValueError if that is no answer to it, or not from there."""
    answers = [from_wire(answer) for answer in handled.answers]
    for answer in answers:
        if (answer.sender, answer.recipient, answer.id) != (request.recipient, request.sender, request.id):
            raise ValueError(f"{request.recipient} was asked, and {answer.sender} answers")
        if not isinstance(answer, FITTING.get(request.type, ())):
            raise ValueError(f"{answer.type} answers no {request.type}")
        if isinstance(answer, Accept) and answer.value != said_by(request)[0]:
            raise ValueError("another value is accepted than was proposed")
    if handled.promised < 0 or len(answers) > 1:
        raise ValueError("no acceptor answers like that")
    why = denial(handled.denial or None)
    accepted = from_proposal(handled)
    return Delivery(0, request, answers=answers, denial=why, promised=handled.promised, accepted=accepted)
