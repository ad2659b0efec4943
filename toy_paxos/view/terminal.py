"""Lines for a terminal: coloured by their styles, and wrapped between words."""

import re
import shutil
from collections.abc import Iterator, Sequence
from functools import cache

from rich.cells import cell_len
from rich.console import Console
from rich.style import Style
from rich.text import Text

from toy_paxos.view.words import Line

STYLES = {
    "heading": "bold",
    "command": "",
    "time": "dim",
    "routine": "dim",
    "proposal": "color(30)",
    "good": "green",
    "bad": "red",
    "notable": "color(100)",
    "mark": "magenta",
}

# Hues of proposers. They are legible on black and on white, and no other style uses them.
HUES = ("color(33)", "color(166)", "color(133)", "color(65)")

# Hues of values in a diagram: in the words, and in the lanes of the acceptors that hold them.
VALUE_HUES = ("color(30)", "color(168)", "color(63)")

# The indentation of the further parts of a wrapped line.
INDENT = 4


@cache
def console() -> Console:
    """Return rich's console on standard output."""
    # Lines are wrapped below. Without a width here, rich would obey COLUMNS=0 and print nothing.
    return Console(highlight=False, width=80)


@cache
def style_of(names: str) -> Style:
    """Return the combined style of some names, separated by blanks."""
    style = Style()
    for name in names.split():
        if name in STYLES:
            style += Style.parse(STYLES[name])
        elif name.startswith(("proposer-", "value-")):
            kind, _, number = name.rpartition("-")
            hues = HUES if kind == "proposer" else VALUE_HUES
            style += Style.parse(hues[int(number) % len(hues)])
    return style


def styled(lines: Sequence[Line]) -> str:
    """Return lines with the terminal's codes for colour, wrapped to its width."""
    output = console()
    width = shutil.get_terminal_size().columns if output.file.isatty() else None
    with output.capture() as capture:
        for line in lines:
            for part in wrapped(line, width) if width else [as_text(line)]:
                output.print(part, soft_wrap=True)
    return capture.get()


def as_text(line: Line) -> Text:
    """Return a line as a text of rich."""
    return Text.assemble(*[(text, style_of(style)) for style, text in line.spans])


def wrapped(line: Line, width: int) -> Iterator[Text]:
    """Yield the parts of a line that fit, broken between words, all but the first indented."""
    # A command that is copied from the screen must stay one line, so only the terminal may wrap it.
    is_command = any(style == "command" for style, _ in line.spans)
    cuts = [] if is_command else breaks(line.text, width)
    for number, part in enumerate(as_text(line).divide(cuts)):
        if number:
            part.pad_left(INDENT)
        part.rstrip()
        yield part


def breaks(line: str, width: int, indent: int = INDENT) -> list[int]:
    """Return where to break a line so that each part fits; a word that is too long stays whole in its own part."""
    cuts: list[int] = []
    room, part = width, ""
    for word in re.finditer(r"^ *[^ ]+|[^ ]+| +", line):
        if word[0].strip() and part.strip() and cell_len(part + word[0]) > room:
            cuts.append(word.start())
            room, part = width - indent, ""
        part += word[0]
    return cuts
