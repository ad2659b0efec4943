"""Events as a picture in characters: a lane an actor, time runs down, an arrow a message.

Beside the lanes stands what was said, and what its recipient then holds. A lane turns heavy once its acceptor has
accepted, and ends where its proposer crashes. What does not fit beside the lanes goes on below.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise, zip_longest

from rich.cells import cell_len, chop_cells

from toy_paxos.checking import Report
from toy_paxos.command.process import can_say, wants_colour
from toy_paxos.command.terminal import breaks
from toy_paxos.command.verdict import story_lines
from toy_paxos.command.words import Line, Span, Words, line, marks_of, printable
from toy_paxos.event import (
    AcceptorCrash,
    Adoption,
    Attempt,
    Chosen,
    Crash,
    Delivery,
    Event,
    Fate,
    Learned,
    Quorum,
    TimedOut,
    Violation,
    Wants,
    said_by,
)
from toy_paxos.message import Accept, Message, Restart, Timeout
from toy_paxos.simulation import Round, Settings


@dataclass(frozen=True)
class Glyphs:
    """The characters of a picture, each one cell wide."""

    lane: str
    heavy: str
    crossing: str
    heavy_crossing: str
    sent: str
    sent_long_ago: str
    arrow: str
    duplicate: str
    stale: str
    lost: str
    failed: str
    refused: str
    quorum: str
    shared: str
    chosen: str
    learned: str
    adopted: str
    timed_out: str
    again: str
    restart: str
    crash: str


BOXES = Glyphs(*"│┃┼╂●○─═┄x✗⊘✓∩★◆≈?↻↺X")
ASCII = Glyphs(*"|#+#*o-=.xFRvn@!~?^&X")

# How far apart lanes are, and how much room the words beside them need at least.
PITCHES = (4, 3, 2)
LEAST_WORDS = 18

# Where the state stands, counted from where the words begin, and how wide the words and it have to be for that.
STATE_AT = 26
WORDS_AND_STATE = 42


class Lanes:
    """Where the lanes of some actors are, on a line of so many columns; None is a line without an end."""

    def __init__(self, names: Sequence[str], width: int | None, time_width: int) -> None:
        self.names = names
        self.short = {name: short_name(name) for name in names}
        self.time_width = time_width
        self.pitch = next((pitch for pitch in PITCHES if self.fits(pitch, width)), 0)
        self.at = {name: at * self.pitch for at, name in enumerate(names)}
        self.room = None if width is None else width - time_width - self.pitch * len(names)

    def fits(self, pitch: int, width: int | None) -> bool:
        """Whether lanes so far apart leave room for words; at the least distance their names are written downward."""
        has_names = pitch == PITCHES[-1] or max(map(len, self.short.values())) < pitch
        return has_names and (width is None or self.time_width + pitch * len(self.names) + LEAST_WORDS <= width)

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
        return [Line((("time", blank), ("heading", row.rstrip())), blank + row.rstrip()) for row in rows]


def words_of(message: Message) -> str:
    """What a message says, briefly."""
    value, accepted = said_by(message)
    if value is not None:
        return f"{message.type} {message.id} {printable(value)}"
    if accepted:
        return f"{message.type} {message.id} ({accepted.id} {printable(accepted.value)})"
    return f"{message.type} {message.id}"


def short_name(name: str) -> str:
    """``p0`` for ``proposer-0``, ``a12`` for ``acceptor-12``."""
    kind, _, number = name.rpartition("-")
    return f"{kind[:1]}{number}"


@dataclass(slots=True)
class Row:
    """What one line of a picture shows: the time, an arrow or marks, words, and a state."""

    words: str
    style: str
    time: str = ""
    arrow: Delivery | None = None
    marks: dict[str, str] | None = None
    state: str = ""
    state_style: str = ""


class Picture:
    """A story as it is drawn, event by event: it remembers what everybody holds."""

    def __init__(self, lanes: Lanes, glyphs: Glyphs, num_acceptors: int) -> None:
        self.lanes = lanes
        self.glyphs = glyphs
        self.num_acceptors = num_acceptors
        self.held: dict[str, tuple[int, object]] = {}
        self.accepted: dict[str, str | None] = {}
        self.gone: set[str] = set()
        self.last_sent: dict[str, float] = {}
        self.values: list[str] = []
        self.chosen: Chosen | None = None
        self.coloured = wants_colour()
        # The lanes as they are, until somebody accepts or crashes.
        self.sheet: tuple[list[str], list[str]] | None = None
        self.arrows: dict[object, list[Span]] = {}

    def draw(self, event: Event, time: str) -> list[Line]:
        """The lines for one event, perhaps none."""
        if isinstance(event, Delivery) and not isinstance(event.message, Timeout):
            # Most are that.
            return self.lines(self.delivery(event), time)
        lines: list[Line] = []
        for row in self.rows(event):
            lines += self.lines(row, time)
            time = ""
        return lines

    # What there is to show of an event

    def rows(self, event: Event) -> Iterator[Row]:
        """What one event shows."""
        short, glyphs = self.lanes.short, self.glyphs
        match event:
            case Wants():
                self.value_style(event.value)
            case Delivery(message=Timeout()):
                pass
            case Delivery():
                yield self.delivery(event)
            case Crash():
                self.gone.add(event.proposer)
                self.new_sheet()
                words = f"{short[event.proposer]} crashes before {event.unsent} to {short.get(event.recipient, '?')}"
                yield Row(words, "bad", marks={event.proposer: glyphs.crash})
            case AcceptorCrash():
                words = f"{short.get(event.acceptor, '?')} crashes, and loses what is on its way"
                yield Row(words, "bad", marks={event.acceptor: glyphs.crash})
            case TimedOut():
                end = f"gives up after {event.attempt}" if event.last else "times out"
                words = f"{short[event.proposer]} {end}, no majority for {event.id}"
                yield Row(words, "bad", marks={event.proposer: glyphs.timed_out})
            case Attempt():
                words = f"{short[event.proposer]} tries again under {event.id}, attempt {event.attempt}"
                yield Row(words, "notable", marks={event.proposer: glyphs.again})
            case Quorum():
                yield from self.quorum(event)
            case Adoption():
                source = f"{short[event.proposer]} adopts what {short.get(event.acceptor, '?')} accepted"
                words = f"{source} under {event.accepted_id}: {printable(event.value)}"
                yield Row(words, "notable", marks={event.proposer: glyphs.adopted})
            case Chosen():
                self.chosen = event
                names = " ".join(short.get(name, "?") for name in event.acceptors)
                words = f"CHOSEN {event.id}, accepted by {names}: {printable(event.value)}"
                yield Row(words, "good heading", marks=dict.fromkeys(event.acceptors, glyphs.chosen))
            case Learned():
                words = f"{short[event.proposer]} learns {printable(event.value)}"
                yield Row(words, "good heading", marks={event.proposer: glyphs.learned})
            case Violation():
                yield Row(f"SAFETY VIOLATED, {printable(event.words)}", "bad heading")

    def quorum(self, event: Quorum) -> Iterator[Row]:
        """A quorum of promises, and whom it shares with the majority that has accepted before."""
        short = self.lanes.short
        words = f"{short[event.proposer]} has {len(event.acceptors)} of {self.num_acceptors} promises for {event.id}"
        yield Row(words, "notable", marks=dict.fromkeys(event.acceptors, self.glyphs.quorum))
        if self.chosen and (shared := [name for name in event.acceptors if name in self.chosen.acceptors]):
            names, verb = " ".join(short[name] for name in shared), "are" if len(shared) > 1 else "is"
            words = f"{names} {verb} in this majority and in the one that accepted {self.chosen.id}"
            yield Row(words, "notable", marks=dict.fromkeys(shared, self.glyphs.shared))

    def delivery(self, event: Delivery) -> Row:
        """A message with its arrow, or a restart; and what its recipient then holds, if that is new."""
        message = event.message
        if isinstance(message, Restart):
            row = Row(f"{self.lanes.short[message.recipient]} restarts", "notable")
            row.marks = {message.recipient: self.glyphs.restart}
        else:
            row = Row(words_of(message), self.message_style(message), arrow=event)
            if event.denial or event.fate is not Fate.DELIVERED:
                promised = event.promised if event.denial == "refused" else None
                row.words = marks_of(event.fate, event.denial, promised) + row.words
        self.note_state(event, row)
        return row

    def message_style(self, message: Message) -> str:
        """The hue of the value that a message is about, if it is about one."""
        value, accepted = said_by(message)
        if value is not None or accepted:
            return self.value_style(accepted.value if accepted else value)
        return "bad" if message.type == "FAIL" else "routine"

    def note_state(self, event: Delivery, row: Row) -> None:
        """Remember what a recipient holds now, or else what an acceptor says that it has accepted; show what is new."""
        name = event.message.recipient
        if event.promised is None:
            for answer in event.answers:
                if isinstance(answer, Accept):
                    self.note_accepted(name, answer.value)
            return
        held = event.promised, event.accepted
        if self.held.get(name, (0, None)) != held:
            self.held[name] = held
            row.state = f"{self.lanes.short[name]} = {event.promised}"
            self.note_accepted(name, event.accepted.value if event.accepted else None)
            if event.accepted:
                row.state += f" {event.accepted.id}:{printable(event.accepted.value)}"
                row.state_style = self.value_style(event.accepted.value)

    def note_accepted(self, name: str, value: str | None) -> None:
        """Remember what an acceptor has accepted, which its lane shows."""
        if value != self.accepted.get(name):
            self.accepted[name] = value
            self.new_sheet()

    def new_sheet(self) -> None:
        """Forget how the lanes looked until now."""
        self.sheet = None
        self.arrows.clear()

    def value_style(self, value: str | None) -> str:
        """The hue of a value."""
        if value is None:
            return ""
        if value not in self.values:
            self.values.append(value)
        return f"value-{self.values.index(value)}"

    # Beside another picture

    def side(self, group: Sequence[Event], reacts: bool = False, is_bare: bool = False) -> list[Line]:
        """The lines for a delivery and what follows from it; perhaps with what its recipient says to it.

        Bare, they show nothing but that.
        """
        lines: list[Line] = []
        for event in group:
            for row in self.rows(event):
                if reacts and isinstance(event, Delivery):
                    row.state = row.state or self.reaction(event)
                    if is_bare:
                        row.words, row.arrow, row.marks = "", None, None
                lines += self.lines(row, f"{event.time:3.0f}")
        return lines

    def other_side(self, number: float, wrong: Sequence[Event], right: Sequence[Event], is_same: bool) -> list[Line]:
        """What right actors do where wrong ones do something else; perhaps nobody says what was delivered there."""
        message = said_in(wrong)
        if not right and message and not isinstance(message, Timeout):
            return self.lines(Row(f"nobody says {words_of(message)}", "good"), f"{number:3.0f}")
        return self.side(right, reacts=True, is_bare=is_same)

    def reaction(self, event: Delivery) -> str:
        """What the recipient of a message says to it."""
        name = self.lanes.short[event.message.recipient]
        if not event.answers:
            return f"{name} says nothing"
        return f"{name} says {words_of(event.answers[0])}"

    # How that looks

    def lines(self, row: Row, time: str) -> list[Line]:
        """One line for a row, or more if its words do not fit."""
        room = self.lanes.room
        cells, time = self.cells(row), time.ljust(self.lanes.time_width)
        if not row.state and (room is None or cell_len(row.words) <= room):
            return [line(("time", time), *cells, (row.style, row.words))]
        first, *parts = fitting(row.words, room)
        texts = [(row.style, part) for part in parts]
        state: list[Span] = []
        if row.state and (room is None or room >= WORDS_AND_STATE):
            gap = STATE_AT - cell_len(first)
            if not parts and gap > 0 and (room is None or STATE_AT + cell_len(row.state) <= room):
                state = [("", " " * gap), (row.state_style, row.state)]
            else:
                texts += [(row.state_style, part) for part in fitting(row.state, room)]
        blank = " " * self.lanes.time_width
        return [
            line(("time", time), *cells, (row.style, first), *state),
            *(line(("time", blank), *self.blank(), text) for text in texts),
        ]

    def cells(self, row: Row) -> list[Span]:
        """The lanes in one line, with the arrow or the marks of a row."""
        if row.arrow:
            return self.arrow(row.arrow)
        if not row.marks:
            return self.blank()
        glyphs, styles = (cells.copy() for cells in self.base())
        for name, mark in row.marks.items():
            if name in self.lanes.at:
                glyphs[self.lanes.at[name]], styles[self.lanes.at[name]] = mark, row.style
        return self.spans(glyphs, styles)

    def arrow(self, event: Delivery) -> list[Span]:
        """The lanes with an arrow on them; the same arrow on the same lanes is drawn once."""
        message = event.message
        if message.sender not in self.lanes.at or message.recipient not in self.lanes.at:
            return self.blank()
        key = message.sender, message.recipient, event.fate, event.denial, self.is_late(event)
        if key not in self.arrows:
            glyphs, styles = (cells.copy() for cells in self.base())
            self.draw_arrow(glyphs, styles, *key)
            self.arrows[key] = self.spans(glyphs, styles)
        return self.arrows[key]

    def base(self) -> tuple[list[str], list[str]]:
        """The lanes without anything on them: a glyph a cell, and its style."""
        if not self.sheet:
            size = self.lanes.pitch * len(self.lanes.names)
            glyphs, styles = [" "] * size, [""] * size
            for name, at in self.lanes.at.items():
                if name not in self.gone:
                    value = self.accepted.get(name)
                    glyphs[at] = self.glyphs.lane if value is None else self.glyphs.heavy
                    styles[at] = name if value is None else self.value_style(value)
            self.sheet = glyphs, styles
        return self.sheet

    def blank(self) -> list[Span]:
        """The lanes without anything on them."""
        return self.spans(*self.base())

    def spans(self, glyphs: list[str], styles: list[str]) -> list[Span]:
        """Some cells as spans; without colour they need not be told apart."""
        if not self.coloured:
            return [("", "".join(glyphs))]
        runs = groupby(zip(styles, glyphs, strict=True), lambda cell: cell[0])
        return [(style, "".join([glyph for _, glyph in run])) for style, run in runs]

    def draw_arrow(
        self,
        cells: list[str],
        styles: list[str],
        sender: str,
        recipient: str,
        fate: Fate,
        denial: str | None,
        late: bool,
    ) -> None:
        """Draw an arrow from one lane to another over those between."""
        glyphs, pitch = self.glyphs, self.lanes.pitch
        start, end = self.lanes.at[sender], self.lanes.at[recipient]
        low, high = min(start, end), max(start, end)
        style = sender if sender.startswith("proposer-") else recipient
        body = {Fate.DUPLICATE: glyphs.duplicate, Fate.STALE: glyphs.stale}.get(fate, glyphs.arrow)
        crossings = {glyphs.lane: glyphs.crossing, glyphs.heavy: glyphs.heavy_crossing, " ": body}
        crossed = [(at, crossings[cells[at]], styles[at]) for at in range(low + pitch, high, pitch)]
        cells[low + 1 : high] = body * (high - low - 1)
        styles[low + 1 : high] = [style] * (high - low - 1)
        for at, crossing, hue in crossed:
            cells[at], styles[at] = crossing, hue
        cells[start], styles[start] = glyphs.sent_long_ago if late else glyphs.sent, style
        near = end - 1 if start < end else end + 1
        head = ">" if start < end else "<"
        cells[near], styles[near] = glyphs.lost if fate is Fate.LOST else head, style
        if denial:
            cells[end], styles[end] = glyphs.failed if denial == "failed" else glyphs.refused, "bad"

    def is_late(self, event: Delivery) -> bool:
        """Whether a message was overtaken by one that its sender sent later."""
        if event.sent < self.last_sent.get(event.message.sender, 0):
            return True
        self.last_sent[event.message.sender] = event.sent
        return False


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
        self.available = width
        names = [f"proposer-{number}" for number in range(settings.num_proposers)]
        names += [f"acceptor-{number}" for number in range(settings.num_acceptors)]
        self.lanes = Lanes(names, width, CLOCK_WIDTH if settings.network else COUNT_WIDTH)

    def start(self) -> list[Line]:
        """Who takes part, and what to do if there are too many of them for lanes."""
        return [*super().start(), *too_narrow(self.lanes, self.available)]

    def story(self, finished: Round) -> list[Line]:
        """What happened, as lanes."""
        if not self.lanes.pitch:
            return super().story(finished)
        time = "{:7.1f}" if self.settings.network else "{:3.0f}"
        return drawn(finished.events, self.lanes, self.settings.num_acceptors, time)


def story_lanes(report: Report, width: int | None) -> list[Line]:
    """The story of a check as lanes; as lines where lanes do not fit."""
    lanes = lanes_of(report, width)
    if not lanes.pitch:
        return [*too_narrow(lanes, width), *story_lines(report)]
    return drawn(report.story, lanes, report.model.num_acceptors, "{:3.0f}")


def lanes_of(report: Report, width: int | None) -> Lanes:
    """A lane for everybody in a story."""
    names = [event.proposer for event in report.story if isinstance(event, Wants)]
    names += [f"acceptor-{number}" for number in range(report.model.num_acceptors)]
    return Lanes(names, width, COUNT_WIDTH)


def branch_lanes(report: Report, remedy: str, width: int | None) -> list[Line]:
    """The story of a changed rule (``-``) beside what right actors do with the same deliveries (``+``).

    What both do is drawn once.
    """
    lanes = lanes_of(report, None if width is None else width - len("- "))
    if not lanes.pitch:
        return [*too_narrow(lanes, width), *story_lines(report)]
    wrong, right = (Picture(lanes, glyphs(), report.model.num_acceptors) for _ in range(2))
    groups, right_groups = by_delivery(report.story), by_delivery(report.right_story)
    lines = [line.after("", "  ") for line in lanes.heading()]
    has_differed = False
    for number, group in groups.items():
        right_group = right_groups.get(number, [])
        if group == right_group:
            lines += [line.after("", "  ") for line in wrong.side(group)]
            right.side(right_group)
            continue
        lines += [line.after("bad", "- ") for line in wrong.side(group, reacts=True)]
        is_same = bool(group and right_group) and said_in(group) == said_in(right_group)
        lines += [line.after("good", "+ ") for line in right.other_side(number, group, right_group, is_same)]
        if not has_differed:
            lines += [line.after("", "  ") for line in wrong.lines(Row(f"missing: {remedy}", "bad"), "")]
        has_differed = True
    return lines


def by_delivery(story: Sequence[Event]) -> dict[float, list[Event]]:
    """The events of a story by the delivery that they follow from."""
    groups: dict[float, list[Event]] = {}
    for event in story:
        groups.setdefault(event.time, []).append(event)
    return groups


def said_in(group: Sequence[Event]) -> Message | None:
    """The message that is delivered in a group of events."""
    return next((event.message for event in group if isinstance(event, Delivery)), None)


# How wide the time is: simulated milliseconds, or the number of a delivery.
CLOCK_WIDTH, COUNT_WIDTH = 9, 5


def drawn(events: Iterable[Event], lanes: Lanes, num_acceptors: int, time: str) -> list[Line]:
    """A story as lanes, with their heading; ``time`` is the format in which it tells the time."""
    picture = Picture(lanes, glyphs(), num_acceptors)
    return [*lanes.heading(), *(part for event in events for part in picture.draw(event, time.format(event.time)))]


def glyphs() -> Glyphs:
    """The characters that standard output can say."""
    return BOXES if can_say("".join(vars(BOXES).values())) else ASCII


def too_narrow(lanes: Lanes, width: int | None) -> list[Line]:
    """What is said if lanes do not fit, if so."""
    if lanes.pitch:
        return []
    words = (
        f"The lanes of {len(lanes.names)} actors take {lanes.least_width} columns, and here are {width}: lines instead."
    )
    return [Line((("notable", words),), words)]
