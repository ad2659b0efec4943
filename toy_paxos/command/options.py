"""The options of a run, each declared once, and the types of their values, whose errors say what to do.

The options of the network follow from the fields of :class:`toy_paxos.settings.Network`.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import Field, fields
from typing import Any, TypeVar, get_args, get_type_hints

import click

from toy_paxos import __version__
from toy_paxos.proposer import Quorums
from toy_paxos.settings import Network
from toy_paxos.story import Configuration

F = TypeVar("F", bound=Callable[..., Any])


class Refused(click.ClickException):
    """Something other than an option is at fault: a story, a class of the user, or a process that cannot go on."""

    exit_code = 2


class Number(click.ParamType[float]):
    """A number from a range, which is finite unless the range is not."""

    kind: type[float] = float
    name = "number"

    def __init__(self, low: float = -math.inf, high: float = math.inf) -> None:
        self.low = low
        self.high = high

    @property
    def limits(self) -> str:
        """The range in words, or an empty text if there is none."""
        return f"from {self.low:,g} to {self.high:,}" if self.high < math.inf else ""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the number; raise click.BadParameter if it is not one, or out of range."""
        try:
            number = self.kind(value)
        except ValueError:
            number = math.nan
        if not self.low <= number <= self.high:
            words = f"{shortened(value)} is not a {self.name} {self.limits}".rstrip()
            raise click.BadParameter(f"{words}.", ctx, param)
        # Adding 0 turns -0.0 into 0.0.
        return number + 0


class WholeNumber(Number):
    """A whole number from a range."""

    kind = int
    name = "whole number"


class QuorumSizes(click.ParamType[Quorums]):
    """The sizes of a quorum of promises and of a quorum of acceptances, with a comma between them."""

    name = "quorums"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Quorums:
        """Return both sizes; raise click.BadParameter if the text is not two numbers."""
        sizes = value.split(",")
        if len(sizes) != 2 or not all(size.isdecimal() and len(size) < 6 for size in sizes):
            words = "is not of the form Q1,Q2, such as 4,2: how many promises, and how many acceptances"
            raise click.BadParameter(f"{shortened(value)} {words}.", ctx, param)
        return int(sizes[0]), int(sizes[1])


def check_quorums(quorums: Quorums | None, num_acceptors: int) -> None:
    """Raise click.UsageError for quorums that this number of acceptors cannot have."""
    try:
        Configuration.of(1, num_acceptors, quorums)
    except ValueError as error:
        raise click.UsageError(f"--{error}.") from error


def shortened(value: object) -> str:
    """Return the beginning of a text from outside; quoted if it is empty or could harm a terminal."""
    text = str(value)
    text = text if len(text) <= 40 else f"{text[:37]}..."
    return text if text and text.isprintable() else repr(text)


def suggestion(name: str, names: Iterable[str]) -> str:
    """Return a question with the name that was probably meant, or an empty text if no name is similar."""
    # Imported here because most runs need no suggestion.
    from difflib import get_close_matches

    return "".join(f" Did you mean {match!r}?" for match in get_close_matches(name, list(names), n=1))


class Option(click.Option):
    """An option with the heading under which the help lists it."""

    def __init__(self, *args: Any, group: str = "Other", **attributes: Any) -> None:
        super().__init__(*args, **attributes)
        self.group = group


def option(
    group: str, names: str, help: str, metavar: str | None = None, type: Any = None, **attributes: Any
) -> Callable[[F], F]:
    """Return an option with its heading, its names separated by blanks, and the type of its value."""
    return click.option(*names.split(), cls=Option, group=group, help=help, metavar=metavar, type=type, **attributes)


def with_options(*options: Callable[[F], F]) -> Callable[[F], F]:
    """Return a decorator that adds several options to a command, in this order."""

    def add(command: F) -> F:
        for add_one in reversed(options):
            command = add_one(command)
        return command

    return add


def network_option(field: "Field[Any]", kind: Any) -> Callable[[F], F]:
    """Return the option for a field of the network."""
    declared = field.metadata
    ranges = {int: WholeNumber, float: Number}
    takes = ranges[kind](*declared["range"]) if kind in ranges else click.Choice(get_args(kind))
    name = f"--{field.name.replace('_', '-')}"
    return option(NETWORK, name, declared["help"], declared["metavar"] or None, takes, default=field.default)


NETWORK = "Network (any of these options turns on the simulated network)"

NETWORK_KINDS = get_type_hints(Network)

# The views of standard output, other than lines.
VIEWS = {
    name: option("Output", f"--{name}", words, is_flag=True)
    for name, words in {
        "diagram": "Draw lanes for actors, arrows for messages.",
        "brief": "Show each round in one line, with the rate of consensus.",
        "json": "Print JSON Lines, an object for each event.",
    }.items()
}

QUORUMS = option(
    "Cluster",
    "--quorums",
    "How many promises, and how many acceptances, make a quorum.",
    "Q1,Q2",
    QuorumSizes(),
    show_default="a majority for both",
)

FAILS = "Probability that an acceptor fails a request and answers FAIL."
WANTED = (
    *("adoption", "duel", "timeout", "proposer-crash", "acceptor-crash"),
    *("refusal", "chosen-not-learned", "not-chosen", "violation"),
)
UNTIL = f"Show only the first round with WHAT: {', '.join(WANTED)}."
VALUE = "What a proposer wants; repeat it for the next proposer."
INTERVAL = "Time from one round to the next."
READING = "on a terminal as long as it takes to read, else 0"

run_options = with_options(
    option("Cluster", "-n --num-acceptors", "Number of acceptors.", "N", WholeNumber(1, 10_000), default=5),
    QUORUMS,
    option("Cluster", "-p --acceptor-failure-prob", FAILS, "P", Number(0, 1), default=0.1),
    option("Cluster", "--value", VALUE, "TEXT", multiple=True, show_default="an emoji"),
    *[network_option(field, NETWORK_KINDS[field.name]) for field in fields(Network)],
    option("Run", "-c --rounds", "Stop after N rounds.", "N", WholeNumber(1, 10**9), show_default="endless"),
    option("Run", "--until", UNTIL, "WHAT", click.Choice(WANTED)),
    option("Run", "-i --interval", INTERVAL, "SECONDS", Number(0, 86_400), show_default=READING),
    option("Run", "--seed", "Replay the run that had this seed.", "INT", WholeNumber()),
    option("Run", "--round", "With --seed: replay only round K.", "K", WholeNumber(1, 10**9)),
    option("Output", "-q --quiet", "Show only the header and the summary.", is_flag=True),
    *VIEWS.values(),
    click.version_option(__version__, message="%(prog)s %(version)s", cls=Option, group="Other"),
)


story_views = with_options(VIEWS["diagram"], VIEWS["json"])
"""The views of a story, for commands without rounds."""


def one_view(options: Mapping[str, Any]) -> str | None:
    """Return the name of the view that is asked for, if any; raise click.UsageError for more than one."""
    given = [name for name in VIEWS if options.get(name)]
    if len(given) > 1:
        raise click.UsageError(f"--{given[0]} and --{given[1]} exclude each other: choose one.")
    return given[0] if given else None


def check_values(values: tuple[str, ...], num_proposers: int) -> None:
    """Raise click.UsageError for an empty value, and for more values than proposers."""
    if "" in values:
        raise click.UsageError("--value: a value must not be empty.")
    if (number := len(values)) > num_proposers:
        raise click.UsageError(f"{number} values need as many proposers: add --num-proposers {number}.")


def by_name(*options: Callable[[Any], Any]) -> dict[str, click.Parameter]:
    """Return options by name, for commands that have some of them; of two with one name, the later one counts."""
    return {str(param.name): param for param in click.command(with_options(*options)(lambda: None)).params}


def size(names: str, words: str, metavar: str, least: int, default: str) -> Callable[[F], F]:
    """Return an option for a number up to 9, which is None unless it is given."""
    return option("Cluster", names, words, metavar, WholeNumber(least, 9), show_default=default)


def size_options(max_attempts: int) -> Callable[[F], F]:
    """Return the options for the sizes of a cluster to explore; help names ``max_attempts`` as a default."""
    return with_options(
        size("-n --num-acceptors", "Number of acceptors.", "N", 1, "3"),
        QUORUMS,
        size("--num-proposers", "Number of proposers.", "K", 1, "2"),
        size("--max-attempts", "Attempts of each proposer.", "N", 1, str(max_attempts)),
        size("--restarts", "Restarts of each acceptor.", "N", 0, "1"),
    )
