"""Messages of other classes: an object with the parts of a message becomes a message.

Actors need not import anything from this program. Their messages have the attributes ``type``, ``sender``,
``recipient`` and ``id``, and those of the type: ``accepted`` in a PROMISE, ``value`` in a PROPOSE or ACCEPT. An actor
can also have message types of its own. Such a message keeps all its attributes, and stories show them:
``NACK 2 {"promised":3}``.
"""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, make_dataclass
from enum import Enum
from functools import cache
from math import isfinite
from typing import Any

from toy_paxos.message import Accept, Fail, Message, Prepare, Promise, Proposal, Propose, Restart, Terminate, Timeout

BETWEEN_ACTORS: dict[str, type[Message]] = {
    kind.type: kind for kind in (Prepare, Promise, Propose, Accept, Fail, Terminate)
}

MESSAGES = BETWEEN_ACTORS | {kind.type: kind for kind in (Timeout, Restart)}

ROUTE = ("sender", "recipient", "id")


class AnswerError(Exception):
    """A method of an actor returned something that it must not return; the message is one line that says what."""


@cache
def own_kind(type: str, parts: tuple[str, ...]) -> type[Message]:
    """Return the class of messages of an actor's own type with these parts, always the same one."""
    return make_dataclass(type, parts, bases=(Message,), namespace={"type": type})


def parts_of(kind: type[Message]) -> tuple[str, ...]:
    """Return the names of the parts of a kind of message besides its sender, recipient and number."""
    return tuple(field.name for field in fields(kind) if field.name not in ROUTE)


def as_message(thing: Any) -> Message:
    """Return an object as a message; raise AnswerError if it lacks something."""
    if isinstance(thing, Message):
        return thing
    type = getattr(thing, "type", None)
    if not isinstance(type, str):
        has = f"its attribute type is {type!r}, not" if hasattr(thing, "type") else "it lacks an attribute type,"
        raise AnswerError(
            f"an object of type {thing.__class__.__name__} is not a message: {has} a text such as 'PROMISE'"
        )
    kind = MESSAGES.get(type)
    if kind:
        parts = [*ROUTE, *parts_of(kind)]
    else:
        parts = [*ROUTE, *sorted(attributes(thing).keys() - {"type", *ROUTE})]
        kind = own_kind(type, tuple(parts[len(ROUTE) :]))
    missing = [name for name in parts if not hasattr(thing, name)]
    if missing:
        raise AnswerError(f"a {type} lacks {' and '.join(missing)}")
    values = {name: getattr(thing, name) for name in parts}
    if kind is Promise:
        values["accepted"] = as_accepted(values["accepted"])
    return kind(**values)


def attributes(thing: Any) -> dict[str, Any]:
    """Return the attributes of an object that its instance holds."""
    if hasattr(thing, "_asdict"):
        return dict(thing._asdict())
    if is_dataclass(thing):
        return {field.name: getattr(thing, field.name) for field in fields(thing)}
    return dict(getattr(thing, "__dict__", {}))


def own_words(message: Message) -> str | None:
    """Return the parts of a message of an actor's own type as JSON; None for all other types."""
    if message.type in MESSAGES:
        return None
    # Imported here, because most runs do not need it.
    from json import dumps

    said = {name: as_json(getattr(message, name)) for name in parts_of(type(message))}
    return dumps(said, ensure_ascii=False, separators=(",", ":"))


def as_json(value: Any) -> Any:
    """Return a value in a form that JSON has: an object as its attributes, or the name of its class if it has none."""
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        return value if isfinite(value) else str(value)
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, (set, frozenset)):
        return sorted(map(as_json, value), key=repr)
    if isinstance(value, Mapping):
        return {str(key): as_json(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)) and not hasattr(value, "_asdict"):
        return [*map(as_json, value)]
    return {name: as_json(each) for name, each in attributes(value).items()} or type(value).__name__


def as_accepted(accepted: Any) -> Proposal | None:
    """Return the proposal that a promise reports as a pair or in attributes, or None."""
    if accepted is None:
        return None
    pair = (accepted.id, accepted.value) if hasattr(accepted, "id") and hasattr(accepted, "value") else accepted
    match pair:
        case [int(id), str(value)] if type(id) is int:
            return Proposal(id, value)
    raise AnswerError("accepted in a PROMISE must be None, or a pair of a number and a value")
