"""The command ``toy-paxos play``: the user is the network, move by move; or play a story again."""

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from io import TextIOWrapper
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from toy_paxos.acceptor import Acceptor
from toy_paxos.checking import CHANGED_RULES, Game, Model, Move
from toy_paxos.command.actors import LIST, actor_options, list_rules, other_actors
from toy_paxos.command.game_file import all_games, one_game, with_wishes
from toy_paxos.command.game_view import GameView, Screen, guarded
from toy_paxos.command.help import Command
from toy_paxos.command.look_ahead import NotFoundOutError, goal, possibilities, standing
from toy_paxos.command.moves import Player, flight_lines
from toy_paxos.command.options import Refused, check_quorums, one_view, shortened, size_options, story_views, suggestion
from toy_paxos.command.process import ignore_quit, interruptible, set_up, write
from toy_paxos.command.stories import MOST_BYTES, SIZES, Script, StoryError, play_story, read_story, shipped
from toy_paxos.command.story_file import StoryFile, check_file, file_options
from toy_paxos.event import Violation
from toy_paxos.proposer import Proposer
from toy_paxos.view.output import shown
from toy_paxos.view.words import line

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


def complete_stories(ctx: click.Context, param: click.Parameter, incomplete: str) -> "list[CompletionItem]":
    """Return the completions of STORY: the names of stories, and files."""
    from click.shell_completion import CompletionItem

    names = [CompletionItem(name) for name in (*shipped(), LIST) if name.startswith(incomplete)]
    return [*names, CompletionItem(incomplete, type="file")]


@click.command(
    cls=Command,
    epilog="""\b
Exit status:
  0    the game ended without a safety violation
  1    the output cannot be written
  2    wrong usage, or a line of the story that cannot be read or played
  3    safety was violated
  130  Ctrl-C on a pipe; 143 SIGTERM; 141 closed pipe""",
)
@click.argument("file", metavar="[STORY]", required=False, shell_complete=complete_stories)
@size_options(max_attempts=2)
@actor_options("Cluster")
@story_views
@file_options(tests=True)
@click.pass_context
def play_command(
    ctx: click.Context,
    /,
    file: str | None,
    output: StoryFile | None,
    force: bool,
    **options: Any,
) -> None:
    """Be the network: deliver, lose and repeat messages, move by move.

    With --break, the default sizes are those that the rule needs.

    STORY is a file with output of toy-paxos, check or play, as lines or as JSON Lines, or with lines that you have
    typed, such as 'p0 wants apple' and 'p0 -> a0 PREPARE 1'; - is standard input. 'toy-paxos play list' lists stories
    to play by name. On a terminal you can go on after the story ('help' lists the commands), unless --diagram, --json
    or -o asks only to show it. A STORY has its own sizes.

    \b
    Make a faulty proposer violate safety; 'hint' names the next move:
      toy-paxos play --break ignores-accepted
    Replay a counterexample on correct actors, up to the first message that
    they do not send:
      toy-paxos check --break adopts-lowest | toy-paxos play --break none -
    Write the game as a page for a browser; it starts at the end of STORY:
      toy-paxos play -o game.html
    """
    form = one_view(options)
    list_rules(ctx, form)
    check_file(output, force)
    files = [each for each in (output, StoryFile("-.jsonl") if form == "json" else None) if each]
    page = output if output and output.ending == ".html" else None
    is_silent = page is not None or any(each.is_output for each in files)
    set_up(utf_8=any(each.is_output for each in files))
    if isinstance(sys.stdin, TextIOWrapper):
        sys.stdin.reconfigure(errors="backslashreplace")
    if file == LIST and not os.path.isfile(file):
        titles = {name: data.decode().splitlines()[0].removeprefix("# ") for name, data in shipped().items()}
        write(shown([line(("", f"{name:<20} {title}")) for name, title in titles.items()]))
        return
    given = {name: options[name] for name in (*SIZES.values(), "quorums") if options[name] is not None}
    try:
        story = load(file, given) if file is not None else None
        model, change, named = cluster(ctx, story, given)
        if page and not (story or given or change):
            page.write_text(all_games())
            return
        with guarded(""):
            game = Game(with_wishes(model) if page else model)
        told = game, change, story.comments if story else {}, named
        view = Screen(*told) if sys.stdout.isatty() or form == "diagram" else GameView(*told)
        try:
            if story:
                play_story(story, game, view.make)
            player = Player(view)
            is_only_shown = story and (form or output or file == "-")
            if page:
                page.write_text(one_game(view, ctx.params["rule_name"]))
            elif not is_only_shown and sys.stdin is not None and sys.stdin.isatty() and sys.stdout.isatty():
                converse(player)
            elif not story:
                follow(player)
        finally:
            if not is_silent:
                view.close()
    except StoryError as error:
        raise Refused(f"{shortened(file)}: {error}") from error
    for each in files:
        if each is not page:
            each.write(view.as_story(ctx.params["rule_name"]))
    sys.exit(3 if any(isinstance(event, Violation) for event in game.events) else 0)


def load(file: str, given: Mapping[str, int]) -> Script:
    """Return the story in a file, on standard input, or of a name; raise Refused or StoryError without one."""
    stories = shipped()
    try:
        if file in stories and not os.path.isfile(file):
            return read_story(stories[file], given)
        with click.open_file(file, "rb") as stream:
            return read_story(stream.read(MOST_BYTES + 1), given)
    except (OSError, ValueError, RuntimeError) as error:
        # click raises RuntimeError if standard input is closed.
        words = f"cannot read {shortened(file)}: {getattr(error, 'strerror', 'it is closed')}"
        if isinstance(error, FileNotFoundError) and not os.path.dirname(file):
            words += f".{suggestion(file, (*stories, LIST))} 'toy-paxos play list' lists the stories by name"
        raise Refused(words) from error


def cluster(ctx: click.Context, story: Script | None, given: Mapping[str, Any]) -> tuple[Model, str, str]:
    """Return the model of the cluster, the words that describe its actors, and the options that name them.

    Raises click.UsageError if the options contradict the story.
    """
    are_named = any(
        ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE for name in ("rule_name", "acceptor", "proposer")
    )
    if story and not given.items() <= story.sizes.items():
        raise click.UsageError("the story has its own sizes: leave out the options for sizes.")
    if story and not are_named:
        if story.actors:
            words = f"this story was played by other actors, {shortened(story.actors)}"
            raise click.UsageError(f"{words}: name them by options, too.")
        ctx.params["rule_name"] = story.rule
    actors, options, change = other_actors(ctx)
    rule = CHANGED_RULES[ctx.params["rule_name"]] if ctx.params["rule_name"] else None
    model = rule.model if rule else replace(Model(max_attempts=2), **actors)
    model = story.cluster(model) if story else replace(model, **given)
    check_quorums(model.quorums, model.num_acceptors)
    return model, change, "" if rule else options


def converse(player: Player) -> None:
    """Obey the lines typed on a terminal until the game ends; before each, show the possible moves."""
    with suppress(ImportError):
        # After this import, input() remembers lines.
        import readline  # noqa: F401
    player.view.show()
    if not player.game.violation:
        player.view.say("", *greeting(player.game), "")
    offered: list[Move] | None = None
    ignore_quit()
    with interruptible():
        while not player.has_quit:
            try:
                if offered != player.game.moves:
                    player.view.show()
                    for words in offer(player):
                        player.view.say(words)
                    offered = [*player.game.moves]
                typed = input("toy-paxos> ")
            except EOFError:
                write("\n")
                return
            except KeyboardInterrupt:
                player.view.say("", LEAVE)
                continue
            try:
                player.obey(typed)
            except KeyboardInterrupt:
                # The move may be half done: make all moves again, and show them.
                player.view.undo(0)
                offered = None
                player.view.say("", LEAVE)


LEAVE = "'quit' or Ctrl-D ends the game"


def greeting(game: Game) -> list[str]:
    """Return the goal of the game, and how to play it."""
    model = game.model
    aim = "These actors are correct: safety should hold whatever you do. With --break RULE you can lose it."
    hints = ""
    if (model.acceptor, model.proposer) != (Acceptor, Proposer):
        aim = f"The goal: violate {goal(model)}."
        hints = "'hint' names the next move, if there is a way there; "
    deliver = f"Type the number of a message to deliver it; {hints}'help' lists everything else."
    return ["You are the network.", aim, deliver]


# The limit on the messages in an offer, so that the screen has room for past events, too.
MOST_SHOWN = 12


def offer(player: Player) -> Iterator[str]:
    """Yield the latest messages in flight; then, because a search may take long, what can still happen."""
    if player.game.violation:
        yield "'undo' takes a move back, 'save FILE' keeps the story, 'quit' ends the game"
        return
    first, *lines = flight_lines([*player.game.in_flight()])
    if len(lines) > MOST_SHOWN:
        first = f"in flight, the latest {MOST_SHOWN} of {len(lines)}; 'state' lists all:"
    yield from (first, *lines[-MOST_SHOWN:])
    words = standing(player.game)
    if player.looks_ahead:
        try:
            words += f"; {possibilities(player.game)}"
        except NotFoundOutError as error:
            player.looks_ahead = False
            words += f"; what can still be chosen is {error}; from now on only 'hint' searches"
    yield words


def follow(player: Player) -> None:
    """Obey the lines of standard input."""
    for typed in sys.stdin or ():
        player.obey(typed.rstrip("\r\n"))
        if player.has_quit:
            return
