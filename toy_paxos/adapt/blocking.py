"""Proposers that call one acceptor after the other, and wait for each: their code runs again at each answer.

Such a proposer cannot be stopped in the middle and put back later, but it can be run from its beginning. A call that
has its answer returns it at once. A call that is made for the first time is sent; it has no answer yet, and returns
None, as if the acceptor were silent. So the first run asks all acceptors for promises::

    run                         prepare a0   prepare a1   prepare a2   accept a0 a1 a2   next attempt
    1, at the start             sent, None   sent, None   sent, None                     stops here
    2, a1 has promised          None         promise      None                           stops here
    3, a0 has promised, too     promise      promise      None         sent, None        stops here

In run 3 the code has two promises of three, and goes on without the third. **An answer that the code has gone on
without stays None for ever.** If it came later it would change the next run, which could then propose another value
under the same number. So when a call is sent, each call before it that still waits, and asks something else, is
answered by None. Calls that ask the same of several acceptors do not depend on each other.

A TIMEOUT answers every call that still waits by None. Only then may the next attempt begin: a call with another number,
or one that this attempt has made already. Otherwise a loop would send all its attempts at once. Code that makes one
attempt and returns None is called again then, on the same object, and what was answered before is forgotten.
"""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from contextvars import ContextVar
from copy import deepcopy
from itertools import chain, combinations
from typing import Any, ClassVar

from toy_paxos.event import as_proposal
from toy_paxos.message import Accept, Message, Prepare, Promise, Propose, Timeout
from toy_paxos.message_like import AnswerError
from toy_paxos.snapshot import take

Arguments = tuple[int] | tuple[int, str]
"""What a call passes: a number to ``prepare``, a number and a value to ``accept``."""

Call = tuple[int, str, Arguments]
"""The attempt in which an acceptor is called, its name, and the arguments."""

FEW = 9
"""Up to this number of waiting calls, every set of answers is tried."""

WAITING = "waiting"
"""The placeholder for the answer of a call that has none yet."""


class Stopped(BaseException):
    """The code needs another answer. This is not an Exception, so that the code does not catch it."""


class Blocking:
    """A proposer made of a class with ``propose()``, which returns the value that is chosen, or None.

    The class is called as CLASS(name, value, acceptors, id, id_step). There, each acceptor has a ``name``;
    ``prepare(n)`` returns None, or the number and the value that the acceptor accepted last, (None, None) if there is
    none; and ``accept(n, value)`` returns None or True.
    """

    __adapts__: ClassVar[Any]

    def __init__(self, name: str, value: str, acceptors: Sequence[str], id: int, id_step: int, **keywords: Any) -> None:
        self.name = name
        self.arguments = value, tuple(acceptors), id, id_step
        self.keywords = keywords
        self.learned: str | None = None
        # The object after the attempts that are over, if its code makes one at a time.
        self.proposer: Any = None
        self.attempts = 1
        # A set, because a state must not depend on the order in which acceptors are called.
        self.answers_to_calls: frozenset[tuple[Call, Any]] = frozenset()

    def prepare(self) -> list[Message]:
        """Run the code for the first time."""
        return self.run({}).said

    def receive(self, message: Message) -> list[Message]:
        """Take an answer, or a timeout, and run the code again; ignore what answers nothing."""
        if self.learned is not None:
            return []
        answers = dict(self.answers_to_calls)
        waiting = [call for call, answer in answers.items() if answer == WAITING]
        if isinstance(message, Timeout):
            return self.begin_attempt(answers | dict.fromkeys(waiting))
        answered = [call for call in waiting if answers_call(message, call)]
        result = as_proposal(message.accepted) or (None, None) if isinstance(message, Promise) else True
        return self.run(answers | dict.fromkeys(answered, result)).said if answered else []

    def begin_attempt(self, answers: dict[Call, Any]) -> list[Message]:
        """Let the code begin another attempt, or call it again if it has returned."""
        self.attempts += 1
        run = self.run(answers)
        if not run.has_returned or run.said or self.learned is not None:
            return run.said
        try:
            self.proposer, self.attempts = deepcopy(run.proposer), 1
        except Exception as error:
            words = "so the proposer is kept for the next attempt, but it cannot be copied"
            raise AnswerError(f"propose returned None, {words}: {error}") from error
        return self.run({}).said

    def run(self, answers: dict[Call, Any]) -> "Run":
        """Run the code from its beginning, or from that of the attempt; record its calls, and what it learns."""
        run = self.tried(answers)
        self.learned = run.learned
        self.answers_to_calls = frozenset((self.simplified(run.answers) if run.said else run.answers).items())
        return run

    def tried(self, answers: dict[Call, Any]) -> "Run":
        """Run the code with these answers, and change nothing."""
        run = Run(self.name, self.attempts, dict(answers))
        token = RUNNING.set(run)
        try:
            run.go(self.new_proposer() if self.proposer is None else deepcopy(self.proposer))
        finally:
            RUNNING.reset(token)
        return run

    def simplified(self, answers: dict[Call, Any]) -> dict[Call, Any]:
        """Return answers in which all acceptors have promised alike, if that makes no difference from now on.

        Code that has begun to propose may no longer depend on who promised, and on what each reported. Then one state
        stands for many. To find out, both are tried with every set of answers to the waiting calls.
        """
        waiting = [call for call in sorted(answers, key=str) if answers[call] == WAITING]
        closed = [call for call in answers if answers[call] != WAITING]
        proposals = {arguments for _, _, arguments in waiting}
        if len(proposals) != 1 or any(len(arguments) > 1 for _, _, arguments in closed):
            return answers
        ((_, *value),) = proposals
        futures = self.futures(answers, waiting)
        # Without a value, what waits are promises.
        for report in [(None, None), (1, *value)] if futures and value else []:
            simpler = answers | dict.fromkeys(closed, report)
            if self.futures(simpler, waiting) == futures:
                return simpler
        return answers

    def futures(self, answers: dict[Call, Any], waiting: Sequence[Call]) -> list[Any] | None:
        """Return how the attempt ends, for each set of calls that may still be answered; None if that is not known."""
        if len(waiting) > FEW:
            return None
        ends: list[Any] = []
        for answered in chain.from_iterable(combinations(waiting, number) for number in range(len(waiting) + 1)):
            try:
                run = self.tried(answers | dict.fromkeys(answered, True))
                end = run.learned or take(run.proposer)
            except Exception:
                return None
            if run.said or not run.has_returned:
                return None
            ends.append(end)
        return ends

    def new_proposer(self) -> Any:
        """Return a new object, which has called nothing yet."""
        value, acceptors, id, id_step = self.arguments
        called = [CalledAcceptor(acceptor) for acceptor in acceptors]
        return self.__adapts__(self.name, value, called, id, id_step, **self.keywords)


def answers_call(message: Message, call: Call) -> bool:
    """Whether a message answers a call; a FAIL answers none, and an ACCEPT of another value accepts none."""
    _, acceptor, (id, *value) = call
    if (message.sender, message.id) != (acceptor, id):
        return False
    return isinstance(message, Accept) and [message.value] == value if value else isinstance(message, Promise)


class Run:
    """One run of the code up to a number of attempts: its calls, and the messages that are new."""

    def __init__(self, name: str, attempts: int, answers: dict[Call, Any]) -> None:
        self.name = name
        self.attempts = attempts
        self.answers = answers
        self.attempt = 1
        self.id: int | None = None
        self.calls: dict[Call, None] = {}
        self.said: list[Message] = []
        self.learned: str | None = None
        self.has_returned = False

    def go(self, proposer: Any) -> None:
        """Run the code of an object, as far as it can go."""
        self.proposer = proposer
        with suppress(Stopped):
            self.learned = proposer.propose()
            self.has_returned = True
        if self.learned is not None and type(self.learned) is not str:
            raise AnswerError(f"propose returned {self.learned!r}: return the value that is chosen, a text, or None")
        if self.said:
            self.go_on_without(call for call in self.answers if call not in self.calls)

    def call(self, acceptor: str, arguments: Arguments) -> Any:
        """Return the answer to a call, None if there is none; raise Stopped if it begins an attempt too early."""
        if (self.attempt, acceptor, arguments) in self.calls or self.id not in (None, arguments[0]):
            if self.attempt == self.attempts:
                raise Stopped
            self.attempt += 1
        self.id = arguments[0]
        call = self.attempt, acceptor, arguments
        if call not in self.answers:
            self.go_on_without(made for made in self.calls if made[2] != arguments)
            self.answers[call] = WAITING
            kind = Propose if arguments[1:] else Prepare
            self.said.append(kind(self.name, acceptor, *arguments))
        self.calls[call] = None
        answer = self.answers[call]
        return None if answer == WAITING else answer

    def go_on_without(self, calls: Iterable[Call]) -> None:
        """Answer those of some calls that still wait by None."""
        self.answers |= {call: None for call in calls if self.answers[call] == WAITING}


RUNNING: ContextVar[Run] = ContextVar("RUNNING")
"""The run in which an acceptor is called; not a part of the acceptor, which the code may keep."""


class CalledAcceptor:
    """An acceptor as the code sees it."""

    def __init__(self, name: str) -> None:
        self.name = name

    def prepare(self, n: int) -> tuple[int, str] | tuple[None, None] | None:
        """Ask for a promise."""
        if type(n) is not int:
            raise AnswerError(f"prepare takes a whole number, not {n!r}")
        return RUNNING.get().call(self.name, (n,))  # type: ignore[no-any-return]

    def accept(self, n: int, value: str) -> bool | None:
        """Ask for an acceptance."""
        if type(n) is not int or type(value) is not str:
            raise AnswerError(f"accept takes a whole number and a text, not {n!r} and {value!r}")
        return RUNNING.get().call(self.name, (n, value))  # type: ignore[no-any-return]

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"an acceptor has prepare(n), accept(n, value) and name, but not {name}")
