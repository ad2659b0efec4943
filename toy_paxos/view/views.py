"""What a run shows, whatever the form: the way from words to what is written."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Protocol

from toy_paxos.event import Event
from toy_paxos.simulation import Round, Settings, Statistics
from toy_paxos.story import Story
from toy_paxos.view.direct import Remembering
from toy_paxos.view.output import DrawingError, columns, plain, shown, wants_colour
from toy_paxos.view.words import Line, Words, printable


class View(Protocol):
    """Turns rounds and statistics into what is to be written."""

    def start(self) -> str:
        """Return what to write before the first round."""

    def round(self, finished: Round) -> str:
        """Return what to write of one round."""

    def summary(self, statistics: Statistics) -> str:
        """Return what to write after the last round."""


class InWords:
    """The words of a run, as ``write`` turns lines into text."""

    def __init__(self, words: Words, write: Callable[[Sequence[Line]], str]) -> None:
        self.words = words
        self.write = write

    def start(self) -> str:
        """Return what to write before the first round."""
        return self.write(self.words.start())

    def round(self, finished: Round) -> str:
        """Return what to write of one round."""
        return self.write(self.words.round(finished))

    def heading(self, finished: Round) -> str:
        """Return what stands before the events of a round."""
        return self.write(self.words.heading(finished))

    def event(self, number: int, event: Event) -> str:
        """Return what is said of one event."""
        words = self.words.event(event)
        return self.write([words]) if words else ""

    def tally(self, finished: Round, verb: str) -> str:
        """Return how many acceptors promised or accepted."""
        lines = self.words.tally(finished, verb)
        return self.write(lines) if lines else ""

    def ending(self, finished: Round) -> str:
        """Return what stands after the events of a round."""
        return self.write(self.words.ending(finished))

    def summary(self, statistics: Statistics) -> str:
        """Return what to write after the last round."""
        return self.write(self.words.summary(statistics))


def lines_of(view: View, finished: Round) -> list[Callable[[], str]]:
    """How to write each line of a round: late, because the terminal may become narrower before it is written."""
    if isinstance(view, InWords):
        return [partial(view.write, [line]) for line in view.words.round(finished)]
    return [partial(str, line) for line in view.round(finished).splitlines(keepends=True)]


# Views that are a file of their own, of one story.
FILES = ("mermaid", "svg", "html")

# More nobody can look at, and no browser shows without delay.
MOST_ACTORS, MOST_EVENTS = 100, 10_000


class File:
    """One round as a file, and nothing else."""

    def __init__(self, settings: Settings, form: str) -> None:
        self.settings = settings
        self.form = form

    def start(self) -> str:
        """Return nothing."""
        return ""

    def round(self, finished: Round) -> str:
        """Return the file."""
        actors = f", {printable(self.settings.actors)}" if self.settings.actors else ""
        outcome = Words(self.settings).outcome(finished)
        title = f"Round {finished.number}, seed {self.settings.seed}{actors}: {outcome}"
        return file_of(self.form, replace(finished.story, title=title))

    def summary(self, statistics: Statistics) -> str:
        """Return nothing."""
        return ""


def file_of(form: str, story: Story) -> str:
    """A story as a file; raises DrawingError."""
    for number, what, most in (
        (len(story.configuration.names), "actors", MOST_ACTORS),
        (len(story.events), "events", MOST_EVENTS),
    ):
        if number > most:
            words = f"--{form}: {number:,} {what}, and a drawing shows up to {most:,}"
            raise DrawingError(f"{words}: choose fewer acceptors or proposers, or another view.")
    # Each is imported only when it is asked for.
    if form == "mermaid":
        from toy_paxos.view.mermaid import mermaid as draw
    elif form == "svg":
        from toy_paxos.view.svg import svg as draw
    else:
        from toy_paxos.view.page import page as draw
    return draw(story)


def view_of(settings: Settings, form: str | None, rule: str | None = None, change: str = "") -> View:
    """The view that suits standard output: lines, unless another form is asked for; ``change`` tells of the rule."""
    if form == "json":
        # Here and not above, as all views but the plain one: nobody waits for what is not used.
        from toy_paxos.event_json import encoded
        from toy_paxos.view.json_lines import JsonLines

        return Remembering(JsonLines(settings, rule), settings, lambda value: encoded(value)[1:-1])
    # Asked once, for it takes longer than a line of --brief.
    write = shown if wants_colour() else plain
    if form == "diagram":
        from toy_paxos.view.lanes import Diagram

        return InWords(Diagram(settings, columns(), change), write)
    if form == "brief":
        from toy_paxos.view.brief import Brief

        return InWords(Brief(settings, change), write)
    if form in FILES:
        return File(settings, form)
    words = InWords(Words(settings, change), write)
    return words if wants_colour() else Remembering(words, settings, printable)
