"""Lines on a terminal: coloured by what they mean, and wrapped between words."""

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

# The sender matters most, so each proposer has a hue of its own, none of which means anything else.
# These can be read on black and on white.
HUES = ("color(33)", "color(166)", "color(133)", "color(65)")

# And so has each value, in a picture: in the words, and in the lane of the acceptor that holds it.
VALUE_HUES = ("color(30)", "color(168)", "color(63)")

# How far the rest of a broken line is moved to the right.
INDENT = 4


@cache
def console() -> Console:
    """Standard output, as rich sees it."""
    # Lines are wrapped below. The width given here is only to keep rich from finding out another one:
    # it takes COLUMNS=0 at its word and prints nothing.
    return Console(highlight=False, width=80)


@cache
def style_of(names: str) -> Style:
    """What some names of styles, separated by blanks, look like together."""
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
    """Lines with the terminal's codes for colour, none of them too long for it."""
    output = console()
    width = shutil.get_terminal_size().columns if output.file.isatty() else None
    with output.capture() as capture:
        for line in lines:
            for part in wrapped(line, width) if width else [as_text(line)]:
                output.print(part, soft_wrap=True)
    return capture.get()


def as_text(line: Line) -> Text:
    """A line as rich's text."""
    return Text.assemble(*[(text, style_of(style)) for style, text in line.spans])


def wrapped(line: Line, width: int) -> Iterator[Text]:
    """Break a line that is too long between words, and indent what follows."""
    # A command must survive being copied from the screen: the terminal may break its line, we may not.
    is_command = any(style == "command" for style, _ in line.spans)
    cuts = [] if is_command else breaks(line.text, width)
    for number, part in enumerate(as_text(line).divide(cuts)):
        if number:
            part.pad_left(INDENT)
        part.rstrip()
        yield part


def breaks(line: str, width: int, indent: int = INDENT) -> list[int]:
    """Where to break a line so that each part fits; a word too long for a part stays whole, on its own."""
    cuts: list[int] = []
    room, part = width, ""
    for word in re.finditer(r"^ *[^ ]+|[^ ]+| +", line):
        if word[0].strip() and part.strip() and cell_len(part + word[0]) > room:
            cuts.append(word.start())
            room, part = width - indent, ""
        part += word[0]
    return cuts
