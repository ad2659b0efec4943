"""A story as what a picture in a file shows of it, scene by scene, in the words of the lanes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields

from rich.cells import cell_len, chop_cells

from toy_paxos.command.lanes import Glyphs, Lanes, Picture, Row
from toy_paxos.command.words import printable
from toy_paxos.event import Adoption, Attempt, Chosen, Delivery, Event, Learned, Quorum, Violation, Wants

# Such pictures draw their marks themselves, so they ask for them by name.
BY_NAME = Glyphs(*(field.name for field in fields(Glyphs)))

# What follows from something else happens in the same step.
FOLLOWS = (Attempt, Quorum, Adoption, Chosen, Learned, Violation)

# A longer value is shortened where it stands beside others; its proposer's wish always shows it in full.
LONGEST = 16


@dataclass
class Scene:
    """An event as it is shown: in which step, its rows, and the style of the value that its recipient then holds."""

    event: Event
    step: int
    rows: Sequence[Row]
    holds: str = ""


class Scenes:
    """Who takes part in a story, by name, and what there is to see.

    The first step is 0: all wishes. In a story of the checker, and with direct calls, step 15 is delivery 15.
    """

    def __init__(self, events: Sequence[Event], num_acceptors: int) -> None:
        self.events = events
        self.proposers = [event.proposer for event in events if isinstance(event, Wants)]
        self.acceptors = [f"acceptor-{number}" for number in range(num_acceptors)]
        self.names = [*self.proposers, *self.acceptors]
        self.picture = Picture(Lanes(self.names, None, 0), BY_NAME, num_acceptors)
        self.short = self.picture.lanes.short
        self.has_clock = any(event.time % 1 for event in events)

    def __iter__(self) -> Iterator[Scene]:
        """Show one event after the other."""
        step = 0
        for event in self.events:
            step += not isinstance(event, (Wants, *FOLLOWS))
            scene = Scene(event, step, [*self.picture.rows(event)])
            if isinstance(event, Wants):
                scene.rows = [Row(f"{self.short[event.proposer]} wants {printable(event.value)}", "heading")]
            elif isinstance(event, Delivery) and event.message.recipient in self.picture.accepted:
                scene.holds = self.picture.value_style(self.picture.accepted[event.message.recipient])
            yield scene

    def time(self, event: Event) -> str:
        """When something happened: in simulated milliseconds, or after which delivery."""
        return f"{event.time:.1f}" if self.has_clock else f"{event.time:.0f}"


def brief_value(value: str) -> str:
    """A value as it stands beside others."""
    text = printable(value)
    return text if cell_len(text) <= LONGEST else f"{chop_cells(text, LONGEST - 1)[0]}…"
