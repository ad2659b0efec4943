"""A story: who takes part, what the proposers want, and what happens, in order.

Every source of stories (direct calls, the simulated network, the checker, a game, real processes) tells the same kind,
and every view shows any of them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from toy_paxos.event import Event, Wants
from toy_paxos.proposer import Quorums, majority

Note = tuple[float, str, str]
"""What is said of a story and is not part of it: below everything at which time, the words, and their style."""


@dataclass(frozen=True)
class Configuration:
    """Who takes part, by name, and how many acceptors make a quorum of promises and one of acceptances."""

    proposers: tuple[str, ...]
    acceptors: tuple[str, ...]
    promise_quorum: int
    accept_quorum: int

    @classmethod
    def of(cls, num_proposers: int, num_acceptors: int, quorums: Quorums | None = None) -> "Configuration":
        """Return the configuration of that size, in which every quorum is a majority unless ``quorums`` are given.

        Raises ValueError for a quorum that is empty or larger than the number of acceptors.
        """
        if quorums and not all(1 <= size <= num_acceptors for size in quorums):
            words = f"each must be from 1 to {num_acceptors}, the number of acceptors"
            raise ValueError(f"quorums of {quorums[0]} and {quorums[1]}: {words}")
        proposers = tuple(f"proposer-{number}" for number in range(num_proposers))
        acceptors = tuple(f"acceptor-{number}" for number in range(num_acceptors))
        return cls(proposers, acceptors, *quorums or (majority(num_acceptors),) * 2)

    @property
    def sizes(self) -> dict[str, Any]:
        """How many take part, and the sizes of quorums, by names that are those in JSON."""
        quorums = self.promise_quorum, self.accept_quorum
        return {"num_proposers": len(self.proposers), "num_acceptors": len(self.acceptors), "quorums": quorums}

    @property
    def for_proposers(self) -> dict[str, Quorums]:
        """The keyword that a proposer takes if quorums are not majorities."""
        quorums = self.promise_quorum, self.accept_quorum
        return {} if quorums == (majority(len(self.acceptors)),) * 2 else {"quorums": quorums}

    @property
    def quorums_meet(self) -> bool:
        """Whether each quorum of promises shares an acceptor with each quorum of acceptances."""
        return self.promise_quorum + self.accept_quorum > len(self.acceptors)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all actors, proposers first."""
        return self.proposers + self.acceptors


@dataclass(frozen=True)
class Story:
    """A configuration and the events in order, perhaps with a title, notes, and more of a head (``about``).

    ``change`` says which rule is changed, or whose actors take part, if they are not those of Paxos; ``correct`` is
    what those of Paxos do with the same deliveries, if that is known.

    What the head holds beside the configuration is for those who know it: readers ignore other keys.
    """

    configuration: Configuration
    events: Sequence[Event]
    title: str = ""
    notes: Sequence[Note] = ()
    about: Mapping[str, Any] = field(default_factory=dict)
    change: str = ""
    correct: "Story | None" = None

    @property
    def has_clock(self) -> bool:
        """Whether times are milliseconds; if not, they are numbers of deliveries."""
        return any(event.time % 1 for event in self.events)

    @property
    def wishes(self) -> Mapping[str, str]:
        """What each proposer wants."""
        return {event.proposer: event.value for event in self.events if isinstance(event, Wants)}
