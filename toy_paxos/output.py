"""Standard output and standard error, so that no value, no reader and no signal can upset them."""

import io
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout, suppress


def set_up(json: bool) -> None:
    """Set standard output up so that whatever is written arrives."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8" if json else None, errors="backslashreplace")
        # Whoever shares it may have made it non-blocking, and then what does not fit at once would be lost.
        with suppress(io.UnsupportedOperation):
            os.set_blocking(sys.stdout.fileno(), True)


def wants_colour() -> bool:
    """Whether standard output is a terminal, or is to be treated as one."""
    return sys.stdout.isatty() or bool(os.environ.get("FORCE_COLOR"))


def write(text: str) -> None:
    """Write to standard output now, so that whoever reads the other end of a pipe sees it now."""
    sys.stdout.write(text)
    sys.stdout.flush()


def say(words: str, end: str = "\n") -> None:
    """Write a line to standard error, if anybody can read it.

    Not by way of sys.stderr: a signal may come while that is busy, and what it cannot write it would try
    again, and fail again, at the exit.
    """
    if sys.stderr is not None:
        with suppress(OSError):
            os.write(2, f"{words}{end}".encode(errors="backslashreplace"))


@contextmanager
def somebody_elses_words() -> Iterator[None]:
    """Send what the user's own classes print to standard error: standard output is for events."""
    with open(os.devnull, "w") as nowhere, redirect_stdout(sys.stderr or nowhere):
        yield


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
            say(words()[: os.get_terminal_size(2).columns - 1], end="")
        else:
            self.period *= 2
            say(words())
        self.due = now + self.period

    def erase(self) -> None:
        """Leave nothing behind on a terminal."""
        if self.shown:
            say("\r\x1b[K", end="")
            self.shown = False
