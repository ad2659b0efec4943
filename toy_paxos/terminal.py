"""The words of any display on a terminal: coloured by what they mean, and wrapped between words."""

import re
import shutil
from typing import Generic, TypeVar

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from toy_paxos.display import Display

R = TypeVar("R")
S = TypeVar("S")

TIME = r"^ *\d[\d.]*(?: ms| ) "
MESSAGE = rf"(?:{TIME}|^ ) *\S+ -> \S+ +(?:(?:lost|duplicate|stale): )?"

# Looked for from the start of a line, so that no value can imitate them.
STYLES = (
    (r"^toy-paxos .*|^--- .*|^Round \d+: \S+ wants .*|^ +proposer-\d+ wants .*", "bold"),
    (r"^Round \d+: consensus.*", "bold green"),
    (r"^Round \d+: (no |all |chosen).*", "bold red"),
    (r"^  \d+ of .*: ((?P<green>quorum)|(?P<red>no quorum))$", ""),
    (MESSAGE + r"((PREPARE|TERMINATE|PROMISE) \d+(, nothing accepted$)?)?", "dim"),
    (MESSAGE + r"((?P<cyan>PROPOSE.*)|(?P<green>ACCEPT.*)|(?P<red>FAIL.*))", ""),
    (MESSAGE + r"PROMISE \d+(?P<yellow>, accepted .*)", ""),
    (TIME, "dim"),
    (TIME + r" *\S+ -> \S+ +(?P<magenta>lost|duplicate|stale)(?P<dim>: .*)", ""),
    (TIME + r" *(?P<red>\S+ (crashes|gives up|times out).*)", ""),
    (TIME + r" *(?P<yellow>\S+ (tries|adopts).*)", ""),
    (TIME + r" *(?P<green>(\S+ learns|CHOSEN).*)", "bold"),
    (TIME + r" *(?P<red>SAFETY VIOLATED.*)", "bold"),
    (r"^ok .*", "green"),
    (r"^(NOT|VIOLATED|UNKNOWN).*", "bold red"),
    (r"^SAFE.*", "bold green"),
)

# How far the rest of a broken line is moved to the right.
INDENT = 4

COMMAND = re.compile(r"^(seed -?\d+, replay|To see it again): toy-paxos ")


class Terminal:
    """Words as rich shows them on standard output."""

    def __init__(self) -> None:
        # Lines are wrapped below. The width given here is only to keep rich from finding out another one:
        # it takes COLUMNS=0 at its word and prints nothing.
        self.console = Console(highlight=False, width=80)

    def styled(self, words: str) -> str:
        """The words with the terminal's codes for colour."""
        text = Text(words, end="")
        for pattern, style in STYLES:
            text.highlight_regex(f"(?m){pattern}", style)
        if self.console.file.isatty():
            text = self.wrapped(text, shutil.get_terminal_size().columns)
        with self.console.capture() as capture:
            self.console.print(text, soft_wrap=True, end="")
        return capture.get()

    def wrapped(self, text: Text, width: int) -> Text:
        """Break lines that are too long between words, and indent what follows."""
        lines: list[Text] = []
        for line in text.split("\n", allow_blank=True):
            # A command must survive being copied from the screen: the terminal may break its line, we may not.
            cuts = [] if COMMAND.search(line.plain) else breaks(line.plain, width)
            first, *rest = line.divide(cuts)
            for part in rest:
                part.pad_left(INDENT)
            lines += [first, *rest]
        for line in lines:
            line.rstrip()
        return text.blank_copy("\n").join(lines)


def breaks(line: str, width: int) -> list[int]:
    """Where to break a line so that each part fits; a word too long for a part stays whole, on its own."""
    cuts: list[int] = []
    room, part = width, ""
    for word in re.finditer(r"^ *[^ ]+|[^ ]+| +", line):
        if word[0].strip() and part.strip() and cell_len(part + word[0]) > room:
            cuts.append(word.start())
            room, part = width - INDENT, ""
        part += word[0]
    return cuts


class TerminalDisplay(Generic[R, S]):
    """Any display, on a terminal."""

    def __init__(self, words: Display[R, S]) -> None:
        self.words = words
        self.terminal = Terminal()

    def start(self) -> str:
        """Return what to write before the first round."""
        return self.terminal.styled(self.words.start())

    def round(self, finished: R) -> str:
        """Return what to write of one round."""
        return self.terminal.styled(self.words.round(finished))

    def summary(self, statistics: S) -> str:
        """Return what to write after the last round."""
        return self.terminal.styled(self.words.summary(statistics))
