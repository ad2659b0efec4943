"""The promises of an acceptor in a folder: a line is on the disk before an answer is on its way.

A file that only grows can only be torn at its end. A torn last line was never answered, so it is dropped. A process
that is killed, or a machine that stops, can do no other damage. Each line has a checksum: a line that the disk has
changed is refused, because an acceptor that has forgotten must not answer.

The last rounds of the last runs are kept. Older ones are refused, because an acceptor that answers in a round that it
has dropped breaks its promises.
"""

import json
import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from zlib import crc32

from toy_paxos.remote import CannotError
from toy_paxos.remote.limits import number
from toy_paxos.remote.saved import State, as_json, from_json

Instance = tuple[int, int]
"""A run, and a round of it."""

ROUNDS_KEPT = 100
"""The number of rounds of each run that are kept; a proposer that is further behind goes on at the newest."""

RUNS_KEPT = 20
"""The number of runs that are kept, those with the highest numbers."""

LINES = 10_000
"""After this number of lines, about a megabyte, the file is rewritten with what is kept."""


@contextmanager
def usable(path: Path, how: str = "opened") -> Iterator[None]:
    """Raise CannotError if the system refuses to use a file or a folder in some way."""
    try:
        yield
    except OSError as error:
        raise CannotError(f"{path} cannot be {how}: {error.strerror or error}") from error


class Store:
    """The state of an acceptor in each instance.

    ``starts`` counts how often its process has started, which tells events before a restart from later ones.
    ``restarted`` returns what a restart makes of a state; ``last`` is the one that was saved last, and its instance.
    """

    def __init__(
        self,
        folder: Path,
        name: str,
        cluster: str = "",
        restarted: Callable[[State, int], State] = lambda state, _: state,
    ) -> None:
        self.states: dict[Instance, State] = {}
        self.newest: dict[int, int] = {}
        self.file = -1
        self.lines = 0
        self.folder = folder
        self.starts = 0
        with usable(folder):
            self.lock, self.identity = claim(folder, name, cluster)
            self.read(folder / "promises")
            self.last = list(self.states.items())[-1:]
            self.states = {old: restarted(state, self.starts) for old, state in self.states.items()}
            self.starts += 1
            self.rewrite()

    def read(self, path: Path) -> None:
        """Read the saved states; raises CannotError if anything but a torn last line is damaged."""
        *lines, rest = path.read_bytes().split(b"\n")
        if rest and is_whole(rest[:-1]):
            # Not torn: a whole line whose end was changed.
            lines.append(rest)
        for at, line in enumerate(lines, start=1):
            try:
                if not is_whole(line):
                    raise ValueError("another checksum")
                told = json.loads(line[CHECKSUM:])
                if at == 1:
                    (self.starts,) = told
                    continue
                run, round, state = told
                self.keep((number(run), number(round)), from_json(state))
            except (AttributeError, KeyError) as error:
                raise CannotError(f"{path} is of other actors: {error} is not known here") from error
            except (ValueError, TypeError) as error:
                raise CannotError(f"line {at} of {path} is damaged: this acceptor may have forgotten") from error

    def keep(self, instance: Instance, state: State) -> None:
        """Keep a state in memory, as the last one, and drop those of rounds and runs that are too old."""
        run, round = instance
        self.states.pop(instance, None)
        self.states[instance] = state
        self.newest[run] = max(round, self.newest.get(run, 0))
        if len(self.newest) > RUNS_KEPT:
            del self.newest[min(self.newest)]
        if len(self.states) > 2 * ROUNDS_KEPT * len(self.newest):
            self.states = {old: state for old, state in self.states.items() if not self.is_over(old)}

    def is_over(self, instance: Instance) -> bool:
        """Whether a run or a round is so old that what was promised in it may have been dropped."""
        run, round = instance
        if run not in self.newest:
            return len(self.newest) == RUNS_KEPT and run < min(self.newest)
        return round <= self.newest[run] - ROUNDS_KEPT

    def save(self, instance: Instance, state: State) -> None:
        """Keep a state: when this returns, it is on the disk. Raises CannotError, and then nothing may be answered."""
        self.keep(instance, state)
        with usable(self.folder, "written"):
            write_all(self.file, line_of([*instance, as_json(state)]))
            # macOS has no fdatasync.
            getattr(os, "fdatasync", os.fsync)(self.file)
            self.lines += 1
            if self.lines >= LINES:
                self.rewrite()

    def rewrite(self) -> None:
        """Begin a new file with what is kept, and let it take the place of the old one at once."""
        self.lines = 0
        new = self.folder / "promises.new"
        file = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)
        kept = [[*old, as_json(state)] for old, state in self.states.items() if not self.is_over(old)]
        write_all(file, b"".join(map(line_of, [[self.starts], *kept])))
        os.fsync(file)
        os.rename(new, self.folder / "promises")
        sync_folder(self.folder)
        if self.file >= 0:
            os.close(self.file)
        self.file = file


CHECKSUM = 9
"""The length of a checksum and the space after it."""


def line_of(told: object) -> bytes:
    """Return a line with its checksum."""
    body = json.dumps(told).encode()
    return b"%08x %b\n" % (crc32(body), body)


def is_whole(line: bytes) -> bool:
    """Whether a line, without its end, has the right checksum."""
    return line[:CHECKSUM] == b"%08x " % crc32(line[CHECKSUM:])


def whole_lines(path: Path) -> bytes:
    """Return the content of a file without a torn last line; raises OSError."""
    data = path.read_bytes()
    return data[: data.rfind(b"\n") + 1]


def write_all(file: int, data: bytes) -> None:
    """Write all data, in as many calls as that takes."""
    while data:
        data = data[os.write(file, data) :]


def sync_folder(folder: Path) -> None:
    """Write the names in a folder to disk."""
    file = os.open(folder, os.O_RDONLY)
    os.fsync(file)
    os.close(file)


def make_folder(folder: Path) -> None:
    """Make a folder, and those above it, and write their names to the disk; raises OSError."""
    if not folder.is_dir():
        make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        sync_folder(folder.parent)


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
    make_folder(folder.absolute())
    path, promises = folder / "identity", folder / "promises"
    strangers = [other.name for other in folder.iterdir()]
    if strangers and not path.exists():
        raise CannotError(f"{folder} has other files in it ({min(strangers)}): give an empty folder")
    lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    lock_file(lock, folder, "give each acceptor a folder of its own")
    data = path.read_bytes()
    if not data and not (promises.exists() and promises.stat().st_size):
        promises.touch()
        data = json.dumps({"name": name, "cluster": cluster, "identity": uuid.uuid4().hex}).encode()
        write_all(lock, data)
        os.fsync(lock)
        sync_folder(folder)
    try:
        owner = json.loads(data)
        owner = {key: str(owner[key]) for key in ("name", "cluster", "identity")}
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise CannotError(f"{path} is damaged: it must name the acceptor that the folder belongs to") from error
    if not promises.exists():
        raise CannotError(f"{folder} has lost its promises: give an empty folder and another name")
    if owner["name"] != name:
        raise CannotError(f"{folder} belongs to {owner['name']}, not to {name}")
    if owner["cluster"] != cluster:
        raise CannotError(f"{folder} belongs to another cluster: give an empty folder and another name")
    return lock, owner["identity"]
