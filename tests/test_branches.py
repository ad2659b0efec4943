"""The story of a check as lanes: alone, and with a changed rule beside what right actors do."""

import pytest
from rich.cells import cell_len
from stories import report_of

from toy_paxos.checking import RULES, Rule
from toy_paxos.view.branches import branch_lanes, story_lanes
from toy_paxos.view.words import Line


def branches(rule: Rule, width: int | None) -> list[Line]:
    """The two branches of what the checker finds."""
    report = report_of(rule.name)
    assert report.missed
    assert report.correct_story
    return branch_lanes(report.story, report.correct_story, report.missed.delivery, rule.remedy, width)


def test_the_story_of_a_check_is_drawn() -> None:
    rule = RULES["adopts-lowest"]
    lines = [line.text for line in story_lanes(report_of(rule.name).story, None)]
    assert lines[0] == "     p0  p1  p2  a0  a1  a2"
    assert any("p2 adopts what a0 accepted under 1: value-0" in line for line in lines)


@pytest.mark.parametrize("name", [name for name, rule in RULES.items() if rule.fate == "unsafe"])
def test_a_changed_rule_is_drawn_beside_the_right_one(name: str) -> None:
    rule = RULES[name]
    report = report_of(rule.name)
    lines = [line.text for line in branches(rule, 100)]
    assert all(cell_len(line) <= 100 for line in lines)
    wrong = [line for line in lines if line.startswith("- ")]
    right = [line for line in lines if line.startswith("+ ")]
    assert any("SAFETY VIOLATED, " in line for line in wrong)
    assert right
    assert not any("VIOLATED" in line for line in right)
    (missing,) = (at for at, line in enumerate(lines) if line.strip("│┃ ").startswith("missing: "))
    assert report.missed
    numbers = [int(line[2:7]) for line in lines[1:missing] if line[2:7].strip()]
    assert (numbers[-1:] or [0]) == [report.missed.delivery]


def test_whoever_restarts_forgets_or_remembers() -> None:
    rule = RULES["forgets-promise"]
    lines = [line.text for line in branches(rule, None)]
    (at,) = (at for at, line in enumerate(lines) if "restarts" in line)
    assert lines[at].startswith("- ")
    assert lines[at].endswith("a2 = 0 2:value-1")
    assert lines[at + 1].startswith("+ ")
    assert lines[at + 1].endswith("a2 remembers all")


def test_a_row_on_lanes_that_differ_is_drawn_for_both() -> None:
    rule = RULES["forgets-accepted"]
    lines = [line.text for line in branches(rule, None)]
    assert [line for line in lines if line[2:7].strip() == "10"] == [
        "-  10  │   │<──┼───╂───●   PROMISE 2",
        "+  10  │   │<──╂───╂───●   PROMISE 2",
    ]


def test_on_few_columns_it_is_still_told_who_says_what() -> None:
    rule = RULES["adopts-lowest"]
    words = " ".join(line.text[19:] for line in branches(rule, 40))
    assert "PROMISE 3 (2 value-1), p2 says PROPOSE 3 value-0 " in words
    assert " p2 says PROPOSE 3 value-1 " in words


def test_deliveries_in_a_row_that_nobody_says_are_one_row() -> None:
    rule = RULES["skips-phase-1"]
    lines = [line.text for line in branches(rule, None)]
    assert [line for line in lines if "nobody" in line] == ["+   1  │   │   │   │   │   nobody says any of 1 to 4"]
