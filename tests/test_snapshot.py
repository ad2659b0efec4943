"""Snapshots: equal for equal states, put back as they were, renamed throughout."""

import random
from collections.abc import Callable
from enum import Enum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toy_paxos.acceptor import Acceptor
from toy_paxos.checking.snapshot import put_back, rename, take
from toy_paxos.message import Prepare, Promise, Proposal, Propose

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


@given(data)
def test_what_is_put_back_is_equal_and_of_the_same_type(thing: object) -> None:
    again = put_back(take(thing))
    assert again == thing
    assert type(again) is type(thing)


@given(st.lists(names, unique=True))
def test_the_order_of_sets_and_dictionaries_is_no_part_of_a_state(order: list[str]) -> None:
    backwards = order[::-1]
    assert take(set(order)) == take(set(backwards))
    assert take(dict.fromkeys(order)) == take(dict.fromkeys(backwards))
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


def test_enums_are_what_they_are() -> None:
    assert rename(take([Colour.RED]), {}) == take([Colour.RED])
    assert put_back(take(Colour.RED)) is Colour.RED


@pytest.mark.parametrize(
    "new",
    [lambda: random.Random(1), lambda: print, lambda: iter([]), object, lambda: open("/dev/null")],  # noqa: SIM115
)
def test_what_is_not_plain_data_has_no_snapshot(new: Callable[[], object]) -> None:
    with pytest.raises(TypeError, match="is not plain data"):
        take([new()])
