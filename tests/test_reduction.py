"""The reductions: the same verdicts and the same shortest lengths as the full search, in far fewer states."""

import sys
from collections.abc import Callable
from dataclasses import replace

import pytest
from wrong_actors import LearnsAtFirstAccept, by_chance

from toy_paxos.acceptor import Acceptor
from toy_paxos.checking import CHANGED_RULES, CheckError, Model, check
from toy_paxos.checking.broken import SkipsPhase1
from toy_paxos.checking.checker import Origin, Search
from toy_paxos.checking.cluster import Cluster, State
from toy_paxos.checking.property_cache import PropertyCache
from toy_paxos.checking.reduction import ActorTransitions, Future
from toy_paxos.message import Message, Propose, Restart, Terminate
from toy_paxos.proposer import Proposer
from toy_paxos.safety import ALWAYS, LEARNERS_AGREE, Moment, Property

SMALL = (
    Model(1, 2),
    Model(2, 2),
    Model(1, 3),
    Model(1, 2, 2),
    Model(2, 1, 2),
    Model(3, 1),
    Model(1, 2, fail=True),
    Model(2, 1, fail=True),
    Model(1, 2, descending=True),
    Model(1, 1, 3),
    Model(1, 2, restarts=2),
)


pytestmark = pytest.mark.usefixtures("few_walks")


def found(model: Model) -> tuple[object, ...]:
    """Return what no reduction may change: verdict, property, length, and values never chosen."""
    try:
        report = check(model)
    except CheckError as error:
        return (str(error),)
    assert report.complete or report.violation
    return report.lost, len(report.execution), report.never


def in_full(model: Model) -> Model:
    return replace(model, silence_waits=False, past_forgotten=False)


@pytest.mark.parametrize("seed", range(100))
def test_random_actors_get_the_same_verdict_as_in_the_full_search(seed: int) -> None:
    acceptor, proposer = by_chance(seed)
    model = replace(SMALL[seed % len(SMALL)], acceptor=acceptor, proposer=proposer)
    assert found(model) == found(in_full(model))


@pytest.mark.parametrize("name", [name for name, rule in CHANGED_RULES.items() if rule.num_proposers < 3])
def test_changed_rules_get_the_same_verdict_as_in_the_full_search(name: str) -> None:
    model = replace(CHANGED_RULES[name].model, num_acceptors=2, max_attempts=1)
    assert found(model) == found(in_full(model))
    one = replace(CHANGED_RULES[name].model, num_acceptors=1, properties=ALWAYS)
    assert found(one) == found(in_full(one))


def test_each_reduction_can_be_switched_off_alone() -> None:
    model = Model(1, 2, 2)
    few, most = check(model), check(in_full(model))
    for more in check(replace(model, silence_waits=False)), check(replace(model, past_forgotten=False)):
        assert (few.safe, few.never) == (more.safe, more.never) == (True, [])
        assert few.states < more.states < most.states


def accepts_early(
    visit: Callable[..., list[tuple[State, ActorTransitions, int]]],
) -> Callable[..., list[tuple[State, ActorTransitions, int]]]:
    """An unsound reduction: if an acceptor can accept, no other actor receives anything."""

    def wrong(self: Search, state: State, origin: Origin | None) -> list[tuple[State, ActorTransitions, int]]:
        turns = visit(self, state, origin)
        for chosen in turns:
            chosen[1].explore(0)
            if any(transition.said & self.cluster.accepts & ~state.said for transition in chosen[1].transitions[0]):
                return [chosen]
        return turns

    return wrong


def test_a_wrong_reduction_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    model = Model(3, 1, proposer=LearnsAtFirstAccept)
    right = found(in_full(model))
    monkeypatch.setattr(Search, "visit", accepts_early(Search.visit))
    assert found(model) != right
    assert found(Model(3, 2)) == (None, 0, []), "and nobody would notice with the right actors"


class SaysSoLater(Acceptor):
    """It accepts one proposal, and says so only when it has been restarted, perhaps after it has promised more."""

    unsaid: tuple[Message, ...] = ()

    def accept(self, request: Propose) -> list[Message]:
        if self.accepted is None:
            self.unsaid = tuple(super().accept(request))
        return []

    def receive(self, message: Message) -> list[Message]:
        if isinstance(message, Restart):
            said, self.unsaid = self.unsaid, ()
            return list(said)
        return super().receive(message)


def test_a_proposal_without_effect_is_kept_until_it_is_chosen() -> None:
    model = Model(1, 2, acceptor=SaysSoLater)
    assert not check(model).violation
    assert found(model) == found(in_full(model))


def test_silence_ends_with_the_delivery_that_makes_an_actor_speak() -> None:
    cluster = Cluster(Model(3, 1))
    said = cluster.start.said
    for position in (1, 2):
        number = next(cluster.effective(position, 0, said))
        said |= cluster.step(position, 0, number)[1]
    actor = ActorTransitions(cluster, 0, 0, said, 0)
    assert actor.explore(0)
    assert actor.transitions[0] == []
    actor.explore(1)
    (transition,) = actor.transitions[1]
    spoken: list[Message] = [cluster.messages[number] for number in transition.deliveries]
    assert [message.type for message in spoken] == ["PROMISE", "PROMISE"]


def test_messages_without_effect_are_removed() -> None:
    cluster = Cluster(Model(1, 1))
    future = Future(cluster, PropertyCache(cluster))
    prepare = cluster.start.said
    after, promise = cluster.step(1, 0, 0)
    state = State((0, after), prepare | promise, cluster.start.pending, 0)
    assert future.without_past(state) == State((0, after), promise, 0, 0)


def test_with_too_many_states_no_message_is_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("toy_paxos.checking.reduction.MANY_STEPS", 10)
    assert check(Model(3, 2)).states == check(Model(3, 2, past_forgotten=False)).states


class Retires(Acceptor):
    """It answers nothing once it has restarted; it says so to the proposer if it has accepted nothing until then."""

    retired = False

    def receive(self, message: Message) -> list[Message]:
        if isinstance(message, Restart):
            self.retired = True
            return [] if self.accepted else [Terminate(self.name, "proposer-0", 1)]
        return [] if self.retired else super().receive(message)


class ChangesItsProposal(Proposer):
    """It proposes another value under the same number when it is told that this no longer matters."""

    def receive(self, message: Message) -> list[Message]:
        if isinstance(message, Terminate) and self.proposal:
            return [Propose(self.name, acceptor, self.id, "another") for acceptor in self.acceptors]
        return super().receive(message)


def one_number_two_values(moment: Moment) -> str | None:
    numbers = [id for id, _ in moment.issued]
    return f"{max(numbers)} stands for two values" if len({*numbers}) < len(numbers) else None


def two_learn(moment: Moment) -> str | None:
    return " and ".join(moment.learned) if len(moment.learned) > 1 else None


def last_before_first(moment: Moment) -> str | None:
    senders = {promise.sender for promise in moment.promises}
    return "acceptor-0 after acceptor-2" if "acceptor-0" in senders and "acceptor-2" in moment.promised else None


def first_before_last(moment: Moment) -> str | None:
    senders = {promise.sender for promise in moment.promises}
    return "acceptor-2 after acceptor-0" if "acceptor-2" in senders and "acceptor-0" in moment.promised else None


def report_of_nothing(moment: Moment) -> str | None:
    reports = [promise.accepted for promise in moment.promises if promise.accepted]
    return "what was never proposed is reported" if not {*reports} <= {*moment.issued} else None


def unpromised_number(moment: Moment) -> str | None:
    highest = max([*moment.promised.values(), *(promise.id for promise in moment.promises)], default=0)
    return "a number is proposed that is not promised" if any(id > highest for id, _ in moment.issued) else None


@pytest.mark.parametrize(
    ("lost", "model"),
    [
        (one_number_two_values, Model(1, 1, acceptor=Retires, proposer=ChangesItsProposal)),
        (two_learn, Model(1, 2)),
        (last_before_first, Model(3, 1)),
        (first_before_last, Model(3, 1)),
        (unpromised_number, Model(2, 2, proposer=SkipsPhase1)),
    ],
)
def test_a_property_that_is_added_to_those_of_safety_is_lost_by_actors_that_lose_it(
    lost: Callable[[Moment], str | None], model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    added = Property("added", lost)
    model = replace(model, properties=add_to_always(added, monkeypatch))
    assert found(model)[0] == added
    assert found(model) == found(in_full(replace(model, symmetric=False)))


@pytest.mark.parametrize("lost", [one_number_two_values, report_of_nothing, unpromised_number])
def test_a_property_that_is_added_to_those_of_safety_is_not_lost_by_correct_actors(
    lost: Callable[[Moment], str | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    properties = add_to_always(Property("added", lost), monkeypatch)
    assert found(Model(1, 2, 2, restarts=0, properties=properties)) == (None, 0, [])


def add_to_always(added: Property, monkeypatch: pytest.MonkeyPatch) -> tuple[Property, ...]:
    """Add a property to those that must always hold, wherever these are read; return all of them."""
    properties = (*ALWAYS, added)
    for name, module in list(sys.modules.items()):
        if name.startswith("toy_paxos.") and hasattr(module, "ALWAYS"):
            monkeypatch.setattr(module, "ALWAYS", properties)
    return properties


def test_for_a_property_that_declares_nothing_no_message_is_removed() -> None:
    seen: list[int] = []

    def look(moment: Moment) -> None:
        seen.append(len(moment.issued))

    report = check(Model(2, 2, properties=(*ALWAYS, Property("its own", look))))
    assert report.safe
    assert report.states > check(Model(2, 2)).states
    assert max(seen) == 2


def test_two_learners_are_compared_if_no_other_property_finds_the_fault() -> None:
    model = Model(2, quorums=(1, 1), restarts=0, properties=(LEARNERS_AGREE,))
    assert found(model) == found(in_full(model))
    assert found(model) == (LEARNERS_AGREE, 8, [])
