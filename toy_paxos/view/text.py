"""A story as lines, and as JSON Lines: both can be played again."""

from toy_paxos import __version__
from toy_paxos.event_json import FORMAT, event_line, json_line
from toy_paxos.story import Story
from toy_paxos.view.output import plain
from toy_paxos.view.words import event_line as line_of
from toy_paxos.view.words import line, plural, route_width, wishes_lines


def lines(story: Story) -> str:
    """Return a story as the lines of a run."""
    configuration, width = story.configuration, route_width(story.configuration)
    sizes = f"{plural(len(configuration.proposers), 'proposer')}, {plural(len(configuration.acceptors), 'acceptor')}"
    if (first := story.about.get("first_number", 1)) > 1:
        sizes += f", numbers from {first}"
    told = [line_of(event, width, ("", time_of(story, event.time))) for event in story.events]
    return plain(
        [
            *([line(("", f"# {story.title}"))] if story.title else []),
            # A story that is read back says whose actors play; whatever else is noted is a comment.
            *(line(("", f"# {words}")) for _, words, style in story.notes if style != "notable"),
            line(("", f"toy-paxos {__version__}: {sizes}")),
            *(line(("", words)) for _, words, style in story.notes if style == "notable"),
            line(),
            *wishes_lines("", story.wishes),
            *(words for words in told if words),
        ]
    )


def time_of(story: Story, time: float) -> str:
    """Return the margin with the time of an event: simulated milliseconds, or the number of a delivery."""
    return f"{time:8.1f} ms  " if story.has_clock else f"{time:4.0f}  "


def json_lines(story: Story) -> str:
    """Return a story as the objects of ``--json``: its head, then its events."""
    head = json_line(
        event="start",
        format=FORMAT,
        version=__version__,
        num_proposers=len(story.configuration.proposers),
        num_acceptors=len(story.configuration.acceptors),
        title=story.title,
        **story.about,
    )
    place = '"step":null' if story.has_clock else ""
    events = [
        event_line(event, place or f'"step":{event.time:.0f}', is_timed=story.has_clock) for event in story.events
    ]
    return head + "".join(events)
