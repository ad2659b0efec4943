"""What standard output can show, and lines as it shows them."""

import os
import sys
from collections.abc import Sequence

from toy_paxos.view.words import Line


class DrawingError(ValueError):
    """A story has no such picture; the message says what to do about it."""


def columns() -> int | None:
    """How wide a terminal is; None for what has no width."""
    if not sys.stdout.isatty():
        return None
    # Here and not above: on a pipe nothing has a width, and this takes as long to import as a round to play.
    from shutil import get_terminal_size

    return get_terminal_size().columns


def screen_lines() -> int:
    """How many lines a terminal shows; more than there can be for what has no height."""
    if not sys.stdout.isatty():
        return sys.maxsize
    from shutil import get_terminal_size

    return get_terminal_size().lines


def wants_colour() -> bool:
    """Whether standard output is a terminal, or is to be treated as one."""
    return sys.stdout.isatty() or bool(os.environ.get("FORCE_COLOR"))


def can_say(glyphs: str) -> bool:
    """Whether the encoding of standard output has these characters."""
    try:
        glyphs.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        return False
    return True


def plain(lines: Sequence[Line]) -> str:
    """Lines for a pipe, never wrapped."""
    return "\n".join([*[line.text for line in lines], ""])


def shown(lines: Sequence[Line]) -> str:
    """Lines as rich shows them on a terminal; on a pipe, they are plain."""
    if not wants_colour():
        return plain(lines)
    # Here and not above: pipes, --json, --help and errors must not pay for the import of rich.
    from toy_paxos.view.terminal import styled

    return styled(lines)
