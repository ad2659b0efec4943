"""What a search has found, as JSON Lines: the story that leads there, and a verdict."""

from collections.abc import Sequence
from typing import Any

from toy_paxos import __version__
from toy_paxos.checking import CLIMB, RULES, Model, Report, Rule, never_chosen
from toy_paxos.event_json import FORMAT, event_line, json_line
from toy_paxos.view.verdict import verdict_word


def sizes_object(model: Model) -> dict[str, Any]:
    """How large a cluster is, and what troubles it has."""
    return {
        "num_acceptors": model.num_acceptors,
        "num_proposers": model.num_proposers,
        "max_attempts": model.max_attempts,
        "restarts": model.restarts,
        "fail": model.fail,
        "values": model.values,
        "first_number": model.first_number,
    }


def start_json(model: Model | None, rule: Rule | None, actors: str) -> str:
    """The ``check`` event, with the sizes of the cluster unless there are many; ``actors`` are the options for them."""
    about = sizes_object(model) if model else {}
    changed_rule = rule and rule.name
    return json_line(
        event="check", format=FORMAT, version=__version__, **about, changed_rule=changed_rule, actors=actors or None
    )


def cluster_json(report: Report) -> str:
    """The ``cluster`` event: what came of one cluster among many."""
    return json_line(event="cluster", **sizes_object(report.model), **found(report))


def report_json(report: Report) -> str:
    """The story of a counterexample, a line for each event, then the ``verdict`` event."""
    return story_json(report) + json_line(event="verdict", **found(report))


def story_json(report: Report) -> str:
    """The story of a counterexample, a line for each event."""
    return "".join(event_line(event, f'"step":{event.time:.0f}') for event in report.story)


def summit_json(reports: Sequence[Report]) -> str:
    """The ``verdict`` event over many clusters."""
    last = reports[-1]
    total = {
        "verdict": verdict_word(reports),
        "clusters": len(reports),
        "incomplete": sum(not report.complete and not report.violation for report in reports),
        "not_begun": len(CLIMB) - len(reports),
        "property": last.lost and last.lost.name,
        "violation": last.violation,
        "never": never_chosen(reports),
        "states": sum(report.states for report in reports),
        "elapsed_s": sum(report.elapsed_s for report in reports),
        "by_chance": last.by_chance,
    }
    return json_line(event="verdict", **total)


def found(report: Report) -> dict[str, Any]:
    """What a search has found."""
    return {
        "verdict": verdict_word([report]),
        "property": report.lost and report.lost.name,
        "violation": report.violation,
        "first_wrong_delivery": report.missed and report.missed.delivery,
        "never": report.never,
        "states": report.states,
        "transitions": report.transitions,
        "depth": len(report.execution) or report.depth,
        "elapsed_s": report.elapsed_s,
        "by_chance": report.by_chance,
    }


def rules_json() -> str:
    """A ``rule`` event for each changed rule."""
    return "".join(
        json_line(event="rule", name=rule.name, fate=rule.fate, summary=rule.summary) for rule in RULES.values()
    )
