"""A story as a drawing: lanes for actors, time runs down, messages slant from their sending to their arrival.

As in the lanes of a terminal, each row has its words beside all lanes, so that they lie on nothing. Nothing but the
drawing is needed to see it: no font, for marks are paths; no colour, for dashes and marks differ.
"""

import math
from collections.abc import Iterator, Sequence
from importlib.resources import files
from itertools import groupby
from xml.sax.saxutils import escape
from zlib import crc32

from rich.cells import cell_len

from toy_paxos.event import AcceptorCrash, Attempt, Crash, Delivery, Fate, Violation, Wants
from toy_paxos.message import Restart
from toy_paxos.story import Story
from toy_paxos.view.rows import Row
from toy_paxos.view.scenes import Scene, Scenes
from toy_paxos.view.words import event_line

# How high a row is; how wide a letter is at most; how much room the time takes on the left; how far apart lanes are.
ROW, LETTER, LEFT, LEAST_PITCH = 20, 7.5, 64, 40

# Where a state begins, counted in letters from where the words begin.
STATE_AT = 28

# How wide a note is at most, in letters: about as wide as other words are.
NOTE_WIDTH = 48

STYLE = "\n" + files("toy_paxos.view").joinpath("svg.css").read_text(encoding="utf-8")
# The class of a drawing. A document may hold other text, so each selector of the style begins with it.
ROOT = "toy-paxos"

# With more actors than that, their short names stand above the lanes.
LONG_NAMES = 8

NUM_HUES = 6

# What a mark on a lane looks like, in a circle.
MARKS = {
    "quorum": "M-4 0L-1 3L4-4",
    "shared": "M-3 5V-1A3 3 0 0 1 3-1V5",
    "chosen": "M0-5L3 4L-5-1H5L-3 4Z",
    "learned": "M0-5L5 0L0 5L-5 0Z",
    "adoption": "M-5-1Q-2.5-5 0-2T5-3M-5 4Q-2.5 0 0 3T5 2",
    "timeout": "M0-5V0H4",
    "attempt": "M4-2A4.5 4.5 0 1 0 4 2M4-6V-2H0",
    "restart": "M-4-2A4.5 4.5 0 1 1-4 2M-4-6V-2H0",
    "departure": "M0-5V2M0 4V5",
    "unheard": "M-3 0H-2M0 0H1M3 0H4",
    "crash": "M-5-5L5 5M-5 5L5-5",
    "failed": "M-3-3L3 3M-3 3L3-3",
    "refused": "M-5 0H5",
}
HEAD, CROSS = "M0 0L-9-4V4Z", "M-5-5L5 5M-5 5L5-5"


def svg(story: Story) -> str:
    """A story as an SVG document, under its printable title."""
    return Drawing(Scenes(story, NOTE_WIDTH)).document(story.title)


class Drawing:
    """A drawing: where lanes and rows are, and what lies there."""

    def __init__(self, scenes: Scenes) -> None:
        self.scenes = scenes
        self.shown = list(scenes)
        names = scenes.configuration.names
        self.names = dict(zip(names, names, strict=True)) if len(names) <= LONG_NAMES else scenes.short
        pitch = max(max(map(len, self.names.values())) * LETTER + 8, LEAST_PITCH)
        self.x = {name: round(LEFT + pitch * (at + 0.5), 1) for at, name in enumerate(names)}
        self.beside = round(LEFT + pitch * len(self.x) + 8, 1)
        self.width = self.beside
        self.branches = [[*branch] for _, branch in groupby(self.shown, key=lambda scene: scene.branch)]
        self.bottom = foot(self.shown)

    def document(self, title: str) -> str:
        """The drawing as XML."""
        names = "".join(text(x, 0, self.names[name], "name") for name, x in self.x.items())
        lanes = [part for branch in self.branches for draw in (self.lanes, self.holdings) for part in draw(branch)]
        arrows = [group(scene, "arrow", self.arrow(scene, start)) for scene, start in self.sent()]
        # How wide it all is, the words tell.
        words = [group(scene, "words", self.rows(scene)) for scene in self.shown]
        box = f"{self.width + 16:.0f}", f"{self.bottom + ROW}"
        told = escape(self.told())
        # Different drawings in one document need different ids.
        id = f"{ROOT}-{crc32((title + told).encode(errors='backslashreplace')):08x}"
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 {-ROW} {" ".join(box)}" class="{ROOT}" '
            f'width="{box[0]}" height="{box[1]}" role="img" aria-labelledby="{id}-title {id}-text">\n'
            f'<title id="{id}-title">{escape(title)}</title>\n<desc id="{id}-text">{told}</desc>\n'
            f'<style>{STYLE}</style>\n<rect class="paper" y="{-ROW}" width="100%" height="100%"/>\n'
            f"{''.join([*lanes, *arrows, *words])}"
            # Above all else, for on a page they stay in sight.
            f'<g class="names">\n<rect class="paper" y="{-ROW}" width="100%" height="28"/>\n{names}</g>\n</svg>\n'
        )

    def told(self) -> str:
        """The story in the words of a run, for readers who cannot see it."""
        lines = []
        for scene in self.shown:
            if scene.repeated:
                pass
            elif isinstance(scene.event, Wants):
                lines.append(scene.rows[0].words)
            elif line := event_line(scene.event, 0):
                lines.append(f"{self.scenes.time(scene.event)}: {line.text}")
            lines += scene.notes
        return "\n".join(lines)

    def lanes(self, branch: Sequence[Scene]) -> Iterator[str]:
        """Each lane, for as long as its actor has not crashed, or has come back."""
        since = dict.fromkeys(self.x, top(branch))
        for scene in branch:
            match scene.event:
                case Crash(proposer=name) | AcceptorCrash(acceptor=name) if name in since:
                    yield line("lane", self.x[name], since.pop(name), self.x[name], down(scene))
                case Delivery(message=Restart(recipient=name)) if name in self.x:
                    since.setdefault(name, down(scene))
        for name, y in since.items():
            yield line("lane", self.x[name], y, self.x[name], foot(branch))

    def holdings(self, branch: Sequence[Scene]) -> Iterator[str]:
        """The parts of lanes in which acceptors hold values."""
        since: dict[str, Scene] = {}
        for scene in branch:
            if isinstance(scene.event, AcceptorCrash) and scene.event.acceptor in since:
                yield self.holding(scene.event.acceptor, since.pop(scene.event.acceptor), down(scene))
            if not isinstance(scene.event, Delivery) or (name := scene.event.message.recipient) not in self.x:
                continue
            if name in since and since[name].holds != scene.holds:
                yield self.holding(name, since.pop(name), down(scene))
            if scene.holds:
                since.setdefault(name, scene)
        for name, scene in since.items():
            yield self.holding(name, scene, foot(branch))

    def holding(self, name: str, scene: Scene, end: int) -> str:
        """A part of a lane from an event on, in the hue of the value that its acceptor then holds."""
        x = self.x[name]
        return line(f'held {hue(scene.holds)}" data-step="{scene.step}', x, down(scene), x, end)

    def sent(self) -> Iterator[tuple[Scene, float]]:
        """Each scene, and how far down its message was sent: in the row of what provoked it.

        What a proposer says first is sent just before the first of it arrives.
        """
        said: dict[tuple[int, str, float], float] = {}
        for scene in self.shown:
            event, branch, y = scene.event, scene.branch, down(scene)
            start: float = y
            if isinstance(event, Delivery):
                start = said.setdefault((branch, event.message.sender, event.sent), y - ROW / 2)
                said[branch, event.message.recipient, event.time] = y
            elif isinstance(event, Attempt):
                said[branch, event.proposer, event.time] = y
            yield scene, start

    def arrow(self, scene: Scene, start: float) -> Iterator[str]:
        """A message from its sending to its arrival."""
        if scene.rows and (event := scene.rows[0].arrow):
            x1, x2, end = self.x[event.message.sender], self.x[event.message.recipient], down(scene)
            turn = math.degrees(math.atan2(end - start, x2 - x1))
            tip = f'class="head" transform="translate({x2} {end}) rotate({turn:.1f})" d="{HEAD}"'
            if event.fate is Fate.LOST:
                tip = f'class="cross" transform="translate({x2} {end})" d="{CROSS}"'
            yield f"{line('', x1, start, x2, end)}<path {tip}/>\n"

    def rows(self, scene: Scene) -> Iterator[str]:
        """When an event happens, unless it follows from another; its marks on lanes; and its words beside them."""
        for at, row in enumerate(scene.rows):
            y = down(scene) + at * ROW
            if not at and not scene.repeated and (scene.begins or isinstance(scene.event, Attempt)):
                yield text(LEFT - 8, y, self.scenes.time(scene.event), "time")
            if isinstance(scene.event, Violation) and not at:
                yield line("bad", LEFT, y, self.beside - 8, y)
            for name, mark in (row.marks or {}).items():
                yield from self.mark(name, y, mark, row.style)
            if row.arrow and row.arrow.denial and row.arrow.fate is not Fate.LOST:
                yield from self.mark(row.arrow.message.recipient, y, row.arrow.denial, "bad")
            yield from self.words(row, y)

    def mark(self, name: str, y: int, mark: str, style: str) -> Iterator[str]:
        """A mark in a circle on a lane."""
        if name in self.x:
            place = f'class="{mark} {style}" transform="translate({self.x[name]} {y})"'
            yield f'<g {place}><circle r="8"/><path class="mark" d="{MARKS[mark]}"/></g>\n'

    def words(self, row: Row, y: int) -> Iterator[str]:
        """Words beside all lanes, those of a message with its way, and what its recipient then holds."""
        words = row.words
        if row.arrow:
            message = row.arrow.message
            words = f"{self.scenes.short[message.sender]}→{self.scenes.short[message.recipient]} {words}"
        places = [(0, words, row.style)]
        if row.state:
            places.append((max(STATE_AT, cell_len(words) + 2), row.state, row.state_style))
        for at, said, style in places:
            self.width = max(self.width, self.beside + LETTER * (at + cell_len(said)))
            yield text(self.beside + LETTER * at, y, said, hue(style))


def down(scene: Scene) -> int:
    """How far down the first row of an event is."""
    return ROW * (scene.above + 1)


def top(branch: Sequence[Scene]) -> int:
    """How far down the lanes of a branch begin."""
    return ROW * branch[0].above + 9


def foot(branch: Sequence[Scene]) -> int:
    """How far down the lanes of a branch end."""
    return ROW * (branch[-1].above + len(branch[-1].rows) + 1)


def hue(style: str) -> str:
    """A style as a class of the drawing, which has not as many hues as there may be values."""
    kind, _, number = style.partition("-")
    return f"{kind}-{int(number) % NUM_HUES}" if number else style


def group(scene: Scene, layer: str, parts: Iterator[str]) -> str:
    """What is drawn of an event in one layer, if anything."""
    kind = f"{scene.event.message.type} {scene.event.fate}" if isinstance(scene.event, Delivery) else scene.event.event
    style = f" {hue(scene.rows[0].style)}" if scene.rows and layer == "arrow" else ""
    drawn = "".join(parts)
    return f'<g data-step="{scene.step}" class="{layer} {kind}{style}">\n{drawn}</g>\n' if drawn else ""


def line(style: str, x1: float, y1: float, x2: float, y2: float) -> str:
    """A straight line."""
    return f'<line class="{style}" x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}"/>\n'


def text(x: float, y: int, words: str, style: str) -> str:
    """Words at their place."""
    return f'<text class="{style}" x="{x:.1f}" y="{y + 4}">{escape(words)}</text>\n'
