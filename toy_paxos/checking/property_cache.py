"""The properties in a search, each evaluated once for all deliveries that look the same to it."""

from collections.abc import Iterator
from typing import TypeVar

from toy_paxos.checking.cluster import Cluster, State, numbers
from toy_paxos.message import Accept, Message, Promise, Proposal, Propose
from toy_paxos.safety import Moment, Property, chosen

Kind = TypeVar("Kind", bound=Message)


class PropertyCache:
    """It returns which property is lost by a delivery, and which proposals are chosen.

    A state holds a number for the proposals that are chosen, because the search may forget their acceptances. A
    property sees only a :class:`Moment <toy_paxos.safety.Moment>`. Most deliveries lead to a moment that was evaluated
    before, so the result is taken from the cache.
    """

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.properties = cluster.model.properties
        self.is_reducible = cluster.model.reducible
        self.choices: list[tuple[Proposal, ...]] = []
        self.choice_numbers: dict[tuple[Proposal, ...], int] = {}
        self.known_chosen: dict[tuple[int, int, int], int] = {}
        self.known_issued: dict[int, frozenset[Proposal]] = {}
        self.known_learned: dict[tuple[int, ...], tuple[str | None, ...]] = {}
        self.known_lost: dict[object, Property | None] = {}
        self.number_of_choice(())

    def number_of_choice(self, proposals: tuple[Proposal, ...]) -> int:
        """Return the number of some proposals that are chosen together."""
        if proposals not in self.choice_numbers:
            self.choice_numbers[proposals] = len(self.choices)
            self.choices.append(proposals)
        return self.choice_numbers[proposals]

    def chosen(self, before: int, all_said: int, said: int) -> int:
        """Return what is chosen after a delivery, given what was chosen before, all messages and the new ones.

        Only new acceptances can make a proposal chosen. Another proposal may be chosen by acceptances that are still
        known; it is not counted, because its value is chosen already.
        """
        key = before, all_said & self.cluster.accepts, said & self.cluster.accepts
        if key not in self.known_chosen:
            accepted = {Proposal(accept.id, accept.value) for accept in self.all_of(Accept, key[2])}
            quorum = self.cluster.model.configuration.accept_quorum
            now = accepted.intersection(chosen(self.all_of(Accept, key[1]), quorum))
            self.known_chosen[key] = self.number_of_choice(tuple(sorted({*self.choices[before], *now})))
        return self.known_chosen[key]

    def issued(self, said: int) -> frozenset[Proposal]:
        """Return the proposals in a set of messages."""
        proposes = said & self.cluster.proposes
        if proposes not in self.known_issued:
            found = self.all_of(Propose, proposes)
            self.known_issued[proposes] = frozenset(Proposal(propose.id, propose.value) for propose in found)
        return self.known_issued[proposes]

    def all_of(self, kind: type[Kind], messages: int) -> Iterator[Kind]:
        """Yield the messages of a certain kind in a set."""
        for number in numbers(messages):
            if isinstance(message := self.cluster.messages[number], kind):
                yield message

    def lost(self, before: State, after: State, said: int) -> Property | None:
        """Return the property that is lost by a transition between two states that says these messages, or None."""
        promises = said & self.cluster.promises & ~before.said
        proposers = after.actors[: self.cluster.first_acceptor]
        if proposers not in self.known_learned:
            self.known_learned[proposers] = tuple(map(self.cluster.learned, range(len(proposers)), proposers))
        learned = self.known_learned[proposers]
        # Properties that are reducible compare promises with each other only.
        promised = before.said & self.cluster.promises if promises or not self.is_reducible else 0
        key = before.chosen, after.chosen, self.issued(after.said), learned, promises, promised
        try:
            return self.known_lost[key]
        except KeyError:
            lost = self.known_lost[key] = self.first_lost(self.moment(*key))
            return lost

    def moment(
        self,
        chosen_before: int,
        chosen_after: int,
        issued: frozenset[Proposal],
        learned: tuple[str | None, ...],
        promises: int,
        promised: int,
    ) -> Moment:
        """Return the moment that the properties evaluate."""
        first = self.choices[chosen_before]
        then = [proposal for proposal in self.choices[chosen_after] if proposal not in first]
        highest: dict[str, int] = {}
        for promise in self.all_of(Promise, promised):
            highest[promise.sender] = max(promise.id, highest.get(promise.sender, 0))
        return Moment(
            self.cluster.model.values,
            # Where a PROPOSE may be forgotten, each chosen proposal was found to be issued when it was chosen.
            issued | {*first} if self.is_reducible else issued,
            [*first, *then],
            {name: value for name, value in zip(self.cluster.names, learned, strict=False) if value is not None},
            list(self.all_of(Promise, promises)),
            highest,
        )

    def first_lost(self, moment: Moment) -> Property | None:
        """Return the first property that is lost in a moment, or None."""
        return next((found for found in self.properties if found.lost(moment) is not None), None)
