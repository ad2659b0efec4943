"""The keeper: a process that starts all others of a cluster on this machine, and ends them, however it is left.

It lives in a session of its own, where no Ctrl-C of a terminal reaches it, and owns the folder in which all of them
keep what they must not forget. Its standard input is a pipe from whoever started it. When that closes, be it that they
ended, crashed or were killed, it kills all it has started, and removes the folder. Only who kills the keeper itself
leaves something behind.
"""

import json
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from select import select
from typing import Any

from toy_paxos.remote import CannotError
from toy_paxos.remote.local_zookeeper import command, free_port, wait_until_it_answers

FOLDER, ZOOKEEPER = "{folder}", "{zookeeper}"
"""Begin the words that stand for what is in the keeper's folder, and for where its ZooKeeper is, in its commands."""

PYTHON = [sys.executable, "-P"]
"""How to start Python so that nothing in the present folder takes the place of a module."""


MOMENT_S = 5
"""How long somebody who has closed its standard output has to end by itself."""


MOST_FAILURES = 5
"""How often in a row somebody may be killed before it has said where it is."""


class KeeperError(CannotError):
    """A cluster did not start, or it has ended."""


class Kept:
    """A cluster that lives as long as this object is open; ``addresses`` tells where each of its processes is now.

    It may have a ZooKeeper of its own. All live in the same environment.
    """

    def __init__(
        self,
        commands: Mapping[str, list[str]],
        kill_every: float | None,
        zookeeper: bool = False,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        order = json.dumps({"commands": commands, "kill_every": kill_every, "zookeeper": zookeeper})
        self.zookeeper = ""
        self.addresses: dict[str, str] = {}
        self.names = list(commands)
        self.keeper = subprocess.Popen(
            [*PYTHON, "-m", __name__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
            start_new_session=True,
            env=environment,
        )
        assert self.keeper.stdin
        # Not as an argument, which may not be as long.
        with suppress(BrokenPipeError):
            print(order, file=self.keeper.stdin, flush=True)
        self.has_ended = False
        self.started = threading.Event()
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self) -> None:
        """Note who is where, as the keeper tells it, until it ends."""
        assert self.keeper.stdout
        for line in self.keeper.stdout:
            name, address = line.split()
            if name == "zookeeper":
                self.zookeeper = address
                continue
            self.addresses[name] = address
            if len(self.addresses) == len(self.names):
                self.started.set()
        self.has_ended = True
        self.started.set()

    def __enter__(self) -> Mapping[str, str]:
        """Wait until all are there; raise KeeperError if they do not come."""
        self.started.wait()
        self.check()
        return self.addresses

    def check(self) -> None:
        """Raise KeeperError if the keeper has ended, and all others with it."""
        if self.has_ended:
            missing = [name for name in self.names if name not in self.addresses]
            self.close()
            raise KeeperError(f"{missing[0]} did not start" if missing else "the cluster has ended, or was killed")

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let the keeper end all, and wait until it has."""
        assert self.keeper.stdin
        self.keeper.stdin.close()
        self.keeper.wait()


class Child:
    """A process that is kept; it says where it is in a line that it prints, unless it fails before."""

    def __init__(self, name: str, command: list[str], address: str = "", failures: int = 0) -> None:
        self.name = name
        self.failures = failures
        self.command = command
        self.address = address
        # What a ZooKeeper has to say is for those who run one.
        errors = subprocess.DEVNULL if name == "zookeeper" else None
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors)

    def fileno(self) -> int:
        """Where it can be heard."""
        assert self.process.stdout
        return self.process.stdout.fileno()

    def hear(self) -> str:
        """What it says now; nothing at its end."""
        assert self.process.stdout
        return self.process.stdout.readline().decode()

    def end(self) -> int:
        """Wait until it is gone, if it has nothing more to say; return its status, negative if it was killed."""
        assert self.process.stdout
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(MOMENT_S)
        self.kill()
        return self.process.returncode

    def kill(self) -> None:
        """Kill it, if it lives, and wait until it is gone."""
        assert self.process.stdout
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


def keep(children: list[Child], kill_every: float | None) -> None:
    """Start again whoever ends, and tell where all are, until standard input closes or somebody cannot start."""
    due = time.monotonic() + (kill_every or 0)
    while True:
        patience = max(0.0, due - time.monotonic()) if kill_every else None
        ready: list[Any] = select([sys.stdin, *children], [], [], patience)[0]
        if sys.stdin in ready:
            return
        for child in ready:
            if words := child.hear():
                if not child.address and words.startswith(f"{child.name} listens at "):
                    child.address = words.split()[-1]
                    tell(f"{child.name} {child.address}")
                continue
            # Who ends by itself before it came so far will do so again; who is killed may have had bad luck.
            was_killed = child.end() < 0
            failures = 0 if child.address else child.failures + 1
            if failures and not (was_killed and failures < MOST_FAILURES):
                return
            address = child.address if child.name == "zookeeper" else ""
            children[children.index(child)] = Child(child.name, child.command, address, failures)
        if kill_every and time.monotonic() >= due:
            due = max(due + kill_every, time.monotonic())
            if up := [child for child in children if child.address and child.name != "zookeeper"]:
                random.choice(up).process.kill()


def start_zookeeper(folder: Path, children: list[Child]) -> str:
    """Start a ZooKeeper, and return where it is."""
    port = free_port()
    address = f"127.0.0.1:{port}"
    children.append(Child("zookeeper", command(folder, port), address))
    if not wait_until_it_answers(port):
        sys.exit("toy-paxos: ZooKeeper did not start")
    tell(f"zookeeper {address}")
    return address


def tell(words: str) -> None:
    """Print a line, if somebody still listens."""
    with suppress(BrokenPipeError):
        print(words, flush=True)


def main() -> None:
    """Keep what standard input's other end has ordered; leave nothing behind."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    order: dict[str, Any] = json.loads(sys.stdin.readline() or "null")
    if not order:
        return
    folder = Path(tempfile.mkdtemp(prefix="toy-paxos-"))
    children: list[Child] = []
    try:
        zookeeper = start_zookeeper(folder, children) if order["zookeeper"] else ""
        for name, its in order["commands"].items():
            words = [zookeeper if word == ZOOKEEPER else word for word in its]
            words = [f"{folder}{word.removeprefix(FOLDER)}" if word.startswith(FOLDER) else word for word in words]
            children.append(Child(name, words))
        keep(children, order["kill_every"])
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        for child in children:
            child.kill()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
