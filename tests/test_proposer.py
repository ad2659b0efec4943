"""The proposer: quorums, the choice of the value, and when it acts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toy_paxos.message import Accept, Fail, Message, Prepare, Promise, Proposal, Propose, Terminate, Timeout
from toy_paxos.proposer import Proposer, majority, safe_value

proposals = st.builds(Proposal, st.integers(1, 9), st.sampled_from("xyz"))


def new_proposer(num_acceptors: int, id: int = 1) -> Proposer:
    return Proposer("proposer-0", "own", [f"acceptor-{n}" for n in range(num_acceptors)], id)


def promise(number: int, id: int = 1, accepted: Proposal | None = None) -> Promise:
    return Promise(f"acceptor-{number}", "proposer-0", id, accepted)


def accept(number: int, id: int = 1, value: str = "own") -> Accept:
    return Accept(f"acceptor-{number}", "proposer-0", id, value)


def fail(number: int, id: int = 1) -> Fail:
    return Fail(f"acceptor-{number}", "proposer-0", id)


@pytest.mark.parametrize(
    ("num_acceptors", "expected"), [(1, 1), (2, 2), (3, 2), (4, 3), (5, 3), (6, 4), (7, 4), (10_000, 5_001)]
)
def test_a_majority_is_more_than_half(num_acceptors: int, expected: int) -> None:
    assert majority(num_acceptors) == expected


@given(st.integers(1, 10_000))
def test_two_majorities_overlap_and_no_smaller_groups_must(num_acceptors: int) -> None:
    assert 2 * majority(num_acceptors) > num_acceptors
    assert 2 * (majority(num_acceptors) - 1) <= num_acceptors


def test_own_value_is_safe_if_nothing_was_accepted() -> None:
    assert safe_value([None, None], "own") == "own"


def test_the_highest_numbered_accepted_value_is_the_safe_one() -> None:
    assert safe_value([Proposal(2, "y"), None, Proposal(10, "x"), Proposal(9, "z")], "own") == "x"


@given(st.lists(st.none() | proposals, min_size=1))
def test_no_accepted_proposal_outranks_the_safe_value(accepted: list[Proposal | None]) -> None:
    value = safe_value(accepted, "own")
    reported = [proposal for proposal in accepted if proposal]
    top = max((proposal.id for proposal in reported), default=0)
    assert value in {proposal.value for proposal in reported if proposal.id == top} or (not reported and value == "own")


def test_prepares_with_every_acceptor() -> None:
    assert new_proposer(2, id=7).prepare() == [
        Prepare("proposer-0", "acceptor-0", 7),
        Prepare("proposer-0", "acceptor-1", 7),
    ]


@given(st.integers(1, 9))
def test_proposes_to_all_at_the_promise_that_makes_the_majority(num_acceptors: int) -> None:
    proposer = new_proposer(num_acceptors)
    answers = [proposer.receive(promise(number)) for number in range(num_acceptors)]
    to_all = [Propose("proposer-0", f"acceptor-{n}", 1, "own") for n in range(num_acceptors)]
    nothing: list[Message] = []
    quorum = majority(num_acceptors)
    assert answers == [nothing] * (quorum - 1) + [to_all] + [nothing] * (num_acceptors - quorum)


@given(st.integers(1, 9))
def test_learns_at_the_accept_that_makes_the_majority(num_acceptors: int) -> None:
    proposer = new_proposer(num_acceptors)
    for number in range(num_acceptors):
        proposer.receive(promise(number))
    learned = []
    for number in range(num_acceptors):
        assert proposer.receive(accept(number)) == []
        learned.append(proposer.learned)
    quorum = majority(num_acceptors)
    assert learned == [None] * (quorum - 1) + ["own"] * (num_acceptors - quorum + 1)


@given(st.integers(1, 9))
def test_terminates_once_at_the_refusal_that_rules_a_majority_out(num_acceptors: int) -> None:
    proposer = new_proposer(num_acceptors)
    answers = [proposer.receive(fail(number)) for number in range(num_acceptors)]
    to_all = [Terminate("proposer-0", f"acceptor-{n}", 1) for n in range(num_acceptors)]
    nothing: list[Message] = []
    spared = num_acceptors - majority(num_acceptors)
    assert answers == [nothing] * spared + [to_all] + [nothing] * (num_acceptors - spared - 1)


def test_adopts_the_highest_numbered_value_among_the_promises_of_the_majority() -> None:
    proposer = new_proposer(3, id=9)
    proposer.receive(promise(0, 9, Proposal(3, "x")))
    proposed = proposer.receive(promise(1, 9, Proposal(5, "y")))
    assert proposed[0] == Propose("proposer-0", "acceptor-0", 9, "y")


def test_the_same_acceptor_counts_once() -> None:
    proposer = new_proposer(3)
    assert proposer.receive(promise(0)) == proposer.receive(promise(0)) == []
    assert proposer.receive(promise(1)) != []
    proposer.receive(accept(0))
    proposer.receive(accept(0))
    assert proposer.learned is None


def test_the_same_refusal_counts_once() -> None:
    proposer = new_proposer(3)
    assert proposer.receive(fail(0)) == proposer.receive(fail(0)) == []


def test_a_refusal_in_phase_2_does_not_terminate_the_attempt() -> None:
    proposer = new_proposer(3)
    proposer.receive(promise(0))
    proposer.receive(promise(1))
    assert [proposer.receive(fail(number)) for number in range(3)] == [[], [], []]


def test_answers_to_another_number_are_ignored() -> None:
    proposer = new_proposer(1, id=2)
    assert proposer.receive(promise(0, id=1)) == []
    proposer.receive(promise(0, id=2))
    proposer.receive(accept(0, id=1))
    assert proposer.learned is None
    proposer.receive(accept(0, id=2))
    assert proposer.learned == "own"


def test_a_message_that_is_not_an_answer_is_ignored() -> None:
    assert new_proposer(1).receive(Prepare("proposer-1", "proposer-0", 1)) == []


def timeout(id: int) -> Timeout:
    return Timeout("clock", "proposer-0", id)


def test_a_timeout_begins_another_attempt_under_the_next_number() -> None:
    proposer = Proposer("proposer-0", "own", ["acceptor-0"], id=2, id_step=3)
    assert proposer.receive(timeout(2)) == [Prepare("proposer-0", "acceptor-0", 5)]
    assert proposer.receive(timeout(5)) == [Prepare("proposer-0", "acceptor-0", 8)]


def test_a_timeout_for_another_number_is_ignored() -> None:
    proposer = new_proposer(1, id=2)
    assert proposer.receive(timeout(1)) == []
    assert proposer.id == 2


def test_a_new_attempt_counts_anew() -> None:
    proposer = new_proposer(3)
    proposer.receive(promise(0))
    proposer.receive(fail(1))
    proposer.receive(timeout(1))
    assert proposer.receive(promise(1, id=2)) == []
    assert proposer.receive(fail(2, id=2)) == []
    assert proposer.receive(promise(0, id=2)) != []


def test_a_proposer_that_has_learned_makes_no_other_attempt() -> None:
    proposer = new_proposer(1)
    proposer.receive(promise(0))
    proposer.receive(accept(0))
    assert proposer.receive(timeout(1)) == []
    assert proposer.receive(accept(0, value="other")) == []
    assert proposer.learned == "own"


def test_a_promise_stands_though_its_acceptor_refuses_the_same_request_again() -> None:
    proposer = new_proposer(5)
    for number in range(2):
        proposer.receive(promise(number))
        proposer.receive(fail(number))
    assert proposer.receive(fail(2)) == []
    assert proposer.receive(promise(3)) != []


def test_a_promise_takes_the_refusal_of_its_acceptor_back() -> None:
    proposer = new_proposer(3)
    assert [proposer.receive(answer) for answer in (fail(0), promise(0), fail(1))] == [[], [], []]
    assert [message.type for message in proposer.receive(promise(2))] == ["PROPOSE"] * 3


def test_an_abandoned_attempt_is_not_taken_up_again() -> None:
    proposer = new_proposer(3)
    proposer.receive(fail(0))
    assert [message.type for message in proposer.receive(fail(1))] == ["TERMINATE"] * 3
    assert [proposer.receive(promise(number)) for number in range(3)] == [[], [], []]


@given(st.integers(1, 9), st.data())
def test_numbers_of_different_proposers_never_meet(num_proposers: int, data: st.DataObject) -> None:
    first, second = (data.draw(st.integers(1, num_proposers)) for _ in range(2))
    numbers = []
    for id in (first, second):
        proposer = Proposer("proposer-0", "own", ["acceptor-0"], id, num_proposers)
        numbers.append({id})
        for _ in range(20):
            (prepare,) = proposer.receive(timeout(proposer.id))
            numbers[-1].add(prepare.id)
    assert first == second or numbers[0].isdisjoint(numbers[1])


@pytest.mark.parametrize("quorums", [(4, 2), (2, 4), (1, 1), (5, 5)])
def test_quorums_of_promises_and_of_acceptances_can_differ_in_size(quorums: tuple[int, int]) -> None:
    proposer = Proposer("proposer-0", "own", [f"acceptor-{n}" for n in range(5)], quorums=quorums)
    proposed = [bool(proposer.receive(promise(number))) for number in range(5)]
    assert proposed.index(True) + 1 == quorums[0]
    learned = []
    for number in range(5):
        proposer.receive(accept(number))
        learned.append(proposer.learned)
    assert learned.index("own") + 1 == quorums[1]


def test_it_terminates_at_the_refusal_that_leaves_no_quorum_of_promises() -> None:
    proposer = Proposer("proposer-0", "own", [f"acceptor-{n}" for n in range(5)], quorums=(4, 2))
    assert [len(proposer.receive(fail(number))) for number in range(3)] == [0, 5, 0]
