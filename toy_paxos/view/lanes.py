"""Events as a diagram in characters: actors are lanes, messages are arrows, and time runs down.

Each message and the new state of its recipient stand beside the lanes. A lane is heavy once its acceptor has accepted a
value, and ends where its actor crashes. Words that do not fit continue on the next line; on a narrow terminal, states
are left out. For example, acceptor-0 has accepted apple, and then promises 2:

      p0  p1  a0
      │   ●──>┃   PREPARE 2                 a0 = 2 1:apple
      │   │<──●   PROMISE 2 (1 apple)
"""

import sys
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby, pairwise, product, zip_longest

from rich.cells import cell_len, chop_cells

from toy_paxos.event import Delivery, Event, Fate
from toy_paxos.round import Round
from toy_paxos.settings import Settings
from toy_paxos.story import Configuration
from toy_paxos.view.output import can_say, columns, terminal_size, wants_colour
from toy_paxos.view.rows import Row, Rows, short_name
from toy_paxos.view.run_words import Words
from toy_paxos.view.terminal import breaks
from toy_paxos.view.words import Line, Span, line

Glyphs = Mapping[str, str]
"""The characters of a diagram by their meaning, each one cell wide."""

MEANINGS = (
    "lane heavy crossing heavy_crossing sent sent_long_ago arrow duplicate stale lost failed refused unanswered "
    "quorum shared chosen learned adoption timeout attempt restart crash departure unheard"
)
BOXES: Glyphs = dict(zip(MEANINGS.split(), "│┃┼╂●○─═┄x✗⊘◌✓∩★◆≈?↻↺X▲…", strict=True))
ASCII: Glyphs = dict(zip(MEANINGS.split(), "|#+#*o-=.xFR_vn@!~?^&X%:", strict=True))

# Possible distances between lanes, and the least width of the words beside them.
PITCHES = (4, 3, 2)
LEAST_WORDS = 18

# The column of the state, counted from the words, and the least width of words and state together.
STATE_AT = 26
WORDS_AND_STATE = 42

# The limit on the cached looks of all lanes together; a few actors do not reach it.
MANY_LOOKS = 500

# The least number of lines before the names are repeated.
LEAST_SCREENFUL = 10

# The width of the time: simulated milliseconds, or the number of a delivery.
CLOCK_WIDTH, COUNT_WIDTH = 9, 5


class Lanes:
    """The places of the lanes of a configuration on a line of some width; None is an unlimited width."""

    def __init__(
        self, configuration: Configuration, width: int | None, time_width: int, words_and_state: int = WORDS_AND_STATE
    ) -> None:
        self.configuration = configuration
        self.names = names = configuration.names
        self.short = {name: short_name(name) for name in names}
        self.time_width = time_width
        self.least_width = time_width + PITCHES[-1] * len(names) + LEAST_WORDS
        needs = product((words_and_state, LEAST_WORDS), PITCHES)
        self.pitch = next((pitch for words, pitch in needs if self.fits(pitch, width, words)), 0)
        # Arrows that were drawn, by the look of the lanes.
        self.arrows: dict[tuple[Span, ...], dict[object, Line]] = {}
        self.at = {name: at * self.pitch for at, name in enumerate(names)}
        self.room = None if width is None else width - time_width - self.pitch * len(names)
        self.has_state = self.room is None or self.room >= words_and_state

    def fits(self, pitch: int, width: int | None, words: int) -> bool:
        """Return whether lanes at this distance leave room for words; at the least one, names are written downward."""
        has_names = pitch == PITCHES[-1] or max(map(len, self.short.values())) < pitch
        return has_names and (width is None or self.time_width + pitch * len(self.names) + words <= width)

    def heading(self) -> list[Line]:
        """Return the short names of the actors, above their lanes."""
        blank = " " * self.time_width
        if self.pitch > PITCHES[-1]:
            rows = ["".join(f"{name:<{self.pitch}}" for name in self.short.values())]
        else:
            rows = [" ".join(letters) for letters in zip_longest(*self.short.values(), fillvalue=" ")]
        return [line(("time", blank), ("heading", row.rstrip())) for row in rows]


class Picture:
    """The drawing of a story, event by event, on lanes whose look changes."""

    def __init__(self, lanes: Lanes, glyphs: Glyphs) -> None:
        self.lanes = lanes
        self.glyphs = glyphs
        self.rows = Rows(lanes.configuration)
        self.last_sent: dict[str, float] = {}
        self.coloured = wants_colour()
        # The empty lanes, and the arrows drawn on them; both change when a lane changes its look.
        self.sheet: list[Span] = []
        self.arrows: dict[object, Line] = {}
        self.changes = -1

    def draw(self, event: Event, time: str) -> list[Line]:
        """Return the lines of an event, perhaps none."""
        lines: list[Line] = []
        for row in self.rows.of(event):
            lines += self.lines(row, time)
            time = ""
        return lines

    def lines(self, row: Row, time: str) -> list[Line]:
        """Return the line of a row, or more lines if its words do not fit."""
        room, time = self.lanes.room, time.ljust(self.lanes.time_width)
        if self.changes != self.rows.changes:
            self.look_again()
        cells = self.arrow(row.arrow) if row.arrow else self.marked(row)
        width = cell_len(row.words)
        start = Line((("time", time), *cells.spans, (row.style, row.words)), f"{time}{cells.text}{row.words}")
        state = row.state if self.lanes.has_state else ""
        if not state and (room is None or width <= room):
            return [start]
        if state and width < STATE_AT and (room is None or STATE_AT + cell_len(state) <= room):
            return [start.with_suffix(row.state_style, f"{' ' * (STATE_AT - width)}{state}")]
        first, *parts = fitting(row.words, room)
        below = [(row.style, part) for part in parts]
        below += [(row.state_style, part) for part in fitting(state, room) if part]
        blank = ("time", " " * self.lanes.time_width), *self.spans(self.sheet)
        return [line(("time", time), *cells.spans, (row.style, first)), *(line(*blank, text) for text in below)]

    def marked(self, row: Row) -> Line:
        """Return the lanes with the marks of a row."""
        cells = self.sheet.copy()
        for name, mark in (row.marks or {}).items():
            if name in self.lanes.at:
                cells[self.lanes.at[name]] = row.style, self.glyphs[mark]
        return line(*self.spans(cells))

    def arrow(self, event: Delivery) -> Line:
        """Return the lanes with an arrow; an arrow on lanes of the same look is drawn only once."""
        message = event.message
        is_late = event.sent < self.last_sent.get(message.sender, 0)
        if not is_late:
            self.last_sent[message.sender] = event.sent
        key = message.sender, message.recipient, event.fate.value, event.denial, is_late
        if not (drawn := self.arrows.get(key)):
            cells = self.sheet.copy()
            self.draw_arrow(cells, *key)
            drawn = self.arrows[key] = line(*self.spans(cells))
        return drawn

    def look_again(self) -> None:
        """Draw the empty lanes as they look now."""
        self.changes = self.rows.changes
        self.sheet = cells = [("", " ")] * (self.lanes.pitch * len(self.lanes.names))
        for name, at in self.lanes.at.items():
            if name not in self.rows.gone:
                hue = self.rows.lane_style(name)
                cells[at] = hue or name, self.glyphs["heavy" if hue else "lane"]
        if len(self.lanes.arrows) > MANY_LOOKS:
            self.lanes.arrows.clear()
        self.arrows = self.lanes.arrows.setdefault(tuple(self.spans(cells)), {})

    def spans(self, cells: Sequence[Span]) -> list[Span]:
        """Return cells as spans; without colour, as a single one."""
        if not self.coloured:
            return [("", "".join([glyph for _, glyph in cells]))]
        runs = groupby(cells, lambda cell: cell[0])
        return [(style, "".join([glyph for _, glyph in run])) for style, run in runs]

    def draw_arrow(
        self, cells: list[Span], sender: str, recipient: str, fate: str, denial: str | None, is_late: bool
    ) -> None:
        """Draw an arrow from one lane to another, across those between."""
        glyphs, pitch = self.glyphs, self.lanes.pitch
        start, end = self.lanes.at[sender], self.lanes.at[recipient]
        low, high = min(start, end), max(start, end)
        style = sender if sender.startswith("proposer-") else recipient
        body = glyphs[fate if fate in (Fate.DUPLICATE, Fate.STALE) else "arrow"]
        crossings = {glyphs["lane"]: glyphs["crossing"], glyphs["heavy"]: glyphs["heavy_crossing"], " ": body}
        crossed = {at: cells[at] for at in range(low + pitch, high, pitch)}
        cells[low + 1 : high] = [(style, body)] * (high - low - 1)
        for at, (hue, glyph) in crossed.items():
            cells[at] = hue, crossings[glyph]
        cells[start] = style, glyphs["sent_long_ago" if is_late else "sent"]
        near, head = (end - 1, ">") if start < end else (end + 1, "<")
        cells[near] = style, glyphs["lost"] if fate == Fate.LOST else head
        if denial and fate != Fate.LOST:
            cells[end] = "bad", glyphs[denial]


def fitting(words: str, room: int | None) -> list[str]:
    """Return words in parts that fit; a word that is too long is cut."""
    if room is None or cell_len(words) <= room:
        return [words]
    cuts = [0, *breaks(words, room, indent=0), len(words)]
    parts = [words[start:end].rstrip() for start, end in pairwise(cuts)]
    return [piece for part in parts for piece in chop_cells(part, room)]


class Diagram(Words):
    """The words of a run with each round as lanes; as lines where lanes do not fit."""

    def __init__(self, settings: Settings, width: int | None, change: str = "") -> None:
        super().__init__(settings, change)
        self.lay_out(width)

    def start(self) -> list[Line]:
        """Return the first lines, and a remark if the lanes do not fit."""
        return [*super().start(), *too_narrow(self.lanes, self.available)]

    def story(self, finished: Round) -> list[Line]:
        """Return a round as lanes, for the present width of the terminal."""
        if self.available is not None and columns() not in (None, self.available):
            self.lay_out(columns())
        if not self.lanes.pitch:
            return super().story(finished)
        time = "{:7.1f}" if self.settings.network else "{:3.0f}"
        return drawn(finished.events, self.lanes, time)

    def lay_out(self, width: int | None) -> None:
        """Place the lanes for this width."""
        self.available = width
        self.lanes = Lanes(self.settings.configuration, width, CLOCK_WIDTH if self.settings.network else COUNT_WIDTH)


def drawn(events: Iterable[Event], lanes: Lanes, time: str) -> list[Line]:
    """Return a story as lanes, with their heading on each screenful; ``time`` is the format of the time."""
    picture, heading = Picture(lanes, glyphs()), lanes.heading()
    lines = [part for event in events for part in picture.draw(event, time.format(event.time))]
    screen_lines = size[1] if (size := terminal_size()) else sys.maxsize
    screenful = max(screen_lines - len(heading) - 1, LEAST_SCREENFUL)
    return [part for start in range(0, len(lines), screenful) for part in (*heading, *lines[start : start + screenful])]


def glyphs() -> Glyphs:
    """Return the characters that standard output can show."""
    return BOXES if can_say("".join(BOXES.values())) else ASCII


def too_narrow(lanes: Lanes, width: int | None) -> list[Line]:
    """Return a remark if the lanes do not fit."""
    if lanes.pitch:
        return []
    needed = f"The lanes of {len(lanes.names)} actors need {lanes.least_width} columns"
    return [line(("notable", f"{needed}; this terminal has {width}, so here are lines instead."))]
