"""A run with one line a round: which acceptors promised and accepted, and the rate of consensus so far."""

from collections.abc import Sequence
from functools import lru_cache

from toy_paxos.event import Chosen, Learned, plural
from toy_paxos.round import DirectRound, Outcome, Round
from toy_paxos.settings import Settings
from toy_paxos.view.output import can_say
from toy_paxos.view.run_words import Words, outcome_style
from toy_paxos.view.words import Line, line

# Above this number of acceptors there is only a count, and no tick for each.
TICKS = 20

BOXES, ASCII = ("✓", "✗", "·"), ("v", "x", ".")


class Brief(Words):
    """The words of a run with one line for each round."""

    def __init__(self, settings: Settings, change: str = "") -> None:
        super().__init__(settings, change)
        self.ticks = BOXES if can_say("".join(BOXES)) else ASCII
        self.rounds = self.agreed = 0

    def start(self) -> list[Line]:
        """Return the first lines; with direct calls, also the expected rate of consensus."""
        rate = "" if self.settings.network else f", consensus expected in {self.settings.expected_consensus_rate:.2%}"
        first, *others = super().start()
        return [first.with_suffix("heading", rate), *others]

    def round(self, finished: Round) -> list[Line]:
        """Return the line of a round, and how to replay it if safety is lost."""
        self.rounds += 1
        is_agreed = finished.outcome is Outcome.CONSENSUS
        self.agreed += is_agreed
        middle = self.network(finished) if self.settings.network else self.phases(finished)
        words = line(
            ("heading", f"Round {finished.number:<5}"),
            ("", f"{middle}  {self.agreed / self.rounds:6.1%}  "),
            (outcome_style(finished), self.outcome(finished) if is_agreed else self.label(finished.outcome)),
        )
        return [words, *self.replay_lines(finished)]

    def phases(self, finished: Round) -> str:
        """Return which acceptors promised, and which accepted."""
        assert isinstance(finished, DirectRound)
        return phases_of(tuple(finished.promised), tuple(finished.accepted), finished.proposed, self.ticks)

    def network(self, finished: Round) -> str:
        """Return the number of attempts, and when a value was chosen and learned."""
        facts = finished.facts
        return (
            f"{plural(facts.attempts, 'attempt'):<11} chosen {milliseconds(facts.chosen)}  "
            f"learned {milliseconds(facts.learned)} ms"
        )


@lru_cache(maxsize=2**10)
def phases_of(promised: Sequence[bool], accepted: Sequence[bool], proposed: bool, ticks: Sequence[str]) -> str:
    """Return a tick for each acceptor in each phase: yes, no, or not asked, for an acceptor that has not promised."""
    yes, no, absent = ticks
    first = [yes if has_promised else no for has_promised in promised]
    second = [
        (yes if has_accepted else no) if proposed and has_promised else absent
        for has_promised, has_accepted in zip(promised, accepted, strict=True)
    ]
    return f"promised {counted(first, yes)}  accepted {counted(second, yes)}"


def counted(ticks: Sequence[str], yes: str) -> str:
    """Return the ticks, unless they are too many, and how many of them are a yes."""
    shown = "".join(ticks) + " " if len(ticks) <= TICKS else ""
    return f"{shown}{ticks.count(yes):<{len(str(len(ticks)))}}"


def milliseconds(event: Chosen | Learned | None) -> str:
    """Return when an event happened, or a dash if it did not."""
    return f"{event.time:6.1f}" if event else f"{'-':>6}"
