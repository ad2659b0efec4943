"""States as numbers: the steps between them, and what cannot be a state or a message."""

import logging
from collections import Counter, defaultdict, deque
from collections.abc import Callable
from dataclasses import replace
from threading import Lock
from typing import Any

import pytest
from wrong_actors import KnowsByClass, LearnsByProperty

from toy_paxos.acceptor import Acceptor
from toy_paxos.checking import CheckError, Model, check
from toy_paxos.checking.cluster import Cluster, numbers
from toy_paxos.checking.determinism import walk_real_actors
from toy_paxos.message import Accept, Message, Prepare, Promise, Propose
from toy_paxos.proposer import Proposer


def try_all(model: Model) -> Cluster:
    """Return a cluster in which every actor has received all messages of the start."""
    cluster = Cluster(model)
    for position in range(len(cluster.actors)):
        for number in cluster.effective(position, 0, cluster.start.said | cluster.start.pending):
            cluster.step(position, 0, number)
    return cluster


def test_a_set_of_messages_is_the_bits_of_a_number() -> None:
    assert list(numbers(0b101001)) == [0, 3, 5]
    assert list(numbers(0)) == []


def test_at_the_start_proposers_have_spoken_and_no_message_is_delivered() -> None:
    cluster = Cluster(Model())
    actors, said, pending, chosen = cluster.start
    assert (set(actors), chosen) == ({0}, 0)
    assert [cluster.messages[number].type for number in numbers(said)] == ["PREPARE"] * 6
    assert [cluster.messages[number].type for number in numbers(pending)] == ["RESTART"] * 3


def test_a_step_is_taken_once_and_cached() -> None:
    cluster = Cluster(Model(num_acceptors=1, num_proposers=1))
    after, said = cluster.step(1, 0, 0)
    assert cluster.steps == {(1, 0, 0): (after, said)}
    (promise,) = (cluster.messages[number] for number in numbers(said))
    assert promise == Promise("acceptor-0", "proposer-0", 1, None)
    actor = cluster.restore(1, after)
    assert isinstance(actor, Acceptor)
    assert (actor.name, actor.promised) == ("acceptor-0", 1)


def test_a_message_without_effect_is_not_effective() -> None:
    cluster = Cluster(Model(num_acceptors=1, num_proposers=1))
    after, _ = cluster.step(1, 0, 0)
    assert list(cluster.effective(1, after, cluster.start.said)) == [0]
    cluster.step(1, after, 0)
    assert list(cluster.effective(1, after, cluster.start.said)) == []
    cluster.forget_steps()
    assert list(cluster.effective(1, after, cluster.start.said)) == [0]


@pytest.mark.parametrize("fail", [False, True])
def test_fail_is_delivered_if_the_model_says_so(fail: bool) -> None:
    cluster = Cluster(Model(num_acceptors=1, fail=fail))
    after, _ = cluster.step(2, 0, 1)
    _, said = cluster.step(2, after, 0)
    assert [cluster.messages[number].type for number in numbers(said)] == ["FAIL"] * fail


def test_learned_may_be_an_attribute_of_the_class_or_a_property() -> None:
    cluster = Cluster(Model(proposer=KnowsByClass))
    assert cluster.learned(0, 0) == "value-0"
    assert Cluster(Model(proposer=LearnsByProperty)).learned(0, 0) is None


class Failing(Acceptor):
    def receive(self, message: Message) -> list[Message]:
        raise RuntimeError("out of\norder")


class Stray(Acceptor):
    def receive(self, message: Message) -> list[Message]:
        return [Prepare(self.name, "nobody", 1)]


class Silent(Acceptor):
    def receive(self, message: Message) -> list[Message]:
        return None  # type: ignore[return-value]


class Talkative(Acceptor):
    def receive(self, message: Message) -> list[Message]:
        return ["promised"]  # type: ignore[list-item]


class Unhashable(Acceptor):
    def receive(self, message: Message) -> list[Message]:
        return [Accept(self.name, message.sender, 1, ["no text"])]  # type: ignore[arg-type]


class Unnumbered(Acceptor):
    def receive(self, message: Message) -> list[Message]:
        return [Promise(self.name, message.sender, None, None)]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("acceptor", "words"),
    [
        (Failing, "RuntimeError: out of order (test_cluster.py, line "),
        (Stray, "PREPARE to 'nobody', but no actor has that name (test_cluster.py, line "),
        (Silent, "receive returned None, not a list of messages (test_cluster.py, line "),
        (
            Talkative,
            "an object of type str is not a message: it lacks an attribute type, a text such as 'PROMISE' (",
        ),
        (Unhashable, "the value of a ACCEPT has type list, not str (test_cluster.py, line "),
        (Unnumbered, "the id of a PROMISE has type NoneType, not int (test_cluster.py, line "),
    ],
)
def test_an_actor_that_fails_is_named_with_its_message(acceptor: type[Acceptor], words: str) -> None:
    with pytest.raises(CheckError) as refused:
        try_all(Model(acceptor=acceptor))
    assert str(refused.value).startswith(f"on receiving PREPARE 1 from proposer-0 to acceptor-0: {words}")


class Ordinary(Acceptor):
    """It is written as people write: a table of handlers, collections of the library, a logger, aliases."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.handlers: dict[type[Message], Any] = {Prepare: self.promise, Propose: self.accept}
        self.default: Callable[[Message], list[Message]] = nothing
        self.counts: Counter[str] = Counter()
        self.seen: defaultdict[str, deque[int]] = defaultdict(deque)
        self.log = logging.getLogger(__name__)
        self.memory: list[int] = []
        self.same_memory = self.memory
        self.me = [self]

    def receive(self, message: Message) -> list[Message]:
        assert self.me[0] is self
        assert self.memory is self.same_memory
        if isinstance(message, Prepare) and message.id > self.promised:
            self.counts[message.type] += 1
            self.seen[message.sender].append(message.id)
            self.memory.append(message.id)
        self.log.debug("%s", message)
        answers: list[Message] = self.handlers.get(type(message), self.default)(message)
        return answers


def nothing(message: Message) -> list[Message]:
    return []


def test_an_actor_in_ordinary_python_is_checked() -> None:
    report = check(Model(2, 2, max_attempts=2, acceptor=Ordinary))
    assert (report.complete, report.verdict, report.progress) == (True, "safe", "kept")


class Holds:
    def __init__(self, what: object) -> None:
        self.what = what


class WithLock(Acceptor):
    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.lock = Lock()


class WithHiddenLock(Acceptor):
    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.parts = [Holds(Lock())]


class WithLambda(Acceptor):
    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.handle = lambda: None


class WithFunction(Acceptor):
    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.die = print


@pytest.mark.parametrize(
    ("acceptor", "words"),
    [
        (WithLock, "acceptor-0: self.lock is a lock: keep locks out of the actor"),
        (WithHiddenLock, "self.parts holds a lock: keep locks out of the actor"),
        (WithLambda, "self.handle is a function: use a method, or a function that is defined in a module"),
        (WithFunction, "self.die is a builtin_function_or_method: its state cannot be compared"),
    ],
)
def test_a_state_that_cannot_be_restored_is_refused(acceptor: type[Acceptor], words: str) -> None:
    with pytest.raises(CheckError, match=words):
        Cluster(Model(acceptor=acceptor))


def same_name(name: str) -> Acceptor:
    return Acceptor("acceptor")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"proposer": Acceptor}, "the actors cannot begin: TypeError"),
        ({"acceptor": same_name}, r"the actors cannot begin: two of them have the same name \(test_cluster.py"),
    ],
)
def test_actors_that_cannot_begin_are_named(change: dict[str, Any], words: str) -> None:
    with pytest.raises(CheckError, match=words):
        Cluster(replace(Model(), **change))


class Keeping(Acceptor):
    """It keeps a request, and does not change it."""

    request: Message | None = None

    def accept(self, request: Propose) -> list[Message]:
        self.request = request
        return super().accept(request)


class Spoiling(Keeping):
    """It changes a request that it has kept."""

    def promise(self, request: Prepare) -> list[Message]:
        if self.request:
            self.request.id += 1
        return super().promise(request)


def test_an_actor_may_keep_a_message_but_not_change_it() -> None:
    for acceptor in (Keeping, Spoiling):
        cluster = Cluster(Model(acceptor=acceptor))
        if acceptor is Keeping:
            walk_real_actors(cluster)
            continue
        with pytest.raises(CheckError, match=r"a PROPOSE of proposer-. is changed after it was sent"):
            walk_real_actors(cluster)


class DeletesAndAdds(Proposer):
    """It deletes one attribute, and adds another one."""

    def receive(self, message: Message) -> list[Message]:
        if hasattr(self, "abandoned"):
            del self.abandoned
            self.lost = True
        return []


def test_a_deleted_attribute_is_deleted_in_the_state() -> None:
    cluster = Cluster(Model(1, 1, 2, proposer=DeletesAndAdds))
    (timeout,) = cluster.effective(0, 0, cluster.start.pending)
    after, _ = cluster.step(0, 0, timeout)
    woken = cluster.restore(0, after)
    assert not hasattr(woken, "abandoned")
    assert vars(woken)["lost"] is True
