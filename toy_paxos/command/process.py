"""The process: standard output, standard error, and signals that stop it. Nothing here is about Paxos.

A first Ctrl-C or SIGTERM asks a run to stop after the current round; a second one kills it. If the round takes longer
than a moment, Ctrl-C reports what it waits for, and SIGTERM kills. A closed pipe kills silently, as with any filter.
"""

import io
import os
import select
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from types import FrameType
from typing import NoReturn, TextIO

POSIX = hasattr(signal, "SIGALRM")
"""Whether the system has POSIX signals and non-blocking streams."""


def set_up(utf_8: bool) -> None:
    """Set up standard output so that no text is lost; with ``utf_8``, in that encoding whatever the locale is."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8" if utf_8 else None, errors="backslashreplace")
        if POSIX:
            # Another process may have made it non-blocking. Then text that does not fit at once would be lost.
            with suppress(io.UnsupportedOperation):
                os.set_blocking(sys.stdout.fileno(), True)


def write(text: str) -> None:
    """Write to standard output without a delay, for readers of a pipe."""
    sys.stdout.write(text)
    sys.stdout.flush()


def say(words: str, end: str = "\n") -> None:
    """Write a line to standard error, unless it is closed.

    This does not use sys.stderr: a signal can interrupt a write to it, and at the exit it would try again to write
    the text that it could not write before.
    """
    if sys.stderr is not None:
        with suppress(OSError):
            os.write(2, f"{words}{end}".encode(errors="backslashreplace"))


def fresh_line() -> str:
    """Return the text that leaves or erases the line where a terminal has echoed ^C; empty without a terminal."""
    if sys.stderr is None or not sys.stderr.isatty():
        return ""
    return "\n" if os.environ.get("TERM") == "dumb" else ERASE


def answer_key(words: str) -> None:
    """Write a line to standard error after a key was pressed; on a terminal, wrap it between words."""
    if fresh := fresh_line():
        # Imported here because few runs need it.
        from textwrap import fill

        words = fresh + fill(words, os.get_terminal_size(2).columns or len(words), subsequent_indent="    ")
    say(words)


# Moves to the beginning of the line and erases it.
ERASE = "\r\x1b[K"

# The width of ^C, which a terminal echoes.
ECHO_WIDTH = 2


@contextmanager
def user_output_to_stderr() -> Iterator[None]:
    """Send the output of the user's own classes, by any means, to standard error: standard output is for events."""
    with (
        open(os.devnull, "w") as nowhere,
        redirect_stdout(sys.stderr or nowhere),
        diverted(1, 2 if sys.stderr else nowhere.fileno(), sys.__stdout__),
    ):
        yield


@contextmanager
def silence() -> Iterator[None]:
    """Discard the text that is written to standard error meanwhile."""
    if sys.stderr is None:
        yield
        return
    with open(os.devnull, "w") as nowhere, redirect_stderr(nowhere), diverted(2, nowhere.fileno(), sys.__stderr__):
        yield


@contextmanager
def diverted(number: int, to: int, stream: TextIO | None) -> Iterator[None]:
    """Redirect a file descriptor to another one meanwhile, with the stream that writes to it."""
    original = os.dup(number)
    os.dup2(to, number)
    try:
        yield
    finally:
        if stream is not None:
            stream.flush()
        os.dup2(original, number)
        os.close(original)


class Progress:
    """Progress on standard error: one line that changes on a terminal, elsewhere lines at growing intervals."""

    def __init__(self) -> None:
        on_terminal = sys.stderr is not None and sys.stderr.isatty()
        self.in_place = on_terminal and os.environ.get("TERM") != "dumb"
        self.period = 1.0 if on_terminal else 10.0
        self.began = time.monotonic()
        self.due = self.began + self.period
        self.shown = False

    @property
    def elapsed_s(self) -> float:
        """The wall time since the start, in seconds."""
        return time.monotonic() - self.began

    def show(self, words: Callable[[], str]) -> None:
        """Show the words if they are due; only then call the function that makes them."""
        if (now := time.monotonic()) < self.due:
            return
        if self.in_place:
            self.period = 0.1
            self.erase()
            self.shown = True
            # Leave room for the echo of a key: if that began another line, this one could not be erased.
            say(words()[: os.get_terminal_size(2).columns - 1 - ECHO_WIDTH], end="")
        else:
            self.period *= 2
            say(words())
        self.due = now + self.period

    def erase(self) -> None:
        """Erase the line on a terminal."""
        if self.shown:
            say(ERASE, end="")
            self.shown = False


# The time after which Ctrl-C reports what it waits for, and the longest time that SIGTERM waits for a round to end.
MOMENT_S, GRACE_S = 0.5, 2.0

# Without POSIX no pipe can end a wait, so it looks for signals at this interval.
A_BLINK_S = 0.05


def place(frame: FrameType | None) -> str:
    """Return where the user's own code runs in a frame, in words, or an empty text if it does not."""
    # Imported here because few runs need it.
    from toy_paxos.checking.refusal import call_of_user

    call = call_of_user(frame)
    return f", in {os.path.basename(call.f_code.co_filename)}, line {call.f_lineno}" if call else ""


class StopRequest:
    """Listens for SIGINT and SIGTERM; ``signal`` is the one that asked to stop, or None.

    On SIGQUIT (Ctrl-\\) it writes the text that ``on_quit`` returns, and stops nothing. ``waiting_for`` names what has
    to end before the process stops.
    """

    def __init__(self, on_quit: Callable[[], str], waiting_for: str) -> None:
        self.signal: int | None = None
        self._on_quit = on_quit
        self._waiting_for = waiting_for
        # Every signal also writes a byte here. It ends a wait even if the signal came just before the wait.
        self._bytes, self._waker = os.pipe()
        if POSIX:
            os.set_blocking(self._bytes, False)
            os.set_blocking(self._waker, False)
            signal.set_wakeup_fd(self._waker, warn_on_full_buffer=False)
            signal.signal(signal.SIGQUIT, self._report)
            signal.signal(signal.SIGALRM, self._lose_patience)
        # Set explicitly: a shell starts background jobs with SIGINT ignored.
        signal.signal(signal.SIGINT, self._stop)
        signal.signal(signal.SIGTERM, self._stop)

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self.signal = number
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        say(fresh_line(), end="")
        if POSIX:
            signal.setitimer(signal.ITIMER_REAL, MOMENT_S if number == signal.SIGINT else GRACE_S)

    def _lose_patience(self, number: int, frame: FrameType | None) -> None:
        if self.signal == signal.SIGTERM:
            die_by(signal.SIGTERM)
        answer_key(f"toy-paxos: waiting for {self._waiting_for}{place(frame)}; Ctrl-C again stops at once")

    def _report(self, number: int, frame: FrameType | None) -> None:
        answer_key(self._on_quit())

    def wait(self, until: float) -> None:
        """Wait until this time of the monotonic clock, or until asked to stop."""
        while self.signal is None and (left := until - time.monotonic()) > 0:
            if not POSIX:
                time.sleep(min(left, A_BLINK_S))
            elif select.select([self._bytes], [], [], left)[0]:
                os.read(self._bytes, 4096)

    def close(self) -> None:
        """Release the pipe and the timer; the handlers of signals remain."""
        if POSIX:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.set_wakeup_fd(-1)
        os.close(self._waker)
        os.close(self._bytes)


def ignore_quit() -> None:
    """Ignore Ctrl-\\, which would end a game."""
    if POSIX:
        signal.signal(signal.SIGQUIT, signal.SIG_IGN)


@contextmanager
def interruptible() -> Iterator[None]:
    """Let Ctrl-C raise KeyboardInterrupt in this block instead of ending the process."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


class SignalledError(Exception):
    """A signal ends the process, after its resources are released."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def die_by(number: int) -> NoReturn:
    """End the process by a signal, so that its parent sees the reason; without POSIX, exit with 128 + ``number``."""
    if POSIX:
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
    raise SystemExit(128 + number)
