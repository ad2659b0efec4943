"""The process: standard output and standard error, and how it is asked to stop. Nothing here knows of Paxos.

No value, no reader and no signal can upset the streams. A first Ctrl-C or SIGTERM asks a run to stop after the current
round; a second one kills. If that takes longer than a moment, Ctrl-C says what it waits for, and SIGTERM waits no
longer. Closed pipes kill silently, as they do any filter.
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
"""Whether the system has POSIX signals, and streams that another process may have made non-blocking."""


def set_up(utf_8: bool) -> None:
    """Set standard output up so that whatever is written arrives, perhaps as UTF-8 wherever it goes."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8" if utf_8 else None, errors="backslashreplace")
        if POSIX:
            # A process that shares it may have made it non-blocking; text that does not fit at once would be lost.
            with suppress(io.UnsupportedOperation):
                os.set_blocking(sys.stdout.fileno(), True)


def write(text: str) -> None:
    """Write to standard output at once, so that the reader of a pipe sees it at once."""
    sys.stdout.write(text)
    sys.stdout.flush()


def say(words: str, end: str = "\n") -> None:
    """Write a line to standard error, unless it is closed.

    Not through sys.stderr: a signal may come while that is busy, and at the exit it would try again to write
    what it could not write before.
    """
    if sys.stderr is not None:
        with suppress(OSError):
            os.write(2, f"{words}{end}".encode(errors="backslashreplace"))


def fresh_line() -> str:
    """What takes a terminal away from the line on which it has echoed a key, such as ^C; empty for anything else."""
    if sys.stderr is None or not sys.stderr.isatty():
        return ""
    return "\n" if os.environ.get("TERM") == "dumb" else ERASE


def answer_key(words: str) -> None:
    """Write a line to standard error because a key was pressed; a terminal shows it broken between words."""
    if fresh := fresh_line():
        # Imported here because few runs need it.
        from textwrap import fill

        words = fresh + fill(words, os.get_terminal_size(2).columns or len(words), subsequent_indent="    ")
    say(words)


# Back to the beginning of the line, which is then empty.
ERASE = "\r\x1b[K"

# What a terminal echoes when a key sends a signal: ^C.
ECHO_WIDTH = 2


@contextmanager
def user_output_to_stderr() -> Iterator[None]:
    """Send what the user's own classes write to standard error, however they do it: standard output is for events."""
    with (
        open(os.devnull, "w") as nowhere,
        redirect_stdout(sys.stderr or nowhere),
        diverted(1, 2 if sys.stderr else nowhere.fileno(), sys.__stdout__),
    ):
        yield


@contextmanager
def silence() -> Iterator[None]:
    """Let nothing arrive that is written to standard error meanwhile."""
    if sys.stderr is None:
        yield
        return
    with open(os.devnull, "w") as nowhere, redirect_stderr(nowhere), diverted(2, nowhere.fileno(), sys.__stderr__):
        yield


@contextmanager
def diverted(number: int, to: int, stream: TextIO | None) -> Iterator[None]:
    """Let the file of that number be another one meanwhile, for the stream that writes to it, too."""
    ours = os.dup(number)
    os.dup2(to, number)
    try:
        yield
    finally:
        if stream is not None:
            stream.flush()
        os.dup2(ours, number)
        os.close(ours)


class Progress:
    """Signs of life on standard error: in one place on a terminal, elsewhere a line now and then."""

    def __init__(self) -> None:
        on_terminal = sys.stderr is not None and sys.stderr.isatty()
        self.in_place = on_terminal and os.environ.get("TERM") != "dumb"
        self.period = 1.0 if on_terminal else 10.0
        self.due = time.monotonic() + self.period
        self.shown = False

    def show(self, words: Callable[[], str]) -> None:
        """Show the words, if it is time; they are made only then."""
        if (now := time.monotonic()) < self.due:
            return
        if self.in_place:
            self.period = 0.1
            self.erase()
            self.shown = True
            # The echo of a key must not begin another line, or this one could not be erased any more.
            say(words()[: os.get_terminal_size(2).columns - 1 - ECHO_WIDTH], end="")
        else:
            self.period *= 2
            say(words())
        self.due = now + self.period

    def erase(self) -> None:
        """Leave nothing behind on a terminal."""
        if self.shown:
            say(ERASE, end="")
            self.shown = False


# How long Ctrl-C waits until it says why, and how long SIGTERM waits for the round to end.
MOMENT_S, GRACE_S = 0.5, 2.0

# Where no pipe can end a wait, it looks for signals at this interval.
A_BLINK_S = 0.05


class StopRequest:
    """Listens for SIGINT and SIGTERM; ``signal`` is the one that asked to stop, or None.

    On SIGQUIT (Ctrl-\\) it says what ``on_quit`` returns, and stops nothing. ``waiting_for`` says what has to end
    first.
    """

    def __init__(self, on_quit: Callable[[], str], waiting_for: str) -> None:
        self.signal: int | None = None
        self._on_quit = on_quit
        self._waiting_for = waiting_for
        # Every signal also writes a byte here, which ends a wait even if the signal came just before it.
        self._bytes, self._waker = os.pipe()
        if POSIX:
            os.set_blocking(self._bytes, False)
            os.set_blocking(self._waker, False)
            signal.set_wakeup_fd(self._waker, warn_on_full_buffer=False)
        # Set explicitly: a shell starts background jobs with SIGINT ignored.
        signal.signal(signal.SIGINT, self._stop)
        signal.signal(signal.SIGTERM, self._stop)
        if POSIX:
            signal.signal(signal.SIGQUIT, self._report)
            signal.signal(signal.SIGALRM, self._lose_patience)

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
        answer_key(f"toy-paxos: waiting for {self._waiting_for}; Ctrl-C again stops at once")

    def _report(self, number: int, frame: FrameType | None) -> None:
        answer_key(self._on_quit())

    def wait(self, until: float) -> None:
        """Wait until that time of the monotonic clock, or until asked to stop."""
        while self.signal is None and (left := until - time.monotonic()) > 0:
            if not POSIX:
                time.sleep(min(left, A_BLINK_S))
            elif select.select([self._bytes], [], [], left)[0]:
                os.read(self._bytes, 4096)

    def close(self) -> None:
        """Stop listening for the end of a wait; the signals keep their meaning."""
        if POSIX:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.set_wakeup_fd(-1)
        os.close(self._waker)
        os.close(self._bytes)


def ignore_quit() -> None:
    """Let Ctrl-\\ end nothing that is to be kept."""
    if POSIX:
        signal.signal(signal.SIGQUIT, signal.SIG_IGN)


@contextmanager
def interruptible() -> Iterator[None]:
    """Let Ctrl-C end what goes on here, as a KeyboardInterrupt, and nothing else."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


class SignalledError(Exception):
    """A signal ends the process, once all is tidied up."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def die_by(number: int) -> NoReturn:
    """End the process by a signal, so that its parent sees the reason; without POSIX, by the same exit status."""
    if POSIX:
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
    raise SystemExit(128 + number)
