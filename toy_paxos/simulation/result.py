"""What came of a round and of a run: plain data for whoever shows it."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

from toy_paxos.event import (
    Adoption,
    Attempt,
    Chosen,
    Crash,
    Delivery,
    Event,
    Fate,
    Learned,
    Violation,
    Wants,
)
from toy_paxos.message import Accept, Promise, Propose, Restart, Timeout
from toy_paxos.simulation.settings import Settings


class Outcome(StrEnum):
    """How a round can end.

    With direct calls, the quorum that was missed is known. Over a network a value may be chosen though nobody has
    learned it.
    """

    CONSENSUS = "consensus"
    NO_PROMISE_QUORUM = "no-promise-quorum"
    NO_ACCEPT_QUORUM = "no-accept-quorum"
    CHOSEN_NOT_LEARNED = "chosen-not-learned"
    NOT_CHOSEN = "not-chosen"
    ALL_CRASHED = "all-crashed"
    VIOLATED = "violated"


@dataclass
class Facts:
    """What the events of a round add up to.

    ``chosen``, ``learned`` and ``violation`` are the first events of their kind. ``promises`` and ``accepts`` count the
    answers that arrived in time, without second copies; an acceptor that was asked twice may have answered twice.
    """

    chosen: Chosen | None = None
    learned: Learned | None = None
    violation: Violation | None = None
    messages: int = 0
    proposed: bool = False
    promises: int = 0
    accepts: int = 0
    attempts: int = 0
    adoptions: int = 0
    lost: int = 0
    duplicates: int = 0
    promised: set[str] = field(default_factory=set)
    crashed: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, events: Iterable[Event]) -> "Facts":
        """Add events up."""
        facts = cls()
        for event in events:
            # Most are deliveries, and a match statement would ask for all the others first or last.
            if isinstance(event, Delivery):
                facts._count(event)
                continue
            match event:
                case Wants() | Attempt():
                    facts.attempts += 1
                case Learned():
                    facts.learned = facts.learned or event
                case Chosen():
                    facts.chosen = event
                case Violation():
                    facts.violation = facts.violation or event
                case Adoption():
                    facts.adoptions += 1
                case Crash():
                    facts.crashed.add(event.proposer)
        return facts

    def _count(self, delivery: Delivery) -> None:
        message = delivery.message
        if isinstance(message, (Timeout, Restart)):
            return
        self.messages += 1
        if delivery.fate is Fate.DELIVERED:
            if isinstance(message, Promise):
                self.promises += 1
                self.promised.add(message.recipient)
            elif isinstance(message, Accept):
                self.accepts += 1
            elif isinstance(message, Propose):
                self.proposed = True
        elif delivery.fate is Fate.LOST:
            self.lost += 1
        elif delivery.fate is Fate.DUPLICATE:
            self.duplicates += 1

    @property
    def value(self) -> str | None:
        """The value that was chosen, or None."""
        return self.chosen.value if self.chosen else None

    @property
    def is_duel(self) -> bool:
        """Whether more than one proposer got promises."""
        return len(self.promised) > 1


@dataclass
class Round:
    """One finished round: who wanted what, how it ended, how many messages there were, and a way to tell it.

    With direct calls ``failures`` says which requests to each acceptor failed: nothing else but the number and the
    wish makes a difference between two such rounds.
    """

    number: int
    wishes: Mapping[str, str]
    outcome: Outcome
    messages: int
    tell: Callable[[Mapping[str, str]], Sequence[Event]]
    failures: Sequence[Sequence[bool]] | None = None

    @cached_property
    def events(self) -> Sequence[Event]:
        """What happened, in the order of time."""
        return self.tell(self.wishes)

    @cached_property
    def facts(self) -> Facts:
        """What the events add up to."""
        return Facts.of(self.events)

    @classmethod
    def told(cls, number: int, wishes: Mapping[str, str], events: Sequence[Event], direct: bool) -> "Round":
        """A round of which every event is known; what was chosen stays chosen, whoever crashed."""
        facts = Facts.of(events)
        if facts.violation:
            outcome = Outcome.VIOLATED
        elif direct:
            outcome = direct_outcome(facts.learned is not None, facts.proposed)
        elif facts.learned:
            outcome = Outcome.CONSENSUS
        elif facts.chosen:
            outcome = Outcome.CHOSEN_NOT_LEARNED
        elif len(facts.crashed) == len(wishes):
            outcome = Outcome.ALL_CRASHED
        else:
            outcome = Outcome.NOT_CHOSEN
        finished = cls(number, wishes, outcome, facts.messages, lambda _: events)
        finished.facts = facts
        return finished


def direct_outcome(learned: bool, proposed: bool) -> Outcome:
    """How direct calls end: with consensus, or with one of two quorums missed."""
    if learned:
        return Outcome.CONSENSUS
    return Outcome.NO_ACCEPT_QUORUM if proposed else Outcome.NO_PROMISE_QUORUM


class Times:
    """Simulated times, to the millisecond: how many there were of each, so that memory stays flat."""

    def __init__(self) -> None:
        self.counts: Counter[int] = Counter()

    def add(self, t_ms: float) -> None:
        """Count one more."""
        self.counts[round(t_ms)] += 1

    def percentile(self, percent: int) -> int | None:
        """The smallest time that at least so many percent do not exceed; None if there were none."""
        seen, total = 0, self.counts.total()
        for time, number in sorted(self.counts.items()):
            seen += number
            if 100 * seen >= percent * total:
                return time
        return None


@dataclass
class Statistics:
    """The running totals of a run, whose first round has the number ``first``.

    ``elapsed_s`` is its wall time in seconds. What the network did is counted only if there is one.
    """

    settings: Settings
    first: int = 1
    rounds: int = 0
    outcomes: Counter[Outcome] = field(default_factory=Counter)
    messages: int = 0
    elapsed_s: float = 0.0
    lost: int = 0
    duplicates: int = 0
    duels: int = 0
    adoptions: int = 0
    attempts: int = 0
    attempts_max: int = 0
    until_chosen: Times = field(default_factory=Times)
    until_learned: Times = field(default_factory=Times)

    def add(self, finished: Round) -> None:
        """Count one more round."""
        self.rounds += 1
        self.outcomes[finished.outcome] += 1
        self.messages += finished.messages
        if self.settings.network:
            self._add_network(finished.facts)

    def _add_network(self, facts: Facts) -> None:
        self.lost += facts.lost
        self.duplicates += facts.duplicates
        self.duels += facts.is_duel
        self.adoptions += facts.adoptions
        self.attempts += facts.attempts
        self.attempts_max = max(self.attempts_max, facts.attempts)
        if facts.chosen:
            self.until_chosen.add(facts.chosen.time)
        if facts.learned:
            self.until_learned.add(facts.learned.time)

    @property
    def violated(self) -> bool:
        """Whether safety was lost in some round."""
        return self.outcomes[Outcome.VIOLATED] > 0

    @property
    def consensus_rate(self) -> float | None:
        """The observed share of rounds with consensus, or None before the first round."""
        return self.outcomes[Outcome.CONSENSUS] / self.rounds if self.rounds else None

    @property
    def attempts_mean(self) -> float | None:
        """Attempts a round, of all proposers together, or None before the first round."""
        return self.attempts / self.rounds if self.rounds else None

    @property
    def replay_command(self) -> str:
        """The command that shows the same rounds again."""
        if self.first > 1:
            return f"{self.settings.command} --round {self.first}"
        return f"{self.settings.command} --rounds {self.rounds}" if self.rounds else self.settings.command
