"""What came of a round and of a run, and what should have: plain data for whoever displays it.

The law: with failure probability p, an acceptor accepts only if it fails neither of its two requests,
so with probability q = (1-p)^2. A proposer with one attempt succeeds if a majority of N acceptors
accepts. So P(consensus) = P(Binomial(N, q) >= majority(N)).
"""

import math
from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

from toy_paxos.message import Message
from toy_paxos.proposer import Proposer, majority


class Outcome(StrEnum):
    """How a round can end for its proposer."""

    CONSENSUS = "consensus"
    NO_PROMISE_QUORUM = "no-promise-quorum"
    NO_ACCEPT_QUORUM = "no-accept-quorum"


@dataclass(frozen=True)
class Settings:
    """What determines every round of a run, and how many rounds succeed in the long run."""

    num_acceptors: int
    acceptor_failure_prob: float
    seed: int

    @property
    def both_phases_prob(self) -> float:
        """The probability q that an acceptor fails neither of its two requests."""
        return (1 - self.acceptor_failure_prob) ** 2

    @property
    def expected_consensus_rate(self) -> float:
        """P(Binomial(N, q) >= majority(N))."""
        n, q = self.num_acceptors, self.both_phases_prob
        if q in (0, 1):
            return q
        # In logarithms, because the binomial coefficients of 10,000 do not fit into a float.
        log_factorial = [math.lgamma(k + 1) for k in range(n + 1)]
        return math.fsum(
            math.exp(
                log_factorial[n]
                - log_factorial[k]
                - log_factorial[n - k]
                + k * math.log(q)
                + (n - k) * math.log1p(-q)
            )
            for k in range(majority(n), n + 1)
        )


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
class Statistics:
    """The running totals of a run; ``elapsed_s`` is its wall time in seconds."""

    settings: Settings
    first: int = 1
    rounds: int = 0
    outcomes: Counter[Outcome] = field(default_factory=Counter)
    messages: int = 0
    elapsed_s: float = 0.0

    def add(self, finished: Round) -> None:
        """Count one more round."""
        if not self.rounds:
            self.first = finished.number
        self.rounds += 1
        self.outcomes[finished.outcome] += 1
        self.messages += len(finished.transcript)

    @property
    def consensus_rate(self) -> float | None:
        """The observed share of rounds with consensus, or None before the first round."""
        return self.outcomes[Outcome.CONSENSUS] / self.rounds if self.rounds else None
