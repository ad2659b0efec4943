"""A story as a Mermaid sequence diagram, which many hosts draw within Markdown."""

import re
from collections.abc import Iterator, Sequence

from toy_paxos.event import Chosen, Fate, Violation
from toy_paxos.story import Story
from toy_paxos.view.output import DrawingError
from toy_paxos.view.rows import Row, short_name
from toy_paxos.view.scenes import scenes

# Mermaid refuses longer texts.
LONGEST = 50_000

ARROWS = {Fate.DELIVERED: "->>", Fate.LOST: "-x", Fate.DUPLICATE: "-->>", Fate.STALE: "--)"}

# Background colours for the most important events; transparent, so that they suit a dark page, too.
BANDS = {Chosen: "rect rgba(60, 160, 60, 0.25)", Violation: "rect rgba(220, 60, 60, 0.3)"}


def mermaid(story: Story) -> str:
    """Return a story as Mermaid text under its printable title; raise DrawingError if it is too long for Mermaid."""
    text = "\n".join(["sequenceDiagram", *(f"    {line}" for line in lines(story)), ""])
    # Mermaid counts UTF-16 code units, as JavaScript does.
    length = len(text.encode("utf-16-le")) // 2
    if length > LONGEST:
        words = f".mmd: {length:,} characters, but Mermaid accepts at most {LONGEST:,}"
        raise DrawingError(f"{words}: choose fewer acceptors or proposers, or a name that ends in .svg")
    return text


def lines(story: Story) -> Iterator[str]:
    """Yield the lines of a diagram after the first."""
    yield f"title: {escaped(story.title)}"
    names = story.configuration.names
    for name in names:
        yield f"participant {short_name(name)} as {name}"
    for scene in scenes(story):
        rows = [row_line(row, names) for row in scene.rows]
        told = len(rows) - len(scene.notes)
        if told and (band := BANDS.get(type(scene.event))):
            rows = [band, *(f"    {row}" for row in rows[:told]), "end", *rows[told:]]
        yield from rows


def row_line(row: Row, names: Sequence[str]) -> str:
    """Return a row as an arrow, or else as a note over all lanes."""
    words = escaped(row.words) + (f"<br/>{escaped(row.state)}" if row.state else "")
    if row.arrow:
        message = row.arrow.message
        return f"{short_name(message.sender)}{ARROWS[row.arrow.fate]}{short_name(message.recipient)}: {words}"
    return f"Note over {short_name(names[0])},{short_name(names[-1])}: {words}"


def escaped(text: str) -> str:
    """Return a text without characters that mean something to Mermaid, Markdown or HTML."""
    return re.sub(r"[#;<>&%$\"`{}\[\]*~|\\]", lambda match: f"#{ord(match[0])};", text)
