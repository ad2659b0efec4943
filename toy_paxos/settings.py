"""What determines a run, and the law that a run under the simplest of settings obeys.

The law: with failure probability p, an acceptor accepts only if it fails neither of its two requests,
so with probability q = (1-p)^2. One proposer with one attempt succeeds if a majority of N acceptors
accepts. So P(consensus) = P(Binomial(N, q) >= majority(N)).
"""

import math
import os
import shlex
from dataclasses import dataclass, fields
from typing import Literal

from toy_paxos.proposer import majority


@dataclass(frozen=True)
class Network:
    """What can go wrong between the actors of one round; times are in simulated milliseconds."""

    num_proposers: int = 1
    failure_mode: Literal["reply", "silent"] = "reply"
    message_loss_prob: float = 0.0
    message_duplication_prob: float = 0.0
    proposer_failure_prob: float = 0.0
    timeout: float = 30.0
    backoff: float = 30.0
    max_attempts: int = 10


@dataclass(frozen=True)
class Settings:
    """What determines every round of a run, down to the last byte; without a network, calls are direct."""

    num_acceptors: int
    acceptor_failure_prob: float
    seed: int
    values: tuple[str, ...] = ()
    network: Network | None = None

    @property
    def both_phases_prob(self) -> float:
        """The probability q that an acceptor fails neither of its two requests."""
        return (1 - self.acceptor_failure_prob) ** 2

    @property
    def expected_consensus_rate(self) -> float:
        """P(Binomial(N, q) >= majority(N)): the law, for direct calls."""
        n, q = self.num_acceptors, self.both_phases_prob
        if q in (0, 1):
            return q
        # In logarithms, because the binomial coefficients of 10,000 do not fit into a float.
        log_factorial = [math.lgamma(k + 1) for k in range(n + 1)]
        terms = [
            math.exp(
                log_factorial[n]
                - log_factorial[k]
                - log_factorial[n - k]
                + k * math.log(q)
                + (n - k) * math.log1p(-q)
            )
            for k in range(n + 1)
        ]
        failure, success = math.fsum(terms[: majority(n)]), math.fsum(terms[majority(n) :])
        # The smaller sum has the smaller error.
        return success if success < failure else 1 - failure

    @property
    def command(self) -> str:
        """The command line that runs with these settings, for a shell."""
        words = [
            "toy-paxos",
            f"--num-acceptors {self.num_acceptors}",
            f"--acceptor-failure-prob {self.acceptor_failure_prob!r}",
        ]
        words += [f"--value {quoted(value)}" for value in self.values]
        for field in fields(self.network) if self.network else ():
            option = getattr(self.network, field.name)
            # The number of proposers is always said: it takes one of these options to simulate a network.
            if option != field.default or field.name == "num_proposers":
                words.append(f"--{field.name.replace('_', '-')} {option}")
        return " ".join([*words, f"--seed {self.seed}"])


def quoted(value: str) -> str:
    """A value as a shell takes it; what cannot be printed is written in the way of ``$'...'``."""
    if value.isprintable():
        return shlex.quote(value)
    escaped = "".join(
        chr(byte) if 32 <= byte < 127 and byte not in b"'\\" else f"\\x{byte:02x}" for byte in os.fsencode(value)
    )
    return f"$'{escaped}'"
