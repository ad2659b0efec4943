"""Events as a picture in characters: lanes for actors, arrows for messages, and time runs down.

Beside the lanes stands what was said, and what its recipient then holds. A lane turns heavy once its acceptor has
accepted, and ends where its actor crashes. What does not fit beside the lanes goes on below; where there is little
room, no state is shown.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby, pairwise, product, zip_longest

from rich.cells import cell_len, chop_cells

from toy_paxos.event import Delivery, Event, Fate
from toy_paxos.round import Round
from toy_paxos.settings import Settings
from toy_paxos.story import Configuration
from toy_paxos.view.output import can_say, columns, screen_lines, wants_colour
from toy_paxos.view.rows import Row, Rows, short_name
from toy_paxos.view.run_words import Words
from toy_paxos.view.terminal import breaks
from toy_paxos.view.words import Line, Span, line

Glyphs = Mapping[str, str]
"""The characters of a picture by what they mean, each one cell wide."""

MEANINGS = (
    "lane heavy crossing heavy_crossing sent sent_long_ago arrow duplicate stale lost failed refused "
    "quorum shared chosen learned adoption timeout attempt restart crash departure unheard"
)
BOXES: Glyphs = dict(zip(MEANINGS.split(), "│┃┼╂●○─═┄x✗⊘✓∩★◆≈?↻↺X▲…", strict=True))
ASCII: Glyphs = dict(zip(MEANINGS.split(), "|#+#*o-=.xFRvn@!~?^&X%:", strict=True))

# How far apart lanes are, and how much room the words beside them need at least.
PITCHES = (4, 3, 2)
LEAST_WORDS = 18

# Where the state stands, counted from where the words begin, and how wide the words and it have to be for that.
STATE_AT = 26
WORDS_AND_STATE = 42


# How many looks of all lanes together are remembered; few actors have fewer.
MANY_LOOKS = 500

# After how many lines the names may stand above the lanes again.
LEAST_SCREENFUL = 10

# How wide the time is: simulated milliseconds, or the number of a delivery.
CLOCK_WIDTH, COUNT_WIDTH = 9, 5


class Lanes:
    """Where the lanes of a configuration are, on a line of that width; None is a line without an end."""

    def __init__(
        self, configuration: Configuration, width: int | None, time_width: int, words_and_state: int = WORDS_AND_STATE
    ) -> None:
        self.configuration = configuration
        self.names = names = configuration.names
        self.short = {name: short_name(name) for name in names}
        self.time_width = time_width
        needs = product((words_and_state, LEAST_WORDS), PITCHES)
        self.pitch = next((pitch for words, pitch in needs if self.fits(pitch, width, words)), 0)
        # What was drawn on them, by how they looked then.
        self.arrows: dict[tuple[Span, ...], dict[object, Line]] = {}
        self.at = {name: at * self.pitch for at, name in enumerate(names)}
        self.room = None if width is None else width - time_width - self.pitch * len(names)
        self.has_state = self.room is None or self.room >= words_and_state

    def fits(self, pitch: int, width: int | None, words: int) -> bool:
        """Whether lanes so far apart leave room for words; at the least distance their names are written downward."""
        has_names = pitch == PITCHES[-1] or max(map(len, self.short.values())) < pitch
        return has_names and (width is None or self.time_width + pitch * len(self.names) + words <= width)

    @property
    def least_width(self) -> int:
        """From how many columns on the lanes fit."""
        return self.time_width + PITCHES[-1] * len(self.names) + LEAST_WORDS

    def heading(self) -> list[Line]:
        """The short names of the actors above their lanes."""
        blank = " " * self.time_width
        if self.pitch > PITCHES[-1]:
            rows = ["".join(f"{name:<{self.pitch}}" for name in self.short.values())]
        else:
            rows = [" ".join(letters) for letters in zip_longest(*self.short.values(), fillvalue=" ")]
        return [line(("time", blank), ("heading", row.rstrip())) for row in rows]


class Picture:
    """A story as it is drawn, event by event, on lanes that change as it goes on."""

    def __init__(self, lanes: Lanes, glyphs: Glyphs) -> None:
        self.lanes = lanes
        self.glyphs = glyphs
        self.rows = Rows(lanes.configuration)
        self.last_sent: dict[str, float] = {}
        self.coloured = wants_colour()
        # The lanes without anything on them, and the arrows on such lanes, until one begins to look otherwise.
        self.sheet: list[Span] = []
        self.arrows: dict[object, Line] = {}
        self.changes = -1

    def draw(self, event: Event, time: str) -> list[Line]:
        """The lines for one event, perhaps none."""
        lines: list[Line] = []
        for row in self.rows.of(event):
            lines += self.lines(row, time)
            time = ""
        return lines

    def lines(self, row: Row, time: str) -> list[Line]:
        """One line for a row, or more if what it says does not fit."""
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
            return [start.then(row.state_style, f"{' ' * (STATE_AT - width)}{state}")]
        first, *parts = fitting(row.words, room)
        below = [(row.style, part) for part in parts]
        below += [(row.state_style, part) for part in fitting(state, room) if part]
        blank = ("time", " " * self.lanes.time_width), *self.spans(self.sheet)
        return [line(("time", time), *cells.spans, (row.style, first)), *(line(*blank, text) for text in below)]

    def marked(self, row: Row) -> Line:
        """The lanes in one line, with the marks of a row."""
        cells = self.sheet.copy()
        for name, mark in (row.marks or {}).items():
            if name in self.lanes.at:
                cells[self.lanes.at[name]] = row.style, self.glyphs[mark]
        return line(*self.spans(cells))

    def arrow(self, event: Delivery) -> Line:
        """The lanes with an arrow on them; the same arrow on lanes that look the same is drawn once."""
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
        """Draw the lanes as they look from now on, without anything on them."""
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
        """Some cells as spans; without colour they need not be told apart."""
        if not self.coloured:
            return [("", "".join([glyph for _, glyph in cells]))]
        runs = groupby(cells, lambda cell: cell[0])
        return [(style, "".join([glyph for _, glyph in run])) for style, run in runs]

    def draw_arrow(
        self, cells: list[Span], sender: str, recipient: str, fate: str, denial: str | None, is_late: bool
    ) -> None:
        """Draw an arrow from one lane to another over those between."""
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
    """Words in parts that fit; a word that is too long is cut."""
    if room is None or cell_len(words) <= room:
        return [words]
    cuts = [0, *breaks(words, room, indent=0), len(words)]
    parts = [words[start:end].rstrip() for start, end in pairwise(cuts)]
    return [piece for part in parts for piece in chop_cells(part, room)]


class Diagram(Words):
    """What a run says, with each round as lanes; as lines where lanes do not fit."""

    def __init__(self, settings: Settings, width: int | None, change: str = "") -> None:
        super().__init__(settings, change)
        self.lay_out(width)

    def start(self) -> list[Line]:
        """Who takes part, and what to do if there are too many of them for lanes."""
        return [*super().start(), *too_narrow(self.lanes, self.available)]

    def story(self, finished: Round) -> list[Line]:
        """What happened, as lanes, which are narrower if the terminal is narrower now than before."""
        if self.available is not None and columns() not in (None, self.available):
            self.lay_out(columns())
        if not self.lanes.pitch:
            return super().story(finished)
        time = "{:7.1f}" if self.settings.network else "{:3.0f}"
        return drawn(finished.events, self.lanes, time)

    def lay_out(self, width: int | None) -> None:
        """Find out where the lanes are at this width."""
        self.available = width
        self.lanes = Lanes(self.settings.configuration, width, CLOCK_WIDTH if self.settings.network else COUNT_WIDTH)


def drawn(events: Iterable[Event], lanes: Lanes, time: str) -> list[Line]:
    """A story as lanes, with their heading on each screenful; ``time`` is the format in which it tells the time."""
    picture, heading = Picture(lanes, glyphs()), lanes.heading()
    drawn = [part for event in events for part in picture.draw(event, time.format(event.time))]
    screenful = max(screen_lines() - len(heading) - 1, LEAST_SCREENFUL)
    return [part for start in range(0, len(drawn), screenful) for part in (*heading, *drawn[start : start + screenful])]


def glyphs() -> Glyphs:
    """The characters that standard output can say."""
    return BOXES if can_say("".join(BOXES.values())) else ASCII


def too_narrow(lanes: Lanes, width: int | None) -> list[Line]:
    """What is said if lanes do not fit, if so."""
    if lanes.pitch:
        return []
    needed = f"The lanes of {len(lanes.names)} actors take {lanes.least_width} columns"
    return [line(("notable", f"{needed}, and here are {width}: lines instead."))]
