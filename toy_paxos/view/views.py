"""Choose what a run shows: lines, a diagram, a line a round, or JSON Lines."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Protocol

from toy_paxos.round import Round, Statistics
from toy_paxos.settings import Settings
from toy_paxos.story import Story
from toy_paxos.view.direct import Remembering
from toy_paxos.view.output import columns, plain, shown, wants_colour
from toy_paxos.view.run_words import InWords, Words
from toy_paxos.view.words import printable, story_lines

if TYPE_CHECKING:
    from toy_paxos.view.logs import AsJson, InLines


class View(Protocol):
    """Turns rounds and statistics into text; by default into none."""

    def start(self) -> str:
        """Return what to write before the first round."""
        return ""

    def round(self, finished: Round) -> str:
        """Return what to write of one round."""
        return ""

    def summary(self, statistics: Statistics) -> str:
        """Return what to write after the last round."""
        return ""


class Silence(View):
    """A view without text, for a run that only writes a file."""


def lines_of(view: View, finished: Round) -> list[Callable[[], str]]:
    """Return a function for each line of a round, which uses the width that the terminal has when it is called."""
    if isinstance(view, InWords):
        return [partial(view.write, [line]) for line in view.words.round(finished)]
    return [partial(str, line) for line in view.round(finished).splitlines(keepends=True)]


def story_of(settings: Settings, finished: Round, rule: str | None = None, change: str = "") -> Story:
    """Return a round as a story with a title and with its actors."""
    actors = f", {printable(settings.actors)}" if settings.actors else ""
    place = f"seed {settings.seed}" if settings.seed is not None else settings.place
    title = f"Round {finished.number}, {place}{actors}: {Words(settings).outcome(finished)}"
    about = {"changed_rule": rule, "actors": settings.actors or None}
    return replace(finished.story, title=title, about=about, change=change)


def view_of(settings: Settings, form: str | None, rule: str | None = None, change: str = "") -> View:
    """Return the view for standard output: lines, unless another form is asked for; ``change`` is as in Words."""
    if form == "json":
        # Views other than lines are imported only when they are needed, because imports delay the start.
        from toy_paxos.event_json import encoded
        from toy_paxos.view.json_lines import JsonLines

        return Remembering(JsonLines(settings, rule), lambda value: encoded(value)[1:-1])
    # Asked only once, because it takes longer than a line of --brief.
    write = shown if wants_colour() else plain
    if form == "diagram":
        from toy_paxos.view.lanes import Diagram

        return InWords(Diagram(settings, columns(), change), write)
    if form == "brief":
        from toy_paxos.view.brief import Brief

        return InWords(Brief(settings, change), write)
    words = InWords(Words(settings, change), write)
    return words if wants_colour() else Remembering(words, printable)


def log_view_of(form: str | None) -> "InLines | AsJson":
    """Return the view of logs: lines, unless another form is asked for."""
    from toy_paxos.view.branches import story_lanes
    from toy_paxos.view.logs import AsJson, InLines

    if form == "json":
        return AsJson()
    return InLines(partial(story_lanes, width=columns()) if form == "diagram" else story_lines)
