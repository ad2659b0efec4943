"""The program as its user meets it: options, signals, streams and exit statuses, with real processes."""

import fcntl
import json
import os
import re
import signal
import subprocess
import sys
import termios
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from conftest import COMMAND, PATIENT_COMMAND, OnTerminal, Run, RunHere, Start, clean_environment, rest_of, wait_until

from toy_paxos import simulation
from toy_paxos.command.show import NEXT
from toy_paxos.main import run as command
from toy_paxos.round import Round


def summary_of(output: str) -> dict[str, object]:
    """The summary event at the end of JSON Lines."""
    event: dict[str, object] = json.loads(output.splitlines()[-1])
    assert event["event"] == "summary"
    return event


def wait_for_line(process: "subprocess.Popen[str]", beginning: str) -> None:
    """Read the output of a process up to a line."""
    assert process.stdout
    for line in process.stdout:
        if line.startswith(beginning):
            return
    raise AssertionError(f"no line began with {beginning!r}")


# Options


def test_the_defaults_are_those_of_the_original(run_here: RunHere) -> None:
    event = json.loads(run_here("--json", "--rounds", "1").stdout.splitlines()[0])
    assert (event["num_acceptors"], event["acceptor_failure_prob"]) == (5, 0.1)


def test_without_a_seed_each_run_is_another_one(run_here: RunHere) -> None:
    first, second = (json.loads(run_here("--json", "-c", "1").stdout.splitlines()[0]) for _ in range(2))
    assert first["seed"] != second["seed"]


def test_a_network_is_simulated_as_soon_as_one_of_its_options_is_given(run_here: RunHere) -> None:
    assert '"t_ms":null' in run_here("--json", "-c", "1", "--value", "x").stdout
    for option in (
        ["--num-proposers", "1"],
        ["--failure-mode", "reply"],
        ["--message-loss-prob", "0"],
        ["--message-duplication-prob", "0"],
        ["--proposer-failure-prob", "0"],
        ["--acceptor-crash-prob", "0"],
        ["--timeout", "30"],
        ["--backoff", "30"],
        ["--max-attempts", "10"],
    ):
        assert '"t_ms":null' not in run_here("--json", "-c", "1", *option).stdout


def test_json_is_json_all_the_way(run_here: RunHere) -> None:
    events = [json.loads(line) for line in run_here("--json", "-c", "20", "-p", "0.4").stdout.splitlines()]
    kinds = [event["event"] for event in events]
    assert (kinds[0], kinds[-1]) == ("start", "summary")
    summary = events[-1]
    outcomes = [event["outcome"] for event in events if event["event"] == "round"]
    assert summary["rounds"] == len(outcomes) == 20
    assert summary["messages"] == kinds.count("message")
    for outcome in ("consensus", "no-promise-quorum", "no-accept-quorum"):
        assert summary[outcome.replace("-", "_")] == outcomes.count(outcome)


def test_quiet_json_is_start_and_summary_only(run_here: RunHere) -> None:
    events = [json.loads(line)["event"] for line in run_here("--json", "-q", "-c", "9").stdout.splitlines()]
    assert events == ["start", "summary"]


def test_the_help_names_every_option_an_example_and_the_exit_statuses(run_here: RunHere) -> None:
    text = run_here("--help").stdout
    for option in command.params:
        assert option.opts[-1] in text
    assert "Number of acceptors (from 1 to 10,000; default: 5)." in " ".join(text.split())
    assert "toy-paxos --num-acceptors 5 --acceptor-failure-prob 0.2\n" in text
    assert "Exit status:" in text


def test_the_shell_can_complete_options(run: Run) -> None:
    output = run(_TOY_PAXOS_COMPLETE="bash_complete", COMP_WORDS="toy-paxos --num-a", COMP_CWORD="1").stdout
    assert output == "plain,--num-acceptors\n"


@pytest.mark.parametrize(
    ("args", "what_to_do"),
    [
        (["-n", "0"], "0 is not a whole number from 1 to 10,000"),
        (["-n", "1" + "0" * 23], "is not a whole number from 1 to 10,000"),
        (["-n", "9" * 5_000], f"{'9' * 37}... is not a whole number from 1 to 10,000"),
        (["-n", "1.5"], "1.5 is not a whole number from 1 to 10,000"),
        (["-p", "nan"], "nan is not a number from 0 to 1"),
        (["-p", "inf"], "inf is not a number from 0 to 1."),
        (["-p", "-1"], "-1 is not a number from 0 to 1"),
        (["-p", "often"], "often is not a number from 0 to 1."),
        (["-p", "0,2"], "0,2 is not a number from 0 to 1."),
        (["-p", "1,2"], "1,2 is not a number from 0 to 1."),
        (["--timeout", "1,000"], "1,000 is not a number from 0.1 to 3,600,000."),
        (["-n", "\x1b[31mred"], r"'\x1b[31mred' is not a whole number"),
        (["--seed", ""], "'' is not a whole number. ("),
        (["-i", "-0.1"], "-0.1 is not a number from 0 to 86,400"),
        (["-i", "nan"], "nan is not a number"),
        (["-i", "inf"], "inf is not a number"),
        (["-c", "0"], "0 is not a whole number from 1 to 1,000,000,000"),
        (["--seed", "1", "--round", "0"], "0 is not a whole number"),
        (["--seed", "x"], "x is not a whole number. ("),
        (["--round", "3"], "add --seed"),
        (["--quiet", "--diagram"], "--quiet and --diagram exclude each other: choose one."),
        (["--break", "list", "-o", "-.svg"], "--break list has no story for -o to write: leave out one"),
        (["check", "--break", "list", "--diagram"], "--break list has no story for --diagram to show: leave out one"),
        (["--round", "3", "--seed", "1", "-c", "3"], "leave out --rounds"),
        (["--value", ""], "a value must not be empty"),
        (["--quorums", "3"], "3 is not of the form Q1,Q2, such as 4,2"),
        (["--quorums", "0,4"], "--quorums 0,4: each must be from 1 to 5, the number of acceptors"),
        (["--value", "x", "--value", "y"], "2 values need as many proposers: add --num-proposers 2."),
        (["--num-proposers", "2", *["--value", "x"] * 3], "3 values need as many proposers: add --num-proposers 3."),
        (["--num-proposers", "0"], "0 is not a whole number from 1 to 79"),
        (["--num-proposers", "80"], "80 is not a whole number from 1 to 79"),
        (["--failure-mode", "loud"], "'loud' is not one of 'reply', 'silent'"),
        (["--message-loss-prob", "1.1"], "1.1 is not a number from 0 to 1"),
        (["--message-duplication-prob", "nan"], "nan is not a number from 0 to 1"),
        (["--proposer-failure-prob", "-0.1"], "-0.1 is not a number from 0 to 1"),
        (["--timeout", "0"], "0 is not a number from 0.1 to 3,600,000"),
        (["--timeout", "inf"], "inf is not a number from 0.1 to 3,600,000"),
        (["--backoff", "-1"], "-1 is not a number from 0 to 3,600,000"),
        (["--max-attempts", "0"], "0 is not a whole number from 1 to 1,000"),
        (["two\nlines"], r"Unknown command 'two\nlines'"),
        (["--bogus"], "No such option"),
        (["--seed"], "requires an argument"),
        (["extra"], "Unknown command extra."),
        (["chek"], "Did you mean 'check'?"),
        (["--num-acceptor", "3"], "Did you mean one of: '--acceptor', '--num-acceptors'?"),
        (
            ["--num-acceptors", "3", "check"],
            "--num-acceptors has no effect before 'check': write the options of a command after it",
        ),
        (["--seed", "1", "check"], "--seed has no effect before 'check'"),
    ],
)
def test_an_error_of_usage_is_one_line_that_says_what_to_do(
    args: list[str], what_to_do: str, run_here: RunHere
) -> None:
    done = run_here(*args)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert what_to_do in done.stderr


@pytest.mark.parametrize("args", ["--version", "--help", "--json --rounds 1", "-c 1", "-n 0"])
def test_rich_is_not_imported_where_it_is_not_needed(args: str) -> None:
    assert "rich" not in imported_by(*PROGRAM, *args.split())


# What a plain run may import beside what click does and what both need to start; every other module makes each start
# slower, and waits for the command that needs it.
MAY_IMPORT = {
    "atexit",
    "bisect",
    "copy",
    "dataclasses",
    "encodings",
    "gc",
    "heapq",
    "importlib",
    "locale",
    "math",
    "random",
    "runpy",
    "select",
    "signal",
}
# Tried, and not there: what copy looks for in another implementation of Python.
NOT_THERE = {"org"}
LESSON = {"message", "actor", "acceptor", "proposer", "actor_registry"}
STORIES = {
    "message_like",
    "event",
    "story",
    "safety",
    "settings",
    "round",
    "simulation",
    *(f"simulation.{name}" for name in ("network", "rounds")),
}
ABOVE = {
    "command",
    *(f"command.{name}" for name in ("help", "options", "actors", "process", "show", "story_file")),
    "view",
    *(f"view.{name}" for name in ("views", "files", "output", "words", "run_words", "direct")),
}


def test_a_plain_run_imports_only_the_modules_that_it_uses() -> None:
    imported = imported_by(*PROGRAM, "--rounds", "1") - imported_by("-c", "import click")
    ours = {name for name in imported if name.split(".")[0] == "toy_paxos"}
    assert ours <= {"toy_paxos", *(f"toy_paxos.{name}" for name in {"main"} | LESSON | STORIES | ABOVE)}
    others = {name.split(".")[0] for name in imported - ours}
    assert {name for name in others if not name.startswith("_")} <= MAY_IMPORT | NOT_THERE


@pytest.mark.parametrize("view", ["", "--quiet", "--brief", "--json", "--diagram", "-o -.mmd", "-o -.svg", "-o -.html"])
def test_a_run_does_not_import_the_checker(view: str) -> None:
    assert "toy_paxos.checking" not in imported_by(*PROGRAM, *f"--num-proposers 2 --rounds 1 {view}".split())


PROGRAM = ("-m", "toy_paxos")


def imported_by(*args: str) -> set[str]:
    """The modules that Python imports when it is given these arguments."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", *args],
        capture_output=True,
        encoding="utf-8",
        env=clean_environment(),
        check=False,
    )
    lines = [line for line in done.stderr.splitlines() if line.startswith("import time:")]
    return {line.rpartition("|")[2].strip() for line in lines}


def test_the_script_and_the_module_are_the_same_program(run: Run) -> None:
    script = Path(sys.executable).with_name("toy-paxos")
    output = subprocess.run([script, "--version"], capture_output=True, encoding="utf-8", check=True).stdout
    assert output == run("--version").stdout


def test_too_little_memory_is_one_line(run_here: RunHere, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_rounds(*_: object, **__: object) -> Iterator[Round]:
        raise MemoryError

    monkeypatch.setattr(simulation, "play_rounds", no_rounds)
    done = run_here("-c", "1")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "toy-paxos: out of memory: choose a smaller cluster, or fewer states or rounds\n"


# In one process, for whoever calls the command from Python


@pytest.mark.usefixtures("restored_signals")
def test_the_command_can_be_called_from_python() -> None:
    result = CliRunner().invoke(command, ["--seed", "1", "-c", "2"])
    assert result.exit_code == 0
    assert "--- 2 rounds of toy-paxos ---" in result.stdout


def test_ctrl_c_shows_the_rest_of_the_round_and_then_the_summary(on_terminal: OnTerminal) -> None:
    seen = on_terminal("-n", "9", "-p", "0", interrupt_at=b"PREPARE")
    assert seen.count("ACCEPT ") == 9
    assert "--- 1 round of toy-paxos: " in seen


def test_each_round_is_written_when_it_is_over(start: Start) -> None:
    process = start("-i", "3600")
    wait_for_line(process, "Round 1: ")


def test_the_hint_is_for_endless_runs_on_a_terminal(on_terminal: OnTerminal, run: Run) -> None:
    assert "Ctrl-C to stop\n" in on_terminal(interrupt_at=b"Round 1: ")
    assert "Ctrl-C" not in on_terminal("-c", "1", "-i", "0")
    assert "Ctrl-C" not in run("-c", "1").stderr


def test_after_ctrl_c_one_dim_line_on_a_terminal_says_what_to_try_next(on_terminal: OnTerminal, start: Start) -> None:
    assert len(NEXT) < 80
    seen = on_terminal(interrupt_at=b"Round 1: ")
    assert seen.endswith(f"\x1b[2m{NEXT}\x1b[0m\n")
    assert NEXT not in on_terminal("-c", "1", "-i", "0")
    process = start("-i", "3600")
    wait_for_line(process, "Round 1: ")
    assert not [said for said in interrupt(process) if NEXT in said]


# Signals


def interrupt(process: "subprocess.Popen[str]", number: int = signal.SIGINT) -> tuple[str, str]:
    """Send a signal and return what the process then still has to say."""
    process.send_signal(number)
    return rest_of(process)


@pytest.mark.parametrize("interval", ["0", "3600"])
def test_ctrl_c_ends_an_endless_run_at_once_with_a_summary_and_status_0(interval: str, start: Start) -> None:
    process = start("-i", interval)
    wait_for_line(process, "Round 1: ")
    stdout, stderr = interrupt(process)
    assert "of toy-paxos" in stdout
    assert (process.returncode, stderr) == (0, "")


@pytest.mark.parametrize("interval", ["0", "3600"])
def test_ctrl_c_ends_a_bounded_run_with_a_summary_and_death_by_sigint(interval: str, start: Start) -> None:
    process = start("-i", interval, "-c", "1000000")
    wait_for_line(process, "Round 1: ")
    stdout, stderr = interrupt(process)
    assert "of toy-paxos" in stdout
    assert (process.returncode, stderr) == (-signal.SIGINT, "")


@pytest.mark.parametrize("bound", [[], ["-c", "1000000"]])
def test_sigterm_ends_any_run_with_a_summary_and_death_by_sigterm(bound: list[str], start: Start) -> None:
    process = start("-i", "3600", *bound)
    wait_for_line(process, "Round 1: ")
    stdout, stderr = interrupt(process, signal.SIGTERM)
    assert "--- 1 round of toy-paxos: " in stdout
    assert (process.returncode, stderr) == (-signal.SIGTERM, "")


def test_json_ends_with_its_summary_too(start: Start) -> None:
    process = start("-i", "3600", "--json")
    wait_for_line(process, '{"event":"round"')
    stdout, _ = interrupt(process)
    assert summary_of(stdout)["rounds"] == 1


def test_after_a_signal_a_round_that_is_not_due_yet_is_not_shown(run: Run, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "import os, signal\n"
        "from toy_paxos.acceptor import Acceptor\n"
        "class Interrupts(Acceptor):\n"
        "    made = 0\n"
        "    def __init__(self, name):\n"
        "        super().__init__(name)\n"
        "        Interrupts.made += 1\n"
        "        if Interrupts.made == 4:\n"
        "            os.kill(os.getpid(), signal.SIGINT)\n"
    )
    ended = run("-n", "3", "-i", "3600", "--json", "--acceptor", f"{tmp_path}/mine.py:Interrupts")
    assert summary_of(ended.stdout)["rounds"] == 1


def unread_bytes(pipe: Any) -> int:
    """How many bytes are in a pipe."""
    return int.from_bytes(fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)), sys.byteorder)


def catches(process: "subprocess.Popen[str]", number: int) -> bool:
    """Whether a process handles a signal itself."""
    (caught,) = re.findall(r"^SigCgt:\t(\w+)$", Path(f"/proc/{process.pid}/status").read_text(), re.MULTILINE)
    return bool(int(caught, 16) >> (number - 1) & 1)


def test_a_second_ctrl_c_kills_even_a_program_that_cannot_write(start: Start) -> None:
    process = start("-n", "1000")
    pipe = process.stdout
    assert pipe
    # The round is longer than a pipe, and nothing reads it: once part of it is there, the program is stuck in a write.
    wait_until(lambda: unread_bytes(pipe) > 8192)
    process.send_signal(signal.SIGINT)
    wait_until(lambda: not catches(process, signal.SIGINT))
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    assert process.wait() == -signal.SIGINT


INTERRUPTED_IMPORT = """
import os, runpy, signal, sys

class Interrupt:
    def find_spec(self, name, path=None, target=None):
        if name == module:
            os.kill(os.getpid(), signal.SIGINT)

module = sys.argv.pop()
sys.meta_path.insert(0, Interrupt())
runpy.run_module("toy_paxos", run_name="__main__")
"""


@pytest.mark.parametrize("module", ["toy_paxos.main", "click", "toy_paxos.simulation.rounds", "toy_paxos.event"])
def test_ctrl_c_during_the_imports_is_silent(module: str) -> None:
    # Before our first line there is Python's own start, in which nobody can help.
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED_IMPORT, "--rounds", "1", module],
        capture_output=True,
        env=clean_environment(),
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, b"", b"")


StartLong = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start_long(start: Start, slow: Path) -> StartLong:
    """Start the program; it is in the midst of its first round, which ends when there is a file "permitted"."""

    def start_long(**how: Any) -> "subprocess.Popen[str]":
        process = start("-n", "1", "-p", "0", "--acceptor", f"{slow}:Waiting", **how)
        wait_until((slow.parent / "asked").exists)
        return process

    return start_long


def test_the_first_ctrl_c_in_a_long_round_says_what_it_waits_for_and_the_second_kills(start_long: StartLong) -> None:
    process = start_long(command=COMMAND)
    process.send_signal(signal.SIGINT)
    assert process.stderr
    words = r"toy-paxos: waiting for the end of the round, in slow\.py, line \d+; Ctrl-C again stops at once\n"
    assert re.fullmatch(words, process.stderr.readline())
    process.send_signal(signal.SIGINT)
    assert process.wait() == -signal.SIGINT


def test_the_round_that_was_waited_for_is_shown(start_long: StartLong, tmp_path: Path) -> None:
    process = start_long()
    process.send_signal(signal.SIGINT)
    (tmp_path / "permitted").touch()
    stdout, _ = rest_of(process)
    assert "Round 1: consensus on " in stdout
    assert "--- 1 round of toy-paxos: " in stdout
    assert stdout.endswith("--rounds 1\n")


def test_sigterm_does_not_wait_for_a_long_round(start_long: StartLong) -> None:
    process = start_long(command=COMMAND)
    stdout, stderr = interrupt(process, signal.SIGTERM)
    assert (process.returncode, stderr) == (-signal.SIGTERM, "")
    assert "Round 1" not in stdout
    assert "---" not in stdout


def test_ctrl_c_reaches_a_job_that_a_shell_started_in_the_background(start: Start, tmp_path: Path) -> None:
    output = tmp_path / "output"
    command_line = f'"$@" -i 3600 >{output} 2>&1 & echo $!; wait $!; echo $?'
    shell = start(command=["sh", "-c", command_line, "sh", *PATIENT_COMMAND])
    assert shell.stdout
    pid = int(shell.stdout.readline())
    wait_until(lambda: output.exists() and output.read_text().count("Round 1: ") == 2)
    os.kill(pid, signal.SIGINT)
    assert shell.stdout.readline() == "0\n"
    assert "--- 1 round of toy-paxos: " in output.read_text()


def test_ctrl_backslash_prints_a_line_of_statistics_and_the_run_goes_on(start: Start) -> None:
    process = start("-i", "3600")
    wait_for_line(process, "Round 1: ")
    wait_for_line(process, "Round 1: ")
    process.send_signal(signal.SIGQUIT)
    assert process.stderr
    assert process.stderr.readline().startswith("toy-paxos: 1 round, consensus ")
    stdout, stderr = interrupt(process)
    assert "--- 1 round of toy-paxos: " in stdout
    assert (process.returncode, stderr) == (0, "")


def test_with_a_full_standard_error_ctrl_backslash_does_not_stop_the_run(start: Start) -> None:
    process = start("-i", "3600", command=["sh", "-c", 'exec "$@" 2>/dev/full', "sh", *PATIENT_COMMAND])
    wait_for_line(process, "Round 1: ")
    wait_for_line(process, "Round 1: ")
    process.send_signal(signal.SIGQUIT)
    stdout, _ = interrupt(process)
    assert "--- 1 round of toy-paxos: " in stdout
    assert process.returncode == 0


def test_a_quiet_run_shows_signs_of_life_on_a_terminal_and_takes_them_back(slow: Path, on_terminal: OnTerminal) -> None:
    actors = "-n", "1", "--acceptor", f"{slow}:Slow"
    seen = on_terminal("-q", *actors, columns=50, interrupt_at=b"consensus", NO_COLOR="1", TERM="xterm")
    (signs,) = re.findall(r"\n((?:toy-paxos: [\d,]+ rounds, consensus [^\n\r]*(?:\r\x1b\[K)+)+)\n", seen)
    assert all(len(sign) < 50 for sign in signs.split("\r\x1b[K"))


def test_a_dumb_terminal_gets_lines(slow: Path, on_terminal: OnTerminal) -> None:
    seen = on_terminal("-q", "-n", "1", "--acceptor", f"{slow}:Slow", interrupt_at=b"rounds/s", TERM="dumb")
    assert re.search(r"\ntoy-paxos: [\d,]+ rounds, consensus .* s, [\d,.]+ rounds/s\n", seen)
    assert "\x1b" not in seen


# Streams


def test_a_non_blocking_pipe_loses_no_output() -> None:
    args = ("--json", "-c", "300", "--seed", "1")
    code = (
        "import os, subprocess, sys, time\n"
        "reading, writing = os.pipe()\n"
        "os.set_blocking(writing, False)\n"
        "process = subprocess.Popen(sys.argv[1:], stdout=writing)\n"
        "os.close(writing)\n"
        "time.sleep(1)\n"
        "with open(reading, 'rb') as pipe: sys.stdout.buffer.write(pipe.read())\n"
        "sys.exit(process.wait())\n"
    )
    slow_reader = [sys.executable, "-c", code, *COMMAND, *args]
    done = subprocess.run(slow_reader, capture_output=True, env=clean_environment(), check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.count(b'"event":"round"') == 300
    assert summary_of(done.stdout.decode())["rounds"] == 300


def test_a_closed_pipe_is_a_silent_death(start: Start) -> None:
    process = start()
    wait_for_line(process, "toy-paxos ")
    assert process.stdout
    process.stdout.close()
    assert process.wait() == -signal.SIGPIPE
    assert process.stderr
    assert process.stderr.read() == ""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("args", [[], ["--json"], ["-q", "-c", "1"], ["--help"], ["--version"]])
def test_a_full_disk_is_one_line_and_status_1(args: list[str], run: Run) -> None:
    with Path("/dev/full").open("w") as full:
        done = run(*args, stdout=full)
    assert done.returncode == 1
    assert done.stderr == "toy-paxos: cannot write to standard output: No space left on device\n"


@pytest.mark.parametrize("args", [[], ["--json", "-c", "1"], ["--version"]])
def test_a_closed_standard_output_is_one_line_and_status_1(args: list[str]) -> None:
    done = subprocess.run(
        ["sh", "-c", '"$@" >&-', "sh", *COMMAND, *args],
        stderr=subprocess.PIPE,
        env=clean_environment(),
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr == "toy-paxos: cannot write to standard output: it is closed\n"


def test_a_closed_standard_error_changes_nothing() -> None:
    done = subprocess.run(
        ["sh", "-c", '"$@" 2>&-', "sh", *COMMAND, "-c", "1"],
        stdout=subprocess.PIPE,
        env=clean_environment(),
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0
    assert "--- 1 round of toy-paxos: " in done.stdout


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_characters_outside_the_encoding_are_escaped(encoding: str, run: Run) -> None:
    done = run("--seed", "1", "-c", "1", PYTHONIOENCODING=encoding)
    assert (done.returncode, done.stderr) == (0, "")
    assert r"proposer-0 wants \U0001f6" in done.stdout


def test_json_is_utf_8_in_every_locale(run: Run) -> None:
    args = ("--seed", "1", "--json", "--round", "3")
    said = run(*args, PYTHONIOENCODING="ascii").stdout.splitlines()[:-1]
    assert said == run(*args).stdout.splitlines()[:-1]
    assert not any("\\" in line for line in said)
