"""Registration by name, and delivery in the order of sending."""

from collections.abc import Callable

import pytest

from toy_paxos.acceptor import Acceptor
from toy_paxos.actor_registry import ActorRegistry, deliver
from toy_paxos.message import Fail, Message, Prepare
from toy_paxos.proposer import Proposer


class Script:
    """An actor that says what it is told to."""

    def __init__(self, name: str, answer: Callable[[Message], list[Message]]) -> None:
        self.name = name
        self.receive = answer


def prepare(sender: str, recipient: str, id: int = 1) -> Message:
    return Prepare(sender, recipient, id)


def test_an_actor_is_found_under_its_name() -> None:
    actors = ActorRegistry()
    acceptor = Acceptor("acceptor-0")
    actors.register(acceptor)
    assert actors["acceptor-0"] is acceptor


def test_a_name_is_given_once() -> None:
    actors = ActorRegistry()
    actors.register(Acceptor("acceptor-0"))
    with pytest.raises(ValueError, match="'acceptor-0' is registered already"):
        actors.register(Acceptor("acceptor-0"))


def test_a_message_to_an_unknown_name_is_an_error_with_that_name() -> None:
    with pytest.raises(LookupError, match="no actor named 'acceptor-9'"):
        list(deliver(ActorRegistry(), [prepare("proposer-0", "acceptor-9")]))


def test_messages_are_delivered_in_the_order_of_sending() -> None:
    actors = ActorRegistry()
    actors.register(Script("a", lambda _: [prepare("a", "c", 3), prepare("a", "c", 4)]))
    actors.register(Script("b", lambda _: [prepare("b", "c", 5)]))
    actors.register(Script("c", lambda _: []))
    transcript = deliver(actors, [prepare("x", "a", 1), prepare("x", "b", 2)])
    assert [message.id for message in transcript] == [1, 2, 3, 4, 5]


def test_a_message_is_yielded_before_it_is_delivered() -> None:
    delivered: list[Message] = []

    def note(message: Message) -> list[Message]:
        delivered.append(message)
        return []

    actors = ActorRegistry()
    actors.register(Script("a", note))
    transcript = deliver(actors, [prepare("x", "a")])
    next(transcript)
    assert delivered == []
    assert list(transcript) == []
    assert delivered == [prepare("x", "a")]


def test_the_senders_list_is_left_alone() -> None:
    actors = ActorRegistry()
    actors.register(Script("a", lambda _: [Fail("a", "b", 1)]))
    actors.register(Script("b", lambda _: []))
    first = [prepare("b", "a")]
    list(deliver(actors, first))
    assert len(first) == 1


def test_a_round_reaches_its_end_though_an_acceptor_never_answers() -> None:
    actors = ActorRegistry()
    proposer = Proposer("proposer-0", "v", ["acceptor-0", "acceptor-1", "acceptor-2"])
    actors.register(proposer)
    actors.register(Acceptor("acceptor-0"))
    actors.register(Acceptor("acceptor-1"))
    actors.register(Script("acceptor-2", lambda _: []))
    list(deliver(actors, proposer.prepare()))
    assert proposer.learned == "v"
