"""The claims of Lamport's *Paxos Made Simple* (2001), by section, as far as one proposer shows them.

The acceptor here is stricter than the paper's: it accepts only under the number that it promised last,
not under any number that is not below it. What the paper demands still holds.
"""

from collections.abc import Sequence

import pytest

from toy_paxos.acceptor import Acceptor
from toy_paxos.actor_registry import ActorRegistry, deliver
from toy_paxos.message import Accept, Fail, Message, Prepare, Promise, Proposal, Propose
from toy_paxos.proposer import Proposer, majority


def attempt(acceptors: Sequence[Acceptor], id: int, value: str) -> tuple[Proposer, list[Message]]:
    """One attempt by one proposer among these acceptors: the proposer afterwards, and the transcript."""
    actors = ActorRegistry()
    proposer = Proposer("proposer-0", value, [acceptor.name for acceptor in acceptors], id)
    actors.register(proposer)
    for acceptor in acceptors:
        actors.register(acceptor)
    return proposer, list(deliver(actors, proposer.prepare()))


def fresh(number: int) -> list[Acceptor]:
    return [Acceptor(f"acceptor-{n}") for n in range(number)]


def having_accepted(*proposals: Proposal | None) -> list[Acceptor]:
    """Acceptors with a past: each accepted that proposal, or nothing."""
    acceptors = fresh(len(proposals))
    for acceptor, proposal in zip(acceptors, proposals, strict=True):
        if proposal:
            acceptor.receive(Prepare("proposer-9", acceptor.name, proposal.id))
            acceptor.receive(Propose("proposer-9", acceptor.name, *proposal))
    return acceptors


def chosen(acceptors: Sequence[Acceptor]) -> set[Proposal]:
    """Section 2.2: a proposal is chosen when a majority of acceptors has accepted it."""
    accepted = [acceptor.accepted for acceptor in acceptors if acceptor.accepted]
    return {proposal for proposal in accepted if accepted.count(proposal) >= majority(len(acceptors))}


@pytest.mark.parametrize("num_acceptors", [1, 2, 3, 4, 5])
def test_2_1_only_a_proposed_value_is_chosen_and_only_one(num_acceptors: int) -> None:
    acceptors = fresh(num_acceptors)
    attempt(acceptors, 1, "x")
    assert chosen(acceptors) == {Proposal(1, "x")}


@pytest.mark.parametrize("num_acceptors", [1, 2, 3, 4, 5])
def test_2_1_a_process_never_learns_a_value_that_has_not_been_chosen(num_acceptors: int) -> None:
    first, transcript = attempt(fresh(num_acceptors), 1, "x")
    learner = Proposer("proposer-0", "x", first.acceptors)
    accepted = 0
    for message in transcript:
        if message.recipient == learner.name:
            accepted += isinstance(message, Accept)
            learner.receive(message)
        assert (learner.learned is not None) == (accepted >= majority(num_acceptors))


def test_2_2_p1_an_acceptor_accepts_the_first_proposal_it_receives() -> None:
    (acceptor,) = acceptors = fresh(1)
    attempt(acceptors, 1, "x")
    assert acceptor.accepted == Proposal(1, "x")


def test_2_2_an_acceptor_may_accept_more_than_one_proposal() -> None:
    (acceptor,) = acceptors = having_accepted(Proposal(1, "x"))
    attempt(acceptors, 2, "y")
    assert acceptor.accepted == Proposal(2, "x")


def test_2_2_p1a_an_acceptor_accepts_a_number_unless_it_answered_a_prepare_with_a_greater_one() -> None:
    (acceptor,) = fresh(1)
    acceptor.receive(Prepare("proposer-0", "acceptor-0", 1))
    acceptor.receive(Prepare("proposer-1", "acceptor-0", 2))
    assert acceptor.receive(Propose("proposer-0", "acceptor-0", 1, "x")) == [Fail("acceptor-0", "proposer-0", 1)]
    assert acceptor.receive(Propose("proposer-1", "acceptor-0", 2, "y")) == [Accept("acceptor-0", "proposer-1", 2, "y")]


def test_2_2_p2_once_a_value_is_chosen_every_higher_numbered_chosen_proposal_has_it() -> None:
    acceptors = fresh(5)
    attempt(acceptors, 1, "x")
    for id in range(2, 9):
        attempt(acceptors, id, f"value {id}")
        assert chosen(acceptors) == {Proposal(id, "x")}


def test_2_2_p2a_every_higher_numbered_proposal_accepted_by_any_acceptor_has_the_chosen_value() -> None:
    acceptors = having_accepted(Proposal(1, "x"), Proposal(1, "x"), None)
    attempt(acceptors, 2, "y")
    assert [acceptor.accepted for acceptor in acceptors] == [Proposal(2, "x")] * 3


@pytest.mark.parametrize("asked", [(0, 1), (0, 2), (1, 2)])
def test_2_2_p2b_every_higher_numbered_proposal_issued_has_the_chosen_value(asked: tuple[int, ...]) -> None:
    acceptors = having_accepted(Proposal(1, "x"), Proposal(1, "x"), None)
    proposer = Proposer("proposer-0", "y", [acceptor.name for acceptor in acceptors], 2)
    prepares = [proposer.prepare()[number] for number in asked]
    promises = [acceptors[n].receive(prepare)[0] for n, prepare in zip(asked, prepares, strict=True)]
    issued = [message for promise in promises for message in proposer.receive(promise)]
    assert {(message.id, message.value) for message in issued if isinstance(message, Propose)} == {(2, "x")}


def test_2_2_p2c_with_no_acceptance_in_a_majority_the_proposer_is_free_to_choose() -> None:
    acceptors = having_accepted(None, None, Proposal(1, "x"))
    proposer = Proposer("proposer-0", "y", [acceptor.name for acceptor in acceptors], 2)
    first, second, _ = proposer.prepare()
    proposer.receive(acceptors[0].receive(first)[0])
    issued = proposer.receive(acceptors[1].receive(second)[0])
    assert issued == [Propose("proposer-0", f"acceptor-{n}", 2, "y") for n in range(3)]


def test_2_2_p2c_otherwise_it_takes_the_value_of_the_highest_numbered_proposal_accepted() -> None:
    acceptors = having_accepted(Proposal(3, "x"), Proposal(7, "y"), Proposal(5, "z"))
    proposer, _ = attempt(acceptors, 8, "own")
    assert proposer.learned == "y"


def test_2_2_phase_1_a_promise_carries_the_highest_numbered_proposal_accepted() -> None:
    (acceptor,) = having_accepted(Proposal(3, "x"))
    assert acceptor.receive(Prepare("proposer-0", "acceptor-0", 4)) == [
        Promise("acceptor-0", "proposer-0", 4, Proposal(3, "x"))
    ]


def test_2_2_phase_1_a_prepare_below_or_at_the_highest_answered_gets_no_promise() -> None:
    (acceptor,) = fresh(1)
    acceptor.receive(Prepare("proposer-1", "acceptor-0", 4))
    for id in (3, 4):
        answers = acceptor.receive(Prepare("proposer-0", "acceptor-0", id))
        assert not any(isinstance(answer, Promise) for answer in answers)


def test_2_2_phase_2_begins_when_a_majority_has_answered() -> None:
    _, transcript = attempt(fresh(5), 1, "x")
    kinds = [message.type for message in transcript]
    assert kinds == ["PREPARE"] * 5 + ["PROMISE"] * 5 + ["PROPOSE"] * 5 + ["ACCEPT"] * 5


def test_2_2_a_proposer_abandons_a_number_for_which_no_majority_will_answer() -> None:
    acceptors = having_accepted(Proposal(9, "x"), Proposal(9, "x"), None)
    proposer, transcript = attempt(acceptors, 1, "y")
    assert proposer.learned is None
    assert [message.type for message in transcript[6:]] == ["TERMINATE"] * 3


def test_2_3_a_value_accepted_by_a_majority_is_chosen_even_if_its_proposer_never_learns_it() -> None:
    acceptors = fresh(3)
    actors = ActorRegistry()
    proposer = Proposer("proposer-0", "x", [acceptor.name for acceptor in acceptors])
    actors.register(proposer)
    for acceptor in acceptors:
        actors.register(acceptor)
    for message in deliver(actors, proposer.prepare()):
        if isinstance(message, Accept):
            del actors["proposer-0"]
            break
    for acceptor in acceptors[1:]:
        acceptor.receive(Propose("proposer-0", acceptor.name, 1, "x"))
    assert proposer.learned is None
    assert chosen(acceptors) == {Proposal(1, "x")}
