"""What can be typed in a game, and what it does."""

import random
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from toy_paxos.checking import Move, WrongMoveError
from toy_paxos.checking.game import Kind
from toy_paxos.command.game_view import Table
from toy_paxos.command.look_ahead import hint
from toy_paxos.command.options import shortened, suggestion
from toy_paxos.command.stories import Script, full_name, read_line, why_not
from toy_paxos.event import learned_by, stored_by
from toy_paxos.message import Message
from toy_paxos.settings import quoted
from toy_paxos.view.output import plain
from toy_paxos.view.words import message_words, plural, printable

MOST_MOVES = 5_000
"""How many moves can be typed in one game: the story of so many can still be read back."""

MOST_DIGITS = 9


class Player:
    """Somebody at a table, who makes moves, takes them back, and asks.

    ``ahead`` are the moves that were taken back: they can be made again. ``hinted`` is the move that a hint has just
    named. ``looks_ahead`` is whether what can still happen is found out without being asked: no more once that took too
    long.
    """

    def __init__(self, table: Table, seed: int) -> None:
        self.table = table
        self.game = table.game
        self.seed = seed
        self.die = random.Random(seed).random
        self.ahead: list[Move] = []
        self.hinted: Move | None = None
        self.has_quit = False
        self.looks_ahead = True

    def obey(self, typed: str) -> None:
        """Do what is typed: something that 'help' lists, or a line of a story. If it cannot be done, say why.

        Nothing typed after a hint makes the move that was hinted at.
        """
        word, _, rest = typed.strip().partition(" ")
        command = COMMANDS.get(ALSO.get(word, word.lower()))
        hinted, self.hinted = self.hinted, None
        try:
            if not word and hinted:
                self.make(hinted)
            elif word.isdecimal() and not rest:
                self.make(Move("deliver", self.game.numbered(whole(word))))
            elif command:
                command.do(self, rest.strip())
            elif move := line_typed(typed):
                self.make(move)
        except WrongMoveError as error:
            self.table.say(why_not(self.game, error))

    def make(self, move: Move) -> None:
        """Make a move; raises WrongMoveError if it cannot be made."""
        if len(self.game.moves) >= MOST_MOVES:
            raise WrongMoveError(f"a game has at most {MOST_MOVES:,} moves: undo some, or start another game")
        self.table.make(move)

    def roll(self, number: int) -> None:
        """Let the dice choose some moves."""
        self.table.say(f"seed {self.seed}")
        for _ in range(number):
            moves = [Move("deliver", message) for _, message in self.game.in_flight()]
            moves = moves or [Move("timeout", actor=name) for name in self.game.proposers if self.may_try_again(name)]
            if not moves:
                raise WrongMoveError("nothing is in flight, and no proposer can try again")
            self.make(moves[int(self.die() * len(moves))])

    def may_try_again(self, name: str) -> bool:
        """Whether a proposer waits, and has an attempt left."""
        has_learned = learned_by(self.game.actors[name]) is not None
        is_last = self.game.attempts[name] >= self.game.model.max_attempts
        return name not in self.game.stopped and not has_learned and not is_last

    def undo(self, number: int) -> None:
        """Take back some moves."""
        self.ahead = [*self.table.undo(number), *self.ahead]

    def go_on(self, number: int) -> None:
        """Make the next moves of those that were taken back."""
        for _ in range(number):
            if not self.ahead:
                raise WrongMoveError("nothing to redo")
            self.table.make(self.ahead[0])
            del self.ahead[0]

    def help(self) -> None:
        """Tell what can be typed."""
        model = self.game.model
        left = {"attempts": plural(model.max_attempts, "attempt"), "restarts": plural(model.restarts, "restart")}
        does = (f"{command.usage:<13} {command.does}" for command in (DELIVER, *COMMANDS.values()))
        self.table.say(*(words.format(**left) for words in does))

    def ask(self) -> None:
        """Tell what the checker would do."""
        words, self.hinted = hint(self.game)
        self.table.say(words)

    def state(self) -> None:
        """Tell what everybody holds, what is in flight, and what was."""
        flying = [*self.game.in_flight()]
        numbers = {number for number, _ in flying}
        gone = [
            str(number)
            for number, message in enumerate(self.game.said, start=1)
            if number not in numbers and message.recipient not in self.game.crashed
        ]
        self.table.say(*map(self.held, self.game.actors), *flight_lines(flying))
        self.table.say(f"delivered or lost, and can come again: {' '.join(gone) or 'nothing'}")

    def held(self, name: str) -> str:
        """What an actor holds, in words."""
        game, actor = self.game, self.game.actors[name]
        if name not in game.proposers:
            promised, accepted = stored_by(actor)
            held = f"{accepted.id} {printable(accepted.value)}" if accepted else "nothing"
            return f"{name}: promised {promised or 'nothing'}, accepted {held}"
        learned = learned_by(actor)
        words = f"{name}: attempt {game.attempts[name]}" + (f", learned {printable(learned)}" if learned else "")
        return words + (", crashed" if name in game.crashed else ", gave up" if name in game.gave_up else "")

    def drop(self, number: int) -> None:
        """Lose a message that is in flight."""
        message = self.game.numbered(number)
        if (number, message) not in self.game.in_flight():
            raise WrongMoveError(f"message {number} is not in flight, so it cannot be lost")
        self.make(Move("drop", message))

    def save(self, file: str) -> None:
        """Write the story so far to a new file."""
        if not file:
            raise WrongMoveError("type the name of a file, too: save FILE")
        try:
            with Path(file).open("x", encoding="utf-8", errors="backslashreplace") as to:
                to.write(plain(self.table.story()))
        except FileExistsError as error:
            raise WrongMoveError(f"{shortened(file)} exists already: choose another name") from error
        except (OSError, ValueError) as error:
            raise WrongMoveError(f"cannot write {shortened(file)}: {getattr(error, 'strerror', error)}") from error
        again = " ".join(["toy-paxos play", quoted(file), self.table.options]).rstrip()
        self.table.say(f"saved: {again} plays it again")

    def quit(self) -> None:
        """End the game."""
        self.has_quit = True


class Command(NamedTuple):
    """What can be typed: how, what it does, in words, and how that is done with whatever stands behind its name."""

    usage: str
    does: str
    do: Callable[[Player, str], None]


def to_message(kind: Kind) -> Callable[[Player, str], None]:
    """Make a move with the message of that number."""
    return lambda player, text: player.make(Move(kind, player.game.numbered(whole(text))))


def to_actor(kind: Kind) -> Callable[[Player, str], None]:
    """Make a move with the actor of that name."""
    return lambda player, text: player.make(Move(kind, actor=full_name(text)))


DELIVER = Command("3", "deliver message 3; it stays, and can be delivered again", to_message("deliver"))

COMMANDS = {
    command.usage.split()[0]: command
    for command in (
        Command("drop 3", "lose message 3", lambda player, text: player.drop(whole(text))),
        Command("fail 3", "deliver request 3 to an acceptor that fails to handle it", to_message("fail")),
        Command("timeout p0", "let a proposer try again: {attempts} each", to_actor("timeout")),
        Command("giveup p0", "let a proposer give up: it says nothing more", to_actor("give up")),
        Command("crash p0", "let a proposer crash: it receives nothing more", to_actor("crash")),
        Command("restart a1", "let an acceptor restart: {restarts} each", to_actor("restart")),
        Command("roll [N]", "let dice choose a move, or N", lambda player, text: player.roll(whole(text, 1))),
        Command("undo [N]", "undo a move, or N", lambda player, text: player.undo(whole(text, 1))),
        Command("next [N]", "make an undone move again, or N", lambda player, text: player.go_on(whole(text, 1))),
        Command(
            "hint",
            "name the next move of a shortest way to lose safety, if there is one; Enter makes it",
            lambda player, _: player.ask(),
        ),
        Command("state", "show what each actor holds, and all messages in flight", lambda player, _: player.state()),
        Command("save FILE", "write the story so far, to be played again", Player.save),
        Command("quit", "end", lambda player, _: player.quit()),
        Command("help", "list all this, as h and ? do", lambda player, _: player.help()),
    )
}


# The same commands, under other names.
ALSO = {"h": "help", "H": "help", "?": "help"}


def flight_lines(messages: Iterable[tuple[int, Message]]) -> Iterator[str]:
    """Messages in flight, each after the number that delivers it."""
    yield "in flight:"
    for number, message in messages:
        yield f"{f'[{number}]':>5} {message_words(message)}"


def line_typed(typed: str) -> Move | None:
    """The move that a line of a story tells; raises WrongMoveError if it is no line of one."""
    try:
        return read_line(Script(), typed)
    except WrongMoveError as error:
        word = (typed.split() or [""])[0]
        words = f"unknown move {shortened(typed.strip())}.{suggestion(word.lower(), COMMANDS)} 'help' lists them"
        raise WrongMoveError(words) from error


def whole(text: str, default: int | None = None) -> int:
    """Return the whole number that was typed; raise WrongMoveError if it is not one, or is far too large."""
    if not text and default is not None:
        return default
    if not text.isdecimal():
        raise WrongMoveError(f"{shortened(text)} is not a number: type one, such as 3")
    if len(text) > MOST_DIGITS:
        raise WrongMoveError(f"{shortened(text)} is too large: type a number such as 3")
    return int(text)
