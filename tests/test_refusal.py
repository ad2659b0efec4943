"""Refusals: one line, which ends with the file and line at fault."""

import pytest

from toy_paxos.acceptor import Acceptor
from toy_paxos.checking.refusal import failure, refusal
from toy_paxos.message import Message
from toy_paxos.proposer import Proposer


class Mine(Acceptor):
    def receive(self, message: Message) -> list[Message]:
        return [message][message.id :]


class UnspeakableError(Exception):
    def __str__(self) -> str:
        raise RuntimeError


def raised(error: BaseException) -> BaseException:
    try:
        raise error
    except BaseException as caught:
        return caught


def test_a_refusal_is_one_line() -> None:
    assert str(refusal("it\n  cannot\tbe", int)) == "it cannot be"


def test_a_refusal_ends_with_the_place_where_a_class_is_defined() -> None:
    line = Mine.receive.__code__.co_firstlineno - 1
    assert str(refusal("no", Mine)) == f"no (test_refusal.py, line {line})"


def test_a_refusal_blames_the_class_of_the_user_before_one_of_ours() -> None:
    assert str(refusal("no", Proposer, Mine)).startswith("no (test_refusal.py, line ")
    assert str(refusal("no", Proposer)).startswith("no (proposer.py, line ")


def test_a_refusal_ends_with_the_place_where_an_error_was_raised() -> None:
    with pytest.raises(AttributeError) as raised:
        Mine("acceptor-0").receive(None)  # type: ignore[arg-type]
    line = Mine.receive.__code__.co_firstlineno + 1
    expected = f"no: AttributeError: 'NoneType' object has no attribute 'id' (test_refusal.py, line {line})"
    assert str(failure("no", raised.value, Proposer)) == expected


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (KeyboardInterrupt(), "no: KeyboardInterrupt (test_refusal.py, line "),
        (SystemExit(3), "no: SystemExit: 3 (test_refusal.py, line "),
        (UnspeakableError(), "no: UnspeakableError (test_refusal.py, line "),
    ],
)
def test_any_error_can_be_reported(error: BaseException, words: str) -> None:
    assert str(failure("no", raised(error), Mine)).startswith(words)
