"""The command ``toy-paxos propose``: one proposer process."""

from pathlib import Path
from typing import Any

import click

from toy_paxos.command.options import Command, WholeNumber
from toy_paxos.command.remote import (
    LOG,
    RUN,
    RUN_OPTIONS,
    TIMEOUT,
    ZOOKEEPER,
    Place,
    RealRun,
    certificates_in,
    check_texts,
    directory_at,
    form_of,
    needs,
    needs_posix,
    new_run,
    patience_in,
    refusing,
    security,
    zookeeper_auth,
)
from toy_paxos.command.story_file import StoryFile, check_file, file_options
from toy_paxos.remote import MOST
from toy_paxos.settings import Network, Settings
from toy_paxos.story import Configuration


@click.command(
    cls=Command,
    params=[RUN["num_proposers"], *RUN_OPTIONS],
    context_settings={"show_default": True},
    epilog="""\b
Exit status:
  0    all rounds done, or Ctrl-C in an endless run
  1    the output cannot be written
  2    wrong usage, or it cannot start or go on
  3    safety violated; the run shows where
  4    no acceptor has answered
  130  Ctrl-C before the last of --rounds; 143 SIGTERM; 141 closed pipe""",
)
@click.option("--at", type=Place(), multiple=True, metavar="NAME=HOST:PORT", help="Where an acceptor is; repeat it.")
@ZOOKEEPER
@click.option(
    "-n", "--num-acceptors", type=WholeNumber(1, MOST), metavar="N", help="Number of acceptors, with --zookeeper."
)
@click.option("--proposer", type=WholeNumber(0, 78), default=0, metavar="I", help="Which of the K this is, from 0.")
@click.option("--run", type=WholeNumber(1, 2**63 - 1), metavar="R", help="Join a run.  [default: begin one]")
@TIMEOUT
@LOG
@security
@zookeeper_auth("PROPOSE")
@file_options
def propose_command(
    at: tuple[tuple[str, str], ...],
    zookeeper: str | None,
    num_acceptors: int | None,
    num_proposers: int,
    proposer: int,
    run: int | None,
    value: tuple[str, ...],
    log: Path | None,
    output: StoryFile | None,
    force: bool,
    **options: Any,
) -> None:
    """Be a proposer: rounds against such acceptors.

    \b
      toy-paxos propose --at acceptor-0=127.0.0.1:4000
      toy-paxos propose --zookeeper 127.0.0.1:2181 --num-acceptors 5
    """
    if log:
        needs_posix("--log")
    needs("rpc")
    check_file(output, force, options["rounds"])
    form = form_of(options)
    if proposer >= num_proposers:
        raise click.UsageError(f"--proposer {proposer} takes --num-proposers {proposer + 1} or more.")
    if bool(zookeeper) == bool(at) or bool(zookeeper) != bool(num_acceptors):
        raise click.UsageError("give --at for each acceptor, or else --zookeeper and --num-acceptors.")
    addresses = dict(at)
    configuration = Configuration.of(num_proposers, num_acceptors or len(at))
    names = [*configuration.acceptors]
    if at and sorted(addresses) != sorted(names):
        raise click.UsageError(f"--at: name each acceptor from {names[0]} to {names[-1]} exactly once.")
    check_texts(value, 1)
    network = Network(num_proposers, **patience_in(options))
    is_alone = run is None and num_proposers == 1
    with refusing():
        certificates = certificates_in(options)
        if not zookeeper:
            number = run or new_run()
            settings = Settings(len(names), None, None, value, network, place=f"{HANDED_OVER}, run {number}")
            RealRun(number, settings, addresses, {proposer: log}, is_alone).show(form, options, output, certificates)
            return
        directory = directory_at(zookeeper, options)
        try:
            number = directory.take_part(run, names, [configuration.proposers[proposer]], num_proposers)
            place = f"addresses from ZooKeeper at {zookeeper}, run {number}"
            settings = Settings(len(names), None, None, value, network, place=place)
            real = RealRun(number, settings, directory.addresses, {proposer: log}, is_alone, [directory.check_trouble])
            real.show(form, options, output, certificates)
        finally:
            directory.close()


HANDED_OVER = "addresses handed over directly"
