"""The command ``toy-paxos propose``: run one proposer process."""

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click

from toy_paxos.command import remote
from toy_paxos.command.actors import other_actors
from toy_paxos.command.help import Command
from toy_paxos.command.options import WholeNumber, check_quorums, option
from toy_paxos.command.story_file import file_options
from toy_paxos.command.user_code import guarded
from toy_paxos.remote import MOST, CannotError
from toy_paxos.settings import Network, Settings
from toy_paxos.story import Configuration


@click.command(
    cls=Command,
    params=[
        *remote.options("num_proposers", "quorums", "rule_name", "proposer", "zookeeper", "log", "tls"),
        *remote.RUN_OPTIONS,
    ],
    epilog=remote.EXIT_STATUS,
)
@option("Network", "--at", "An acceptor's address; repeatable.", "NAME=HOST:PORT", remote.acceptor_at, multiple=True)
@option("Cluster", "-n --num-acceptors", "Number of acceptors, with --zookeeper.", "N", WholeNumber(1, MOST))
@option("Network", "--index", "Index of this proposer, from 0 to K-1.", "I", WholeNumber(0, 78), default=0)
@option("Run", "--run", "Join a run.", "R", WholeNumber(1, 2**63 - 1), show_default="begin one")
@file_options()
def propose_command(
    at: tuple[tuple[str, str], ...],
    zookeeper: str | None,
    num_acceptors: int | None,
    num_proposers: int,
    index: int,
    run: int | None,
    timeout: float,
    log: Path | None,
    tls: Path | None,
    **options: Any,
) -> None:
    """Run a proposer, which plays rounds with acceptor processes.

    \b
      toy-paxos propose --at acceptor-0=127.0.0.1:4000
      toy-paxos propose --zookeeper 127.0.0.1:2181 --num-acceptors 5 --rounds 1 |
        toy-paxos play --diagram -
    """
    if log:
        remote.needs_posix("--log")
    remote.needs("rpc")
    from toy_paxos.remote.rpc import Certificates, Client

    form = remote.form_of(options)
    ctx = click.get_current_context()
    actors, actors_options, change = other_actors(ctx, form)
    if index >= num_proposers:
        raise click.UsageError(f"--index {index} needs --num-proposers {index + 1} or more.")
    if bool(zookeeper) == bool(at) or bool(zookeeper) != bool(num_acceptors):
        raise click.UsageError("use either --at for each acceptor, or --zookeeper with --num-acceptors.")
    addresses = dict(at)
    configuration = Configuration.of(num_proposers, num_acceptors or len(at))
    names = [*configuration.acceptors]
    check_quorums(options["quorums"], len(names))
    if at and sorted(addresses) != sorted(names):
        words = f"name each acceptor from {names[0]} to {names[-1]} exactly once"
        words = words if len(names) > 1 else f"the only acceptor must be called {names[0]}"
        raise click.UsageError(f"--at: {words}.")
    troubles: list[CannotError] = []
    with remote.refusing(), ExitStack() as at_the_end:
        certificates = Certificates(tls) if tls else None
        if zookeeper:
            directory = remote.directory_at(zookeeper, troubles.append)
            at_the_end.callback(directory.close)
            number = directory.take_part(run, names, [configuration.proposers[index]], num_proposers)
            addresses = directory.addresses
        client = Client(addresses, certificates)
        if not zookeeper:
            number = run or remote.new_run(client.newest_run(timeout / 1000))
        network = Network(num_proposers, timeout=timeout)
        place = f"{remote.found_by(zookeeper)}, run {number}"
        about = {"place": place, "quorums": options["quorums"], "actors": actors_options}
        settings = Settings(len(names), None, None, (), network, **about, **actors)
        settings = guarded(settings) if options["proposer"] else settings
        is_alone = run is None and num_proposers == 1
        remote.RealRun(number, settings, client, {index: log}, is_alone, troubles).show(
            form, options, options["rule_name"], change
        )
