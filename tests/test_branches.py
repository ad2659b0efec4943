"""The story of a check as lanes: alone, and with a changed rule beside what right actors do."""

import re

import pytest
from rich.cells import cell_len
from stories import report_of

from toy_paxos.checking import CHANGED_RULES, ChangedRule
from toy_paxos.view.branches import branch_lanes, story_lanes
from toy_paxos.view.mermaid import mermaid
from toy_paxos.view.page import page
from toy_paxos.view.scenes import scenes
from toy_paxos.view.svg import svg
from toy_paxos.view.verdict import counterexample
from toy_paxos.view.words import Line


def branches(rule: ChangedRule, width: int | None) -> list[Line]:
    """The two branches of what the checker finds."""
    report = report_of(rule.name)
    assert report.correct_story
    return branch_lanes(report.story, report.correct_story, width)


def test_the_story_of_a_check_is_drawn() -> None:
    rule = CHANGED_RULES["adopts-lowest"]
    lines = [line.text for line in story_lanes(report_of(rule.name).story, None)]
    assert lines[0] == "     p0  p1  p2  a0  a1  a2"
    assert any("p2 adopts what a0 accepted under 1: value-0" in line for line in lines)


@pytest.mark.parametrize("name", [name for name, rule in CHANGED_RULES.items() if rule.fate == "unsafe"])
def test_a_changed_rule_is_drawn_beside_the_correct_one(name: str) -> None:
    rule = CHANGED_RULES[name]
    report = report_of(rule.name)
    lines = [line.text for line in branches(rule, 100)]
    assert all(cell_len(line) <= 100 for line in lines)
    wrong = [line for line in lines if line.startswith("- ")]
    right = [line for line in lines if line.startswith("+ ")]
    assert any("SAFETY VIOLATED, " in line for line in wrong)
    assert right
    assert not any("VIOLATED" in line for line in right)
    told = wrong if report.found["first_wrong_delivery"] else lines
    assert any(f" breaks {report.found['departure']['rule']}: " in line for line in told)


# Where correct actors do not get as far as a choice with the same deliveries.
NOT_CHOSEN = ("skips-phase-1", "counts-twice", "accepts-below")


@pytest.mark.parametrize("name", [name for name, rule in CHANGED_RULES.items() if rule.fate == "unsafe"])
def test_every_picture_shows_correct_actors_from_where_they_differ_to_their_end(name: str) -> None:
    rule = CHANGED_RULES[name]
    report = report_of(name)
    found = report.model.sizes | report.found
    story = counterexample(report.story, report.correct_story, found, rule.told, rule.change)
    shown = [scene for scene in scenes(story) if scene.rows]
    first = [scene for scene in shown if not scene.branch]
    second = [scene for scene in shown if scene.branch]
    assert shown == first + second
    assert "VIOLATED" in "".join(row.words for scene in first for row in scene.rows)
    assert "VIOLATED" not in "".join(row.words for scene in second for row in scene.rows)
    heading, *rest = second
    since = int(re.findall(r"from delivery (\d+) on", heading.rows[0].words)[0])
    assert since <= max(found["first_wrong_delivery"], 1)
    assert all(scene.event.time >= since for scene in rest)
    assert [scene.step for scene in second] == sorted(scene.step for scene in second)
    assert first[-1].step < heading.step
    end = shown[-1].rows[-1].words
    assert re.fullmatch("no value is chosen" if name in NOT_CHOSEN else r"value-\d stays chosen", end)
    assert branches(rule, None)[-1].text.startswith("+ ")
    assert branches(rule, None)[-1].text.endswith(end)
    for text in (mermaid(story), svg(story), page(story)):
        assert text.index("Correct actors, from delivery") < text.rindex(end)


def test_a_restarted_actor_forgets_or_remembers() -> None:
    rule = CHANGED_RULES["forgets-promise"]
    lines = [line.text for line in branches(rule, None)]
    (at,) = (at for at, line in enumerate(lines) if "restarts" in line)
    assert lines[at].startswith("- ")
    assert lines[at].endswith("a2 = 0 2:value-1")
    assert lines[at + 1].startswith("+ ")
    assert lines[at + 1].endswith("a2 remembers all")


def test_a_row_on_lanes_that_differ_is_drawn_for_both() -> None:
    rule = CHANGED_RULES["forgets-accepted"]
    lines = [line.text for line in branches(rule, None)]
    assert [line for line in lines if line[2:7].strip() == "10"] == [
        "-  10  │   │<──┼───╂───●   PROMISE 2",
        "+  10  │   │<──╂───╂───●   PROMISE 2",
    ]


def test_a_narrow_diagram_still_shows_the_reactions() -> None:
    rule = CHANGED_RULES["adopts-lowest"]
    words = " ".join(line.text[19:] for line in branches(rule, 40))
    assert "PROMISE 3 (2 value-1), p2 says PROPOSE 3 value-0 " in words
    assert " p2 says PROPOSE 3 value-1 " in words


def test_consecutive_deliveries_that_correct_actors_do_not_say_are_one_row() -> None:
    rule = CHANGED_RULES["skips-phase-1"]
    lines = [line.text for line in branches(rule, None)]
    assert [line for line in lines if "do not say" in line] == [
        "+   1  │   │   │   │   │   correct actors do not say any of 1 to 4"
    ]
