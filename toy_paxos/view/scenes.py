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
    """An event with its step, its rows, the number of rows ``above`` them, and the hue that its recipient then has.

    The last rows may be notes. The story of correct actors with the same deliveries is a second branch; events that are
    the same in both are ``repeated`` there, and have no rows.
    """

    event: Event
    step: int
    above: int
    rows: Sequence[Row]
    holds: str = ""
    notes: Sequence[str] = ()
    branch: int = 0
    repeated: bool = False

    @property
    def begins(self) -> bool:
        """Whether the event does not follow from another one."""
        return not isinstance(self.event, FOLLOWS)


class Scenes:
    """The scenes of a story, and the names of its actors.

    Step 0 has all wishes. In a story of the checker, and with direct calls, step 15 is delivery 15.
    """

    def __init__(self, story: Story, width: int | None = None) -> None:
        self.story = story
        # The limit on the width of a note in columns.
        self.width = width
        self.configuration = story.configuration
        self.short = {name: short_name(name) for name in story.configuration.names}
        self.has_clock = story.has_clock

    def __iter__(self) -> Iterator[Scene]:
        """Yield the scenes of the story, then those of correct actors with the same deliveries, if they are known."""
        story = self.story
        notes = [*([(0, story.change, "notable")] if story.change else []), *story.notes]
        scene = None
        for scene in self.told(story.events, notes):
            yield scene
        if story.correct and scene:
            since, notes = branch_notes(story, story.correct)
            # The row between the two branches is empty.
            above = scene.above + len(scene.rows) + 1
            yield from self.told(story.correct.events, notes, scene.step + 1, above, since)

    def told(
        self, events: Sequence[Event], notes: Sequence[Note], step: int = 0, above: int = 0, since: float = 0
    ) -> Iterator[Scene]:
        """Yield events with their notes, from a step on and below some rows; those before ``since`` are repeated."""
        shown = Rows(self.configuration)
        for event, later in zip(events, [*events[1:], None], strict=True):
            repeated = event.time < since
            step += not repeated and not isinstance(event, (Wants, *FOLLOWS))
            rows = shown.of(event)
            scene = Scene(event, step, above, [] if repeated else rows, branch=since > 0, repeated=repeated)
            if isinstance(event, Wants) and not repeated:
                scene.rows = [Row(f"{self.short[event.proposer]} wants {printable(event.value)}", "heading")]
            elif isinstance(event, Delivery):
                scene.holds = shown.lane_style(event.message.recipient)
            if not later or later.time > event.time:
                now = [note for note in notes if event.time <= note[0] and (not later or note[0] < later.time)]
                self.add_notes(scene, now)
            above += len(scene.rows)
            yield scene

    def add_notes(self, scene: Scene, notes: Sequence[Note]) -> None:
        """Add notes below the rows of a scene."""
        scene.notes = [words for _, words, _ in notes]
        rows = [Row(part, style) for _, words, style in notes for part in fitting(words, self.width)]
        scene.rows = [*scene.rows, *rows]

    def time(self, event: Event) -> str:
        """Return the time of an event: in simulated milliseconds, or the number of its delivery."""
        return f"{event.time:.1f}" if self.has_clock else f"{event.time:.0f}"
