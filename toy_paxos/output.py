"""Standard output and standard error, so that no value, no reader and no signal can upset them."""

import io
import os
import sys
from contextlib import suppress


def set_encoding(json: bool) -> None:
    """Set standard output up so that no value can fail to be written."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8" if json else None, errors="backslashreplace")


def wants_colour() -> bool:
    """Whether standard output is a terminal, or is to be treated as one."""
    return sys.stdout.isatty() or bool(os.environ.get("FORCE_COLOR"))


def write(text: str) -> None:
    """Write to standard output now, so that whoever reads the other end of a pipe sees it now."""
    sys.stdout.write(text)
    sys.stdout.flush()


def say(words: str) -> None:
    """Write a line to standard error, if anybody can read it.

    Not by way of sys.stderr: a signal may come while that is busy, and what it cannot write it would try
    again, and fail again, at the exit.
    """
    if sys.stderr is not None:
        with suppress(OSError):
            os.write(2, f"{words}\n".encode(errors="backslashreplace"))
