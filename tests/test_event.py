"""Deliveries: the answers, why a request was denied, and what the recipient then holds."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from toy_paxos.acceptor import Acceptor, FailingAcceptor
from toy_paxos.event import Delivery, Fate, as_proposal, hand_over, listed, said_by
from toy_paxos.message import Accept, Fail, Message, Prepare, Promise, Proposal, Propose, Terminate
from toy_paxos.message_like import AnswerError
from toy_paxos.proposer import Proposer

PREPARE, PROPOSE = Prepare("proposer-0", "acceptor-0", 3), Propose("proposer-0", "acceptor-0", 3, "x")


def test_a_delivery_shows_what_an_acceptor_has_promised_and_accepted() -> None:
    acceptor = Acceptor("acceptor-0")
    promise = Promise("acceptor-0", "proposer-0", 3, None)
    assert hand_over(acceptor, PREPARE, 5, 2, Fate.DUPLICATE) == Delivery(
        5, PREPARE, Fate.DUPLICATE, 2, [promise], None, 3, None
    )
    event = hand_over(acceptor, PROPOSE, 6, 5)
    assert (event.promised, event.accepted, event.denial) == (3, Proposal(3, "x"), None)


def test_a_delivery_shows_what_a_proposer_has_learned() -> None:
    proposer = Proposer("proposer-0", "x", ["acceptor-0"])
    hand_over(proposer, Promise("acceptor-0", "proposer-0", 1, None), 1, 0, proposes=True)
    event = hand_over(proposer, Accept("acceptor-0", "proposer-0", 1, "x"), 2, 1, proposes=True)
    assert (event.learned, event.promised) == ("x", None)


def test_a_request_is_failed_by_the_die_or_refused_by_the_acceptor() -> None:
    acceptor = FailingAcceptor(Acceptor("acceptor-0"), 0.5, iter([0.0, 0.9, 0.9]).__next__)
    denials = [hand_over(acceptor, PREPARE, 1, 0).denial for _ in range(3)]
    assert denials == ["failed", None, "refused"]


def test_a_request_without_an_answer_is_not_taken_for_a_granted_one() -> None:
    class Silent(Acceptor):
        def receive(self, message: Message) -> list[Message]:
            return []

    assert hand_over(Silent("acceptor-0"), PREPARE, 1, 0).denial == "unanswered"
    assert hand_over(Silent("acceptor-0"), Terminate("proposer-0", "acceptor-0", 3), 1, 0).denial is None


def test_a_message_that_is_not_a_request_is_not_denied() -> None:
    class Rude(Acceptor):
        def receive(self, message: Message) -> list[Message]:
            return [Fail(self.name, message.sender, message.id)]

    terminate = Terminate("proposer-0", "acceptor-0", 3)
    acceptor = FailingAcceptor(Rude("acceptor-0"), 1, lambda: 0.5)
    assert hand_over(acceptor, terminate, 1, 0).denial is None
    assert hand_over(acceptor, PREPARE, 1, 0).denial == "failed"
    assert hand_over(acceptor, terminate, 1, 0).denial is None


@pytest.mark.parametrize(
    ("promised", "accepted", "seen"),
    [
        (2, None, (2, None)),
        (2, (1, "x"), (2, Proposal(1, "x"))),
        (2, Proposal(1, "x"), (2, Proposal(1, "x"))),
        (True, None, (None, None)),
        ("2", None, (None, None)),
        (None, None, (None, None)),
        (2, "x", (None, None)),
        (2, Proposal(1, 7), (None, None)),  # type: ignore[arg-type]
        (2, (1, "x", "more"), (None, None)),
    ],
)
def test_state_in_another_form_is_not_guessed(promised: Any, accepted: Any, seen: tuple[Any, Any]) -> None:
    class Other:
        name = "acceptor-0"

        def __init__(self) -> None:
            self.promised, self.accepted = promised, accepted

        def receive(self, message: Message) -> list[Message]:
            return []

    event = hand_over(Other(), PREPARE, 1, 0)
    assert (event.promised, event.accepted) == seen


def test_an_acceptor_with_nothing_under_these_names_shows_nothing() -> None:
    class Bare:
        name = "acceptor-0"

        def receive(self, message: Message) -> list[Message]:
            return []

    event = hand_over(Bare(), PREPARE, 1, 0)
    assert (event.promised, event.accepted, event.answers) == (None, None, [])


def test_a_message_says_a_value_or_a_report() -> None:
    assert said_by(PREPARE) == (None, None)
    assert said_by(PROPOSE) == ("x", None)
    assert said_by(Promise("a", "p", 1, (1, "x"))) == (None, Proposal(1, "x"))  # type: ignore[arg-type]
    assert said_by(Promise("a", "p", 1, None)) == (None, None)
    assert as_proposal([1, "x"]) == Proposal(1, "x")
    assert as_proposal((True, "x")) is None


async def coroutine() -> list[Message]:
    return []


async def generator() -> AsyncIterator[Message]:
    yield PREPARE


@pytest.mark.parametrize(
    ("returned", "words"),
    [
        (None, "prepare returned None, not a list of messages"),
        (7, "prepare returned a value of type int, not a list of messages"),
        ("hello", "prepare returned a value of type str, not a list of messages"),
        (PREPARE, "prepare returned a PREPARE, not a list of messages"),
        (coroutine, "prepare is async: it is never awaited, so make it a plain method"),
        (generator, "prepare is async: it is never awaited, so make it a plain method"),
    ],
)
@pytest.mark.filterwarnings("error")
def test_an_error_names_what_a_method_returns_instead_of_messages(returned: Any, words: str) -> None:
    with pytest.raises(AnswerError) as error:
        listed(returned() if callable(returned) else returned, "prepare")
    assert str(error.value) == words


def test_messages_need_not_be_in_a_list() -> None:
    assert listed((PREPARE,)) == listed(iter([PREPARE])) == listed({PREPARE.id: PREPARE}.values()) == [PREPARE]
