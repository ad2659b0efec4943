"""The options ``-o`` and ``--force``: write one story to a file or to standard output."""

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import click

from toy_paxos.command.options import F, option, shortened, with_options
from toy_paxos.command.process import say, write
from toy_paxos.story import Story
from toy_paxos.view.files import FILES, PICTURES, TEST, file_of


class StoryFile:
    """The file for a story: the ending of its path is the format; ``-.svg`` and the like are standard output."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.ending = os.path.splitext(path)[1].lower()
        self.is_output = path.lower() == f"-{self.ending}"

    def write(self, story: Story) -> None:
        """Write a story; raise DrawingError if the format cannot show it, click.ClickException if writing fails."""
        if self.ending == TEST:
            # A test starts from its own folder, but the options name the actors from the present one.
            folder = os.path.relpath(os.getcwd(), os.path.dirname(self.path) or ".")
            story = replace(story, about={**story.about, "folder": folder})
        self.write_text(file_of(self.ending, story))

    def write_text(self, text: str) -> None:
        """Write the text to the file; raise click.ClickException if that fails."""
        if self.is_output:
            write(text)
            return
        # First into another file, so that an old file survives if writing fails. A link stays a link.
        path = os.path.realpath(self.path)
        partial = os.path.join(os.path.dirname(path), f".{os.getpid()}.part")
        try:
            with open(partial, "w", encoding="utf-8", errors="backslashreplace") as file:
                file.write(text)
            if os.path.exists(path):
                os.chmod(partial, os.stat(path).st_mode & 0o7777)
            os.replace(partial, path)
        except OSError as error:
            with suppress(OSError):
                os.remove(partial)
            words = f"cannot write {shortened(self.path)}: {error.strerror or error}"
            raise click.ClickException(words) from error
        say(f"toy-paxos: {shortened(self.path)} written")


class StoryPath(click.ParamType[StoryFile]):
    """The type of the value of ``-o``."""

    name = "file"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> StoryFile:
        """Return the file; raise click.BadParameter if no story can be written there."""
        file = StoryFile(value)
        if value.lower() in FILES:
            raise click.BadParameter(f"name the file before its ending, such as story{value}.", ctx, param)
        if file.ending not in FILES:
            raise click.BadParameter(f"{shortened(value)} does not end in {', '.join(FILES)}.", ctx, param)
        if file.is_output and file.ending in PICTURES and sys.stdout.isatty():
            raise click.BadParameter(f"a terminal cannot show it: name a file, such as story{file.ending}.", ctx, param)
        if os.path.exists(value) and not os.path.isfile(value):
            raise click.BadParameter(f"{shortened(value)} is not a file.", ctx, param)
        folder = os.path.dirname(value) or "."
        if not file.is_output and not (os.path.isdir(folder) and os.access(folder, os.W_OK)):
            raise click.BadParameter(f"cannot write into the folder {shortened(folder)}.", ctx, param)
        return file


def file_options(tests: bool = False) -> Callable[[F], F]:
    """Return the options of a command that can write files; its help offers tests only if it shall."""
    endings = ", ".join(ending for ending in FILES if ending != TEST)
    test = f", a violation by your own actors as {TEST}" if tests else ""
    words = f"Write one story as {endings}{test} ('-.svg': standard output)."
    return with_options(
        option("Output", "-o --output", words, "FILE", StoryPath()),
        option("Output", "--force", "Let -o overwrite a file.", is_flag=True),
    )


def check_file(file: StoryFile | None, force: bool, num_rounds: int | None = 1) -> None:
    """Raise click.UsageError for more than one story, an old file without ``--force``, or a test of our own actors."""
    if force and not file:
        raise click.UsageError("--force does nothing without -o FILE.")
    given = click.get_current_context().params
    if file and file.ending == TEST and not (given.get("acceptor") or given.get("proposer")):
        words = "needs a violation by your own actors: use check --acceptor or --proposer"
        raise click.UsageError(f"-o FILE{TEST} {words}.")
    if file and num_rounds != 1:
        raise click.UsageError("-o writes one round: add --rounds 1, or choose it by --round K.")
    if file and not file.is_output and os.path.exists(file.path) and not force:
        raise click.UsageError(f"{shortened(file.path)} already exists: name another file, or add --force.")
