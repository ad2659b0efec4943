"""The log of a process: each event that happens to it, as a line of JSON, written before the process sends its answers.

So every message that a process has received is in the log of its sender. An acceptor that restarts first logs the state
that it saved last, because it may have been killed before it logged that. A log has no times: clocks of different
machines are not compared.
"""

import os
from pathlib import Path
from typing import Any

from toy_paxos.event import Event
from toy_paxos.event_json import FORMAT, event_line, json_line
from toy_paxos.remote import CannotError
from toy_paxos.remote.store import lock_file, usable, whole_lines, write_all


class Log:
    """A file to which lines are appended; without a path nothing is written. Raises CannotError."""

    def __init__(self, path: Path | None, process: str, **about: Any) -> None:
        self.path = path
        self.file = -1
        if path:
            with usable(path):
                self.open(path, process)
        self.write(start(process, **about))

    def open(self, path: Path, process: str) -> None:
        """Open a log of this process, which no other process may have open; drop a torn last line."""
        if path.exists() and not path.is_file():
            raise CannotError(f"{path} is not a file")
        self.file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        lock_file(self.file, path, "give each a log of its own")
        beginning = start(process).rstrip("}\n").encode()
        if path.read_bytes()[: len(beginning)] != beginning[: path.stat().st_size]:
            self.close()
            raise CannotError(f"{path} exists, and is not a log of {process} in format {FORMAT}: name another file")
        os.truncate(self.file, len(whole_lines(path)))

    def close(self) -> None:
        """Close the file, so that others can open it."""
        if self.file >= 0:
            os.close(self.file)

    def write(self, line: str) -> None:
        """Add a line."""
        if self.path:
            with usable(self.path, "written"):
                write_all(self.file, line.encode())

    def add(self, run: int, round: int, event: Event) -> None:
        """Add something that happened in a round of a run."""
        if self.path:
            self.write(event_line(event, f'"run":{run},"round":{round}', is_log=True))


def start(process: str, **about: Any) -> str:
    """Return what a process writes when it begins."""
    return json_line(event="start", format=FORMAT, process=process, **about)
