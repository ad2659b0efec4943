"""Models: the actors, the wishes of proposers, and the messages of the environment."""

from toy_paxos.acceptor import Acceptor
from toy_paxos.actor import ProposingActor
from toy_paxos.checking import Model
from toy_paxos.proposer import Proposer


def test_the_environment_speaks_once_for_each_attempt_but_the_last_and_for_each_restart() -> None:
    environment = list(Model(num_acceptors=1, max_attempts=3, restarts=2).environment())
    assert [(m.type, m.recipient, m.id) for m in environment] == [
        ("TIMEOUT", "proposer-0", 1),
        ("TIMEOUT", "proposer-0", 2),
        ("TIMEOUT", "proposer-1", 1),
        ("TIMEOUT", "proposer-1", 2),
        ("RESTART", "acceptor-0", 1),
        ("RESTART", "acceptor-0", 2),
    ]


def test_values_ascend_with_the_numbers_or_descend() -> None:
    assert Model(num_proposers=3).values == ["value-0", "value-1", "value-2"]
    assert Model(num_proposers=3, descending=True).values == ["value-2", "value-1", "value-0"]


def test_each_proposer_has_its_own_numbers_and_list() -> None:
    proposers, acceptors = Model().new_actors()
    first, second = proposers
    assert isinstance(first, Proposer)
    assert isinstance(second, Proposer)
    assert [(p.name, p.id, p.id_step) for p in (first, second)] == [("proposer-0", 1, 2), ("proposer-1", 2, 2)]
    assert first.acceptors == second.acceptors == [acceptor.name for acceptor in acceptors]
    assert first.acceptors is not second.acceptors


def test_any_class_with_these_arguments_can_take_part() -> None:
    made: list[str] = []

    def acceptor(name: str) -> Acceptor:
        made.append(name)
        return Acceptor(name)

    proposers, _ = Model(num_acceptors=2, acceptor=acceptor).new_actors()
    assert made == ["acceptor-0", "acceptor-1"]
    proposer: ProposingActor = proposers[0]
    assert proposer.learned is None
