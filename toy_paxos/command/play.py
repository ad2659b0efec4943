"""The command ``toy-paxos play``: you are the network, move by move, or a story is played again."""

import os
import random
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from io import TextIOWrapper
from typing import TYPE_CHECKING, Any

import click

from toy_paxos.acceptor import Acceptor
from toy_paxos.checking import RULES, CheckError, Game, Model, Move
from toy_paxos.command.actors import LIST, Unchecked, actor_options, list_rules, other_actors
from toy_paxos.command.game_view import Screen, Table
from toy_paxos.command.look_ahead import NotFoundOutError, possibilities, shortest_way, standing
from toy_paxos.command.moves import Player, flight_lines
from toy_paxos.command.options import Command, shortened, size_options, suggestion
from toy_paxos.command.process import ignore_quit, interruptible, set_up, user_output_to_stderr, write
from toy_paxos.command.stories import MOST_BYTES, MOST_LINES, Script, StoryError, play_story, read_story, shipped
from toy_paxos.command.story_file import StoryFile, check_file, file_options
from toy_paxos.event import Violation
from toy_paxos.proposer import Proposer
from toy_paxos.safety import ALWAYS
from toy_paxos.view.output import shown
from toy_paxos.view.words import line

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


class Unplayable(click.ClickException):
    """A story cannot be read, or a line of it cannot be played."""

    exit_code = 2


def complete_stories(ctx: click.Context, param: click.Parameter, incomplete: str) -> "list[CompletionItem]":
    """What a shell completes STORY with: the names of stories, and files."""
    from click.shell_completion import CompletionItem

    names = [CompletionItem(name) for name in (*shipped(), LIST) if name.startswith(incomplete)]
    return [*names, CompletionItem(incomplete, type="file")]


@click.command(
    cls=Command,
    context_settings={"show_default": True},
    epilog="""\b
Exit status:
  0    the game ends, and nothing is lost
  1    the output cannot be written
  2    wrong usage, or a line of the story that cannot be read or played
  3    safety is lost
  130  Ctrl-C on a pipe; 143 SIGTERM; 141 closed pipe""",
)
@click.argument("file", metavar="[STORY]", required=False, shell_complete=complete_stories)
@size_options(max_attempts=2)
@actor_options("Other", "Play with")
@click.option("--right", is_flag=True, help="Play the story on right actors, as far as they would say all that.")
@click.option("--seed", type=int, metavar="INT", help="Of the dice that 'roll' throws.")
@click.option("--no-diagram", is_flag=True, help="Show lines on a terminal, too, and no lanes.")
@file_options
@click.pass_context
def play_command(
    ctx: click.Context,
    /,
    file: str | None,
    right: bool,
    seed: int | None,
    no_diagram: bool,
    output: StoryFile | None,
    force: bool,
    rule_name: str | None,
    acceptor: type | None,
    proposer: type | None,
    **sizes: int | None,
) -> None:
    """Be the network: deliver, lose and repeat messages, move by move.

    STORY is a file with what toy-paxos, check or play have printed, as lines or as JSON Lines, or with lines that you
    have typed, such as 'p0 wants apple' and 'p0 -> a0 PREPARE 1'; - is standard input. It is played again, and on a
    terminal you can go on from there; 'help' lists what can be typed. With --break RULE the default sizes are those
    that the rule needs; a STORY names its own. 'toy-paxos play list' lists stories to play by name.

    \b
    Lose safety for a proposer that ignores what was accepted; 'hint' helps:
      toy-paxos play --break ignores-accepted
    Play a story again, on right actors:
      toy-paxos check --break adopts-lowest | toy-paxos play --right -
    """
    list_rules(ctx)
    check_file(output, force)
    set_up(utf_8=bool(output and output.is_output))
    if isinstance(sys.stdin, TextIOWrapper):
        sys.stdin.reconfigure(errors="backslashreplace")
    if file == LIST and not os.path.isfile(file):
        titles = {name: data.decode().splitlines()[0].removeprefix("# ") for name, data in shipped().items()}
        write(shown([line(("", f"{name:<20} {title}")) for name, title in titles.items()]))
        return
    given = {name: size for name, size in sizes.items() if size is not None}
    story = load(file, given) if file is not None else None
    model, change, options = cluster(ctx, story, given, right)
    game = begin(model)
    told = game, change, story.comments if story else {}, options
    table = Screen(*told, not no_diagram) if sys.stdout.isatty() else Table(*told)
    try:
        if story:
            play_story(story, game, table.make)
            if right and not game.violation:
                table.show()
                table.say("Nothing is lost: right actors have played the story to its end.")
        player = Player(table, random.SystemRandom().getrandbits(32) if seed is None else seed)
        if file != "-" and can_converse():
            converse(player)
        elif not story:
            follow(player)
    except StoryError as error:
        raise Unplayable(f"{shortened(file)}: {error}") from error
    finally:
        if not (output and output.is_output):
            table.close()
    if output:
        output.write(table.as_story(ctx.params["rule_name"] if change else None))
    sys.exit(3 if any(isinstance(event, Violation) for event in game.events) else 0)


def load(file: str, given: Mapping[str, int]) -> Script:
    """The story in a file, of that name, or on standard input; raises Unplayable if there is none."""
    stories = shipped()
    try:
        if file in stories and not os.path.isfile(file):
            return read_story(stories[file], given)
        with click.open_file(file, "rb") as stream:
            return read_story(stream.read(MOST_BYTES + 1), given)
    except StoryError as error:
        raise Unplayable(f"{shortened(file)}: {error}") from error
    except (OSError, ValueError, RuntimeError) as error:
        # The last comes from click, of standard input.
        words = f"cannot read {shortened(file)}: {getattr(error, 'strerror', 'it is closed')}"
        if isinstance(error, FileNotFoundError) and not os.path.dirname(file):
            words += f".{suggestion(file, (*stories, LIST))} 'toy-paxos play list' lists the stories by name"
        raise Unplayable(words) from error


def cluster(ctx: click.Context, story: Script | None, given: Mapping[str, Any], right: bool) -> tuple[Model, str, str]:
    """The cluster to play with, what is said of its actors, and the options that a story of it needs besides.

    Raises click.UsageError if that is contradictory.
    """
    if story and not given.items() <= story.sizes.items():
        raise click.UsageError("the story names its own sizes: leave out those that you have given.")
    if right and not story:
        raise click.UsageError("--right plays a story: name one.")
    if story and story.rule and not (ctx.params["rule_name"] or ctx.params["acceptor"] or ctx.params["proposer"]):
        ctx.params["rule_name"] = story.rule
    actors, options, change = other_actors(ctx)
    if story and story.actors and not actors and not right:
        raise click.UsageError(f"other actors have played this, {shortened(story.actors)}: name them here, too.")
    rule = RULES[ctx.params["rule_name"]] if ctx.params["rule_name"] else None
    model = rule.model if rule else replace(Model(max_attempts=2), **actors)
    if right:
        model, change = (rule.without_change(model) if rule else Model(acceptor=Acceptor, proposer=Proposer)), ""
        model = replace(model, properties=ALWAYS)
    return (story.cluster(model) if story else replace(model, **given)), change, "" if rule or right else options


def begin(model: Model) -> Game:
    """A game that has just begun; raises Unchecked if somebody's actors cannot begin."""
    try:
        with user_output_to_stderr():
            return Game(model)
    except CheckError as error:
        raise Unchecked(str(error)) from error


def can_converse() -> bool:
    """Whether somebody sits at a terminal, to read and to type."""
    return sys.stdin is not None and sys.stdin.isatty() and sys.stdout.isatty()


def converse(player: Player) -> None:
    """Do what somebody types on a terminal, until there is no more, and show each time what can be done."""
    with suppress(ImportError):
        # With it, input() remembers lines.
        import readline  # noqa: F401
    player.table.show()
    player.table.say("", *greeting(player.game), "")
    offered: list[Move] | None = None
    ignore_quit()
    with interruptible():
        while not player.has_quit:
            try:
                if offered != player.game.moves:
                    player.table.show()
                    for words in offer(player):
                        player.table.say(words)
                    offered = [*player.game.moves]
                typed = input("toy-paxos> ")
            except EOFError:
                write("\n")
                return
            except KeyboardInterrupt:
                player.table.say("", LEAVE)
                continue
            try:
                player.obey(typed)
            except KeyboardInterrupt:
                # The move is half done. All of them are made again, and shown.
                player.table.undo(0)
                offered = None
                player.table.say("", LEAVE)


LEAVE = "'quit' or Ctrl-D ends the game"


def greeting(game: Game) -> list[str]:
    """What it is all about."""
    model = game.model
    deliver, others = "Type the number of a message to deliver it", "'help' lists everything else."
    if (model.acceptor, model.proposer) == (Acceptor, Proposer):
        correct = "These actors are correct: safety should hold whatever you do. With --break RULE you can lose it."
        return ["You are the network.", correct, f"{deliver}; {others}"]
    lose = "safety" if model.properties == ALWAYS else ", ".join(repr(each.name) for each in model.properties)
    hints = "'hint' names the next move, if there is a way to win"
    return [f"You are the network, and the game is to lose {lose}, if you can.", f"{deliver}; {hints}; {others}"]


# So many messages leave room on a screen for what has happened.
MOST_SHOWN = 12


def offer(player: Player) -> Iterator[str]:
    """What can be done next: the messages in flight, the latest if there are many; and where the game stands.

    That comes last, for it may take a while to find out.
    """
    if player.game.violation:
        shortest = shortest_way(player.game.model)
        praise = f"the shortest way takes {shortest}; " if shortest else ""
        yield f"{praise}'undo' takes a move back, 'save FILE' keeps the story, 'quit' ends the game"
        return
    first, *lines = flight_lines(player.game.in_flight())
    if len(lines) > MOST_SHOWN:
        first = f"in flight, and {len(lines) - MOST_SHOWN} earlier ones, which 'state' lists:"
    yield from (first, *lines[-MOST_SHOWN:])
    yield outlook(player)


def outlook(player: Player) -> str:
    """What is chosen, who has learned, and what can still happen, unless that could not be found out before."""
    words = standing(player.game)
    if not player.looks_ahead:
        return words
    try:
        return f"{words}; {possibilities(player.game)}"
    except NotFoundOutError as error:
        player.looks_ahead = False
        return f"{words}; what can still be chosen is {error}, and from now on only 'hint' searches"


def follow(player: Player) -> None:
    """Do what stands on standard input, line by line; raises Unplayable if that is too much."""
    for number, typed in enumerate(sys.stdin or (), start=1):
        if number > MOST_LINES:
            raise Unplayable(f"standard input: line {number}: a game has at most {MOST_LINES:,} lines")
        player.obey(typed.rstrip("\r\n"))
        if player.has_quit:
            return
