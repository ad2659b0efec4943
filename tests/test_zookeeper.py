"""ZooKeeper as the registry, with a real one: what happens if it, or a session, comes and goes."""

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from conftest import NEVER_LATE, Run, RunHere, Start, rest_of, wait_until
from test_remote import Acceptors
from test_remote import nowhere as nowhere

from toy_paxos.remote import ZOOKEEPER_AUTH, local_zookeeper
from toy_paxos.remote.local_zookeeper import command, free_port, wait_until_it_answers

pytestmark = pytest.mark.usefixtures("own_folder")

needs_zookeeper = pytest.mark.skipif(
    not local_zookeeper.is_installed(), reason=f"takes ZooKeeper: Debian's {local_zookeeper.PACKAGES}"
)


class ZooKeeper:
    """A ZooKeeper that can be killed, and come back with its data or without."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        self.begin()

    def begin(self) -> None:
        """Start it; it answers when this returns."""
        self.process = subprocess.Popen(
            command(self.folder, self.port),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_until(lambda: wait_until_it_answers(self.port))

    def kill(self) -> None:
        """Kill it without warning."""
        self.process.kill()
        self.process.wait()

    def lose_data(self) -> None:
        """Let it forget all."""
        os.rename(self.folder / "zookeeper", self.folder / "lost")


@pytest.fixture
def own_zookeeper(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ZooKeeper]:
    """A ZooKeeper of the test's own."""
    its = ZooKeeper(tmp_path_factory.mktemp("zookeeper"))
    yield its
    its.kill()


@pytest.fixture(scope="module")
def shared_zookeeper(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ZooKeeper]:
    """A ZooKeeper that lives as long as the tests of this file."""
    its = ZooKeeper(tmp_path_factory.mktemp("zookeeper"))
    yield its
    its.kill()


@pytest.fixture
def client(shared_zookeeper: ZooKeeper) -> Iterator[Any]:
    """A session of our own."""
    from kazoo.client import KazooClient

    client = KazooClient(shared_zookeeper.address)
    # Its own limit must not be the one that ends a test.
    client.start(timeout=3600)
    yield client
    client.stop()
    client.close()


@pytest.fixture
def place(shared_zookeeper: ZooKeeper, client: Any, tmp_path: Path) -> str:
    """A place in a ZooKeeper where nothing stands yet."""
    # Everybody's, lest it become that of the first test that says whose its nodes are.
    client.ensure_path("/tests")
    return f"{shared_zookeeper.address}/tests/{tmp_path.name}"


Begin = Callable[..., Acceptors]


@pytest.fixture
def acceptors(start: Start, tmp_path: Path) -> Begin:
    """Start some acceptors that register themselves at a place, with changes of their environment."""
    return lambda number, place, **env: Acceptors(start, tmp_path, number, "--zookeeper", place, **env)


def wait_for_line(stream: Any, words: str) -> str:
    """Read until a line has these words in it; return it."""
    for line in stream:
        if words in line:
            return str(line)
    raise AssertionError(f"nobody said {words}")


def is_one_line(done: Any, words: str) -> bool:
    """Whether a process was refused in one line that has these words in it."""
    assert words in done.stderr
    return (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)


# With a ZooKeeper that stays


@needs_zookeeper
def test_a_cluster_with_a_zookeeper_of_its_own_leaves_nothing_behind(run: Run, nothing_left: dict[str, str]) -> None:
    done = run("cluster", "-n", "1", "-p", "0", *NEVER_LATE, "-c", "2", "--zookeeper", "local", **nothing_left)
    assert (done.returncode, done.stderr) == (0, "")
    assert "network: processes on this machine, addresses from ZooKeeper at 127.0.0.1:" in done.stdout
    assert done.stdout.count(": consensus on") == 2


@needs_zookeeper
def test_a_cluster_at_an_ensemble_that_runs_leaves_nothing_there(
    run: Run, nowhere: str, place: str, client: Any, nothing_left: dict[str, str]
) -> None:
    ensemble = f"{nowhere},{place}"
    done = run("cluster", "-n", "1", "-p", "0", *NEVER_LATE, "-c", "1", "--zookeeper", ensemble, **nothing_left)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"addresses from ZooKeeper at {ensemble}/cluster-" in done.stdout
    assert "Round 1: consensus on" in done.stdout
    assert client.get_children(f"/{place.partition('/')[2]}") == []


@needs_zookeeper
def test_processes_find_each_other_and_a_run_has_members(
    acceptors: Begin, start: Start, run_here: RunHere, place: str
) -> None:
    its = acceptors(1, place)
    first = start("propose", "--zookeeper", place, "-n", "1", "--num-proposers", "2", *NEVER_LATE)
    number = wait_for_line(first.stdout, "network: ").partition(", run ")[2].partition(",")[0]
    play = "propose", "--zookeeper", place, "--num-proposers", "2", "-c", "2", "-q", *NEVER_LATE
    join = *play, "--run", number
    sizes = f"run {number} has --num-acceptors 1 --num-proposers 2"
    assert is_one_line(run_here(*join, "-n", "5", "--index", "1"), sizes)
    assert is_one_line(run_here(*join, "-n", "1"), f"proposer-0 of run {number} is already running")
    assert is_one_line(run_here(*play, "-n", "1", "--run", "9" * 18), "no run 9")
    assert run_here(*join, "-n", "1", "--index", "1").returncode == 0
    # Killed, it comes back under another address, and is found.
    its.kill(0)
    its.begin("acceptor-0")
    done = run_here(*join, "-n", "1", "--index", "1")
    assert "consensus                    2  100.00%" in done.stdout


@needs_zookeeper
def test_an_acceptor_is_who_it_was(acceptors: Begin, run: Run, run_here: RunHere, place: str, tmp_path: Path) -> None:
    its = acceptors(1, place)
    again = "acceptor", "--zookeeper", place, "--name", "acceptor-0"
    another_one = "acceptor-0 is already registered with another data folder"
    assert is_one_line(run(*again, "--data-dir", "x"), another_one)
    its.kill(0)
    folder = str(tmp_path / "acceptor-0")
    other = f"{place}-other"
    assert is_one_line(run("acceptor", "--zookeeper", other, *again[3:], "--data-dir", folder), "another cluster")
    assert is_one_line(run_here("acceptor", "--name", "acceptor-0", "--data-dir", folder), "belongs to another cluster")


@needs_zookeeper
def test_a_copy_of_a_folder_is_found_out(acceptors: Begin, run: Run, place: str, client: Any, tmp_path: Path) -> None:
    acceptors(1, place)
    subprocess.run(["cp", "-r", tmp_path / "acceptor-0", tmp_path / "copy"], check=True)
    again = "acceptor", "--zookeeper", place, "--name", "acceptor-0", "--data-dir", str(tmp_path / "copy")
    # Its session counts: from here it may not be reached.
    client.set(f"/{place.partition('/')[2]}/addresses/acceptor-0", b"127.0.0.1:1")
    assert is_one_line(run(*again), "acceptor-0 is already running at 127.0.0.1:1: is this a copy of its folder?")


@needs_zookeeper
def test_after_a_lost_session_an_acceptor_is_there_again(acceptors: Begin, place: str, client: Any) -> None:
    its = acceptors(1, place)
    node = f"/{place.partition('/')[2]}/addresses/acceptor-0"
    its.processes["acceptor-0"].send_signal(signal.SIGSTOP)
    wait_until(lambda: not client.exists(node))
    its.processes["acceptor-0"].send_signal(signal.SIGCONT)
    wait_until(lambda: client.exists(node))
    assert client.get(node)[0].decode() == its.addresses["acceptor-0"]


@needs_zookeeper
def test_whose_the_nodes_are_can_be_said(
    acceptors: Begin, run_here: RunHere, place: str, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kazoo.exceptions import NoAuthError

    acceptors(1, place, **{ZOOKEEPER_AUTH: "me:secret"})
    play = "propose", "--zookeeper", place, "-n", "1", "-c", "1", *NEVER_LATE
    assert is_one_line(run_here(*play), "has another password: set TOY_PAXOS_ZOOKEEPER_AUTH")
    monkeypatch.setenv(ZOOKEEPER_AUTH, "me:secret")
    assert "Round 1: consensus on" in run_here(*play).stdout
    with pytest.raises(NoAuthError):
        client.get(f"/{place.partition('/')[2]}/addresses/acceptor-0")


@needs_zookeeper
def test_nodes_that_somebody_else_keeps_are_refused(
    acceptors: Begin, run: Run, run_here: RunHere, place: str, client: Any
) -> None:
    root = f"/{place.partition('/')[2]}"
    play = "propose", "--zookeeper", place, "-n", "1", "-c", "1", "-q"
    assert run_here(*play).returncode == 4
    # A cluster of nobody, in which somebody keeps addresses to himself.
    acceptors(1, place, **{ZOOKEEPER_AUTH: "me:secret"})
    assert is_one_line(run_here(*play), "has another password: set TOY_PAXOS_ZOOKEEPER_AUTH")
    client.create(f"{root}/runs/run-9999999999", b"garbage")
    number = int(client.get(f"{root}/cluster")[0][:6], 16) * 10**10 + 1 + 9999999999
    strange = "was not created by toy-paxos: choose another root"
    assert is_one_line(run_here(*play, "--run", str(number)), strange)
    client.create(f"{root}-other/addresses/acceptor-0", makepath=True)
    acceptor = "acceptor", "--name", "acceptor-0", "--data-dir", "x", "--zookeeper"
    client.set(f"{root}-other/addresses/acceptor-0", b"garbage")
    assert is_one_line(run(*acceptor, f"{place}-other"), strange)
    for garbage in (b"", b"garbage", b"\xff"):
        client.set(f"{root}/cluster", garbage)
        assert is_one_line(run_here(*play), strange)
    client.create(f"{root}/short-lived", ephemeral=True)
    words = f"fails below {root}/short-lived: NoChildrenForEphemeralsError\n"
    assert is_one_line(run(*acceptor, f"{place}/short-lived"), words)


@needs_zookeeper
def test_a_cluster_that_is_asked_to_stop_removes_its_nodes(
    start: Start, place: str, client: Any, nothing_left: dict[str, str]
) -> None:
    process = start(
        "cluster", "-n", "1", "-p", "0", "-c", "100000", "--brief", *NEVER_LATE, "--zookeeper", place, **nothing_left
    )
    wait_for_line(process.stdout, "consensus on")
    process.send_signal(signal.SIGINT)
    rest_of(process)
    assert process.returncode == -signal.SIGINT
    assert client.get_children(f"/{place.partition('/')[2]}") == []


@needs_zookeeper
def test_the_nodes_above_a_cluster_stay_open_to_others(shared_zookeeper: ZooKeeper, tmp_path: Path) -> None:
    from toy_paxos.remote.zookeeper import Registry

    for root, auth in product((tmp_path.name, ""), ("me:secret", "", "you:secret")):
        troubles: list[object] = []
        cluster = Registry(f"{shared_zookeeper.address}/{root}", auth, troubles.append, troubles.append, is_new=True)
        acceptor = Registry(f"{cluster.hosts}{cluster.root}", auth, troubles.append, troubles.append, is_new=False)
        acceptor.claim("acceptor-0", "its identity")
        acceptor.register("acceptor-0", "127.0.0.1:1")
        cluster.take_part(None, ["acceptor-0"], ["proposer-0"], 1)
        assert cluster.addresses == {"acceptor-0": "127.0.0.1:1"}
        assert not troubles
        acceptor.close()
        cluster.remove()
    # What is closed looks for no ZooKeeper again.
    wait_until(lambda: not any("(work)" in thread.name for thread in threading.enumerate()))


@needs_zookeeper
def test_what_a_killed_cluster_has_left_is_swept_by_the_next_one_and_what_lives_is_not(
    nothing_left: dict[str, str], start: Start, run_here: RunHere, place: str, client: Any
) -> None:
    play = "cluster", "-n", "1", "-p", "0", "--brief", *NEVER_LATE, "--zookeeper", place
    killed, living = (start(*play, **nothing_left) for _ in range(2))
    for process in (killed, living):
        wait_for_line(process.stdout, "consensus on")
    parent = f"/{place.partition('/')[2]}"
    assert len(client.get_children(parent)) == 2
    killed.kill()
    wait_until(lambda: sum(bool(client.exists(f"{parent}/{name}/keeper")) for name in client.get_children(parent)) == 1)
    wait_until(
        lambda: sum(len(client.get_children(f"{parent}/{name}/addresses")) for name in client.get_children(parent)) == 1
    )
    assert len(client.get_children(parent)) == 2
    # The command of this one is gone, but not its acceptor.
    client.create(f"{parent}/cluster-7/addresses/acceptor-0", makepath=True)
    assert run_here(*play, "-c", "1").returncode == 0
    assert len(client.get_children(parent)) == 2
    client.delete(f"{parent}/cluster-7", recursive=True)
    assert len(client.get_children(parent)) == 1
    wait_for_line(living.stdout, "consensus on")
    living.send_signal(signal.SIGINT)
    rest_of(living)
    assert (living.returncode, client.get_children(parent)) == (0, [])


def test_its_return_is_looked_for_every_second(monkeypatch: pytest.MonkeyPatch) -> None:
    from toy_paxos.remote import zookeeper

    class Client:
        def __init__(self, *_: Any, connection_retry: dict[str, int], **__: Any) -> None:
            assert connection_retry == {"max_tries": -1, "max_delay": 1}
            raise LookupError

    monkeypatch.setattr(zookeeper, "KazooClient", Client)
    with pytest.raises(LookupError):
        zookeeper.Registry("127.0.0.1:1", "", print, print, is_new=False)


# With a ZooKeeper that goes


@pytest.mark.parametrize("args", [["acceptor", "--name", "acceptor-0", "--data-dir", "x"], ["propose", "-n", "1"]])
@needs_zookeeper
def test_if_it_goes_while_somebody_begins_one_line_says_so(
    args: list[str], place: str, run_here: RunHere, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kazoo.client import KazooClient
    from kazoo.exceptions import ConnectionLoss

    def create(*_: Any, **__: Any) -> None:
        raise ConnectionLoss

    monkeypatch.setattr(KazooClient, "create", create)
    done = run_here(*args, "--zookeeper", place)
    address, _, root = place.partition("/")
    assert is_one_line(done, f"the ZooKeeper at {address} fails below /{root}: ConnectionLoss\n")


@needs_zookeeper
def test_a_cluster_whose_zookeeper_is_gone_ends_and_says_what_stays_there(
    start: Start, own_zookeeper: ZooKeeper, nothing_left: dict[str, str]
) -> None:
    place = own_zookeeper.address
    process = start("cluster", "-n", "1", "-p", "0", "--brief", *NEVER_LATE, "--zookeeper", place, **nothing_left)
    wait_for_line(process.stdout, "consensus on")
    own_zookeeper.kill()
    wait_for_line(process.stderr, "does not answer")
    process.send_signal(signal.SIGINT)
    output, errors = rest_of(process)
    assert (process.returncode, "of toy-paxos" in output) == (0, True)
    assert re.search(f"/cluster-\\d+ could not be removed from the ZooKeeper at {place}\n", errors)


@pytest.mark.slow
@needs_zookeeper
def test_while_it_is_away_rounds_go_on_and_when_it_is_back_all_is_as_before(
    acceptors: Begin, start: Start, own_zookeeper: ZooKeeper
) -> None:
    its = acceptors(3, own_zookeeper.address)
    play = start("propose", "--zookeeper", own_zookeeper.address, "-n", "3", *NEVER_LATE)
    wait_for_line(play.stdout, "consensus on")
    own_zookeeper.kill()
    wait_for_line(play.stderr, "does not answer: going on with what is known")
    for _ in range(20):
        wait_for_line(play.stdout, "consensus on")
    own_zookeeper.begin()
    wait_for_line(play.stderr, "is back")
    # Whom it did not know before it went, it knows now: without a majority there would be no consensus.
    its.kill(0, 1)
    wait_for_line(play.stdout, "no value is known to be chosen")
    its.begin("acceptor-0")
    wait_for_line(play.stdout, "consensus on")
    # And without it, all can be ended.
    own_zookeeper.kill()
    wait_for_line(play.stderr, "does not answer")
    for process in (its.processes["acceptor-0"], play):
        process.send_signal(signal.SIGINT)
        rest_of(process)
        assert process.returncode == 0


@pytest.mark.slow
@needs_zookeeper
def test_if_it_has_lost_its_data_all_end_with_a_clear_word(
    acceptors: Begin, start: Start, own_zookeeper: ZooKeeper
) -> None:
    its = acceptors(1, own_zookeeper.address)
    play = start("propose", "--zookeeper", own_zookeeper.address, "-n", "1", *NEVER_LATE)
    wait_for_line(play.stdout, "consensus on")
    own_zookeeper.kill()
    own_zookeeper.lose_data()
    own_zookeeper.begin()
    words = f"the ZooKeeper at {own_zookeeper.address} has come back without this cluster: it has lost its data"
    (acceptor,) = its.processes.values()
    assert f"acceptor-0 stops: {words}\n" in rest_of(acceptor)[1]
    assert f"toy-paxos: {words}\n" in rest_of(play)[1]
    assert (acceptor.returncode, play.returncode) == (1, 2)


# Without one


@pytest.mark.parametrize(
    "args",
    [
        ["acceptor", "--name", "acceptor-0", "--data-dir", "x"],
        ["propose", "-n", "3"],
        ["cluster", "-n", "3"],
    ],
    ids=lambda args: args[0],
)
def test_if_none_answers_one_line_says_where(
    args: list[str], nowhere: str, run_here: RunHere, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("toy_paxos.remote.zookeeper.ANSWER_S", 0.1)
    words = f"no ZooKeeper answers at {nowhere}\n"
    assert is_one_line(run_here(*args, "--zookeeper", f"{nowhere}/some/root"), words)


def test_if_none_is_installed_one_line_names_the_packages(run_here: RunHere, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_zookeeper, "JAR", Path("/nowhere.jar"))
    done = run_here("cluster", "--zookeeper", "local")
    assert is_one_line(done, "apt-get install --no-install-recommends libzookeeper-java default-jre-headless")


def test_a_zookeeper_that_dies_before_it_answers_is_not_waited_for_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_zookeeper, "PATIENCE_S", 0.1)
    assert not wait_until_it_answers(free_port())


@pytest.mark.parametrize("auth", ["me", ":secret", "me:", "me:\udcff"])
def test_half_of_a_secret_is_refused(auth: str, run_here: RunHere, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ZOOKEEPER_AUTH, auth)
    done = run_here("propose", "--zookeeper", "127.0.0.1:1", "-n", "1")
    assert is_one_line(done, f"{ZOOKEEPER_AUTH} is not of the form USER:PASSWORD")


@pytest.mark.parametrize("place", ["here", "here/root", ":1", "127.0.0.1:x/root", "127.0.0.1:1,/root", "a:1,b"])
def test_a_place_has_a_host_and_a_port(place: str, run_here: RunHere) -> None:
    assert is_one_line(run_here("propose", "--zookeeper", place, "-n", "1"), "is not of the form HOST:PORT")


def test_without_kazoo_one_line_says_what_to_install(run_here: RunHere, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "toy_paxos.remote.zookeeper", raising=False)
    monkeypatch.setitem(sys.modules, "kazoo.client", None)
    done = run_here("propose", "--zookeeper", "127.0.0.1:1", "-n", "1")
    assert is_one_line(done, "; install what this command needs: ")
