"""The state of an actor, or a message, as plain data that can be compared, put back, and renamed.

A snapshot is built from nested tuples, so that two things are in the same state exactly if their snapshots
are equal. The order of a dictionary, be it one of attributes, is part of a state, for a program can see it and
rely on it; the order of a set is not. What is not plain data (an open file, a die, a function) has no snapshot,
and to ask for one raises TypeError.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import Enum
from functools import cache
from types import MemberDescriptorType, NoneType
from typing import Any

Snapshot = Any
"""An atom, or a pair of a class and a tuple of what is in it."""

ATOMS = frozenset({str, int, bytes, NoneType})

# Equal to some whole numbers or to each other, from which their class, and their digits, tell them.
NUMBERS = frozenset({bool, float})

ADVICE = "keep the state in numbers, text, tuples, lists, sets, dictionaries, and objects of such attributes"


def take(thing: object, seen: set[int] | None = None) -> Snapshot:
    """The snapshot of a thing and of all that it holds.

    Raises TypeError for what is not plain data, and for what can be reached in two ways, because to change
    it in one place would change it in the other. ``seen`` has the identities of what was reached before.
    """
    kind = type(thing)
    if kind in ATOMS:
        return thing
    if kind in NUMBERS:
        return kind, (repr(thing),)
    if isinstance(thing, Enum):
        if kind.__eq__ not in (object.__eq__, int.__eq__, str.__eq__):
            raise TypeError(f"a {kind.__name__} has its own idea of what is equal: let it be as in any Enum")
        return kind, (thing,)
    seen = set() if seen is None else seen
    if isinstance(thing, (str, int)):
        return kind, (without_attributes(thing, str if isinstance(thing, str) else int),)
    if isinstance(thing, tuple) and (kind is tuple or hasattr(kind, "_fields")):
        return kind, tuple(take(part, seen) for part in without_attributes(thing, tuple))
    if kind is frozenset:
        return kind, unordered(take(part, seen) for part in thing)  # type: ignore[attr-defined]
    if id(thing) in seen:
        raise TypeError(
            f"a {kind.__name__} can be reached in two ways, so it cannot be put back as it was: let there be one"
        )
    seen.add(id(thing))
    if isinstance(thing, list) and kind is list:
        return kind, tuple(take(part, seen) for part in thing)
    if isinstance(thing, set) and kind is set:
        return kind, unordered(take(part, seen) for part in thing)
    if isinstance(thing, dict) and kind is dict:
        return kind, tuple((take(key, seen), take(value, seen)) for key, value in thing.items())
    return kind, tuple((name, take(value, seen)) for name, value in attributes(thing).items())


def without_attributes(thing: Any, base: type) -> Any:
    """The bare text, number or tuple in a thing of a class derived from it; raises TypeError if it is more."""
    if getattr(thing, "__dict__", None):
        raise TypeError(f"a {type(thing).__name__} has attributes besides what it is as {base.__name__}: {ADVICE}")
    # Whatever the class may make of these.
    plain: dict[type, Callable[[Any], Any]] = {str: str.__str__, int: int.__int__, tuple: tuple.__iter__}
    return plain[base](thing)


def attributes(thing: Any) -> dict[str, object]:
    """The attributes of a thing by name, in their order; raises TypeError if it is more than its attributes."""
    kind: Any = type(thing)
    if not is_made_in_python(kind):
        raise TypeError(f"a {kind.__name__} is not plain data, so its state cannot be compared: {ADVICE}")
    found = dict(getattr(thing, "__dict__", {}))
    for name, slot in slots(kind).items():
        try:
            found[name] = slot.__get__(thing)
        except AttributeError:  # An empty slot.
            continue
    return found


@cache
def slots(kind: type) -> dict[str, MemberDescriptorType]:
    """The slots of the things of a class, by name."""
    return {
        slot.__name__: slot
        for base in reversed(kind.__mro__)
        for slot in vars(base).values()
        if isinstance(slot, MemberDescriptorType)
    }


@cache
def is_made_in_python(kind: type) -> bool:
    """Whether the things of a class have no state but their attributes: not so files, dice and functions."""
    try:
        thing: Any = object.__new__(kind)
    except TypeError:
        return False
    # From Python 3.12 on a file can be made like this, too; but it has its own way to be copied, or to refuse.
    ways: list[tuple[Any, Any]] = [
        (kind.__reduce__, object.__reduce__),
        (kind.__reduce_ex__, object.__reduce_ex__),
    ]
    return all(way is usual for way, usual in ways) and bool(slots(kind) or hasattr(thing, "__dict__"))


def unordered(parts: Iterable[Snapshot]) -> tuple[Snapshot, ...]:
    """Some snapshots in an order that depends on nothing but them."""
    return tuple(sorted(parts, key=repr))


def put_back(snapshot: Snapshot, new_set: Callable[[Iterable[Any]], Any] = set) -> Any:
    """A new thing in the state of the snapshot; ``new_set`` makes each set in it."""
    if type(snapshot) in ATOMS:
        return snapshot
    kind, parts = snapshot
    if kind in NUMBERS:
        return parts[0] == "True" if kind is bool else float(parts[0])
    if issubclass(kind, Enum):
        return parts[0]
    if issubclass(kind, (str, int)):
        return (str if issubclass(kind, str) else int).__new__(kind, parts[0])
    if kind is dict:
        return {put_back(key, new_set): put_back(value, new_set) for key, value in parts}
    if kind is set:
        return new_set(put_back(part, new_set) for part in parts)
    if kind in (list, frozenset):
        return kind(put_back(part, new_set) for part in parts)
    if issubclass(kind, tuple):
        return tuple.__new__(kind, (put_back(part, new_set) for part in parts))
    thing = object.__new__(kind)
    for name, value in parts:
        set_attribute(thing, name, put_back(value, new_set))
    return thing


def set_attribute(thing: Any, name: str, value: object) -> None:
    """Give a thing an attribute, past whatever its class may have to say to that."""
    kind: Any = type(thing)
    if slot := slots(kind).get(name):
        slot.__set__(thing, value)
    else:
        thing.__dict__[name] = value


def scattered(parts: Iterable[Any], size: int = 100) -> set[Any]:
    """A set like any other, which however may be gone through in another order; which one, depends on the size."""
    fillers = range(10**9, 10**9 + size)
    found = {*fillers, *reversed(list(parts))}
    # One by one, for then the set does not shrink its table, whose size the order depends on.
    for filler in fillers:
        found.discard(filler)
    return found


def rename(snapshot: Snapshot, names: Mapping[str, str]) -> Snapshot:
    """The snapshot as it would be if some names were others."""
    if type(snapshot) is str:
        return names.get(snapshot, snapshot)
    if type(snapshot) in ATOMS or snapshot[0] in NUMBERS or issubclass(snapshot[0], Enum):
        return snapshot
    kind, parts = snapshot
    if kind in (set, frozenset):
        return kind, unordered(rename(part, names) for part in parts)
    if kind is dict:
        return kind, tuple((rename(key, names), rename(value, names)) for key, value in parts)
    if kind is list or issubclass(kind, (tuple, str, int)):
        return kind, tuple(rename(part, names) for part in parts)
    return kind, tuple((name, rename(value, names)) for name, value in parts)


def parts_of(thing: object, kind: type) -> Iterator[Any]:
    """Everything of a certain class that a thing of plain data holds, or is."""
    if isinstance(thing, kind):
        yield thing
    if isinstance(thing, (str, int, bytes, float, NoneType, Enum)):
        return
    if isinstance(thing, dict):
        inner: Iterable[object] = (*thing.keys(), *thing.values())
    elif isinstance(thing, (tuple, list, set, frozenset)):
        inner = thing
    else:
        inner = attributes(thing).values()
    for part in inner:
        yield from parts_of(part, kind)
