"""Find out what standard output can show, and turn lines into text for it."""

import os
import sys
from collections.abc import Sequence

from toy_paxos.view.words import Line


class DrawingError(ValueError):
    """A view cannot show this story; the message says what to do about it."""


def terminal_size() -> tuple[int, int] | None:
    """Return the columns and lines of the terminal, or None if standard output is not a terminal."""
    if not sys.stdout.isatty():
        return None
    # Imported here, because it is not needed on a pipe and takes as long to import as a round takes to play.
    from shutil import get_terminal_size

    return get_terminal_size()


def columns() -> int | None:
    """Return the width of the terminal, or None if standard output is not a terminal."""
    return size[0] if (size := terminal_size()) else None


def wants_colour() -> bool:
    """Return whether standard output is a terminal, or FORCE_COLOR asks for colour."""
    return sys.stdout.isatty() or bool(os.environ.get("FORCE_COLOR"))


def can_say(glyphs: str) -> bool:
    """Return whether the encoding of standard output has these characters."""
    try:
        glyphs.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        return False
    return True


def plain(lines: Sequence[Line]) -> str:
    """Return lines as text for a pipe, never wrapped."""
    return "\n".join([*[line.text for line in lines], ""])


def shown(lines: Sequence[Line]) -> str:
    """Return lines as text for standard output: styled and wrapped for a terminal, plain for a pipe."""
    if not wants_colour():
        return plain(lines)
    # Imported here, because pipes, --json, --help and errors must not pay for the import of rich.
    from toy_paxos.view.terminal import styled

    return styled(lines)
