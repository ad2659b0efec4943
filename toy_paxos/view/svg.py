"""A story as a drawing: actors are lanes, time runs down, and messages slant from their sending to their arrival.

As in a terminal, the words of each row stand beside the lanes, so that they overlap nothing. The drawing needs no other
files: marks are paths, not letters of a font. It can be read without colours, because dashes and marks differ.
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
from toy_paxos.view.rows import Row, short_name
from toy_paxos.view.scenes import FOLLOWS, Scene, scenes
from toy_paxos.view.words import event_line

# The height of a row, the greatest width of a letter, the width of the time, and the least distance between lanes.
ROW, LETTER, LEFT, LEAST_PITCH = 20, 7.5, 64, 40

# The place of a state, in letters from where the words begin.
STATE_AT = 28

# The greatest width of a note in letters, about that of other words.
NOTE_WIDTH = 48

STYLE = "\n" + files("toy_paxos.view").joinpath("svg.css").read_text(encoding="utf-8")
# The class of a drawing. Each selector of the style begins with it, so that it affects nothing else in a document.
ROOT = "toy-paxos"

# Up to this number of actors, their long names stand above the lanes.
LONG_NAMES = 8

NUM_HUES = 6

# The path of each mark, within a circle.
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
    "unanswered": "M-3 0A3 3 0 1 0 3 0A3 3 0 1 0-3 0",
}
HEAD, CROSS = "M0 0L-9-4V4Z", "M-5-5L5 5M-5 5L5-5"


def svg(story: Story) -> str:
    """Return a story as an SVG document under its printable title."""
    return Drawing(story).document(story.title)


class Drawing:
    """A drawing with its lanes, arrows and words."""

    def __init__(self, story: Story, long_names: int = LONG_NAMES) -> None:
        self.shown = [*scenes(story, NOTE_WIDTH)]
        names = story.configuration.names
        self.names = {name: name if len(names) <= long_names else short_name(name) for name in names}
        pitch = max(max(map(len, self.names.values())) * LETTER + 8, LEAST_PITCH)
        self.x = {name: round(LEFT + pitch * (at + 0.5), 1) for at, name in enumerate(names)}
        self.beside = round(LEFT + pitch * len(self.x) + 8, 1)
        self.width = self.beside
        self.branches = [[*branch] for _, branch in groupby(self.shown, key=lambda scene: scene.branch)]
        self.bottom = foot(self.shown)

    def document(self, title: str) -> str:
        """Return the drawing as XML."""
        names = "".join(text(x, 0, self.names[name], "name") for name, x in self.x.items())
        lanes = [part for branch in self.branches for draw in (self.lanes, self.holdings) for part in draw(branch)]
        arrows = [group(scene, "arrow", self.arrow(scene, start)) for scene, start in self.sent()]
        # Drawing the words also finds out the width of the drawing.
        words = [group(scene, "words", self.rows(scene)) for scene in self.shown]
        box = f"{self.width + 16:.0f}", f"{self.bottom + ROW}"
        told = escape(self.told())
        # Drawings within one document need different ids.
        id = f"{ROOT}-{crc32((title + told).encode(errors='backslashreplace')):08x}"
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 {-ROW} {" ".join(box)}" class="{ROOT}" '
            f'width="{box[0]}" height="{box[1]}" role="img" aria-labelledby="{id}-title {id}-text">\n'
            f'<title id="{id}-title">{escape(title)}</title>\n<desc id="{id}-text">{told}</desc>\n'
            f'<style>{STYLE}</style>\n<rect class="paper" y="{-ROW}" width="100%" height="100%"/>\n'
            f"{''.join([*lanes, *arrows, *words])}"
            # The names come last, so that they cover the rest: on a page they do not scroll.
            f'<g class="names">\n<rect class="paper" y="{-ROW}" width="100%" height="28"/>\n{names}</g>\n</svg>\n'
        )

    def told(self) -> str:
        """Return the story in the words of a run, for readers who cannot see the drawing."""
        lines = []
        for scene in self.shown:
            if scene.repeated:
                pass
            elif isinstance(scene.event, Wants):
                lines.append(scene.rows[0].words)
            elif line := event_line(scene.event, 0):
                lines.append(f"{scene.time}: {line.text}")
            lines += scene.notes
        return "\n".join(lines)

    def lanes(self, branch: Sequence[Scene]) -> Iterator[str]:
        """Yield each lane, with gaps from a crash to a restart."""
        since = dict.fromkeys(self.x, ROW * branch[0].above + 9)
        for scene in branch:
            match scene.event:
                case Crash(proposer=name) | AcceptorCrash(acceptor=name) if name in since:
                    yield line("lane", self.x[name], since.pop(name), self.x[name], down(scene))
                case Delivery(message=Restart(recipient=name)) if name in self.x:
                    since.setdefault(name, down(scene))
        for name, y in since.items():
            yield line("lane", self.x[name], y, self.x[name], foot(branch))

    def holdings(self, branch: Sequence[Scene]) -> Iterator[str]:
        """Yield the parts of lanes in which acceptors hold values."""
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
        """Return a part of a lane from an event on, in the hue of the value that its acceptor then holds."""
        x = self.x[name]
        return line(f"held {hue(scene.holds)}", x, down(scene), x, end, scene.step)

    def sent(self) -> Iterator[tuple[Scene, float]]:
        """Yield each scene with the height at which its message was sent: that of the message that caused it.

        The first messages of a proposer are sent just before the first of them arrives.
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
        """Yield the arrow of a message from its sending to its arrival."""
        if scene.rows and (event := scene.rows[0].arrow):
            x1, x2, end = self.x[event.message.sender], self.x[event.message.recipient], down(scene)
            turn = math.degrees(math.atan2(end - start, x2 - x1))
            tip = f'class="head" transform="translate({x2} {end}) rotate({turn:.1f})" d="{HEAD}"'
            if event.fate is Fate.LOST:
                tip = f'class="cross" transform="translate({x2} {end})" d="{CROSS}"'
            yield f"{line('', x1, start, x2, end)}<path {tip}/>\n"

    def rows(self, scene: Scene) -> Iterator[str]:
        """Yield the time of an event, unless it follows from another, its marks on lanes, and its words."""
        has_time = isinstance(scene.event, Attempt) or not isinstance(scene.event, FOLLOWS)
        for at, row in enumerate(scene.rows):
            y = down(scene) + at * ROW
            if not at and not scene.repeated and has_time:
                yield text(LEFT - 8, y, scene.time, "time")
            if isinstance(scene.event, Violation) and not at:
                yield line("bad", LEFT, y, self.beside - 8, y)
            for name, mark in (row.marks or {}).items():
                yield from self.mark(name, y, mark, row.style)
            if row.arrow and row.arrow.denial and row.arrow.fate is not Fate.LOST:
                yield from self.mark(row.arrow.message.recipient, y, row.arrow.denial, "bad")
            yield from self.words(row, y)

    def mark(self, name: str, y: int, mark: str, style: str) -> Iterator[str]:
        """Yield a mark on a lane, in a circle."""
        if name in self.x:
            place = f'class="{mark} {style}" transform="translate({self.x[name]} {y})"'
            yield f'<g {place}><circle r="8"/><path class="mark" d="{MARKS[mark]}"/></g>\n'

    def words(self, row: Row, y: int) -> Iterator[str]:
        """Yield the words of a row beside the lanes, then the new state of the recipient."""
        words = row.words
        if row.arrow:
            message = row.arrow.message
            words = f"{short_name(message.sender)}→{short_name(message.recipient)} {words}"
        places = [(0, words, row.style)]
        if row.state:
            places.append((max(STATE_AT, cell_len(words) + 2), row.state, row.state_style))
        for at, said, style in places:
            self.width = max(self.width, self.beside + LETTER * (at + cell_len(said)))
            yield text(self.beside + LETTER * at, y, said, hue(style))


def down(scene: Scene) -> int:
    """Return the height of the first row of an event."""
    return ROW * (scene.above + 1)


def foot(branch: Sequence[Scene]) -> int:
    """Return the height at which the lanes of a branch end."""
    return ROW * (branch[-1].above + len(branch[-1].rows) + 1)


def hue(style: str) -> str:
    """Return the class for a style; hues repeat if there are many values."""
    kind, _, number = style.partition("-")
    return f"{kind}-{int(number) % NUM_HUES}" if number else style


def group(scene: Scene, layer: str, parts: Iterator[str]) -> str:
    """Return what is drawn for an event in one layer, or nothing."""
    kind = f"{scene.event.message.type} {scene.event.fate}" if isinstance(scene.event, Delivery) else scene.event.event
    style = f" {hue(scene.rows[0].style)}" if scene.rows and layer == "arrow" else ""
    drawn = "".join(parts)
    return f'<g data-step="{scene.step}" class="{layer} {kind}{style}">\n{drawn}</g>\n' if drawn else ""


def line(style: str, x1: float, y1: float, x2: float, y2: float, step: int | None = None) -> str:
    """Return a straight line, perhaps with its step in a story."""
    data = "" if step is None else f' data-step="{step}"'
    return f'<line class="{style}"{data} x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}"/>\n'


def text(x: float, y: int, words: str, style: str) -> str:
    """Return words at a place."""
    return f'<text class="{style}" x="{x:.1f}" y="{y + 4}">{escape(words)}</text>\n'
