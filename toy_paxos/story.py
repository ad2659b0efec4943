"""A story: the actors, what the proposers want, and the events in order.

Every source (direct calls, the simulated network, the checker, a game, real processes) makes stories of this kind, and
every view can show any of them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from toy_paxos.event import Event, Wants
from toy_paxos.proposer import Quorums, majority

Note = tuple[float, str, str]
"""A remark about a story: it stands below all events up to this time; then its words, and their style."""


@dataclass(frozen=True)
class Configuration:
    """The names of the actors, and the sizes of a quorum of promises and of a quorum of acceptances."""

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
            raise ValueError(f"quorums {quorums[0]},{quorums[1]}: {words}")
        proposers = tuple(f"proposer-{number}" for number in range(num_proposers))
        acceptors = tuple(f"acceptor-{number}" for number in range(num_acceptors))
        return cls(proposers, acceptors, *quorums or (majority(num_acceptors),) * 2)

    @property
    def sizes(self) -> dict[str, Any]:
        """The numbers of actors, and the sizes of quorums, under their keys in JSON."""
        quorums = self.promise_quorum, self.accept_quorum
        return {"num_proposers": len(self.proposers), "num_acceptors": len(self.acceptors), "quorums": quorums}

    @property
    def for_proposers(self) -> dict[str, Quorums]:
        """The keyword arguments of a proposer, which are none if all quorums are majorities."""
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
    """A configuration and the events in order.

    ``about`` has further keys of the head of the story; readers ignore keys that they do not know. ``change`` describes
    actors that are not those of Paxos. ``correct`` is the story of correct actors with the same deliveries, if that is
    known. With a clock, times are milliseconds; without one, they are numbers of deliveries.
    """

    configuration: Configuration
    events: Sequence[Event]
    title: str = ""
    notes: Sequence[Note] = ()
    about: Mapping[str, Any] = field(default_factory=dict)
    change: str = ""
    correct: "Story | None" = None
    has_clock: bool = False

    @property
    def wishes(self) -> Mapping[str, str]:
        """What each proposer wants."""
        return {event.proposer: event.value for event in self.events if isinstance(event, Wants)}
