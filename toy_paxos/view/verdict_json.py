"""What a search has found, as JSON Lines: the story that leads there, and a verdict."""

from collections.abc import Iterable

from toy_paxos import __version__
from toy_paxos.event_json import FORMAT, event_line, json_line
from toy_paxos.story import Story
from toy_paxos.view.verdict import Found


def start_json(sizes: Found, rule: str | None, actors: str) -> str:
    """The ``check`` event, with the sizes of the cluster unless there are many; ``actors`` are the options for them."""
    return json_line(
        event="check", format=FORMAT, version=__version__, **sizes, changed_rule=rule, actors=actors or None
    )


def cluster_json(cluster: Found) -> str:
    """The ``cluster`` event: the result for one cluster among many."""
    return json_line(event="cluster", **cluster)


def verdict_json(found: Found, story: Story) -> str:
    """The story of a counterexample, a line for each event, then the ``verdict`` event."""
    events = "".join(event_line(event, f'"step":{event.time:.0f}') for event in story.events)
    return events + json_line(event="verdict", **found)


def rules_json(rules: Iterable[Found]) -> str:
    """A ``rule`` event for each changed rule."""
    return "".join(
        json_line(event="rule", name=rule["name"], fate=rule["fate"], summary=rule["summary"]) for rule in rules
    )
