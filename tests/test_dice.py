"""Random executions: what they find can be repeated, and no delivery of it can be left out."""

from dataclasses import replace

import pytest
from conftest import is_possible
from wrong_actors import LogsAndAdoptsFirst, TakesFailForAccept

from toy_paxos.checking import Model, check, check_actors
from toy_paxos.checking.broken import ForgetsAll, IgnoresAccepted
from toy_paxos.checking.climb import CLIMB, TOO_LARGE
from toy_paxos.checking.dice import WALKS, Loss, shortened, throw
from toy_paxos.checking.game import story
from toy_paxos.event import Violation
from toy_paxos.message import Message
from toy_paxos.proposer import Proposer
from toy_paxos.safety import Property


def thrown(*models: Model) -> Loss:
    """Return the loss that dice find, shortened."""
    found = throw(models).loss
    assert found
    return shortened(found)


def test_the_execution_that_dice_find_can_be_repeated() -> None:
    model, lost, execution = thrown(Model(3, 2, 2, proposer=LogsAndAdoptsFirst))
    told = story(model, execution).events
    assert is_possible(model, told)
    assert any(isinstance(event, Violation) and event.property == lost.name for event in told[-4:])


def test_no_delivery_can_be_left_out() -> None:
    model, _, execution = thrown(Model(3, 2, acceptor=ForgetsAll))
    for at in range(len(execution)):
        told = story(model, [*execution[:at], *execution[at + 1 :]]).events
        assert not is_possible(model, told) or not any(isinstance(event, Violation) for event in told)


def test_for_these_rules_it_is_a_shortest_execution() -> None:
    model = Model(3, 2, proposer=IgnoresAccepted)
    assert len(thrown(Model(2, 1), model).execution) == len(check(model).execution)


def test_dice_evaluate_other_properties_too() -> None:
    nothing = Property("nothing is chosen", lambda moment: "something is chosen" if moment.chosen else None)
    model = Model(3, 2, properties=(nothing,))
    assert thrown(model).lost == check(model).lost == nothing


def test_dice_end_with_the_first_model_that_loses_a_property() -> None:
    correct, faulty = Model(1, 2), Model(3, 2, acceptor=ForgetsAll)
    executions, loss = throw([correct, faulty, replace(faulty, num_proposers=3)])
    assert loss
    assert loss.model == faulty
    assert WALKS < executions <= 2 * WALKS


class AdoptsThreeTimes(Proposer):
    """From its fourth attempt on, it no longer adopts a value."""

    attempts = 1

    def try_again(self) -> list[Message]:
        self.attempts += 1
        return super().try_again()

    def choose_value(self) -> str:
        return super().choose_value() if self.attempts < 4 else self.value


def test_a_cluster_that_is_too_large_to_search_shows_faults_of_later_attempts(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not throw([replace(CLIMB[11], proposer=AdoptsThreeTimes)]).loss
    assert throw([replace(TOO_LARGE, proposer=AdoptsThreeTimes)]).loss
    monkeypatch.setattr("toy_paxos.checking.climb.CLIMB", (Model(1, 1),))
    monkeypatch.setattr("toy_paxos.checking.climb.told_shortly", lambda loss, keep_going: loss)
    _, loss = check_actors(proposer=AdoptsThreeTimes)
    assert isinstance(loss, Loss)
    assert loss.model == replace(TOO_LARGE, proposer=AdoptsThreeTimes)


def test_correct_actors_lose_nothing_and_the_caller_can_stop_dice() -> None:
    assert throw([Model(3, 2, 2), Model(3, 2, fail=True)]) == (2 * WALKS, None)
    asked = iter([True, True, False])
    assert throw([Model(3, 2, 2)], lambda states, depth: next(asked)) == (2, None)


def test_fail_is_delivered_only_where_the_model_says_so() -> None:
    assert not throw([Model(3, 2, proposer=TakesFailForAccept)]).loss
    assert throw([Model(3, 2, proposer=TakesFailForAccept, fail=True)]).loss
