"""Actors that are programs in any language: the protocol, a JSON object a line.

A question is ``new`` or ``receive``, and each has one answer, with the state of the actor and the messages that it
says::

    > {"do": "receive", "state": {"promised": 0, "accepted": null}, "message": {"type": "PREPARE", ...}}
    < {"state": {"promised": 1, "accepted": null}, "messages": [{"type": "PROMISE", "id": 1, "accepted": null}]}

The program remembers nothing: all that an actor remembers is in its state, which comes back with the next question. So
one process can answer for all actors of a role, in any order, and the checker can put an actor into any state. A
program that leaves out the state keeps its memory to itself. It needs a process for each actor, and cannot be checked.
"""

import json
import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Literal
from weakref import finalize

from toy_paxos.adapt.process import Process, ProgramError, SilentError
from toy_paxos.adapt.shapes import Heard, count
from toy_paxos.message import Message, Promise, Proposal, Restart, Timeout
from toy_paxos.message_like import MESSAGES, ROUTE, own_kind, parts_of
from toy_paxos.proposer import Quorums, majority

PROTOCOL = 1

KEYS = frozenset({"state", "learned", "messages"})
"""The keys of an answer."""

Role = Literal["acceptor", "proposer"]

WHOLE, PART = "state", "state."
"""The attribute with the state of an actor; or, if that is an object, how those of its parts begin."""

Plain = Any
"""A JSON value as immutable data: an object is a frozen set of pairs, an array a tuple."""


def plain(value: Any) -> Plain:
    """Return a JSON value as data that is equal to other data if the values are, whatever the order of keys."""
    if type(value) is dict:
        return frozenset([(key, plain(part)) for key, part in value.items()])
    return tuple([plain(part) for part in value]) if type(value) is list else value


def as_json(value: Plain) -> Any:
    """Return plain data as a JSON value; the keys of an object are sorted."""
    if isinstance(value, frozenset):
        return {key: as_json(part) for key, part in sorted(value)}
    if isinstance(value, Mapping):
        return {key: as_json(part) for key, part in value.items()}
    return [as_json(part) for part in value] if isinstance(value, (tuple, list)) else value


def refuse_constant(name: str) -> None:
    """Refuse NaN and infinity, which are not JSON, although Python reads them."""
    raise ValueError(name)


DECODER = json.JSONDecoder(parse_constant=refuse_constant)


class Program:
    """A command, and the processes that answer for its actors: one for all if it has a state, else one for each."""

    def __init__(self, command: str) -> None:
        self.command = command
        self.has_state: bool | None = None
        self.shared: Process | None = None
        self.free: list[Process] = []
        self.failure = ""

    def __reduce__(self) -> str:
        raise TypeError("a process cannot be copied")

    def process(self) -> Process:
        """Return the process that answers for all actors, or a free one if each actor has its own."""
        if self.failure:
            raise ProgramError(self.failure)
        if self.has_state is False:
            while self.free:
                if (process := self.free.pop()).end.alive:
                    return process
            return Process(self.command)
        self.shared = self.shared or Process(self.command)
        return self.shared

    def begin_afresh(self) -> None:
        """End the process that answers for all actors: the next question starts another."""
        if self.shared:
            self.shared.expect_silence()
            self.shared.end()
        self.shared = None

    def ask(self, process: Process, question: Mapping[str, Any]) -> dict[str, Any]:
        """Return the object that a process answers; raise ProgramError if it answers anything else."""
        try:
            line = json.dumps(question, allow_nan=False)
        except (TypeError, ValueError) as error:
            raise ProgramError(f"{self.command!r} cannot be told this message as JSON: {error}") from error
        try:
            answer = DECODER.decode(process.ask(f"{line}\n".encode()).decode())
        except ProgramError as error:
            self.shared = None
            # Do not wait that long again.
            self.failure = str(error) if isinstance(error, SilentError) else ""
            raise
        except (ValueError, RecursionError) as error:
            hint = "an answer is one line; write everything else to standard error"
            raise self.refused(process, f"writes a line that is not JSON: {hint}") from error
        if type(answer) is not dict:
            raise self.refused(process, "answers with something that is not a JSON object")
        if unknown := answer.keys() - KEYS:
            raise self.refused(process, f"answers with the unknown key {min(unknown)!r}; known are {listed(KEYS)}")
        return answer

    def refused(self, process: Process, words: str) -> ProgramError:
        """End a process that violates the protocol, and return the error, which shows the line that does so."""
        self.shared = None
        process.unread = b""
        return process.error(words)

    def last_words(self) -> str:
        """Name the command and what it wrote last, as the place where something is wrong."""
        return f"{self.command!r}, {self.shared.last_words()}" if self.shared else repr(self.command)


def listed(keys: Iterable[str]) -> str:
    """Return some keys in words."""
    return ", ".join(sorted(map(repr, keys)))


class ProgramActor:
    """An actor that a process answers for."""

    __adapts__: ClassVar[Program]
    role: ClassVar[Role]

    def __init__(self, name: str, **told: Any) -> None:
        self.name = name
        program = self.__adapts__
        process = program.process()
        question = {"do": "new", "protocol": PROTOCOL, "role": self.role, "name": name, **told}
        answer = program.ask(process, question)
        if program.has_state is None:
            program.has_state = "state" in answer
        if not program.has_state:
            program.shared = None
            self.process = process
            finalize(self, program.free.append, process).atexit = False
        self.begun = self.take(process, answer)

    def receive(self, message: Message) -> list[Message]:
        """Let the process answer."""
        question: dict[str, Any] = {"do": "receive"}
        if self.__adapts__.has_state:
            process = self.__adapts__.process()
            question["state"] = self.state
        else:
            process = self.process
        question["message"] = told(message)
        return self.take(process, self.__adapts__.ask(process, question), message)

    def take(self, process: Process, answer: Mapping[str, Any], message: Message | None = None) -> list[Message]:
        """Take the state from an answer to a message; return what the actor says."""
        if ("state" in answer) != self.__adapts__.has_state:
            raise self.__adapts__.refused(process, "says 'state' sometimes: say it in every answer, or never")
        if self.__adapts__.has_state:
            self.state = answer["state"]
        said = answer.get("messages", [])
        if type(said) is not list:
            raise self.__adapts__.refused(process, "says 'messages' that are not a list")
        sender = message.sender if message and not isinstance(message, (Timeout, Restart)) else None
        try:
            return [said_message(each, self.name, sender) for each in said]
        except ProgramError as error:
            raise self.__adapts__.refused(process, str(error)) from error

    @property
    def state(self) -> Any:
        """The state, as JSON; the keys of an object are attributes, because what does not change costs less there."""
        if WHOLE in vars(self):
            return as_json(vars(self)[WHOLE])
        parts = {name: as_json(part) for name, part in vars(self).items() if name.startswith(PART)}
        return {name.removeprefix(PART): parts[name] for name in sorted(parts)}

    @state.setter
    def state(self, state: Any) -> None:
        parts = {PART + key: state[key] for key in sorted(state)} if type(state) is dict else {WHOLE: state}
        for name in [name for name in vars(self) if name == WHOLE or name.startswith(PART)]:
            del vars(self)[name]
        vars(self).update({name: plain(part) for name, part in parts.items()})

    @property
    def cannot_be_restored(self) -> str:
        """Say why the actor cannot be put into a certain state, if it cannot."""
        if self.__adapts__.has_state:
            return ""
        words = "returns no state, so it cannot be checked: return 'state' in every answer (runs and play do without)"
        return f"{self.__adapts__.command!r} {words}"


class ProgramAcceptor(ProgramActor):
    """An acceptor; pictures show what it has promised and accepted if its state says so under these names."""

    role = "acceptor"

    def __init__(self, name: str) -> None:
        super().__init__(name)
        if self.begun:
            said = f"says a {self.begun[0].type} at the start"
            raise ProgramError(f"{self.__adapts__.command!r} {said}: an acceptor only answers")
        del self.begun

    @property
    def promised(self) -> Any:
        """The number that it has promised, if the state tells that and what it has accepted."""
        return vars(self).get(f"{PART}promised") if f"{PART}accepted" in vars(self) else None

    @property
    def accepted(self) -> Any:
        """The number and the value that it has accepted."""
        accepted = vars(self).get(f"{PART}accepted")
        parts = dict(accepted) if isinstance(accepted, frozenset) else {}
        return (parts["id"], parts["value"]) if parts.keys() == {"id", "value"} else accepted


class ProgramProposer(ProgramActor):
    """A proposer; what it has learned it says itself, or else its acceptances are counted."""

    role = "proposer"

    def __init__(
        self, name: str, value: str, acceptors: Sequence[str], id: int, id_step: int, quorums: Quorums | None = None
    ) -> None:
        promise_quorum, self.accept_quorum = quorums or (majority(len(acceptors)),) * 2
        self.learned: str | None = None
        self.accepts_without_learned: Heard = frozenset()
        super().__init__(
            name,
            value=value,
            acceptors=list(acceptors),
            id=id,
            id_step=id_step,
            promise_quorum=promise_quorum,
            accept_quorum=self.accept_quorum,
        )

    def prepare(self) -> list[Message]:
        """Return what the process has said at the start."""
        begun = self.begun
        del self.begun
        return begun

    def take(self, process: Process, answer: Mapping[str, Any], message: Message | None = None) -> list[Message]:
        """Take what the proposer has learned, too."""
        said = super().take(process, answer, message)
        if "learned" in answer:
            self.learned = answer["learned"]
            if not isinstance(self.learned, str | None):
                raise self.__adapts__.refused(process, "says 'learned' that is neither null nor a value")
        elif message and self.learned is None:
            heard = self.accepts_without_learned
            self.accepts_without_learned, self.learned = count(heard, message, self.accept_quorum)
        return said


# Messages


def told(message: Message) -> dict[str, Any]:
    """Return a message as an object."""
    parts = {name: as_json(getattr(message, name)) for name in parts_of(type(message))}
    if isinstance(message, Promise) and message.accepted:
        parts["accepted"] = {"id": message.accepted[0], "value": message.accepted[1]}
    return {"type": message.type, **{name: getattr(message, name) for name in ROUTE}, **parts}


def said_message(said: Any, name: str, answered: str | None) -> Message:
    """Return the message in an object that an actor of this name says; raise ProgramError if it is not one."""
    if type(said) is not dict:
        raise ProgramError("says a message that is not an object")
    type_ = said.get("type")
    if not isinstance(type_, str) or not re.fullmatch("[A-Z][A-Z_]*", type_):
        raise ProgramError("says a message without a type in capitals, such as 'PROMISE'")
    what = f"{'an' if type_[0] in 'AEIOU' else 'a'} {type_}"
    message = {"sender": name, "recipient": answered, **said}
    del message["type"]
    kind = MESSAGES.get(type_)
    parts = parts_of(kind) if kind else tuple(sorted(message.keys() - set(ROUTE)))
    if message.keys() != {*ROUTE, *parts}:
        needed = f"it needs {listed(['type', 'id', *parts])}, and may have 'recipient' and 'sender'"
        raise ProgramError(f"says {what} with the keys {listed(said)}: {needed}")
    if message["sender"] != name:
        raise ProgramError(f"speaks in another's name: 'sender' must be {name!r}, or left out")
    if message["recipient"] is None:
        raise ProgramError(f"says {what} to nobody: add 'recipient'")
    if type(message["id"]) is not int:
        raise ProgramError(f"says {what} whose 'id' is not a whole number")
    if kind is None:
        if not all(map(str.isidentifier, parts)):
            raise ProgramError(f"says {what} with a key that is not a word")
        return own_kind(type_, parts)(**{key: plain(value) for key, value in message.items()})
    if type(message.get("value", "")) is not str:
        raise ProgramError(f"says {what} whose 'value' is not a text")
    if kind is Promise:
        message["accepted"] = proposal(message["accepted"])
    return kind(**message)


def proposal(accepted: Any) -> Proposal | None:
    """Return what a promise reports; raise ProgramError if it cannot be that."""
    match accepted:
        case None:
            return None
        case {"id": int(id), "value": str(value)} if len(accepted) == 2:
            return Proposal(id, value)
    raise ProgramError("says a PROMISE whose 'accepted' is neither null nor an 'id' with a 'value'")


def program(command: str, role: Role) -> type[ProgramActor]:
    """Return the class of the actors that a command answers for; raise ValueError if it cannot be a command."""
    if not shlex.split(command):
        raise ValueError("it is empty")
    base = {"acceptor": ProgramAcceptor, "proposer": ProgramProposer}[role]
    # Its code is in no file of Python that an error could name.
    return type("exec", (base,), {"__adapts__": Program(command), "__module__": "exec"})
