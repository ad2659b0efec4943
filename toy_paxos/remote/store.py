"""The promises of an acceptor in a folder: a line is on the disk before an answer is on its way.

A file that only grows can only be torn at its end. A torn last line was never answered, so it is dropped. A process
that is killed, or a machine that stops, can do no other damage. The last rounds of each run are kept. Older rounds are
refused, because an acceptor that answers in a round that it has forgotten breaks its promises.
"""

import json
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from toy_paxos.message import Proposal
from toy_paxos.remote import CannotError
from toy_paxos.remote.limits import check_proposal, number

Instance = tuple[int, int]
"""A run, and a round of it."""

ROUNDS_KEPT = 100
"""How many rounds of each run are kept: a proposer that runs is never that late."""

LINES = 10_000
"""After this number of lines, about a megabyte, the file is rewritten with the rounds that are kept."""


@contextmanager
def usable(path: Path) -> Iterator[None]:
    """Raise CannotError if the system refuses to use a file or a folder."""
    try:
        yield
    except OSError as error:
        raise CannotError(f"{path} cannot be used: {error.strerror or error}") from error


class Store:
    """What an acceptor has promised and accepted in each instance, as a number and perhaps a proposal.

    Without a folder it is only in memory, to show what an acceptor that forgets does.
    """

    def __init__(self, folder: Path | None, name: str, cluster: str = "") -> None:
        self.states: dict[Instance, tuple[int, Proposal | None]] = {}
        self.newest: dict[int, int] = {}
        self.file = -1
        self.lines = 0
        self.identity = ""
        self.folder = folder
        if folder:
            with usable(folder):
                self.lock, self.identity = claim(folder, name, cluster)
                self.read(folder / "promises")
                self.rewrite()

    def read(self, path: Path) -> None:
        """Take in what was kept; raises CannotError if a line but the last is damaged."""
        for at, line in enumerate(whole_lines(path).splitlines(), start=1):
            try:
                run, round, promised, *accepted = json.loads(line)
                state = number(promised), check_proposal(Proposal(*accepted) if accepted else None)
                self.keep((number(run), number(round)), *state)
            except (ValueError, TypeError, RecursionError) as error:
                raise CannotError(f"line {at} of {path} is damaged: this acceptor may have forgotten") from error

    def keep(self, instance: Instance, promised: int, accepted: Proposal | None) -> None:
        """Keep a state in memory, as the last one, and drop that of a round that is too old."""
        run, round = instance
        self.states.pop(instance, None)
        self.states[instance] = promised, accepted
        if round > self.newest.get(run, 0):
            self.newest[run] = round
        if len(self.states) > 2 * ROUNDS_KEPT * len(self.newest):
            self.states = {old: state for old, state in self.states.items() if not self.is_over(old)}

    def is_over(self, instance: Instance) -> bool:
        """Whether a round is so old that what was promised in it may have been dropped."""
        run, round = instance
        return round <= self.newest.get(run, 0) - ROUNDS_KEPT

    def save(self, instance: Instance, promised: int, accepted: Proposal | None) -> None:
        """Keep a state: when this returns, it is on the disk. Raises CannotError, and then nothing may be answered."""
        self.keep(instance, promised, accepted)
        if self.folder:
            with usable(self.folder):
                write_all(self.file, line_of(instance, promised, accepted))
                # macOS has no fdatasync.
                getattr(os, "fdatasync", os.fsync)(self.file)
                self.lines += 1
                if self.lines >= LINES:
                    self.rewrite()

    def rewrite(self) -> None:
        """Begin a new file with what is kept, and let it take the place of the old one at once."""
        assert self.folder
        path, new = self.folder / "promises", self.folder / "promises.new"
        kept = [line_of(old, *state) for old, state in self.states.items() if not self.is_over(old)]
        if self.file >= 0:
            os.close(self.file)
        self.file = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)
        write_all(self.file, b"".join(kept))
        os.fsync(self.file)
        os.rename(new, path)
        sync_folder(self.folder)
        self.lines = 0


def line_of(instance: Instance, promised: int, accepted: Proposal | None) -> bytes:
    """A state as a line."""
    return json.dumps([*instance, promised, *(accepted or ())]).encode() + b"\n"


def whole_lines(path: Path) -> bytes:
    """What is in a file, without a last line that is torn; raises OSError."""
    data = path.read_bytes()
    return data[: data.rfind(b"\n") + 1]


def write_all(file: int, data: bytes) -> None:
    """Write all of it, however little goes at once."""
    while data:
        data = data[os.write(file, data) :]


def sync_folder(folder: Path) -> None:
    """Write the names in a folder to the disk."""
    file = os.open(folder, os.O_RDONLY)
    os.fsync(file)
    os.close(file)


def lock_file(file: int, path: Path, remedy: str) -> None:
    """Lock a file until this process ends; raises CannotError if another process has locked it."""
    # Here and not above: reading logs needs no locks, and not every system has them.
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise CannotError(f"{path} is in use by another process: {remedy}") from error


def claim(folder: Path, name: str, cluster: str) -> tuple[int, str]:
    """Take a folder for an acceptor of a cluster; return its lock and its identity. Raises CannotError, OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "identity"
    strangers = [other.name for other in folder.iterdir()]
    if strangers and not path.exists():
        raise CannotError(f"{folder} has other files in it ({min(strangers)}): give an empty folder")
    lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    lock_file(lock, folder, "give each acceptor a folder of its own")
    owner: dict[str, Any] = {"name": name, "cluster": cluster, "identity": uuid.uuid4().hex}
    promises = folder / "promises"
    if (data := path.read_bytes()) or (promises.exists() and promises.stat().st_size):
        try:
            owner = json.loads(data)
            owner = {key: str(owner[key]) for key in ("name", "cluster", "identity")}
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise CannotError(f"{path} is damaged: it must tell to which acceptor the folder belongs") from error
        if not promises.exists():
            raise CannotError(f"{folder} has lost its promises: give an empty folder and another name")
    else:
        promises.touch()
        write_all(lock, json.dumps(owner).encode())
        os.fsync(lock)
        sync_folder(folder)
    if owner["name"] != name:
        raise CannotError(f"{folder} belongs to {owner['name']}, not to {name}")
    if owner["cluster"] != cluster:
        raise CannotError(f"{folder} belongs to another cluster: give an empty folder and another name")
    return lock, owner["identity"]
