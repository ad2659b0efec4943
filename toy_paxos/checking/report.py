"""The result of a search, and the verdict that follows from it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from toy_paxos.checking.alone import Judgement
from toy_paxos.checking.model import Model
from toy_paxos.checking.progress import LOST, NOT_KNOWN
from toy_paxos.event import Departure
from toy_paxos.message import Message
from toy_paxos.rules import cited
from toy_paxos.safety import Property
from toy_paxos.story import Story


@dataclass(frozen=True, repr=False)
class Report:
    """The result of a search.

    ``violation`` says in words how the property ``lost`` is violated at the end of ``execution``, the messages
    delivered until then; ``story`` tells these deliveries. ``complete`` says whether all states were explored; if so,
    ``never`` has the values that are wanted but chosen in no execution. If a changed rule caused the violation,
    ``correct_story`` is what correct actors would do with the same deliveries. An execution found ``by_chance``
    (:mod:`toy_paxos.checking.dice`) need not be a shortest one, because the search did not get that far.

    ``progress`` says whether progress is kept in all visited states (:mod:`toy_paxos.checking.progress`), and
    ``progress_reason`` why not. If it is lost and no property is violated, ``execution`` and ``story`` show that, with
    a quiet run after ``quiet_from`` deliveries. ``because`` says which message is missing if no value is chosen, or
    which requests acceptors refuse in the quiet run. ``was_stopped`` says whether the caller ended the search. If the
    ``judgement`` is that each actor keeps the rules, the model is safe even if the search is not complete.
    """

    model: Model
    states: int
    transitions: int
    depth: int
    elapsed_s: float
    complete: bool
    violation: str | None
    lost: Property | None
    execution: Sequence[Message]
    story: Story
    never: Sequence[str]
    correct_story: Story | None = None
    progress: str = NOT_KNOWN
    progress_reason: str = ""
    quiet_from: int | None = None
    because: str = ""
    by_chance: bool = False
    was_stopped: bool = False
    judgement: Judgement | None = None

    def __repr__(self) -> str:
        sizes = f"num_acceptors={self.model.num_acceptors} num_proposers={self.model.num_proposers}"
        return f"<Report {sizes} states={self.states}: {self.violation or self.verdict!r}>"

    @property
    def safe(self) -> bool:
        """Whether the verdict is "safe"."""
        return self.verdict == "safe"

    @property
    def verdict(self) -> str:
        """The verdict in one word."""
        # A search that was stopped has not tested whether the actors can be checked.
        kept = self.judgement is not None and self.judgement.kept and not self.was_stopped
        return verdict_of(self.violation, self.never, self.model.values, self.progress, self.complete or kept)

    @property
    def found(self) -> dict[str, Any]:
        """The results, by their keys in JSON."""
        return {
            "verdict": self.verdict,
            "property": self.lost and self.lost.name,
            "violation": self.violation,
            "never": self.never,
            "states": self.states,
            "transitions": self.transitions,
            "depth": len(self.execution) if self.violation else self.depth,
            "elapsed_s": self.elapsed_s,
            "complete": self.complete,
            "was_stopped": self.was_stopped,
            "by_chance": self.by_chance,
            "names_matter": self.model.names_matter or None,
            "progress": self.progress,
            "progress_reason": self.progress_reason or None,
            "quiet_from": self.quiet_from,
            **rules_found(self, self.judgement),
        }


def rules_found(report: Report, judgement: Judgement | None) -> dict[str, Any]:
    """Return which rules are kept and which are broken, in a report and a judgement, by their keys in JSON."""
    found: dict[str, Any] = {"first_wrong_delivery": None, "departure": None}
    found |= judgement.found if judgement else {"rules": None, "reason": None}
    if report.because and not report.violation:
        found["reason"] = report.because
    departures = [event for event in report.story.events if isinstance(event, Departure)]
    if first := next(iter(departures), None):
        at = f"at delivery {first.time:.0f}" if first.time else "at the start"
        found["first_wrong_delivery"] = round(first.time)
        found["reason"] = f"{at}, {first.actor} breaks {first.rule}: {first.words}"
        found["departure"] = {"actor": first.actor, "rule": first.rule, "words": first.words}
    return found | {"broken_rules": cited([found["rules"], *(event.rule for event in departures)])}


def verdict_of(
    violation: str | None, never: Sequence[str], values: Iterable[str], progress: str, complete: bool
) -> str:
    """Return in one word what follows from one search or from many, of whose ``values`` some are ``never`` chosen."""
    if violation:
        return "violated"
    if progress == LOST and {*never} != {*values}:
        # The story of how a proposer gets stuck says more than that its value is not chosen.
        return "stuck"
    if never:
        return "not-alive"
    return "safe" if complete else "unknown"
