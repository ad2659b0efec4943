"""The commands that can be typed in a game."""

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from toy_paxos.checking import Move, WrongMoveError
from toy_paxos.checking.game import Kind
from toy_paxos.command.game_view import GameView
from toy_paxos.command.look_ahead import hint
from toy_paxos.command.options import shortened, suggestion
from toy_paxos.command.stories import Script, UnknownLineError, full_name, read_line, why_not
from toy_paxos.event import learned_by, plural, stored_by
from toy_paxos.message import Message
from toy_paxos.settings import quoted
from toy_paxos.view.output import plain
from toy_paxos.view.words import message_words, printable


class Player:
    """Obeys the lines that are typed in a game: makes moves, undoes them, and answers questions.

    ``hinted`` is the move that a hint has just named. ``looks_ahead`` says whether each offer includes what can still
    happen; it becomes false when a search takes too long.
    """

    def __init__(self, view: GameView) -> None:
        self.view = view
        self.game = view.game
        # Always with the same seed, so that the same lines give the same game.
        self.die = random.Random(0)
        self.hinted: Move | None = None
        self.has_quit = False
        self.looks_ahead = True

    def obey(self, typed: str) -> None:
        """Run a command that 'help' lists, or make the move of a line of a story. If that is impossible, say why.

        An empty line after a hint makes the move that the hint named.
        """
        word, _, rest = typed.strip().partition(" ")
        command = COMMANDS.get(ALSO.get(word.lower(), word.lower()))
        hinted, self.hinted = self.hinted, None
        try:
            if not word and hinted:
                self.view.make(hinted)
            elif word.isdecimal() and not rest:
                to_message("deliver")(self, word)
            elif command:
                usage, _, do = command
                if not rest and usage.endswith(NEEDED):
                    raise WrongMoveError(f"{word} what? Type a line such as: {usage}")
                do(self, rest.strip())
            elif move := self.read(typed):
                self.view.make(move)
        except WrongMoveError as error:
            self.view.say(why_not(self.game, error))

    def read(self, typed: str) -> Move | None:
        """Return the move that a line of a story tells; raise WrongMoveError if it tells none."""
        wishes = dict(zip(self.game.proposers, self.game.model.values, strict=True))
        try:
            return read_line(Script(wishes=wishes), typed)
        except UnknownLineError as error:
            word = typed.split()[0].lower()
            words = f"unknown move {shortened(typed.strip())}.{suggestion(word, COMMANDS)} 'help' lists them"
            raise WrongMoveError(words) from error

    def roll(self, text: str) -> None:
        """Deliver random messages; if none is in flight, let a proposer try again."""
        for _ in range(whole(text, 1)):
            if flying := [*self.game.in_flight()]:
                _, message = self.die.choice(flying)
                self.view.make(Move("deliver", message))
            else:
                self.try_again()

    def try_again(self) -> None:
        """Let the first proposer that can do so try again."""
        for name in self.game.proposers:
            with suppress(WrongMoveError):
                self.view.make(Move("timeout", actor=name))
                return
        raise WrongMoveError("nothing is in flight, and no proposer can try again")

    def help(self, _: str) -> None:
        """List the commands, without the moves that this game never allows."""
        model = self.game.model
        left = {"attempts": plural(model.max_attempts, "attempt"), "restarts": plural(model.restarts, "restart")}
        possible = {"timeout": model.max_attempts > 1, "restart": model.restarts > 0}
        listed = [DELIVER, *(command for name, command in COMMANDS.items() if possible.get(name, True))]
        self.view.say(*(f"{usage:<13} {does}".format(**left) for usage, does, _ in listed))

    def hint(self, _: str) -> None:
        """Name the next move of a shortest way to the goal."""
        words, self.hinted = hint(self.game)
        self.view.say(words)

    def state(self, _: str) -> None:
        """Show the state of each actor, and the messages that can be delivered."""
        game = self.game
        again = [
            str(number)
            for number, message in enumerate(game.said, start=1)
            if repr(message) in game.gone and message.recipient not in game.crashed
        ]
        self.view.say(*map(self.held, game.actors), *flight_lines([*game.in_flight()]))
        self.view.say(f"delivered or lost, and can come again: {' '.join(again) or 'nothing'}")

    def held(self, name: str) -> str:
        """Return the state of an actor, in words."""
        game, actor = self.game, self.game.actors[name]
        if name not in game.proposers:
            promised, accepted = stored_by(actor)
            if promised is None:
                return f"{name}: unknown, for its state has no 'promised' (a number) with 'accepted'"
            held = f"{accepted.id} {printable(accepted.value)}" if accepted else "nothing"
            return f"{name}: promised {promised or 'nothing'}, accepted {held}"
        learned = learned_by(actor)
        words = f"{name}: attempt {game.attempts[name]}" + (f", learned {printable(learned)}" if learned else "")
        return words + (", crashed" if name in game.crashed else ", gave up" if name in game.gave_up else "")

    def save(self, file: str) -> None:
        """Write the story so far to a new file."""
        try:
            with Path(file).open("x", encoding="utf-8", errors="backslashreplace") as to:
                to.write(plain(self.view.story()))
        except (OSError, ValueError) as error:
            raise WrongMoveError(f"cannot write {shortened(file)}: {getattr(error, 'strerror', error)}") from error
        again = " ".join(["toy-paxos play", quoted(file), self.view.options]).rstrip()
        self.view.say(f"saved: {again} plays it again")

    def quit(self, _: str) -> None:
        """End the game."""
        self.has_quit = True


Command = tuple[str, str, Callable[[Player, str], None]]
"""How a command is typed, what it does, and the function that does it, given the text after its name."""


def to_message(kind: Kind) -> Callable[[Player, str], None]:
    """Return a function that makes a move with the message of a number."""
    return lambda player, text: player.view.make(Move(kind, player.game.numbered(whole(text))))


def to_actor(kind: Kind) -> Callable[[Player, str], None]:
    """Return a function that makes a move with the actor of a name."""
    return lambda player, text: player.view.make(Move(kind, actor=full_name(text)))


DELIVER: Command = ("3", "deliver message 3; it stays, and can be delivered again", to_message("deliver"))

COMMANDS: dict[str, Command] = {
    usage.split()[0]: (usage, does, do)
    for usage, does, do in (
        ("drop 3", "lose message 3", to_message("drop")),
        ("fail 3", "deliver request 3 to an acceptor that fails to handle it", to_message("fail")),
        ("timeout p0", "let a proposer try again: {attempts} each", to_actor("timeout")),
        ("giveup p0", "let a proposer give up: it sends no more messages", to_actor("give up")),
        ("crash p0", "let a proposer crash: it receives no more messages", to_actor("crash")),
        ("restart a1", "let an acceptor restart: {restarts} each", to_actor("restart")),
        ("roll [N]", "let dice choose a move, or N", Player.roll),
        ("undo [N]", "undo a move, or N", lambda player, text: player.view.undo(whole(text, 1))),
        ("hint", "name the next move of a shortest way to the goal, if there is one; Enter makes it", Player.hint),
        ("state", "show the state of each actor, and all messages in flight", Player.state),
        ("save FILE", "write the story so far, to be played again", Player.save),
        ("quit", "end", Player.quit),
        ("help", "show this list; h and ? do the same", Player.help),
    )
}

# What a command cannot do without: a message, an actor or a file.
NEEDED = (" 3", " p0", " a1", " FILE")

# Other names of a command.
ALSO = {"h": "help", "?": "help"}


def flight_lines(messages: Sequence[tuple[int, Message]]) -> Iterator[str]:
    """Yield the messages in flight, each after the number that delivers it."""
    yield "in flight:" if messages else "in flight: nothing"
    for number, message in messages:
        yield f"{f'[{number}]':>5} {message_words(message)}"


def whole(text: str, default: int | None = None) -> int:
    """Return the whole number that was typed; raise WrongMoveError if it is not one, or has over 9 digits."""
    if not text and default is not None:
        return default
    if not text.isdecimal() or len(text) > 9:
        raise WrongMoveError(f"{shortened(text)} is not a number of at most 9 digits; type one such as 3")
    return int(text)
