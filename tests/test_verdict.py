"""What is said of a search: the story, the rule that is broken, and the verdict."""

import json
import re
from dataclasses import replace
from typing import Any

import pytest
from stories import report_of

from toy_paxos.checking import CHANGED_RULES, Judgement, Model, Report, check, check_rule, summary
from toy_paxos.checking.alone import judge
from toy_paxos.checking.climb import CLIMB
from toy_paxos.event import Delivery
from toy_paxos.view.json_lines import start_json, verdict_json
from toy_paxos.view.verdict import (
    cluster_lines,
    cluster_words,
    report_lines,
    rules_lines,
    start_lines,
    summary_lines,
    told,
)
from toy_paxos.view.words import story_lines

NO_FAIL = " (FAIL is not delivered; --fail adds it)"


def cluster_of(report: Report) -> dict[str, Any]:
    return report.model.sizes | report.found


def said(report: Report, name: str | None = None) -> list[str]:
    rule = CHANGED_RULES[name].told if name else None
    story = told(report.story, story_lines(report.story))
    return [line.text for line in report_lines(cluster_of(report), report.model.properties, rule, story)]


def test_the_story_says_who_wants_what_then_a_line_a_delivery() -> None:
    report = report_of("ignores-accepted")
    lines = said(report, "ignores-accepted")
    assert lines[:4] == [
        "",
        "proposer-0 wants value-0",
        "proposer-1 wants value-1",
        "   1  proposer-0 -> acceptor-0 PREPARE 1",
    ]
    assert f"{len(report.execution):4}  SAFETY VIOLATED, a second value is chosen: value-1" in [
        line.partition(", under 2, accepted by acceptor-")[0] for line in lines
    ]
    assert lines[-1] == "VIOLATED: a second value is chosen: value-1"


def test_the_story_says_which_value_is_adopted() -> None:
    assert "  15  proposer-2 adopts what acceptor-0 accepted under 1: value-0" in said(report_of("adopts-lowest"))


def test_a_story_with_a_timeout_and_one_with_a_restart_read_as_in_a_run() -> None:
    assert any(
        line.endswith("  proposer-0 tries again, attempt 2 under 3") for line in said(report_of("takes-old-promises"))
    )
    assert any(line.endswith("  acceptor-0 restarts") for line in said(report_of("forgets-all")))


def test_the_reason_is_the_first_rule_that_is_broken_and_where() -> None:
    for name, where in (("adopts-lowest", "at delivery 15"), ("skips-phase-1", "at the start")):
        (reason,) = [line for line in said(report_of(name), name) if line.startswith("Reason: ")]
        assert reason.startswith(f"Reason: {where}, proposer-")


def test_the_text_of_a_broken_rule_is_shown_once_with_its_section() -> None:
    lines = said(report_of("accepts-below"), "accepts-below")
    (rule,) = (line for line in lines if line.startswith("A4 ("))
    assert rule.startswith("A4 (Paxos Made Simple, 2.2, phase 2(b)): An acceptor accepts only proposals that it was ")
    assert lines[-2] == rule
    assert report_of("accepts-below").found["broken_rules"] == [rule]
    assert FINISHED.found["broken_rules"] == []
    judgement = judge(CHANGED_RULES["lowers-promise"].model)
    (rule,) = summary([FINISHED], judgement)["broken_rules"]
    assert rule.startswith("A2 (")


def test_a_safe_verdict_comes_with_the_properties_that_hold() -> None:
    lines = said(check(Model(1, 2)))
    assert "ok   always     at most one value is chosen" in lines
    assert "ok   always     a promise never goes down" in lines
    assert "ok   sometimes  value-1 is chosen" in lines
    assert lines[-1] == f"SAFE for 2 proposers, 1 acceptor, 1 attempt, 1 restart each{NO_FAIL}"


def test_an_unfinished_search_is_never_called_safe() -> None:
    report = check(Model(), max_states=100)
    assert said(report)[-1].endswith("; take a smaller cluster, or a larger --max-states")
    stopped = check(Model(), keep_going=lambda states, depth: False)
    assert said(stopped)[-1] == "UNKNOWN: stopped before the end, so nothing is proved"
    assert summit(stopped)[-1] == said(stopped)[-1]
    assert json.loads(verdict_json(report.found, report.story).splitlines()[-1])["verdict"] == "unknown"


def test_actors_that_never_choose_a_value_are_not_a_success() -> None:
    lines = said(report_of("accepts-only-above"), "accepts-only-above")
    assert "NOT  sometimes  value-0 is chosen" in lines
    assert "NOT ALIVE: safe, but no value can ever be chosen" in lines


def test_json_tells_the_same_story() -> None:
    report = report_of("forgets-all")
    *story, verdict = map(json.loads, verdict_json(report.found, report.story).splitlines())
    assert [event["event"] for event in story] == [event.event for event in report.story.events]
    assert [event["step"] for event in story] == [event.time for event in report.story.events]
    said = [event.message.type for event in report.story.events if isinstance(event, Delivery)]
    assert [event["type"] for event in story if event["event"] == "message"] == said
    assert "RESTART" in said
    assert (verdict["verdict"], verdict["property"]) == ("violated", "at most one value is chosen")
    assert (verdict["first_wrong_delivery"], verdict["departure"]["rule"]) == (9, "A3")


def test_the_beginning_names_the_cluster_and_the_changed_rule() -> None:
    rule = CHANGED_RULES["adopts-lowest"]
    assert start_lines(rule.model.sizes, "Changed rule")[1].text == "Changed rule"
    started = json.loads(start_json(rule.model.sizes, rule.name, "--acceptor a.py:A"))
    assert list(started) == [
        "event",
        "format",
        "version",
        "num_proposers",
        "num_acceptors",
        "quorums",
        "max_attempts",
        "restarts",
        "fail",
        "values",
        "first_number",
        "changed_rule",
        "actors",
    ]
    assert started["changed_rule"] == "adopts-lowest"


@pytest.mark.parametrize("name", CHANGED_RULES)
def test_the_list_names_every_rule(name: str) -> None:
    assert any(
        line.text.startswith(f"  {name} ") for line in rules_lines([rule.told for rule in CHANGED_RULES.values()])
    )


def test_where_a_changed_rule_does_no_harm_the_verdict_names_a_cluster_where_it_does() -> None:
    rule = CHANGED_RULES["adopts-lowest"]
    report = check_rule(rule, replace(rule.model, num_proposers=2))
    assert said(report, "adopts-lowest")[-1] == (
        "SAFE at this size; this change loses safety with 3 proposers, 3 acceptors, 1 attempt, 0 restarts each"
    )


# Many clusters

FINISHED = check(Model(1, 2))
UNFINISHED = check(Model(3, 3, fail=True, descending=True), 10)


KEPT = judge(Model(1, 2))
NOT_JUDGED = Judgement(Model(1, 2), 1, not_judged="it was stopped")


def summit(*reports: Report, judgement: Judgement = NOT_JUDGED) -> list[str]:
    return [line.text for line in summary_lines(summary(reports, judgement))]


def test_each_cluster_is_a_line_with_its_sizes_and_failures() -> None:
    (line,) = cluster_lines(cluster_of(replace(FINISHED, elapsed_s=0.25)))
    assert re.fullmatch(r"ok  2 proposers, 1 acceptor, 1 attempt, 1 restart each: \d+ states, 0.2 s", line.text)
    (line,) = cluster_lines(cluster_of(UNFINISHED))
    assert re.match(r"\?\?  3 proposers, 3 acceptors, .* each, FAIL delivered, values descending: ", line.text)
    assert line.text.endswith(", not explored to the end")
    (line,) = cluster_lines(cluster_of(report_of("hides-accepted")))
    assert line.text.startswith("VIOLATED  2 proposers")


def test_only_the_values_of_the_checker_are_called_descending() -> None:
    assert cluster_words(Model(2, 3, descending=True).sizes).endswith(", values descending")
    for model in (Model(2, 1), Model(2, 1, descending=True), Model(2, 3), Model(2, 3, wishes=("c", "b", "a"))):
        assert cluster_words(model.sizes).endswith(" restart each")


def test_a_verdict_by_the_rules_says_what_it_does_not_cover() -> None:
    lines = summit(*[FINISHED] * 6, judgement=KEPT)
    assert lines[-4] == "SAFE in every execution of 1 cluster, since each actor keeps the rules of Paxos"
    assert lines[-2] == "6 other clusters, listed above, were also searched exhaustively."
    assert lines[-1] == "Nothing is known about larger clusters."
    assert "ok   sometimes  each value is chosen" in lines
    assert summary([FINISHED] * 6, KEPT)["verdict"] == "safe"
    assert "UNKNOWN: safe in 5 clusters, 1 not begun" in summit(*[FINISHED] * 5, judgement=KEPT)
    assert summary([FINISHED] * 5, KEPT)["verdict"] == summary([UNFINISHED] * 6, KEPT)["verdict"] == "unknown"


def test_clusters_that_were_not_explored_are_not_called_safe() -> None:
    left, but = len(CLIMB) - 2, ", but the rules are not judged: nothing is known about larger ones"
    lines = summit(FINISHED, UNFINISHED)
    assert f"UNKNOWN: safe in 1 cluster, 1 not explored to the end, {left} not begun{but}" in lines
    assert lines[-1] == "Reason: the rules are not judged: it was stopped."
    assert summary([FINISHED, UNFINISHED], NOT_JUDGED)["not_begun"] == left
    many = [FINISHED] * (len(CLIMB) - 1)
    assert f"UNKNOWN: safe in {len(CLIMB) - 1} clusters, 1 not explored to the end{but}" in summit(*many, UNFINISHED)
    assert summary([FINISHED] * len(CLIMB), NOT_JUDGED)["verdict"] == "unknown"


def test_a_counterexample_found_by_chance_is_not_called_the_shortest() -> None:
    report = replace(report_of("hides-accepted"), by_chance=True)
    (line,) = cluster_lines(cluster_of(report))
    assert re.fullmatch(r"VIOLATED  2 proposers, .*: found by chance, \d+\.\d s", line.text)
    assert any(
        line.endswith("none of them can be left out, but a shorter execution may exist") for line in said(report)
    )
    assert json.loads(verdict_json(report.found, report.story).splitlines()[-1])["by_chance"]
    reason, unknown = summit(UNFINISHED)[-2:]
    assert unknown.startswith("UNKNOWN")
    assert reason == "Reason: the rules are not judged: it was stopped."
    assert summary([FINISHED, UNFINISHED], NOT_JUDGED)["verdict"] == "unknown"


def test_a_value_that_is_chosen_in_no_cluster_is_named() -> None:
    stuck = CHANGED_RULES["accepts-only-above"].model
    assert "NOT  sometimes  value-1 is chosen" in summit(check(stuck))
    assert summary([check(stuck)], KEPT)["verdict"] == "not-alive"
    assert summit(check(stuck))[-1] == "NOT ALIVE: safe, but value-0 and value-1 can never be chosen"
