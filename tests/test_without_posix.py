"""On a system without POSIX, as Windows is one, all works but what needs other processes."""

import signal
from pathlib import Path

import pytest
from conftest import OnTerminal, Run, RunHere, Start, rest_of

# What Windows lacks is taken away from every Python that finds this file before it imports anything else.
SITECUSTOMIZE = """
import os, select, signal, socket, sys

for name in ("curses", "fcntl", "grp", "pty", "pwd", "readline", "resource", "syslog", "termios", "tty"):
    sys.modules[name] = None

there = {"SIGABRT", "SIGFPE", "SIGILL", "SIGINT", "SIGSEGV", "SIGTERM", "SIG_DFL", "SIG_IGN", "signal"}
for name in {name for name in dir(signal) if name.lower().startswith(("sig", "itimer", "pthread"))} - there:
    delattr(signal, name)
for name in ("alarm", "getitimer", "pause", "setitimer"):
    delattr(signal, name)

for name in (
    "fdatasync", "fork", "get_blocking", "getpgid", "getuid", "killpg", "mkfifo", "openpty", "set_blocking", "setsid"
):
    delattr(os, name)

wait_for = select.select

def select_sockets(*lists):
    assert all(isinstance(each, socket.socket) for waited_for in lists[:3] for each in waited_for)
    return wait_for(*lists)

select.select = select_sockets
os.kill = lambda pid, number: os._exit(number)
"""

Without = dict[str, str]


@pytest.fixture
def without_posix(tmp_path: Path) -> Without:
    """An environment in which Python finds no POSIX."""
    (tmp_path / "sitecustomize.py").write_text(SITECUSTOMIZE)
    return {"PYTHONPATH": str(tmp_path)}


@pytest.mark.parametrize(
    ("command", "status"),
    [
        ("--seed 1 -c 2", 0),
        ("--seed 1 -c 2 --json", 0),
        ("--seed 1 -c 2 --num-proposers 2 --diagram", 0),
        ("--seed 1 -c 2 --brief --acceptor-crash-prob 0.1", 0),
        ("--seed 1 -c 1 -o -.svg", 0),
        ("--seed 1 -c 1 -o -.html", 0),
        ("--break list", 0),
        ("check -n 1 --json", 0),
        ("check --break skips-phase-1 -o -.mmd", 3),
        ("play duel", 0),
        ("play --break skips-phase-1", 0),
        ("--help", 0),
        ("--bogus", 2),
    ],
)
def test_what_needs_no_other_process_does_what_it_does_elsewhere(
    command: str, status: int, run: Run, run_here: RunHere, without_posix: Without, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(Path(__file__).parent.parent)
    here = run(*command.split(), typed="1\nroll 3\n", **without_posix)
    elsewhere = run_here(*command.split(), typed="1\nroll 3\n")
    assert (here.returncode, here.stderr) == (elsewhere.returncode, elsewhere.stderr)
    assert here.returncode == status
    for line, expected in zip(here.stdout.splitlines(), elsewhere.stdout.splitlines(), strict=True):
        # But for the time that it takes.
        assert line == expected or " s, " in line or "elapsed_s" in line


def test_on_a_terminal_it_is_the_same(on_terminal: OnTerminal, without_posix: Without) -> None:
    seen = on_terminal("-n", "3", interrupt_at=b"PREPARE", **without_posix)
    assert "--- 1 round of toy-paxos: " in seen
    played = on_terminal("play", "--break", "skips-phase-1", typed=["1", "hint", "quit"], **without_posix)
    assert played.count("toy-paxos> ") == 3
    assert "in flight" in played


@pytest.mark.parametrize(
    ("bound", "number", "status"),
    [([], signal.SIGINT, 0), (["-c", "9"], signal.SIGINT, 130), (["-c", "9"], signal.SIGTERM, 143)],
)
def test_signals_end_it_with_the_same_status(
    bound: list[str], number: int, status: int, start: Start, without_posix: Without
) -> None:
    process = start("-i", "3600", *bound, **without_posix)
    assert process.stdout
    assert any(line.startswith("Round 1: ") for line in process.stdout)
    process.send_signal(number)
    output, errors = rest_of(process)
    assert (process.returncode, errors) == (status, "")
    assert "--- 1 round of toy-paxos: " in output


@pytest.mark.parametrize(
    ("command", "what"),
    [
        ("cluster", "cluster"),
        ("acceptor --name acceptor-0 --data-dir {folder}", "acceptor"),
        ("propose --at acceptor-0=127.0.0.1:9 --log {folder}", "--log"),
    ],
)
def test_what_needs_posix_says_so_in_one_line(
    command: str, what: str, run: Run, without_posix: Without, tmp_path: Path
) -> None:
    done = run(*command.format(folder=tmp_path / "new").split(), **without_posix)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"toy-paxos: {what} needs a POSIX system, such as Linux or macOS\n"
    assert not (tmp_path / "new").exists()


def test_a_proposer_locks_nothing_and_does_without(
    start: Start, run: Run, without_posix: Without, tmp_path: Path
) -> None:
    acceptor = start("acceptor", "--name", "acceptor-0", "--data-dir", str(tmp_path / "a0"))
    assert acceptor.stdout
    address = acceptor.stdout.readline().split()[-1]
    done = run("propose", "--at", f"acceptor-0={address}", "-c", "1", **without_posix)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Round 1: consensus on" in done.stdout


def test_logs_are_judged_without(run: Run, without_posix: Without, tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text('{"event":"start","format":2,"process":"proposer-0","run":7,"num_acceptors":1,"num_proposers":1}\n')
    done = run("verify", str(log), **without_posix)
    assert (done.returncode, done.stderr) == (2, "toy-paxos: nothing is in these logs about any run\n")
