"""Symmetry reduction: states that differ only in names count as one, but only if names make no difference."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import permutations

import pytest
from wrong_actors import OnlyTheFirstHides, ReportsLastOfDict

from toy_paxos.acceptor import Acceptor
from toy_paxos.checking import Model, check
from toy_paxos.checking.cluster import Cluster, State
from toy_paxos.checking.symmetry import Symmetry
from toy_paxos.message import Accept, Message, Prepare, Promise, Proposal, Propose
from toy_paxos.proposer import Proposer
from toy_paxos.view.output import shown
from toy_paxos.view.verdict import cluster_lines


def successors(cluster: Cluster, state: State) -> Iterator[State]:
    """Yield every state after one delivery."""
    for position, actor in enumerate(state.actors):
        for number in cluster.effective(position, actor, state.said | state.pending):
            after, said = cluster.step(position, actor, number)
            if after != actor or said & ~state.said:
                actors = (*state.actors[:position], after, *state.actors[position + 1 :])
                yield State(actors, state.said | said, state.pending & ~(1 << number), 0)


def all_states(cluster: Cluster) -> list[State]:
    """Return every reachable state, with all names."""
    found = {cluster.start: None}
    for state in (queue := [cluster.start]):
        for after in successors(cluster, state):
            if after not in found:
                found[after] = None
                queue.append(after)
    return list(found)


@pytest.mark.parametrize(
    "model",
    [
        Model(1, 2),
        Model(2, 2),
        Model(3, 1),
        Model(2, 3),
        Model(3, 2),
        Model(3, 1, fail=True),
        Model(2, 2, acceptor=ReportsLastOfDict),
    ],
)
def test_canonical_states_are_the_same_for_all_names_and_stand_for_all_states(model: Model) -> None:
    cluster = Cluster(model)
    symmetry = Symmetry(cluster)
    states = all_states(cluster)
    orders = list(permutations(range(model.num_acceptors)))
    orbits: dict[State, set[State]] = {}
    for state in states:
        canonical, order = symmetry.canonical(state)
        assert symmetry.rename(state, order) == canonical
        orbits.setdefault(canonical, set()).add(state)
    for canonical, orbit in orbits.items():
        assert orbit == {symmetry.rename(canonical, order) for order in orders}
    assert sum(map(len, orbits.values())) == len(states)


class Lopsided(Acceptor):
    """It tells the next acceptor of each promise."""

    heard: tuple[str, ...] = ()

    def receive(self, message: Message) -> list[Message]:
        if isinstance(message, Promise):
            self.heard = (*self.heard, message.sender)[-1:]
            return []
        answers = super().receive(message)
        others = ["acceptor-0", "acceptor-1", "acceptor-2"]
        others.remove(self.name)
        if isinstance(message, Prepare):
            answers += [Promise(self.name, other, message.id, None) for other in others]
        return answers


def test_acceptors_that_look_the_same_may_still_differ_and_then_all_orders_are_tried() -> None:
    cluster = Cluster(Model(3, 1, acceptor=Lopsided))
    symmetry = Symmetry(cluster)
    for state in all_states(cluster)[:1_000]:
        canonical, _ = symmetry.canonical(state)
        for order in permutations(range(3)):
            assert symmetry.canonical(symmetry.rename(state, order))[0] == canonical


class OnlyTheFirst(Proposer):
    """It asks only the first two acceptors: they are a quorum, but not all acceptors are treated alike."""

    def prepare(self) -> list[Message]:
        return super().prepare()[: self.promise_quorum]


class Special(Acceptor):
    """Acceptor 2 accepts every proposal."""

    def accept(self, request: Propose) -> list[Message]:
        if self.name == "acceptor-2":
            self.promised = request.id
        return super().accept(request)


class LearnsByName(Proposer):
    """What it has learned depends on who accepted first, and no attribute says so."""

    @property
    def learned(self) -> str | None:
        return "value-0" if "acceptor-1" in getattr(self, "accepts", ()) else None

    @learned.setter
    def learned(self, value: str | None) -> None:
        pass


class LearnsByNameOnly(LearnsByName):
    """Nothing that it does depends on what it has learned."""

    def receive(self, message: Message) -> list[Message]:
        if isinstance(message, Accept):
            self.accepts.add(message.sender)
        return self.count_promise(message) if isinstance(message, Promise) else []


@pytest.mark.parametrize(
    "model",
    [
        Model(proposer=OnlyTheFirst),
        Model(acceptor=Special),
        Model(2, 2, proposer=LearnsByName),
        Model(2, 2, proposer=LearnsByNameOnly),
    ],
)
@pytest.mark.parametrize("past_forgotten", [True, False])
def test_if_names_make_a_difference_all_names_count(model: Model, past_forgotten: bool) -> None:
    report = check(replace(model, past_forgotten=past_forgotten))
    assert not report.model.symmetric
    again = check(report.model)
    assert (report.states, report.violation, report.execution) == (again.states, again.violation, again.execution)


class OnlyOne(OnlyTheFirstHides):
    """One acceptor, once it has accepted two different values, hides what it accepted."""

    who = ""

    def promise(self, request: Prepare) -> list[Message]:
        if self.changed_its_mind and self.name == self.who:
            self.accepted = None
        return Acceptor.promise(self, request)


@pytest.mark.parametrize("who", ["acceptor-0", "acceptor-1", "acceptor-2"])
def test_steps_that_the_comparison_adds_are_compared_too(who: str) -> None:
    """The fault is found whichever acceptor has it, although the search tries only acceptor 2."""
    acceptor = type("OnlyThisOne", (OnlyOne,), {"who": who})
    model = Model(3, 2, acceptor=acceptor)
    cluster = Cluster(model)
    numbers = [
        cluster.number_of_message(message)
        for number in (1, 2)
        for message in (
            Prepare(f"proposer-{number - 1}", "acceptor-2", number),
            Propose(f"proposer-{number - 1}", "acceptor-2", number, f"value-{number - 1}"),
        )
    ]
    state = 0
    for number in (*numbers, cluster.number_of_message(Prepare("proposer-0", "acceptor-2", 3))):
        state, _ = cluster.step(4, state, number)
    assert Symmetry(cluster).broken()


class Mentions(Acceptor):
    """It accepts its own name as the value."""

    def promise(self, request: Prepare) -> list[Message]:
        return [Promise(self.name, request.sender, request.id, Proposal(0, self.name))]


def test_a_value_that_is_the_name_of_an_acceptor_ends_the_reduction() -> None:
    report = check(Model(2, 1, acceptor=Mentions))
    assert not report.model.symmetric
    assert report.violation == "a value is chosen that nobody proposed: acceptor-0" or report.never


class KeepsLabels(Acceptor):
    """It remembers under a label that contains its name."""

    def promise(self, request: Prepare) -> list[Message]:
        self.label = f"acc_{self.name}"
        return super().promise(request)


class PrefersTheFirst(Proposer):
    """It ignores refusals but those of the first acceptor."""

    def count_promise(self, promise: Promise) -> list[Message]:
        return super().count_promise(promise) if promise.sender != self.acceptors[1] else []


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        (Model(3, 2, acceptor=KeepsLabels), "'acc_acceptor-0' contains the name of acceptor-0"),
        (Model(3, 2, proposer=PrefersTheFirst), "proposer-0 does not treat all acceptors alike"),
        (Model(3, 2), None),
    ],
)
def test_the_reason_why_names_matter_is_reported(model: Model, reason: str | None) -> None:
    report = check(model)
    words = shown(cluster_lines(report.model.sizes | report.found))
    assert report.found["names_matter"] == reason
    assert ("names matter, which is not a fault" in words) == bool(reason)
