"""Each changed rule: which property it loses, how soon, and at no smaller size."""

from dataclasses import replace

import pytest
from stories import climbed, report_of

from toy_paxos.checking import CHANGED_RULES, check
from toy_paxos.safety import ALWAYS, ONE_VALUE
from toy_paxos.view.verdict import counterexample

pytestmark = pytest.mark.usefixtures("few_walks")

# How many deliveries the shortest execution takes that loses the property.
DELIVERIES = {
    "ignores-accepted": 12,
    "adopts-any": 17,
    "adopts-lowest": 17,
    "skips-phase-1": 4,
    "counts-twice": 12,
    "takes-old-promises": 14,
    "proposes-twice": 15,
    "accepts-below": 12,
    "does-not-raise": 17,
    "lowers-promise": 13,
    "forgets-all": 13,
    "forgets-promise": 14,
    "forgets-accepted": 13,
    "hides-accepted": 12,
}

# At which of them an actor breaks a rule, and which one; 0 is before the first.
DEPARTURES = {
    "ignores-accepted": (10, "P2"),
    "adopts-any": (15, "P2"),
    "adopts-lowest": (15, "P2"),
    "skips-phase-1": (0, "P2"),
    "counts-twice": (3, "P2"),
    "takes-old-promises": (6, "P2"),
    "proposes-twice": (13, "P3"),
    "accepts-below": (10, "A4"),
    "does-not-raise": (13, "A3"),
    "lowers-promise": (12, "A2"),
    "forgets-all": (9, "A3"),
    "forgets-promise": (13, "A2"),
    "forgets-accepted": (9, "A3"),
    "hides-accepted": (8, "A3"),
}


def names(fate: str) -> list[str]:
    return [name for name, rule in CHANGED_RULES.items() if rule.fate == fate]


def test_every_changed_rule_has_a_row_in_these_tables() -> None:
    assert names("unsafe") == list(DELIVERIES) == list(DEPARTURES)


@pytest.mark.parametrize("name", DELIVERIES)
def test_a_changed_rule_loses_its_property_after_this_number_of_deliveries(name: str) -> None:
    report = report_of(name)
    assert report.lost == ONE_VALUE
    assert report.violation
    assert report.violation.startswith("a second value is chosen: ")
    assert len(report.execution) == DELIVERIES[name]
    assert (report.found["first_wrong_delivery"], report.found["departure"]["rule"]) == DEPARTURES[name]


@pytest.mark.parametrize("name", DELIVERIES)
@pytest.mark.parametrize("size", ["num_proposers", "max_attempts", "restarts"])
def test_no_fewer_proposers_attempts_or_restarts_show_it(name: str, size: str) -> None:
    model = CHANGED_RULES[name].model
    least = {"num_proposers": 1, "max_attempts": 1, "restarts": 0}[size]
    if getattr(model, size) == least:
        return
    smaller = replace(model, **{size: getattr(model, size) - 1})
    assert check(smaller).violation is None


@pytest.mark.parametrize("name", names("safe"))
def test_changes_that_look_faulty_are_safe(name: str) -> None:
    model = CHANGED_RULES[name].model
    assert model.properties == ALWAYS
    assert check(model).safe


@pytest.mark.parametrize("name", names("stuck"))
def test_a_safe_change_can_lose_progress(name: str) -> None:
    report = check(CHANGED_RULES[name].model)
    assert (report.complete, report.violation, report.verdict) == (True, None, "stuck")
    story = counterexample(report.story, None, report.model.sizes | report.found, CHANGED_RULES[name].told, "")
    assert story.title.startswith(f"{name}: no message is lost, but proposer-")
    assert story.notes == [(0, "from delivery 1 on nothing is lost, and one proposer keeps trying", "notable")]


@pytest.mark.parametrize("name", names("not-alive"))
def test_a_change_that_is_safe_because_nothing_happens_is_not_called_safe(name: str) -> None:
    report = check(CHANGED_RULES[name].model)
    assert (report.complete, report.violation, report.safe) == (True, None, False)
    assert report.never == ["value-0", "value-1"]


def test_the_same_model_without_the_change_is_safe() -> None:
    for model in dict.fromkeys(rule.correct_model for rule in CHANGED_RULES.values()):
        # With restarts there are only more executions.
        assert (climbed().get(replace(model, restarts=1)) or check(model)).safe


@pytest.mark.parametrize("name", CHANGED_RULES)
def test_each_changed_rule_has_a_sentence_and_a_section_of_the_paper(name: str) -> None:
    rule = CHANGED_RULES[name]
    assert rule.summary.endswith(".")
    assert "section 2." in rule.explanation or rule.fate == "not-alive"
