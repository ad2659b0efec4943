"""The command ``toy-paxos cluster``: run all processes of a cluster on this machine."""

import tempfile
from contextlib import ExitStack
from pathlib import Path
from secrets import token_hex
from typing import Any

import click

from toy_paxos.command import remote
from toy_paxos.command.actors import other_actors
from toy_paxos.command.help import Command
from toy_paxos.command.options import Number, Refused, check_quorums, option
from toy_paxos.command.story_file import file_options
from toy_paxos.command.user_code import guarded
from toy_paxos.remote import CannotError
from toy_paxos.settings import Network, Settings
from toy_paxos.story import Configuration


def zookeeper_place(value: str) -> str:
    """Return the address of a ZooKeeper, or ``local`` to start one; raise click.BadParameter for anything else."""
    return value if value == "local" else remote.zookeeper_root(value)


@click.command(
    cls=Command,
    params=[
        *remote.options("num_acceptors", "quorums", "acceptor_failure_prob", "num_proposers", "backoff"),
        *remote.options("rule_name", "acceptor", "proposer"),
        *remote.RUN_OPTIONS,
    ],
    epilog=remote.EXIT_STATUS,
)
@option("Run", "--kill-every", "Kill and restart an acceptor every SECONDS.", "SECONDS", Number(0.05, 3600))
@option(
    "Network",
    "--zookeeper",
    f"Register at HOST:PORT,...[/ROOT], or at one started here: local. {remote.PASSWORD_HELP}",
    "WHERE",
    zookeeper_place,
)
@option("Output", "--log", "Write what happens, a file for each process.", "DIR", click.Path(path_type=Path))
@file_options()
def cluster_command(
    num_acceptors: int,
    num_proposers: int,
    acceptor_failure_prob: float,
    timeout: float,
    backoff: float,
    kill_every: float | None,
    zookeeper: str | None,
    log: Path | None,
    **options: Any,
) -> None:
    """Run a cluster of real processes on this machine.

    \b
      toy-paxos cluster --num-acceptors 5 --acceptor-failure-prob 0.2
    Acceptors that forget usually lose agreement within seconds:
      toy-paxos cluster -n 3 -p 0 --num-proposers 2 --kill-every 0.2 \\
        --backoff 1000 --break forgets-all
    """
    remote.needs_posix("cluster")
    remote.needs("rpc")
    from toy_paxos.remote import local_zookeeper
    from toy_paxos.remote.rpc import Client
    from toy_paxos.remote.store import usable
    from toy_paxos.remote.supervisor import PYTHON, LocalCluster

    form = remote.form_of(options)
    ctx = click.get_current_context()
    actors, actors_options, change = other_actors(ctx, form)
    port = local_zookeeper.free_port() if zookeeper == "local" else None
    if port and not local_zookeeper.is_installed():
        command = f"apt-get install --no-install-recommends {local_zookeeper.PACKAGES}"
        raise Refused(f"ZooKeeper is not installed: {command}")
    check_quorums(options["quorums"], num_acceptors)
    configuration = Configuration.of(num_proposers, num_acceptors)
    acceptors, proposers = [*configuration.acceptors], [*configuration.proposers]
    troubles: list[CannotError] = []
    with remote.refusing(), ExitStack() as at_the_end:
        logs = {}
        if log:
            with usable(log):
                log.mkdir(parents=True, exist_ok=True)
            logs = {name: log.absolute() / f"{name}.jsonl" for name in configuration.names}
        directory = None
        if port:
            zookeeper = f"127.0.0.1:{port}"
        elif zookeeper:
            directory = remote.directory_at(zookeeper, troubles.append, is_new=True)
            at_the_end.callback(directory.remove)
            zookeeper = f"{directory.hosts}{directory.root}"
        folder = f"{tempfile.gettempdir()}/toy-paxos-{token_hex(8)}"
        common = ["--acceptor-failure-prob", str(acceptor_failure_prob)]
        common += ["--break", rule] if (rule := options["rule_name"]) else []
        common += ["--acceptor", ctx.meta["acceptor"]] if options["acceptor"] else []
        common += ["--zookeeper", zookeeper] if zookeeper else []
        commands = {}
        for name in acceptors:
            files = ["--data-dir", f"{folder}/{name}", *(["--log", str(logs[name])] if log else [])]
            commands[name] = [*PYTHON, "-m", "toy_paxos", "acceptor", "--name", name, *files, *common]
        cluster = LocalCluster(folder, commands, kill_every, port)
        at_the_end.callback(cluster.close)
        addresses = cluster.wait()
        if port:
            directory = remote.directory_at(str(zookeeper), troubles.append)
            at_the_end.callback(directory.close)
        number = directory.take_part(None, acceptors, proposers, num_proposers) if directory else remote.new_run()
        place = f"processes on this machine, {remote.found_by(zookeeper)}, run {number}"
        network = Network(num_proposers, timeout=timeout, backoff=backoff)
        about = {"place": place, "quorums": options["quorums"], "actors": actors_options}
        settings = Settings(num_acceptors, acceptor_failure_prob, None, (), network, **about, **actors)
        settings = guarded(settings) if options["proposer"] else settings
        own_logs = {at: logs.get(name) for at, name in enumerate(proposers)}
        client = Client(directory.addresses if directory else addresses, None)
        run = remote.RealRun(number, settings, client, own_logs, True, troubles, cluster, at_the_end)
        run.show(form, options, rule, change)
