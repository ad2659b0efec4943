"""Snapshots: equal for equal states, restored, and renamed."""

import logging
import random
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum, IntEnum
from threading import Lock
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toy_paxos.acceptor import Acceptor
from toy_paxos.message import Prepare, Promise, Proposal, Propose
from toy_paxos.snapshot import OtherMaker, put_back, rename, take

names = st.sampled_from(["acceptor-0", "acceptor-1", "acceptor-2", "x"])
atoms = st.none() | st.booleans() | st.integers() | names
hashable = st.recursive(atoms, lambda inner: st.tuples(inner, inner) | st.frozensets(inner), max_leaves=5)
data = st.recursive(
    hashable,
    lambda inner: st.lists(inner) | st.sets(hashable) | st.dictionaries(names, inner) | st.tuples(inner),
    max_leaves=10,
)


class Colour(Enum):
    RED = 1


class Level(IntEnum):
    LOW = 1


class Notes:
    first: int
    second: int


class Name(str):
    pass


class Number(int):
    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 0


class Pair(NamedTuple):
    a: int
    b: int


class Labelled(Pair):
    pass


class Slotted:
    __slots__ = ("__hidden", "open")

    def __init__(self, hidden: int) -> None:
        self.__hidden = hidden

    def hidden(self) -> int:
        return self.__hidden


class Guarded:
    """It overrides access to its attributes."""

    def __init__(self) -> None:
        self.__dict__["value"] = 1

    @property
    def value(self) -> int:
        return 2


@given(data)
def test_restored_objects_are_equal_and_of_the_same_type(thing: object) -> None:
    again = put_back(take(thing))
    assert again == thing
    assert type(again) is type(thing)


@given(st.lists(names, unique=True))
def test_the_order_of_a_dictionary_is_part_of_a_state_and_that_of_a_set_is_not(order: list[str]) -> None:
    backwards = order[::-1]
    assert take(set(order)) == take(set(backwards))
    assert order == backwards or take(dict.fromkeys(order)) != take(dict.fromkeys(backwards))
    assert list(put_back(take(dict.fromkeys(order)))) == order
    assert order == backwards or take(order) != take(backwards)


@given(data)
def test_a_snapshot_can_be_a_key(thing: object) -> None:
    assert {take(thing): 1}[take(thing)] == 1


def test_an_actor_is_put_back_in_its_state() -> None:
    acceptor = Acceptor("acceptor-0")
    acceptor.receive(Prepare("proposer-0", "acceptor-0", 3))
    acceptor.receive(Propose("proposer-0", "acceptor-0", 3, "x"))
    again = put_back(take(acceptor))
    assert again is not acceptor
    assert vars(again) == {"name": "acceptor-0", "promised": 3, "accepted": Proposal(3, "x")}


def test_a_message_is_put_back_equal() -> None:
    promise = Promise("acceptor-0", "proposer-0", 3, Proposal(1, "x"))
    assert put_back(take(promise)) == promise


def test_names_are_renamed_wherever_they_are() -> None:
    names = {"acceptor-0": "acceptor-1", "acceptor-1": "acceptor-0"}
    thing = {"acceptor-0": [("acceptor-1", 1)], "x": {"acceptor-0", "y"}}
    renamed = {"acceptor-1": [("acceptor-0", 1)], "x": {"acceptor-1", "y"}}
    assert rename(take(thing), names) == take(renamed)
    promise = Promise("acceptor-0", "proposer-0", 3, Proposal(1, "acceptor"))
    assert put_back(rename(take(promise), names)).sender == "acceptor-1"


@given(data)
def test_to_exchange_two_names_twice_changes_nothing(thing: object) -> None:
    names = {"acceptor-0": "acceptor-1", "acceptor-1": "acceptor-0"}
    assert rename(rename(take(thing), names), names) == take(thing)


def test_members_of_enumerations_are_restored() -> None:
    assert rename(take([Colour.RED]), {}) == take([Colour.RED])
    assert put_back(take(Colour.RED)) is Colour.RED


def test_equal_values_of_different_types_have_different_snapshots() -> None:
    things: list[object] = [1, True, 1.0, Level.LOW, Number(1), "1", Name("1"), b"1", 0.0, -0.0, False, (1,), [1]]
    assert len({take(thing) for thing in things}) == len(things)
    for thing in things:
        again = put_back(take(thing))
        assert (type(again), repr(again)) == (type(thing), repr(thing))


def test_classes_derived_from_text_and_numbers_are_restored_and_renamed() -> None:
    assert take(Number(1)) != take(Number(2))
    assert put_back(rename(take(Name("acceptor-0")), {"acceptor-0": "acceptor-1"})) == Name("acceptor-1")


def test_text_with_attributes_is_refused() -> None:
    thing = Name("acceptor-0")
    thing.__dict__["more"] = 1
    pair = Labelled(1, 2)
    pair.__dict__["more"] = 1
    for more in (thing, pair):
        with pytest.raises(TypeError, match=r"a (Name|Labelled) with attributes is not plain data"):
            take(more)


def test_the_order_of_attributes_is_part_of_a_state_and_is_put_back() -> None:
    one, other = Notes(), Notes()
    one.first, one.second = 1, 2
    other.second, other.first = 2, 1
    assert take(one) != take(other)
    assert list(vars(put_back(take(other)))) == ["second", "first"]


def test_hidden_and_empty_slots_are_attributes() -> None:
    again = put_back(take(Slotted(3)))
    assert again.hidden() == 3
    assert not hasattr(again, "open")


def test_attributes_are_restored_without_setattr() -> None:
    again = put_back(take(Guarded()))
    assert (again.value, vars(again)) == (2, {"value": 1})


FILLERS = range(10**9, 10**9 + 70)


def test_another_maker_makes_the_same_sets_and_counts_those_with_an_order() -> None:
    maker = OtherMaker(FILLERS)
    names = {f"acceptor-{number}" for number in range(9)}
    assert put_back(take([names, {1}, set()]), maker) == [names, {1}, set()]
    assert maker.num_choices == 1


def test_another_maker_makes_equal_tuples_one_object() -> None:
    pairs = [(1, "x"), (1, "x"), (1, "y")]
    usual, other = put_back(take(pairs)), put_back(take(pairs), OtherMaker(FILLERS))
    assert usual == other == pairs
    assert usual[0] is not usual[1]
    assert other[0] is other[1]


@dataclass(frozen=True)
class Ballot:
    id: int
    voters: Sequence[str]


def test_a_frozen_object_and_its_parts_may_be_in_two_places() -> None:
    ballot = Ballot(1, [])
    again = put_back(take([ballot, Ballot(2, [])]))
    assert again == [ballot, Ballot(2, [])]
    first, second = put_back(take([ballot, ballot]))
    assert first.voters is second.voters
    empty = Ballot(1, ())
    assert put_back(take([empty, empty])) == [empty, empty]


class Handlers:
    """It has tables of methods and functions, and refers to itself."""

    def __init__(self) -> None:
        self.by_kind = {Prepare: self.promise, Propose: helper}
        self.log = logging.getLogger("paxos")
        self.parts = [Part(self)]
        self.newest = self.parts[0]

    def promise(self) -> "Handlers":
        return self


class Part:
    def __init__(self, whole: Handlers) -> None:
        self.whole = whole


def helper() -> int:
    return 7


def test_tables_of_methods_and_functions_loggers_and_circles_are_put_back() -> None:
    handlers = Handlers()
    again = put_back(take(handlers))
    assert again is not handlers
    assert again.by_kind[Prepare]() is again
    assert again.by_kind[Propose] is helper
    assert again.log is handlers.log
    assert again.newest is again.parts[0]
    assert again.newest.whole is again
    assert take(again) == take(handlers)


def test_one_object_in_two_places_is_not_two_equal_ones() -> None:
    one: list[int] = []
    assert take([one, one]) != take([one, []])
    first, second = put_back(take([one, one]))
    first.append(1)
    assert second == [1]
    first, second = put_back(take([(1, [2]), (1, [2])]), OtherMaker(FILLERS))
    assert first[1] is not second[1]


def test_an_object_in_a_set_and_elsewhere_is_refused() -> None:
    notes = Notes()
    with pytest.raises(TypeError, match="it is in a set and elsewhere"):
        take([{notes, Notes()}, notes])


@pytest.mark.parametrize(
    "thing",
    [
        Counter("xyyx"),
        OrderedDict([("b", 1), ("a", [2])]),
        defaultdict(list, {"b": [1], "a": [2]}),
        defaultdict(helper, {"b": 3}),
        deque([1, [2]], maxlen=3),
        deque("ab"),
        {Prepare: int},
    ],
)
def test_the_collections_of_the_library_are_put_back(thing: Any) -> None:
    again = put_back(take(thing))
    assert again == thing
    assert (type(again), repr(again)) == (type(thing), repr(thing))
    assert take(again) == take(thing)


def test_the_order_of_an_ordered_dictionary_is_part_of_a_state() -> None:
    one, other = OrderedDict.fromkeys("ab"), OrderedDict.fromkeys("ba")
    assert take(one) != take(other)
    other.move_to_end("b")
    assert take(one) == take(other)


@pytest.mark.parametrize(
    "new",
    [
        lambda: random.Random(1),
        lambda: print,
        lambda: iter([]),
        object,
        lambda: open("/dev/null"),  # noqa: SIM115
        lambda: lambda: 0,
        Lock,
    ],
)
def test_objects_that_are_not_plain_data_have_no_snapshot(new: Callable[[], object]) -> None:
    with pytest.raises(TypeError, match="is not plain data"):
        take([new()])
