"""Executions by dice: what they find really happens, and nothing can be left out of it."""

from dataclasses import replace

from conftest import is_possible
from wrong_actors import LogsAndAdoptsFirst, TakesFailForAccept

from toy_paxos.checking import Model, check
from toy_paxos.checking.broken import ForgetsAll, IgnoresAccepted
from toy_paxos.checking.dice import WALKS, Loss, shortened, throw
from toy_paxos.checking.game import story
from toy_paxos.event import Violation
from toy_paxos.safety import Property


def thrown(*models: Model) -> Loss:
    """What dice find, which is shortened."""
    found = throw(models).loss
    assert found
    return shortened(found)


def test_what_is_found_really_happens() -> None:
    model, lost, execution = thrown(Model(3, 2, 2, proposer=LogsAndAdoptsFirst))
    told = story(model, execution).events
    assert is_possible(model, told)
    assert any(isinstance(event, Violation) and event.property == lost.name for event in told[-4:])


def test_nothing_can_be_left_out() -> None:
    model, _, execution = thrown(Model(3, 2, acceptor=ForgetsAll))
    for at in range(len(execution)):
        told = story(model, [*execution[:at], *execution[at + 1 :]]).events
        assert not is_possible(model, told) or not any(isinstance(event, Violation) for event in told)


def test_here_it_is_as_short_as_the_shortest() -> None:
    model = Model(3, 2, proposer=IgnoresAccepted)
    assert len(thrown(Model(2, 1), model).execution) == len(check(model).execution)


def test_a_property_of_ones_own_is_asked_for_too() -> None:
    nothing = Property("nothing is chosen", lambda moment: "something is chosen" if moment.chosen else None)
    model = Model(3, 2, properties=(nothing,))
    assert thrown(model).lost == check(model).lost == nothing


def test_the_smallest_model_that_shows_it_ends_it() -> None:
    correct, faulty = Model(1, 2), Model(3, 2, acceptor=ForgetsAll)
    executions, loss = throw([correct, faulty, replace(faulty, num_proposers=3)])
    assert loss
    assert loss.model == faulty
    assert WALKS < executions <= 2 * WALKS


def test_correct_actors_lose_nothing_and_the_caller_can_end_it() -> None:
    assert throw([Model(3, 2, 2), Model(3, 2, fail=True)]) == (2 * WALKS, None)
    asked = iter([True, True, False])
    assert throw([Model(3, 2, 2)], lambda states, depth: next(asked)) == (2, None)


def test_fail_is_delivered_only_where_the_model_says_so() -> None:
    assert not throw([Model(3, 2, proposer=TakesFailForAccept)]).loss
    assert throw([Model(3, 2, proposer=TakesFailForAccept, fail=True)]).loss
