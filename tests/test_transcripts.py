"""Golden transcripts: each a sentence of intent, a command line, and what it prints.

`pytest tests/test_transcripts.py --regenerate` writes them anew from their first two lines; review the diff.
"""

from pathlib import Path

import pytest
from conftest import TRANSCRIPTS, PrintedBy, Run, without_times


@pytest.mark.parametrize("path", sorted(TRANSCRIPTS.glob("*.txt")), ids=lambda path: path.stem)
def test_prints_what_it_printed_when_somebody_reviewed_it(
    path: Path, printed_by: PrintedBy, request: pytest.FixtureRequest
) -> None:
    intent, command, expected = path.read_text(encoding="utf-8").split("\n", 2)
    assert intent.startswith("# ")
    printed = printed_by(command.removeprefix("$ "))
    if request.config.getoption("--regenerate"):
        path.write_text(f"{intent}\n{command}\n{printed}", encoding="utf-8")
    else:
        assert printed == expected


@pytest.mark.parametrize("format", [[], ["--json"]])
def test_the_same_bytes_whatever_the_hash_seed(format: list[str], run: Run) -> None:
    args = ["--seed", "7", "--rounds", "120", "-p", "0.3", *format]
    outputs = [without_times(run(*args, PYTHONHASHSEED=hash_seed).stdout) for hash_seed in ("0", "1", "random")]
    assert len(set(outputs)) == 1


@pytest.mark.parametrize("number", [1, 2, 100, 101, 250])
def test_a_single_round_is_replayed_to_the_byte(number: int, printed_by: PrintedBy) -> None:
    all_rounds = printed_by("toy-paxos --seed 7 --rounds 250 -p 0.3").split("\n\n")
    alone = printed_by(f"toy-paxos --seed 7 --round {number} -p 0.3").split("\n\n")
    assert alone[1] == all_rounds[number]


def test_a_single_round_is_replayed_to_the_byte_in_json_too(run: Run) -> None:
    lines = run("--seed", "7", "--rounds", "150", "--json").stdout.splitlines()
    alone = run("--seed", "7", "--round", "150", "--json").stdout.splitlines()
    assert alone[1:-1] == [line for line in lines if '"round":150,' in line]


def test_another_seed_is_another_run(run: Run) -> None:
    assert run("--seed", "1", "-c", "3").stdout != run("--seed", "2", "-c", "3").stdout


def test_the_replay_command_of_the_summary_replays(run: Run, printed_by: PrintedBy) -> None:
    first = run("-n", "3", "-p", "0.4", "-c", "20").stdout
    command = first.splitlines()[-1].partition("replay: ")[2]
    assert printed_by(command) == without_times(first)


def test_the_replay_command_of_a_single_round_replays_that_round(run: Run, printed_by: PrintedBy) -> None:
    first = run("--seed", "5", "--round", "42").stdout
    command = first.splitlines()[-1].partition("replay: ")[2]
    assert "--round 42" in command
    assert printed_by(command) == without_times(first)
