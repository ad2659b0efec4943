"""The supervisor: a process that starts all other processes of a cluster on this machine, and ends them.

It runs in a separate session, so Ctrl-C in a terminal does not reach it, and makes the folder that holds their data.
Its standard input is a pipe from the command that started it. When the pipe closes, because that command ended,
crashed or was killed, the supervisor kills its children and removes the folder. If the supervisor itself is killed,
Linux kills its children, and the command removes the folder, whose name it has chosen.
"""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from queue import Queue
from select import select
from typing import Any, NamedTuple

from toy_paxos.adapt.process import end_with_parent
from toy_paxos.remote import CannotError, local_zookeeper

ZOOKEEPER = "zookeeper"
"""The name of the process that is a ZooKeeper server."""

DOWN, FAILED = "down", "failed"
"""What the supervisor reports, in place of its address, of a process that has ended, or that would fail again."""

PYTHON = [sys.executable, "-P"]
"""How to start Python so that nothing in the present folder takes the place of a module."""


class Change(NamedTuple):
    """A process came up or went down, at a time of the monotonic clock; ``starts`` counts how often it has started."""

    name: str
    starts: int
    time: float
    is_up: bool


class LocalCluster:
    """A cluster that runs until it is closed; ``addresses`` has the current address of each process.

    ``failure`` says which process has failed, and so has ended the cluster.

    With ``zookeeper_port``, it also has a ZooKeeper server there. The folder, which must not exist, is made now and
    removed at the end.
    """

    def __init__(
        self, folder: str, commands: Mapping[str, list[str]], kill_every: float | None, zookeeper_port: int | None
    ) -> None:
        self.folder = folder
        order = json.dumps([folder, commands, kill_every, zookeeper_port])
        self.addresses: dict[str, str] = {}
        self.starts = Counter[str]()
        self.news: Queue[Change] = Queue()
        self.names = [ZOOKEEPER] * bool(zookeeper_port) + [*commands]
        self.supervisor = subprocess.Popen(
            [*PYTHON, "-m", __name__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
            start_new_session=True,
            env=environment(),
        )
        assert self.supervisor.stdin
        # Not as an argument: the length of arguments is limited.
        with suppress(BrokenPipeError):
            print(order, file=self.supervisor.stdin, flush=True)
        self.has_ended = False
        self.failure = ""
        self.started = threading.Event()
        self.listener = threading.Thread(target=self.listen, daemon=True)
        self.listener.start()

    def listen(self) -> None:
        """Note the addresses that the supervisor reports, and what goes down and comes back, until it ends."""
        assert self.supervisor.stdout
        for line in self.supervisor.stdout:
            name, address = line.split()
            if address == FAILED:
                stopped = f"the cluster stopped because {name} stopped (see above)"
                self.failure = self.failure or (stopped if name in self.addresses else f"{name} did not start")
                continue
            is_up = address != DOWN
            self.starts[name] += is_up
            if self.starts[name] > 1 or not is_up:
                self.news.put(Change(name, self.starts[name], time.monotonic(), is_up))
            if is_up:
                self.addresses[name] = address
            if len(self.addresses) == len(self.names):
                self.started.set()
        self.has_ended = True
        self.started.set()

    def changes(self) -> list[Change]:
        """Return what went down or came back since the last call."""
        return [self.news.get() for _ in range(self.news.qsize())]

    def wait(self) -> Mapping[str, str]:
        """Wait until all processes have started; return their addresses, and raise CannotError if one does not."""
        self.started.wait()
        self.check()
        return self.addresses

    def check(self) -> None:
        """Raise CannotError if the supervisor has ended, and the whole cluster with it."""
        if self.has_ended:
            raise CannotError(self.failure or "the cluster has ended, or was killed")

    def close(self) -> None:
        """Make the supervisor end the cluster, and wait until it has."""
        assert self.supervisor.stdin
        self.supervisor.stdin.close()
        self.supervisor.wait()
        self.listener.join()
        shutil.rmtree(self.folder, ignore_errors=True)


def environment() -> dict[str, str]:
    """Return the environment of all processes: if this package was found in the present folder, they find it, too."""
    root = str(Path(__file__).parents[2])
    path = [root] if sys.path[0] == root else []
    path += filter(None, [os.environ.get("PYTHONPATH")])
    return os.environ | {"PYTHONPATH": os.pathsep.join(path)}


class Child:
    """A supervised process; it prints a line with its address, unless that is known or the process fails first."""

    def __init__(self, name: str, command: list[str], known_address: str = "") -> None:
        self.name = name
        self.command = command
        self.address = self.known_address = known_address
        # The messages of a ZooKeeper server mean nothing to users of this program.
        errors = subprocess.DEVNULL if name == ZOOKEEPER else None
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, preexec_fn=end_with_parent()
        )
        assert self.process.stdout
        self.output = self.process.stdout

    def fileno(self) -> int:
        """Return the descriptor of its standard output, for select."""
        return self.output.fileno()

    def kill(self) -> None:
        """Kill it if it still runs, and wait until it has ended."""
        self.process.kill()
        self.process.wait()
        self.output.close()


def supervise(children: list[Child], kill_every: float | None) -> None:
    """Restart each child that ends and report addresses, until standard input closes or a child fails.

    A child fails if it ends without an address or with status 2. A kill waits until all are up.
    """
    due = time.monotonic() + (kill_every or 0)
    while True:
        may_kill = kill_every is not None and all(child.address for child in children)
        patience = max(0.0, due - time.monotonic()) if may_kill else None
        ready: list[Any] = select([sys.stdin, *children], [], [], patience)[0]
        if sys.stdin in ready:
            return
        for child in ready:
            if words := child.output.readline().decode():
                if not child.address and words.startswith(f"{child.name} listens at "):
                    child.address = words.split()[-1]
                    tell(f"{child.name} {child.address}")
                continue
            child.kill()
            if not child.address or child.process.returncode == 2:
                tell(f"{child.name} {FAILED}")
                return
            tell(f"{child.name} {DOWN}")
            children[children.index(child)] = Child(child.name, child.command, child.known_address)
        if may_kill and not ready:
            random.choice([child for child in children if child.name != ZOOKEEPER]).process.kill()
            due = time.monotonic() + (kill_every or 0)


def tell(words: str) -> None:
    """Print a line, unless the pipe is closed."""
    with suppress(BrokenPipeError):
        print(words, flush=True)


def main() -> None:
    """Supervise the processes that the first line of standard input names; remove everything at the end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    if not (order := sys.stdin.readline()):
        return
    folder, commands, kill_every, zookeeper_port = json.loads(order)
    children: list[Child] = []
    try:
        os.mkdir(folder, 0o700)
        if zookeeper_port:
            address, command = f"127.0.0.1:{zookeeper_port}", local_zookeeper.command(Path(folder), zookeeper_port)
            children.append(Child(ZOOKEEPER, command, address))
            is_up = local_zookeeper.wait_until_it_answers(zookeeper_port)
            tell(f"{ZOOKEEPER} {address if is_up else FAILED}")
            if not is_up:
                return
        for name, command in commands.items():
            children.append(Child(name, command))
        supervise(children, kill_every)
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        for child in children:
            child.kill()
            # It may have failed unnoticed; then the kill came too late to change its status.
            if child.process.returncode == 2:
                tell(f"{child.name} {FAILED}")
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
