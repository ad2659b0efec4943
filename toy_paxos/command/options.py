"""The options of a run, each in one place, and what options take: refused in words that say what to do.

Those of the network are the fields of :class:`toy_paxos.settings.Network`.
"""

import math
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import fields
from typing import Any, TypeVar, get_args, get_type_hints

import click

from toy_paxos import __version__
from toy_paxos.settings import Network

F = TypeVar("F", bound=Callable[..., Any])


class Number(click.FloatRange):
    """A finite number from a range: click's own range lets ``nan`` through, and calls numbers floats."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the number; raise click.BadParameter if it is none, or out of range."""
        assert self.min is not None
        assert self.max is not None
        number, with_a_point = as_float(str(value)), as_float(point_for_comma(str(value)))
        if self.min <= number <= self.max:
            return number + 0.0  # So that -0.0 is 0.0.
        remedy = f": write {with_a_point:g}" if self.min <= with_a_point <= self.max else ""
        words = f"{shortened(value)} is not a number from {self.min:g} to {self.max:.15g}{remedy}."
        raise click.BadParameter(words, ctx, param)


def point_for_comma(text: str) -> str:
    """A number as it is written here, unless its comma may have been meant to group thousands."""
    return "" if re.search(r",\d{3}\b", text) else text.replace(",", ".")


def as_float(text: str) -> float:
    """The number that a text says, or nan, which is in no range."""
    try:
        return float(text)
    except ValueError:
        return math.nan


class AnyWholeNumber(click.ParamType[int]):
    """A whole number."""

    name = "whole number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the number; raise click.BadParameter if it is none."""
        try:
            return int(value)
        except ValueError as error:
            raise click.BadParameter(f"{shortened(value)} is not a whole number.", ctx, param) from error


class WholeNumber(click.IntRange):
    """A whole number from a range."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the number; raise click.BadParameter if it is none, or out of range."""
        try:
            return super().convert(int(value), param, ctx)
        except (ValueError, click.BadParameter) as error:
            words = f"{shortened(value)} is not a whole number from {self.min} to {self.max}."
            raise click.BadParameter(words, ctx, param) from error


def shortened(value: object) -> str:
    """What somebody wrote, or the beginning of it; quoted if it might not be seen, or do harm to a terminal."""
    text = str(value)
    text = text if len(text) <= 40 else f"{text[:37]}..."
    return text if text and text.isprintable() else repr(text)


def suggestion(name: str, names: Iterable[str]) -> str:
    """A question after the name that was probably meant, if there is one."""
    # Here and not above: most runs make no mistake.
    from difflib import get_close_matches

    return "".join(f" Did you mean {match!r}?" for match in get_close_matches(name, list(names), n=1))


class Option(click.Option):
    """An option that knows under which heading the help lists it."""

    def __init__(self, *args: Any, group: str = "Other", **attributes: Any) -> None:
        super().__init__(*args, **attributes)
        self.group = group


# What the views that write a file were called until version 1.2, and the endings that took their place.
OLD_VIEWS = {"--svg": ".svg", "--html": ".html", "--mermaid": ".mmd"}


@contextmanager
def renamed() -> Iterator[None]:
    """Say what has taken the place of an option that is gone."""
    try:
        yield
    except click.NoSuchOption as error:
        if error.option_name not in OLD_VIEWS:
            raise
        ending = OLD_VIEWS[error.option_name]
        words = f"{error.option_name} is now -o FILE{ending}, or -o -{ending} for standard output."
        raise click.UsageError(words, error.ctx) from error


class Command(click.Command):
    """A command that all its usage errors name, so that they can point to its help; click's parser names it in some."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the arguments; raise click.UsageError, with the context, if they are wrong."""
        with renamed():
            try:
                return super().parse_args(ctx, args)
            except click.UsageError as error:
                error.ctx = error.ctx or ctx
                raise


def option(group: str, *names: str, **attributes: Any) -> Callable[[F], F]:
    """An option under a heading."""
    return click.option(*names, cls=Option, group=group, **attributes)


def network_option(name: str, declared: dict[str, Any], kind: Any, default: Any) -> Callable[[F], F]:
    """The option that a field of the network declares."""
    low, high = declared["range"]
    if kind is int:
        takes: click.ParamType[Any] = WholeNumber(low, high)
    elif kind is float:
        takes = Number(low, high)
    else:
        takes = click.Choice(get_args(kind))
    return option(
        NETWORK,
        f"--{name.replace('_', '-')}",
        type=takes,
        metavar=declared["metavar"] or None,
        default=default,
        help=declared["help"],
    )


NETWORK = "Network, simulated as soon as one of these is given"

NETWORK_KINDS = get_type_hints(Network)

RUN_OPTIONS = [
    option(
        "Cluster",
        "-n",
        "--num-acceptors",
        type=WholeNumber(1, 10_000),
        metavar="N",
        default=5,
        help="Number of acceptors.",
    ),
    option(
        "Cluster",
        "-p",
        "--acceptor-failure-prob",
        type=Number(0, 1),
        metavar="P",
        default=0.1,
        help="Probability that an acceptor answers FAIL to a request.",
    ),
    option(
        "Cluster",
        "--value",
        multiple=True,
        metavar="TEXT",
        help="What the proposer wants; repeat it for others.  [default: an emoji]",
    ),
    *[
        network_option(field.name, dict(field.metadata), NETWORK_KINDS[field.name], field.default)
        for field in fields(Network)
    ],
    option(
        "Run",
        "-c",
        "--rounds",
        type=WholeNumber(1, 10**9),
        metavar="N",
        help="Stop after N rounds.  [default: endless]",
    ),
    option(
        "Run",
        "-i",
        "--interval",
        type=Number(0, 86_400),
        metavar="SECONDS",
        help="Time from one round to the next.  [default: on a terminal a line at a time, else 0]",
    ),
    option("Run", "--seed", type=AnyWholeNumber(), metavar="INT", help="Replay the run that had this seed."),
    option(
        "Run",
        "--round",
        type=WholeNumber(1, 10**9),
        metavar="K",
        help="With --seed: replay only round K.",
    ),
    option("Output", "-q", "--quiet", is_flag=True, help="Show only the first line and the summary."),
    option("Output", "--diagram", is_flag=True, help="Draw each round: lanes for actors, arrows for messages."),
    option("Output", "--brief", is_flag=True, help="Show each round in one line, with the rate of consensus."),
    option("Output", "--json", is_flag=True, help="Print JSON Lines, an object for each event."),
    click.version_option(__version__, message="%(prog)s %(version)s", cls=Option, group="Other"),
]


def one_view(**flags: bool) -> str | None:
    """The view that is asked for, if any; raises click.UsageError if there is more than one."""
    given = [name for name, is_given in flags.items() if is_given]
    if len(given) > 1:
        raise click.UsageError(f"--{given[0]} and --{given[1]} are two views of the same: choose one.")
    return given[0] if given else None


def run_options(command: F) -> F:
    """Give a command the options of a run."""
    for add in reversed(RUN_OPTIONS):
        command = add(command)
    return command


def check_values(values: tuple[str, ...], num_proposers: int) -> None:
    """Refuse values that no proposer can want; raises click.UsageError."""
    if "" in values:
        raise click.UsageError("--value: the empty text is no value, give it at least one character.")
    if len(values) > num_proposers:
        raise click.UsageError(
            f"--value is given {len(values)} times, which takes --num-proposers {len(values)} or more."
        )


def options_of_a_run() -> dict[str, click.Parameter]:
    """The same options by name, for commands that have some of them."""
    return {str(param.name): param for param in click.command(run_options(lambda: None)).params}


def size_options(max_attempts: int) -> Callable[[F], F]:
    """The sizes of a cluster that is explored, each None unless it is given; so many attempts are the default."""
    sizes = (
        (("-n", "--num-acceptors"), 1, "N", "Number of acceptors.  [default: 3]"),
        (("--num-proposers",), 1, "K", "Number of proposers.  [default: 2]"),
        (("--max-attempts",), 1, "N", f"Attempts of each.  [default: {max_attempts}]"),
        (("--restarts",), 0, "N", "Restarts of each acceptor.  [default: 1]"),
    )

    def add_all(command: F) -> F:
        for names, least, metavar, words in reversed(sizes):
            command = click.option(*names, type=WholeNumber(least, 9), metavar=metavar, help=words)(command)
        return command

    return add_all
