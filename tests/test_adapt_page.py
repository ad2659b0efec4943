"""The page 'Bring your own Paxos': its examples run, and what it says that the program says, the program says."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import RunHere, clean_environment
from test_as_test import pytest_of, results

from toy_paxos.checking.climb import CLIMB

pytestmark = pytest.mark.usefixtures("few_walks")

PAGE = (Path(__file__).parent.parent / "toy_paxos" / "adapt" / "README.md").read_text(encoding="utf-8")
FILES = {
    re.match(r"(?://|#) (\S+)\n", code)[1]: code  # type: ignore[index]
    for code in re.findall(r"```(?:js|python3)\n((?:.*\n)*?)```", PAGE)
}
SAFE = re.findall(r"`toy-paxos (.+)` says `(.+)`", PAGE)
FAULTS = re.findall(r"^\| ([^`|]+) \| `(.+?)` \| `(.+?)` \| `(.+?)` \|$", PAGE, re.MULTILINE)
LOST = re.findall(r"\(`(.+?)`\sbecomes\s`(.+?)`\)[\w\s]*:?\s`(.+?)`", PAGE)
(LOOP,) = re.findall(r"```sh\n((?:.*\n)*?)```", PAGE)

# In which cluster of a climb each of the faults is found; test_climb.py climbs from the first to the last.
FOUND_IN = 3, 1, 1, 8, 2

needs_node = pytest.mark.skipif(not shutil.which("node"), reason="there is no Node.js here")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the files of the page, which is the present one."""
    for name, code in FILES.items():
        (tmp_path / name).write_text(code, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def climb_only(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let a climb have only some of its clusters."""
    return lambda *numbers: monkeypatch.setattr(
        sys.modules["toy_paxos.checking.climb"], "CLIMB", tuple(CLIMB[number] for number in numbers)
    )


def test_the_page_is_short_and_has_what_the_tests_look_for() -> None:
    assert len(PAGE.splitlines()) <= 200
    assert [*FILES] == ["paxos.js", "mine.py"]
    assert (len(SAFE), len(FAULTS), len(LOST)) == (1, 5, 2)


@pytest.mark.outside
@needs_node
def test_the_program_is_said_to_be_safe(folder: Path, run_here: RunHere, climb_only: Callable[..., None]) -> None:
    ((command, words),) = SAFE
    climb_only(0)
    assert f"\n{words}\n" in run_here(*shlex.split(command)).stdout


@pytest.mark.outside
@needs_node
@pytest.mark.parametrize("roles", [("proposer",), ("acceptor", "proposer")])
def test_the_programs_are_correct_in_both_roles(roles: tuple[str, ...], folder: Path, run_here: RunHere) -> None:
    actors = [word for role in roles for word in (f"--{role}", "exec:node paxos.js")]
    done = run_here("check", *actors, "-n", "2", "--max-attempts", "2")
    assert done.returncode == 0
    # The acceptors' names in the state of a proposer cost no states.
    assert "784 states" in done.stdout
    ran = run_here(*actors, "--num-proposers", "3", "--message-loss-prob", "0.1", "-c", "5", "-q", "--seed", "1")
    assert "consensus                    5  100.00%" in ran.stdout


@pytest.mark.parametrize(
    "actor", [("acceptor", "Acceptor"), ("acceptor", "TwoFunctions"), ("proposer", "Proposer"), ("proposer", "Waiting")]
)
def test_the_classes_are_correct(actor: tuple[str, str], folder: Path, run_here: RunHere) -> None:
    role, name = actor
    done = run_here("check", f"--{role}", f"mine.py:{name}", "-n", "3")
    assert done.returncode == 0
    assert "SAFE for 2 proposers, 3 acceptors" in done.stdout
    ran = run_here(f"--{role}", f"mine.py:{name}", "--num-proposers", "2", "-c", "20", "-q", "--seed", "1")
    assert "consensus                   20  100.00%" in ran.stdout


def test_the_classes_import_nothing_of_ours() -> None:
    assert re.findall(r"^(?:import|from) .*", FILES["mine.py"], re.MULTILINE) == [
        "from types import SimpleNamespace as Message"
    ]


@pytest.mark.outside
@needs_node
@pytest.mark.parametrize(("fault", "cluster"), [*zip(FAULTS, FOUND_IN, strict=True)], ids=[name for name, *_ in FAULTS])
def test_a_fault_is_found_in_these_words(
    fault: tuple[str, ...], cluster: int, folder: Path, run_here: RunHere, climb_only: Callable[..., None]
) -> None:
    name, right, wrong, words = fault
    climb_only(cluster)
    assert FILES["paxos.js"].count(right) == 1
    (folder / "paxos.js").write_text(FILES["paxos.js"].replace(right, wrong))
    role = "acceptor" if "promise" in name else "proposer"
    done = run_here("check", f"--{role}", "exec:node paxos.js")
    assert done.returncode == 3
    assert done.stdout.endswith(f"VIOLATED: {words}\n")


@pytest.mark.outside
@needs_node
@pytest.mark.parametrize(
    ("fault", "verdict"), [*zip(LOST, ["stuck", "not-alive"], strict=True)], ids=["stuck", "not-alive"]
)
def test_what_is_safe_but_makes_no_progress_gets_this_reason(
    fault: tuple[str, str, str], verdict: str, folder: Path, run_here: RunHere
) -> None:
    right, wrong, words = fault
    assert FILES["paxos.js"].count(right) == 1
    (folder / "paxos.js").write_text(FILES["paxos.js"].replace(right, wrong))
    done = run_here("check", "--acceptor", "exec:node paxos.js", "-n", "1", "--max-attempts", "2", "--json")
    found = json.loads(done.stdout.splitlines()[-1])
    assert (done.returncode, found["verdict"]) == (3, verdict)
    assert found["reason"].endswith(words)


@pytest.mark.outside
@needs_node
def test_a_counterexample_becomes_a_test(folder: Path, run_here: RunHere) -> None:
    (command,) = re.findall(r"`toy-paxos (check .* -o test_paxos\.py)`", PAGE)
    _, right, wrong, _ = FAULTS[1]
    (folder / "paxos.js").write_text(FILES["paxos.js"].replace(right, wrong))
    assert run_here(*shlex.split(command)).returncode == 3
    versions = {"faulty": FILES["paxos.js"].replace(right, wrong), "correct": FILES["paxos.js"]}
    assert results(pytest_of(folder, "test_paxos.py", "paxos.js", versions)) == {
        "faulty": "FAILED",
        "correct": "PASSED",
    }


@pytest.mark.outside
@needs_node
def test_a_class_of_submissions_is_judged_by_a_loop(folder: Path) -> None:
    submissions = folder / "submissions"
    submissions.mkdir()
    (submissions / "1.js").write_text(FILES["paxos.js"])
    (submissions / "2.js").write_text(FILES["paxos.js"].replace(*FAULTS[1][1:3]))
    (submissions / "3.js").write_text("this is not a program")
    (submissions / "4.js").write_text(FILES["paxos.js"].replace("reports.length ? reports[0].value : ", ""))
    # What plain `check` says of the program of the page, a test above compares; this one is about the loop.
    command = folder / "toy-paxos"
    command.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m toy_paxos "$@" -n 1\n')
    command.chmod(0o700)
    env = clean_environment(PATH=f"{folder}:{os.environ['PATH']}")
    printed = subprocess.check_output(["sh", "-c", LOOP], encoding="utf-8", env=env)
    first, second, third, fourth = printed.splitlines()
    assert (first, second, fourth) == ('"verdict":"safe"', '"verdict":"violated"', '"verdict":"violated"')
    assert third.startswith("not judged: toy-paxos: the actors cannot be checked: the actors cannot begin: 'node subm")
    verdict = json.loads((submissions / "2.js.json").read_text())
    assert verdict["property"] == "at most one value is chosen"
    assert verdict["departure"]["rule"] == "A3"
    assert "SAFETY VIOLATED" in verdict["story"]
    assert json.loads((submissions / "1.js.json").read_text())["story"] is None


def test_numbers_with_an_author_become_integers_and_back() -> None:
    to_number, from_number, to_author = re.findall(
        r"`number = (.*?)` and `round, author = (.*?)`; `author` of a proposer is `(.*?)`", PAGE.replace("\n", " ")
    )[0]
    for id_step in (1, 2, 5):
        pairs = [(round, author) for round in range(4) for author in range(id_step)]
        numbers = [eval(to_number, {"round": a, "author": b, "id_step": id_step}) for a, b in pairs]
        assert numbers == [*range(1, 4 * id_step + 1)]
        assert [eval(from_number, {"number": number, "id_step": id_step}) for number in numbers] == pairs
        # The first numbers of proposers are consecutive, whatever the lowest is.
        authors = [eval(to_author, {"id": id, "id_step": id_step}) for id in range(9, 9 + id_step)]
        assert sorted(authors) == [*range(id_step)]
