"""A story as a drawing: a lane an actor, time runs down, a message slants from where it was sent to where it arrives.

Each event has a row of its own. What an acceptor holds stands beside its lane, what is more than a message beside all
lanes; a message's words slide along its arrow to where they lie on no others. Nothing but the drawing is needed to see
it: no font, for marks are paths and letters all have one width; no colour, for dashes and marks differ.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from xml.sax.saxutils import escape

from rich.cells import cell_len

from toy_paxos.command.scenes import FOLLOWS, Scene, Scenes, brief_value
from toy_paxos.command.words import event_line, marks_of
from toy_paxos.event import Attempt, Crash, Delivery, Event, Fate, Violation, Wants, said_by

ROW, FONT = 24, 12

# How wide a cell is at most, in a monospaced font.
CELL = 0.62 * FONT

# Texts that share no square of that size lie apart.
SQUARE = 5

# At which parts of its arrow a label may lie, the best first: near the head, where few other arrows are.
PARTS = [part / 100 for part in (*range(75, 100, 5), *range(72, 0, -4))]

STYLE = """
text { font: 12px ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; fill: #444;
  paint-order: stroke; stroke: #fff; stroke-width: 3px; stroke-linejoin: round }
.name, .state, .heading { font-weight: bold; fill: #000 }
.time { fill: #767676; text-anchor: end } .name { text-anchor: middle }
.good { fill: #1b6e2a } .bad { fill: #b3151b } .notable { fill: #7a4b00 }
.lane { stroke: #999 } line.accepted { stroke-width: 7 }
line { stroke: #666; stroke-width: 1.4; fill: none } .tip { fill: #666; stroke: #666; stroke-width: 1.4 }
.PROPOSE line { stroke: #0063a6 } .PROPOSE .tip { fill: #0063a6; stroke: #0063a6 } .PROPOSE .label { fill: #0063a6 }
.ACCEPT line { stroke: #1b6e2a } .ACCEPT .tip { fill: #1b6e2a; stroke: #1b6e2a } .ACCEPT .label { fill: #1b6e2a }
.FAIL line { stroke: #b3151b } .FAIL .tip { fill: #b3151b; stroke: #b3151b } .FAIL .label { fill: #b3151b }
.duplicate line { stroke-dasharray: 9 3 } .stale line { stroke-dasharray: 2 3 } .lost line { stroke-dasharray: 9 3 2 3 }
.lost .tip { stroke-width: 2.5; fill: none }
circle { fill: #fff; stroke: #444; stroke-width: 1.4 } .mark { fill: none; stroke: #444; stroke-width: 2 }
.chosen circle { fill: #1b6e2a } .chosen .mark { fill: #fff; stroke: none } .learned .mark { fill: #1b6e2a }
.crash circle, .failed circle, .refused circle { stroke: #b3151b } .crash .mark, .failed .mark, .refused .mark,
.violation line { stroke: #b3151b; stroke-width: 3 }
.value-0 { stroke: #6db3e8 } .value-1 { stroke: #e0b23c; stroke-dasharray: 14 2 }
.value-2 { stroke: #76c07a; stroke-dasharray: 6 2 } .value-3 { stroke: #e79ab0; stroke-dasharray: 2 2 }
.value-4 { stroke: #c3a27c; stroke-dasharray: 14 2 2 2 } .value-5 { stroke: #b394d6; stroke-dasharray: 6 2 2 2 }
"""
NUM_HUES = 6

# What a mark on a lane looks like, in a circle, by its name among the glyphs of the lanes.
MARKS = {
    "quorum": "M-4 0L-1 3L4-4",
    "shared": "M-3 5V-1A3 3 0 0 1 3-1V5",
    "chosen": "M0-6L1.8-2L6-1.8L2.8 1L4 5.4L0 3L-4 5.4L-2.8 1L-6-1.8L-1.8-2Z",
    "learned": "M0-5L5 0L0 5L-5 0Z",
    "adopted": "M-5-1Q-2.5-5 0-2T5-3M-5 4Q-2.5 0 0 3T5 2",
    "timed_out": "M0-5V0H4",
    "again": "M4-2A4.5 4.5 0 1 0 4 2M4-6V-2H0",
    "restart": "M-4-2A4.5 4.5 0 1 1-4 2M-4-6V-2H0",
    "crash": "M-5-5L5 5M-5 5L5-5",
    "failed": "M-3-3L3 3M-3 3L3-3",
    "refused": "M-5 0H5",
}
RADIUS = 8

# How much room the name of an actor takes.
NAME_WIDTH = len("acceptor-00") * CELL

HEAD, CROSS = "M0 0L-9-4V4Z", "M-5-5L5 5M-5 5L5-5"


def svg(events: Sequence[Event], title: str, num_acceptors: int) -> str:
    """A story as an SVG document, under a printable title."""
    return Drawing(Scenes(events, num_acceptors), title).document()


class Drawing:
    """A drawing: where lanes and rows are, and what lies where already."""

    def __init__(self, scenes: Scenes, title: str) -> None:
        self.title = title
        self.scenes = scenes
        self.shown = list(scenes)
        rows = [row for scene in self.shown for row in scene.rows]
        self.y = {id(row): at * ROW for at, row in enumerate(rows, start=1)}
        self.bottom = ROW * (len(rows) + 1)
        self.x = places(scenes, [scene.event for scene in self.shown if isinstance(scene.event, Delivery)])
        self.beside = max(self.x.values()) + ROW
        self.left, self.right = min(self.x.values()), self.beside
        self.taken: set[tuple[int, int]] = set()
        self.crossed: set[tuple[int, int]] = set()

    def document(self) -> str:
        """The drawing as XML."""
        # The size of it all is known only when everything has its place.
        drawn = "".join([*self.lanes(), *self.heads(), *self.groups()])
        x, width, height = self.left - 8, self.right - self.left + 16, self.bottom + ROW
        size = f'width="{width:.1f}" height="{height}"'
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{x:.1f} {-ROW} {width:.1f} {height}" {size} '
            f'role="img" aria-labelledby="story-title story-text">\n'
            f'<title id="story-title">{escape(self.title)}</title>\n'
            f'<desc id="story-text">{escape(self.words())}</desc>\n<style>{STYLE}</style>\n'
            f'<rect x="{x:.1f}" y="{-ROW}" {size} fill="#fff"/>\n{drawn}</svg>\n'
        )

    def heads(self) -> Iterator[str]:
        """The names of the actors above their lanes."""
        for name, x in self.x.items():
            yield self.text(x, 0, name, "name", anchor=0.5)

    def groups(self) -> Iterator[str]:
        """Each event: first all arrows, then the words and marks that lie on them."""
        fixed = [[*self.time(scene), *self.marks(scene), *self.sentences(scene)] for scene in self.shown]
        ends = list(self.ends())
        for scene, its in zip(self.shown, ends, strict=True):
            self.cross(scene.event, *its)
            yield group(scene, "arrow ", self.arrow(scene.event, *its))
        # What can move makes way for what cannot.
        for scene, its, others in zip(self.shown, ends, fixed, strict=True):
            yield group(scene, "", [*others, *self.label(scene.event, *its)])

    def words(self) -> str:
        """The story in the words of a run, for whoever cannot see it."""
        lines = []
        for scene in self.shown:
            if line := event_line(scene.event, 0):
                lines.append(f"{self.scenes.time(scene.event)}: {line.text}")
            lines += [row.words for row in scene.rows if isinstance(scene.event, Wants)]
        return "\n".join(lines)

    # Lanes

    def lanes(self) -> Iterator[str]:
        """Each lane to its end, and over it the hue of the value that its acceptor holds, while it does."""
        ends = dict.fromkeys(self.x, self.bottom)
        for scene in self.shown:
            if isinstance(scene.event, Crash):
                ends[scene.event.proposer] = self.row_of(scene)
        for name, end in ends.items():
            yield upright("lane", self.x[name], 9, end)
        yield from self.holdings()

    def holdings(self) -> Iterator[str]:
        """The parts of lanes in which acceptors hold values."""
        since: dict[str, Scene] = {}
        for scene in self.shown:
            if not isinstance(scene.event, Delivery) or not scene.rows:
                continue
            name = scene.event.message.recipient
            before = since.get(name)
            if scene.holds != (before.holds if before else ""):
                if before:
                    yield from self.holding(name, before, self.row_of(scene))
                since[name] = scene
        for name, scene in since.items():
            yield from self.holding(name, scene, self.bottom)

    def holding(self, name: str, scene: Scene, end: int) -> Iterator[str]:
        """A part of a lane from an event on, in the hue of the value that its acceptor then holds, if any."""
        if scene.holds:
            hue = f"accepted value-{int(scene.holds.removeprefix('value-')) % NUM_HUES}"
            yield upright(f'{hue}" data-step="{scene.step}', self.x[name], self.row_of(scene), end)

    def row_of(self, scene: Scene) -> int:
        """How far down an event is."""
        return self.y[id(scene.rows[0])]

    # What stays where it is

    def time(self, scene: Scene) -> Iterator[str]:
        """When an event happens, unless it follows from another."""
        if scene.rows and not isinstance(scene.event, FOLLOWS):
            end = min(self.x.values()) - NAME_WIDTH / 2 - 8
            yield self.text(end, self.row_of(scene), self.scenes.time(scene.event), "time", anchor=1)

    def marks(self, scene: Scene) -> Iterator[str]:
        """What an event leaves on lanes, and what stands beside them."""
        for row in scene.rows:
            for name, mark in (row.marks or {}).items():
                yield self.mark(name, self.y[id(row)], mark)
        if isinstance(scene.event, Delivery) and (name := scene.event.message.recipient) in self.x and scene.rows:
            y = self.row_of(scene)
            if scene.event.denial:
                yield self.mark(name, y, scene.event.denial)
            if scene.event.denial or scene.rows[0].state:
                yield self.text(self.x[name] + 11, y, beside(scene.event), "state")
        if isinstance(scene.event, Violation):
            y = self.row_of(scene)
            yield f'<line x1="{min(self.x.values()):.1f}" y1="{y}" x2="{self.beside - 8:.1f}" y2="{y}"/>\n'

    def sentences(self, scene: Scene) -> Iterator[str]:
        """What is no arrow, in words beside all lanes."""
        for row in scene.rows:
            if not row.arrow or not has_arrow(row.arrow, self.x):
                # Whoever restarts may hold something else from then on, which stands beside the last lane, perhaps.
                state = text_width(beside(scene.event)) if isinstance(scene.event, Delivery) and row.state else 0
                yield self.text(self.beside + state, self.y[id(row)], row.words, row.style)

    def text(self, x: float, y: int, words: str, style: str, anchor: float = 0) -> str:
        """Words at their place; of their width, ``anchor`` lies to the left of it."""
        start = x - anchor * text_width(words)
        self.take(start, y, text_width(words), 0)
        return f'<text class="{style}" x="{x:.1f}" y="{y + 4}">{escape(words)}</text>\n'

    def mark(self, name: str, y: int, mark: str) -> str:
        """A mark in a circle on a lane."""
        if name not in self.x:
            return ""
        self.take(self.x[name] - RADIUS, y, 2 * RADIUS, 0)
        place = f'transform="translate({self.x[name]:.1f} {y})"'
        return f'<g class="{mark}" {place}><circle r="{RADIUS}"/><path class="mark" d="{MARKS[mark]}"/></g>\n'

    # What moves

    def ends(self) -> Iterator[tuple[float, float]]:
        """Where each message was sent and where it arrives, counted from above.

        It is sent in the row of what provoked it; what a proposer says first, just before the first of it arrives.
        """
        said: dict[tuple[str, float], float] = {}
        for scene in self.shown:
            event, y = scene.event, self.row_of(scene) if scene.rows else 0
            start: float = y
            if isinstance(event, Delivery):
                start = said.setdefault((event.message.sender, event.sent), y - ROW / 2)
                said[event.message.recipient, event.time] = y
            elif isinstance(event, Attempt):
                said[event.proposer, event.time] = y
            yield start, y

    def cross(self, event: Event, start: float, end: float) -> None:
        """Note over which squares an arrow goes, of a very long one only over some."""
        if isinstance(event, Delivery) and has_arrow(event, self.x):
            x1, x2 = self.x[event.message.sender], self.x[event.message.recipient]
            num = min(int(math.dist((x1, start), (x2, end))) // SQUARE, 200)
            for at in range(1, num):
                x, y = x1 + at / num * (x2 - x1), start + at / num * (end - start)
                self.crossed.add((int(x // SQUARE), int(y // SQUARE)))

    def arrow(self, event: Event, start: float, end: float) -> Iterator[str]:
        """A message from its sending to its arrival."""
        if isinstance(event, Delivery) and has_arrow(event, self.x):
            x1, x2 = self.x[event.message.sender], self.x[event.message.recipient]
            turn = f"translate({x2:.1f} {end:.1f}) rotate({math.degrees(math.atan2(end - start, x2 - x1)):.1f})"
            yield f'<line x1="{x1:.1f}" y1="{start:.1f}" x2="{x2:.1f}" y2="{end:.1f}"/>\n'
            yield f'<path class="tip" transform="{turn}" d="{CROSS if event.fate is Fate.LOST else HEAD}"/>\n'

    def label(self, event: Event, start: float, end: float) -> Iterator[str]:
        """What a message says, from left to right along its arrow, where that is in the way of the fewest others."""
        if not isinstance(event, Delivery) or not has_arrow(event, self.x):
            return
        words, width = label(event), text_width(label(event))
        first, last = (self.x[event.message.sender], start), (self.x[event.message.recipient], end)
        parts = PARTS if first < last else [1 - part for part in PARTS]
        first, last = min(first, last), max(first, last)
        angle = math.atan2(last[1] - first[1], last[0] - first[0])
        places = [at for side in (9, -9) for at in along(first, last, width, parts, side)]
        x, y = min(places, key=lambda at: self.cost(squares(at[0], at[1], width, angle)))
        self.take(x, y, width, angle)
        turn = f"translate({x:.1f} {y:.1f}) rotate({math.degrees(angle):.1f})"
        yield f'<text class="label" transform="{turn}" y="4">{escape(words)}</text>\n'

    def cost(self, under: set[tuple[int, int]]) -> int:
        """How bad it is to lie there: far worse over other words than over arrows."""
        return 99 * len(self.taken & under) + len(self.crossed & under)

    def take(self, x: float, y: float, width: float, angle: float) -> None:
        """Let nothing else move to where this is; it is on the drawing."""
        self.taken |= squares(x, y, width, angle)
        self.left = min(self.left, x, x + width * math.cos(angle))
        self.right = max(self.right, x, x + width * math.cos(angle))


def along(
    start: tuple[float, float], end: tuple[float, float], width: float, parts: Iterable[float], side: float
) -> Iterator[tuple[float, float]]:
    """Where words of some width can begin that lie beside a line, about some parts of it, on one side."""
    length = math.dist(start, end)
    cos, sin = (end[0] - start[0]) / length, (end[1] - start[1]) / length
    for part in parts:
        at = min(max(part * length - width / 2, 10), max(10, length - width - 10))
        yield start[0] + at * cos + side * sin, start[1] + at * sin - side * cos


def squares(x: float, y: float, width: float, angle: float) -> set[tuple[int, int]]:
    """The squares that a text lies on, which begins there and is some way wide; the place is that of its middle."""
    cos, sin = math.cos(angle), math.sin(angle)
    return {
        (int((x + along * cos - across * sin) // SQUARE), int((y + along * sin + across * cos) // SQUARE))
        for along in range(0, int(width) + SQUARE, SQUARE)
        for across in (-6, -2, 2, 6)
    }


def places(scenes: Scenes, deliveries: Iterable[Delivery]) -> dict[str, float]:
    """How far to the right each lane is; between proposers and acceptors is room for what they say."""
    pitch = max([NAME_WIDTH, *(text_width(beside(event)) for event in deliveries if not event.denial)]) + 20
    gap = max([pitch, *(text_width(label(event)) + 24 for event in deliveries)])
    found: dict[str, float] = {}
    x = 0.0
    for name in scenes.names:
        x += gap if name == scenes.acceptors[0] else pitch
        found[name] = round(x, 1)
    return found


def group(scene: Scene, layer: str, parts: Iterable[str]) -> str:
    """What is drawn of an event in one layer, if anything."""
    drawn = "".join(parts)
    return f'<g data-step="{scene.step}" class="{layer}{kind(scene.event)}">\n{drawn}</g>\n' if drawn else ""


def upright(style: str, x: float, start: float, end: float) -> str:
    """A part of a lane."""
    return f'<line class="{style}" x1="{x:.1f}" y1="{start:.1f}" x2="{x:.1f}" y2="{end:.1f}"/>\n'


def has_arrow(event: Delivery, lanes: Iterable[str]) -> bool:
    """Whether a message goes from lane to lane; not so what the clock and the power switch say."""
    return {event.message.sender, event.message.recipient} <= set(lanes)


def kind(event: Event) -> str:
    """What an event looks like: of a message, its type and its fate."""
    return f"{event.message.type} {event.fate}" if isinstance(event, Delivery) else event.event


def label(event: Delivery) -> str:
    """What a message says, and what became of it, as briefly as may be."""
    value, accepted = said_by(event.message)
    words = f"{marks_of(event.fate, None, None)}{event.message.type} {event.message.id}"
    if value is not None:
        return f"{words} {brief_value(value)}"
    return f"{words} ({accepted.id} {brief_value(accepted.value)})" if accepted else words


def beside(event: Delivery) -> str:
    """What stands beside the lane of an acceptor: that it has failed or refused, or what it now holds."""
    if event.denial:
        return f"refused, promised {event.promised}" if event.denial == "refused" and event.promised else event.denial
    if event.promised is None:
        return ""
    return f"{event.promised}" + (f" {event.accepted.id}:{brief_value(event.accepted.value)}" if event.accepted else "")


def text_width(words: str) -> float:
    """How wide words are at most."""
    return cell_len(words) * CELL
