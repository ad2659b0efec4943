"""What the commands with processes of their own share: what they need, what they refuse, and rounds in real time."""

import random
import re
import shlex
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click

from toy_paxos.command.options import F, Number, check_values, one_view, options_of_a_run, shortened
from toy_paxos.command.process import say, set_up
from toy_paxos.command.show import Pace, show
from toy_paxos.command.story_file import StoryFile
from toy_paxos.event import Violation
from toy_paxos.proposer import Proposer
from toy_paxos.remote import MOST, PACKAGES
from toy_paxos.round import Round, Statistics
from toy_paxos.safety import ALWAYS, LEARNED_CHOSEN, LEARNERS_AGREE, ONE_VALUE, PROMISES_RISE, watch
from toy_paxos.settings import Settings
from toy_paxos.simulation import different_values
from toy_paxos.story import Story
from toy_paxos.view.views import Silence, story_of, view_of

RUN = options_of_a_run()


class Refused(click.ClickException):
    """Something that is not of this command line is not as it has to be."""

    exit_code = 2


class Unanswered(click.ClickException):
    """No acceptor has answered in a whole run, so it says nothing about Paxos."""

    exit_code = 4


class NotInstalled(Refused):
    """Something is not installed, and a command installs it; a terminal shows that in one piece, to be copied."""

    def __init__(self, words: str, command: str) -> None:
        super().__init__(f"{words}: {command}")
        self.command = command


def needs(module: str) -> None:
    """Raise NotInstalled if a module cannot be imported because the extra is not installed, or too old."""
    try:
        import_module(f"toy_paxos.remote.{module}")
    except Exception as error:
        # An old protobuf raises an exception that is not an ImportError.
        words = f"{str(error).rstrip('.')}; install what this command needs"
        raise NotInstalled(words, f"{installer()} {shlex.join(PACKAGES)}") from error


def needs_posix(what: str) -> None:
    """Raise Refused on a system without POSIX locks; it has no pipes to wait for either, and few signals."""
    try:
        import fcntl  # noqa: F401
    except ImportError as error:
        raise Refused(f"{what} needs a POSIX system, such as Linux or macOS") from error


def installer() -> str:
    """Return the beginning of the command that installs packages for this program, however it was installed itself."""
    environment, python = Path(sys.prefix), shlex.quote(sys.executable)
    if (environment / "pipx_metadata.json").exists():
        return f"pipx inject {environment.name}"
    if find_spec("pip"):
        return f"{python} -m pip install"
    if shutil.which("uv"):
        return f"uv pip install --python {python}"
    return f"python3 -m pip --python {python} install"


@contextmanager
def refusing() -> Iterator[None]:
    """Say in a line what a process cannot start with."""
    from toy_paxos.remote import CannotError

    try:
        yield
    except CannotError as error:
        raise Refused(str(error)) from error


class Name(click.ParamType[str]):
    """The name of an acceptor."""

    name = "name"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the name; raise click.BadParameter if no acceptor is called so."""
        kind, _, number = value.partition("-")
        if kind != "acceptor" or number not in map(str, range(MOST)):
            raise click.BadParameter(f"{shortened(value)} is none of acceptor-0 to acceptor-{MOST - 1}.", ctx, param)
        return value


class Place(click.ParamType[tuple[str, str]]):
    """An acceptor and its address."""

    name = "place"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        """Return name and address; raise click.BadParameter if that is not what is given."""
        name, separator, address = value.partition("=")
        if not separator:
            raise click.BadParameter(f"{shortened(value)} is not of the form acceptor-0=HOST:PORT.", ctx, param)
        return Name().convert(name, param, ctx), check_address(address, param, ctx)


class Address(click.ParamType[str]):
    """A host and a port."""

    name = "address"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the address; raise click.BadParameter if it is none."""
        return check_address(value, param, ctx)


class Root(click.ParamType[str]):
    """Where a ZooKeeper is, and perhaps the node below which all is to stand."""

    name = "root"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the place; raise click.BadParameter if it is none."""
        address, _, root = value.partition("/")
        check_address(address, param, ctx)
        if not re.fullmatch(r"(?:(?!\.{1,2}(?:/|$))[\w.-]+(?:/|$))*", root):
            words = "is not a path of nodes, whose names are letters, digits, -, _ and ."
            raise click.BadParameter(f"{shortened(root)} {words}", ctx, param)
        return value


def check_address(value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
    """Return what is a host and a port; raise click.BadParameter for anything else."""
    host, _, port = value.rpartition(":")
    if not re.fullmatch(r"[\w.-]+|\[[\da-fA-F:.]+(?:%[\w.-]+)?\]", host) or port not in map(str, range(65536)):
        raise click.BadParameter(f"{shortened(value)} is not of the form HOST:PORT.", ctx, param)
    return value


FORGETFUL = click.option("--forgetful", is_flag=True, help="Keep nothing but in memory: that loses agreement.")
LOG = click.option("--log", type=click.Path(path_type=Path), metavar="FILE", help="Write what happens, for verify.")
TIMEOUT = click.option(
    "--timeout",
    type=Number(0.1, 3_600_000),
    metavar="MS",
    default=1000.0,
    help="How long a proposer waits for an answer.",
)
ZOOKEEPER = click.option("--zookeeper", type=Root(), metavar="HOST:PORT[/ROOT]", help="Where addresses are registered.")

RUN_OPTIONS = [
    RUN[name]
    for name in ("value", "backoff", "max_attempts", "rounds", "interval", "quiet", "diagram", "brief", "json")
]

PEM = click.Path(exists=True, dir_okay=False, path_type=Path)


def security(command: F) -> F:
    """Give a command the options that say who one is, and whom to trust."""
    for add in (
        click.option("--tls-ca", type=PEM, metavar="FILE", help="Certificate of who has signed those of all others."),
        click.option("--tls-key", type=PEM, metavar="FILE", help="Private key of this process."),
        click.option("--tls-cert", type=PEM, metavar="FILE", help="Certificate of this process."),
    ):
        command = add(command)
    return command


def zookeeper_auth(command: str) -> Callable[[F], F]:
    """Return the option for the password of a command, the only one that the environment can set.

    Every user of a machine can read the arguments of its processes.
    """
    return click.option(
        "--zookeeper-auth",
        metavar="USER:PASSWORD",
        default="",
        envvar=f"TOY_PAXOS_{command}_ZOOKEEPER_AUTH",
        show_envvar=True,
        show_default=False,
        help="Owner of the nodes in ZooKeeper.",
    )


def certificates_in(options: Mapping[str, Any]) -> Any:
    """The certificates that are given, if any; raises click.UsageError, CertificateError."""
    from toy_paxos.remote.rpc import Certificates

    files = [options[name] for name in ("tls_cert", "tls_key", "tls_ca")]
    if not any(files):
        return None
    if not all(files):
        raise click.UsageError("--tls-cert, --tls-key and --tls-ca belong together: give all three.")
    return Certificates(*files)


def directory_at(place: str, options: Mapping[str, Any], stop: Callable[[Exception], Any] | None = None) -> Any:
    """The registry at a ZooKeeper; ``stop`` is told what cannot be mended, and without it that is noted."""
    needs("zookeeper")
    from toy_paxos.remote.zookeeper import Registry

    auth = options["zookeeper_auth"]
    if auth and not (all(auth.partition(":")) and auth.isprintable()):
        raise click.UsageError("--zookeeper-auth is not of the form USER:PASSWORD.")
    return Registry(place, auth, stop, None if stop else lambda words: say(f"toy-paxos: {words}"))


def form_of(options: Mapping[str, Any]) -> str | None:
    """The view that is asked for, if any; raises click.UsageError if there is more than one."""
    return one_view(**{name: options[name] for name in ("diagram", "brief", "json")})


def patience_in(options: Mapping[str, Any]) -> dict[str, Any]:
    """How patient proposers are."""
    return {name: options[name] for name in ("timeout", "backoff", "max_attempts")}


def check_texts(values: tuple[str, ...], num_proposers: int) -> None:
    """Refuse values that cannot be sent; raises click.UsageError."""
    from toy_paxos.remote.limits import text

    check_values(values, num_proposers)
    for value in values:
        try:
            text(value)
        except ValueError as error:
            raise click.UsageError(
                f"--value {shortened(value)} cannot be sent: it is too long, or no UTF-8."
            ) from error


def new_run() -> int:
    """A number that no other run has, but for an accident."""
    return random.SystemRandom().getrandbits(48) + 1


@dataclass
class RealRun:
    """A run in real time: which proposers of it are here, and where they find the acceptors.

    ``logs`` has the number of each proposer here, and the file that it writes, if any. ``is_alone`` if nobody else can
    have proposed in it; ``checks`` raise if it cannot go on.
    """

    number: int
    settings: Settings
    addresses: Mapping[str, str]
    logs: Mapping[int, Path | None]
    is_alone: bool
    checks: Sequence[Callable[[], None]] = ()
    trouble: Exception | None = field(default=None, init=False)
    answered: bool = field(default=False, init=False)

    def show(
        self,
        form: str | None,
        options: Mapping[str, Any],
        output: StoryFile | None = None,
        certificates: Any = None,
        rule: str | None = None,
        change: str = "",
    ) -> None:
        """Play rounds, and show them as any others.

        Once all is shown, raises CannotError if they cannot go on, and Unanswered if no acceptor has answered.
        """
        from toy_paxos.remote.records import Log
        from toy_paxos.remote.rpc import Client

        set_up(utf_8=options["json"] or bool(output and output.is_output))
        num_acceptors, num_proposers = self.settings.num_acceptors, self.settings.num_proposers
        about = {"run": self.number, "num_acceptors": num_acceptors, "num_proposers": num_proposers}
        logs = {at: Log(path, self.settings.configuration.proposers[at], **about) for at, path in self.logs.items()}
        client = Client(self.addresses, certificates)
        pace = Pace.of(options["rounds"], options["interval"], options["quiet"])
        try:
            rounds = self.until_trouble(self.rounds(client, logs))
            silent = output and output.is_output
            view = Silence() if silent else view_of(self.settings, form, rule, change)
            show(rounds, Statistics(self.settings), view, pace, lambda finished: self.keep(output, finished, change))
        finally:
            client.close()
        if self.trouble:
            raise self.trouble
        if not self.answered:
            words = "check that they run, their addresses and certificates, and --timeout"
            raise Unanswered(f"no acceptor has answered: {words}")

    def keep(self, output: StoryFile | None, finished: Round, change: str) -> None:
        """Write a round into a file, if that is asked for."""
        if output:
            output.write(story_of(self.settings, finished, change=change))

    def until_trouble(self, rounds: Iterator[Round]) -> Iterator[Round]:
        """The rounds, until they cannot go on; what the trouble is, is noted."""
        from toy_paxos.remote import CannotError

        try:
            yield from rounds
        except CannotError as error:
            self.trouble = error

    def rounds(self, client: Any, logs: Mapping[int, Any]) -> Iterator[Round]:
        """Endless rounds; if others play a newer one already, it goes on there."""
        from toy_paxos.remote import CannotError
        from toy_paxos.remote.limits import LARGEST
        from toy_paxos.remote.merge_logs import ContradictionError, merge_logs
        from toy_paxos.remote.real_round import Patience, RealRound

        num_proposers = self.settings.num_proposers
        configuration = self.settings.configuration
        network = self.settings.network
        assert network
        patience, draw = Patience(network.timeout, network.backoff, network.max_attempts), random.SystemRandom().random
        # What others want is not known here.
        always = ALWAYS if self.is_alone else (ONE_VALUE, LEARNED_CHOSEN, LEARNERS_AGREE, PROMISES_RISE)
        number = 1
        while True:
            wants = different_values(self.settings.values, len(logs), draw)
            proposers = [
                (Proposer(configuration.proposers[at], value, configuration.acceptors, at + 1, num_proposers), log)
                for (at, log), value in zip(logs.items(), wants, strict=True)
            ]
            round = RealRound(client, self.number, number, proposers, patience, draw)
            told, events = round.play(), []
            # An acceptor that no longer keeps this round tells only which one is the newest.
            self.answered |= bool(round.handled) or round.newest > number
            try:
                for event in watch(merge_logs(told), configuration, always):
                    events.append(event)
                    if isinstance(event, Violation):
                        break
            except ContradictionError as error:
                raise CannotError(f"round {number}: {error}: is there a clock that was set back?") from error
            yield Round.told(number, Story(configuration, events))
            number = max(number + 1, round.newest)
            if number > LARGEST:
                raise CannotError(f"run {self.number} has come to the last round that there is: begin another one")
            for check in self.checks:
                check()
