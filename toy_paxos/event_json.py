"""Events as JSON objects, one a line, and back: the dialect of ``--json`` and of the logs that processes write.

An event is an object with its kind (``event``), its place (a ``round``, perhaps of a ``run``, or the ``step`` of a
counterexample), the fields of its dataclass, and its time in simulated milliseconds (``t_ms``, null without a clock):

    {"event":"quorum","round":1,"proposer":"proposer-0","id":1,"acceptors":["acceptor-0","acceptor-2"],"t_ms":null}

In a delivery the fields of the message come first. The messages said in an event (``answers``, ``says``) follow from
the actors, so only logs have them. Readers ignore kinds and keys that they do not know, and refuse other formats.
"""

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from types import NoneType
from typing import Any, cast, get_args

from toy_paxos.event import KINDS, LOST, VALUED, Delivery, Denial, Event, Fate, Wants, said_by
from toy_paxos.message import Message, Promise, Proposal
from toy_paxos.message_like import MESSAGES, own_kind

FORMAT = 2
"""The version of the format; increase it when programs that read the lines have to be changed."""

# One encoder for all lines: json.dumps would make a new one for each.
ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def json_line(**keys: Any) -> str:
    """Return an object with these keys as a line."""
    return ENCODER.encode(keys) + "\n"


# Writing


def event_line(event: Event, place: str, is_timed: bool = False, is_log: bool = False, ending: str = "") -> str:
    """Return an event as a line; ``place`` and ``ending`` are keys that are JSON already.

    ``is_timed`` says that its times are simulated milliseconds, ``is_log`` that the line has the messages said in it.
    """
    if isinstance(event, Delivery):
        times = '"t_ms":null,"sent_ms":null'
        if is_timed:
            times = f'"t_ms":{round(event.time, 3)!r},"sent_ms":{round(event.sent, 3)!r}'
        if is_log:
            times = f'"answers":{objects(event.answers)},{times}'
        return f'{{"event":"message",{place},{delivery_keys(event)},{times}{ending}}}\n'
    # The slots of a kind of event are the fields that Event does not have. Only the watch needs ``learned`` of a Wants.
    keys = keys_of(**{name: getattr(event, name) for name in event.__slots__ if name not in ("says", "learned")})
    time = round(event.time, 3) if is_timed else "null"
    says = f',"says":{objects(event.says)}' if is_log and isinstance(event, Wants) else ""
    return f'{{"event":"{event.event}",{place},{keys}{says},"t_ms":{time}{ending}}}\n'


def objects(messages: Sequence[Message]) -> str:
    """Return messages as a JSON list."""
    return f"[{','.join([f'{{{message_keys(message)}}}' for message in messages])}]"


def delivery_keys(event: Delivery) -> str:
    """Return the keys of a delivery: its message, its fate, and what can be seen of the recipient afterwards."""
    after = "null"
    if event.promised is not None:
        id, value = event.accepted or ("null", None)
        after = f'{{"promised":{event.promised},"accepted_id":{id},"accepted_value":{encoded(value)}}}'
    elif event.learned is not None:
        after = f'{{"learned":{encoded(event.learned)}}}'
    denial = encoded(event.denial) if event.denial else "null"
    return f'{message_keys(event.message)},"fate":"{event.fate}","denial":{denial},"after":{after}'


def message_keys(message: Message) -> str:
    """Return the keys of a message."""
    value, accepted = said_by(message)
    route = route_keys(message.type, message.sender, message.recipient, message.id)
    if accepted:
        return f'{route},"value":{encoded(accepted.value)},"accepted_id":{accepted.id}'
    if value is not None and not isinstance(message, VALUED):
        return f'{route},"value":null,"accepted_id":null,"fields":{value}'
    return f'{route},"value":{"null" if value is None else encoded(value)},"accepted_id":null'


# Most routes and values recur, so their JSON is cached.


@lru_cache(maxsize=2**16)
def route_keys(type: str, sender: str, recipient: str, id: int) -> str:
    """Return the keys of a message's type, actors and number."""
    return keys_of(type=type, sender=sender, recipient=recipient, id=id)


@lru_cache(maxsize=2**10)
def encoded(value: str | None) -> str:
    """Return a text or None as JSON."""
    return ENCODER.encode(value)


def keys_of(**keys: Any) -> str:
    """Return keys and values as JSON, without the braces around them."""
    return ENCODER.encode(keys)[1:-1]


# Reading


class FormatError(ValueError):
    """Lines have a format that this version does not read."""


def check_format(number: object) -> None:
    """Raise FormatError unless lines have the format that is written here."""
    if number != FORMAT:
        raise FormatError(f"this is not in format {FORMAT}, the only one that this version of toy-paxos reads")


# Fields of events that are neither texts nor lists.
TYPES: dict[str, type] = {"attempt": int, "id": int, "accepted_id": int, "last": bool}


def event_of(line: Mapping[str, Any]) -> Event | None:
    """Return the event in an object, or None for an unknown kind.

    Raises ValueError, KeyError, TypeError or AttributeError if the object cannot be an event.
    """
    kind = KINDS.get(line["event"])
    time = a(line.get("t_ms") or line.get("step"), float, int, NoneType) or 0
    if kind is Delivery:
        after = line.get("after") or {}
        return Delivery(
            time,
            message_of(**line),
            Fate(line.get("fate", Fate.DELIVERED)),
            a(line.get("sent_ms"), float, int, NoneType) or 0,
            field_of("says", line.get("answers", ())),
            a(line.get("denial"), str, NoneType) if line.get("fate") == LOST else denial_of(line.get("denial")),
            a(after.get("promised"), int, NoneType),
            proposal_of(after.get("accepted_id"), after.get("accepted_value")),
            a(after.get("learned"), str, NoneType),
        )
    if not kind:
        return None
    return kind(time, **{name: field_of(name, line[name]) for name in kind.__slots__ if line.get(name) is not None})


def field_of(name: str, value: Any) -> Any:
    """Return a field of an event; raise ValueError or TypeError if it cannot have this value."""
    if name == "says":
        return [message_of(**line) for line in value]
    return tuple([a(each, str) for each in value]) if name == "acceptors" else a(value, TYPES.get(name, str))


def message_of(
    type: str,
    sender: str,
    recipient: str,
    id: int,
    value: object = None,
    accepted_id: object = None,
    fields: Mapping[str, Any] | None = None,
    **_: object,
) -> Message:
    """Return the message with these keys, and ignore others; raise ValueError or TypeError if it cannot be one.

    A message of an actor's own type has ``fields``.
    """
    kind, about = MESSAGES.get(type), list[Any]()
    if not kind:
        if fields is None:
            raise ValueError(f"unknown kind of message {type!r}")
        kind, about = own_kind(type, (*fields,)), [*fields.values()]
    elif kind is Promise:
        about = [proposal_of(accepted_id, value)]
    elif kind in VALUED:
        about = [a(value, str)]
    return kind(a(sender, str), a(recipient, str), a(id, int), *about)


def proposal_of(id: object, value: object) -> Proposal | None:
    """Return a proposal, or None without a number; raise ValueError if it is incomplete."""
    return None if id is None else Proposal(a(id, int), a(value, str))


def denial_of(value: object) -> Denial | None:
    """Return why a request was not granted, or None; raise ValueError for any other value."""
    if value not in (None, *get_args(Denial)):
        raise ValueError(f"no acceptor denies a request like that: {value!r}")
    return cast("Denial | None", value)


def a(value: object, *types: type) -> Any:
    """Return a value of one of these types; raise ValueError if it has another type."""
    if type(value) not in types:
        raise ValueError(f"{value!r} has a wrong type")
    return value
