"""The theorem, watched: at most one value is chosen, only a proposed one, and nobody learns another.

*Chosen* is a fact about the cluster, whether or not anybody knows it: a majority of acceptors has accepted
one proposal (*Paxos Made Simple*, section 2.2). So it is found out from what the acceptors have said, be it
lost on the way, and never from what a proposer believes.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar

from toy_paxos.message import Accept, Message, Proposal, Propose
from toy_paxos.network import Delivery, Event, Learned
from toy_paxos.proposer import majority


@dataclass(slots=True)
class Chosen(Event):
    """A majority of acceptors has now accepted one proposal; from here on its value is chosen."""

    event: ClassVar[str] = "chosen"

    id: int
    value: str


@dataclass(slots=True)
class Violation(Event):
    """Safety is lost, and how."""

    event: ClassVar[str] = "violation"

    words: str


class Ballots:
    """Who has accepted which proposal so far."""

    def __init__(self, num_acceptors: int) -> None:
        self.quorum = majority(num_acceptors)
        self.acceptors: dict[Proposal, set[str]] = {}

    def add(self, accept: Accept) -> Proposal | None:
        """Count one acceptance; return the proposal if it is this one that makes it chosen."""
        proposal = Proposal(accept.id, accept.value)
        acceptors = self.acceptors.setdefault(proposal, set())
        if accept.sender in acceptors:
            return None
        acceptors.add(accept.sender)
        return proposal if len(acceptors) == self.quorum else None


def chosen(accepts: Iterable[Accept], num_acceptors: int) -> list[Proposal]:
    """The proposals that are chosen, given all that acceptors have said, in the order of their choice."""
    return list(newly_chosen(accepts, Ballots(num_acceptors)))


def watch(events: Iterable[Event], num_acceptors: int, proposed: Collection[str]) -> Iterator[Event]:
    """Pass a round's events on, and note among them when a value is chosen or safety is lost.

    ``proposed`` are the values that the proposers want. After a violation there is nothing left to watch.
    """
    ballots = Ballots(num_acceptors)
    issued: set[Proposal] = set()
    value: str | None = None
    for event in events:
        yield event
        if isinstance(event, Learned) and event.value != value:
            yield Violation(event.t_ms, f"{event.proposer} learns what is not chosen: {event.value}")
            return
        if not isinstance(event, Delivery):
            continue
        if isinstance(event.message, Propose):
            issued.add(Proposal(event.message.id, event.message.value))
        for proposal in newly_chosen(event.answers, ballots):
            if value is None:
                value = proposal.value
                yield Chosen(event.t_ms, proposal.id, value)
            if proposal not in issued or proposal.value not in proposed:
                yield Violation(event.t_ms, f"a value is chosen that nobody proposed: {proposal.value}")
                return
            if proposal.value != value:
                yield Violation(event.t_ms, f"a second value is chosen: {proposal.value}")
                return


def newly_chosen(answers: Iterable[Message], ballots: Ballots) -> Iterator[Proposal]:
    """The proposals for which one of these answers was the last acceptance that was missing."""
    for answer in answers:
        if isinstance(answer, Accept) and (proposal := ballots.add(answer)):
            yield proposal
