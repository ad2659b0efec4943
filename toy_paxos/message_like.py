"""Messages of other classes: an object with the parts of a message becomes one.

Actors need not import anything from here. What they say has the attributes ``type``, ``sender``, ``recipient`` and
``id``, and those of its type: ``accepted`` in a PROMISE, ``value`` in a PROPOSE or ACCEPT. A message of any other type
is one of the actor's own, and keeps all its attributes. It is told with them: ``NACK 2 {"promised":3}``.
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


class UnlikeMessageError(Exception):
    """An object has the type of a message, but not its parts; the words say what is expected."""


@cache
def own_kind(type: str, parts: tuple[str, ...]) -> type[Message]:
    """Return the class of the messages of a type that is unknown here, with these parts; one class for all of them."""
    return make_dataclass(type, parts, bases=(Message,), namespace={"type": type})


def parts_of(kind: type[Message]) -> tuple[str, ...]:
    """Return the names of what a kind of message says beyond its route and its number."""
    return tuple(field.name for field in fields(kind) if field.name not in ROUTE)


def as_message(thing: Any) -> Any:
    """Return an object as a message if it has a type; raise UnlikeMessageError if it lacks something else."""
    type = getattr(thing, "type", None)
    if isinstance(thing, Message) or not isinstance(type, str):
        return thing
    kind = MESSAGES.get(type)
    if kind:
        parts = [*ROUTE, *parts_of(kind)]
    else:
        parts = [*ROUTE, *sorted(attributes(thing).keys() - {"type", *ROUTE})]
        kind = own_kind(type, tuple(parts[len(ROUTE) :]))
    missing = [name for name in parts if not hasattr(thing, name)]
    if missing:
        raise UnlikeMessageError(f"a {type} needs {' and '.join(missing)} besides type, sender, recipient and id")
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
    """Return what a message of an actor's own type says beyond its number, as JSON; None for all other types."""
    if message.type in MESSAGES:
        return None
    # Imported only here, because most runs do without.
    from json import dumps

    said = {name: as_json(getattr(message, name)) for name in parts_of(type(message))}
    return dumps(said, ensure_ascii=False, separators=(",", ":"))


def as_json(value: Any) -> Any:
    """Return a value as JSON can hold it: objects by their attributes, in the end by the name of their class."""
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
    """Return what a promise reports: nothing, or a number and a value, as a pair or in attributes."""
    if accepted is None:
        return None
    pair = (accepted.id, accepted.value) if hasattr(accepted, "id") and hasattr(accepted, "value") else accepted
    match pair:
        case [int(id), str(value)]:
            return Proposal(id, value)
    raise UnlikeMessageError("accepted in a PROMISE must be None, or a pair of a number and a value")
