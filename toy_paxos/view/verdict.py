"""What a search has found, in words: the story that leads there, and a verdict."""

from collections.abc import Callable, Iterator, Sequence

from toy_paxos import __version__
from toy_paxos.checking import CLIMB, RULES, Model, Report, Rule, never_chosen
from toy_paxos.event import Wants
from toy_paxos.safety import ALWAYS, sometimes
from toy_paxos.view.words import Line, count_lines, line, plural, printable, route_width, wishes_lines

MANY = "clusters from small to large"

EVERY = "every order of delivery, loss and duplication"


def sizes(model: Model) -> str:
    """How large a cluster is, and what troubles it has."""
    words = (
        f"{plural(model.num_proposers, 'proposer')}, {plural(model.num_acceptors, 'acceptor')}, "
        f"{plural(model.max_attempts, 'attempt')}, {plural(model.restarts, 'restart')} each"
    )
    words += ", FAIL delivered" if model.fail else ""
    words += ", values descending" if model.descending else ""
    return words + (f", numbers from {model.first_number}" if model.first_number > 1 else "")


def start_lines(model: Model | None, change: str) -> list[Line]:
    """What is going to be explored: one cluster, or many; and which rule is changed, or whose actors are checked."""
    lines = [line(("heading", f"toy-paxos {__version__} check: {sizes(model) if model else MANY}, {EVERY}"))]
    return [*lines, line(("", change))] if change else lines


def cluster_lines(report: Report) -> list[Line]:
    """What came of one cluster among many."""
    seen = "found by chance" if report.by_chance else plural(report.states, "state")
    words = f"{sizes(report.model)}: {seen}, {report.elapsed_s:.1f} s"
    if report.violation:
        return [line(("bad heading", f"VIOLATED  {words}"))]
    if not report.complete:
        return [line(("notable", f"??  {words}, not explored to the end"))]
    return [line(("good", f"ok  {words}"))]


def summit_lines(reports: Sequence[Report]) -> Iterator[Line]:
    """What all clusters say together, if nothing went wrong in any of them."""
    never, complete = never_chosen(reports), [report for report in reports if report.complete]
    yield line()
    if not complete:
        yield line(("bad heading", UNKNOWN))
        return
    for property in ALWAYS:
        yield line(("good", f"ok   always     {property.name}"))
    if never:
        yield from [line(("bad heading", f"NOT  sometimes  {sometimes(value)}")) for value in never]
        yield line(("bad heading", NOT_ALIVE))
        return
    yield line(("good", f"ok   sometimes  {sometimes('each value')}"))
    if len(complete) < len(CLIMB):
        words = [f"SAFE in {plural(len(complete), 'cluster')}"]
        words += [f"{unfinished} not explored to the end"] if (unfinished := len(reports) - len(complete)) else []
        words += [f"{left} not begun"] if (left := len(CLIMB) - len(reports)) else []
        yield line(("bad heading", ", ".join(words)))
    else:
        yield line(("good heading", f"SAFE in all {len(reports)} clusters"))
    yield line(
        ("", "In these, no order, loss or repetition of messages can do harm. Of larger ones this says nothing.")
    )


UNKNOWN = "UNKNOWN: not explored to the end, so nothing is proved"

NOT_ALIVE = "NOT ALIVE: what should happen sometimes never can"


def report_lines(report: Report, rule: Rule | None, story: Sequence[Line]) -> Iterator[Line]:
    """The story of a counterexample if there is one, then figures, then the verdict."""
    yield from story
    if report.missed and rule:
        at = f"at delivery {report.missed.delivery}" if report.missed.delivery else "at the start"
        yield line()
        yield line(("", f"What is missing: {rule.remedy}. Missed first {at}."))
    yield line()
    yield line(("", figures(report)))
    if report.violation:
        yield line(("bad heading", f"VIOLATED: {printable(report.violation)}"))
    elif not report.complete:
        yield line(("bad heading", UNKNOWN))
    else:
        yield from property_lines(report)
        yield line(("good heading", safe_words(report, rule)) if report.safe else ("bad heading", NOT_ALIVE))
        if rule and rule.fate == ("safe" if report.safe else "stuck"):
            yield from [line(("", words)) for words in rule.explanation]


def safe_words(report: Report, rule: Rule | None) -> str:
    """For what a cluster is safe; a changed rule may do harm in another."""
    if not rule or rule.fate != "unsafe":
        return f"SAFE for {sizes(report.model)}{'' if report.model.fail else ', FAIL never delivered'}"
    return f"SAFE at this size; it goes wrong with {sizes(rule.model)}"


def story_lines(report: Report) -> list[Line]:
    """The execution, a line for each event, in the words of a run."""
    return count_lines(report.story, route_width(report.model.configuration))


def told(report: Report, draw: Callable[[Report], list[Line]]) -> list[Line]:
    """Who wants what, and the execution, drawn in some way; nothing if nothing went wrong."""
    if not report.violation:
        return []
    wishes = {event.proposer: event.value for event in report.story if isinstance(event, Wants)}
    return [line(), *wishes_lines("", wishes), *draw(report)]


def figures(report: Report) -> str:
    """How much was explored, and how fast."""
    if report.by_chance:
        found = f"{deliveries(len(report.execution))}, found by chance in {report.elapsed_s:.2f} s"
        return f"{found}: none of them can be left out, but there may be a shorter way"
    rate = f" ({report.states / report.elapsed_s:,.0f} states/s)" if report.elapsed_s else ""
    depth = len(report.execution) or report.depth
    return (
        f"{plural(report.states, 'state')}, {plural(report.transitions, 'transition')}, "
        f"{deliveries(depth)} deep, "
        f"in {report.elapsed_s:.2f} s{rate}"
    )


def deliveries(number: int) -> str:
    """``1 delivery``, ``2 deliveries``."""
    return f"{number:,} {'delivery' if number == 1 else 'deliveries'}"


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


def verdict_word(reports: Sequence[Report]) -> str:
    """The verdict over one cluster or many, in one word."""
    if reports[-1].violation:
        return "violated"
    if never_chosen(reports):
        return "not-alive"
    return "safe" if all(report.complete for report in reports) else "unknown"
