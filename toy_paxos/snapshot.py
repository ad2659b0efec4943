"""The state of an actor, or a message, as plain data that can be compared, put back, and renamed.

A snapshot is built from nested tuples, so that two things are in the same state exactly if their snapshots
are equal. The order of a set or a dictionary is no part of a state. What is not plain data (an open file, a
die, a function) has no snapshot, and to ask for one raises TypeError.
"""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any

Snapshot = Any
"""An atom, or a pair of a class and a tuple of what is in it."""

ATOMS = (str, int, float, bool, bytes, type(None), Enum)


def take(thing: object) -> Snapshot:
    """The snapshot of a thing and of all that it holds; raises TypeError for what is not plain data."""
    if isinstance(thing, ATOMS):
        return thing
    kind = type(thing)
    if isinstance(thing, (list, tuple)):
        return kind, tuple(map(take, thing))
    if isinstance(thing, (set, frozenset)):
        return kind, unordered(map(take, thing))
    if isinstance(thing, dict):
        return kind, unordered((take(key), take(value)) for key, value in thing.items())
    if not is_plain(thing):
        raise TypeError(f"a {kind.__name__} is not plain data, so its state cannot be compared")
    return kind, tuple((name, take(value)) for name, value in attributes(thing).items())


def is_plain(thing: object) -> bool:
    """Whether a thing is nothing but its attributes: not so a file, a die, or a function."""
    if callable(thing) or not (is_dataclass(thing) or hasattr(thing, "__dict__")):
        return False
    try:
        object.__new__(type(thing))
    except TypeError:
        return False
    return True


def attributes(thing: object) -> dict[str, object]:
    """The attributes of a thing by name, sorted."""
    if is_dataclass(thing) and not hasattr(thing, "__dict__"):
        return {field.name: getattr(thing, field.name) for field in fields(thing)}
    return dict(sorted(vars(thing).items()))


def unordered(parts: Any) -> tuple[Any, ...]:
    """Some snapshots in an order that depends on nothing but them."""
    return tuple(sorted(parts, key=repr))


def put_back(snapshot: Snapshot) -> Any:
    """A new thing in the state of the snapshot."""
    if isinstance(snapshot, ATOMS):
        return snapshot
    kind, parts = snapshot
    if issubclass(kind, tuple):
        values = map(put_back, parts)
        return kind(*values) if hasattr(kind, "_fields") else kind(values)
    if issubclass(kind, (list, set, frozenset)):
        return kind(map(put_back, parts))
    if issubclass(kind, dict):
        return kind((put_back(key), put_back(value)) for key, value in parts)
    thing = object.__new__(kind)
    for name, value in parts:
        setattr(thing, name, put_back(value))
    return thing


def rename(snapshot: Snapshot, names: Mapping[str, str]) -> Snapshot:
    """The snapshot as it would be if some names were others."""
    if isinstance(snapshot, str):
        return names.get(snapshot, snapshot)
    if isinstance(snapshot, ATOMS):
        return snapshot
    kind, parts = snapshot
    if issubclass(kind, (set, frozenset)):
        return kind, unordered(rename(part, names) for part in parts)
    if issubclass(kind, dict):
        return kind, unordered((rename(key, names), rename(value, names)) for key, value in parts)
    if issubclass(kind, (list, tuple)):
        return kind, tuple(rename(part, names) for part in parts)
    return kind, tuple((name, rename(value, names)) for name, value in parts)
