"""One story written into a file: the ending says how, and nothing that is there is lost."""

import errno
import os
from pathlib import Path

import pytest
from conftest import OnTerminal, RunHere

RUN = ("--num-proposers", "2", "-n", "3", "--seed", "1", "--round", "7")
BEGINNINGS = {
    ".svg": "<svg ",
    ".html": "<!DOCTYPE html>",
    ".mmd": "sequenceDiagram\n",
    ".txt": "# Round 7, seed 1: ",
    ".jsonl": '{"event":"start","format":2,',
}


@pytest.mark.parametrize("ending", BEGINNINGS)
def test_the_ending_selects_the_format_and_the_round_is_shown_as_always(
    ending: str, tmp_path: Path, run_here: RunHere
) -> None:
    file = tmp_path / f"round{ending}"
    shown, written = run_here(*RUN), run_here(*RUN, "-o", str(file))
    assert written.stdout.splitlines()[:20] == shown.stdout.splitlines()[:20]
    assert written.stderr.endswith("written\n")
    assert file.read_text(encoding="utf-8").startswith(BEGINNINGS[ending])
    assert run_here(*RUN, "-o", f"-{ending}").stdout == file.read_text(encoding="utf-8")


def test_an_ending_may_be_in_capitals(tmp_path: Path, run_here: RunHere) -> None:
    run_here(*RUN, "-o", str(tmp_path / "ROUND.SVG"))
    assert (tmp_path / "ROUND.SVG").read_text(encoding="utf-8").startswith("<svg ")
    assert run_here(*RUN, "-o", "-.SVG").stdout.startswith("<svg ")


@pytest.mark.parametrize("command", [(), ("play",), ("cluster",), ("propose",), ("verify",), ("check",)])
def test_the_help_of_check_and_play_offers_a_test_and_says_of_what(command: tuple[str, ...], run_here: RunHere) -> None:
    told = " ".join(run_here(*command, "--help").stdout.split())
    words = ", a violation by your own actors as .py" if command in (("check",), ("play",)) else ""
    assert f"Write one story as .svg, .html, .mmd, .txt, .jsonl{words} ('-.svg': standard output)." in told


def without_comments(lines: str) -> list[str]:
    """Lines without the title and the notes of a story."""
    return [line for line in lines.splitlines() if not line.startswith("#")]


@pytest.mark.parametrize("ending", [".txt", ".jsonl"])
@pytest.mark.parametrize(
    "source", [RUN, *(("check", "--break", rule) for rule in ("adopts-lowest", "forgets-promise", "skips-phase-1"))]
)
def test_lines_can_be_played_and_written_again(
    source: tuple[str, ...], ending: str, tmp_path: Path, run_here: RunHere
) -> None:
    first, second = tmp_path / f"first{ending}", tmp_path / f"second{ending}"
    status = run_here(*source, "-o", str(first)).returncode
    played = run_here("play", str(first), "-o", str(second))
    assert played.returncode == status
    again = run_here("play", str(second))
    assert again.returncode == status
    assert without_comments(again.stdout) == without_comments(played.stdout)


def test_times_are_milliseconds_even_if_all_of_them_are_whole(run_here: RunHere) -> None:
    crashed = run_here("--proposer-failure-prob", "1", "--rounds", "1", "-o", "-.jsonl").stdout
    assert '"event":"crash"' in crashed
    assert crashed.count('"t_ms":0') == crashed.count('"t_ms":') > 0
    assert (
        "0.0 ms  proposer-0 crashes" in run_here("--proposer-failure-prob", "1", "--rounds", "1", "-o", "-.txt").stdout
    )


def test_a_file_is_overwritten_only_by_force(tmp_path: Path, run_here: RunHere) -> None:
    file = tmp_path / "round.svg"
    file.write_text("mine")
    refused = run_here(*RUN, "-o", str(file))
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "already exists: name another file, or add --force" in refused.stderr
    assert file.read_text() == "mine"
    assert run_here(*RUN, "-o", str(file), "--force").returncode == 0
    assert file.read_text().startswith("<svg ")


@pytest.mark.parametrize(
    ("args", "what_to_do"),
    [
        (("-o", "round.png"), "round.png does not end in .svg, .html, .mmd, .txt, .jsonl"),
        (("-o", "-"), "- does not end in .svg"),
        (("-o", ".svg"), "name the file before its ending, such as story.svg"),
        (("-o", "/nowhere/round.svg"), "cannot write into the folder /nowhere"),
        (("--force",), "--force does nothing without -o FILE"),
        (("--svg",), "--svg is now -o FILE.svg, or -o -.svg for standard output"),
        (("--html",), "--html is now -o FILE.html"),
        (("--mermaid",), "--mermaid is now -o FILE.mmd"),
    ],
)
@pytest.mark.parametrize("command", [RUN, ("check",), ("play",), ("cluster",), ("verify", "log")])
def test_bad_input_gets_one_line(
    command: tuple[str, ...], args: tuple[str, ...], what_to_do: str, run_here: RunHere
) -> None:
    refused = run_here(*command, *args)
    assert (refused.returncode, refused.stdout, refused.stderr.count("\n")) == (2, "", 1)
    assert what_to_do in refused.stderr


def test_an_old_file_survives_if_the_new_one_cannot_be_written(
    tmp_path: Path, run_here: RunHere, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "round.svg"
    file.write_text("mine")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "replace", full)
    refused = run_here(*RUN, "-o", str(file), "--force")
    assert refused.returncode == 1
    assert refused.stderr.endswith(f": {os.strerror(errno.ENOSPC)}\n")
    assert refused.stderr.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["round.svg"]
    assert file.read_text() == "mine"


def test_a_link_stays_a_link_and_a_private_file_stays_private(tmp_path: Path, run_here: RunHere) -> None:
    file, link = tmp_path / "round.svg", tmp_path / "link.svg"
    file.write_text("mine")
    file.chmod(0o600)
    link.symlink_to(file)
    assert run_here(*RUN, "-o", str(link), "--force").returncode == 0
    assert link.is_symlink()
    assert file.read_text().startswith("<svg ")
    assert file.stat().st_mode & 0o777 == 0o600


def test_the_longest_name_will_do(tmp_path: Path, run_here: RunHere) -> None:
    file = tmp_path / f"{'a' * 251}.svg"
    assert run_here(*RUN, "-o", str(file)).returncode == 0
    assert file.exists()


def test_a_folder_is_not_overwritten(tmp_path: Path, run_here: RunHere) -> None:
    (tmp_path / "round.svg").mkdir()
    assert "is not a file" in run_here(*RUN, "-o", str(tmp_path / "round.svg"), "--force").stderr


def test_no_picture_is_poured_onto_a_terminal(on_terminal: OnTerminal) -> None:
    assert "a terminal cannot show it: name a file, such as story.svg" in on_terminal(*RUN, "-o", "-.svg", columns=200)
    assert "wants" in on_terminal(*RUN, "-o", "-.txt", columns=200)
