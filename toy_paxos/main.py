"""The command line program: options in, endless rounds of Paxos, statistics out.

This top layer connects the other modules, and decides nothing about Paxos.
"""

import errno
import os
import random
import sys
from dataclasses import fields
from importlib import import_module
from typing import Any, NoReturn

import click
from click.core import ParameterSource

from toy_paxos.command.actors import actor_options, other_actors
from toy_paxos.command.help import Command
from toy_paxos.command.options import NETWORK, check_quorums, check_values, one_view, run_options, shortened, suggestion
from toy_paxos.command.process import SignalledError, die_by, say
from toy_paxos.command.story_file import StoryFile, check_file, file_options
from toy_paxos.settings import Network, Settings
from toy_paxos.view.output import DrawingError
from toy_paxos.view.words import tame

# Each command is the function NAME_command in the module of its name.
COMMANDS = ("check", "play", "cluster", "acceptor", "propose", "verify")

# The number of rounds after which --until gives up, unless --rounds is given.
MANY_ROUNDS = 100_000

# Removed options, and the ending of the file that replaces each.
OLD_VIEWS = {"--svg": ".svg", "--html": ".html", "--mermaid": ".mmd"}


class Simulator(Command, click.Group):
    """The command that runs if no other is named; its help lists the others."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options, then the commands."""
        super().format_options(ctx, formatter)
        self.format_commands(ctx, formatter)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the other commands."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command of this name, imported only now: a run must not wait for it."""
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"toy_paxos.command.{cmd_name}")
        return getattr(module, f"{cmd_name}_command")  # type: ignore[no-any-return]

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        """Return the command that the first argument names; raise click.UsageError if there is none."""
        name = args[0]
        if not self.get_command(ctx, name) and not name.startswith("-"):
            names = self.list_commands(ctx)
            raise click.UsageError(f"Unknown command {shortened(name)}.{suggestion(name, names)}")
        return super().resolve_command(ctx, args)


@click.group(
    cls=Simulator,
    invoke_without_command=True,
    subcommand_metavar="[COMMAND]",
    context_settings={"show_default": True},
    epilog="""\b
Exit status:
  0    all rounds done, or Ctrl-C in an endless run
  1    the output cannot be written
  2    wrong usage
  3    safety violated; the run shows where, and how to see it again
  4    no matching round for --until within --rounds (default: 100,000)
  130  Ctrl-C before the last of --rounds; 143 SIGTERM; 141 closed pipe
\b
Ctrl-C ends the run after the current round, a second one at once; Ctrl-\\
prints running statistics.""",
)
@run_options
@file_options()
@actor_options(NETWORK)
@click.pass_context
def run(
    ctx: click.Context,
    /,
    rounds: int | None,
    seed: int | None,
    round: int | None,
    until: str | None,
    quiet: bool,
    **options: Any,
) -> None:
    """Run rounds of Paxos until Ctrl-C, and show every message.

    \b
    Five acceptors; each request fails with a probability of 0.2:
      toy-paxos --num-acceptors 5 --acceptor-failure-prob 0.2
    One round of two competing proposers, drawn as lanes:
      toy-paxos --num-proposers 2 --diagram --rounds 1
    """
    if ctx.invoked_subcommand:
        refuse_options_before(ctx.invoked_subcommand, ctx)
        return
    # Imported here because the other commands do not need them.
    from toy_paxos.command.show import Pace, show
    from toy_paxos.round import Statistics
    from toy_paxos.simulation import play_rounds

    form = one_view(options)
    actors, actor_words, change = other_actors(ctx, form)
    if round and (seed is None or rounds or until):
        raise click.UsageError("--round K shows one round of a run: add --seed, and leave out --rounds and --until.")
    output: StoryFile | None = options["output"]
    check_file(output, options["force"], 1 if round or until else rounds)
    if quiet and form not in (None, "json"):
        raise click.UsageError(f"--quiet and --{form} exclude each other: choose one.")
    if seed is None:
        seed = random.SystemRandom().getrandbits(32)
    network_options = {field.name: options[field.name] for field in fields(Network)}
    sources = map(ctx.get_parameter_source, network_options)
    is_given = bool(actors or until) or any(source is not ParameterSource.DEFAULT for source in sources)
    network = Network(**network_options) if is_given else None
    values = options["value"]
    check_quorums(options["quorums"], options["num_acceptors"])
    check_values(values, network.num_proposers if network else 1)
    if until in ("adoption", "duel") and options["num_proposers"] == 1:
        raise click.UsageError(f"--until {until} needs two proposers: add --num-proposers 2.")
    sizes = options["num_acceptors"], options["acceptor_failure_prob"]
    settings = Settings(*sizes, seed, values, network, actor_words, **actors, quorums=options["quorums"])
    num_rounds = 1 if round else rounds or (MANY_ROUNDS if until else None)
    pace = Pace.of(num_rounds, options["interval"], quiet, until=until)
    statistics = Statistics(settings, round or 1)
    if options["acceptor"] or options["proposer"]:
        # Imported here because most runs use no other actors.
        from toy_paxos.command.user_code import guarded_rounds

        played = guarded_rounds(settings, statistics)
    else:
        played = play_rounds(settings, statistics.first, told=not quiet or bool(until))
    show(played, statistics, pace, form, output, options["rule_name"], change)


def refuse_options_before(command: str, ctx: click.Context) -> None:
    """Raise click.UsageError for an option before the name of a command, where it has no effect."""
    for param in ctx.command.params:
        if ctx.get_parameter_source(param.name or "") is ParameterSource.COMMANDLINE:
            words = f"{param.opts[-1]} has no effect before {command!r}: write the options of a command after it."
            raise click.UsageError(words)


def main() -> None:
    """Run the command line; turn any error into one line on standard error and an exit status."""
    try:
        if sys.stdout is None:
            raise OSError(errno.EBADF, "it is closed")
        status = run.main(prog_name="toy-paxos", standalone_mode=False)
    except click.UsageError as error:
        command, words = error.ctx.command_path if error.ctx else "toy-paxos", error.format_message()
        if isinstance(error, click.NoSuchOption) and (ending := OLD_VIEWS.get(error.option_name)):
            words = f"{error.option_name} is now -o FILE{ending}, or -o -{ending} for standard output."
        complain(f"{words} ({command} --help lists the options)", error.exit_code)
    except click.ClickException as error:
        complain(error.format_message(), error.exit_code)
    except DrawingError as error:
        complain(str(error), 2)
    except SignalledError as error:
        die_by(error.number)
    except MemoryError:
        complain("out of memory: choose a smaller cluster, or fewer states or rounds", 1)
    except OSError as error:
        if sys.stdout is not None:
            # Otherwise Python would try again at the exit to write the text, and fail again.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        complain(f"cannot write to standard output: {error.strerror or error}", 1)
    sys.exit(status)


def complain(words: str, status: int) -> NoReturn:
    """Write an error in one line, and exit."""
    say(f"toy-paxos: {tame(' '.join(words.split()))}")
    sys.exit(status)
