"""A story as a Mermaid sequence diagram, which many hosts draw where it stands in Markdown."""

import re
from collections.abc import Iterator

from toy_paxos.event import Chosen, Fate, Violation
from toy_paxos.story import Story
from toy_paxos.view.output import DrawingError
from toy_paxos.view.rows import Row
from toy_paxos.view.scenes import Scenes

# Mermaid draws no text that is longer.
LONGEST = 50_000

ARROWS = {Fate.DELIVERED: "->>", Fate.LOST: "-x", Fate.DUPLICATE: "-->>", Fate.STALE: "--)"}

# What matters most stands before a colour of its own, which a dark page shows through.
BANDS = {Chosen: "rect rgba(60, 160, 60, 0.25)", Violation: "rect rgba(220, 60, 60, 0.3)"}


def mermaid(story: Story) -> str:
    """A story as Mermaid text, under its printable title; raises DrawingError if it is longer than Mermaid takes."""
    text = "\n".join(["sequenceDiagram", *(f"    {line}" for line in lines(Scenes(story), story.title)), ""])
    # Mermaid counts as JavaScript does, in halves of what lies beyond the first 65,536 characters.
    length = len(text.encode("utf-16-le")) // 2
    if length > LONGEST:
        words = f".mmd: {length:,} characters, and Mermaid takes {LONGEST:,}"
        raise DrawingError(f"{words}: choose fewer acceptors or proposers, or a name that ends in .svg")
    return text


def lines(scenes: Scenes, title: str) -> Iterator[str]:
    """The lines of a diagram, but for the first."""
    yield f"title: {escaped(title)}"
    for name, short in scenes.short.items():
        yield f"participant {short} as {name}"
    for scene in scenes:
        rows = [row_line(row, scenes) for row in scene.rows]
        told = len(rows) - len(scene.notes)
        if told and (band := BANDS.get(type(scene.event))):
            rows = [band, *(f"    {row}" for row in rows[:told]), "end", *rows[told:]]
        yield from rows


def row_line(row: Row, scenes: Scenes) -> str:
    """A row as an arrow, or else as a note over all lanes."""
    short = scenes.short
    words = escaped(row.words) + (f"<br/>{escaped(row.state)}" if row.state else "")
    if row.arrow:
        message = row.arrow.message
        return f"{short[message.sender]}{ARROWS[row.arrow.fate]}{short[message.recipient]}: {words}"
    first, *_, last = short.values()
    return f"Note over {first},{last}: {words}"


def escaped(text: str) -> str:
    """A text in which nothing has a meaning to Mermaid, to Markdown or to HTML."""
    return re.sub(r"[#;<>&%$\"`{}\[\]*~|\\]", lambda match: f"#{ord(match[0])};", text)
