"""Each changed rule: what comes of it, how soon, and at no smaller size."""

from dataclasses import replace

import pytest

from toy_paxos.checking.broken import RULES, check_rule
from toy_paxos.checking.checker import check
from toy_paxos.checking.cluster import Model
from toy_paxos.event import Chosen, Violation

# How many deliveries the shortest execution takes that loses safety.
DELIVERIES = {
    "ignores-accepted": 6,
    "adopts-any": 17,
    "adopts-lowest": 17,
    "half-is-enough": 4,
    "minority-is-enough": 4,
    "skips-phase-1": 2,
    "counts-twice": 12,
    "takes-old-promises": 8,
    "proposes-twice": 15,
    "accepts-below": 6,
    "does-not-raise": 17,
    "lowers-promise": 7,
    "forgets-all": 7,
    "forgets-promise": 8,
    "forgets-accepted": 7,
    "hides-accepted": 6,
}

# At which of them a right actor would have done otherwise; 0 is before the first.
MISSED_AT = {
    "ignores-accepted": 5,
    "adopts-any": 15,
    "adopts-lowest": 15,
    "half-is-enough": 2,
    "minority-is-enough": 2,
    "skips-phase-1": 0,
    "counts-twice": 3,
    "takes-old-promises": 3,
    "proposes-twice": 13,
    "accepts-below": 5,
    "does-not-raise": 9,
    "lowers-promise": 6,
    "forgets-all": 4,
    "forgets-promise": 6,
    "forgets-accepted": 4,
    "hides-accepted": 4,
}

# These learn a value that is not chosen, before a second one can be.
LEARNS_TOO_MUCH = {"half-is-enough", "minority-is-enough", "proposes-twice"}


def names(fate: str) -> list[str]:
    return [name for name, rule in RULES.items() if rule.fate == fate]


def test_every_broken_rule_is_pinned() -> None:
    assert names("unsafe") == list(DELIVERIES) == list(MISSED_AT)


@pytest.mark.parametrize("name", DELIVERIES)
def test_a_broken_rule_loses_safety_after_so_many_deliveries(name: str) -> None:
    rule = RULES[name]
    report = check_rule(rule, rule.model)
    assert report.violation
    assert len(report.execution) == DELIVERIES[name]
    assert report.missed_at == MISSED_AT[name]
    last = report.story[-1]
    assert isinstance(last, Violation)
    if name in LEARNS_TOO_MUCH:
        assert " learns what is not chosen: " in last.words
    else:
        assert last.words.startswith("a second value is chosen: ")
        assert [type(event) for event in report.story].count(Chosen) == 1


SMALLER = [
    (name, size)
    for name in DELIVERIES
    for size in ("num_acceptors", "num_proposers", "max_attempts")
    if name != "minority-is-enough" and getattr(RULES[name].model, size) > 1
]


@pytest.mark.parametrize(("name", "size"), SMALLER)
def test_no_smaller_cluster_shows_it(name: str, size: str) -> None:
    model = RULES[name].model
    assert check(replace(model, **{size: getattr(model, size) - 1})).violation is None


@pytest.mark.parametrize("name", names("safe"))
def test_what_looks_wrong_is_safe(name: str) -> None:
    assert check(RULES[name].model).safe


@pytest.mark.parametrize("name", names("stuck"))
def test_what_is_safe_because_nothing_happens_is_not_called_safe(name: str) -> None:
    report = check(RULES[name].model)
    assert (report.complete, report.violation, report.safe) == (True, None, False)
    assert report.never == ["value-0", "value-1"]


RIGHT = list(dict.fromkeys(rule.right_model for rule in RULES.values() if rule.num_proposers < 3))


@pytest.mark.parametrize("model", RIGHT, ids=range(len(RIGHT)))
def test_the_same_model_without_the_change_is_safe(model: Model) -> None:
    assert check(model).safe


@pytest.mark.parametrize("name", RULES)
def test_a_rule_says_what_it_does_and_where_the_paper_says_otherwise(name: str) -> None:
    rule = RULES[name]
    assert rule.summary.endswith(".")
    assert "section 2." in " ".join(rule.lesson) or rule.fate == "stuck"
    assert bool(rule.remedy) == (rule.fate == "unsafe")
