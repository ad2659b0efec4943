"""What came of a round and of a run over the simulated network: plain data for whoever displays it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from toy_paxos.network import Adoption, Attempt, Crash, Delivery, Event, Fate, Learned
from toy_paxos.result import Totals
from toy_paxos.safety import Chosen, Violation


class NetworkOutcome(StrEnum):
    """How a round can end: somebody learned a value; or nobody did, for one of three reasons; or not safely."""

    CONSENSUS = "consensus"
    CHOSEN_NOT_LEARNED = "chosen-not-learned"
    NOT_CHOSEN = "not-chosen"
    ALL_CRASHED = "all-crashed"
    VIOLATED = "violated"


@dataclass
class NetworkRound:
    """One finished round: who wanted what, and every event in the order of time.

    ``value`` is what was chosen, if anything was, ``learned`` the first event of its kind.
    """

    number: int
    proposals: Mapping[str, str]
    events: Sequence[Event]
    chosen: Chosen | None = None
    learned: Learned | None = None
    violation: Violation | None = None
    messages: int = 0
    promises: int = 0
    accepts: int = 0
    fates: Counter[Fate] = field(default_factory=Counter)
    promised: set[str] = field(default_factory=set)
    crashed: set[str] = field(default_factory=set)
    attempts: int = 0
    adoptions: int = 0

    def __post_init__(self) -> None:
        self.attempts = len(self.proposals)
        for event in self.events:
            match event:
                case Delivery():
                    self._count(event)
                case Learned():
                    self.learned = self.learned or event
                case Chosen():
                    self.chosen = event
                case Violation():
                    self.violation = event
                case Attempt():
                    self.attempts += 1
                case Adoption():
                    self.adoptions += 1
                case Crash():
                    self.crashed.add(event.proposer)

    def _count(self, delivery: Delivery) -> None:
        self.messages += 1
        self.fates[delivery.fate] += 1
        if delivery.fate is Fate.DELIVERED:
            if delivery.message.type == "PROMISE":
                self.promises += 1
                self.promised.add(delivery.message.recipient)
            elif delivery.message.type == "ACCEPT":
                self.accepts += 1

    @property
    def value(self) -> str | None:
        """The value that was chosen, or None."""
        return self.chosen.value if self.chosen else None

    @property
    def outcome(self) -> NetworkOutcome:
        """What the world knows at the end; what was chosen stays chosen, whoever crashed."""
        if self.violation:
            return NetworkOutcome.VIOLATED
        if self.learned:
            return NetworkOutcome.CONSENSUS
        if self.chosen:
            return NetworkOutcome.CHOSEN_NOT_LEARNED
        if len(self.crashed) == len(self.proposals):
            return NetworkOutcome.ALL_CRASHED
        return NetworkOutcome.NOT_CHOSEN

    @property
    def is_duel(self) -> bool:
        """Whether more than one proposer got promises."""
        return len(self.promised) > 1


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
class NetworkStatistics(Totals[NetworkRound]):
    """The totals of a run over the network."""

    lost: int = 0
    duplicates: int = 0
    duels: int = 0
    adoptions: int = 0
    attempts: int = 0
    attempts_max: int = 0
    until_chosen: Times = field(default_factory=Times)
    until_learned: Times = field(default_factory=Times)

    def add(self, finished: NetworkRound) -> None:
        """Count one more round."""
        self.count(finished.outcome, finished.messages)
        self.lost += finished.fates[Fate.LOST]
        self.duplicates += finished.fates[Fate.DUPLICATE]
        self.duels += finished.is_duel
        self.adoptions += finished.adoptions
        self.attempts += finished.attempts
        self.attempts_max = max(self.attempts_max, finished.attempts)
        if finished.chosen:
            self.until_chosen.add(finished.chosen.t_ms)
        if finished.learned:
            self.until_learned.add(finished.learned.t_ms)
        if finished.violation:
            self.violated = True

    @property
    def attempts_mean(self) -> float | None:
        """Attempts a round, of all proposers together, or None before the first round."""
        return self.attempts / self.rounds if self.rounds else None
