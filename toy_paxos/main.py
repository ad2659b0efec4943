"""The program: options in, endless rounds of Paxos, statistics out.

This is the top floor. It wires the others together, and decides nothing about Paxos.
"""

import errno
import os
import random
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from signal import SIGINT
from typing import Any, NoReturn

import click
from click.core import ParameterSource

from toy_paxos.command.actors import actor_options, other_actors, undisturbed
from toy_paxos.command.options import NETWORK, one_view, run_options, shortened, suggestion
from toy_paxos.command.process import Progress, StopRequest, die_by, say, set_up, write
from toy_paxos.command.views import FILES, DrawingError, View, view_of
from toy_paxos.command.words import running_line, tame
from toy_paxos.simulation import Network, Round, Settings, Statistics, play_rounds

# A round of five acceptors takes some two seconds, about as long as to read it.
LINE_S = 0.08

# But nobody reads thousands of lines.
LONGEST_ROUND_S = 10


class Simulator(click.Group):
    """The command that runs when no other is named; its help lists options by what they are about."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options, group by group, then the commands."""
        groups: dict[str, list[tuple[str, str]]] = {}
        for param in self.get_params(ctx):
            if record := param.get_help_record(ctx):
                groups.setdefault(getattr(param, "group", "Other"), []).append(record)
        for title, records in groups.items():
            with formatter.section(title):
                formatter.write_dl(records)
        self.format_commands(ctx, formatter)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The other commands, by name."""
        return ["check", "play"]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, imported only now: a run must not wait for it."""
        if cmd_name == "check":
            from toy_paxos.command.check import check_command

            return check_command
        if cmd_name == "play":
            from toy_paxos.command.play import play_command

            return play_command
        return None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that is named first; raise click.UsageError if there is none of that name."""
        name = args[0]
        if not self.get_command(ctx, name) and not name.startswith("-"):
            names = self.list_commands(ctx)
            raise click.UsageError(f"There is no command {shortened(name)}.{suggestion(name, names)}")
        return super().resolve_command(ctx, args)


@click.group(
    cls=Simulator,
    invoke_without_command=True,
    subcommand_metavar="[COMMAND]",
    context_settings={
        "help_option_names": ["-h", "--help"],
        "auto_envvar_prefix": "TOY_PAXOS",
        "show_default": True,
    },
    epilog="""\b
Exit status:
  0    all rounds done, or Ctrl-C in an endless run
  1    the output cannot be written
  2    wrong usage
  3    safety violated; the run shows where, and how to see it again
  130  Ctrl-C before the last of --rounds; 143 SIGTERM; 141 closed pipe
\b
Ctrl-C ends the run after the current round, a second one at once; Ctrl-\\
prints running statistics. Each option but --value, --version and --help can
also be set in the environment: TOY_PAXOS_NUM_ACCEPTORS=7.""",
)
@run_options
@actor_options(NETWORK, "Play with")
@click.pass_context
def run(
    ctx: click.Context,
    /,
    num_acceptors: int,
    acceptor_failure_prob: float,
    value: tuple[str, ...],
    rounds: int | None,
    interval: float | None,
    seed: int | None,
    round: int | None,
    quiet: bool,
    diagram: bool,
    brief: bool,
    mermaid: bool,
    svg: bool,
    html: bool,
    json: bool,
    rule_name: str | None,
    acceptor: type | None,
    proposer: type | None,
    **network_options: Any,
) -> None:
    """Run rounds of Paxos until Ctrl-C, and show every message.

    \b
    Example: five acceptors, each request fails with a probability of 0.2
      toy-paxos --num-acceptors 5 --acceptor-failure-prob 0.2
    """
    if ctx.invoked_subcommand:
        refuse_options_before(ctx.invoked_subcommand, ctx)
        return
    form = one_view(diagram=diagram, brief=brief, mermaid=mermaid, svg=svg, html=html, json=json)
    if round and (seed is None or rounds):
        raise click.UsageError("--round shows one round again: give --seed with it, and not --rounds.")
    if form in FILES:
        check_one_round(form, quiet, 1 if round else rounds)
    if seed is None:
        seed = random.SystemRandom().getrandbits(32)
    actors, actor_words, change = other_actors(ctx)
    sources = map(ctx.get_parameter_source, network_options)
    is_given = bool(actors) or any(source is not ParameterSource.DEFAULT for source in sources)
    network = Network(**network_options) if is_given else None
    check_values(value, network.num_proposers if network else 1)
    settings = Settings(num_acceptors, acceptor_failure_prob, seed, value, network, actor_words, **actors)
    line_by_line = interval is None and sys.stdout.isatty() and not quiet and form not in FILES
    pace = Pace(1 if round else rounds, interval or 0, quiet, LINE_S if line_by_line else 0)
    set_up(utf_8=json or form in FILES)
    statistics = Statistics(settings, round or 1)
    played = play_rounds(settings, statistics.first, told=not quiet)
    show(undisturbed(played) if actors else played, statistics, view_of(settings, form, rule_name, change), pace)


def refuse_options_before(command: str, ctx: click.Context) -> None:
    """Raise click.UsageError if an option stands where it would have no effect."""
    assert isinstance(ctx.command, click.Group)
    other = ctx.command.get_command(ctx, command)
    assert other
    for param in ctx.command.params:
        if ctx.get_parameter_source(param.name or "") is ParameterSource.COMMANDLINE:
            option = param.opts[-1]
            has_it = any(option in its.opts for its in other.params)
            remedy = "write it after" if has_it else f"leave it out, for {command!r} has no {option}"
            raise click.UsageError(f"{option} does nothing before {command!r}: {remedy}.")


def check_one_round(form: str | None, quiet: bool, num_rounds: int | None) -> None:
    """Refuse to write anything but one round to a file of one round; raises click.UsageError."""
    if num_rounds != 1:
        raise click.UsageError(f"--{form} writes one round: choose it by --rounds 1, or by --seed and --round.")
    if quiet:
        raise click.UsageError(f"--quiet shows no round, and --{form} nothing else: choose one.")


def check_values(values: tuple[str, ...], num_proposers: int) -> None:
    """Refuse values that no proposer can want; raises click.UsageError."""
    if "" in values:
        raise click.UsageError("--value: the empty text is no value, give it at least one character.")
    if len(values) > num_proposers:
        raise click.UsageError(
            f"--value is given {len(values)} times, which takes --num-proposers {len(values)} or more."
        )


@dataclass(frozen=True)
class Pace:
    """How many rounds to show (None: endlessly), and whether to show them at all; the rest is in seconds.

    ``interval`` is the time from one round to the next, ``per_line`` that from one line to the next.
    """

    num_rounds: int | None
    interval: float
    quiet: bool
    per_line: float = 0


def show(rounds: Iterator[Round], statistics: Statistics, view: View, pace: Pace) -> None:
    """Show rounds until there are enough, or somebody asks to stop, or safety is lost; sum up and end."""
    began = due = time.monotonic()

    def running() -> str:
        statistics.elapsed_s = time.monotonic() - began
        return running_line(statistics)

    stop = StopRequest(on_quit=lambda: say(running()), waiting_for="the end of the round")
    progress = Progress()
    write(view.start())
    if pace.num_rounds is None and sys.stdout.isatty() and sys.stderr and sys.stderr.isatty():
        say("Ctrl-C to stop")
    rounds = islice(rounds, pace.num_rounds)
    while not stop.signal and (finished := next(rounds, None)):
        # Whoever asks to stop while a round is played gets to see that one, unless it is not due yet.
        if pace.interval:
            stop.wait(until=due)
            if time.monotonic() < due:
                break
            due = max(due + pace.interval, time.monotonic())
        statistics.add(finished)
        if not pace.quiet or statistics.violated:
            show_round(view.round(finished), pace.per_line, stop)
        else:
            progress.show(running)
        if statistics.violated:
            break
    statistics.elapsed_s = time.monotonic() - began
    progress.erase()
    write(view.summary(statistics))
    stop.close()
    if statistics.violated:
        sys.exit(3)
    complete = statistics.rounds == pace.num_rounds
    stopped_an_endless_run = pace.num_rounds is None and stop.signal == SIGINT
    if stop.signal and not complete and not stopped_an_endless_run:
        die_by(stop.signal)


def show_round(text: str, per_line: float, stop: StopRequest) -> None:
    """Write a round, all at once or line by line; whoever asks to stop gets the rest at once."""
    if not per_line:
        write(text)
        return
    lines = text.splitlines(keepends=True)
    for line in lines:
        write(line)
        stop.wait(until=time.monotonic() + min(per_line, LONGEST_ROUND_S / len(lines)))


def main() -> None:
    """Run the command line; turn whatever goes wrong into one line on standard error and an exit status."""
    try:
        if sys.stdout is None:
            raise OSError(errno.EBADF, "it is closed")
        status = run.main(prog_name="toy-paxos", standalone_mode=False)
    except click.UsageError as error:
        command = error.ctx.command_path if error.ctx else "toy-paxos"
        complain(f"{error.format_message()} ({command} --help lists the options)", error.exit_code)
    except click.ClickException as error:
        complain(error.format_message(), error.exit_code)
    except DrawingError as error:
        complain(str(error), 2)
    except MemoryError:
        complain("out of memory: choose a smaller cluster, or let it stop sooner", 1)
    except OSError as error:
        if sys.stdout is not None:
            # What could not be written must not be tried again, and fail again, at the exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        complain(f"cannot write to standard output: {error.strerror or error}", 1)
    sys.exit(status)


def complain(words: str, status: int) -> NoReturn:
    """Say what is wrong in one line, and exit."""
    say(f"toy-paxos: {tame(' '.join(words.split()))}")
    sys.exit(status)
