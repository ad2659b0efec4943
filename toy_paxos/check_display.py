"""What people and programs get to see of a search: a verdict, and the story that leads to it."""

from collections.abc import Iterator
from dataclasses import asdict

from toy_paxos import __version__
from toy_paxos.broken import RULES, Rule, first_wrong_delivery
from toy_paxos.checker import Report, story
from toy_paxos.cluster import Model
from toy_paxos.display import json_line, message_keys, plural, printable
from toy_paxos.network import Delivery
from toy_paxos.network_display import event_words
from toy_paxos.safety import Violation

ALWAYS = (
    "at most one value is chosen",
    "a value that is chosen was proposed",
    "what a proposer learns is chosen",
)


def start_text(model: Model, rule: Rule | None) -> str:
    """What is going to be explored."""
    sizes = (
        f"{plural(model.num_proposers, 'proposer')}, {plural(model.num_acceptors, 'acceptor')}, "
        f"{plural(model.max_attempts, 'attempt')} each"
    )
    text = f"toy-paxos {__version__} check: {sizes}, every order of delivery, loss and duplication\n"
    return text + (f"Changed rule, {rule.name}: {rule.summary}\n" if rule else "")


def report_text(report: Report, rule: Rule | None) -> str:
    """The story of a counterexample if there is one, then figures, then the verdict."""
    lines = [*story_lines(report), *remedy_lines(report, rule), "", figures(report)]
    if report.violation:
        lines.append(f"VIOLATED: {printable(report.violation)}")
    elif not report.complete:
        lines.append("UNKNOWN: not explored to the end, so nothing is proved")
    else:
        lines += property_lines(report)
        lines.append("SAFE" if report.safe else "NOT ALIVE: what should happen sometimes never can")
        if rule and rule.fate == ("safe" if report.safe else "stuck"):
            lines += rule.lesson
    return "\n".join(lines) + "\n"


def story_lines(report: Report) -> Iterator[str]:
    """The execution, a line a delivery, in the words of a run."""
    if not report.violation:
        return
    yield ""
    width = len(f"proposer-{report.model.num_proposers - 1} -> acceptor-{report.model.num_acceptors - 1}")
    for event in story(report.model, report.execution):
        if not isinstance(event, Violation):
            yield f"{event.t_ms:4.0f}  {event_words(event, width)}"
    yield f"{len(report.execution):4}  SAFETY VIOLATED, {printable(report.violation)}"


def remedy_lines(report: Report, rule: Rule | None) -> Iterator[str]:
    """What would have prevented it, and where."""
    if report.violation and rule:
        at = first_wrong_delivery(rule, report.model, report.execution)
        yield ""
        yield f"What is missing: {rule.remedy}. Missed first {f'at delivery {at}' if at else 'at the start'}."


def figures(report: Report) -> str:
    """How much was explored, and how fast."""
    rate = f" ({report.states / report.elapsed_s:,.0f} states/s)" if report.elapsed_s else ""
    return (
        f"{plural(report.states, 'state')}, {plural(report.transitions, 'transition')}, "
        f"{report.depth} {'delivery' if report.depth == 1 else 'deliveries'} deep, "
        f"in {report.elapsed_s:.2f} s{rate}"
    )


def property_lines(report: Report) -> Iterator[str]:
    """What always holds, and what sometimes happens or never does."""
    for words in ALWAYS:
        yield f"ok   always     {words}"
    if not report.model.promises_may_fall:
        yield "ok   always     a promise never goes down"
    for value in report.model.values:
        yield f"{'NOT ' if value in report.never else 'ok  '} sometimes  {value} is chosen"


def start_json(model: Model, rule: Rule | None) -> str:
    """The ``check`` event."""
    return json_line(
        event="check",
        version=__version__,
        num_acceptors=model.num_acceptors,
        num_proposers=model.num_proposers,
        max_attempts=model.max_attempts,
        changed_rule=rule and rule.name,
    )


def report_json(report: Report, rule: Rule | None) -> str:
    """An event for each step of a counterexample, then the ``verdict`` event."""
    lines = []
    for event in story(report.model, report.execution):
        step = {"step": int(event.t_ms)}
        if isinstance(event, Delivery):
            lines.append(f'{{"event":"message",{message_keys(event.message)},"step":{step["step"]}}}\n')
        elif not isinstance(event, Violation):
            shown = {"event": event.event} | asdict(event) | step
            del shown["t_ms"]
            lines.append(json_line(**shown))
    if report.violation:
        lines.append(json_line(event="violation", words=report.violation, step=len(report.execution)))
    at = first_wrong_delivery(rule, report.model, report.execution) if rule and report.violation else None
    lines.append(
        json_line(
            event="verdict",
            verdict=verdict(report),
            violation=report.violation,
            first_wrong_delivery=at,
            never=report.never,
            states=report.states,
            transitions=report.transitions,
            depth=report.depth,
            elapsed_s=report.elapsed_s,
        )
    )
    return "".join(lines)


def verdict(report: Report) -> str:
    """The verdict in one word."""
    if report.violation:
        return "violated"
    if not report.complete:
        return "unknown"
    return "safe" if report.safe else "not-alive"


def rules_text() -> str:
    """All changed rules, by what comes of them."""
    titles = {
        "unsafe": "Safety is lost:",
        "safe": "It looks wrong, and is safe:",
        "stuck": "It is safe, because nothing can be chosen:",
    }
    lines = []
    for fate, title in titles.items():
        lines += ["", title]
        lines += [f"  {rule.name:<20} {rule.summary}" for rule in RULES.values() if rule.fate == fate]
    return "\n".join(lines[1:]) + "\n"


def rules_json() -> str:
    """A ``rule`` event for each changed rule."""
    return "".join(
        json_line(event="rule", name=rule.name, fate=rule.fate, summary=rule.summary) for rule in RULES.values()
    )
