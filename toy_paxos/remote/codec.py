"""Messages as protobuf and back; messages that mean nothing to Paxos are refused."""

from toy_paxos.event import Delivery, said_by
from toy_paxos.event_json import denial_of, message_of
from toy_paxos.message import Accept, Fail, Message, Prepare, Promise, Proposal, Propose
from toy_paxos.remote import wire_pb2 as wire
from toy_paxos.remote.limits import check_message, check_proposal


def to_wire(message: Message) -> wire.Message:
    """Return a message as protobuf."""
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
    """Return a message from protobuf; raises ValueError."""
    kind = wire.Kind.Name(message.kind) if message.kind in wire.Kind.values() else str(message.kind)
    value, accepted = message.value if message.HasField("value") else None, from_proposal(message)
    if kind == Promise.type:
        value = accepted and accepted.value
    return check_message(
        message_of(kind, message.sender, message.recipient, message.id, value, accepted and accepted.id)
    )


def to_proposal(accepted: Proposal | None) -> wire.Proposal | None:
    """Return an accepted proposal as protobuf."""
    return accepted and wire.Proposal(id=accepted.id, value=accepted.value)


def from_proposal(message: wire.Message | wire.Handled) -> Proposal | None:
    """Return an accepted proposal from protobuf; raises ValueError."""
    if not message.HasField("accepted"):
        return None
    return check_proposal(Proposal(message.accepted.id, message.accepted.value))


def to_handled(event: Delivery) -> wire.Handled:
    """Return what an acceptor did with a request, as protobuf."""
    return wire.Handled(
        answers=map(to_wire, event.answers),
        denial=event.denial,
        promised=event.promised,
        accepted=to_proposal(event.accepted),
    )


# Which answers each request can get.
FITTING: dict[str, tuple[type[Message], ...]] = {Prepare.type: (Promise, Fail), Propose.type: (Accept, Fail)}


def from_handled(handled: wire.Handled, request: Message) -> Delivery:
    """Return what an acceptor did with a request; raises ValueError if the answers do not fit the request."""
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
    why = denial_of(handled.denial or None)
    promised = handled.promised if handled.HasField("promised") else None
    accepted = from_proposal(handled)
    return Delivery(0, request, answers=answers, denial=why, promised=promised, accepted=accepted)
