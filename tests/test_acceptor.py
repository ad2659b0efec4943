"""The acceptor's two rules, by example and for any sequence of requests."""

import random
from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from toy_paxos.acceptor import Acceptor, FailingAcceptor
from toy_paxos.message import Accept, Fail, Message, Prepare, Promise, Proposal, Propose, Terminate

requests = st.lists(
    st.one_of(
        st.builds(Prepare, st.just("proposer-0"), st.just("acceptor-0"), st.integers(1, 5)),
        st.builds(Propose, st.just("proposer-0"), st.just("acceptor-0"), st.integers(1, 5), st.sampled_from("xyz")),
        st.builds(Terminate, st.just("proposer-0"), st.just("acceptor-0"), st.integers(1, 5)),
    ),
    max_size=20,
)


def prepare(id: int) -> Prepare:
    return Prepare("proposer-0", "acceptor-0", id)


def propose(id: int, value: str) -> Propose:
    return Propose("proposer-0", "acceptor-0", id, value)


def fail(id: int) -> Fail:
    return Fail("acceptor-0", "proposer-0", id)


def test_promises_the_first_number_and_has_nothing_to_report() -> None:
    assert Acceptor("acceptor-0").receive(prepare(1)) == [Promise("acceptor-0", "proposer-0", 1, None)]


def test_refuses_a_number_that_is_not_above_the_promised_one() -> None:
    acceptor = Acceptor("acceptor-0")
    acceptor.receive(prepare(2))
    assert acceptor.receive(prepare(2)) == [fail(2)]
    assert acceptor.receive(prepare(1)) == [fail(1)]


def test_accepts_under_the_promised_number() -> None:
    acceptor = Acceptor("acceptor-0")
    acceptor.receive(prepare(1))
    assert acceptor.receive(propose(1, "x")) == [Accept("acceptor-0", "proposer-0", 1, "x")]


def test_accepts_under_no_other_number_lower_or_higher() -> None:
    acceptor = Acceptor("acceptor-0")
    acceptor.receive(prepare(2))
    assert acceptor.receive(propose(1, "x")) == [fail(1)]
    assert acceptor.receive(propose(3, "x")) == [fail(3)]


def test_reports_what_it_accepted_last() -> None:
    acceptor = Acceptor("acceptor-0")
    for id, value in ((1, "x"), (2, "y")):
        acceptor.receive(prepare(id))
        acceptor.receive(propose(id, value))
    promise = Promise("acceptor-0", "proposer-0", 3, Proposal(2, "y"))
    assert acceptor.receive(prepare(3)) == [promise]


def test_answers_the_sender_of_the_request() -> None:
    acceptor = Acceptor("acceptor-7")
    (promise,) = acceptor.receive(Prepare("proposer-3", "acceptor-7", 1))
    assert (promise.sender, promise.recipient) == ("acceptor-7", "proposer-3")


def test_terminate_needs_no_answer_and_changes_nothing() -> None:
    acceptor = Acceptor("acceptor-0")
    acceptor.receive(prepare(1))
    assert acceptor.receive(Terminate("proposer-0", "acceptor-0", 1)) == []
    assert acceptor.receive(propose(1, "x")) == [Accept("acceptor-0", "proposer-0", 1, "x")]


@given(requests)
def test_promises_only_ever_rise(messages: list[Message]) -> None:
    acceptor = Acceptor("acceptor-0")
    answers = [answer for message in messages for answer in acceptor.receive(message)]
    promised = [answer.id for answer in answers if isinstance(answer, Promise)]
    assert promised == sorted(set(promised))


@given(requests)
def test_nothing_is_accepted_without_its_promise_being_the_latest(messages: list[Message]) -> None:
    acceptor = Acceptor("acceptor-0")
    promised = None
    for message in messages:
        for answer in acceptor.receive(message):
            if isinstance(answer, Promise):
                promised = answer.id
            if isinstance(answer, Accept):
                assert answer.id == promised


@given(requests)
def test_every_promise_reports_the_last_acceptance(messages: list[Message]) -> None:
    acceptor = Acceptor("acceptor-0")
    last = None
    for message in messages:
        for answer in acceptor.receive(message):
            if isinstance(answer, Promise):
                assert answer.accepted == last
            if isinstance(answer, Accept):
                last = Proposal(answer.id, answer.value)


@given(requests)
def test_every_request_gets_one_answer_under_its_own_number(messages: list[Message]) -> None:
    acceptor = Acceptor("acceptor-0")
    for message in messages:
        answers = acceptor.receive(message)
        assert [answer.id for answer in answers] == [message.id] * (not isinstance(message, Terminate))


def failing(failure_prob: float, draw: Callable[[], float]) -> FailingAcceptor:
    return FailingAcceptor(Acceptor("acceptor-0"), failure_prob, draw)


def test_failing_means_to_say_fail_and_to_forget_the_request() -> None:
    acceptor = failing(0.5, iter([0.0, 0.99, 0.0, 0.99]).__next__)
    assert acceptor.receive(prepare(1)) == [fail(1)]
    assert acceptor.receive(prepare(1)) == [Promise("acceptor-0", "proposer-0", 1, None)]
    assert acceptor.receive(propose(1, "x")) == [fail(1)]
    assert acceptor.receive(prepare(2)) == [Promise("acceptor-0", "proposer-0", 2, None)]
    assert acceptor.failures == [True, False, True, False]


def test_a_lot_is_drawn_for_requests_only() -> None:
    acceptor = failing(1.0, lambda: 1 / 0)
    assert acceptor.receive(Terminate("proposer-0", "acceptor-0", 1)) == []


def test_the_smallest_draw_is_not_a_failure_with_probability_0() -> None:
    acceptor = failing(0.0, lambda: 0.0)
    assert acceptor.receive(prepare(1)) == [Promise("acceptor-0", "proposer-0", 1, None)]


def test_fails_always_with_probability_1_and_never_with_0() -> None:
    draw = random.Random(1).random
    always, never = failing(1, draw), failing(0, draw)
    for id in range(1, 1000):
        assert always.receive(prepare(id)) == [fail(id)]
        assert never.receive(prepare(id)) == [Promise("acceptor-0", "proposer-0", id, None)]


def test_any_acceptor_can_fail() -> None:
    class Terse:
        name = "acceptor-0"

        def receive(self, message: Message) -> list[Message]:
            return [Accept(self.name, message.sender, message.id, "x")]

    acceptor = FailingAcceptor(Terse(), 0.5, iter([0.9, 0.1]).__next__)
    assert acceptor.receive(prepare(1)) == [Accept("acceptor-0", "proposer-0", 1, "x")]
    assert acceptor.receive(prepare(1)) == [fail(1)]
