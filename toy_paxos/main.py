"""The program: options in, endless rounds of Paxos, statistics out.

This is the one module that knows the command line, the global registry, the clock and the dice. It wires
the others together, and decides nothing about Paxos.
"""

import errno
import io
import math
import os
import random
import sys
import time
from collections.abc import Callable, Iterator
from itertools import count, islice
from signal import SIGINT
from typing import Any, ClassVar, NoReturn

import click

from toy_paxos import __version__
from toy_paxos.acceptor import FailingAcceptor
from toy_paxos.actor_registry import deliver, registry
from toy_paxos.display import Display, JsonDisplay, TerminalDisplay, TextDisplay, running_line
from toy_paxos.proposer import Proposer
from toy_paxos.result import Round, Settings, Statistics
from toy_paxos.stop import StopRequest, die_by

EMOJI = [chr(code) for code in range(0x1F601, 0x1F64F + 1)]

# So many rounds share their dice. New dice for each chapter make any round reachable without playing all
# those before it; shorter chapters would spend noticeable time on making dice.
CHAPTER = 100


def play_rounds(settings: Settings, first: int = 1) -> Iterator[Round]:
    """Endless rounds from the one numbered ``first`` on; each depends on its number and the settings alone.

    Of the dice only ``random()`` is used: the one method whose numbers Python promises to keep the
    same for a seed, in every version.
    """
    acceptors = [f"acceptor-{number}" for number in range(settings.num_acceptors)]
    chapter_start = first - (first - 1) % CHAPTER
    for number in count(chapter_start):
        if (number - 1) % CHAPTER == 0:
            draw_proposal = random.Random(f"{settings.seed} proposals {number}").random
            draw_failure = random.Random(f"{settings.seed} failures {number}").random
        proposal = EMOJI[int(draw_proposal() * len(EMOJI))]
        proposer = Proposer("proposer-0", proposal, acceptors)
        finished = play_round(number, proposer, settings.acceptor_failure_prob, draw_failure)
        if number >= first:
            yield finished


def play_round(
    number: int, proposer: Proposer, failure_prob: float, draw_failure: Callable[[], float]
) -> Round:
    """Play one round between a new proposer and new acceptors, in the global registry."""
    registry.clear()
    registry.register(proposer)
    for name in proposer.acceptors:
        registry.register(FailingAcceptor(name, failure_prob, draw_failure))
    return Round(number, proposer, list(deliver(registry, proposer.prepare())))


class NumberRange(click.FloatRange):
    """A finite number in a range: click's own range lets ``nan`` through."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the number; raise click.BadParameter if it is none, or out of range."""
        number = float(super().convert(value, param, ctx))
        if math.isnan(number):
            self.fail(f"{value!r} is not a number.", param, ctx)
        return number


class GroupedCommand(click.Command):
    """A command whose help lists its options by what they are about."""

    groups: ClassVar = {
        "Cluster": ("num_acceptors", "acceptor_failure_prob"),
        "Run": ("rounds", "interval", "seed", "round"),
        "Output": ("quiet", "json"),
    }

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options, group by group, those without a group last."""
        rest = {param.name: param.get_help_record(ctx) for param in self.get_params(ctx)}
        for title, names in self.groups.items():
            with formatter.section(title):
                formatter.write_dl([record for name in names if (record := rest.pop(name))])
        with formatter.section("Other"):
            formatter.write_dl([record for record in rest.values() if record])


@click.command(
    cls=GroupedCommand,
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
  130  Ctrl-C before the last of --rounds; 143 SIGTERM; 141 closed pipe
\b
Each option can also be set in the environment: TOY_PAXOS_NUM_ACCEPTORS=7.
Ctrl-\\ prints running statistics.""",
)
@click.option(
    "-n",
    "--num-acceptors",
    type=click.IntRange(1, 10_000),
    metavar="N",
    default=5,
    help="Number of acceptors.",
)
@click.option(
    "-p",
    "--acceptor-failure-prob",
    type=NumberRange(0, 1),
    metavar="P",
    default=0.1,
    help="Probability that an acceptor answers FAIL to a request.",
)
@click.option(
    "-c",
    "--rounds",
    type=click.IntRange(1, 10**9),
    metavar="N",
    help="Stop after N rounds.  [default: endless]",
)
@click.option(
    "-i",
    "--interval",
    type=NumberRange(0, 86_400),
    metavar="SECONDS",
    help="Time from one round to the next.  [default: 0.5 for rounds shown on a terminal, else 0]",
)
@click.option("--seed", type=int, metavar="INT", help="Replay the run that had this seed.")
@click.option(
    "--round",
    type=click.IntRange(1, 10**9),
    metavar="K",
    help="With --seed: replay only round K.",
)
@click.option("-q", "--quiet", is_flag=True, help="Show only the first line and the summary.")
@click.option("--json", is_flag=True, help="Print JSON Lines, an object an event.")
@click.version_option(__version__, message="%(prog)s %(version)s")
def run(
    num_acceptors: int,
    acceptor_failure_prob: float,
    rounds: int | None,
    interval: float | None,
    seed: int | None,
    round: int | None,
    quiet: bool,
    json: bool,
) -> None:
    """Run rounds of Paxos until Ctrl-C, and show every message.

    \b
    Example: five acceptors, each request fails with a probability of 0.2
      toy-paxos --num-acceptors 5 --acceptor-failure-prob 0.2
    """
    if round and (seed is None or rounds):
        raise click.UsageError("--round shows one round again: give --seed with it, and not --rounds.")
    if seed is None:
        seed = random.SystemRandom().getrandbits(32)
    settings = Settings(num_acceptors, acceptor_failure_prob, seed)
    if interval is None:
        interval = 0.5 if sys.stdout.isatty() and not quiet else 0
    last = 1 if round else rounds
    show(
        islice(play_rounds(settings, round or 1), last),
        last,
        Statistics(settings),
        choose_display(settings, json),
        interval,
        quiet,
    )


def choose_display(settings: Settings, json: bool) -> Display:
    """The display that suits standard output, whose encoding it sets up so that no emoji can fail."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8" if json else None, errors="backslashreplace")
    if json:
        return JsonDisplay(settings)
    if sys.stdout.isatty() or os.environ.get("FORCE_COLOR"):
        return TerminalDisplay(settings)
    return TextDisplay(settings)


def show(
    wanted: Iterator[Round],
    num_rounds: int | None,
    statistics: Statistics,
    display: Display,
    interval: float,
    quiet: bool,
) -> None:
    """Show rounds at their pace until there are no more or somebody asks to stop; then sum up and end."""
    began = due = time.monotonic()

    def report() -> None:
        statistics.elapsed_s = time.monotonic() - began
        click.echo(running_line(statistics), err=True)

    stop = StopRequest(on_quit=report)
    write(display.start())
    if num_rounds is None and sys.stdout.isatty() and sys.stderr and sys.stderr.isatty():
        click.echo("Ctrl-C to stop", err=True)
    for finished in wanted:
        if interval:
            stop.wait(until=due)
            due = max(due + interval, time.monotonic())
        if stop.signal:
            break
        statistics.add(finished)
        if not quiet:
            write(display.round(finished))
    statistics.elapsed_s = time.monotonic() - began
    write(display.summary(statistics))
    complete = statistics.rounds == num_rounds
    stopped_an_endless_run = num_rounds is None and stop.signal == SIGINT
    if stop.signal and not complete and not stopped_an_endless_run:
        die_by(stop.signal)


def write(text: str) -> None:
    """Write to standard output now, so that whoever reads the other end of a pipe sees it now."""
    sys.stdout.write(text)
    sys.stdout.flush()


def main() -> None:
    """Run the command line; turn whatever goes wrong into one line on standard error and an exit status."""
    try:
        if sys.stdout is None:
            raise OSError(errno.EBADF, "it is closed")
        status = run.main(prog_name="toy-paxos", standalone_mode=False)
    except click.ClickException as error:
        complain(f"{error.format_message()} (toy-paxos --help lists the options)", error.exit_code)
    except OSError as error:
        if sys.stdout is not None:
            # What could not be written must not be tried again, and fail again, at the exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        complain(f"cannot write to standard output: {error.strerror}", 1)
    sys.exit(status)


def complain(words: str, status: int) -> NoReturn:
    """Say what is wrong in one line, and exit."""
    click.echo(f"toy-paxos: {words}", err=True)
    sys.exit(status)
