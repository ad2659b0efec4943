"""The settings that determine a run, and the law of the success rate with direct calls.

The law: with failure probability p, an acceptor promises with probability 1-p, and accepts only if it fails neither of
its two requests, so with probability q = (1-p)^2. One proposer with one attempt succeeds if at least Q1 of N acceptors
promise and at least Q2 of those accept. If Q1 <= Q2, as with majorities, the second implies the first:
P(consensus) = P(Binomial(N, q) >= Q2).
"""

import dataclasses
import math
import os
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import cached_property, partial
from itertools import accumulate
from typing import Any, Literal

from toy_paxos.acceptor import Acceptor
from toy_paxos.actor import Actor, ProposingActor
from toy_paxos.event import plural
from toy_paxos.proposer import Proposer, Quorums
from toy_paxos.story import Configuration

EMOJI = [chr(code) for code in range(0x1F601, 0x1F64F + 1)]


def option(
    default: Any, metavar: str, help: str, low: float = 0, high: float = 0, told: Callable[[Any], str] | None = None
) -> Any:
    """Return a field that is also an option, with its range; ``told`` words it for the first lines of a run."""
    return dataclasses.field(
        default=default, metadata={"metavar": metavar, "help": help, "range": (low, high), "told": told}
    )


def probability(that: str, told: str) -> Any:
    """Return a field for the probability of a failure, by default 0."""
    return option(0.0, "P", f"Probability {that}.", 0, 1, f"{told} {{!r}}".format)


@dataclass(frozen=True)
class Network:
    """The network, and how actors fail and retry; times are in simulated milliseconds.

    Each field is also an option of the command line, which follows from its declaration here.
    """

    num_proposers: int = option(1, "K", "Number of proposers.", 1, len(EMOJI))
    failure_mode: Literal["reply", "silent"] = option(
        "reply", "", "Whether a failing acceptor answers FAIL or nothing."
    )
    message_loss_prob: float = probability("of losing a message", "loss")
    message_duplication_prob: float = probability("that a message arrives twice", "duplication")
    proposer_failure_prob: float = probability("that a proposer crashes before a message", "proposers crash")
    acceptor_crash_prob: float = probability("that an acceptor crashes at a message", "acceptors crash")
    timeout: float = option(
        30.0, "MS", "How long a proposer waits for a quorum.", 0.1, 3_600_000, "timeout {:.15g} ms".format
    )
    backoff: float = option(
        30.0, "MS", "Longest random pause between attempts; it grows.", 0, 3_600_000, "backoff {:.15g} ms".format
    )
    max_attempts: int = option(
        10, "N", "Attempts of each proposer; 1 if no network is simulated.", 1, 1_000, partial(plural, noun="attempt")
    )


# The fields that also apply to a real network.
REAL = ("num_proposers", "failure_mode", "timeout", "backoff", "max_attempts")


@dataclass(frozen=True)
class Settings:
    """The settings that determine every byte of a run; without a network, calls are direct.

    ``acceptor`` and ``proposer`` make actors, with the arguments of :class:`toy_paxos.acceptor.Acceptor` and
    :class:`toy_paxos.proposer.Proposer`. ``actors`` are the options that name other actors than these. Without a seed,
    processes play the rounds in real time, at a ``place``: then the settings do not determine the run, and the failure
    probability of acceptors may be unknown.
    """

    num_acceptors: int
    acceptor_failure_prob: float | None
    seed: int | None
    values: tuple[str, ...] = ()
    network: Network | None = None
    actors: str = ""
    acceptor: Callable[[str], Actor] = Acceptor
    proposer: Callable[..., ProposingActor] = Proposer
    place: str = ""
    quorums: Quorums | None = None

    @cached_property
    def configuration(self) -> Configuration:
        """The names of the actors, and the sizes of quorums."""
        return Configuration.of(self.num_proposers, self.num_acceptors, self.quorums)

    @property
    def num_proposers(self) -> int:
        """The number of proposers: one, if calls are direct."""
        return self.network.num_proposers if self.network else 1

    @property
    def network_values(self) -> dict[str, Any]:
        """The settings of the network; for a real one, only those that apply to it."""
        names = [field.name for field in fields(Network)] if self.network else []
        if self.seed is None:
            names = [name for name in names if name in REAL]
        return {name: getattr(self.network, name) for name in names}

    @property
    def both_phases_prob(self) -> float:
        """The probability q that an acceptor fails neither of its two requests."""
        assert self.acceptor_failure_prob is not None
        return (1 - self.acceptor_failure_prob) ** 2

    @property
    def expected_consensus_rate(self) -> float:
        """The law for direct calls: P(at least Q1 of N promise, and at least Q2 of those accept)."""
        n, q, fails = self.num_acceptors, self.both_phases_prob, self.acceptor_failure_prob
        assert fails is not None
        promises, accepts = self.configuration.promise_quorum, self.configuration.accept_quorum
        if q in (0, 1):
            return q
        if promises <= accepts:
            terms = [binomial(n, k, q) for k in range(n + 1)]
            failure, success = math.fsum(terms[:accepts]), math.fsum(terms[accepts:])
            # The smaller sum has the smaller error.
            return success if success < failure else 1 - failure
        # At least Q2 of k acceptors accept if and only if the Q2-th acceptance is that of the j-th for some j <= k.
        last = ((1 - fails) * binomial(j - 1, accepts - 1, 1 - fails) for j in range(accepts, n + 1))
        enough = [0.0] * accepts + [*accumulate(last)]
        return min(1, math.fsum(binomial(n, k, 1 - fails) * enough[k] for k in range(promises, n + 1)))

    @property
    def command(self) -> str:
        """The command line that runs with these settings, for a shell."""
        words = [
            "toy-paxos",
            f"--num-acceptors {self.num_acceptors}",
            f"--acceptor-failure-prob {self.acceptor_failure_prob!r}",
        ]
        if quorums := self.configuration.for_proposers.get("quorums"):
            words.append(f"--quorums {quorums[0]},{quorums[1]}")
        words += [f"--value {quoted(value)}" for value in self.values]
        for field in fields(self.network) if self.network else ():
            value = getattr(self.network, field.name)
            # Always with the number of proposers: without an option of the network, none is simulated.
            if value != field.default or field.name == "num_proposers":
                words.append(f"--{field.name.replace('_', '-')} {value}")
        words += [self.actors] if self.actors else []
        return " ".join([*words, f"--seed {self.seed}"])


def binomial(n: int, k: int, p: float) -> float:
    """Return P(Binomial(n, p) = k), for p between 0 and 1, both excluded."""
    # In logarithms, because the binomial coefficients of 10,000 do not fit into a float.
    choices = math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
    return math.exp(choices + k * math.log(p) + (n - k) * math.log1p(-p))


def quoted(value: str) -> str:
    """Return a value quoted for a shell; in the form ``$'...'`` if it has characters that cannot be printed."""
    if value.isprintable():
        # Imported here because most runs have no value to quote.
        from shlex import quote

        return quote(value)
    escaped = "".join(
        chr(byte) if 32 <= byte < 127 and byte not in b"'\\" else f"\\x{byte:02x}" for byte in os.fsencode(value)
    )
    return f"$'{escaped}'"
