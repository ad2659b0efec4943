"""What is said of a search: the story, what is missing, and the verdict."""

import json

import pytest

from toy_paxos.checking import RULES, Model, Report, check, check_rule
from toy_paxos.command.verdict import report_json, report_lines, rules_lines, start_json, start_lines
from toy_paxos.event import Delivery


def told(report: Report, name: str | None = None) -> list[str]:
    return [line.text for line in report_lines(report, RULES[name] if name else None)]


def broken(name: str) -> Report:
    return check_rule(RULES[name], RULES[name].model)


def test_the_story_says_who_wants_what_then_a_line_a_delivery() -> None:
    report = broken("ignores-accepted")
    lines = told(report, "ignores-accepted")
    assert lines[:4] == [
        "",
        "proposer-0 wants value-0",
        "proposer-1 wants value-1",
        "   1  proposer-0 -> acceptor-0 PREPARE 1",
    ]
    assert "   6  SAFETY VIOLATED, a second value is chosen: value-1" in lines
    assert lines[-1] == "VIOLATED: a second value is chosen: value-1"


def test_the_line_that_teaches_is_there() -> None:
    assert "  15  proposer-2 adopts what acceptor-0 accepted under 1: value-0" in told(broken("adopts-lowest"))


def test_a_story_with_a_timeout_and_one_with_a_restart_read_as_in_a_run() -> None:
    assert any(
        line.endswith("  proposer-0 tries again, attempt 2 under 3") for line in told(broken("takes-old-promises"))
    )
    assert any(line.endswith("  acceptor-0 restarts") for line in told(broken("forgets-all")))


def test_what_is_missing_and_where_it_was_missed_first() -> None:
    missed = [line for line in told(broken("adopts-lowest"), "adopts-lowest") if line.startswith("What is missing: ")]
    assert missed[0].endswith("Missed first at delivery 15.")
    at_once = [line for line in told(broken("skips-phase-1"), "skips-phase-1") if line.startswith("What is missing: ")]
    assert at_once[0].endswith("Missed first at the start.")


def test_safe_says_what_was_found_out() -> None:
    lines = told(check(Model(1, 2)))
    assert "ok   always     at most one value is chosen" in lines
    assert "ok   always     a promise never goes down" in lines
    assert "ok   sometimes  value-1 is chosen" in lines
    assert lines[-1] == "SAFE"


def test_not_explored_to_the_end_is_never_called_safe() -> None:
    report = check(Model(), max_states=100)
    assert told(report)[-1].startswith("UNKNOWN")
    assert json.loads(report_json(report).splitlines()[-1])["verdict"] == "unknown"


def test_what_can_never_choose_is_no_success() -> None:
    lines = told(broken("accepts-only-above"), "accepts-only-above")
    assert "NOT  sometimes  value-0 is chosen" in lines
    assert any(line.startswith("NOT ALIVE") for line in lines)


def test_json_tells_the_same_story() -> None:
    report = broken("forgets-all")
    *story, verdict = map(json.loads, report_json(report).splitlines())
    assert [event["event"] for event in story] == [event.event for event in report.story]
    assert [event["step"] for event in story] == [event.time for event in report.story]
    said = [event.message.type for event in report.story if isinstance(event, Delivery)]
    assert [event["type"] for event in story if event["event"] == "message"] == said
    assert "RESTART" in said
    assert (verdict["verdict"], verdict["property"]) == ("violated", "at most one value is chosen")
    assert verdict["first_wrong_delivery"] == 4


def test_the_beginning_names_the_cluster_and_the_changed_rule() -> None:
    rule = RULES["adopts-lowest"]
    assert start_lines(rule.model, rule)[1].text.startswith("Changed rule, adopts-lowest: ")
    started = json.loads(start_json(rule.model, rule))
    assert list(started) == [
        "event",
        "format",
        "version",
        "num_acceptors",
        "num_proposers",
        "max_attempts",
        "changed_rule",
    ]
    assert started["changed_rule"] == "adopts-lowest"


@pytest.mark.parametrize("name", RULES)
def test_the_list_names_every_rule(name: str) -> None:
    assert any(line.text.startswith(f"  {name} ") for line in rules_lines())
