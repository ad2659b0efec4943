"""The process: what is said and written reaches the other side, waiting ends with a signal, dying can be seen."""

import os
import signal
import subprocess
import sys
import time

import pytest

from toy_paxos.command.process import Progress, StopRequest, say, set_up, write


def test_output_arrives_without_delay(capfd: pytest.CaptureFixture[str]) -> None:
    write("no end of line")
    assert capfd.readouterr().out == "no end of line"


def test_messages_go_to_standard_error(capfd: pytest.CaptureFixture[str]) -> None:
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
    set_up(utf_8=True)


def test_in_a_pipe_signs_of_life_are_lines_that_become_rare(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter([0.0, 9.9, 10.0, 29.9, 30.0, 69.9, 70.0]).__next__
    monkeypatch.setattr("toy_paxos.command.process.time.monotonic", clock)
    progress = Progress()
    for number in range(6):
        progress.show(lambda number=number: f"sign {number}")  # type: ignore[misc]
    progress.erase()
    assert capfd.readouterr().err == "sign 1\nsign 3\nsign 5\n"


# Signals

pytestmark = pytest.mark.usefixtures("restored_signals")


def test_there_is_no_stop_request_at_first() -> None:
    assert StopRequest(on_quit=str, waiting_for="nothing").signal is None


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_remembers_which_signal_asked(number: int) -> None:
    stop = StopRequest(on_quit=str, waiting_for="nothing")
    os.kill(os.getpid(), number)
    assert stop.signal == number


def test_a_second_one_would_kill() -> None:
    StopRequest(on_quit=str, waiting_for="nothing")
    os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) == signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


def test_a_wait_lasts_as_long_as_asked() -> None:
    stop = StopRequest(on_quit=str, waiting_for="nothing")
    until = time.monotonic() + 0.05
    stop.wait(until)
    assert time.monotonic() >= until


def test_a_signal_before_or_during_a_wait_ends_it() -> None:
    stop = StopRequest(on_quit=str, waiting_for="nothing")
    with subprocess.Popen(["sh", "-c", f"sleep 0.1; kill -INT {os.getpid()}"]):
        # Without an end of the wait, the test would never end.
        stop.wait(until=time.monotonic() + 1e6)
        stop.wait(until=time.monotonic() + 1e6)
    assert stop.signal == signal.SIGINT


def test_sigquit_calls_back_and_the_wait_goes_on() -> None:
    reading, writing = os.pipe()
    called: list[bytes] = []

    def answer() -> str:
        called.append(b"quit")
        os.write(writing, b"\n")
        return "so far"

    stop = StopRequest(on_quit=answer, waiting_for="nothing")
    # It interrupts half a second after it was heard.
    script = f"sleep 0.05; kill -QUIT {os.getpid()}; read line; sleep 0.5; kill -INT {os.getpid()}"
    with subprocess.Popen(["sh", "-c", script], stdin=reading):
        busy = time.process_time()
        stop.wait(until=time.monotonic() + 1e6)
        busy = time.process_time() - busy
    os.close(reading)
    os.close(writing)
    assert called == [b"quit"]
    assert stop.signal == signal.SIGINT
    # It slept: to spin would take the whole half second.
    assert busy < 0.25


@pytest.mark.parametrize(("term", "fresh_line"), [("xterm", "\r\x1b[K"), ("dumb", "\n")])
def test_on_a_terminal_text_after_a_signal_begins_on_a_line_of_its_own(
    term: str, fresh_line: str, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", term)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    stop = StopRequest(on_quit=str, waiting_for="nothing")
    os.kill(os.getpid(), signal.SIGINT)
    assert stop.signal == signal.SIGINT
    assert capfd.readouterr().err == fresh_line
    stop.close()


def test_a_closed_stop_request_remembers_its_signal() -> None:
    stop = StopRequest(on_quit=str, waiting_for="nothing")
    stop.close()
    os.kill(os.getpid(), signal.SIGTERM)
    assert stop.signal == signal.SIGTERM


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_parent_sees_the_signal_that_ended_the_process(number: int) -> None:
    code = f"from toy_paxos.command.process import die_by; die_by({int(number)})"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -number
