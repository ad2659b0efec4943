"""The results of a round and of a run, as plain data that every source makes and every view shows."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from itertools import compress, islice
from typing import ClassVar

from toy_paxos.event import (
    DELIVERED,
    DUPLICATE,
    LOST,
    AcceptorCrash,
    Adoption,
    Attempt,
    Chosen,
    Crash,
    Delivery,
    Event,
    Fate,
    Learned,
    Quorum,
    Violation,
    Wants,
)
from toy_paxos.message import Accept, Message, Promise, Restart, Timeout
from toy_paxos.settings import Settings
from toy_paxos.story import Configuration, Story


class Outcome(StrEnum):
    """How a round ends.

    With direct calls, it is known which quorum was missed. Over a network a value can be chosen although no proposer
    learns it.
    """

    CONSENSUS = "consensus"
    NO_PROMISE_QUORUM = "no-promise-quorum"
    NO_ACCEPT_QUORUM = "no-accept-quorum"
    CHOSEN_NOT_LEARNED = "chosen-not-learned"
    NOT_CHOSEN = "not-chosen"
    ALL_CRASHED = "all-crashed"
    VIOLATED = "violated"


Tell = Callable[..., Sequence[Event]]
"""Returns the events of a round, given its wishes."""

NOT_BETWEEN_ACTORS = (Timeout, Restart)


@dataclass
class Facts:
    """A summary of the events of a round.

    ``chosen``, ``learned`` and ``violation`` are the first events of their kind. ``promises`` and ``accepts`` count the
    answers to the current attempt of a proposer, without second copies; an acceptor can have answered two copies of a
    request.
    """

    chosen: Chosen | None = None
    learned: Learned | None = None
    violation: Violation | None = None
    messages: int = 0
    promises: int = 0
    accepts: int = 0
    attempts: int = 0
    adoptions: int = 0
    lost: int = 0
    duplicates: int = 0
    promised: set[str] = field(default_factory=set)
    crashed: set[str] = field(default_factory=set)
    acceptor_crashes: int = 0

    @classmethod
    def of(cls, events: Iterable[Event]) -> "Facts":
        """Return the summary of some events."""
        facts = cls()
        for event in events:
            facts.add(event)
        return facts

    def add(self, event: Event) -> None:
        """Add one event."""
        # Most events are deliveries: test for them first.
        if isinstance(event, Delivery):
            self.count(event.message, event.fate)
            return
        match event:
            case Wants() | Attempt():
                self.attempts += 1
            case Learned():
                self.learned = self.learned or event
            case Chosen():
                self.chosen = event
            case Violation():
                self.violation = self.violation or event
            case Adoption():
                self.adoptions += 1
            case Crash():
                self.crashed.add(event.proposer)
            case AcceptorCrash():
                self.acceptor_crashes += 1

    def count(self, message: Message, fate: Fate) -> None:
        """Add one delivery."""
        if isinstance(message, NOT_BETWEEN_ACTORS):
            return
        self.messages += 1
        if fate is DELIVERED:
            if isinstance(message, Promise):
                self.promises += 1
                self.promised.add(message.recipient)
            elif isinstance(message, Accept):
                self.accepts += 1
        elif fate is LOST:
            self.lost += 1
        elif fate is DUPLICATE:
            self.duplicates += 1

    @property
    def is_duel(self) -> bool:
        """Whether more than one proposer got promises."""
        return len(self.promised) > 1


@dataclass
class Round:
    """A finished round.

    ``tell`` returns the events for the given wishes. ``no_replay`` is the reason if the round is known not to be
    replayable.
    """

    has_clock: ClassVar[bool] = True

    number: int
    configuration: Configuration
    wishes: Mapping[str, str]
    outcome: Outcome
    messages: int
    tell: Tell
    no_replay: str = field(default="", kw_only=True)

    @cached_property
    def events(self) -> Sequence[Event]:
        """What happened, in the order of time."""
        return self.tell(self.wishes)

    @property
    def story(self) -> Story:
        """The round as a story."""
        return Story(self.configuration, self.events, has_clock=self.has_clock)

    @cached_property
    def facts(self) -> Facts:
        """The summary of the events."""
        return Facts.of(self.events)

    @property
    def value(self) -> str | None:
        """The value that was chosen, or None."""
        return self.facts.chosen.value if self.facts.chosen else None

    @classmethod
    def told(cls, number: int, story: Story) -> "Round":
        """Return a round of which every event is known."""
        facts = Facts.of(story.events)
        return cls.over_network(number, story.configuration, story.wishes, facts, lambda _: story.events)

    @classmethod
    def over_network(
        cls, number: int, configuration: Configuration, wishes: Mapping[str, str], facts: Facts, tell: Tell
    ) -> "Round":
        """Return a round with these facts; a chosen value stays chosen, even if all proposers crash."""
        if facts.violation:
            outcome = Outcome.VIOLATED
        elif facts.learned:
            outcome = Outcome.CONSENSUS
        elif facts.chosen:
            outcome = Outcome.CHOSEN_NOT_LEARNED
        elif len(facts.crashed) == len(wishes):
            outcome = Outcome.ALL_CRASHED
        else:
            outcome = Outcome.NOT_CHOSEN
        finished = cls(number, configuration, wishes, outcome, facts.messages, tell)
        finished.facts = facts
        return finished


@dataclass
class DirectRound(Round):
    """A round of one proposer and direct calls.

    Two rounds in which the same requests fail differ only in their numbers and wishes. So the facts are known without
    the events. Messages are delivered oldest first: PREPARE to each acceptor, then their answers, then PROPOSE or
    TERMINATE to each, then the answers to PROPOSE. ``failures`` says for each acceptor whether each of its requests
    failed. ``tell`` returns the events for the given failures and wishes.
    """

    has_clock: ClassVar[bool] = False

    failures: Mapping[str, Sequence[bool]]

    @cached_property
    def events(self) -> Sequence[Event]:
        """What happened, in the order of time."""
        return self.tell(self.failures, self.wishes)

    @property
    def promised(self) -> list[bool]:
        """For each acceptor, whether it promised."""
        return [not failed[0] for failed in self.failures.values()]

    @property
    def accepted(self) -> list[bool]:
        """For each acceptor, whether it accepted."""
        return [len(failed) > 1 and not (failed[0] or failed[1]) for failed in self.failures.values()]

    @property
    def proposed(self) -> bool:
        """Whether the proposer got a quorum of promises."""
        return self.outcome is not Outcome.NO_PROMISE_QUORUM

    @property
    def value(self) -> str | None:
        """The value that was chosen, or None."""
        (wish,) = self.wishes.values()
        return wish if self.outcome is Outcome.CONSENSUS else None

    def follows(self) -> tuple[Quorum | None, Chosen | None, Learned | None]:
        """Return the events that follow from the deliveries, each at the last answer that completes its quorum."""
        number = len(self.failures)
        (proposer,), (wish,) = self.wishes.keys(), self.wishes.values()
        quorum, chosen, learned = None, None, None
        if self.proposed:
            place, names = first_of(self.configuration.promise_quorum, self.failures, self.promised)
            quorum = Quorum(number + place, proposer, 1, names)
        if self.outcome is Outcome.CONSENSUS:
            place, names = first_of(self.configuration.accept_quorum, self.failures, self.accepted)
            chosen = Chosen(2 * number + place, 1, wish, names)
            learned = Learned(3 * number + place, proposer, wish)
        return quorum, chosen, learned

    @cached_property
    def facts(self) -> Facts:
        """The summary of the events."""
        _, chosen, learned = self.follows()
        promises = sum(self.promised)
        return Facts(
            chosen=chosen,
            learned=learned,
            messages=self.messages,
            promises=promises,
            accepts=sum(self.accepted),
            attempts=1,
            promised=set(self.wishes) if promises else set(),
        )


def first_of(number: int, names: Iterable[str], flags: Iterable[bool]) -> tuple[int, tuple[str, ...]]:
    """Return the place, counted from 1, of the last of the first ``number`` flagged names; and these names."""
    found = list(islice(compress(enumerate(names, start=1), flags), number))
    return found[-1][0], tuple([name for _, name in found])


def direct_outcome(learned: bool, proposed: bool) -> Outcome:
    """Return how direct calls end: with consensus, or without one of the two quorums."""
    if learned:
        return Outcome.CONSENSUS
    return Outcome.NO_ACCEPT_QUORUM if proposed else Outcome.NO_PROMISE_QUORUM


class Times(Counter[int]):
    """Counts of times, rounded to milliseconds; memory does not grow with the number of rounds."""

    def percentile(self, percent: int) -> int | None:
        """Return the smallest time that at least ``percent`` percent of the times do not exceed; None without any."""
        seen, total = 0, self.total()
        for time, number in sorted(self.items()):
            seen += number
            if 100 * seen >= percent * total:
                return time
        return None


@dataclass
class Statistics:
    """The running totals of a run, whose first round has the number ``first``.

    ``elapsed_s`` is its wall time in seconds. The fields from ``lost`` on count nothing without a network.
    ``no_replay`` is the reason if the run is known not to be replayable.
    """

    settings: Settings
    first: int = 1
    rounds: int = 0
    outcomes: Counter[Outcome] = field(default_factory=Counter)
    messages: int = 0
    elapsed_s: float = 0.0
    no_replay: str = ""
    lost: int = 0
    duplicates: int = 0
    acceptor_crashes: int = 0
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
        if not self.settings.network:
            return
        facts = finished.facts
        self.lost += facts.lost
        self.duplicates += facts.duplicates
        self.acceptor_crashes += facts.acceptor_crashes
        self.duels += facts.is_duel
        self.adoptions += facts.adoptions
        self.attempts += facts.attempts
        self.attempts_max = max(self.attempts_max, facts.attempts)
        if facts.chosen:
            self.until_chosen[round(facts.chosen.time)] += 1
        if facts.learned:
            self.until_learned[round(facts.learned.time)] += 1

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
        """The mean number of attempts of all proposers together in a round, or None before the first round."""
        return self.attempts / self.rounds if self.rounds else None

    @property
    def replay_command(self) -> str:
        """The command that shows the same rounds again."""
        if self.first > 1:
            return f"{self.settings.command} --round {self.first}"
        return f"{self.settings.command} --rounds {self.rounds}" if self.rounds else self.settings.command
