"""Other shapes of Python classes: acceptors with two functions, and proposers without ``learned``."""

import inspect
from collections.abc import Iterable
from types import FunctionType
from typing import Any, ClassVar, Literal

from toy_paxos.adapt.blocking import Blocking
from toy_paxos.event import as_proposal
from toy_paxos.message import Accept, Fail, Message, Prepare, Promise, Proposal, Propose
from toy_paxos.message_like import AnswerError
from toy_paxos.proposer import Quorums, majority

EXPECTED = {
    "acceptor": "an acceptor: it needs receive(message), or prepare(n) and accept(n, value)",
    "proposer": "a proposer: it needs receive(message) and prepare(), or propose()",
}
"""By role, the methods that make a class an actor."""


def adapted(kind: type, role: Literal["acceptor", "proposer"]) -> type:
    """Return a class of actors for a class of any known shape, perhaps the class itself; raise ValueError for another.

    A class that is made here has the attribute ``__adapts__``: the class that it was made of.
    """
    if has(kind, "receive"):
        if role == "acceptor" or says_what_it_learns(kind):
            return kind
        bases: tuple[type, ...] = Counting, kind
    elif role == "acceptor" and has(kind, "prepare", "accept"):
        bases = (TwoFunctions,)
    elif role == "proposer" and has(kind, "propose"):
        bases = (Blocking,)
    else:
        raise ValueError(f"class {kind.__name__!r} is not {EXPECTED[role]}.")
    return type(kind.__name__, bases, {"__adapts__": kind, "__module__": kind.__module__})


def has(kind: type, *methods: str) -> bool:
    """Whether a class has these methods."""
    return all(callable(getattr(kind, method, None)) for method in methods)


def says_what_it_learns(kind: type) -> bool:
    """Whether an attribute ``learned`` occurs in the code of a class."""
    functions = [thing for base in kind.__mro__ for thing in vars(base).values() if isinstance(thing, FunctionType)]
    return hasattr(kind, "learned") or any("learned" in function.__code__.co_names for function in functions)


class TwoFunctions:
    """An acceptor made of an object with ``prepare(n)`` and ``accept(n, value)``.

    ``prepare`` returns None or False to refuse; to promise, the number and the value that it accepted last, and True
    or (None, None) if there is none. ``accept`` returns whether it accepts. The object gets its name if its class
    takes an argument.
    """

    __adapts__: ClassVar[Any]

    def __init__(self, name: str) -> None:
        self.name = name
        try:
            inspect.signature(self.__adapts__).bind(name)
            arguments = [name]
        except (TypeError, ValueError):
            arguments = []
        self.acceptor = self.__adapts__(*arguments)

    def receive(self, message: Message) -> list[Message]:
        """Call the function for a request, and say what it returns."""
        if isinstance(message, Prepare):
            promised = self.acceptor.prepare(message.id)
            if promised is not None and promised is not False:
                return [Promise(self.name, message.sender, message.id, accepted_in(promised))]
        elif isinstance(message, Propose):
            if self.acceptor.accept(message.id, message.value):
                return [Accept(self.name, message.sender, message.id, message.value)]
        else:
            return []
        return [Fail(self.name, message.sender, message.id)]

    @property
    def promised(self) -> Any:
        """What a picture shows as promised: the attribute of that name, if there is one."""
        return getattr(self.acceptor, "promised", None)

    @property
    def accepted(self) -> Any:
        """What a picture shows as accepted: the attribute of that name, if there is one."""
        accepted = getattr(self.acceptor, "accepted", "")
        return None if accepted == (None, None) else accepted


def accepted_in(promised: object) -> Proposal | None:
    """Return what ``prepare`` reports when it promises; raise AnswerError if it cannot be that."""
    match promised:
        case True | [None, None]:
            return None
    if proposal := as_proposal(promised):
        return proposal
    raise AnswerError(
        f"prepare returned {promised!r}: return None or False to refuse, else what was accepted last, "
        "(number, value), and (None, None) if nothing was"
    )


Heard = frozenset[tuple[int, str, str]]
"""The acceptances that a proposer has heard for one number: the number, the value, and the acceptor of each."""


def count(heard: Heard, message: Message, quorum: int) -> tuple[Heard, str | None]:
    """Count a message; return the acceptances heard for the highest number, and the value if a quorum has accepted it.

    Those for lower numbers are forgotten, because they would multiply the states of a check.
    """
    if not isinstance(message, Accept) or any(id > message.id for id, _, _ in heard):
        return heard, None
    heard = frozenset(each for each in heard if each[0] == message.id) | {(message.id, message.value, message.sender)}
    acceptors = [acceptor for _, value, acceptor in heard if value == message.value]
    return (frozenset(), message.value) if len(acceptors) >= quorum else (heard, None)


class Counting:
    """A mixin for a proposer without an attribute ``learned``: it counts the acceptances that the proposer receives.

    A quorum is a majority unless the proposer is told otherwise.
    """

    accepts_without_learned: Heard = frozenset()
    learned: str | None = None

    def __init__(self, name: str, value: str, acceptors: Iterable[str], *args: Any, **keywords: Any) -> None:
        acceptors = list(acceptors)
        quorums: Quorums = keywords.get("quorums") or (majority(len(acceptors)),) * 2
        self.accept_quorum_of_proposer = quorums[1]
        super().__init__(name, value, acceptors, *args, **keywords)  # type: ignore[call-arg]

    def receive(self, message: Message) -> Any:
        """Let the proposer receive a message, and count it if it is an acceptance."""
        answers = super().receive(message)  # type: ignore[misc]
        if self.learned is None:
            quorum = self.accept_quorum_of_proposer
            self.accepts_without_learned, self.learned = count(self.accepts_without_learned, message, quorum)
        return answers
