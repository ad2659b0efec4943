"""What a search makes of what must always be so: the properties, asked once for all that they can tell apart."""

from collections.abc import Iterator
from typing import TypeVar

from toy_paxos.checking.cluster import Cluster, State, numbers
from toy_paxos.message import Accept, Message, Promise, Proposal, Propose
from toy_paxos.safety import Moment, Property, chosen

Kind = TypeVar("Kind", bound=Message)


class Judge:
    """It says which property is lost by a delivery, and keeps count of what is chosen.

    The proposals that are chosen in a state are a number in it, for the acceptances that made them so may be
    forgotten. A property sees a :class:`Moment <toy_paxos.safety.Moment>`, which depends on little: so most
    deliveries look to it like one before.
    """

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.properties = cluster.model.properties
        self.is_reducible = cluster.model.reducible
        self.choices: list[tuple[Proposal, ...]] = []
        self.choice_numbers: dict[tuple[Proposal, ...], int] = {}
        self.known_chosen: dict[tuple[int, int, int], int] = {}
        self.known_issued: dict[int, frozenset[Proposal]] = {}
        self.known_learned: dict[State, tuple[str | None, ...]] = {}
        self.known_lost: dict[object, Property | None] = {}
        self.number_of_choice(())

    def number_of_choice(self, proposals: tuple[Proposal, ...]) -> int:
        """The number of some proposals that are chosen together."""
        if proposals not in self.choice_numbers:
            self.choice_numbers[proposals] = len(self.choices)
            self.choices.append(proposals)
        return self.choice_numbers[proposals]

    def chosen(self, before: int, all_said: int, said: int) -> int:
        """What is chosen if so much was before, and of all that has been said so much has been said now.

        Only what was said now can make a proposal chosen; others may be so by acceptances that are still known,
        and be chosen without being counted, because their value is.
        """
        key = before, all_said & self.cluster.accepts, said & self.cluster.accepts
        if key not in self.known_chosen:
            accepted = {Proposal(accept.id, accept.value) for accept in self.all_of(Accept, key[2])}
            quorum = self.cluster.model.configuration.accept_quorum
            now = accepted.intersection(chosen(self.all_of(Accept, key[1]), quorum))
            self.known_chosen[key] = self.number_of_choice(tuple(sorted({*self.choices[before], *now})))
        return self.known_chosen[key]

    def issued(self, said: int) -> frozenset[Proposal]:
        """The proposals in what has been said."""
        proposes = said & self.cluster.proposes
        if proposes not in self.known_issued:
            said_so = self.all_of(Propose, proposes)
            self.known_issued[proposes] = frozenset(Proposal(propose.id, propose.value) for propose in said_so)
        return self.known_issued[proposes]

    def all_of(self, kind: type[Kind], messages: int) -> Iterator[Kind]:
        """The messages of a certain kind in a set."""
        for number in numbers(messages):
            if isinstance(message := self.cluster.messages[number], kind):
                yield message

    def lost(self, before: State, after: State, said: int) -> Property | None:
        """The property that is lost by a delivery between two states that says so much, or None."""
        promises = said & self.cluster.promises & ~before[-3]
        proposers = after[: self.cluster.first_acceptor]
        if proposers not in self.known_learned:
            self.known_learned[proposers] = tuple(map(self.cluster.learned, range(len(proposers)), proposers))
        learned = self.known_learned[proposers]
        # Properties that are reducible compare promises with each other only.
        promised = before[-3] & self.cluster.promises if promises or not self.is_reducible else 0
        key = before[-1], after[-1], self.issued(after[-3]), learned, promises, promised
        if key not in self.known_lost:
            self.known_lost[key] = self.first_lost(self.moment(*key))
        return self.known_lost[key]

    def moment(
        self,
        chosen_before: int,
        chosen_after: int,
        issued: frozenset[Proposal],
        learned: tuple[str | None, ...],
        promises: int,
        promised: int,
    ) -> Moment:
        """What a property gets to see of all this."""
        first = self.choices[chosen_before]
        then = [proposal for proposal in self.choices[chosen_after] if proposal not in first]
        highest: dict[str, int] = {}
        for promise in self.all_of(Promise, promised):
            highest[promise.sender] = max(promise.id, highest.get(promise.sender, 0))
        return Moment(
            self.cluster.model.values,
            # Where a PROPOSE may be forgotten, what is chosen already was found to be proposed then.
            issued | {*first} if self.is_reducible else issued,
            [*first, *then],
            {name: value for name, value in zip(self.cluster.names, learned, strict=False) if value is not None},
            list(self.all_of(Promise, promises)),
            highest,
        )

    def first_lost(self, moment: Moment) -> Property | None:
        """The first property that is lost in a moment."""
        return next((found for found in self.properties if found.lost(moment) is not None), None)
