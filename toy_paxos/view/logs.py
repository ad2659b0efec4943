"""Show what logs of processes say about the rounds of a run, and what is unknown: as lines or as JSON Lines."""

from collections import Counter
from collections.abc import Callable, Sequence

from toy_paxos import __version__
from toy_paxos.event import Chosen, Departure, Event, Learned, Violation, plural
from toy_paxos.event_json import event_line, json_line
from toy_paxos.rules import cited
from toy_paxos.story import Configuration, Story
from toy_paxos.view.json_lines import head
from toy_paxos.view.output import shown
from toy_paxos.view.run_words import share_line
from toy_paxos.view.words import Line, line, printable, sizes_words, tame, wishes_lines

KNOWN = {
    "known to be chosen": "Chosen",
    "known to be learned": "Learned",
    "rule broken": "Departure",
    "safety violated": "Violation",
}


class InLines:
    """The contents of logs as lines.

    If ``is_told``, a round is shown with its story. ``gap`` says what is missing in its logs, if anything. ``counts``
    has the number of rounds, and of rounds with each kind of event; ``unknown`` says what is not known.
    """

    def __init__(self, draw: Callable[[Story], Sequence[Line]]) -> None:
        self.draw = draw
        self.broken_rules: set[str] = set()

    def start(self, run: int, configuration: Configuration, num_logs: int) -> str:
        """Return the first line, from which play reads the sizes of the cluster."""
        sizes = f"{sizes_words(configuration.sizes)}, run {run} by {plural(num_logs, 'log')}"
        return shown([line(("heading", f"toy-paxos {__version__}: {sizes}"))])

    def round(self, run: int, number: int, story: Story, gap: str | None, is_told: bool) -> str:
        """Return the outcome of a round, after its story if it is told."""
        words = what_is_known(story.events)
        is_bad = any(isinstance(event, (Violation, Departure)) for event in story.events)
        self.broken_rules.update(event.rule for event in story.events if isinstance(event, Departure))
        style = "bad" if is_bad else "good" if words else "routine"
        told = [line(), *wishes_lines(f"Round {number}: ", story.wishes), *self.draw(story), line()]
        outcome = "; ".join(words) or "nothing is known to be chosen"
        return shown([*told * is_told, line((style, f"round {number}: {outcome}"))])

    def summary(self, run: int, counts: Counter[str], unknown: Sequence[str]) -> str:
        """Return the totals, and what is not known."""
        return shown(
            [
                line(),
                line(("heading", f"--- {plural(counts['round'], 'round')} of run {run} ---")),
                *(line(("", share_line(label, counts[kind], counts["round"]))) for label, kind in KNOWN.items()),
                *(line(("", rule)) for rule in cited(self.broken_rules)),
                *(line(("notable", f"not all is known: {tame(words)}")) for words in unknown),
            ]
        )


class AsJson:
    """The contents of logs as JSON Lines, from the same arguments."""

    def start(self, run: int, configuration: Configuration, num_logs: int) -> str:
        """Return the ``start`` event."""
        return head("start", run=run, **configuration.sizes)

    def round(self, run: int, number: int, story: Story, gap: str | None, is_told: bool) -> str:
        """Return the events of a round, and the ``round`` event."""
        events = "".join([event_line(event, f'"run":{run},"round":{number}') for event in story.events])
        value = next((event.value for event in story.events if isinstance(event, Chosen)), None)
        return events + json_line(event="round", run=run, round=number, value=value, gap=gap)

    def summary(self, run: int, counts: Counter[str], unknown: Sequence[str]) -> str:
        """Return the ``summary`` event."""
        known = {kind.lower(): counts[kind] for kind in KNOWN.values()}
        return json_line(event="summary", run=run, rounds=counts["round"], **known, unknown=unknown)


def what_is_known(events: Sequence[Event]) -> list[str]:
    """Return the outcome of a round in words."""
    words = [f"VIOLATED, {printable(event.words)}" for event in events if isinstance(event, Violation)]
    departures = [event for event in events if isinstance(event, Departure)]
    words += [f"{event.actor} breaks {event.rule}: {printable(event.words)}" for event in departures]
    chosen = [f"chosen under {event.id}: {printable(event.value)}" for event in events if isinstance(event, Chosen)]
    learners: dict[str, list[str]] = {}
    for event in events:
        if isinstance(event, Learned):
            learners.setdefault(event.value, []).append(event.proposer)
    learned = [f"{', '.join(sorted(names))} learned {printable(value)}" for value, names in learners.items()]
    return words + chosen + learned
