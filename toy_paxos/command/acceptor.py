"""The command ``toy-paxos acceptor``: run one acceptor process."""

import os
import random
import time
from functools import partial
from pathlib import Path
from signal import SIGTERM
from typing import Any, NoReturn

import click

from toy_paxos.acceptor import Acceptor
from toy_paxos.command import remote
from toy_paxos.command.actors import at_fault, other_actors
from toy_paxos.command.help import Command
from toy_paxos.command.options import Refused, option
from toy_paxos.command.process import StopRequest, die_by, say, set_up, write
from toy_paxos.event import plural
from toy_paxos.remote import CannotError

ANY_PORT = "127.0.0.1:0"
FOLDER = click.Path(file_okay=False, path_type=Path)


@click.command(
    cls=Command,
    params=remote.options("acceptor_failure_prob", "zookeeper", "log", "tls", "rule_name", "acceptor"),
    context_settings={"default_map": {"acceptor_failure_prob": 0.0}},
    epilog="""\b
Exit status:
  0    Ctrl-C
  1    it cannot write, or has lost its place in ZooKeeper
  2    wrong usage, it cannot start, or your own actor fails
  143  SIGTERM; 141 closed pipe""",
)
@option("Acceptor", "--name", "Name of the acceptor, such as acceptor-0.", "NAME", remote.acceptor_name, required=True)
@option("Acceptor", "--data-dir", "Folder for its promises and accepted proposals.", "DIR", FOLDER, required=True)
@option("Network", "--listen", "Its address; port 0: any free one.", "HOST:PORT", remote.address, default=ANY_PORT)
@option("Network", "--insecure", "Listen beyond this machine without certificates.", is_flag=True)
def acceptor_command(
    name: str,
    data_dir: Path,
    listen: str,
    zookeeper: str | None,
    log: Path | None,
    tls: Path | None,
    insecure: bool,
    acceptor_failure_prob: float,
    **others: Any,
) -> None:
    """Run an acceptor until Ctrl-C.

    It prints its address.

    \b
      toy-paxos acceptor --name acceptor-0 --data-dir a0
    """
    remote.needs_posix("acceptor")
    remote.needs("rpc")
    from toy_paxos.remote.records import Log
    from toy_paxos.remote.rpc import Certificates, Server, is_loopback
    from toy_paxos.remote.saved import Maker
    from toy_paxos.remote.service import Service
    from toy_paxos.remote.store import Store

    ctx = click.get_current_context()
    actors, _, _ = other_actors(ctx)
    kind = actors.get("acceptor", Acceptor)
    stop_now = partial(stop_at_once, name, kind)
    with remote.refusing():
        certificates = Certificates(tls) if tls else None
        if not (is_loopback(listen) or certificates or insecure):
            raise Refused(f"other machines can reach {listen}: add --tls, or --insecure")
        if zookeeper and listen.startswith(("0.0.0.0:", "[::]:")):
            raise Refused(f"no proposer can find an acceptor at {listen}: listen at an address of this machine")
        set_up(False)
        directory = remote.directory_at(zookeeper, stop_now, is_silent=True) if zookeeper else None
        try:
            maker = Maker(kind, name)
            store = Store(data_dir, name, directory.cluster if directory else "", maker.restarted)
        except CannotError:
            raise
        except Exception as error:
            raise at_fault("an actor fails", error, kind) from error
        if directory:
            directory.claim(name, store.identity)
        draw = random.SystemRandom().random
        service = Service(maker, store, Log(log, name), acceptor_failure_prob, draw, stop_now)
        server = Server(listen, service.receive, certificates)
        if directory:
            directory.register(name, server.address)
    stop = StopRequest(on_quit=lambda: f"{name}: {plural(service.step, 'message')}", waiting_for=name)
    write(f"{name} listens at {server.address}\n")
    while not stop.signal:
        stop.wait(until=time.monotonic() + 3600)
    server.stop()
    if directory:
        directory.close()
    stop.close()
    if stop.signal == SIGTERM:
        die_by(SIGTERM)


def stop_at_once(name: str, kind: type, error: Exception) -> NoReturn:
    """End the process, which cannot save its state, has lost its place in ZooKeeper, or runs an actor that fails."""
    is_ours = isinstance(error, CannotError)
    say(f"toy-paxos: {name} stops: {error if is_ours else at_fault('an actor fails', error, kind).message}")
    os._exit(1 if is_ours else 2)
