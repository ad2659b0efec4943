"""What is told of a game: on a terminal at once, elsewhere at its end, for moves can be taken back."""

from collections.abc import Callable, Mapping, Sequence

from toy_paxos import __version__
from toy_paxos.checking import Game, Move, WrongMoveError
from toy_paxos.command.actors import at_fault
from toy_paxos.command.foresight import shortest_way
from toy_paxos.command.process import columns, somebody_elses_words, write
from toy_paxos.command.verdict import count_lines, deliveries, sizes
from toy_paxos.command.views import plain, shown
from toy_paxos.command.words import Line, line, printable, route_width, wishes_lines
from toy_paxos.event import Event

Draw = Callable[[Sequence[Event]], list[Line]]


class Table:
    """A game, and all of it as lines that can be played again.

    ``change`` says which rule is changed, or whose actors play. ``comments`` stand after so many moves, -1 before all
    else.
    """

    def __init__(self, game: Game, change: str, comments: Mapping[int, Sequence[str]]) -> None:
        self.game = game
        self.change = change
        self.comments = {after: [*words] for after, words in comments.items()}

    def make(self, move: Move) -> None:
        """Make a move; raises WrongMoveError if it cannot be made."""
        was_lost = self.game.violation
        with somebody_elses_words():
            try:
                events = self.game.make(move)
            except WrongMoveError:
                raise
            except Exception as error:
                raise at_fault("an actor fails", error) from error
        self.happened(events, is_lost=self.game.violation is not was_lost)

    def undo(self, number: int) -> list[Move]:
        """Take the last moves back, and return them; raises WrongMoveError if there are not so many."""
        undone = self.game.undo(number)
        now = len(self.game.moves)
        for after in sorted(after for after in self.comments if after > now):
            self.comments.setdefault(now, []).extend(self.comments.pop(after))
        return undone

    def happened(self, events: Sequence[Event], is_lost: bool) -> None:
        """Nothing, for all is told at the end."""

    def say(self, *lines: str) -> None:
        """Tell something besides, as comments."""
        self.comments.setdefault(len(self.game.moves), []).extend(f"# {words}" for words in lines)

    def close(self) -> None:
        """Show the whole game."""
        write(plain(self.story()))

    # The lines

    def story(self) -> list[Line]:
        """The whole game, as it can be played again."""
        return self.page(self.lines)

    def lines(self, events: Sequence[Event]) -> list[Line]:
        """Events as lines."""
        return count_lines(events, route_width(self.game.model.num_proposers, self.game.model.num_acceptors))

    def page(self, draw: Draw, above: Sequence[Line] = ()) -> list[Line]:
        """The whole game with its comments, its events drawn in some way, and with some lines above these."""
        lines = [*self.comment_lines(-1), *self.heading(), *above]
        for number, events in enumerate(self.game.chapters):
            lines += draw(events)
            lines += [line(("bad heading", self.loss()))] if self.game.violation in events else []
            lines += self.comment_lines(number)
        return lines

    def heading(self) -> list[Line]:
        """Who takes part, and who wants what."""
        model = self.game.model
        lines = [line(("heading", f"toy-paxos {__version__} play: {sizes(model)}"))]
        lines += [line(("", self.change))] if self.change else []
        return [*lines, line(), *wishes_lines("", dict(zip(self.game.proposers, model.values, strict=True)))]

    def comment_lines(self, after: int) -> list[Line]:
        """The comments that stand after so many moves."""
        return [line(("notable", words)) for words in self.comments.get(after, [])]

    def loss(self) -> str:
        """How safety was lost, in words."""
        violation = self.game.violation
        assert violation
        return f"Safety is lost in {deliveries(int(violation.time))}: {printable(violation.words)}"


class Screen(Table):
    """A game on a terminal: what happens is shown at once, as lanes if they fit; what is said besides does not stay."""

    def __init__(self, game: Game, change: str, comments: Mapping[int, Sequence[str]], diagram: bool) -> None:
        super().__init__(game, change, comments)
        self.diagram = diagram
        self.show()

    def show(self) -> None:
        """Show the game so far."""
        self.draw: Draw = self.lines
        above: list[Line] = []
        if self.diagram:
            self.draw, above = self.lanes()
        write(shown(self.page(self.draw, above)))

    def lanes(self) -> tuple[Draw, list[Line]]:
        """How to draw events as lanes, and what stands above these; as lines where lanes do not fit."""
        # Here and not above: the help and pipes need not wait for it.
        from toy_paxos.command.lanes import COUNT_WIDTH, Lanes, Picture, glyphs, too_narrow

        lanes = Lanes([*self.game.actors], columns(), COUNT_WIDTH)
        if not lanes.pitch:
            return self.lines, too_narrow(lanes, columns())
        picture = Picture(lanes, glyphs(), self.game.model.num_acceptors)

        def draw(events: Sequence[Event]) -> list[Line]:
            return [part for event in events for part in picture.draw(event, f"{event.time:3.0f}")]

        return draw, lanes.heading()

    def happened(self, events: Sequence[Event], is_lost: bool) -> None:
        """Show what has happened, and if safety is lost now, how well that was done."""
        write(shown(self.draw(events)))
        if is_lost:
            shortest = shortest_way(self.game)
            words = self.loss() + (f"; the shortest way takes {shortest}" if shortest else "")
            write(shown([line(("bad heading", words))]))

    def undo(self, number: int) -> list[Move]:
        """Take the last moves back, show what is left, and return them."""
        undone = super().undo(number)
        self.show()
        return undone

    def say(self, *lines: str) -> None:
        """Tell something besides, for the moment."""
        write(shown([line(("notable", words)) for words in lines]))

    def close(self) -> None:
        """Nothing, for all has been shown."""
