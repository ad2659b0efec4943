"""`toy-paxos check` as its user meets it, with real processes."""

import json
import re
import signal
from pathlib import Path

import pytest
from conftest import OnTerminal, Run, Start

ACTORS = """
from toy_paxos.acceptor import Acceptor
from toy_paxos.proposer import Proposer

class Right(Acceptor):
    pass

class Lax(Acceptor):
    def accept(self, request):
        self.promised = request.id
        return super().accept(request)

class Raises(Acceptor):
    def promise(self, request):
        return 1 / 0

class Deaf:
    pass

class NeedsMore(Acceptor):
    def __init__(self, name, more):
        pass

class Stubborn(Proposer):
    def choose_value(self):
        return self.value

not_a_class = 1
"""


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "actors.py"
    path.write_text(ACTORS)
    return str(path)


def test_the_smallest_interesting_cluster_is_safe(run: Run) -> None:
    done = run("check")
    assert (done.returncode, done.stderr) == (0, "")
    assert "1,073 states, 3,746 transitions, 20 deliveries deep" in done.stdout
    assert done.stdout.endswith("SAFE\n")
    assert "ok   always     a promise never goes down\n" in done.stdout
    assert "ok   sometimes  value-1 is chosen\n" in done.stdout


def test_a_broken_rule_is_a_story_with_status_3(run: Run) -> None:
    done = run("check", "--break", "ignores-accepted")
    assert done.returncode == 3
    assert "   3  CHOSEN, for a majority has accepted proposal 1: value-0\n" in done.stdout
    assert "   6  SAFETY VIOLATED, a second value is chosen: value-1\n\nWhat is missing: " in done.stdout
    assert "Missed first at delivery 5.\n" in done.stdout


def test_a_broken_rule_can_be_seen_in_a_larger_cluster_too(run: Run) -> None:
    done = run("check", "--break", "ignores-accepted", "-n", "3")
    assert done.returncode == 3
    assert "Missed first at delivery " in done.stdout


def test_a_safe_change_says_what_it_costs(run: Run) -> None:
    done = run("check", "--break", "accepts-once")
    assert done.returncode == 0
    assert "\nSAFE\n" in done.stdout
    assert "What it costs: " in done.stdout


def test_what_can_never_choose_is_no_success(run: Run) -> None:
    done = run("check", "--break", "accepts-only-above")
    assert done.returncode == 3
    assert "NOT  sometimes  value-0 is chosen\n" in done.stdout
    assert "NOT ALIVE" in done.stdout


def test_the_list_names_every_rule(run: Run) -> None:
    done = run("check", "--break", "list")
    assert done.returncode == 0
    assert "  ignores-accepted " in done.stdout
    assert "  accepts-only-above " in done.stdout


def test_not_explored_to_the_end_is_never_called_safe(run: Run) -> None:
    done = run("check", "--max-states", "100")
    assert done.returncode == 4
    assert "UNKNOWN" in done.stdout
    assert "SAFE" not in done.stdout
    assert json.loads(run("check", "--max-states", "1", "--json").stdout.splitlines()[-1])["verdict"] == "unknown"


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 4), (signal.SIGTERM, -signal.SIGTERM)])
def test_a_signal_ends_the_search_with_a_report(number: int, status: int, start: Start) -> None:
    process = start("check", "--num-proposers", "4", "--num-acceptors", "5")
    assert process.stdout
    process.stdout.readline()
    process.send_signal(signal.SIGQUIT)
    assert process.stderr
    assert "deliveries deep" in process.stderr.readline()
    process.send_signal(number)
    stdout, _ = process.communicate(timeout=60)
    assert "UNKNOWN: not explored to the end" in stdout
    assert process.returncode == status


def test_json_tells_the_same_story(run: Run) -> None:
    done = run("check", "--break", "forgets-all", "--json")
    assert done.returncode == 3
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert list(events[0]) == [
        "event",
        "version",
        "num_acceptors",
        "num_proposers",
        "max_attempts",
        "changed_rule",
    ]
    assert [event["event"] for event in events[1:]] == [
        *["message"] * 3,
        "chosen",
        *["message"] * 4,
        "violation",
        "verdict",
    ]
    assert [event["step"] for event in events[1:-1]] == [1, 2, 3, 3, 4, 5, 6, 7, 7]
    assert events[-1]["verdict"] == "violated"
    assert events[-1]["first_wrong_delivery"] == 4


def test_ones_own_actors_can_be_checked(file: str, run: Run) -> None:
    assert run("check", "--acceptor", f"{file}:Right").returncode == 0
    assert "SAFETY VIOLATED" in run("check", "--acceptor", f"{file}:Lax").stdout
    assert "a second value is chosen" in run("check", "--proposer", f"{file}:Stubborn", "-n", "1").stdout


@pytest.mark.parametrize(
    ("args", "what_to_do"),
    [
        (["--acceptor", "nowhere.py:Right"], "there is no file 'nowhere.py'"),
        (["--acceptor", "Right"], "'Right' is not of the form FILE.py:CLASS"),
        (["--acceptor", "{file}:Wrong"], "there is no class 'Wrong'"),
        (["--acceptor", "{file}:not_a_class"], "there is no class 'not_a_class'"),
        (["--acceptor", "{file}:Deaf"], "class 'Deaf' in {file!r} has no method receive(message)"),
        (
            ["--acceptor", "{file}:Raises"],
            "receiving PREPARE 1 from proposer-0 to acceptor-0: ZeroDivisionError",
        ),
        (["--acceptor", "{file}:NeedsMore"], "the actors cannot begin: TypeError"),
        (["--proposer", "{file}:Right"], "the actors cannot begin: TypeError"),
        (["--break", "nothing"], "'nothing' is not one of"),
        (["--break", "forgets-all", "--acceptor", "{file}:Right"], "--break brings its own actors"),
        (["--num-acceptors", "0"], "0 is not in the range 1<=x<=9"),
        (["--max-states", "0"], "0 is not in the range"),
        (["extra"], "unexpected extra argument (extra)"),
    ],
)
def test_bad_input_gets_one_line_that_says_what_to_do(
    args: list[str], what_to_do: str, file: str, run: Run
) -> None:
    done = run("check", *(arg.format(file=file) for arg in args))
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert what_to_do.format(file=file) in done.stderr


def test_a_file_that_cannot_be_imported_is_one_line_too(tmp_path: Path, run: Run) -> None:
    path = tmp_path / "broken.py"
    path.write_text("def (:\n")
    done = run("check", "--acceptor", f"{path}:Right")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "cannot be imported: SyntaxError" in done.stderr


def test_options_of_the_simulator_do_not_go_before_the_command(run: Run) -> None:
    done = run("--num-acceptors", "3", "check")
    assert done.returncode == 2
    assert "--num-acceptors does nothing before 'check'" in done.stderr


def test_the_environment_of_the_simulator_does_not_get_in_the_way(run: Run) -> None:
    assert "3 acceptors" in run("check", TOY_PAXOS_NUM_ACCEPTORS="5").stdout
    assert "2 acceptors" in run("check", TOY_PAXOS_CHECK_NUM_ACCEPTORS="2").stdout


def test_on_a_terminal_the_verdict_stands_out(on_terminal: OnTerminal) -> None:
    assert "\x1b[1;32mSAFE\x1b[0m" in on_terminal("check")
    seen = on_terminal("check", "--break", "ignores-accepted", columns=100)
    assert "\x1b[1;31mSAFETY VIOLATED, " in seen
    assert "\x1b[1;32mCHOSEN, " in seen


def test_a_terminal_shows_progress_and_a_pipe_does_not(on_terminal: OnTerminal, run: Run) -> None:
    cut_short = ("check", "-n", "5", "--max-states", "5000")
    assert re.search(r"[\d,]+ states, \d+ deliveries deep", on_terminal(*cut_short))
    assert run(*cut_short).stderr == ""


def test_help_and_completion_know_the_command(run: Run) -> None:
    assert "check  Explore every execution of a small cluster" in run("--help").stdout
    assert "--break RULE" in run("check", "--help").stdout
    completed = run(_TOY_PAXOS_COMPLETE="bash_complete", COMP_WORDS="toy-paxos c", COMP_CWORD="1").stdout
    assert completed == "plain,check\n"


def test_a_file_is_loaded_once_and_finds_its_neighbours(tmp_path: Path, run: Run) -> None:
    (tmp_path / "neighbour.py").write_text("from toy_paxos.acceptor import Acceptor as Base\n")
    path = tmp_path / "both.py"
    path.write_text(
        "from __future__ import annotations\n"
        "from dataclasses import dataclass\n"
        "from neighbour import Base\n"
        "from toy_paxos.message import Promise\n"
        "from toy_paxos.proposer import Proposer as Other\n"
        "@dataclass\n"
        "class Told(Promise):\n    extra: int = 0\n"
        "class A(Base):\n"
        "    def promise(self, request):\n"
        "        return [Told(m.sender, m.recipient, m.id, m.accepted) if isinstance(m, Promise) else m\n"
        "                for m in super().promise(request)]\n"
        "class P(Other):\n"
        "    def count_promise(self, promise):\n"
        "        return super().count_promise(promise) if isinstance(promise, Told) else []\n"
    )
    done = run("check", "--acceptor", f"{path}:A", "--proposer", f"{path}:P")
    assert (done.returncode, done.stderr) == (0, "")


def test_a_search_of_exactly_so_many_states_is_complete(run: Run) -> None:
    assert run("check", "-n", "1", "--max-states", "25").returncode == 0
    assert run("check", "-n", "1", "--max-states", "24").returncode == 4
