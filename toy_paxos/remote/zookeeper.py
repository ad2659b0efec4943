"""ZooKeeper as the registry: persistent nodes hold the members, ephemeral nodes their present addresses.

Membership must never depend on presence: two majorities of the acceptors that happen to be present need not meet.

    cluster               the unique name of this cluster
    owners/acceptor-0     the identity of an acceptor, which is in its folder, too
    addresses/acceptor-0  its address; gone with its session
    runs/run-0000000000   how many acceptors and proposers a run has; below it, its present proposers
    keeper                of a cluster that one command has started: gone with the session of that command

Only processes with the password can use the root; the nodes above it stay open to all.
A separate thread follows the session. While ZooKeeper is away, all processes go on with the addresses that they know.
"""

import logging
import re
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from queue import Empty, Queue
from typing import Any

from kazoo.client import KazooClient, KazooState
from kazoo.exceptions import KazooException, NoAuthError, NodeExistsError, NoNodeError
from kazoo.handlers.threading import KazooTimeoutError
from kazoo.security import OPEN_ACL_UNSAFE, make_digest_acl

from toy_paxos.remote import ZOOKEEPER_AUTH, CannotError

logging.getLogger("kazoo").addHandler(logging.NullHandler())
logging.getLogger("kazoo").propagate = False

SESSION_S = 4.0
"""ZooKeeper ends the session of a process after this time of silence."""

ANSWER_S = 2.5
"""The maximum time for the first answer."""

ROOT = "toy-paxos"
"""The node above all others, unless another one is named: of processes that are started one by one, in ``default``."""

CLUSTER = "[0-9a-f]{32}"
"""The form of the name of a cluster."""


class Registry:
    """A session at ``HOST:PORT[,HOST:PORT...][/ROOT]``; if it ``is_new``, at a new node below the root.

    ``stop`` is called with an error after which the process cannot go on, ``tell`` when ZooKeeper goes and comes back.
    """

    def __init__(
        self, place: str, auth: str, stop: Callable[[CannotError], Any], tell: Callable[[str], None], is_new: bool
    ) -> None:
        self.hosts, _, root = place.partition("/")
        root = root.strip("/") or (ROOT if is_new else f"{ROOT}/default")
        self.root = f"/{root}/cluster-{uuid.uuid4().int >> 80}" if is_new else f"/{root}"
        self.is_new = is_new
        self.auth = auth
        self.stop = stop
        self.tell = tell
        self.addresses: dict[str, str] = {}
        self.dead: list[str] = []
        self.refresh: Callable[[], None] = lambda: None
        self.news: Queue[str] = Queue()
        self.is_closed = False
        self.client = self.connected()
        try:
            self.cluster = self.cluster_name()
        except CannotError:
            close(self.client)
            raise
        self.first_run = int(self.cluster[:6], 16) * 10**10 + 1
        self.client.add_listener(self.news.put)
        threading.Thread(target=self.work, daemon=True).start()

    def connected(self) -> Any:
        """Return a new session; raises CannotError if no server answers."""
        auth = [("digest", self.auth)] if self.auth else None
        acl = [make_digest_acl(*self.auth.split(":", 1), all=True)] if self.auth else None
        # By default, the longer a server is away, the longer it takes to notice its return.
        patience = {"max_tries": -1, "max_delay": 1}
        client = KazooClient(self.hosts, timeout=SESSION_S, auth_data=auth, default_acl=acl, connection_retry=patience)
        try:
            client.start(ANSWER_S)
        except (KazooTimeoutError, KazooException, OSError) as error:
            close(client)
            raise CannotError(f"no ZooKeeper answers at {self.hosts}") from error
        return client

    def close(self) -> None:
        """End the session, and the thread that follows it; its ephemeral nodes go with it."""
        self.is_closed = True
        close(self.client)

    def remove(self) -> None:
        """Remove the root, and the roots of clusters that were dead already at the beginning; end the session."""
        # A second session, because the first would wait for ever for a ZooKeeper that is gone.
        try:
            client = self.connected()
            for root in (self.root, *{*self.dead}.intersection(self.dead_clusters(client))):
                client.delete(root, recursive=True)
            close(client)
        except (CannotError, KazooException, KazooTimeoutError):
            self.tell(f"{self.root} could not be removed from the ZooKeeper at {self.hosts}")
        self.close()

    # Nodes

    @contextmanager
    def refusing(self) -> Iterator[None]:
        """Raise CannotError if ZooKeeper goes away during a call, or refuses it."""
        try:
            yield
        except NoAuthError as error:
            raise self.forbidden() from error
        except (KazooException, KazooTimeoutError) as error:
            words = f"the ZooKeeper at {self.hosts} fails below {self.root}: {type(error).__name__}"
            raise CannotError(words) from error

    def path(self, *names: str) -> str:
        """Where a node is."""
        return "/".join([self.root, *names])

    def create(self, path: str, text: str, **how: bool) -> str:
        """Make a node, and those above it; raises NodeExistsError."""
        return str(self.client.create(path, text.encode(), makepath=True, **how))

    def read(self, path: str, pattern: str, client: Any = None) -> str:
        """Return the text of a node; raises NoNodeError, and CannotError if the text does not match the pattern."""
        text = str((client or self.client).get(path)[0].decode(errors="replace"))
        if not re.fullmatch(pattern, text):
            raise CannotError(f"{self.hosts}{path} was not created by toy-paxos: choose another root")
        return text

    def forbidden(self) -> CannotError:
        """Return the error that this cluster has another password."""
        return CannotError(f"{self.root} at {self.hosts} has another password: set {ZOOKEEPER_AUTH}")

    def cluster_name(self) -> str:
        """Return the name of the cluster, which its first process makes."""
        path, parent = self.path("cluster"), self.root.rpartition("/")[0]
        with self.refusing():
            if parent:
                self.client.ensure_path(parent, OPEN_ACL_UNSAFE)
            if self.is_new:
                self.dead = self.dead_clusters(self.client)
                # At once, because without its keeper a cluster counts as dead.
                both = self.client.transaction()
                both.create(self.root)
                both.create(self.path("keeper"), ephemeral=True)
                both.commit()
            with suppress(NodeExistsError):
                self.create(path, uuid.uuid4().hex)
            return self.read(path, CLUSTER)

    def dead_clusters(self, client: Any) -> list[str]:
        """Return the roots of other clusters beside this one whose commands have ended, and all their acceptors."""
        parent = self.root.rpartition("/")[0]
        dead = []
        for name in client.get_children(parent):
            root = f"{parent}/{name}"
            # Those with another password are not for this process to judge.
            with suppress(NoAuthError, NoNodeError):
                if re.fullmatch(r"cluster-\d+", name) and not client.exists(f"{root}/keeper"):
                    present = client.exists(f"{root}/addresses") and client.get_children(f"{root}/addresses")
                    dead += [] if present else [root]
        return dead

    # Acceptors

    def claim(self, name: str, identity: str) -> None:
        """Become the owner of a name; raises CannotError if another acceptor is."""
        path = self.path("owners", name)
        with self.refusing():
            with suppress(NodeExistsError):
                self.create(path, identity)
            owner = self.read(path, ".*")
        if owner != identity:
            raise CannotError(f"{name} is already registered with another data folder: pass that folder as --data-dir")

    def register(self, name: str, address: str) -> None:
        """Register an address now and after each lost session; raises CannotError if another process has registered."""
        self.refresh = partial(self.announce, name, address)
        with self.refusing():
            self.refresh()

    def announce(self, name: str, address: str) -> None:
        """Register the address of an acceptor, once the session of the process before has ended."""
        path = self.path("addresses", name)
        # A server may make the session of a killed process longer than it asked for.
        patience = time.monotonic() + 3 * SESSION_S
        while True:
            try:
                self.create(path, address, ephemeral=True)
                return
            except NodeExistsError:
                with suppress(NoNodeError):
                    there, node = self.address(name), self.client.exists(path)
                    if node and node.owner_session_id == self.client.client_id[0]:
                        return
            if time.monotonic() > patience:
                raise CannotError(f"{name} is already running at {there}: is this a copy of its folder?")
            time.sleep(0.1)

    def address(self, name: str) -> str:
        """Return the address of an acceptor; raises NoNodeError, CannotError."""
        return self.read(self.path("addresses", name), r"\S+:\d{1,5}")

    # Proposers

    def run_path(self, run: int) -> str:
        """The node of a run."""
        return self.path("runs", f"run-{run - self.first_run:010}")

    def take_part(self, run: int | None, acceptors: list[str], proposers: list[str], num_proposers: int) -> int:
        """Register proposers of a run, or of a new one; return its number.

        Waits a moment for the addresses of all acceptors. Raises CannotError if the run has other sizes, or no such
        number, or has these proposers already.
        """
        sizes = f"--num-acceptors {len(acceptors)} --num-proposers {num_proposers}"
        with self.refusing():
            if run is None:
                path = self.create(self.path("runs", "run-"), sizes, sequence=True)
                run = self.first_run + int(path[-10:])
            try:
                its = self.read(self.run_path(run), r"--num-acceptors \d+ --num-proposers \d+")
            except NoNodeError as error:
                raise CannotError(f"no run {run} at {self.hosts}{self.root}") from error
            if its != sizes:
                raise CannotError(f"run {run} has {its}")
            for name in proposers:
                try:
                    self.create(f"{self.run_path(run)}/{name}", "", ephemeral=True)
                except NodeExistsError as error:
                    raise CannotError(f"{name} of run {run} is already running, or was a moment ago") from error
            present = [f"{self.run_path(run)}/{name}" for name in proposers]
            self.refresh = partial(self.attend, [*present, *[self.path("keeper")] * self.is_new])
            self.look()
        end = time.monotonic() + ANSWER_S
        while time.monotonic() < end and not set(acceptors) <= self.addresses.keys():
            time.sleep(0.05)
        return run

    def attend(self, paths: list[str]) -> None:
        """Make the nodes of proposers again after a lost session, and note which addresses have changed."""
        for path in paths:
            with suppress(NodeExistsError):
                self.create(path, "", ephemeral=True)
        self.look()

    def look(self) -> None:
        """Note all addresses, and ask for news of the next change."""
        path = self.path("addresses")
        self.client.ensure_path(path)
        for name in self.client.get_children(path, watch=lambda _: self.news.put("changed")):
            with suppress(NoNodeError):
                self.addresses[name] = self.address(name)

    # The session

    def work(self) -> None:
        """Follow the session until it is closed."""
        while not self.is_closed:
            try:
                news = self.news.get(timeout=SESSION_S)
            except Empty:
                news = ""
            try:
                self.hear(news)
            except CannotError as error:
                self.stop(error)
            except NoAuthError:
                self.stop(self.forbidden())
            except KazooException:
                # The session ended meanwhile, and that will be the next piece of news.
                continue

    def hear(self, news: str) -> None:
        """React to news of the session, or to a time without any; raises CannotError if the process cannot go on."""
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
        """Check in a new session whether ZooKeeper has come back empty: it would refuse the old session for ever."""
        try:
            client = self.connected()
        except CannotError:
            return
        try:
            self.check(client)
        finally:
            close(client)

    def check(self, client: Any) -> None:
        """Raise CannotError unless ZooKeeper still knows this cluster."""
        with suppress(NoNodeError):
            if self.read(self.path("cluster"), CLUSTER, client) == self.cluster:
                return
        words = "has come back without this cluster: it has lost its data"
        raise CannotError(f"the ZooKeeper at {self.hosts} {words}")


def close(client: Any) -> None:
    """End a session."""
    client.stop()
    client.close()
