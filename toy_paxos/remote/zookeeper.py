"""ZooKeeper as the registry: who takes part stands in persistent nodes, where they are just now in ephemeral ones.

Who is a member must never depend on who is there: two majorities of those who happen to be there need not meet.

    cluster               a name of this cluster that no other has
    owners/acceptor-0     who an acceptor is: what stands in its folder
    addresses/acceptor-0  where it is; gone with its session
    runs/run-0000000000   which acceptors and how many proposers a run has; below it, who proposes just now

What happens to the session is dealt with in a thread of its own; while ZooKeeper is away, all go on with what they
know.
"""

import json
import logging
import re
import socket
import threading
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from functools import partial, wraps
from queue import Empty, Queue
from typing import Any, TypeVar

from kazoo.client import KazooClient, KazooState
from kazoo.exceptions import (
    ConnectionClosedError,
    ConnectionLoss,
    KazooException,
    NoAuthError,
    NodeExistsError,
    NoNodeError,
    SessionExpiredError,
)
from kazoo.handlers.threading import KazooTimeoutError
from kazoo.security import make_digest_acl

from toy_paxos.remote import CannotError

logging.getLogger("kazoo").addHandler(logging.NullHandler())
logging.getLogger("kazoo").propagate = False

SESSION_S = 4.0
"""After how long without a word ZooKeeper takes a process for dead."""

ANSWER_S = 2.5
"""How long to wait for a first answer."""

ROOT = "toy-paxos"
"""Below which node all stands, unless another one is named."""

FORGETFUL = "forgetful"
"""Stands for whom an acceptor is that keeps nothing, not even that."""


class RegistryError(CannotError):
    """ZooKeeper is not there, or somebody has no place in it; the words say which."""


Method = TypeVar("Method", bound=Callable[..., Any])


def answered(method: Method) -> Method:
    """Let a method raise RegistryError if ZooKeeper goes while it asks, or does not let it."""

    @wraps(method)
    def ask(self: "Registry", *args: Any) -> Any:
        try:
            return method(self, *args)
        except NoAuthError as error:
            raise self.forbidden() from error
        except (ConnectionLoss, SessionExpiredError, ConnectionClosedError, KazooTimeoutError) as error:
            raise RegistryError(f"the ZooKeeper at {self.hosts} does not answer any more") from error
        except KazooException as error:
            words = f"takes no such nodes ({type(error).__name__}): name another root"
            raise RegistryError(f"{self.root} at {self.hosts} {words}") from error

    return ask  # type: ignore[return-value]


class Registry:
    """A session at ``HOST:PORT[/ROOT]``.

    ``stop`` is called with what cannot be mended; without it, that is noted, and :meth:`check_trouble` raises it.
    ``tell`` is told when ZooKeeper goes and comes.
    """

    def __init__(
        self,
        place: str,
        auth: str,
        stop: Callable[[RegistryError], Any] | None = None,
        tell: Callable[[str], None] | None = None,
    ) -> None:
        self.hosts, _, root = place.partition("/")
        self.root = f"/{root.strip('/') or ROOT}"
        self.auth = auth
        self.trouble: RegistryError | None = None
        self.stop = stop or self.note
        self.tell = tell or (lambda words: None)
        self.addresses: dict[str, str] = {}
        self.refresh: Callable[[], None] = lambda: None
        self.news: Queue[str] = Queue()
        self.client = self.connected()
        try:
            self.cluster = self.cluster_name()
        except RegistryError:
            self.close()
            raise
        self.client.add_listener(self.news.put)
        threading.Thread(target=self.work, daemon=True).start()

    def connected(self) -> Any:
        """A new session; raises RegistryError if nobody answers."""
        auth: dict[str, Any] = {}
        if self.auth:
            acl = make_digest_acl(*self.auth.split(":", 1), all=True)
            auth = {"auth_data": [("digest", self.auth)], "default_acl": [acl]}
        client = KazooClient(self.hosts, timeout=SESSION_S, **auth)
        try:
            client.start(ANSWER_S)
        except (KazooTimeoutError, KazooException, OSError) as error:
            client.stop()
            client.close()
            raise RegistryError(f"no ZooKeeper answers at {self.hosts}") from error
        return client

    def close(self) -> None:
        """End the session, and all that was there for as long as it."""
        self.client.stop()
        self.client.close()

    def remove(self) -> None:
        """End the session, and remove all that stands below its root."""
        removed: list[str] = []

        def delete() -> None:
            with suppress(KazooException, KazooTimeoutError):
                self.client.delete(self.root, recursive=True)
                removed.append(self.root)

        # Kazoo would wait for ever for a ZooKeeper that is gone.
        thread = threading.Thread(target=delete, daemon=True)
        thread.start()
        thread.join(ANSWER_S)
        if not removed:
            self.tell(f"{self.root} could not be removed from the ZooKeeper at {self.hosts}")
        self.close()

    def note(self, error: RegistryError) -> None:
        """Note what cannot be mended."""
        self.trouble = error

    def check_trouble(self) -> None:
        """Raise what cannot be mended, if there is such a thing."""
        if self.trouble:
            raise self.trouble

    # Nodes

    def path(self, *names: str) -> str:
        """Where a node is."""
        return "/".join([self.root, *names])

    def create(self, path: str, text: str, **how: bool) -> str:
        """Make a node, and those above it; raises NodeExistsError, RegistryError."""
        try:
            return str(self.client.create(path, text.encode(), makepath=True, **how))
        except NoAuthError as error:
            raise self.forbidden() from error

    def read(self, client: Any, path: str) -> str:
        """What stands in a node; raises NoNodeError, RegistryError."""
        try:
            return str(client.get(path)[0].decode())
        except NoAuthError as error:
            raise self.forbidden() from error
        except UnicodeDecodeError as error:
            raise self.strange(path) from error

    def forbidden(self) -> RegistryError:
        """That this cluster is somebody else's."""
        return RegistryError(f"{self.root} at {self.hosts} is not yours: its --zookeeper-auth is another one")

    def strange(self, path: str) -> RegistryError:
        """That something else stands in a node."""
        return RegistryError(f"what stands at {self.hosts}{path} is none of this program's: name another root")

    @answered
    def cluster_name(self) -> str:
        """The name of the cluster, which the first to come makes."""
        path = self.path("cluster")
        with suppress(NodeExistsError):
            self.create(path, uuid.uuid4().hex)
        name = self.read(self.client, path)
        if not re.fullmatch("[0-9a-f]{32}", name):
            raise self.strange(path)
        return name

    # Acceptors

    @answered
    def claim(self, name: str, identity: str) -> None:
        """Be the acceptor of that name, without an identity a forgetful one; raises RegistryError if another one is."""
        identity = identity or FORGETFUL
        path = self.path("owners", name)
        with suppress(NodeExistsError):
            self.create(path, identity)
        if self.read(self.client, path) != identity:
            raise RegistryError(
                f"{name} is another one here: its promises are in the folder where it was first, give that one"
            )

    @answered
    def register(self, name: str, address: str) -> None:
        """Say where an acceptor is, now and after each lost session; raises RegistryError if another one is there."""
        self.refresh = lambda: self.announce(name, address)
        self.announce(name, address)

    def announce(self, name: str, address: str) -> None:
        """Say where an acceptor is, in the place of one that is dead."""
        path = self.path("addresses", name)
        patience = time.monotonic() + 2 * SESSION_S
        while True:
            try:
                self.create(path, address, ephemeral=True)
                return
            except NodeExistsError:
                with suppress(NoNodeError):
                    there, node = self.address(name), self.client.exists(path)
                    if node and node.owner_session_id == self.client.client_id[0]:
                        return
                    if not is_answering(there):
                        self.client.delete(path)
                        continue
            if time.monotonic() > patience:
                raise RegistryError(f"{name} is there already, at {there}: is it the same folder, copied?")
            time.sleep(0.1)

    def address(self, name: str) -> str:
        """Where an acceptor is; raises NoNodeError, RegistryError."""
        path = self.path("addresses", name)
        address = self.read(self.client, path)
        if not re.fullmatch(r"\S+:\d{1,5}", address):
            raise self.strange(path)
        return address

    # Proposers

    def begin_run(self, num_acceptors: int, num_proposers: int) -> int:
        """Begin a run with so many of each; return its number, which no other cluster has, but for an accident."""
        path = self.create(self.path("runs", "run-"), members(num_acceptors, num_proposers), sequence=True)
        return self.first_run + int(path[-10:])

    def join_run(self, run: int, num_acceptors: int, num_proposers: int) -> None:
        """Join a run; raises RegistryError if there is none of that number with so many of each."""
        try:
            text = self.read(self.client, self.run_path(run))
        except NoNodeError as error:
            raise RegistryError(f"there is no run {run} at {self.hosts}{self.root}") from error
        if text != members(num_acceptors, num_proposers):
            try:
                its = json.loads(text)
                sizes = f"--num-acceptors {len(its['acceptors'])} --num-proposers {int(its['proposers'])}"
            except (ValueError, TypeError, KeyError, RecursionError) as error:
                raise self.strange(self.run_path(run)) from error
            raise RegistryError(f"run {run} has {sizes}")

    def run_path(self, run: int) -> str:
        """The node of a run."""
        return self.path("runs", f"run-{run - self.first_run:010}")

    @property
    def first_run(self) -> int:
        """The number of the first run of this cluster."""
        return int(self.cluster[:6], 16) * 10**10 + 1

    @answered
    def take_part(self, run: int | None, acceptors: list[str], proposers: list[str], num_proposers: int) -> int:
        """Be these proposers of a run, or of a new one; return its number, once all acceptors are there or missed."""
        if run:
            self.join_run(run, len(acceptors), num_proposers)
        else:
            run = self.begin_run(len(acceptors), num_proposers)
        self.propose(run, proposers)
        end = time.monotonic() + ANSWER_S
        while time.monotonic() < end and not set(acceptors) <= self.addresses.keys():
            time.sleep(0.05)
        return run

    def propose(self, run: int, names: list[str]) -> None:
        """Be these proposers of a run, and keep ``addresses`` up to date; raises RegistryError if they are there."""
        for name in names:
            try:
                self.create(f"{self.run_path(run)}/{name}", "", ephemeral=True)
            except NodeExistsError as error:
                raise RegistryError(f"{name} of run {run} is there already, or was until a moment ago") from error
        self.refresh = partial(self.attend, run, names)
        self.look()

    def attend(self, run: int, names: list[str]) -> None:
        """Be there again after a lost session, and see what has changed meanwhile."""
        for name in names:
            with suppress(NodeExistsError):
                self.create(f"{self.run_path(run)}/{name}", "", ephemeral=True)
        self.look()

    def look(self) -> None:
        """Note where all are, and ask to be told of the next change."""
        path = self.path("addresses")
        try:
            self.client.ensure_path(path)
            names = self.client.get_children(path, watch=lambda _: self.news.put("changed"))
        except NoAuthError as error:
            raise self.forbidden() from error
        for name in names:
            with suppress(NoNodeError):
                self.addresses[name] = self.address(name)

    # The session

    def work(self) -> None:
        """Deal with what happens to the session."""
        while True:
            try:
                news = self.news.get(timeout=SESSION_S)
            except Empty:
                news = ""
            try:
                self.hear(news)
            except RegistryError as error:
                self.stop(error)
            except KazooException:
                # The session ended meanwhile, and that will be the next piece of news.
                continue

    def hear(self, news: str) -> None:
        """Deal with a piece of news, or with there being none; raises RegistryError if that cannot be mended."""
        if news == KazooState.SUSPENDED:
            self.tell(f"ZooKeeper at {self.hosts} does not answer: going on with what is known")
        elif news == KazooState.CONNECTED:
            self.tell(f"ZooKeeper at {self.hosts} is back")
        if self.client.state != KazooState.CONNECTED:
            if not news:
                self.look_again()
        elif news:
            self.check(self.client)
            self.refresh()

    def look_again(self) -> None:
        """See, in a new session, whether ZooKeeper has come back empty: it would refuse the old one for ever."""
        try:
            client = self.connected()
        except RegistryError:
            return
        try:
            self.check(client)
        finally:
            client.stop()
            client.close()

    def check(self, client: Any) -> None:
        """Raise RegistryError unless ZooKeeper still knows this cluster."""
        try:
            name = self.read(client, self.path("cluster"))
        except NoNodeError:
            name = ""
        if name != self.cluster:
            raise RegistryError(
                f"the ZooKeeper at {self.hosts} has come back without this cluster: it has lost its data"
            )


def members(num_acceptors: int, num_proposers: int) -> str:
    """Who takes part in a run."""
    return json.dumps({"acceptors": [f"acceptor-{at}" for at in range(num_acceptors)], "proposers": num_proposers})


def is_answering(address: str) -> bool:
    """Whether anybody listens at an address."""
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=1).close()
    except OSError:
        return False
    return True
