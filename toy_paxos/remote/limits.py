"""Limits on numbers and texts from outside, within which they have a meaning for Paxos and protobuf.

In proto3 a missing number is 0 and a missing text is empty, and an acceptor that has promised nothing would take
PROPOSE 0 for a proposal that it promised. So numbers are from 1 to 2^63-1, and texts are not empty. Only names of
acceptors and proposers are names.
"""

import re

from toy_paxos.event import Delivery, Event, TimedOut, said_by, says
from toy_paxos.message import Message, Proposal, Restart, Timeout

LARGEST = 2**63 - 1

LONGEST = 16 * 1024
"""The maximum size of a value in bytes; an answer can hold a value twice, and more."""


def number(value: object) -> int:
    """Return a number that a proposal, a round or a run can have; raises ValueError for anything else."""
    if type(value) is not int or not 1 <= value <= LARGEST:
        raise ValueError(f"{value!r} is not a number from 1 to 2^63-1")
    return value


def text(value: object) -> str:
    """Return a text that a value or a name can be; raises ValueError for anything else."""
    # What cannot be encoded raises UnicodeEncodeError, which is a ValueError.
    if type(value) is not str or not 1 <= len(value.encode()) <= LONGEST:
        raise ValueError(f"this is not a text of 1 to {LONGEST:,} bytes")
    return value


def actor_name(value: object) -> str:
    """Return the name of an actor; raises ValueError for anything else."""
    if type(value) is not str or not re.fullmatch(r"(acceptor|proposer)-(0|[1-9]\d{0,2})", value):
        raise ValueError("this is not a name such as acceptor-0 or proposer-0")
    return value


def check_proposal(proposal: Proposal | None) -> Proposal | None:
    """Return a proposal, if there is one; raises ValueError if it is outside the limits."""
    return proposal and Proposal(number(proposal.id), text(proposal.value))


def check_message(message: Message) -> Message:
    """Return a message; raises ValueError if a part of it is outside the limits."""
    value, accepted = said_by(message)
    if message.sender not in ("clock", "power") or not isinstance(message, (Timeout, Restart)):
        actor_name(message.sender)
    actor_name(message.recipient)
    number(message.id)
    if value is not None:
        text(value)
    check_proposal(accepted)
    return message


def check_event(event: Event) -> None:
    """Raise ValueError if a message, a number or a value in something that a process did is outside the limits."""
    for message in says(event):
        check_message(message)
    if isinstance(event, Delivery):
        check_message(event.message)
        check_proposal(event.accepted)
        # An acceptor that has promised nothing has promised 0.
        number(event.promised or 1)
    elif isinstance(event, TimedOut):
        number(event.attempt)
        number(event.id)
    for field in ("proposer", "value", "learned"):
        if (value := getattr(event, field, None)) is not None:
            text(value)
