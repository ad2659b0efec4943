"""Other actors in runs: a rule left out, or classes of one's own, in the loop that dice decide."""

import json
from pathlib import Path

import pytest
from conftest import Run, RunHere
from test_transcripts import printed_by

from toy_paxos.checking import RULES

ACTORS = """
from toy_paxos.message import Accept, Prepare, Promise, Proposal, Propose

class Minimal:
    \"\"\"An acceptor that has a name and can receive, and nothing more.\"\"\"

    def __init__(self, name):
        self.name, self._promised, self._last = name, 0, None

    def receive(self, message):
        if isinstance(message, Prepare) and message.id > self._promised:
            self._promised = message.id
            return [Promise(self.name, message.sender, message.id, self._last)]
        if isinstance(message, Propose) and message.id == self._promised:
            self._last = Proposal(message.id, message.value)
            return [Accept(self.name, message.sender, message.id, message.value)]
        return []

class Talkative(Minimal):
    def receive(self, message):
        print("I was asked")
        return super().receive(message)

class Failing(Minimal):
    def receive(self, message):
        return 1 / 0
"""


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "actors.py"
    path.write_text(ACTORS)
    return str(path)


def test_a_rule_left_out_loses_safety_by_dice_too_and_the_replay_line_names_it(run: Run) -> None:
    done = run("--break", "ignores-accepted", "--num-proposers", "2", "--seed", "1")
    assert done.returncode == 3
    assert "\nChanged rule, ignores-accepted: A proposer proposes its own value" in done.stdout
    assert "SAFETY VIOLATED, a second value is chosen" in done.stdout
    (replay,) = [line for line in done.stdout.splitlines() if line.startswith("To see it again: ")]
    assert " --break ignores-accepted " in replay
    assert "SAFETY VIOLATED, a second value is chosen" in printed_by(replay.removeprefix("To see it again: "), run)


@pytest.mark.parametrize("name", [name for name, rule in RULES.items() if rule.fate != "unsafe"])
def test_what_looks_wrong_and_is_safe_is_so_by_dice_too(name: str, run_here: RunHere) -> None:
    done = run_here("--break", name, "--num-proposers", "3", "-n", "3", "-c", "200", "-q", "--seed", "1")
    assert done.returncode == 0
    assert "safety violated              0    0.00%" in done.stdout


def test_json_names_the_changed_rule(run_here: RunHere) -> None:
    done = run_here("--break", "accepts-above", "-c", "1", "-q", "--json")
    assert json.loads(done.stdout.splitlines()[0])["changed_rule"] == "accepts-above"


def test_an_acceptor_that_can_receive_and_has_a_name_will_do(file: str, run_here: RunHere) -> None:
    done = run_here("--acceptor", f"{file}:Minimal", "-n", "3", "-p", "0", "-c", "3", "--seed", "1")
    assert done.returncode == 0
    assert f"\nActors: acceptor {file}:Minimal\n" in done.stdout
    assert done.stdout.count(": consensus on ") == 3
    assert f" --acceptor {file}:Minimal --seed 1 --rounds 3" in done.stdout


def test_what_an_actor_prints_goes_to_standard_error(file: str, run: Run) -> None:
    done = run("--acceptor", f"{file}:Talkative", "-c", "1", "--json")
    assert all(line.startswith("{") for line in done.stdout.splitlines())
    assert "I was asked\n" in done.stderr


def test_an_actor_that_fails_is_named_with_its_file_and_line(file: str, run_here: RunHere) -> None:
    done = run_here("--acceptor", f"{file}:Failing", "-p", "0")
    assert (done.returncode, done.stderr) == (
        2,
        "toy-paxos: an actor fails: ZeroDivisionError: division by zero (actors.py, line 26)\n",
    )


@pytest.mark.parametrize(
    ("args", "what_to_do"),
    [
        (["--break", "nothing"], "there is no rule nothing."),
        (["--break", "forgets-all", "--acceptor", "{file}:Minimal"], "--break brings its own actors"),
        (["--acceptor", "{file}:minimal"], "Did you mean 'Minimal'?"),
    ],
)
def test_bad_input_gets_one_line_that_says_what_to_do(
    args: list[str], what_to_do: str, file: str, run_here: RunHere
) -> None:
    done = run_here(*(arg.format(file=file) for arg in args))
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert what_to_do in done.stderr


def test_the_shell_completes_rules(run: Run) -> None:
    output = run(_TOY_PAXOS_COMPLETE="bash_complete", COMP_WORDS="toy-paxos --break forgets-p", COMP_CWORD="2").stdout
    assert output == "plain,forgets-promise\n"
