"""A counterexample written as a test: it fails today, and passes once the class is correct."""

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from conftest import RunHere, clean_environment

FAULTY = """
from types import SimpleNamespace


class Acceptor:
    def __init__(self, name):
        self.name, self.promised, self.accepted = name, 0, None

    def receive(self, message):
        if message.type == "PREPARE" and message.id > self.promised:
            self.promised = message.id
            return self.say(message, "PROMISE", accepted=None)
        if message.type == "PROPOSE" and message.id >= self.promised:
            self.promised, self.accepted = message.id, (message.id, message.value)
            return self.say(message, "ACCEPT", value=message.value)
        return []

    def say(self, message, type, **more):
        return [SimpleNamespace(type=type, sender=self.name, recipient=message.sender, id=message.id, **more)]
"""

STILL_FAULTY = FAULTY.replace("accepted=None)", "accepted=self.accepted if message.id > 9 else None)")
CORRECT = FAULTY.replace("accepted=None)", "accepted=self.accepted)")

PROGRAM = """
import json, sys
from mine import Acceptor
from types import SimpleNamespace

for line in sys.stdin:
    question = json.loads(line)
    acceptor = Acceptor("acceptor")
    state = question.get("state", {"promised": 0, "accepted": None})
    acceptor.promised, acceptor.accepted = state["promised"], state["accepted"]
    said = acceptor.receive(SimpleNamespace(**question["message"])) if "message" in question else []
    if isinstance(acceptor.accepted, tuple):
        acceptor.accepted = dict(zip(("id", "value"), acceptor.accepted))
    messages = []
    for each in said:
        message = {"type": each.type, "id": each.id}
        messages.append(message | {key: vars(each)[key] for key in ("accepted", "value") if key in vars(each)})
    print(json.dumps({"state": {"promised": acceptor.promised, "accepted": acceptor.accepted}, "messages": messages}),
          flush=True)
"""


def pytest_of(folder: Path, test: str, changed: str, versions: Mapping[str, str]) -> str:
    """Return what pytest prints of copies of a folder with its test, one with each version of a file.

    It runs in another folder, as a continuous integration might, with pytest alone.
    """
    for version, code in versions.items():
        copy = folder / "versions" / version
        shutil.copytree(folder, copy, ignore=shutil.ignore_patterns("versions"))
        (copy / changed).write_text(code, encoding="utf-8")
        (copy / test).rename((copy / test).with_name(f"test_{version}.py"))
    command = [sys.executable, "-m", "pytest", "-rA", "-p", "no:cacheprovider", str(folder / "versions")]
    env = clean_environment(PYTEST_DISABLE_PLUGIN_AUTOLOAD="1")
    return subprocess.run(
        command, cwd=folder.parent, stdout=subprocess.PIPE, env=env, encoding="utf-8", check=False
    ).stdout


def results(printed: str) -> dict[str, str]:
    """Return how the test beside each version ended."""
    ended = re.findall(
        r"^(PASSED|FAILED|ERROR) .*/test_(\w+)\.py::test_at_most_one_value_is_chosen", printed, re.MULTILINE
    )
    return {version: result for result, version in ended}


@pytest.mark.parametrize(
    ("actor", "test"),
    [
        ("mine.py:Acceptor", "test_mine.py"),
        ("mine.py:Acceptor", "tests/test_mine.py"),
        (f"exec:{shlex.quote(sys.executable)} program.py", "tests/test_mine.py"),
    ],
)
def test_it_fails_today_and_passes_once_the_class_is_correct(
    actor: str, test: str, tmp_path: Path, run_here: RunHere, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tests").mkdir()
    (tmp_path / "mine.py").write_text(FAULTY)
    (tmp_path / "program.py").write_text(PROGRAM)
    monkeypatch.chdir(tmp_path)
    done = run_here("check", "--acceptor", actor, "-o", test)
    assert done.returncode == 3
    assert done.stderr.endswith(f"toy-paxos: {test} written\n")
    versions = {"faulty": FAULTY, "still_faulty": STILL_FAULTY, "correct": CORRECT, "broken": "def broken(:\n"}
    printed = pytest_of(tmp_path, test, "mine.py", versions)
    assert results(printed) == dict.fromkeys(versions, "FAILED") | {"correct": "PASSED"}
    assert "a second value is chosen: value-1" in printed


def test_it_needs_pytest_and_this_package_only(tmp_path: Path, run_here: RunHere) -> None:
    (tmp_path / "mine.py").write_text(FAULTY)
    written = run_here("check", "--acceptor", f"{tmp_path}/mine.py:Acceptor", "-o", "-.py").stdout
    imported = re.findall(r"^ *(?:import|from) +(\w+)", written, re.MULTILINE)
    assert imported == ["pathlib", "toy_paxos"]
    assert "proposer-0 -> acceptor-0 PREPARE 1" in written


@pytest.mark.parametrize(
    "command", ["check --break skips-phase-1", "-c 1", "play", "cluster -c 1", "propose -c 1", "verify missing.jsonl"]
)
def test_our_own_actors_need_no_test(command: str, run_here: RunHere) -> None:
    done = run_here(*command.split(), "-o", "-.py")
    assert (done.returncode, done.stdout) == (2, "")
    words = "-o FILE.py needs a violation by your own actors: use check --acceptor or --proposer. ("
    assert done.stderr.startswith(f"toy-paxos: {words}")


def test_a_game_can_be_one_too(tmp_path: Path, run_here: RunHere, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine.py").write_text(FAULTY)
    monkeypatch.chdir(tmp_path)
    actor = "--acceptor", "mine.py:Acceptor"
    assert run_here("check", *actor, "-o", "story.jsonl").returncode == 3
    assert run_here("play", *actor, "story.jsonl", "-o", "game.jsonl").returncode == 3
    assert "played by other actors, --acceptor mine.py:Acceptor" in run_here("play", "game.jsonl").stderr
    assert run_here("play", *actor, "game.jsonl", "-o", "test_game.py").returncode == 3
    assert "acceptor='mine.py:Acceptor'" in (tmp_path / "test_game.py").read_text()
    done = run_here("play", *actor, "-o", "-.py")
    assert done.stderr == "toy-paxos: .py: a test needs a violation, and this story has none\n"


def test_a_correct_class_needs_none(tmp_path: Path, run_here: RunHere) -> None:
    (tmp_path / "mine.py").write_text(CORRECT)
    done = run_here("check", "--acceptor", f"{tmp_path}/mine.py:Acceptor", "-n", "1", "-o", f"{tmp_path}/test.py")
    assert done.returncode == 0
    assert "nothing written: no counterexample was found; the verdict is safe" in done.stderr
    assert not (tmp_path / "test.py").exists()


STUCK = """
from toy_paxos.acceptor import Acceptor as Correct

class Acceptor(Correct):
    def promise(self, request):
        return [] if self.promised else super().promise(request)
"""


def test_a_class_without_progress_keeps_its_verdict(tmp_path: Path, run_here: RunHere) -> None:
    (tmp_path / "mine.py").write_text(STUCK)
    done = run_here("check", "--acceptor", f"{tmp_path}/mine.py:Acceptor", "-n", "1", "-o", f"{tmp_path}/test.py")
    assert done.returncode == 3
    assert done.stderr == "toy-paxos check: nothing written: a test needs a violation; the verdict is stuck\n"
    assert not (tmp_path / "test.py").exists()


def test_a_round_that_goes_wrong_can_be_one_too(
    tmp_path: Path, run_here: RunHere, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine.py").write_text(FAULTY)
    monkeypatch.chdir(tmp_path)
    actor = ("--acceptor", "mine.py:Acceptor", "--num-proposers", "3", "-n", "3", "-p", "0")
    first = run_here(*actor, "--seed", "1")
    assert first.returncode == 3
    rounds = re.findall(r"--round (\d+)", first.stdout)
    again = run_here(*actor, "--seed", "1", "--round", rounds[0], "-o", "test_round.py")
    assert again.returncode == 3
    printed = pytest_of(tmp_path, "test_round.py", "mine.py", {"faulty": FAULTY, "correct": CORRECT})
    assert results(printed) == {"faulty": "FAILED", "correct": "PASSED"}
