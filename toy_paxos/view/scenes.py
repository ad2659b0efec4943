"""A story as a picture in a file shows it: scene by scene, each in a step and with its rows."""

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

# What follows from something else happens in the same step.
FOLLOWS = (Attempt, Quorum, Adoption, Chosen, Learned, Violation, Departure, Unheard)


@dataclass
class Scene:
    """An event as it is shown: in which step, below how many rows, and in which; what hue its recipient then has.

    The last rows may be notes. What correct actors do with the same deliveries is a second branch; what is in both is
    ``repeated`` there, and not shown again.
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
        """Whether nothing else in the story made this happen."""
        return not isinstance(self.event, FOLLOWS)


class Scenes:
    """Who takes part in a story, by name, and what there is to see.

    The first step is 0: all wishes. In a story of the checker, and with direct calls, step 15 is delivery 15.
    """

    def __init__(self, story: Story, width: int | None = None) -> None:
        self.story = story
        # How many columns a row of a note takes at most.
        self.width = width
        self.configuration = story.configuration
        self.short = {name: short_name(name) for name in story.configuration.names}
        self.has_clock = story.has_clock

    def __iter__(self) -> Iterator[Scene]:
        """Show one event after the other; then, if that is known, what correct actors do with the same deliveries."""
        story = self.story
        notes = [*([(0, story.change, "notable")] if story.change else []), *story.notes]
        scene = None
        for scene in self.told(story.events, notes):
            yield scene
        if story.correct and scene:
            since, notes = branch_notes(story, story.correct)
            # A row stays empty between them.
            above = scene.above + len(scene.rows) + 1
            yield from self.told(story.correct.events, notes, scene.step + 1, above, since)

    def told(
        self, events: Sequence[Event], notes: Sequence[Note], step: int = 0, above: int = 0, since: float = 0
    ) -> Iterator[Scene]:
        """Show events with what is said of them, from this step on below that many rows; those before are repeated."""
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
        """Put what is said of its time below the last event of that time."""
        scene.notes = [words for _, words, _ in notes]
        rows = [Row(part, style) for _, words, style in notes for part in fitting(words, self.width)]
        scene.rows = [*scene.rows, *rows]

    def time(self, event: Event) -> str:
        """When something happened: in simulated milliseconds, or after which delivery."""
        return f"{event.time:.1f}" if self.has_clock else f"{event.time:.0f}"
