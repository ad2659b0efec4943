"""The page on real processes can be followed word by word: the format of a log, and three machines."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from conftest import RunHere, clean_environment, wait_until
from test_zookeeper import needs_zookeeper

PAGE = (Path(__file__).parent.parent / "toy_paxos" / "remote" / "README.md").read_text(encoding="utf-8")
(EXAMPLE,) = re.findall(r"```json\n((?:.*\n)*?)```", PAGE)
THREE_MACHINES = PAGE.partition("## Three machines\n")[2].partition("\n## ")[0]
CERTIFICATES, ZOOKEEPER, ACCEPTOR, PROPOSER = re.findall(r"```sh\n((?:.*\n)*?)```", THREE_MACHINES)
FIRST_LINE = "i=0 m=10.0.0.1; "


def test_the_example_of_the_format_is_complete_and_safe(run_here: RunHere) -> None:
    done = run_here("verify", "-", typed=EXAMPLE)
    assert (done.returncode, done.stderr) == (0, "")
    assert "round 1: chosen under 1: apple; proposer-0 learned apple\n" in done.stdout
    without_sizes = re.sub(r',"run":1,"num_.*', "}", EXAMPLE, count=1)
    assert run_here("verify", "-", "--num-acceptors", "1", typed=without_sizes).stdout == done.stdout


class Machines:
    """Three machines: network namespaces, or only addresses of this machine, where those may not be made."""

    def __init__(self, at_the_end: ExitStack) -> None:
        self.prefix = f"tp{os.getpid()}-"
        try:
            self.make(at_the_end)
            self.has_namespaces = True
        except (OSError, subprocess.CalledProcessError):
            self.has_namespaces = False

    def make(self, at_the_end: ExitStack) -> None:
        """Make a namespace for each machine, and one with a bridge between them."""
        hub, machines = f"{self.prefix}hub", [f"{self.prefix}{number}" for number in (1, 2, 3)]
        for name in (hub, *machines):
            ip(f"netns add {name}")
            at_the_end.callback(ip, f"netns delete {name}")
        ip(f"-n {hub} link add bridge type bridge")
        ip(f"-n {hub} link set bridge up")
        for number, name in enumerate(machines, start=1):
            ip(f"-n {hub} link add port{number} type veth peer name eth0 netns {name}")
            ip(f"-n {hub} link set port{number} master bridge up")
            ip(f"-n {name} address add 10.0.0.{number}/24 dev eth0")
            ip(f"-n {name} link set eth0 up")
            ip(f"-n {name} link set lo up")

    def shell(self, number: int, script: str) -> list[str]:
        """Return the command that runs a script on a machine."""
        if self.has_namespaces:
            return ["ip", "netns", "exec", f"{self.prefix}{number}", "sh", "-euc", script]
        return ["sh", "-euc", script.replace("10.0.0.", "127.0.0.")]


def ip(command: str) -> None:
    """Run a command of iproute2."""
    subprocess.run(["ip", *command.split()], check=True, capture_output=True)


@pytest.fixture
def at_the_end() -> Iterator[ExitStack]:
    """What is tidied up at the end of the test."""
    with ExitStack() as at_the_end:
        yield at_the_end


@needs_zookeeper
@pytest.mark.skipif(shutil.which("openssl") is None, reason="takes the command openssl")
def test_three_machines_agree(at_the_end: ExitStack, tmp_path: Path, run_here: RunHere) -> None:
    assert len(THREE_MACHINES.splitlines()) <= 40
    program = tmp_path / "bin" / "toy-paxos"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m toy_paxos "$@"\n')
    program.chmod(0o755)
    env = clean_environment(PATH=f"{program.parent}:{os.environ['PATH']}")
    machines = Machines(at_the_end)
    subprocess.run(machines.shell(1, CERTIFICATES), check=True, capture_output=True, cwd=tmp_path)
    logs = [tmp_path / f"acceptor-{number}.jsonl" for number in range(3)]
    for number, script in [(1, ZOOKEEPER), *((number, ACCEPTOR) for number in (1, 2, 3))]:
        # A shell takes the place of itself by its last command, so that one can be killed.
        *lines, last = script.replace(FIRST_LINE, f"i={number - 1} m=10.0.0.{number}; ").splitlines(keepends=True)
        command = machines.shell(number, "".join([*lines, f"exec {last}"]))
        process = subprocess.Popen(command, cwd=tmp_path, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        at_the_end.callback(process.wait)
        at_the_end.callback(process.kill)
        if script == ZOOKEEPER:
            wait_until(lambda: answers(machines))
    wait_until(lambda: all(log.exists() for log in logs))
    script = PROPOSER.replace("--rounds 100", "--rounds 10 --timeout 3600000").replace(FIRST_LINE, "i=0 m=10.0.0.2; ")
    done = subprocess.run(machines.shell(2, script), cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "consensus                   10  100.00%" in done.stdout
    assert "known to be chosen          10  100.00%" in done.stdout


def answers(machines: Machines) -> bool:
    """Whether the ZooKeeper of the first machine takes connections."""
    script = f"{sys.executable} -c 'import socket; socket.create_connection((\"10.0.0.1\", 2181), 1)'"
    return subprocess.run(machines.shell(1, script), capture_output=True, check=False).returncode == 0
