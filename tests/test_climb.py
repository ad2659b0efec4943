"""The climb: its clusters, that it finds faults and nothing else, and its cost."""

import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from conftest import PrintedBy, is_possible
from stories import climbed
from wrong_actors import (
    RIGHT,
    UNJUDGEABLE,
    WRONG,
    ForgetsAtSecondRestart,
    HalfOfFive,
    LogsAndAdoptsFirst,
    PromisesEqual,
    ReusesNumber,
    forget_what_is_stored,
)

from toy_paxos.acceptor import Acceptor
from toy_paxos.checking import CheckError, Dice, InterruptedActorError, Model, Report, check, check_actors
from toy_paxos.checking.alone import LADDER
from toy_paxos.checking.broken import AcceptsOnlyAbove
from toy_paxos.checking.climb import CLIMB, climb, never_chosen
from toy_paxos.view.verdict import cluster_words

MODULE = sys.modules["toy_paxos.checking.climb"]


def with_actor(model: Model, actor: type[Any]) -> Model:
    return replace(model, acceptor=actor) if issubclass(actor, Acceptor) else replace(model, proposer=actor)


def climb_with(actor: type[Any]) -> Iterator[Report]:
    if issubclass(actor, Acceptor):
        return climb(acceptor=actor, max_states=1_000)
    return climb(proposer=actor, max_states=1_000)


def test_the_clusters_together_have_every_kind_of_failure() -> None:
    assert any(model.fail for model in CLIMB)
    assert any(model.restarts == 2 for model in CLIMB)
    assert {model.max_attempts for model in CLIMB} == {1, 2, 3}
    assert {model.num_proposers for model in CLIMB} == {2, 3}
    assert {model.num_acceptors for model in CLIMB} >= {3, 4, 5}
    assert {model.descending for model in CLIMB} == {False, True}
    assert {model.first_number for model in CLIMB} == {1, 9}
    assert any(model.fail and model.num_acceptors == 4 for model in CLIMB)


def test_correct_actors_pass_the_climb(printed_by: PrintedBy) -> None:
    lines = printed_by("toy-paxos check").splitlines()
    states = 153, 146, 784, 2_218, 2_218, 680
    assert lines[1] == "ok  840 random executions: no violation"
    assert lines[3 : lines.index("")] == [
        f"ok  {cluster_words(model.sizes)}: {number:,} states, ... s"
        for model, number in zip(CLIMB, states, strict=False)
    ]
    assert "ok   sometimes  each value is chosen" in lines
    assert lines[-4] == f"SAFE in every execution of {len(LADDER)} clusters, since each actor keeps the rules of Paxos"
    assert lines[-3] == "The largest, as proposers x acceptors x attempts: 2 x 3 x 3, 3 x 3 x 2, 3 x 5 x 1."


def test_correct_actors_pass_the_climb_without_the_rules() -> None:
    states = [153, 146, 784, 2_218, 2_218, 680, 1_596, 7_644, 9_612, 6_313, 5_318, 6_517, 19_885]
    assert list(climbed()) == list(CLIMB)
    assert [report.states for report in climbed().values()] == states
    assert all(report.safe for report in climbed().values())


@pytest.mark.usefixtures("few_walks")
@pytest.mark.parametrize("actor", WRONG)
def test_the_story_of_a_faulty_actor_can_be_repeated(actor: type[Any]) -> None:
    last = check(with_actor(CLIMB[WRONG[actor]], actor))
    assert last.lost
    assert is_possible(last.model, last.story.events)


@pytest.mark.usefixtures("few_steps")
@pytest.mark.parametrize(("actor", "words"), UNJUDGEABLE)
def test_an_actor_that_cannot_be_checked_is_refused_in_one_line(actor: type[Any], words: str) -> None:
    forget_what_is_stored()
    errors = CheckError, InterruptedActorError
    with pytest.raises(errors, match=r"^[^\n]* \(wrong_actors.py, line \d+\)$") as refused:
        list(climb_with(actor))
    assert words in str(refused.value)


@pytest.mark.parametrize("actor", [ReusesNumber, HalfOfFive])
def test_the_climb_ends_with_the_first_violation(actor: type[Any]) -> None:
    *before, last = climb_with(actor)
    assert last.violation
    assert len(before) == WRONG[actor]
    assert all(report.violation is None for report in before)


@pytest.mark.parametrize("actor", RIGHT)
def test_a_correct_actor_violates_nothing(actor: type[Any]) -> None:
    reports = [check(with_actor(model, actor)) for model in CLIMB[:2]]
    assert [report.safe for report in reports] == [True, True]


def test_clusters_with_many_states_come_last_and_are_reported_as_unfinished(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MODULE, "CLIMB", (Model(3, 2), Model(3, 3), Model(3, 1), Model(1, 2)))
    monkeypatch.setattr(MODULE, "FEW_STATES", 100)
    reports = list(climb(max_states=200))
    sizes = [(report.model.num_acceptors, report.model.num_proposers, report.complete) for report in reports]
    assert sizes == [(3, 1, True), (1, 2, True), (3, 2, True), (3, 3, False)]


def test_dice_find_a_fault_first_and_among_three_acceptors_if_they_can() -> None:
    for actor, num_acceptors in ((PromisesEqual, 3), (ForgetsAtSecondRestart, 1)):
        dice, report = check_actors(acceptor=actor)
        assert isinstance(dice, Dice)
        assert isinstance(report, Report)
        assert dice.loss
        assert report.model == dice.loss.model
        assert (report.model.num_acceptors, report.by_chance) == (num_acceptors, False)
        assert report.violation


@pytest.mark.usefixtures("few_steps")
def test_the_execution_of_the_dice_is_reported_if_the_search_ends_early(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(MODULE, "FEW_STATES", 100)
    _, report = check_actors(proposer=LogsAndAdoptsFirst, max_states=100)
    assert isinstance(report, Report)
    assert report.by_chance
    assert report.violation
    assert report.violation.startswith("a second value is chosen")
    assert is_possible(report.model, report.story.events)


def test_sometimes_is_judged_over_all_clusters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MODULE, "CLIMB", (Model(3, 2), Model(1, 3)))
    reports = list(climb_with(AcceptsOnlyAbove))
    assert never_chosen(reports) == ["value-0", "value-1", "value-2"]
    assert never_chosen([*reports, check(Model(1, 1))]) == ["value-1", "value-2"]
    assert never_chosen([*reports, check(Model(3, 2), 10)]) == ["value-2"]


def test_a_climb_ends_when_the_caller_stops_it() -> None:
    asked: list[int] = []

    def keep_going(states: int, depth: int) -> bool:
        asked.append(states)
        return len(asked) < 300

    reports = list(climb(keep_going=keep_going))
    assert [report.complete for report in reports] == [True, False]
    assert len(asked) == 300
