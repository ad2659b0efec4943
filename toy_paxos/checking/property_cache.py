"""The properties in a search, evaluated once for all deliveries that lead to the same moment."""

from collections.abc import Iterator
from typing import TypeVar

from toy_paxos.checking.cluster import Cluster, State, cached_method, numbers
from toy_paxos.message import Accept, Message, Promise, Proposal, Propose
from toy_paxos.safety import Moment, Property, chosen

Kind = TypeVar("Kind", bound=Message)


class PropertyCache:
    """The cache of which property a delivery loses, and which proposals are chosen.

    A state has a number for the set of chosen proposals, because the search may remove their acceptances. A property
    sees only a :class:`Moment <toy_paxos.safety.Moment>`, and most deliveries lead to one that was evaluated before.
    """

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.is_reducible = cluster.model.reducible
        self.choices: list[tuple[Proposal, ...]] = []
        self.choice_numbers: dict[tuple[Proposal, ...], int] = {}
        self.number_of_choice(())

    def number_of_choice(self, proposals: tuple[Proposal, ...]) -> int:
        """Return the number of a set of chosen proposals."""
        if proposals not in self.choice_numbers:
            self.choice_numbers[proposals] = len(self.choices)
            self.choices.append(proposals)
        return self.choice_numbers[proposals]

    @cached_method
    def chosen(self, before: int, all_said: int, said: int) -> int:
        """Return what is chosen after a delivery, given what was chosen before, all messages, and the new ones.

        Only new acceptances can make a proposal chosen. Acceptances that are still known may show that another proposal
        is chosen; it is not added, because its value is known to be chosen. Other messages make no difference.
        """
        accepted = {Proposal(accept.id, accept.value) for accept in self.all_of(Accept, said)}
        quorum = self.cluster.model.configuration.accept_quorum
        now = accepted.intersection(chosen(self.all_of(Accept, all_said), quorum))
        return self.number_of_choice(tuple(sorted({*self.choices[before], *now})))

    @cached_method
    def issued(self, said: int) -> frozenset[Proposal]:
        """Return the proposals in a set of messages."""
        return frozenset(Proposal(propose.id, propose.value) for propose in self.all_of(Propose, said))

    @cached_method
    def learned(self, proposers: tuple[int, ...]) -> tuple[str | None, ...]:
        """Return what each proposer has learned, by their states."""
        return tuple(map(self.cluster.learned, range(len(proposers)), proposers))

    def all_of(self, kind: type[Kind], messages: int) -> Iterator[Kind]:
        """Yield the messages of a certain kind in a set."""
        for number in numbers(messages):
            if isinstance(message := self.cluster.messages[number], kind):
                yield message

    def lost(self, before: State, after: State, said: int) -> Property | None:
        """Return the first property that is lost in a transition in which these messages are said, or None."""
        promises = said & self.cluster.promises & ~before.said
        issued = self.issued(after.said & self.cluster.proposes)
        learned = self.learned(after.actors[: self.cluster.first_acceptor])
        # Reducible properties compare promises only with each other.
        promised = before.said & self.cluster.promises if promises or not self.is_reducible else 0
        return self.first_lost(before.chosen, after.chosen, issued, learned, promises, promised)

    @cached_method
    def first_lost(
        self,
        chosen_before: int,
        chosen_after: int,
        issued: frozenset[Proposal],
        learned: tuple[str | None, ...],
        promises: int,
        promised: int,
    ) -> Property | None:
        """Return the first property that is lost in the moment with these parts, or None."""
        first = self.choices[chosen_before]
        then = [proposal for proposal in self.choices[chosen_after] if proposal not in first]
        highest: dict[str, int] = {}
        for promise in self.all_of(Promise, promised):
            highest[promise.sender] = max(promise.id, highest.get(promise.sender, 0))
        moment = Moment(
            self.cluster.model.values,
            # If a PROPOSE may have been removed, each chosen proposal was found to be issued when it was chosen.
            issued | {*first} if self.is_reducible else issued,
            [*first, *then],
            {name: value for name, value in zip(self.cluster.names, learned, strict=False) if value is not None},
            list(self.all_of(Promise, promises)),
            highest,
        )
        return next((found for found in self.cluster.model.properties if found.lost(moment) is not None), None)
