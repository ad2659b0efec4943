"""The state of an actor, or a message, as plain data that can be compared, put back, and renamed.

A snapshot is built from nested tuples, so that two things are in the same state exactly if their snapshots
are equal. The order of a dictionary, be it one of attributes, is part of a state, for a program can see it and
rely on it; the order of a set is not. What is not plain data (an open file, a die, a function) has no snapshot,
and to ask for one raises TypeError.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import Enum
from functools import cache, partial
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
    kind: Any = type(thing)
    if kind in ATOMS:
        return thing
    return kind, way_to_take(kind)(thing, set() if seen is None else seen)


Way = Callable[[Any, set[int]], tuple[Snapshot, ...]]
"""How to take the snapshots of all that is in a thing, given also what was reached before."""


@cache
def way_to_take(kind: type) -> Way:
    """How to take apart the things of a class; raises TypeError if they cannot be compared."""
    if kind in NUMBERS:
        return lambda thing, seen: (repr(thing),)
    if issubclass(kind, Enum):
        if kind.__eq__ not in (object.__eq__, int.__eq__, str.__eq__):
            raise TypeError(f"a {kind.__name__} has its own idea of what is equal: let it be as in any Enum")
        return lambda thing, seen: (thing,)
    if issubclass(kind, (str, int)):
        return lambda thing, seen: (without_attributes(thing, str if issubclass(kind, str) else int),)
    if issubclass(kind, tuple) and (kind is tuple or hasattr(kind, "_fields")):
        return lambda thing, seen: tuple([take(part, seen) for part in without_attributes(thing, tuple)])
    if kind is frozenset:
        return take_unordered
    if getattr(getattr(kind, "__dataclass_params__", None), "frozen", False):
        return take_attributes
    changeable: dict[type, Way] = {list: take_ordered, set: take_unordered, dict: take_entries}
    return partial(once, changeable.get(kind, take_attributes))


def once(way: Way, thing: object, seen: set[int]) -> tuple[Snapshot, ...]:
    """Take apart a thing that can change; raises TypeError if it was reached before."""
    if id(thing) in seen:
        raise TypeError(
            f"a {type(thing).__name__} can be reached in two ways, so it cannot be put back as it was: let there be one"
        )
    seen.add(id(thing))
    return way(thing, seen)


def take_ordered(thing: Iterable[object], seen: set[int]) -> tuple[Snapshot, ...]:
    """What is in a list."""
    return tuple([take(part, seen) for part in thing])


def take_unordered(thing: Iterable[object], seen: set[int]) -> tuple[Snapshot, ...]:
    """What is in a set."""
    return unordered(take(part, seen) for part in thing)


def take_entries(thing: dict[object, object], seen: set[int]) -> tuple[Snapshot, ...]:
    """The keys and values in a dictionary, in their order."""
    return tuple([(take(key, seen), take(value, seen)) for key, value in thing.items()])


def take_attributes(thing: object, seen: set[int]) -> tuple[Snapshot, ...]:
    """The names and values of attributes, in their order."""
    return tuple([(name, take(value, seen)) for name, value in attributes(thing).items()])


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


class Maker:
    """How things are made that can be made in more than one way, so that nobody may rely on one of them."""

    def set(self, parts: Iterable[Any]) -> Any:
        """A set of things."""
        return set(parts)

    def value(self, kind: type, parts: tuple[Snapshot, ...], make: Callable[[], Any]) -> Any:
        """A thing that cannot change, of what is in it; ``make`` makes a new one."""
        return make()


class OtherMaker(Maker):
    """Its sets may be gone through in another order, depending on some fillers; for what is equal it has one thing.

    ``num_choices`` counts the sets that can be gone through in more than one order.
    """

    def __init__(self, fillers: range) -> None:
        self.fillers = fillers
        self.num_choices = 0
        self.values: dict[object, Any] = {}

    def set(self, parts: Iterable[Any]) -> Any:
        """A set in which others stood in the way when it was made."""
        parts = list(parts)
        self.num_choices += len(parts) > 1
        found = {*self.fillers, *reversed(parts)}
        # One by one, for then the set does not shrink its table, whose size the order depends on.
        for filler in self.fillers:
            found.discard(filler)
        return found

    def value(self, kind: type, parts: tuple[Snapshot, ...], make: Callable[[], Any]) -> Any:
        """The thing that was made of the same before, if there is one."""
        if (kind, parts) not in self.values:
            self.values[kind, parts] = make()
        return self.values[kind, parts]


USUAL = Maker()


def put_back(snapshot: Snapshot, maker: Maker = USUAL) -> Any:
    """A new thing in the state of the snapshot."""
    if type(snapshot) in ATOMS:
        return snapshot
    kind, parts = snapshot
    return way_to_put_back(kind)(parts, maker)


WayBack = Callable[[tuple[Snapshot, ...], Maker], Any]
"""How to make a thing of the snapshots of what is in it."""


@cache
def way_to_put_back(kind: Any) -> WayBack:
    """How to make a thing of a class."""
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
        return lambda parts, maker: maker.set(put_back(part, maker) for part in parts)
    if kind in (list, frozenset):
        return lambda parts, maker: kind(put_back(part, maker) for part in parts)
    if issubclass(kind, tuple):
        return lambda parts, maker: maker.value(
            kind, parts, lambda: tuple.__new__(kind, [put_back(part, maker) for part in parts])
        )
    return partial(put_attributes_back, kind)


def put_attributes_back(kind: type, parts: Iterable[Any], maker: Maker) -> Any:
    """A new thing with these attributes."""
    thing: Any = object.__new__(kind)
    in_slots = slots(kind)
    for name, value in parts:
        # Past whatever its class may have to say to that.
        if name in in_slots:
            in_slots[name].__set__(thing, put_back(value, maker))
        else:
            thing.__dict__[name] = put_back(value, maker)
    return thing


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
