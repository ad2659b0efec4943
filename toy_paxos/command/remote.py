"""Shared parts of the commands for real processes: options, errors, and rounds in real time."""

import os
import random
import re
import shlex
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click

from toy_paxos.command.actors import actor_options
from toy_paxos.command.guard import guard_user_code
from toy_paxos.command.options import Number, Refused, WholeNumber, by_name, one_view, option, run_options, shortened
from toy_paxos.command.process import POSIX, say
from toy_paxos.command.show import Pace, show
from toy_paxos.command.story_file import check_file
from toy_paxos.event import LOST, Delivery, Violation
from toy_paxos.remote import MOST, PACKAGES, ZOOKEEPER_AUTH, CannotError
from toy_paxos.round import Round, Statistics
from toy_paxos.rules import Onlooker
from toy_paxos.safety import ALWAYS, PROPOSED, watch
from toy_paxos.settings import Settings
from toy_paxos.simulation import different_values
from toy_paxos.story import Story

UNANSWERED = "no acceptor has answered: check that they run, and check their addresses, certificates and --timeout"


class Unanswered(Refused):
    """No acceptor answered in a whole run, so the run shows nothing about Paxos."""

    exit_code = 4


@contextmanager
def refusing() -> Iterator[None]:
    """Turn CannotError into Refused, which says in one line why a process cannot start or go on."""
    try:
        yield
    except CannotError as error:
        raise Refused(str(error)) from error


def needs(module: str) -> None:
    """Raise Refused if a module cannot be imported because a package of the extra is missing or too old."""
    try:
        import_module(f"toy_paxos.remote.{module}")
    except Exception as error:
        # An old protobuf raises an exception that is not an ImportError.
        command = f"{installer()} {shlex.join(PACKAGES)}"
        raise Refused(f"{str(error).rstrip('.')}; install what this command needs: {command}") from error


def needs_posix(what: str) -> None:
    """Raise Refused on a system without POSIX signals, locks, and waiting for pipes."""
    if not POSIX:
        raise Refused(f"{what} needs a POSIX system, such as Linux or macOS")


def installer() -> str:
    """Return the beginning of the command that installs packages for this program."""
    python = shlex.quote(sys.executable)
    return f"{python} -m pip install" if find_spec("pip") else f"uv pip install --python {python}"


# Options


def address(value: str) -> str:
    """Return a host and a port; raise click.BadParameter for anything else."""
    host, _, port = value.rpartition(":")
    if not re.fullmatch(r"[\w.-]+|\[[\da-fA-F:.]+(?:%[\w.-]+)?\]", host) or port not in map(str, range(65536)):
        raise click.BadParameter(f"{shortened(value)} is not of the form HOST:PORT.")
    return value


def acceptor_name(value: str) -> str:
    """Return the name of an acceptor; raise click.BadParameter for anything else."""
    kind, _, number = value.partition("-")
    if kind != "acceptor" or number not in map(str, range(MOST)):
        raise click.BadParameter(f"{shortened(value)} is not one of acceptor-0 to acceptor-{MOST - 1}.")
    return value


def acceptor_at(value: str) -> tuple[str, str]:
    """Return the name and the address of an acceptor; raise click.BadParameter for anything else."""
    name, separator, place = value.partition("=")
    if not separator:
        raise click.BadParameter(f"{shortened(value)} is not of the form acceptor-0=HOST:PORT.")
    return acceptor_name(name), address(place)


def zookeeper_root(value: str) -> str:
    """Return the address of a ZooKeeper, perhaps with a path of nodes; raise click.BadParameter for anything else."""
    places, _, root = value.partition("/")
    for place in places.split(","):
        address(place)
    if not re.fullmatch(r"(?:(?!\.{1,2}(?:/|$))[\w.-]+(?:/|$))*", root):
        words = "is not a path of nodes, whose names are letters, digits, -, _ and ."
        raise click.BadParameter(f"{shortened(root)} {words}")
    return value


PASSWORD_HELP = f"The environment can hold a password for it: {ZOOKEEPER_AUTH}=USER:PASSWORD."

OPTIONS = by_name(
    run_options,
    actor_options("Cluster"),
    option(
        "Cluster", "-n --num-acceptors", "Number of acceptors, each a process.", "N", WholeNumber(1, MOST), default=5
    ),
    option("Run", "--round", "Play K rounds, and show only round K.", "K", WholeNumber(1, 10**9)),
    option("Output", "--log", "Write what happens, for verify.", "FILE", click.Path(path_type=Path)),
    option(
        "Network", "--timeout", "How long a proposer waits for an answer.", "MS", Number(0.1, 3_600_000), default=1000.0
    ),
    option(
        "Network",
        "--zookeeper",
        f"Where addresses are registered. {PASSWORD_HELP}",
        "HOST:PORT,...[/ROOT]",
        zookeeper_root,
    ),
    option(
        "Network",
        "--tls",
        "Folder with cert.pem and key.pem of this process, and ca.pem, which signed all certificates.",
        "DIR",
        click.Path(exists=True, file_okay=False, path_type=Path),
    ),
)

for name in ("num_proposers", "backoff"):
    # Nothing is simulated here.
    OPTIONS[name].group = "Network"  # type: ignore[attr-defined]


def options(*names: str) -> list[click.Parameter]:
    """Return the options of these names."""
    return [OPTIONS[name] for name in names]


EXIT_STATUS = """\b
Exit status:
  0    all rounds done, or Ctrl-C in an endless run
  1    the output cannot be written
  2    wrong usage, or it cannot start or go on
  3    safety violated; the run shows where
  4    no acceptor has answered
  130  Ctrl-C before the last of --rounds; 143 SIGTERM; 141 closed pipe"""

RUN_OPTIONS = options("rounds", "round", "timeout", "quiet", "diagram", "brief", "json")


def form_of(options: Mapping[str, Any]) -> str | None:
    """Return the view that is asked for, if any; raise click.UsageError for options that contradict each other."""
    if options["round"] and options["rounds"]:
        raise click.UsageError("--round K ends the run after round K: leave out --rounds.")
    check_file(options["output"], options["force"], 1 if options["round"] else options["rounds"])
    return one_view(options)


def directory_at(place: str, stop: Callable[[CannotError], Any], is_silent: bool = False, is_new: bool = False) -> Any:
    """Return the registry at a ZooKeeper, perhaps that of a new cluster.

    It calls ``stop`` with an error after which the process cannot go on.
    """
    needs("zookeeper")
    from toy_paxos.remote.zookeeper import Registry

    auth = os.environ.get(ZOOKEEPER_AUTH, "")
    if auth and not (all(auth.partition(":")) and auth.isprintable()):
        raise Refused(f"{ZOOKEEPER_AUTH} is not of the form USER:PASSWORD")
    return Registry(place, auth, stop, lambda words: None if is_silent else say(f"toy-paxos: {words}"), is_new)


def found_by(zookeeper: str | None) -> str:
    """Return how a run finds its acceptors, in words."""
    return f"addresses from ZooKeeper at {zookeeper}" if zookeeper else "addresses handed over directly"


def new_run(newest: int = 0) -> int:
    """Return a random number above that of the newest run; two runs are unlikely to get the same one."""
    return newest + 1 + random.SystemRandom().getrandbits(40)


@dataclass
class RealRun:
    """A run in real time. It closes the ``client`` of its acceptors at the end.

    ``logs`` maps the number of each proposer in this process to the file of its log, if it writes one. ``is_alone``
    says whether all proposers are in this process. The run ends when there is an error in ``troubles``, or when the
    ``cluster`` of its acceptors ends, if they are on this machine; ``at_the_end`` ends that cluster.
    """

    number: int
    settings: Settings
    client: Any
    logs: Mapping[int, Path | None]
    is_alone: bool
    troubles: list[CannotError] = field(default_factory=list)
    cluster: Any = None
    at_the_end: ExitStack = field(default_factory=ExitStack)
    answered: bool = False

    def show(self, form: str | None, options: Mapping[str, Any], rule: str | None = None, change: str = "") -> None:
        """Play rounds, and show them.

        At the end, raises CannotError if a trouble stopped them, and Unanswered if no acceptor has answered.
        """
        from toy_paxos.remote.records import Log

        only = options["round"]
        about = {"run": self.number, **self.settings.configuration.sizes}
        logs = {at: Log(path, self.settings.configuration.proposers[at], **about) for at, path in self.logs.items()}
        pace = Pace.of(only or options["rounds"], None, options["quiet"], first_shown=only or 1)
        try:
            rounds = self.rounds(logs, only, is_endless=pace.num_rounds is None)
            show(rounds, Statistics(self.settings), pace, form, options["output"], rule, change)
        finally:
            self.client.close()
        troubles = [*self.troubles]
        # Closing may cause other troubles, which do not matter.
        self.at_the_end.close()
        if self.cluster and self.cluster.failure:
            raise CannotError(self.cluster.failure)
        for error in troubles:
            raise error
        if not self.answered:
            raise Unanswered(UNANSWERED)

    def rounds(self, logs: Mapping[int, Any], last: int | None, is_endless: bool) -> Iterator[Round]:
        """Yield rounds up to the last one or a trouble; if other processes play a newer round, go on with that."""
        from toy_paxos.remote.limits import LARGEST

        number = 1
        try:
            while not self.troubles:
                finished, newest = self.play(logs, number)
                yield finished
                if is_endless and number == 1 and not (self.answered or self.cluster):
                    say(f"toy-paxos: {UNANSWERED}")
                if last and number >= last:
                    return
                number = max(number + 1, newest)
                if number > LARGEST:
                    raise CannotError(f"run {self.number} has played the last possible round: begin another run")
                if self.cluster:
                    self.cluster.check()
        except CannotError as error:
            self.troubles.append(error)

    def play(self, logs: Mapping[int, Any], number: int) -> tuple[Round, int]:
        """Play a round; return it, and the number of the newest round that an acceptor knows."""
        from toy_paxos.remote.merge_logs import merge_logs
        from toy_paxos.remote.real_round import Party, RealRound

        settings, draw = self.settings, random.SystemRandom().random
        configuration = settings.configuration
        proposers, acceptors, keywords = configuration.proposers, configuration.acceptors, configuration.for_proposers
        assert settings.network
        wishes = different_values(settings.values, len(logs), draw)
        parties = [
            Party(settings.proposer(proposers[at], value, acceptors, at + 1, len(proposers), **keywords), value, log)
            for (at, log), value in zip(logs.items(), wishes, strict=True)
        ]
        round = RealRound(self.client, self.number, number, configuration, parties, settings.network, draw)
        if self.cluster:
            round.changes = self.cluster.changes
        with guard_user_code() if settings.actors else nullcontext():
            told = round.play()
        merged = [*merge_logs(told, number, "does one folder serve two acceptors?")]
        # An acceptor that has dropped this round only reports the number of the newest one.
        self.answered |= bool(round.handled) or round.newest > number
        if round.newest_run > self.number and not round.handled:
            words = f"choose a --run above {round.newest_run}, or leave it out"
            self.troubles.append(CannotError(f"run {self.number} is over for the acceptors: {words}"))
        # This process does not know what proposers in other processes want.
        always = [property for property in ALWAYS if self.is_alone or property is not PROPOSED]
        events = []
        for event in watch(merged, settings.configuration, always):
            events.append(event)
            if isinstance(event, Violation):
                break
        if settings.actors and self.is_alone:
            onlooker = Onlooker(configuration)
            # An acceptor may have received a request that got no answer.
            for event in merged:
                if isinstance(event, Delivery) and event.fate is LOST:
                    onlooker.after(Delivery(event.time, event.message))
            events = [*onlooker.told(events)]
        return Round.told(number, Story(settings.configuration, events)), round.newest
