"""What stays on a terminal that echoes keys, and that becomes narrower while a round is shown."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from collections.abc import Sequence
from itertools import count
from pathlib import Path

import pytest
from conftest import COMMAND, clean_environment, read_terminal
from rich.cells import cell_len

from toy_paxos.command import show
from toy_paxos.settings import Settings
from toy_paxos.simulation import play_rounds
from toy_paxos.view import lanes
from toy_paxos.view.lanes import Diagram
from toy_paxos.view.run_words import InWords, Words
from toy_paxos.view.terminal import wrapped
from toy_paxos.view.views import lines_of
from toy_paxos.view.words import Line

# Only the terminal that controls a session turns keys into signals.
IN_CONTROL = "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])"

CTRL_C, CTRL_BACKSLASH = b"\x03", b"\x1c"


def rows_after(*args: str, columns: int, keys: Sequence[tuple[bytes, bytes]], **env: str) -> list[str]:
    """The rows of a terminal after a run, in which each key was pressed when the words before it were there."""
    main_end, program_end = pty.openpty()
    fcntl.ioctl(program_end, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    with subprocess.Popen(
        [sys.executable, "-c", IN_CONTROL, *COMMAND, *args],
        stdin=program_end,
        stdout=program_end,
        stderr=program_end,
        start_new_session=True,
        env=clean_environment(**env),
    ) as process:
        os.close(program_end)
        try:
            shown, at, left = b"", 0, list(keys)
            while new := read_terminal(main_end):
                shown += new
                while left and (found := shown.find(left[0][0], at)) >= 0:
                    at = found + len(left[0][0])
                    os.write(main_end, left.pop(0)[1])
        finally:
            process.kill()
            os.close(main_end)
    return rows(shown.decode(), columns)


def rows(written: str, columns: int) -> list[str]:
    """The rows of a terminal that is so wide and has no end below."""
    found, at = [""], 0
    for part in re.findall(r"\x1b\[K|\x1b\[[\d;]*m|.", written, re.DOTALL):
        if part == "\r":
            at = 0
        elif part == "\n":
            found.append(" " * at)
        elif part == "\x1b[K":
            found[-1] = found[-1][:at]
        elif not part.startswith("\x1b"):
            if at == columns:
                found.append("")
                at = 0
            found[-1] = found[-1][:at].ljust(at) + part + found[-1][at + 1 :]
            at += 1
    return [row.rstrip() for row in found]


@pytest.mark.parametrize("columns", [50, 80, 82, 200])
def test_ctrl_c_leaves_nothing_of_the_running_line(columns: int, slow: Path) -> None:
    seen = rows_after(
        "-q", "-n", "1", "--acceptor", f"{slow}:Slow", columns=columns, keys=[(b" rounds, consensus ", CTRL_C)]
    )
    assert any(row.startswith("--- ") for row in seen)
    assert not [row for row in seen if " rounds, consensus " in row]


@pytest.mark.parametrize("term", ["xterm", "dumb"])
@pytest.mark.parametrize("columns", [50, 200])
def test_what_ctrl_backslash_asks_for_is_a_line_for_itself(columns: int, term: str) -> None:
    keys = [(b" wants ", CTRL_BACKSLASH), (b"rounds/s", CTRL_C)]
    seen = rows_after("-i", "30", columns=columns, keys=keys, TERM=term, NO_COLOR="1")
    (at,) = [at for at, row in enumerate(seen) if "consensus -" in row or "1 round, consensus" in row]
    assert seen[at].startswith("toy-paxos: ")
    told = seen[at] if columns == 200 else f"{seen[at]} {seen[at + 1].strip()}"
    assert re.fullmatch(r"toy-paxos: \d rounds?, consensus .* \(expected 94.95%\), [\d,]+ messages in .*", told)


def test_the_rest_of_a_round_fits_into_a_window_that_has_become_narrower(monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[str] = []
    width = 80

    def in_the_window(lines: Sequence[Line]) -> str:
        return "".join(f"{part.plain}\n" for line in lines for part in wrapped(line, width))

    class Reader:
        """It makes the window narrower after some lines."""

        waits = count(1)

        def wait(self, until: float) -> None:
            nonlocal width
            width = 40 if next(self.waits) >= 5 else 80

    settings = Settings(5, 0, seed=1)
    view = InWords(Words(settings), in_the_window)
    monkeypatch.setattr(show, "write", written.append)
    show.show_line_by_line(lines_of(view, next(play_rounds(settings))), 1, Reader())  # type: ignore[arg-type]
    before, after = "".join(written[:5]).splitlines(), "".join(written[5:]).splitlines()
    assert max(map(cell_len, after)) <= 40
    assert "    nothing accepted" in after
    assert "    nothing accepted" not in before


@pytest.mark.parametrize("width", [30, 60, 120])
def test_a_diagram_is_drawn_for_the_window_as_it_is_when_a_round_begins(
    width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(5, 0, seed=1)
    finished = next(play_rounds(settings))
    diagram = Diagram(settings, 80)
    monkeypatch.setattr(lanes, "columns", lambda: width)
    assert texts(diagram.story(finished)) == texts(Diagram(settings, width).story(finished))


def texts(lines: Sequence[Line]) -> list[str]:
    return [line.text for line in lines]
