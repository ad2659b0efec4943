"""States as numbers: what follows from what, and which states are one but for the names."""

from collections import Counter
from itertools import permutations

import pytest

from toy_paxos.acceptor import Acceptor
from toy_paxos.checking.cluster import CheckError, Cluster, Model, State, Symmetry, numbers
from toy_paxos.message import Message, Prepare, Promise
from toy_paxos.proposer import Proposer


def all_states(cluster: Cluster) -> list[State]:
    """Every state that can be reached, by names and all."""
    found = {cluster.start: None}
    for state in (queue := [cluster.start]):
        for _, _, after in cluster.successors(state):
            if after not in found:
                found[after] = None
                queue.append(after)
    return list(found)


def test_a_set_of_messages_is_the_bits_of_a_number() -> None:
    assert list(numbers(0b101001)) == [0, 3, 5]
    assert list(numbers(0)) == []


def test_at_the_start_the_proposers_have_spoken_and_nobody_has_heard() -> None:
    cluster = Cluster(Model())
    *actors, sent, _ = cluster.start
    assert len(set(actors)) == 1
    assert {cluster.messages[number].type for number in numbers(sent)} == {"PREPARE"}
    assert len(list(numbers(sent))) == 6


def test_every_message_can_be_next_and_stays_in_the_network() -> None:
    cluster = Cluster(Model())
    sent = cluster.start[-2]
    successors = list(cluster.successors(cluster.start))
    assert sorted(number for number, _, _ in successors) == list(numbers(sent))
    for _, _, after in successors:
        assert after[-2] & sent == sent
        assert after[-2] != sent


def test_what_changes_nothing_is_no_transition() -> None:
    cluster = Cluster(Model(num_acceptors=1, num_proposers=1))
    (_, _, promised), *others = cluster.successors(cluster.start)
    assert not others
    assert [cluster.messages[number].type for number, _, _ in cluster.successors(promised)] == ["PROMISE"]


def test_the_environment_speaks_once_for_each_attempt_but_the_last() -> None:
    environment = list(Model(num_acceptors=1, max_attempts=3).environment())
    assert [(m.type, m.recipient, m.id) for m in environment] == [
        ("TIMEOUT", "proposer-0", 1),
        ("TIMEOUT", "proposer-0", 3),
        ("TIMEOUT", "proposer-1", 2),
        ("TIMEOUT", "proposer-1", 4),
        ("RESTART", "acceptor-0", 1),
    ]


def test_a_timeout_is_delivered_once() -> None:
    cluster = Cluster(Model(num_acceptors=1, num_proposers=1, max_attempts=2))
    timeout = next(at for at, message in enumerate(cluster.messages) if message.type == "TIMEOUT")
    (after,) = (after for number, _, after in cluster.successors(cluster.start) if number == timeout)
    assert after[-1] == cluster.start[-1] & ~(1 << timeout)
    assert timeout not in [number for number, _, _ in cluster.successors(after)]


def test_fail_is_not_delivered_unless_asked_for() -> None:
    without = Cluster(Model(num_acceptors=1))
    all_states(without)
    assert "FAIL" not in {message.type for message in without.messages}
    cluster = Cluster(Model(num_acceptors=1, never_delivered=()))
    all_states(cluster)
    assert {"FAIL", "TERMINATE"} <= {message.type for message in cluster.messages}


@pytest.mark.parametrize(("num_acceptors", "num_proposers"), [(1, 2), (2, 2), (3, 1), (2, 3), (3, 2)])
def test_canonical_states_are_the_same_for_all_names_and_stand_for_all_states(
    num_acceptors: int, num_proposers: int
) -> None:
    cluster = Cluster(Model(num_acceptors, num_proposers))
    symmetry = Symmetry(cluster)
    states = all_states(cluster)
    orders = list(permutations(range(num_acceptors)))
    orbits: dict[State, set[State]] = {}
    for state in states:
        canonical, order = symmetry.canonical(state)
        assert symmetry.rename(state, order) == canonical
        orbits.setdefault(canonical, set()).add(state)
    for canonical, orbit in orbits.items():
        assert orbit == {symmetry.rename(canonical, order) for order in orders}
    assert sum(map(len, orbits.values())) == len(states)


class Lopsided(Acceptor):
    """It tells the next acceptor of each promise, so that what concerns one concerns two."""

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
    for state in all_states(cluster)[:3_000]:
        canonical, _ = symmetry.canonical(state)
        for order in permutations(range(3)):
            assert symmetry.canonical(symmetry.rename(state, order))[0] == canonical


class Failing(Acceptor):
    def receive(self, message: Message) -> list[Message]:
        raise RuntimeError("out of order")


class Stray(Acceptor):
    def receive(self, message: Message) -> list[Message]:
        return [Prepare(self.name, "nobody", 1)]


class Silent(Acceptor):
    def receive(self, message: Message) -> list[Message]:
        return None  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("acceptor", "words"),
    [
        (Failing, "on receiving PREPARE 1 from proposer-0 to acceptor-0: RuntimeError: out of order"),
        (Stray, "on receiving PREPARE 1 from proposer-0 to acceptor-0: LookupError: PREPARE to 'nobody'"),
        (Silent, "on receiving PREPARE 1 from proposer-0 to acceptor-0: TypeError: "),
    ],
)
def test_an_actor_that_fails_is_named_with_its_message(acceptor: type[Acceptor], words: str) -> None:
    cluster = Cluster(Model(acceptor=acceptor))
    with pytest.raises(CheckError, match=words):
        list(cluster.successors(cluster.start))


class WithDie(Acceptor):
    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.die = print


def test_an_actor_with_more_than_data_cannot_be_checked() -> None:
    with pytest.raises(CheckError, match=r"acceptor-0 cannot be checked: .* is not plain data"):
        Cluster(Model(acceptor=WithDie))


def test_actors_that_cannot_begin_are_named() -> None:
    with pytest.raises(CheckError, match="the actors cannot begin: TypeError"):
        Cluster(Model(proposer=Acceptor))  # type: ignore[arg-type]


def test_a_woken_actor_is_in_its_state() -> None:
    cluster = Cluster(Model(num_acceptors=1, num_proposers=1))
    _, position, after = next(iter(cluster.successors(cluster.start)))
    actor = cluster.wake(position, after[position])
    assert isinstance(actor, Acceptor)
    assert (actor.name, actor.promised) == ("acceptor-0", 1)
    assert isinstance(cluster.wake(0, after[0]), Proposer)


class Alias(Acceptor):
    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.one: list[int] = []
        self.other = self.one


class Cycle(Acceptor):
    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.me = self


class Counted(Acceptor):
    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.counts: Counter[str] = Counter()


@pytest.mark.parametrize(
    ("acceptor", "words"),
    [
        (Alias, "a list can be reached in two ways"),
        (Cycle, "in two ways"),
        (Counted, "a Counter is not plain data"),
    ],
)
def test_a_state_that_could_not_be_put_back_as_it_was_is_refused(acceptor: type[Acceptor], words: str) -> None:
    with pytest.raises(CheckError, match=words):
        list(Cluster(Model(acceptor=acceptor)).successors(Cluster(Model(acceptor=acceptor)).start))


class Leaving(Acceptor):
    def receive(self, message: Message) -> list[Message]:
        raise SystemExit(0)


def test_an_actor_cannot_leave_the_check() -> None:
    cluster = Cluster(Model(acceptor=Leaving))
    with pytest.raises(CheckError, match="SystemExit"):
        list(cluster.successors(cluster.start))
