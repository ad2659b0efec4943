"""Determinism: an actor whose steps do not depend only on its attributes and the message is refused."""

from dataclasses import replace

import pytest
from wrong_actors import (
    CountsInModule,
    DrawsLots,
    DrawsLotsOfItsClass,
    GoesByOrderOfSet,
    KeepsALog,
    StoresInClass,
    StoresInDefault,
    forget_what_is_stored,
    with_closure,
)

from toy_paxos.acceptor import Acceptor
from toy_paxos.checking import CheckError, Model, check
from toy_paxos.checking.cluster import Cluster
from toy_paxos.checking.determinism import SharedState, comparable, repeat_steps, walk_real_actors
from toy_paxos.checking.property_cache import PropertyCache
from toy_paxos.checking.reduction import Future
from toy_paxos.message import Message, Promise, Proposal
from toy_paxos.proposer import Proposer


def explored(model: Model) -> Cluster:
    """Return a cluster in which every actor has received all messages that any actor says."""
    cluster = Cluster(model)
    assert Future(cluster, PropertyCache(cluster)).known
    return cluster


@pytest.mark.parametrize("acceptor", [Acceptor, KeepsALog])
def test_deterministic_actors_repeat_their_steps_and_agree_with_the_model(acceptor: type[Acceptor]) -> None:
    cluster = explored(Model(2, 2, acceptor=acceptor))
    shared_state = SharedState(cluster)
    repeat_steps(cluster, cluster.steps)
    walk_real_actors(cluster)
    shared_state.check()


def test_repeated_steps_reveal_state_outside_the_attributes() -> None:
    forget_what_is_stored()
    cluster = explored(Model(2, 2, acceptor=StoresInClass))
    with pytest.raises(CheckError, match=r"acceptor-. does not always do the same"):
        repeat_steps(cluster, cluster.steps)


def test_repeated_steps_reveal_that_an_actor_depends_on_the_order_of_a_set() -> None:
    cluster = explored(Model(3, 2, proposer=GoesByOrderOfSet))
    with pytest.raises(CheckError, match=r"proposer-. does not always do the same"):
        repeat_steps(cluster, cluster.steps)


class TakesAnyOfTheHighest(Proposer):
    """Which report it takes depends on the order of a set only if one number has two values, which cannot happen."""

    def begin_attempt(self, id: int) -> None:
        super().begin_attempt(id)
        self.reports: set[Proposal] = set()

    def count_promise(self, promise: Promise) -> list[Message]:
        self.reports |= {promise.accepted} if promise.accepted else set()
        return super().count_promise(promise)

    def choose_value(self) -> str:
        return max(self.reports, key=lambda report: report.id).value if self.reports else self.value


def test_an_actor_may_do_what_it_likes_in_steps_that_no_execution_has() -> None:
    model = Model(2, 2, max_attempts=2, restarts=0, proposer=TakesAnyOfTheHighest)
    assert check(model).safe
    cluster = explored(model)
    words = r"does not always do the same \(once it says PROPOSE 4 value-. to acceptor-0, once PROPOSE 4 value-. "
    with pytest.raises(CheckError, match=words):
        repeat_steps(cluster, cluster.steps)


class Tired(Acceptor):
    """It is silent unless it was restored from a snapshot."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        Tired.alive[name] = self

    alive: dict[str, Acceptor] = {}  # noqa: RUF012

    def receive(self, message: Message) -> list[Message]:
        return [] if Tired.alive.get(self.name) is self else super().receive(message)


def test_a_walk_of_real_actors_reveals_what_repeated_steps_do_not() -> None:
    cluster = explored(Model(2, 2, acceptor=Tired))
    repeat_steps(cluster, cluster.steps)
    with pytest.raises(CheckError, match=r"acceptor-. does not always do the same"):
        walk_real_actors(cluster)


def test_a_walk_reveals_that_a_message_is_changed_after_it_was_sent() -> None:
    class Quiet(Acceptor):
        """It keeps a sent message outside its attributes, and changes it."""

        sent: dict[str, Message] = {}  # noqa: RUF012

        def receive(self, message: Message) -> list[Message]:
            if self.name in Quiet.sent:
                Quiet.sent[self.name].id = 77
            (Quiet.sent[self.name],) = answers = super().receive(message) or [message]
            return answers

    cluster = Cluster(Model(1, 2, acceptor=Quiet))
    with pytest.raises(CheckError, match=r"a [A-Z]+ of (acceptor-0|power) is changed after it was sent"):
        walk_real_actors(cluster)


@pytest.mark.parametrize(
    ("acceptor", "words"),
    [
        (DrawsLots, "the actors use the module random: "),
        (DrawsLotsOfItsClass, "die of class DrawsLotsOfItsClass has changed: "),
        (CountsInModule, "calls of module wrong_actors has changed: "),
        (StoresInClass, "storage of class StoresInClass has changed: "),
        (StoresInDefault, "promise of class StoresInDefault has changed: "),
        (with_closure(), "promise of class with_closure.<locals>.StoresInClosure has changed: "),
    ],
)
def test_shared_variables_must_not_change(acceptor: type[Acceptor], words: str) -> None:
    forget_what_is_stored()
    cluster = Cluster(Model(1, 2, acceptor=acceptor))
    shared_state = SharedState(cluster)
    shared_state.check()
    for number in (0, 1):
        cluster.step(2, 0, number)
    with pytest.raises(CheckError) as refused:
        shared_state.check()
    assert str(refused.value).startswith(words)


def test_modules_classes_and_functions_are_not_state() -> None:
    assert comparable(pytest) is comparable(Acceptor) is None
    assert comparable(comparable) == comparable(replace) == []
    assert comparable([1]) != comparable([2])


def test_a_function_that_refers_to_itself_can_be_compared() -> None:
    def again(times: int) -> int:
        return again(times - 1) if times else 0

    assert comparable(again) == []
