"""The state of an actor, or a message, as plain data that can be compared, put back, and renamed.

A snapshot is built from nested tuples, so that two things are in the same state exactly if their snapshots
are equal. The order of a set or a dictionary is no part of a state. What is not plain data (an open file, a
die, a function) has no snapshot, and to ask for one raises TypeError.
"""

from collections.abc import Mapping
from enum import Enum
from typing import Any

Snapshot = Any
"""An atom, or a pair of a class and a tuple of what is in it."""

ATOMS = (str, int, bytes, type(None), Enum)

# These are atoms, too, but equal to some whole numbers, from which their class tells them.
NUMBERS = (bool, float)


def take(thing: object, seen: set[int] | None = None) -> Snapshot:
    """The snapshot of a thing and of all that it holds.

    Raises TypeError for what is not plain data, and for what can be reached in two ways, because to change
    it in one place would change it in the other. ``seen`` has the identities of what was reached before.
    """
    seen = set() if seen is None else seen
    kind = type(thing)
    if kind in NUMBERS:
        return kind, (thing,)
    if isinstance(thing, ATOMS):
        return thing
    if isinstance(thing, tuple) and (kind is tuple or hasattr(kind, "_fields")):
        return kind, tuple(take(part, seen) for part in thing)
    if kind is frozenset:
        return kind, unordered(take(part, seen) for part in thing)  # type: ignore[attr-defined]
    if id(thing) in seen:
        raise TypeError(f"a {kind.__name__} can be reached in two ways, so it cannot be put back as it was")
    seen.add(id(thing))
    if isinstance(thing, list) and kind is list:
        return kind, tuple(take(part, seen) for part in thing)
    if isinstance(thing, set) and kind is set:
        return kind, unordered(take(part, seen) for part in thing)
    if isinstance(thing, dict) and kind is dict:
        return kind, unordered((take(key, seen), take(value, seen)) for key, value in thing.items())
    return kind, tuple((name, take(value, seen)) for name, value in attributes(thing).items())


def attributes(thing: object) -> dict[str, object]:
    """The attributes of a thing by name, sorted; raises TypeError if it is more than its attributes."""
    kind = type(thing)
    slots = [name for base in kind.__mro__ for name in base.__dict__.get("__slots__", ())]
    if callable(thing) or not (slots or hasattr(thing, "__dict__")) or not is_made_in_python(kind):
        raise TypeError(f"a {kind.__name__} is not plain data, so its state cannot be compared")
    found = {name: getattr(thing, name) for name in slots if hasattr(thing, name)}
    return dict(sorted((found | getattr(thing, "__dict__", {})).items()))


def is_made_in_python(kind: type) -> bool:
    """Whether the things of a class have no state but their attributes: not so files and dice."""
    try:
        object.__new__(kind)
    except TypeError:
        return False
    # Since Python 3.12 an open file can be made like that; but it has its own say in how it is copied.
    return all(getattr(kind, name) is getattr(object, name) for name in ("__reduce__", "__reduce_ex__"))


def unordered(parts: Any) -> tuple[Any, ...]:
    """Some snapshots in an order that depends on nothing but them."""
    return tuple(sorted(parts, key=repr))


def put_back(snapshot: Snapshot) -> Any:
    """A new thing in the state of the snapshot."""
    if isinstance(snapshot, ATOMS):
        return snapshot
    kind, parts = snapshot
    if kind in NUMBERS:
        return parts[0]
    if issubclass(kind, tuple):
        values = map(put_back, parts)
        return kind(*values) if hasattr(kind, "_fields") else kind(values)
    if kind in (list, set, frozenset):
        return kind(map(put_back, parts))
    if kind is dict:
        return {put_back(key): put_back(value) for key, value in parts}
    thing = object.__new__(kind)
    for name, value in parts:
        object.__setattr__(thing, name, put_back(value))
    return thing


def rename(snapshot: Snapshot, names: Mapping[str, str]) -> Snapshot:
    """The snapshot as it would be if some names were others."""
    if isinstance(snapshot, str):
        return names.get(snapshot, snapshot)
    if isinstance(snapshot, ATOMS) or snapshot[0] in NUMBERS:
        return snapshot
    kind, parts = snapshot
    if kind in (set, frozenset):
        return kind, unordered(rename(part, names) for part in parts)
    if kind is dict:
        return kind, unordered((rename(key, names), rename(value, names)) for key, value in parts)
    if kind is list or issubclass(kind, tuple):
        return kind, tuple(rename(part, names) for part in parts)
    return kind, tuple((name, rename(value, names)) for name, value in parts)
