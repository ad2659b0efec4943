"""What is said and written reaches the other side, or at least does no harm."""

import sys

import pytest

from toy_paxos.output import Progress, say, set_up, wants_colour, write


def test_what_is_written_arrives_at_once(capfd: pytest.CaptureFixture[str]) -> None:
    write("no end of line")
    assert capfd.readouterr().out == "no end of line"


def test_what_is_said_goes_to_standard_error(capfd: pytest.CaptureFixture[str]) -> None:
    say("a word \udcff")
    captured = capfd.readouterr()
    assert (captured.out, captured.err) == ("", "a word \\udcff\n")


def test_without_a_standard_error_nothing_is_said(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stderr", None)
    say("a word")
    assert capfd.readouterr().err == ""


def test_an_output_that_has_no_encoding_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", object())
    set_up(json=True)


def test_colour_is_for_terminals_and_on_demand(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    assert not wants_colour()
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert wants_colour()
    assert capsys.readouterr().out == ""


def test_in_a_pipe_signs_of_life_are_lines_that_become_rare(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter([0.0, 9.9, 10.0, 29.9, 30.0, 69.9, 70.0]).__next__
    monkeypatch.setattr("toy_paxos.output.time.monotonic", clock)
    progress = Progress()
    for number in range(6):
        progress.show(lambda number=number: f"sign {number}")  # type: ignore[misc]
    progress.erase()
    assert capfd.readouterr().err == "sign 1\nsign 3\nsign 5\n"
