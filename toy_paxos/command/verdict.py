"""What a search has found, in words and as JSON Lines: the story that leads there, and a verdict."""

from collections.abc import Iterator

from toy_paxos import __version__
from toy_paxos.checking import RULES, Model, Report, Rule
from toy_paxos.command.json_lines import FORMAT, event_object, json_line
from toy_paxos.command.words import Line, event_line, line, plural, printable, route_width, wishes_lines
from toy_paxos.event import Wants
from toy_paxos.safety import sometimes


def start_lines(model: Model, rule: Rule | None) -> list[Line]:
    """What is going to be explored."""
    sizes = (
        f"{plural(model.num_proposers, 'proposer')}, {plural(model.num_acceptors, 'acceptor')}, "
        f"{plural(model.max_attempts, 'attempt')} each"
    )
    words = f"toy-paxos {__version__} check: {sizes}, every order of delivery, loss and duplication"
    lines = [line(("heading", words))]
    if rule:
        lines.append(line(("", f"Changed rule, {rule.name}: {rule.summary}")))
    return lines


def report_lines(report: Report, rule: Rule | None) -> Iterator[Line]:
    """The story of a counterexample if there is one, then figures, then the verdict."""
    yield from story_lines(report)
    if report.missed_at is not None and rule:
        at = f"at delivery {report.missed_at}" if report.missed_at else "at the start"
        yield line()
        yield line(("", f"What is missing: {rule.remedy}. Missed first {at}."))
    yield line()
    yield line(("", figures(report)))
    if report.violation:
        yield line(("bad heading", f"VIOLATED: {printable(report.violation)}"))
    elif not report.complete:
        yield line(("bad heading", "UNKNOWN: not explored to the end, so nothing is proved"))
    else:
        yield from property_lines(report)
        if report.safe:
            yield line(("good heading", "SAFE"))
        else:
            yield line(("bad heading", "NOT ALIVE: what should happen sometimes never can"))
        if rule and rule.fate == ("safe" if report.safe else "stuck"):
            yield from [line(("", words)) for words in rule.lesson]


def story_lines(report: Report) -> Iterator[Line]:
    """The execution, a line an event, in the words of a run."""
    if not report.violation:
        return
    yield line()
    yield from wishes_lines("", {event.proposer: event.value for event in report.story if isinstance(event, Wants)})
    width = route_width(report.model.num_proposers, report.model.num_acceptors)
    for event in report.story:
        if words := event_line(event, width):
            yield words.after("time", f"{event.time:4.0f}  ")


def figures(report: Report) -> str:
    """How much was explored, and how fast."""
    rate = f" ({report.states / report.elapsed_s:,.0f} states/s)" if report.elapsed_s else ""
    return (
        f"{plural(report.states, 'state')}, {plural(report.transitions, 'transition')}, "
        f"{report.depth} {'delivery' if report.depth == 1 else 'deliveries'} deep, "
        f"in {report.elapsed_s:.2f} s{rate}"
    )


def property_lines(report: Report) -> Iterator[Line]:
    """What always holds, and what sometimes happens or never does."""
    for property in report.model.properties:
        yield line(("good", f"ok   always     {property.name}"))
    for value in report.model.values:
        if value in report.never:
            yield line(("bad heading", f"NOT  sometimes  {sometimes(value)}"))
        else:
            yield line(("good", f"ok   sometimes  {sometimes(value)}"))


def rules_lines() -> list[Line]:
    """All changed rules, by what comes of them."""
    titles = {
        "unsafe": "Safety is lost:",
        "safe": "It looks wrong, and is safe:",
        "stuck": "It is safe, because nothing can be chosen:",
    }
    lines = []
    for fate, title in titles.items():
        lines += [line(), line(("heading", title))]
        lines += [line(("", f"  {rule.name:<20} {rule.summary}")) for rule in RULES.values() if rule.fate == fate]
    return lines[1:]


# As JSON


def start_json(model: Model, rule: Rule | None) -> str:
    """The ``check`` event."""
    return json_line(
        event="check",
        format=FORMAT,
        version=__version__,
        num_acceptors=model.num_acceptors,
        num_proposers=model.num_proposers,
        max_attempts=model.max_attempts,
        changed_rule=rule and rule.name,
    )


def report_json(report: Report) -> str:
    """The story of a counterexample, an event a line, then the ``verdict`` event."""
    story = [event_object(event, f'"step":{event.time:.0f}') for event in report.story]
    verdict = json_line(
        event="verdict",
        verdict=verdict_word(report),
        property=report.lost and report.lost.name,
        violation=report.violation,
        first_wrong_delivery=report.missed_at,
        never=report.never,
        states=report.states,
        transitions=report.transitions,
        depth=report.depth,
        elapsed_s=report.elapsed_s,
    )
    return "".join(story) + verdict


def verdict_word(report: Report) -> str:
    """The verdict in one word."""
    if report.violation:
        return "violated"
    if not report.complete:
        return "unknown"
    return "safe" if report.safe else "not-alive"


def rules_json() -> str:
    """A ``rule`` event for each changed rule."""
    return "".join(
        json_line(event="rule", name=rule.name, fate=rule.fate, summary=rule.summary) for rule in RULES.values()
    )
