"""A story as scenes for a picture in a file: each is an event with its step and its rows."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from toy_paxos.event import (
    Adoption,
    Attempt,
    Chosen,
    Delivery,
    Departure,
    Event,
    Learned,
    Quorum,
    Unheard,
    Violation,
    Wants,
)
from toy_paxos.story import Note, Story
from toy_paxos.view.branches import branch_notes
from toy_paxos.view.lanes import fitting
from toy_paxos.view.rows import Row, Rows, short_name
from toy_paxos.view.words import printable

# These events follow from others, and happen in the same step.
FOLLOWS = (Attempt, Quorum, Adoption, Chosen, Learned, Violation, Departure, Unheard)


@dataclass
class Scene:
    """An event with its time, its step, its rows, and the number of rows ``above`` them.

    ``holds`` is the hue of the recipient after a delivery. The last rows may be notes. The story of correct actors with
    the same deliveries is a second branch; events that are the same in both are ``repeated`` there, and have no rows.
    """

    event: Event
    time: str
    step: int
    above: int
    rows: Sequence[Row]
    holds: str = ""
    notes: Sequence[str] = ()
    branch: int = 0
    repeated: bool = False


def scenes(story: Story, width: int | None = None) -> Iterator[Scene]:
    """Yield the scenes of a story, then those of correct actors with the same deliveries, if they are known.

    Step 0 has all wishes. In a story of the checker, and with direct calls, step 15 is delivery 15. ``width`` is the
    limit on the width of notes.
    """
    notes = [*([(0, story.change, "notable")] if story.change else []), *story.notes]
    scene = None
    for scene in branch(story, notes, width):
        yield scene
    if story.correct and scene:
        since, notes = branch_notes(story, story.correct)
        # The row between the two branches is empty.
        above = scene.above + len(scene.rows) + 1
        yield from branch(story.correct, notes, width, scene.step + 1, above, since)


def branch(
    story: Story, notes: Sequence[Note], width: int | None, step: int = 0, above: int = 0, since: float = 0
) -> Iterator[Scene]:
    """Yield events with their notes, from a step on and below some rows; those before ``since`` are repeated."""
    shown, digits = Rows(story.configuration), 1 if story.has_clock else 0
    for event, later in zip(story.events, [*story.events[1:], None], strict=True):
        repeated = event.time < since
        step += not repeated and not isinstance(event, (Wants, *FOLLOWS))
        told = shown.of(event)
        rows = [] if repeated else [*told]
        scene = Scene(event, f"{event.time:.{digits}f}", step, above, rows, branch=since > 0, repeated=repeated)
        if isinstance(event, Wants) and not repeated:
            rows.append(Row(f"{short_name(event.proposer)} wants {printable(event.value)}", "heading"))
        elif isinstance(event, Delivery):
            scene.holds = shown.lane_style(event.message.recipient)
        if not later or later.time > event.time:
            now = [note for note in notes if event.time <= note[0] and (not later or note[0] < later.time)]
            scene.notes = [words for _, words, _ in now]
            rows += [Row(part, style) for _, words, style in now for part in fitting(words, width)]
        above += len(rows)
        yield scene
