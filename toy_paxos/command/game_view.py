"""The view of a game: on a terminal, shown after each move; elsewhere, at the end, because moves can be undone."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from toy_paxos import __version__
from toy_paxos.checking import CheckError, Game, InterruptedActorError, Move
from toy_paxos.command.guard import guard_user_code
from toy_paxos.command.options import Refused
from toy_paxos.command.process import write
from toy_paxos.event import Event, plural
from toy_paxos.story import Story
from toy_paxos.view.output import columns, plain, shown
from toy_paxos.view.verdict import cluster_words
from toy_paxos.view.words import Line, line, printable, story_lines, wishes_lines

Draw = Callable[[Sequence[Event]], list[Line]]


@contextmanager
def guarded(words: str = "an actor fails: ") -> Iterator[None]:
    """Send the output of the user's own actors to standard error; raise Refused if one of them fails."""
    try:
        with guard_user_code():
            yield
    except (CheckError, InterruptedActorError) as error:
        raise Refused(f"{words}{error}") from error


class GameView:
    """A game, which becomes lines that can be played again.

    ``change`` describes actors that are not those of Paxos. ``comments`` maps a number of moves to the comments after
    them, and -1 to those at the beginning. ``options`` name the actors, which a story of this game cannot do.
    """

    def __init__(self, game: Game, change: str, comments: Mapping[int, Sequence[str]], options: str = "") -> None:
        self.game = game
        self.change = change
        self.options = options
        self.comments = {after: [*words] for after, words in comments.items()}

    def make(self, move: Move) -> None:
        """Make a move; raise WrongMoveError if it cannot be made."""
        with guarded():
            self.game.make(move)

    def undo(self, number: int) -> None:
        """Undo the last moves; raise WrongMoveError if there are fewer."""
        with guarded():
            self.game.undo(number)
        now = len(self.game.moves)
        for after in sorted(after for after in self.comments if after > now):
            self.comments.setdefault(now, []).extend(self.comments.pop(after))

    def show(self) -> None:
        """Show nothing yet."""

    def say(self, *lines: str) -> None:
        """Add comments."""
        self.comments.setdefault(len(self.game.moves), []).extend(f"# {words}" for words in lines)

    def close(self) -> None:
        """Show the whole game."""
        write(plain(self.story()))

    def as_story(self, rule: str | None) -> Story:
        """Return the whole game as a story for a file; ``rule`` is the name of the changed rule."""
        model, violation = self.game.model, self.game.violation
        title = printable(violation.words) if violation else f"a game of {plural(len(self.game.moves), 'move')}"
        about = {"first_number": model.first_number, "changed_rule": rule, "actors": self.options or None}
        return Story(model.configuration, self.game.events, title, about=about, change=self.change)

    # Lines

    def story(self) -> list[Line]:
        """Return the whole game as lines that can be played again."""
        return [*self.title(), *self.body(self.lines)]

    def lines(self, events: Sequence[Event]) -> list[Line]:
        """Return events as lines."""
        return story_lines(Story(self.game.model.configuration, events))

    def body(self, draw: Draw) -> list[Line]:
        """Return all events, drawn by a function, with the comments."""
        lines: list[Line] = []
        for number, events in enumerate(self.game.chapters):
            lines += draw(events)
            lines += [line(("bad heading", self.loss()))] if self.game.violation in events else []
            lines += self.comment_lines(number)
        return lines

    def title(self) -> list[Line]:
        """Return the first lines: the cluster, changed actors, and what the proposers want."""
        model = self.game.model
        lines = [
            *self.comment_lines(-1),
            line(("heading", f"toy-paxos {__version__} play: {cluster_words(model.sizes)}")),
        ]
        lines += [line(("", self.change))] if self.change else []
        return [*lines, line(), *wishes_lines("", dict(zip(self.game.proposers, model.values, strict=True)))]

    def comment_lines(self, after: int) -> list[Line]:
        """Return the comments that follow this number of moves."""
        return [line(("notable", words)) for words in self.comments.get(after, [])]

    def loss(self) -> str:
        """Return how safety was lost, in words."""
        violation = self.game.violation
        assert violation
        return f"Safety is lost in {plural(int(violation.time), 'delivery')}: {printable(violation.words)}"


# The number of earlier lines that are shown again under the names of the lanes.
LATEST = 8


class Screen(GameView):
    """A game on a terminal, shown after each move, as lanes if they fit; comments are shown once.

    ``seen`` is the number of lines shown so far, and None before the first; -N shows the last N lines again.
    """

    seen: int | None = None

    def show(self) -> None:
        """Show the new events; with lanes, also their names, and the latest earlier lines."""
        draw, above, again = self.lanes()
        body = self.body(draw)
        if self.seen is None:
            write(shown([*self.title(), *above, *body]))
        elif self.seen != len(body):
            first_new = self.seen if self.seen >= 0 else max(0, len(body) + self.seen)
            start = min(first_new, max(0, len(body) - again))
            write(shown([*(above if again else []), *body[start:]]))
        self.seen = len(body)

    def lanes(self) -> tuple[Draw, list[Line], int]:
        """Return how to draw events as lanes, the lines above them, and how many lines to show again.

        Where lanes do not fit, events are lines, and the line above says why.
        """
        # Imported here because the help and pipes do not need them.
        from toy_paxos.view.lanes import COUNT_WIDTH, Lanes, Picture, glyphs, too_narrow

        lanes = Lanes(self.game.model.configuration, columns(), COUNT_WIDTH)
        if not lanes.pitch:
            return self.lines, too_narrow(lanes, columns()), 0
        picture = Picture(lanes, glyphs())

        def draw(events: Sequence[Event]) -> list[Line]:
            return [part for event in events for part in picture.draw(event, f"{event.time:3.0f}")]

        return draw, lanes.heading(), LATEST

    def undo(self, number: int) -> None:
        """Undo the last moves; the next call of show() repeats the last lines."""
        super().undo(number)
        self.seen = self.seen and -LATEST

    def say(self, *lines: str) -> None:
        """Show comments once."""
        write(shown([line(("notable", words)) for words in lines]))

    def close(self) -> None:
        """Show the events that have not been shown."""
        self.show()
