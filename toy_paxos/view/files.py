"""Stories as files: the ending of the name selects the view."""

from collections.abc import Callable
from importlib import import_module

from toy_paxos import __version__
from toy_paxos.story import Story
from toy_paxos.view.output import DrawingError, plain
from toy_paxos.view.words import event_line, line, route_width, sizes_words, wishes_lines

TEST = ".py"

# For each ending, the module and the function that takes a story and returns the text of the file.
FILES = {
    ".svg": "svg.svg",
    ".html": "page.page",
    ".mmd": "mermaid.mermaid",
    ".txt": "files.lines",
    ".jsonl": "json_lines.story_json",
    TEST: "as_test.test",
}
PICTURES = (".svg", ".html", ".mmd")

# The limits of a picture: larger ones are unreadable, and slow in a browser.
MOST = {"actors": 100, "events": 10_000}


def file_of(ending: str, story: Story) -> str:
    """Return the text of a file with this ending; raise DrawingError if the story is too large for a picture."""
    sizes = {"actors": len(story.configuration.names), "events": len(story.events)}
    for what, most in MOST.items():
        if ending in PICTURES and (number := sizes[what]) > most:
            words = f"{ending}: {number:,} {what}, but a picture shows at most {most:,}"
            raise DrawingError(f"{words}: choose fewer acceptors or proposers, or a name that ends in .txt")
    module, _, name = FILES[ending].partition(".")
    draw: Callable[[Story], str] = getattr(import_module(f"toy_paxos.view.{module}"), name)
    return draw(story)


def lines(story: Story) -> str:
    """Return a story as the lines of a run, which can be played again."""
    configuration, width = story.configuration, route_width(story.configuration)
    sizes = sizes_words(configuration.sizes)
    if (first := story.about.get("first_number", 1)) > 1:
        sizes += f", numbers from {first}"
    time = "{:8.1f} ms  " if story.has_clock else "{:4.0f}  "
    told = [event_line(event, width, ("", time.format(event.time))) for event in story.events]
    return plain(
        [
            *([line(("", f"# {story.title}"))] if story.title else []),
            *(line(("", f"# {words}")) for _, words, _ in story.notes),
            line(("", f"toy-paxos {__version__}: {sizes}")),
            *([line(("", story.change))] if story.change else []),
            line(),
            *wishes_lines("", story.wishes),
            *filter(None, told),
        ]
    )
