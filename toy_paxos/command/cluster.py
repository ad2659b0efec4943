"""The command ``toy-paxos cluster``: all processes of a cluster on this machine."""

import os
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Literal

import click

from toy_paxos.command.options import Command, Number
from toy_paxos.command.propose import HANDED_OVER
from toy_paxos.command.remote import (
    FORGETFUL,
    RUN,
    RUN_OPTIONS,
    TIMEOUT,
    NotInstalled,
    RealRun,
    Root,
    check_texts,
    directory_at,
    form_of,
    needs,
    needs_posix,
    new_run,
    patience_in,
    refusing,
    zookeeper_auth,
)
from toy_paxos.command.story_file import StoryFile, check_file, file_options
from toy_paxos.remote import MOST
from toy_paxos.settings import Network, Settings
from toy_paxos.story import Configuration


class Own(Root):
    """The address of a ZooKeeper, or ``local`` for one of our own."""

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the address; raise click.BadParameter if it is none."""
        return value if value == "local" else super().convert(value, param, ctx)


@click.command(
    cls=Command,
    params=[
        *(RUN[name] for name in ("num_acceptors", "acceptor_failure_prob", "num_proposers", "failure_mode")),
        *RUN_OPTIONS,
    ],
    context_settings={"show_default": True},
    epilog="""\b
Exit status:
  0    all rounds done, or Ctrl-C in an endless run
  1    the output cannot be written
  2    wrong usage, or the cluster cannot start or go on
  3    safety violated; the run shows where
  4    no acceptor has answered
  130  Ctrl-C before the last of --rounds; 143 SIGTERM; 141 closed pipe""",
)
@click.option(
    "--kill-every", type=Number(0.05, 3600), metavar="SECONDS", help="Kill an acceptor that often, and start it again."
)
@FORGETFUL
@click.option(
    "--zookeeper", type=Own(), metavar="WHERE", help="Register at HOST:PORT[/ROOT], or at one started here: local."
)
@zookeeper_auth("CLUSTER")
@click.option(
    "--log", type=click.Path(path_type=Path), metavar="DIR", help="Write what happens, a file for each process."
)
@TIMEOUT
@file_options
def cluster_command(
    num_acceptors: int,
    num_proposers: int,
    acceptor_failure_prob: float,
    failure_mode: Literal["reply", "silent"],
    value: tuple[str, ...],
    kill_every: float | None,
    forgetful: bool,
    zookeeper: str | None,
    log: Path | None,
    output: StoryFile | None,
    force: bool,
    **options: Any,
) -> None:
    """Run a cluster of real processes on this machine.

    \b
      toy-paxos cluster --num-acceptors 5 --acceptor-failure-prob 0.2
    Acceptors that forget lose agreement, as a rule within seconds:
      toy-paxos cluster -n 3 -p 0 --num-proposers 2 --kill-every 0.2 --backoff 1000 --forgetful
    """
    needs_posix("cluster")
    needs("rpc")
    from toy_paxos.remote.store import usable
    from toy_paxos.remote.supervisor import LocalCluster

    check_file(output, force, options["rounds"])
    form = form_of(options)
    if num_acceptors > MOST:
        raise click.UsageError(f"--num-acceptors {num_acceptors}: each acceptor is a process; the limit is {MOST}.")
    check_texts(value, num_proposers)
    if zookeeper == "local":
        needs_local_zookeeper()
    network = Network(num_proposers, failure_mode, **patience_in(options))
    configuration = Configuration.of(num_proposers, num_acceptors)
    proposers, acceptors = {name: at for at, name in enumerate(configuration.proposers)}, [*configuration.acceptors]
    rule, change = (FORGETS, CHANGE) if forgetful else (None, "")
    with refusing(), ExitStack() as at_the_end:
        if log:
            with usable(log):
                log.mkdir(parents=True, exist_ok=True)
        directory = None
        if zookeeper and zookeeper != "local":
            zookeeper = f"{zookeeper.rstrip('/')}/{TEMPORARY}-{new_run()}"
            directory = directory_at(zookeeper, options)
            at_the_end.callback(directory.remove)
        common = ["--acceptor-failure-prob", str(acceptor_failure_prob), "--failure-mode", failure_mode]
        common += ["--forgetful"] * forgetful
        commands = {name: acceptor(name, common, forgetful, zookeeper, log) for name in acceptors}
        cluster = LocalCluster(commands, kill_every, zookeeper == "local", environment(options["zookeeper_auth"]))
        addresses = at_the_end.enter_context(cluster)
        if zookeeper == "local":
            zookeeper = cluster.zookeeper
            directory = directory_at(zookeeper, options)
            at_the_end.callback(directory.close)
        number = directory.take_part(None, acceptors, list(proposers), num_proposers) if directory else new_run()
        found = f"addresses from ZooKeeper at {zookeeper}" if directory else HANDED_OVER
        place = f"processes on this machine, {found}, run {number}"
        checks = [cluster.check, *([directory.check_trouble] if directory else [])]
        settings = Settings(num_acceptors, acceptor_failure_prob, None, value, network, place=place)
        logs = {at: log_file(log, name) for name, at in proposers.items()}
        real = RealRun(number, settings, directory.addresses if directory else addresses, logs, True, checks)
        real.show(form, options, output, None, rule, change)


def needs_local_zookeeper() -> None:
    """Raise NotInstalled if no ZooKeeper can be started here."""
    from toy_paxos.remote import local_zookeeper

    if not local_zookeeper.is_installed():
        command = f"apt-get install --no-install-recommends {local_zookeeper.PACKAGES}"
        raise NotInstalled("ZooKeeper is not installed", command)


# The rule that is left out, as a check names it.
FORGETS = "forgets-all"
CHANGE = f"Changed rule, {FORGETS}: An acceptor forgets everything when it restarts."

# What the node is called below which a cluster stands that is there for as long as this command.
TEMPORARY = "cluster"


def environment(auth: str) -> dict[str, str]:
    """Return the environment of the acceptors, with the password for ZooKeeper."""
    ours = dict(os.environ)
    package = Path(__file__).parents[1]
    if Path(sys.path[0]) == package.parent:
        # It was found in the present folder, where the others do not look.
        ours["PYTHONPATH"] = os.pathsep.join([str(package.parent), *filter(None, [ours.get("PYTHONPATH")])])
    # Not as an argument, which everybody can read.
    return ours | {"TOY_PAXOS_ACCEPTOR_ZOOKEEPER_AUTH": auth}


def acceptor(name: str, common: list[str], forgetful: bool, zookeeper: str | None, log: Path | None) -> list[str]:
    """The command that starts an acceptor, with placeholders that the supervisor replaces."""
    from toy_paxos.remote.supervisor import FOLDER, PYTHON, ZOOKEEPER

    command = [*PYTHON, "-m", "toy_paxos", "acceptor", "--name", name, *common]
    if not forgetful:
        command += ["--data-dir", f"{FOLDER}/{name}"]
    if zookeeper:
        command += ["--zookeeper", ZOOKEEPER if zookeeper == "local" else zookeeper]
    if log:
        command += ["--log", str(log_file(log.absolute(), name))]
    return command


def log_file(folder: Path | None, name: str) -> Path | None:
    """Where a process of a cluster writes what happens, if anywhere."""
    return folder and folder / f"{name}.jsonl"
