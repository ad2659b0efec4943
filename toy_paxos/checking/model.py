"""The model of a check: the size of a cluster, its actors, the failures, and the properties."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from toy_paxos.acceptor import Acceptor
from toy_paxos.actor import Actor, ProposingActor
from toy_paxos.message import Message, Restart, Timeout
from toy_paxos.proposer import Proposer, Quorums
from toy_paxos.safety import ALWAYS, Property
from toy_paxos.story import Configuration


class CheckError(Exception):
    """An actor cannot be checked; the message is one line that says why, and what to do."""


MakeAcceptor = Callable[[str], Actor]
"""A class or function that returns an acceptor, given its name."""

MakeProposer = Callable[..., ProposingActor]
"""A class or function that returns a proposer, given its name, value, acceptors, first number, and step to the next.

If quorums are not majorities, it also gets the keyword ``quorums``.
"""

KeepGoing = Callable[[int, int], bool]
"""A function that returns whether a search goes on, given the numbers of states and of deliveries so far."""


def always(states: int, depth: int) -> bool:
    """Let a search go on."""
    return True


@dataclass(frozen=True)
class Model:
    """A cluster to check, and the actors in it.

    Each acceptor may restart ``restarts`` times. FAIL is delivered only if ``fail`` is true. ``first_number`` is the
    number of the first proposer; with ``descending`` values, that proposer wants the last value in the alphabet.
    ``wishes`` replace these values. ``symmetric``, ``silence_waits`` and ``past_forgotten`` switch reductions: each
    makes the search shorter, and none changes its result. ``names_matter`` says why symmetry could not be used.
    """

    num_acceptors: int = 3
    num_proposers: int = 2
    max_attempts: int = 1
    acceptor: MakeAcceptor = Acceptor
    proposer: MakeProposer = Proposer
    quorums: Quorums | None = None
    restarts: int = 1
    fail: bool = False
    descending: bool = False
    first_number: int = 1
    properties: tuple[Property, ...] = ALWAYS
    wishes: tuple[str, ...] = ()
    symmetric: bool = True
    silence_waits: bool = True
    past_forgotten: bool = True
    names_matter: str = ""

    @property
    def values(self) -> list[str]:
        """The values that the proposers want, in their order."""
        if self.wishes:
            return [*self.wishes]
        values = [f"value-{number}" for number in range(self.num_proposers)]
        return values[::-1] if self.descending else values

    @property
    def reducible(self) -> bool:
        """Whether the properties allow a search to remove messages and to exchange the names of acceptors."""
        return all(property.reducible for property in self.properties)

    @cached_property
    def configuration(self) -> Configuration:
        """The names of the actors, and the sizes of quorums."""
        return Configuration.of(self.num_proposers, self.num_acceptors, self.quorums)

    @property
    def sizes(self) -> dict[str, Any]:
        """The size of the cluster and the failures in it, by their keys in JSON."""
        names = "max_attempts", "restarts", "fail", "values", "first_number"
        return self.configuration.sizes | {name: getattr(self, name) for name in names}

    def new_actors(self) -> tuple[list[ProposingActor], list[Actor]]:
        """Return new proposers and new acceptors."""
        names, keywords = self.configuration.acceptors, self.configuration.for_proposers
        proposers = [
            self.proposer(name, value, [*names], self.first_number + at, self.num_proposers, **keywords)
            for at, (name, value) in enumerate(zip(self.configuration.proposers, self.values, strict=True))
        ]
        return proposers, [self.acceptor(name) for name in names]

    def environment(self) -> Iterator[Message]:
        """Yield the messages of the environment, each delivered at most once: timeouts and restarts.

        A proposer has a timeout for each attempt but the last. They are numbered from 1 here, and a timeout is
        delivered with the number under which the proposer spoke last.
        """
        for name in self.configuration.proposers:
            for number in range(1, self.max_attempts):
                yield Timeout("clock", name, number)
        for name in self.configuration.acceptors:
            for number in range(1, self.restarts + 1):
                yield Restart("power", name, number)
