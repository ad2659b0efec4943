"""A story in which the user's own actors violate a property, as a test for pytest: it fails until they are correct."""

import re
import shlex

from toy_paxos.event import Violation
from toy_paxos.story import Story
from toy_paxos.view.files import lines
from toy_paxos.view.output import DrawingError

TEST = '''"""{docstring}"""

from pathlib import Path

import toy_paxos

STORY = """\\
{story}"""


def test_{name}(monkeypatch):
    # The actors are named as they were on the command line, which was in this folder.
    monkeypatch.chdir({folder})
    # Where the actors now say other messages than those of the story, these are delivered.
    played = toy_paxos.play(STORY, {actors}, strict=False)
    violations = [event.words for event in played.events if event.event == "violation"]
    assert not violations, played.text()
'''


def test(story: Story) -> str:
    """Return the test; raise DrawingError for a story without a violation."""
    words = shlex.split(story.about.get("actors") or "")
    actors = {option.removeprefix("--"): named for option, named in zip(words[::2], words[1::2], strict=True)}
    violations = [event for event in story.events if isinstance(event, Violation)]
    if not violations:
        raise DrawingError(".py: a test needs a violation, and this story has none")
    folder = story.about.get("folder", ".")
    return TEST.format(
        docstring=escaped(f"A counterexample that toy-paxos has found: {violations[-1].words}."),
        story=escaped(lines(story)),
        name=re.sub(r"\W+", "_", violations[-1].property),
        folder="Path(__file__).parent" + (f" / {folder!r}" if folder != "." else ""),
        actors=", ".join(f"{role}={named!r}" for role, named in actors.items()),
    )


def escaped(text: str) -> str:
    """Return a text escaped for a string between three quotes."""
    return text.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
