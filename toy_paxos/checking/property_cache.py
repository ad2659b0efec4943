"""The properties in a search, each evaluated once for all deliveries that look the same to it."""

from collections.abc import Iterator
from typing import TypeVar

from toy_paxos.checking.cluster import Cluster, State, cached_method, numbers
from toy_paxos.message import Accept, Message, Promise, Proposal, Propose
from toy_paxos.safety import Moment, Property, chosen

Kind = TypeVar("Kind", bound=Message)


class PropertyCache:
    """The cache of which property a delivery loses, and which proposals are chosen.

    A state holds a number for the proposals that are chosen, because the search may forget their acceptances. A
    property sees only a :class:`Moment <toy_paxos.safety.Moment>`. Most deliveries lead to a moment that was evaluated
    before, so the result is taken from the cache.
    """

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.is_reducible = cluster.model.reducible
        self.choices: list[tuple[Proposal, ...]] = []
        self.choice_numbers: dict[tuple[Proposal, ...], int] = {}
        self.number_of_choice(())

    def number_of_choice(self, proposals: tuple[Proposal, ...]) -> int:
        """Return the number of some proposals that are chosen together."""
        if proposals not in self.choice_numbers:
            self.choice_numbers[proposals] = len(self.choices)
            self.choices.append(proposals)
        return self.choice_numbers[proposals]

    @cached_method
    def chosen(self, before: int, all_said: int, said: int) -> int:
        """Return what is chosen after a delivery, given what was chosen before, all messages and the new ones.

        Only new acceptances can make a proposal chosen. Another proposal may be chosen by acceptances that are still
        known; it is not counted, because its value is chosen already. Other messages than acceptances change nothing.
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
        """Return the property that is lost by a transition between two states that says these messages, or None."""
        promises = said & self.cluster.promises & ~before.said
        issued = self.issued(after.said & self.cluster.proposes)
        learned = self.learned(after.actors[: self.cluster.first_acceptor])
        # Properties that are reducible compare promises with each other only.
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
        """Return the first property that is lost in the moment that has these parts, or None."""
        first = self.choices[chosen_before]
        then = [proposal for proposal in self.choices[chosen_after] if proposal not in first]
        highest: dict[str, int] = {}
        for promise in self.all_of(Promise, promised):
            highest[promise.sender] = max(promise.id, highest.get(promise.sender, 0))
        moment = Moment(
            self.cluster.model.values,
            # Where a PROPOSE may be forgotten, each chosen proposal was found to be issued when it was chosen.
            issued | {*first} if self.is_reducible else issued,
            [*first, *then],
            {name: value for name, value in zip(self.cluster.names, learned, strict=False) if value is not None},
            list(self.all_of(Promise, promises)),
            highest,
        )
        return next((found for found in self.cluster.model.properties if found.lost(moment) is not None), None)
