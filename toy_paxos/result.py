"""What came of a round and of a run with direct calls: plain data for whoever displays it."""

from abc import ABC, abstractmethod
from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Generic, TypeVar

from toy_paxos.message import Message
from toy_paxos.proposer import Proposer
from toy_paxos.settings import Settings

R = TypeVar("R")


class Outcome(StrEnum):
    """How a round can end for its proposer."""

    CONSENSUS = "consensus"
    NO_PROMISE_QUORUM = "no-promise-quorum"
    NO_ACCEPT_QUORUM = "no-accept-quorum"


@dataclass
class Round:
    """One finished round: its proposer, and every message in the order of delivery."""

    number: int
    proposer: Proposer
    transcript: list[Message]

    @property
    def outcome(self) -> Outcome:
        """What the proposer knows at the end."""
        if self.proposer.learned is not None:
            return Outcome.CONSENSUS
        return Outcome.NO_ACCEPT_QUORUM if self.proposer.proposal else Outcome.NO_PROMISE_QUORUM

    @cached_property
    def types(self) -> list[str]:
        """The type of each message, in the order of delivery."""
        return [message.type for message in self.transcript]

    @property
    def promises(self) -> int:
        """How many acceptors promised, whether or not the proposer still waited for them."""
        return self.types.count("PROMISE")

    @property
    def accepts(self) -> int:
        """How many acceptors accepted, whether or not the proposer still waited for them."""
        return self.types.count("ACCEPT")


@dataclass
class Totals(ABC, Generic[R]):
    """The running totals of a run of any kind of round, the first of which has the number ``first``.

    ``elapsed_s`` is its wall time in seconds.
    """

    settings: Settings
    first: int = 1
    rounds: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    messages: int = 0
    violated: bool = False
    elapsed_s: float = 0.0

    @abstractmethod
    def add(self, finished: R) -> None:
        """Count one more round."""

    def count(self, outcome: str, messages: int) -> None:
        """Count what every kind of round has."""
        self.rounds += 1
        self.outcomes[outcome] += 1
        self.messages += messages

    @property
    def consensus_rate(self) -> float | None:
        """The observed share of rounds with consensus, or None before the first round."""
        return self.outcomes[Outcome.CONSENSUS] / self.rounds if self.rounds else None

    @property
    def replay_command(self) -> str:
        """The command that shows the same rounds again."""
        if self.first > 1:
            return f"{self.settings.command} --round {self.first}"
        return f"{self.settings.command} --rounds {self.rounds}" if self.rounds else self.settings.command


class Statistics(Totals[Round]):
    """The totals of a run with direct calls."""

    def add(self, finished: Round) -> None:
        """Count one more round."""
        self.count(finished.outcome, len(finished.transcript))
