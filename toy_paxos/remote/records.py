"""What a process did, as JSON Lines: a line for each thing that happened to it, written before it says what follows.

So whatever anybody has heard is in some file, and only what nobody has answered can be missing. An acceptor that
begins again writes first what it saved last, because it may have been killed before it wrote that. There are no times
in it: clocks of different machines are not compared.
"""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from toy_paxos.event import Delivery, Event, TimedOut, Wants, said_by
from toy_paxos.message import Message, Restart, Timeout
from toy_paxos.remote.codec import denial, message_of, number, proposal_of, text
from toy_paxos.remote.store import StoreError, lock_file, usable, whole_lines, write_all

FORMAT = 1
"""What is raised when a program that reads the lines has to be changed."""


# What a message leaves its recipient with.
AFTER = ("promised", "accepted", "learned")


class Log:
    """A file that the lines are added to; without a path they go nowhere. Raises StoreError."""

    def __init__(self, path: Path | None, process: str, **about: int) -> None:
        self.path = path
        self.file = -1
        if path:
            with usable(path):
                self.open(path, process)
        self.write(start(process) | about)

    def open(self, path: Path, process: str) -> None:
        """Begin at the end of the last whole line of a log of this process, alone."""
        if path.exists() and not path.is_file():
            raise StoreError(f"{path} is no file")
        self.file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        lock_file(self.file, path, "give each a log of its own")
        beginning = line_of(start(process)).rstrip(b"}\n")
        if path.read_bytes()[: len(beginning)] != beginning[: path.stat().st_size]:
            self.close()
            raise StoreError(f"{path} is there already, and is no log of {process}: name another file")
        os.truncate(self.file, len(whole_lines(path)))

    def close(self) -> None:
        """Let others have the file."""
        if self.file >= 0:
            os.close(self.file)

    def write(self, line: Mapping[str, Any]) -> None:
        """Add a line."""
        if self.path:
            with usable(self.path):
                write_all(self.file, line_of(line))

    def add(self, run: int, round: int, event: Event) -> None:
        """Add something that happened in a round of a run."""
        if self.path:
            self.write({"event": event.event, "run": run, "round": round, **told(event)})


def start(process: str) -> dict[str, Any]:
    """What a process writes when it begins."""
    return {"event": "start", "format": FORMAT, "process": process}


def line_of(line: Mapping[str, Any]) -> bytes:
    """A line as it is written."""
    return json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def told(event: Event) -> dict[str, Any]:
    """What there is to be told of an event."""
    if isinstance(event, Delivery):
        after = {name: value for name in AFTER if (value := getattr(event, name)) is not None}
        answers = list(map(parts, event.answers))
        return parts(event.message) | {"denial": event.denial, "answers": answers, "after": after}
    if isinstance(event, Wants):
        return {"proposer": event.proposer, "value": event.value, "says": list(map(parts, event.says))}
    assert isinstance(event, TimedOut)
    return {name: getattr(event, name) for name in event.__slots__}


def parts(message: Message) -> dict[str, Any]:
    """What a message says."""
    value, accepted = said_by(message)
    route = {"type": message.type, "sender": message.sender, "recipient": message.recipient, "id": message.id}
    return route | ({"value": value} if value else {}) | ({"accepted": accepted} if accepted else {})


def event_of(line: Mapping[str, Any]) -> Event:
    """The event that a line tells; raises ValueError, KeyError or TypeError if it tells none."""
    match line["event"]:
        case "wants":
            return Wants(0, text(line["proposer"]), text(line["value"]), messages(line["says"]))
        case "message":
            promised, accepted, learned = (line["after"].get(name) for name in AFTER)
            return Delivery(
                0,
                said(line),
                answers=messages(line["answers"]),
                denial=denial(line["denial"]),
                promised=promised and number(promised),
                accepted=proposal_of(accepted and tuple(accepted)),
                learned=learned and text(learned),
            )
        case "timeout":
            return TimedOut(0, text(line["proposer"]), number(line["attempt"]), number(line["id"]), bool(line["last"]))
    raise ValueError(f"there is no event {line['event']!r}")


def messages(said_so: Sequence[Mapping[str, Any]]) -> list[Message]:
    """Several messages from their parts."""
    return list(map(said, said_so))


def said(line: Mapping[str, Any]) -> Message:
    """The message from its parts."""
    for word in (Timeout, Restart):
        if line["type"] == word.type:
            return word(text(line["sender"]), text(line["recipient"]), number(line["id"]))
    accepted = line.get("accepted") if line["type"] == "PROMISE" else None
    return message_of(
        line["type"], line["sender"], line["recipient"], line["id"], line.get("value"), accepted and tuple(accepted)
    )
