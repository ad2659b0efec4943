"""Snapshots: the state of an actor, or a message, as plain data that can be compared, restored, and renamed.

A snapshot consists of nested tuples. Two objects are in the same state exactly if their snapshots are equal. The order
of a dictionary or of attributes is part of a state, because a program can rely on it; the order of a set is not.

*Plain data* is: numbers, text, bytes, None, members of enumerations; tuples and named tuples, lists, sets,
dictionaries, defaultdict, Counter, OrderedDict, deque; objects whose only state is in their attributes; and things that
never change: classes, functions that are defined in a module or in a class, methods of such objects, loggers. If two
places hold the same mutable object, a snapshot differs from that of two equal copies. Taking a snapshot of anything
else (a lock, an open file, a lambda) raises TypeError.
"""

from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import Enum
from functools import cache, partial
from types import FunctionType, MemberDescriptorType, MethodType, NoneType
from typing import Any

Snapshot = Any
"""An atom, or a pair of a class and a tuple of the snapshots of its parts."""

ATOMS = frozenset({str, int, bytes, NoneType})

# Their values can be equal to integers or to each other, so a snapshot has their class and their digits.
NUMBERS = frozenset({bool, float})

ADVICE = "keep the state in numbers, text, tuples, lists, sets, dictionaries, and objects of such attributes"

REMEDIES = {
    "lock": "keep locks out of the actor",
    "RLock": "keep locks out of the actor",
    "TextIOWrapper": "keep files out of the actor",
    "Random": "leave random choices to the network",
    "generator": "keep what it has left to do in a list",
    "function": "use a method, or a function that is defined in a module",
}


class NotPlainError(TypeError):
    """An object is not plain data: what it is, and the remedy."""

    def __init__(self, kind: str, remedy: str = "") -> None:
        self.kind = kind
        self.remedy = remedy or REMEDIES.get(kind, f"its state cannot be compared; {ADVICE}")
        super().__init__(f"a {kind} is not plain data: {self.remedy}")


class Again:
    """In a snapshot, this stands for a mutable object that occurs before; the part is the number of that object."""


Seen = dict[int, int]
"""A number for each mutable object reached so far, by identity; -1 in a set, because its elements have no order."""


def take(thing: Any, seen: Seen | None = None) -> Snapshot:
    """Return the snapshot of an object and of all its parts, given the objects reached before.

    Raises NotPlainError for an object that is not plain data.
    """
    kind: Any = type(thing)
    if kind in ATOMS:
        return thing
    if seen is None:
        seen = {}
    elif (number := seen.get(id(thing))) is not None:
        if number < 0:
            raise NotPlainError(kind.__name__, "it is in a set and elsewhere, too; give each place its own copy")
        return Again, (number,)
    return kind, taker_of(kind)(thing, seen)


Taker = Callable[[Any, Seen], tuple[Snapshot, ...]]
"""A function that takes the snapshots of the parts of an object, given the objects reached before."""


@cache
def taker_of(kind: Any) -> Taker:
    """Return the function that takes apart objects of a class; raise TypeError if they cannot be compared."""
    if kind in NUMBERS:
        return lambda thing, seen: (repr(thing),)
    if issubclass(kind, Enum):
        if kind.__eq__ not in (object.__eq__, int.__eq__, str.__eq__):
            raise NotPlainError(kind.__name__, "leave __eq__ to Enum")
        return lambda thing, seen: (thing,)
    if issubclass(kind, type) or (kind.__module__, kind.__name__) in LOGGERS:
        return lambda thing, seen: (thing,)
    if kind is FunctionType:
        return take_function
    if kind is MethodType:
        return take_method
    if issubclass(kind, (str, int)):
        return lambda thing, seen: (without_attributes(thing, str.__str__ if issubclass(kind, str) else int.__int__),)
    if issubclass(kind, tuple) and (kind is tuple or hasattr(kind, "_fields")):
        return lambda thing, seen: tuple([take(part, seen) for part in without_attributes(thing, tuple.__iter__)])
    if kind is frozenset:
        return take_unordered
    if is_frozen(kind):
        return take_attributes
    mutable: dict[type, Taker] = {
        list: take_ordered,
        deque: lambda thing, seen: (thing.maxlen, *take_ordered(thing, seen)),
        set: take_unordered,
        defaultdict: lambda thing, seen: (*take_entries(thing, seen), take(thing.default_factory, seen)),
    }
    mutable |= dict.fromkeys((dict, Counter, OrderedDict), take_entries)
    return partial(take_mutable, mutable.get(kind, take_attributes))


# Loggers belong to the program, not to an actor.
LOGGERS = {("logging", "Logger"), ("logging", "RootLogger")}


def take_mutable(take_parts: Taker, thing: object, seen: Seen) -> tuple[Snapshot, ...]:
    """Take apart a mutable object, and remember it."""
    seen[id(thing)] = len(seen)
    return take_parts(thing, seen)


def take_function(thing: FunctionType, seen: Seen) -> tuple[Snapshot, ...]:
    """Return a function if it can be found by its name, so that there is only one."""
    first, *others = thing.__qualname__.split(".")
    found = thing.__globals__.get(first)
    for name in others:
        found = getattr(found, name, None)
    if found is not thing:
        raise NotPlainError("function")
    return (thing,)


def take_method(thing: MethodType, seen: Seen) -> tuple[Snapshot, ...]:
    """Return the function of a method, and the snapshot of the object that it belongs to."""
    function = thing.__func__
    if not any(vars(base).get(function.__name__) is function for base in type(thing.__self__).__mro__):
        raise NotPlainError("method", "use a method that is defined in the class")
    return function, take(thing.__self__, seen)


def take_ordered(thing: Iterable[object], seen: Seen) -> tuple[Snapshot, ...]:
    """Return the snapshots of the elements of a list."""
    return tuple([take(part, seen) for part in thing])


def take_unordered(thing: Iterable[object], seen: Seen) -> tuple[Snapshot, ...]:
    """Return the snapshots of the elements of a set."""
    before = len(seen)
    found = unordered(take(part, seen) for part in thing)
    seen.update(dict.fromkeys([*seen][before:], -1))
    return found


def take_entries(thing: dict[object, object], seen: Seen) -> tuple[Snapshot, ...]:
    """Return the snapshots of the keys and values of a dictionary, in their order."""
    if getattr(thing, "__dict__", None):
        raise NotPlainError(f"{type(thing).__name__} with attributes", ADVICE)
    return tuple([(take(key, seen), take(value, seen)) for key, value in thing.items()])


def take_attributes(thing: object, seen: Seen) -> tuple[Snapshot, ...]:
    """Return the names and the snapshots of the values of attributes, in their order."""
    return tuple([(name, take(value, seen)) for name, value in attributes(thing).items()])


def without_attributes(thing: Any, plain: Callable[[Any], Any]) -> Any:
    """Return the plain text, number or elements in an object of a derived class; raise TypeError if it has attributes.

    ``plain`` is a method of the base class, because the derived class may override it.
    """
    if getattr(thing, "__dict__", None):
        raise NotPlainError(f"{type(thing).__name__} with attributes", ADVICE)
    return plain(thing)


def attributes(thing: Any) -> dict[str, object]:
    """Return the attributes of an object by name, in their order; raise TypeError if it has other state."""
    kind: Any = type(thing)
    if not is_made_in_python(kind):
        raise NotPlainError(kind.__name__)
    found = dict(getattr(thing, "__dict__", {}))
    for name, slot in slots(kind).items():
        try:
            found[name] = slot.__get__(thing)
        except AttributeError:  # An empty slot.
            continue
    return found


@cache
def is_frozen(kind: type) -> bool:
    """Whether a class is a frozen dataclass."""
    return getattr(getattr(kind, "__dataclass_params__", None), "frozen", False) is True


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
    """Return snapshots in an order that depends only on the snapshots."""
    return tuple(sorted(parts, key=repr))


class OtherMaker:
    """Makes objects in another way, on which an actor must not depend.

    The order of a set may differ, depending on ``fillers``; equal tuples are one object. ``num_choices`` is the number
    of sets that can have more than one order.
    """

    def __init__(self, fillers: range) -> None:
        self.fillers = fillers
        self.num_choices = 0
        self.tuples: dict[object, Any] = {}

    def set(self, parts: Iterable[Any]) -> Any:
        """Return a set of these parts; if it can have more than one order, it is built with the fillers in it."""
        parts = list(parts)
        if len(parts) < 2:
            return {*parts}
        self.num_choices += 1
        found = {*self.fillers, *reversed(parts)}
        # Removed one by one, so that the set does not shrink its table: the order depends on the size of the table.
        for filler in self.fillers:
            found.discard(filler)
        return found


Made = list[Any]
"""The mutable objects made so far, by the numbers that a snapshot gives them."""


def put_back(snapshot: Snapshot, maker: OtherMaker | None = None, made: Made | None = None) -> Any:
    """Return a new object in the state of the snapshot, given the objects made before."""
    if type(snapshot) in ATOMS:
        return snapshot
    kind, parts = snapshot
    return restorer_of(kind)(parts, maker, [] if made is None else made)


Restorer = Callable[[tuple[Snapshot, ...], OtherMaker | None, Made], Any]
"""A function that makes an object from the snapshots of its parts."""


@cache
def restorer_of(kind: Any) -> Restorer:
    """Return the function that makes objects of a class."""
    if kind in NUMBERS:
        return lambda parts, maker, made: parts[0] == "True" if kind is bool else float(parts[0])
    if kind is Again:
        return lambda parts, maker, made: made[parts[0]]
    if kind is MethodType:
        return lambda parts, maker, made: MethodType(parts[0], put_back(parts[1], maker, made))
    if issubclass(kind, (Enum, type, FunctionType)) or (kind.__module__, kind.__name__) in LOGGERS:
        return lambda parts, maker, made: parts[0]
    if issubclass(kind, (str, int)):
        base: Any = str if issubclass(kind, str) else int
        return lambda parts, maker, made: base.__new__(kind, parts[0])
    if kind is frozenset:
        return lambda parts, maker, made: frozenset([put_back(part, maker, made) for part in parts])
    if issubclass(kind, tuple):
        return partial(put_tuple_back, kind)
    mutable: dict[type, Restorer] = {
        list: lambda parts, maker, made: extended([], parts, maker, made),
        deque: lambda parts, maker, made: extended(deque(maxlen=parts[0]), parts[1:], maker, made),
        set: put_set_back,
    }
    mutable |= dict.fromkeys((dict, Counter, OrderedDict), partial(put_entries_back, kind))
    mutable[defaultdict] = put_default_back
    return mutable.get(kind, partial(put_attributes_back, kind))


def put_tuple_back(kind: Any, parts: tuple[Snapshot, ...], maker: OtherMaker | None, made: Made) -> Any:
    """Return a tuple with these elements; a maker returns the same one for equal tuples without mutable parts."""
    before = len(made)
    thing = tuple.__new__(kind, [put_back(part, maker, made) for part in parts])
    return maker.tuples.setdefault((kind, parts), thing) if maker and len(made) == before else thing


def extended(thing: Any, parts: Iterable[Snapshot], maker: OtherMaker | None, made: Made) -> Any:
    """Remember a new object, and add elements to it."""
    made.append(thing)
    thing.extend([put_back(part, maker, made) for part in parts])
    return thing


def put_set_back(parts: Iterable[Snapshot], maker: OtherMaker | None, made: Made) -> Any:
    """Return a new set with these elements."""
    # No element can refer to the set.
    made.append(None)
    return (maker.set if maker else set)(put_back(part, maker, made) for part in parts)


def put_default_back(parts: tuple[Snapshot, ...], maker: OtherMaker | None, made: Made) -> Any:
    """Return a new dictionary with these entries and this default."""
    *entries, default = parts
    thing = put_entries_back(defaultdict, entries, maker, made)
    thing.default_factory = put_back(default, maker, made)
    return thing


def put_entries_back(kind: Any, parts: Iterable[Any], maker: OtherMaker | None, made: Made) -> Any:
    """Return a new dictionary with these entries."""
    thing = kind()
    made.append(thing)
    for part, other in parts:
        key = put_back(part, maker, made)
        thing[key] = put_back(other, maker, made)
    return thing


def put_attributes_back(kind: type, parts: Iterable[Any], maker: OtherMaker | None, made: Made) -> Any:
    """Return a new object with these attributes."""
    thing: Any = object.__new__(kind)
    if not is_frozen(kind):
        made.append(thing)
    in_slots = slots(kind)
    for name, value in parts:
        # Do not call ``__setattr__``, because the class may override it.
        if name in in_slots:
            in_slots[name].__set__(thing, put_back(value, maker, made))
        else:
            thing.__dict__[name] = put_back(value, maker, made)
    return thing


def texts(snapshot: Snapshot) -> Iterator[str]:
    """Yield all text in a snapshot."""
    if isinstance(snapshot, str):
        yield snapshot
    elif type(snapshot) is tuple:
        for part in snapshot:
            yield from texts(part)


def rename(snapshot: Snapshot, names: Mapping[str, str]) -> Snapshot:
    """Return the snapshot with some names replaced."""
    if type(snapshot) is not tuple:
        return names.get(snapshot, snapshot)
    renamed = tuple([rename(part, names) if type(part) is tuple else names.get(part, part) for part in snapshot])
    if snapshot and snapshot[0] in (set, frozenset):
        return renamed[0], unordered(renamed[1])
    return renamed
