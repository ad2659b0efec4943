"""Golden transcripts: each a sentence of intent, a command line, and what it prints.

`pytest tests/test_transcripts.py --regenerate` writes them anew from their first two lines; review the diff.
"""

import shlex
from pathlib import Path

import pytest
from conftest import TRANSCRIPTS, Run, RunHere, without_times


@pytest.mark.usefixtures("searched_once")
@pytest.mark.parametrize("path", sorted(TRANSCRIPTS.glob("*.txt")), ids=lambda path: path.stem)
def test_prints_what_it_printed_when_somebody_reviewed_it(
    path: Path, run_here: RunHere, request: pytest.FixtureRequest
) -> None:
    intent, command, expected = path.read_text(encoding="utf-8").split("\n", 2)
    assert intent.startswith("# ")
    printed = without_times(run_here(*shlex.split(command.removeprefix("$ toy-paxos "))).stdout)
    if request.config.getoption("--regenerate"):
        path.write_text(f"{intent}\n{command}\n{printed}", encoding="utf-8")
    else:
        assert printed == expected


@pytest.mark.parametrize("format", [[], ["--json"]])
def test_the_same_bytes_whatever_the_hash_seed(format: list[str], run: Run) -> None:
    args = ["--seed", "7", "--rounds", "120", "-p", "0.3", *format]
    first, second = (without_times(run(*args, PYTHONHASHSEED=hash_seed).stdout) for hash_seed in ("0", "1"))
    assert first == second


def test_a_single_round_is_replayed_to_the_byte(run_here: RunHere) -> None:
    all_rounds = run_here("--seed", "7", "--rounds", "250", "-p", "0.3").stdout.split("\n\n")
    for number in (1, 2, 100, 101, 250):
        alone = run_here("--seed", "7", "--round", str(number), "-p", "0.3").stdout.split("\n\n")
        assert alone[1] == all_rounds[number]


def test_a_single_round_is_replayed_to_the_byte_in_json_too(run_here: RunHere) -> None:
    lines = run_here("--seed", "7", "--rounds", "150", "--json").stdout.splitlines()
    alone = run_here("--seed", "7", "--round", "150", "--json").stdout.splitlines()
    assert alone[1:-1] == [line for line in lines if '"round":150,' in line]


def test_another_seed_is_another_run(run_here: RunHere) -> None:
    assert run_here("--seed", "1", "-c", "3").stdout != run_here("--seed", "2", "-c", "3").stdout


@pytest.mark.parametrize("options", [["-n", "3", "-p", "0.4", "-c", "20"], ["--seed", "5", "--round", "42"]])
def test_the_replay_command_replays(options: list[str], run_here: RunHere) -> None:
    first = run_here(*options).stdout
    command = first.splitlines()[-1].partition("replay: toy-paxos ")[2]
    assert ("--round 42" in command) == ("42" in options)
    assert without_times(run_here(*shlex.split(command)).stdout) == without_times(first)
