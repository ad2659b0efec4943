"""`toy-paxos check` as its user meets it, with real processes."""

import json
import re
import signal
import sys
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
from conftest import OnTerminal, Run, RunHere, Start, rest_of

from toy_paxos.checking import Model, check
from toy_paxos.checking.alone import LADDER, judge
from toy_paxos.checking.climb import CLIMB
from toy_paxos.command.check import Search

NO_FAIL = " (FAIL is not delivered; --fail adds it)"

ACTORS = """
import os
import sys
from types import SimpleNamespace

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

class Interrupts(Acceptor):
    def promise(self, request):
        raise KeyboardInterrupt

class Holds(Acceptor):
    def __init__(self, name):
        super().__init__(name)
        self.file = open("/dev/null")

class Talks(Acceptor):
    def promise(self, request):
        print("I promise", flush=True)
        sys.__stdout__.write("by the back door\\n")
        os.write(1, b"by the cellar\\n")
        return super().promise(request)

class Rings(Acceptor):
    def promise(self, request):
        raise ValueError("\\x1b[31m\\a\\udc80")

print("I am being imported")

class RefusesFromThree(Acceptor):
    def promise(self, request):
        return super().promise(request) if request.id < 3 else []

class Misspells(Acceptor):
    def promise(self, request):
        self.promised = request.id
        return [SimpleNamespace(type="PROMIS", sender=self.name, recipient=request.sender, id=request.id)]

class Deaf:
    pass

class NeedsMore(Acceptor):
    def __init__(self, name, more):
        pass

asked = []

class Remembers(Acceptor):
    def receive(self, message):
        asked.append(message)
        return super().receive(message)

class Stubborn(Proposer):
    def choose_value(self):
        return self.value

class Sharing(Proposer):
    def __init__(self, name, value, acceptors, id, id_step):
        super().__init__(name, value, acceptors, 1, 1)

class Counting(Acceptor):
    count = 0

    def receive(self, message):
        self.count += 1
        return super().receive(message)

not_a_class = 1
"""


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "actors.py"
    path.write_text(ACTORS)
    return str(path)


@pytest.fixture
def small_climb(monkeypatch: pytest.MonkeyPatch, few_walks: None) -> None:
    """Only the first clusters of the climb and of the ladder, and few dice, which take no time."""
    monkeypatch.setattr("toy_paxos.checking.dice.WALKS", 10)
    monkeypatch.setattr(sys.modules["toy_paxos.checking.climb"], "CLIMB", CLIMB[:4])
    monkeypatch.setattr(sys.modules["toy_paxos.checking.alone"], "LADDER", LADDER[:2])


@pytest.mark.usefixtures("small_climb")
def test_without_sizes_it_climbs_from_small_clusters_to_larger_ones(run_here: RunHere) -> None:
    done = run_here("check")
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert lines[0].endswith("check: clusters from small to large, every order of delivery, loss and duplication")
    assert re.fullmatch(r"ok  2 proposers, 3 acceptors, 1 attempt, 1 restart each: 146 states, [\d.]+ s", lines[4])
    assert "ok   always     a promise never goes down" in lines
    assert lines[1] == "ok  50 random executions: no violation"
    assert lines[2] == "ok  each actor alone keeps the rules of Paxos in 2 clusters: 177 states of single actors"
    assert lines[-4] == "SAFE in every execution of 2 clusters, since each actor keeps the rules of Paxos"
    assert lines[-2] == "4 other clusters, listed above, were also searched exhaustively."
    assert lines[-1] == "Nothing is known about larger clusters."


@pytest.mark.usefixtures("small_climb")
@pytest.mark.parametrize(
    ("acceptor", "verdict", "never", "reason"),
    [
        ("RefusesFromThree", "stuck", ["value-2"], "acceptor-0 does not grant PREPARE 3, 5, 7, 9, 11"),
        (
            "Misspells",
            "not-alive",
            ["value-0", "value-1", "value-2"],
            "no actor says PROMISE; acceptor-0 says PROMIS, which is not a message type of Paxos",
        ),
    ],
)
def test_text_and_json_give_one_verdict_on_what_is_stuck_and_what_never_chooses(
    acceptor: str, verdict: str, never: list[str], reason: str, file: str, run_here: RunHere
) -> None:
    option = ("--acceptor", f"{file}:{acceptor}")
    *others, found = map(json.loads, run_here("check", *option, "--json").stdout.splitlines())
    assert found["elapsed_s"] > sum(other["elapsed_s"] for other in others if other["event"] == "cluster")
    assert (found["verdict"], found["never"], found["reason"]) == (verdict, never, reason)
    lines = run_here("check", *option).stdout.splitlines()
    assert lines[-1].startswith(f"{verdict.upper().replace('-', ' ')}: ")
    assert [line for line in lines if line.startswith("NOT  some")] == [f"NOT  sometimes  {v} is chosen" for v in never]
    assert f"Reason: {reason}." in lines
    assert any(re.match(r"(STUCK|\?\?) .* s; no execution chooses value-", line) for line in lines)


def test_with_any_size_it_is_just_that_cluster(run_here: RunHere) -> None:
    done = run_here("check", "-n", "3")
    assert done.returncode == 0
    assert "146 states, " in done.stdout
    assert done.stdout.endswith(f"SAFE for 2 proposers, 3 acceptors, 1 attempt, 1 restart each{NO_FAIL}\n")
    assert "ok   sometimes  value-1 is chosen\n" in done.stdout
    for option in (["--num-proposers", "2"], ["--max-attempts", "1"], ["--restarts", "1"]):
        assert (
            "\nSAFE for 2 proposers, 3 acceptors, 1 attempt, 1 restart each (FAIL" in run_here("check", *option).stdout
        )


def test_fail_and_restarts_are_sizes_too(run_here: RunHere) -> None:
    done = run_here("check", "-n", "1", "--fail", "--restarts", "2")
    assert done.stdout.endswith("SAFE for 2 proposers, 1 acceptor, 1 attempt, 2 restarts each, FAIL delivered\n")


def test_the_climb_ends_with_the_first_story(file: str, run_here: RunHere) -> None:
    done = run_here("check", "--acceptor", f"{file}:Lax")
    assert done.returncode == 3
    sizes = "2 proposers, 3 acceptors, 1 attempt, 1 restart each"
    assert (
        done.stdout.splitlines()[2]
        == f"??  a random execution of {sizes} violates a property; searching for a short one"
    )
    assert done.stdout.splitlines()[3].startswith(f"VIOLATED  {sizes}: ")
    assert "  SAFETY VIOLATED, " in done.stdout
    assert done.stdout.splitlines()[-1].startswith("VIOLATED: ")


@pytest.mark.usefixtures("small_climb")
def test_what_has_too_many_states_is_said_at_the_end_of_the_climb(run_here: RunHere) -> None:
    done = run_here("check", "--max-states", "150")
    assert done.returncode == 0
    assert re.search(r"^\?\?  3 proposers, 3 acceptors, .* not explored to the end$", done.stdout, re.MULTILINE)
    assert done.stdout.endswith(
        "\n4 other clusters, listed above, were also searched, 3 of them not to the end."
        "\nNothing is known about larger clusters.\n"
    )


@pytest.mark.usefixtures("small_climb", "few_steps")
def test_a_rule_that_is_broken_or_not_judged_says_nothing_of_larger_clusters(
    file: str, run_here: RunHere, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = run_here("check", "--proposer", f"{file}:Sharing")
    assert done.returncode == 4
    reason = "proposer-1 breaks P1: it uses number 1 of proposer-0"
    sizes = "2 proposers, 1 acceptor, 2 attempts, 1 restart each, FAIL delivered"
    assert f"\n??  {sizes}: {reason}\n" in done.stdout
    assert done.stdout.splitlines()[-3:] == [
        "UNKNOWN: safe in 4 clusters, but P1 is broken: nothing is known about larger ones",
        f"Reason: {reason}.",
        "P1 (Paxos Made Simple, 2.5): No two proposers use the same number.",
    ]
    judge_soon = partial(judge, max_steps=1_000)
    monkeypatch.setattr(sys.modules["toy_paxos.checking.alone"], "judge", judge_soon)
    done = run_here("check", "--acceptor", f"{file}:Counting", "--max-states", "150")
    assert done.returncode == 4
    assert "the rules are not judged: not finished after 1,000 steps: " in done.stdout
    done = run_here("check", "-n", "3", "--proposer", f"{file}:Sharing")
    assert done.returncode == 0
    assert done.stdout.splitlines()[-1].endswith(f"{NO_FAIL}, but P1 is broken: nothing is known about larger ones")


def test_where_all_rules_are_kept_a_large_search_need_not_end(run_here: RunHere) -> None:
    done = run_here("check", "-n", "3", "--max-states", "100")
    assert done.returncode == 0
    assert "\n??   sometimes  value-0 is chosen\n" in done.stdout
    assert done.stdout.endswith(
        f"SAFE for 2 proposers, 3 acceptors, 1 attempt, 1 restart each{NO_FAIL}, "
        "by the rules of Paxos; not explored to the end\n"
    )


def test_a_violation_has_a_reason(file: str, run_here: RunHere) -> None:
    done = run_here("check", "-n", "3", "--acceptor", f"{file}:Lax", "--json")
    verdict = json.loads(done.stdout.splitlines()[-1])
    assert (verdict["verdict"], verdict["rules"]) == ("violated", "A4")
    done = run_here("check", "-n", "4", "--quorums", "2,2")
    assert "\nReason: quorums of 2 and 2 among 4 acceptors need not share an acceptor.\nVIOLATED: " in done.stdout
    done = run_here("check", "--break", "accepts-below")
    assert "\nReason: at delivery 10, acceptor-1 breaks A4: it accepts 1 after it promised 2.\n" in done.stdout


def test_the_climb_in_json_is_an_event_a_cluster(file: str, run_here: RunHere) -> None:
    done = run_here("check", "--acceptor", f"{file}:Lax", "--json")
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert [event["event"] for event in events[:3] + events[-1:]] == ["check", "dice", "cluster", "verdict"]
    assert events[1]["violated_in"]["num_acceptors"] == 3
    clusters = [event for event in events if event["event"] == "cluster"]
    assert clusters[-1]["verdict"] == events[-1]["verdict"] == "violated"
    assert clusters[-1]["num_proposers"] == len([event for event in events if event["event"] == "wants"])
    assert events[-1]["clusters"] == len(clusters)


def test_a_broken_rule_is_a_story_with_status_3(run_here: RunHere) -> None:
    done = run_here("check", "--break", "ignores-accepted")
    assert done.returncode == 3
    assert "  CHOSEN, for a quorum has accepted proposal 1: value-0\n" in done.stdout
    second = "a second value is chosen: value-1, under 2, accepted by acceptor-2, acceptor-0"
    assert f"  SAFETY VIOLATED, {second}\n" in done.stdout
    assert "  proposer-1 breaks P2: it proposes value-1 under 2, but the promises leave only value-0\n" in done.stdout
    assert "  acceptor-0 says ACCEPT 2 value-1 to proposer-1\n\n" in done.stdout


def test_a_broken_rule_can_be_seen_in_a_larger_cluster_too(run_here: RunHere) -> None:
    done = run_here("check", "--break", "ignores-accepted", "-n", "4")
    assert done.returncode == 3
    assert "\nReason: at delivery 15, proposer-1 breaks P2: " in done.stdout


def test_a_size_at_which_a_rule_does_no_harm_says_so(run_here: RunHere) -> None:
    done = run_here("check", "--break", "adopts-lowest", "--num-proposers", "2")
    assert done.returncode == 0
    assert done.stdout.splitlines()[-1].startswith("SAFE at this size; this change loses safety with 3 prop")


def test_a_size_at_which_a_rule_does_other_harm_is_not_safe(run_here: RunHere) -> None:
    done = run_here("check", "--break", "lowers-promise", "-n", "1", "--num-proposers", "1", "--max-attempts", "2")
    assert done.returncode == 3
    words = "acceptor-0 promises 1 after 2"
    assert f"  INVARIANT VIOLATED, {words}\n" in done.stdout
    assert done.stdout.endswith(f"\nVIOLATED: {words}; no second value is chosen in this execution\n")


def test_quorums_that_need_not_meet_lose_agreement_and_both_are_drawn(run_here: RunHere) -> None:
    done = run_here("check", "-n", "4", "--quorums", "2,2", "--diagram")
    assert done.returncode == 3
    assert "quorums of 2 and 2 that need not meet" in done.stdout.splitlines()[0]
    (row,) = [
        line for line in done.stdout.splitlines() if "none is in both: a1 a0 accepted 1, a3 a2 promised 2" in line
    ]
    assert row.count("✓") == row.count("★") == 2
    assert done.stdout.endswith("VIOLATED: a second value is chosen: value-1\n")


def test_quorums_that_meet_are_safe(run_here: RunHere) -> None:
    done = run_here("check", "-n", "4", "--quorums", "3,2")
    assert done.returncode == 0
    assert "\nSAFE for 2 proposers, 4 acceptors, quorums of 3 and 2, 1 attempt" in done.stdout


def test_a_safe_change_says_what_it_costs(run_here: RunHere) -> None:
    done = run_here("check", "--break", "accepts-once")
    assert done.returncode == 3
    assert "\nNOT  progress   once the network behaves, a proposer that keeps trying learns\n" in done.stdout
    assert "\nSTUCK: no message is lost, but proposer-0 never learns: " in done.stdout
    assert "The cost: " in done.stdout


def test_a_story_can_be_drawn(run_here: RunHere) -> None:
    done = run_here("check", "--break", "adopts-lowest", "--diagram")
    assert done.returncode == 3
    assert "     p0  p1  p2  a0  a1  a2\n" in done.stdout
    assert "★   CHOSEN 2, accepted by " in done.stdout
    assert done.stdout.endswith("VIOLATED: a second value is chosen: value-0\n")


def test_actors_that_never_choose_a_value_are_not_a_success(run: Run) -> None:
    done = run("check", "--break", "accepts-only-above")
    assert done.returncode == 3
    assert "NOT  sometimes  value-0 is chosen\n" in done.stdout
    assert "NOT ALIVE" in done.stdout


def test_the_list_names_every_rule(run: Run) -> None:
    done = run("check", "--break", "list")
    assert done.returncode == 0
    assert "  ignores-accepted " in done.stdout
    assert "  accepts-only-above " in done.stdout


@pytest.mark.usefixtures("small_climb")
def test_an_unfinished_search_is_never_called_safe(file: str, run_here: RunHere) -> None:
    sharing = ["--proposer", f"{file}:Sharing"]
    done = run_here("check", "-n", "3", "--max-states", "10", *sharing)
    assert done.returncode == 4
    assert "UNKNOWN" in done.stdout
    assert "SAFE" not in done.stdout
    done = run_here("check", "-n", "3", "--max-states", "1", "--json", *sharing)
    assert json.loads(done.stdout.splitlines()[-1])["verdict"] == "unknown"
    done = run_here("check", "--max-states", "1")
    assert (done.returncode, done.stdout.splitlines()[-1]) == (
        4,
        "UNKNOWN: not explored to the end, so nothing is proved; take a smaller cluster, or a larger --max-states",
    )


def interrupted_search(start: Start, slow: Path, number: int) -> "tuple[int, str]":
    """How a long search ends when it gets a signal: its status, and what it still says."""
    process = start("check", "-n", "3", "--acceptor", f"{slow}:Slow")
    assert process.stdout
    process.stdout.readline()
    process.send_signal(signal.SIGQUIT)
    assert process.stderr
    assert re.search(r" states?[,\n]", process.stderr.readline())
    process.send_signal(number)
    stdout, _ = rest_of(process)
    return process.returncode, stdout


@pytest.mark.usefixtures("restored_signals")
def test_a_search_says_how_far_it_is() -> None:
    with closing(Search()) as search:
        assert search.keep_going(3_045, 0)
        assert str(search) == "judging each actor alone: 3,045 states"
        assert search.keep_going(1, 1)
        assert str(search) == "searching: 1 state, 1 delivery deep"
        assert search.keep_going(1_000, 20)
        assert str(search) == "searching: 1,000 states, 20 deliveries deep"


def test_ctrl_c_ends_the_search_with_a_report(start: Start, slow: Path) -> None:
    status, stdout = interrupted_search(start, slow, signal.SIGINT)
    assert "UNKNOWN: stopped before the end" in stdout
    assert status == 4


def test_sigterm_ends_the_search_with_a_report_if_it_has_one_soon(start: Start, slow: Path) -> None:
    status, stdout = interrupted_search(start, slow, signal.SIGTERM)
    assert "UNKNOWN: stopped before the end" in stdout
    assert status == -signal.SIGTERM


def test_ones_own_actors_can_be_checked(file: str, run_here: RunHere) -> None:
    assert run_here("check", "-n", "3", "--acceptor", f"{file}:Right").returncode == 0
    assert "a second value is chosen" in run_here("check", "--proposer", f"{file}:Stubborn", "-n", "1").stdout


@pytest.mark.parametrize(
    ("args", "what_to_do"),
    [
        (["--acceptor", "nowhere.py:Right"], "file 'nowhere.py' does not exist"),
        (["--acceptor", "Right"], "'Right' is not of the form FILE.py:CLASS"),
        (["--acceptor", "{file}:Wrong"], "class 'Wrong' is not in"),
        (["--acceptor", "{file}:not_a_class"], "class 'not_a_class' is not in"),
        (
            ["--acceptor", "{file}:Deaf"],
            "class 'Deaf' is not an acceptor: it needs receive(message), or",
        ),
        (
            ["--acceptor", "{file}:Raises"],
            "to acceptor-0: ZeroDivisionError: division by zero (actors.py, line 19)\n",
        ),
        (["--acceptor", "{file}:Interrupts"], "to acceptor-0: KeyboardInterrupt (actors.py, line 23)\n"),
        (
            ["-n", "1", "--acceptor", "{file}:Holds"],
            "self.file is a TextIOWrapper: keep files out of the actor (",
        ),
        (["--acceptor", "{file}:NeedsMore"], "' cannot be created as NeedsMore(name). ("),
        (["--acceptor", "{file}:Remembers"], ": asked of module actors.py has changed: "),
        (
            ["--proposer", "{file}:Right"],
            "created as Right(name, value, acceptors, id, id_step). Did you mean --acceptor? (",
        ),
        (["--break", "skips-phase-1", "--break", "none"], "--break: give one change. (toy-paxos check --help lists"),
        (
            ["--break", "nothing"],
            "unknown rule nothing. '--break list' lists the changes. (toy-paxos check",
        ),
        (["--break", "forget-all"], "unknown rule forget-all. Did you mean 'forgets-all'?"),
        (["--acceptor", "{file}:right"], "Did you mean 'Right'?"),
        (["--break", "forgets-all", "--acceptor", "{file}:Right"], "--break brings its own actors"),
        (["--num-acceptors", "0"], "0 is not a whole number from 1 to 9"),
        (["--max-states", "0"], "0 is not a whole number from 1 to 1,000,000,000"),
        (["extra"], "unexpected extra argument (extra)"),
    ],
)
def test_an_error_of_usage_is_one_line_that_says_what_to_do(
    args: list[str], what_to_do: str, file: str, run_here: RunHere
) -> None:
    done = run_here("check", *(arg.format(file=file) for arg in args))
    assert done.returncode == 2
    (words,) = [line for line in done.stderr.splitlines(keepends=True) if line != "I am being imported\n"]
    assert what_to_do.format(file=file) in words


def test_what_a_class_prints_goes_to_standard_error(file: str, run: Run) -> None:
    done = run("check", "-n", "1", "--acceptor", f"{file}:Talks", "--json")
    assert [json.loads(line)["event"] for line in done.stdout.splitlines()] == ["check", "verdict"]
    assert done.stderr.startswith("I am being imported\nI promise\n")
    assert {"by the back door", "by the cellar"} <= {*done.stderr.splitlines()}


def test_an_error_does_nothing_to_the_terminal(file: str, run_here: RunHere) -> None:
    done = run_here("check", "-n", "1", "--acceptor", f"{file}:Rings")
    assert r"ValueError: \x1b[31m\x07\udc80 (" in done.stderr


@pytest.mark.parametrize("command", [[], ["-c", "1", "-q"], ["play"], ["play", "-n", "2"]])
def test_every_command_that_leaves_out_rules_lists_them(command: list[str], run_here: RunHere) -> None:
    done = run_here(*command, "--break", "list")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == run_here("check", "--break", "list").stdout


@pytest.mark.parametrize("command", [[], ["check"]])
def test_the_list_of_rules_is_json_too(command: list[str], run_here: RunHere) -> None:
    rules = [json.loads(line) for line in run_here(*command, "--break", "list", "--json").stdout.splitlines()]
    assert rules[0] == {
        "event": "rule",
        "name": "ignores-accepted",
        "fate": "unsafe",
        "summary": "A proposer proposes its own value, whatever the promises report.",
    }


def test_the_depth_is_that_of_the_story(run_here: RunHere) -> None:
    done = run_here("check", "--break", "forgets-all")
    (number,) = re.findall(r"^ +(\d+)  SAFETY VIOLATED", done.stdout, re.MULTILINE)
    assert f", {number} deliveries deep, " in done.stdout


def test_a_file_that_cannot_be_imported_is_one_line_too(tmp_path: Path, run: Run) -> None:
    path = tmp_path / "broken.py"
    path.write_text("def (:\n")
    done = run("check", "--acceptor", f"{path}:Right")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "cannot be imported: SyntaxError" in done.stderr


def test_on_a_terminal_the_verdict_stands_out(on_terminal: OnTerminal) -> None:
    assert "\x1b[1;32mSAFE for 2 proposers, " in on_terminal("check", "-n", "1", columns=100)
    seen = on_terminal("check", "--break", "ignores-accepted", columns=100)
    assert "\x1b[1;31mSAFETY VIOLATED, " in seen
    assert "\x1b[1;32mCHOSEN, " in seen


def test_a_terminal_shows_progress_after_a_second(slow: Path, on_terminal: OnTerminal) -> None:
    shown = on_terminal("check", "-n", "3", "--acceptor", f"{slow}:Slow", interrupt_at=b" states, ")
    assert re.search(r"\n(searching|judging each actor alone): [\d,]+ states?\b", shown)


def test_help_and_completion_know_the_command(run: Run) -> None:
    assert "  Explore every execution of small clusters" in run("--help").stdout
    assert "--break RULE" in run("check", "--help").stdout
    completed = run(_TOY_PAXOS_COMPLETE="bash_complete", COMP_WORDS="toy-paxos ch", COMP_CWORD="1").stdout
    assert completed == "plain,check\n"
    words = {"COMP_WORDS": "toy-paxos check --acceptor my", "COMP_CWORD": "3"}
    assert run(_TOY_PAXOS_COMPLETE="bash_complete", **words).stdout == "file,my\n"


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
    done = run("check", "-n", "3", "--acceptor", f"{path}:A", "--proposer", f"{path}:P")
    assert (done.returncode, done.stderr) == (0, "")


def test_a_search_of_exactly_so_many_states_is_complete(run_here: RunHere) -> None:
    number = check(Model(1, 2)).states
    assert "not explored to the end" not in run_here("check", "-n", "1", "--max-states", str(number)).stdout
    assert "not explored to the end" in run_here("check", "-n", "1", "--max-states", str(number - 1)).stdout
