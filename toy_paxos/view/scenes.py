"""A story as a picture in a file shows it: scene by scene, each in a step and with its rows."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from toy_paxos.event import Adoption, Attempt, Chosen, Delivery, Event, Learned, Quorum, Violation, Wants
from toy_paxos.story import Story
from toy_paxos.view.lanes import fitting
from toy_paxos.view.rows import Row, Rows
from toy_paxos.view.words import printable

# What follows from something else happens in the same step.
FOLLOWS = (Attempt, Quorum, Adoption, Chosen, Learned, Violation)


@dataclass
class Scene:
    """An event as it is shown: in which step, below how many rows, and in which; what hue its recipient then has.

    The last rows may be notes.
    """

    event: Event
    step: int
    above: int
    rows: Sequence[Row]
    holds: str = ""
    notes: Sequence[str] = ()


class Scenes:
    """Who takes part in a story, by name, and what there is to see.

    The first step is 0: all wishes. In a story of the checker, and with direct calls, step 15 is delivery 15.
    """

    def __init__(self, story: Story, width: int | None = None) -> None:
        self.events = story.events
        self.notes = [*([(0, story.change, "notable")] if story.change else []), *story.notes]
        # How many columns a row of a note takes at most.
        self.width = width
        self.configuration = story.configuration
        self.rows = Rows(story.configuration)
        self.short = self.rows.short
        self.has_clock = story.has_clock

    def __iter__(self) -> Iterator[Scene]:
        """Show one event after the other."""
        step = above = 0
        for event, later in zip(self.events, [*self.events[1:], None], strict=True):
            step += not isinstance(event, (Wants, *FOLLOWS))
            scene = Scene(event, step, above, self.rows.of(event))
            if isinstance(event, Wants):
                scene.rows = [Row(f"{self.short[event.proposer]} wants {printable(event.value)}", "heading")]
            elif isinstance(event, Delivery):
                scene.holds = self.rows.lane_style(event.message.recipient)
            if not later or later.time > event.time:
                self.add_notes(scene)
            above += len(scene.rows)
            yield scene

    def add_notes(self, scene: Scene) -> None:
        """Put what is said of its time below the last event of that time."""
        notes = [(words, style) for time, words, style in self.notes if time == scene.event.time]
        scene.notes = [words for words, _ in notes]
        rows = [Row(part, style) for words, style in notes for part in fitting(words, self.width)]
        scene.rows = [*scene.rows, *rows]

    def time(self, event: Event) -> str:
        """When something happened: in simulated milliseconds, or after which delivery."""
        return f"{event.time:.1f}" if self.has_clock else f"{event.time:.0f}"
