"""Snapshots: the state of an actor, or a message, as plain data that can be compared, restored, and renamed.

A snapshot consists of nested tuples, so two objects are in the same state exactly if their snapshots are equal. The
order of a dictionary, also of attributes, is part of a state, because a program can rely on it; the order of a set is
not. An object that is not plain data (an open file, a random number generator, a function) has no snapshot: taking one
raises TypeError.
"""

from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from functools import cache, partial
from types import MemberDescriptorType, NoneType
from typing import Any

Snapshot = Any
"""An atom, or a pair of a class and a tuple of the snapshots of its parts."""

ATOMS = frozenset({str, int, bytes, NoneType})

# Their values can be equal to integers or to each other; their class and their digits distinguish them.
NUMBERS = frozenset({bool, float})

ADVICE = "keep the state in numbers, text, tuples, lists, sets, dictionaries, and objects of such attributes"


def take(thing: object, seen: set[int] | None = None) -> Snapshot:
    """Return the snapshot of an object and of all its parts.

    Raises TypeError for an object that is not plain data, and for a mutable one that can be reached in two ways,
    because a change in one place would change the other. ``seen`` has the identities of the objects reached before.
    """
    kind: Any = type(thing)
    if kind in ATOMS:
        return thing
    return kind, taker_of(kind)(thing, set() if seen is None else seen)


Taker = Callable[[Any, set[int]], tuple[Snapshot, ...]]
"""A function that takes the snapshots of the parts of an object, given the objects reached before."""


@cache
def taker_of(kind: type) -> Taker:
    """Return the function that takes apart objects of a class; raise TypeError if they cannot be compared."""
    if kind in NUMBERS:
        return lambda thing, seen: (repr(thing),)
    if issubclass(kind, Enum):
        if kind.__eq__ not in (object.__eq__, int.__eq__, str.__eq__):
            raise TypeError(f"a {kind.__name__} defines what is equal: leave __eq__ to Enum")
        return lambda thing, seen: (thing,)
    if issubclass(kind, (str, int)):
        return lambda thing, seen: (without_attributes(thing, str if issubclass(kind, str) else int),)
    if issubclass(kind, tuple) and (kind is tuple or hasattr(kind, "_fields")):
        return lambda thing, seen: tuple([take(part, seen) for part in without_attributes(thing, tuple)])
    if kind is frozenset:
        return take_unordered
    if getattr(getattr(kind, "__dataclass_params__", None), "frozen", False):
        return take_attributes
    mutable: dict[type, Taker] = {list: take_ordered, set: take_unordered, dict: take_entries}
    return partial(once, mutable.get(kind, take_attributes))


def once(take_parts: Taker, thing: object, seen: set[int]) -> tuple[Snapshot, ...]:
    """Take apart a mutable object; raise TypeError if it was reached before."""
    if id(thing) in seen:
        raise TypeError(f"a {type(thing).__name__} can be reached in two ways; give each attribute its own copy")
    seen.add(id(thing))
    return take_parts(thing, seen)


def take_ordered(thing: Iterable[object], seen: set[int]) -> tuple[Snapshot, ...]:
    """Return the snapshots of the elements of a list."""
    return tuple([take(part, seen) for part in thing])


def take_unordered(thing: Iterable[object], seen: set[int]) -> tuple[Snapshot, ...]:
    """Return the snapshots of the elements of a set."""
    return unordered(take(part, seen) for part in thing)


def take_entries(thing: dict[object, object], seen: set[int]) -> tuple[Snapshot, ...]:
    """Return the snapshots of the keys and values of a dictionary, in their order."""
    return tuple([(take(key, seen), take(value, seen)) for key, value in thing.items()])


def take_attributes(thing: object, seen: set[int]) -> tuple[Snapshot, ...]:
    """Return the names and the snapshots of the values of attributes, in their order."""
    return tuple([(name, take(value, seen)) for name, value in attributes(thing).items()])


def without_attributes(thing: Any, base: type) -> Any:
    """Return the plain text, number or tuple in an object of a derived class; raise TypeError if it has attributes."""
    if getattr(thing, "__dict__", None):
        raise TypeError(f"a {type(thing).__name__} has attributes besides what it is as {base.__name__}: {ADVICE}")
    # Call the methods of the base class, because the derived class may override them.
    plain: dict[type, Callable[[Any], Any]] = {str: str.__str__, int: int.__int__, tuple: tuple.__iter__}
    return plain[base](thing)


def attributes(thing: Any) -> dict[str, object]:
    """Return the attributes of an object by name, in their order; raise TypeError if it has other state."""
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
    """Return the slots of a class, by name."""
    return {
        slot.__name__: slot
        for base in reversed(kind.__mro__)
        for slot in vars(base).values()
        if isinstance(slot, MemberDescriptorType)
    }


@cache
def is_made_in_python(kind: type) -> bool:
    """Whether attributes are the only state of an object of the class; for files and functions they are not."""
    try:
        thing: Any = object.__new__(kind)
    except TypeError:
        return False
    # From Python 3.12 on, a file can be made like this, too; but its class overrides the methods that copy objects.
    overrides = any(getattr(kind, name) is not getattr(object, name) for name in ("__reduce__", "__reduce_ex__"))
    return not overrides and bool(slots(kind) or hasattr(thing, "__dict__"))


def unordered(parts: Iterable[Snapshot]) -> tuple[Snapshot, ...]:
    """Return some snapshots in an order that depends only on the snapshots."""
    return tuple(sorted(parts, key=repr))


class OtherMaker:
    """Another way to make objects, on which an actor must not depend.

    Its sets may have another order, which depends on ``fillers``; equal tuples are one object. ``num_choices`` counts
    the sets that can have more than one order.
    """

    def __init__(self, fillers: range) -> None:
        self.fillers = fillers
        self.num_choices = 0
        self.tuples: dict[object, Any] = {}

    def set(self, parts: Iterable[Any]) -> Any:
        """Return a set of these parts that was built with the fillers in it, if it can have more than one order."""
        parts = list(parts)
        if len(parts) < 2:
            return {*parts}
        self.num_choices += 1
        found = {*self.fillers, *reversed(parts)}
        # Removed one by one, so that the set does not shrink its table: the order depends on the size of the table.
        for filler in self.fillers:
            found.discard(filler)
        return found


def put_back(snapshot: Snapshot, maker: OtherMaker | None = None) -> Any:
    """Return a new object in the state of the snapshot."""
    if type(snapshot) in ATOMS:
        return snapshot
    kind, parts = snapshot
    return restorer_of(kind)(parts, maker)


Restorer = Callable[[tuple[Snapshot, ...], OtherMaker | None], Any]
"""A function that makes an object from the snapshots of its parts."""


@cache
def restorer_of(kind: Any) -> Restorer:
    """Return the function that makes objects of a class."""
    if kind in NUMBERS:
        return lambda parts, maker: parts[0] == "True" if kind is bool else float(parts[0])
    if issubclass(kind, Enum):
        return lambda parts, maker: parts[0]
    if issubclass(kind, (str, int)):
        base: Any = str if issubclass(kind, str) else int
        return lambda parts, maker: base.__new__(kind, parts[0])
    if kind is dict:
        return lambda parts, maker: {put_back(key, maker): put_back(value, maker) for key, value in parts}
    if kind is set:
        return lambda parts, maker: (maker.set if maker else set)(put_back(part, maker) for part in parts)
    if kind in (list, frozenset):
        return lambda parts, maker: kind(put_back(part, maker) for part in parts)
    if issubclass(kind, tuple):
        return partial(put_tuple_back, kind)
    return partial(put_attributes_back, kind)


def put_tuple_back(kind: Any, parts: tuple[Snapshot, ...], maker: OtherMaker | None) -> Any:
    """Return a new tuple with these elements; another maker has one for all that are equal."""
    made = tuple.__new__(kind, [put_back(part, maker) for part in parts])
    return maker.tuples.setdefault((kind, parts), made) if maker else made


def put_attributes_back(kind: type, parts: Iterable[Any], maker: OtherMaker | None) -> Any:
    """Return a new object with these attributes."""
    thing: Any = object.__new__(kind)
    in_slots = slots(kind)
    for name, value in parts:
        # Without ``__setattr__``, which the class may override.
        if name in in_slots:
            in_slots[name].__set__(thing, put_back(value, maker))
        else:
            thing.__dict__[name] = put_back(value, maker)
    return thing


def rename(snapshot: Snapshot, names: Mapping[str, str]) -> Snapshot:
    """Return the snapshot with some names replaced."""
    if type(snapshot) is not tuple:
        return names.get(snapshot, snapshot)
    renamed = tuple([rename(part, names) if type(part) is tuple else names.get(part, part) for part in snapshot])
    if snapshot and snapshot[0] in (set, frozenset):
        return renamed[0], unordered(renamed[1])
    return renamed
