"""Real processes on this machine: what is promised stays promised, and nothing is left behind."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import grpc
import pytest
from conftest import COMMAND, NEVER_LATE, Run, RunHere, Start, clean_environment, processes_that_know, rest_of
from test_real_round import Here
from test_service import let_go, service

from toy_paxos.checking import CHANGED_RULES
from toy_paxos.command.remote import RealRun
from toy_paxos.event import Delivery, Fate, Wants
from toy_paxos.message import Prepare
from toy_paxos.proposer import Proposer
from toy_paxos.remote import CannotError
from toy_paxos.remote import wire_pb2 as wire
from toy_paxos.remote.limits import LARGEST, LONGEST
from toy_paxos.remote.real_round import Party, RealRound
from toy_paxos.remote.records import Log
from toy_paxos.remote.rpc import Client
from toy_paxos.remote.store import RUNS_KEPT
from toy_paxos.settings import Network, Settings
from toy_paxos.story import Configuration, Story
from toy_paxos.view.branches import story_lanes
from toy_paxos.view.files import FILES, file_of

pytestmark = pytest.mark.usefixtures("own_folder")


class Acceptors:
    """Acceptors that are processes, each with a folder and a log, and where they are."""

    def __init__(self, start: Start, folder: Path, number: int, *options: str, **env: str) -> None:
        self.start = start
        self.folder = folder
        self.options = options
        self.processes: dict[str, subprocess.Popen[str]] = {}
        self.addresses: dict[str, str] = {}
        for at in range(number):
            self.begin(f"acceptor-{at}", **env)

    def begin(self, name: str, **env: str) -> None:
        """Start an acceptor; it is there when this returns."""
        keeps = "--data-dir", str(self.folder / name)
        log = "--log", str(self.folder / f"{name}.jsonl")
        process = self.start("acceptor", "--name", name, "-p", "0", *keeps, *log, *self.options, **env)
        assert process.stdout
        self.processes[name] = process
        self.addresses[name] = process.stdout.readline().split()[-1]

    def kill(self, *numbers: int) -> None:
        """Kill some without warning."""
        for number in numbers:
            self.processes[f"acceptor-{number}"].kill()
            self.processes[f"acceptor-{number}"].wait()

    @property
    def places(self) -> list[str]:
        """The options that say where they are, and to give them time."""
        return [*NEVER_LATE] + [
            word for name, address in self.addresses.items() for word in ("--at", f"{name}={address}")
        ]

    @property
    def logs(self) -> list[str]:
        """The logs of all that have left one."""
        return sorted(map(str, self.folder.glob("*.jsonl")))


Begin = Callable[..., Acceptors]


@pytest.fixture
def acceptors(start: Start, tmp_path: Path) -> Begin:
    """Start some acceptors with options."""
    return lambda number, *options: Acceptors(start, tmp_path, number, *options)


@pytest.fixture
def nowhere() -> Iterator[str]:
    """An address at which nobody listens, and nobody else can begin to."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{bound.getsockname()[1]}"


def test_a_proposer_plays_rounds_with_acceptors_that_are_processes(
    acceptors: Begin, run: Run, run_here: RunHere, tmp_path: Path
) -> None:
    its = acceptors(2)
    done = run("propose", *its.places, "-c", "2", "--log", str(tmp_path / "proposer-0.jsonl"))
    assert (done.returncode, done.stderr) == (0, "")
    assert re.match(r"toy-paxos \S+: 1 proposer, 2 acceptors, real time, no seed\n", done.stdout)
    assert "\nnetwork: addresses handed over directly, run " in done.stdout
    assert done.stdout.count("CHOSEN, for a quorum has accepted proposal 1: ") == 2
    assert "expected" not in done.stdout
    judged = run_here("verify", *its.logs)
    assert (judged.returncode, "not all" in judged.stdout) == (0, False)


def test_a_run_is_shown_by_the_same_views(acceptors: Begin, run_here: RunHere) -> None:
    its = acceptors(1)
    for view, words in (("--diagram", "★"), ("--brief", "1 attempt"), ("--json", '"chosen"')):
        done = run_here("propose", *its.places, "-c", "1", view)
        assert done.returncode == 0
        assert words in done.stdout


def test_why_a_message_was_lost_is_told_in_every_view_and_no_obstacle_to_play(
    acceptors: Begin, nowhere: str, run_here: RunHere, tmp_path: Path
) -> None:
    its = acceptors(1)
    # A majority of two are both, so the round does not end before the loss is known.
    its.addresses["acceptor-1"] = nowhere
    lost = "lost (connection refused): PREPARE 1"
    for view, words in (([], lost), (["--json"], '"lost","denial":"connection refused"')):
        done = run_here("propose", *its.places, "-c", "1", *view)
        assert words in done.stdout
        (tmp_path / "story").write_text(done.stdout)
        assert run_here("play", str(tmp_path / "story")).returncode == 0
    lost_one = Delivery(0, Prepare("proposer-0", "acceptor-0", 1), Fate.LOST, denial="connection refused")
    story = Story(Configuration.of(1, 3), [Wants(0, "proposer-0", "apple"), lost_one], "told")
    for ending in FILES.keys() - {".py"}:
        assert "connection refused" in file_of(ending, story)
    assert "lost (connection refused): " in "".join(line.text for line in story_lanes(story, None))


def test_whose_address_it_is_is_told(acceptors: Begin, run_here: RunHere) -> None:
    (address,) = acceptors(1).addresses.values()
    done = run_here("propose", "--at", f"acceptor-0={address}", "--at", f"acceptor-1={address}", "-c", "1", *NEVER_LATE)
    assert "lost (this is acceptor-0, not acceptor-1): PREPARE 1" in done.stdout


def test_one_round_of_a_run_is_shown(run_here: RunHere, tmp_path: Path) -> None:
    path = tmp_path / "story.txt"
    done = run_here("cluster", "-n", "1", "-p", "0", *NEVER_LATE, "--round", "3", "-o", str(path))
    assert done.returncode == 0
    assert re.findall(r"^Round (\d+): consensus", done.stdout, re.MULTILINE) == ["3"]
    assert "--- 3 rounds of toy-paxos ---" in done.stdout
    assert (tmp_path / "story.txt").read_text().startswith("# Round 3, processes on this machine, ")


def test_a_proposer_that_joins_later_goes_on_at_the_newest_round(acceptors: Begin, run_here: RunHere) -> None:
    its = acceptors(1)
    for rounds, shown in (("9", "9"), ("2", "9")):
        done = run_here("propose", *its.places, "--run", "7", "-c", rounds)
        assert re.findall(r"^Round (\d+): consensus", done.stdout, re.MULTILINE)[-1] == shown


def test_several_proposers_compete_and_agree(acceptors: Begin, start: Start, run_here: RunHere, tmp_path: Path) -> None:
    its = acceptors(2)
    rounds = "propose", *its.places, "-q", "-c", "10", "--run", "7", "--num-proposers", "2"
    first, second = ((*rounds, "--index", at, "--log", str(tmp_path / f"proposer-{at}.jsonl")) for at in "01")
    other = start(*first)
    assert (run_here(*second).returncode, other.wait()) == (0, 0)
    judged = run_here("verify", *its.logs)
    assert judged.returncode == 0
    assert "safety violated              0" in judged.stdout


def test_what_was_chosen_stays_chosen_though_all_acceptors_are_killed(
    acceptors: Begin, run_here: RunHere, tmp_path: Path
) -> None:
    its = acceptors(1)
    second_value_after_a_crash(its, tmp_path)
    judged = run_here("verify", *its.logs)
    assert judged.returncode == 0
    assert "apple; proposer-0, proposer-1 learned apple\n" in judged.stdout


def test_those_that_forget_choose_another_value(acceptors: Begin, run_here: RunHere, tmp_path: Path) -> None:
    its = acceptors(1, "--break", "forgets-all")
    second_value_after_a_crash(its, tmp_path)
    judged = run_here("verify", *its.logs)
    assert judged.returncode == 3
    assert "VIOLATED, a second value is chosen: pear" in judged.stdout


def propose(
    addresses: dict[str, str], at: int, value: str, log: Path | None = None, attempts: int = 10, num_proposers: int = 2
) -> Proposer:
    """Let a proposer in this process play round 1 of run 7, with a value and a number of attempts of our choice."""
    configuration = Configuration.of(num_proposers, len(addresses))
    actor = Proposer(configuration.proposers[at], value, configuration.acceptors, at + 1, num_proposers)
    its = Log(log, actor.name, run=7, num_acceptors=len(addresses), num_proposers=num_proposers)
    client = Client(addresses, None)
    network = Network(timeout=3_600_000, max_attempts=attempts)
    RealRound(client, 7, 1, configuration, [Party(actor, value, its)], network, lambda: 0.5).play()
    client.close()
    its.close()
    return actor


def second_value_after_a_crash(its: Acceptors, folder: Path) -> None:
    """Let apple be chosen, kill the only acceptor, start it again, and let another proposer want pear."""
    for at, value in enumerate(("apple", "pear")):
        if at:
            its.kill(0)
            its.begin("acceptor-0")
        assert propose(its.addresses, at, value, folder / f"proposer-{at}.jsonl").learned


def test_without_a_minority_it_learns_without_a_majority_it_gives_up_and_later_goes_on(
    acceptors: Begin, run_here: RunHere
) -> None:
    its = acceptors(3)
    play = "propose", *its.places, "-c", "1"
    its.kill(2)
    assert "Round 1: consensus on" in run_here(*play).stdout
    its.processes["acceptor-1"].send_signal(signal.SIGSTOP)
    done = run_here(*play, "--timeout", "100")
    assert done.returncode == 0
    assert "proposer-0 gives up after 10 attempts" in done.stdout
    assert "Round 1: no value is known to be chosen" in done.stdout
    its.processes["acceptor-1"].send_signal(signal.SIGCONT)
    assert "Round 1: consensus on" in run_here(*play).stdout


def test_a_folder_belongs_to_one_process_and_to_one_name(acceptors: Begin, run_here: RunHere, tmp_path: Path) -> None:
    acceptors(1)
    folder = str(tmp_path / "acceptor-0")
    for name, words in (("acceptor-0", "in use by another process"), ("acceptor-1", "in use by another process")):
        done = run_here("acceptor", "--name", name, "--data-dir", folder)
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
        assert words in done.stderr


def test_a_taken_port_is_refused(acceptors: Begin, run: Run) -> None:
    (address,) = acceptors(1).addresses.values()
    done = run("acceptor", "--name", "acceptor-1", "--data-dir", "x", "--listen", address)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert f"cannot listen at {address}: is it taken" in done.stderr


def test_a_proxy_is_not_asked_for_this_machine(acceptors: Begin, run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        proxy = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        done = run("propose", *acceptors(1).places, "-c", "1", http_proxy=proxy, grpc_proxy=proxy)
    assert "Round 1: consensus on" in done.stdout


@pytest.mark.parametrize(
    ("log", "words"),
    [("/dev/full", "/dev/full is not a file"), ("nowhere/log", "nowhere/log cannot be opened: No such file")],
)
def test_a_log_that_cannot_be_written_is_refused(run_here: RunHere, log: str, words: str) -> None:
    done = run_here("acceptor", "--name", "acceptor-0", "--data-dir", "x", "--log", log)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert words in done.stderr


@pytest.mark.parametrize("view", ["", "-q", "--json"])
def test_a_run_that_reaches_no_acceptor_says_so_and_ends_with_4(view: str, nowhere: str, run_here: RunHere) -> None:
    play = "-c", "2", *view.split()
    done = run_here("propose", "--at", f"acceptor-0={nowhere}", *play)
    assert (done.returncode, done.stderr.count("\n")) == (4, 1)
    assert done.stderr.startswith("toy-paxos: no acceptor has answered: check that they run, ")
    assert "2 rounds" in done.stdout or '"rounds":2' in done.stdout


def test_an_endless_run_that_reaches_no_acceptor_says_so_after_its_first_round(start: Start, nowhere: str) -> None:
    process = start("propose", "--at", f"acceptor-0={nowhere}", "-q")
    assert process.stderr
    words = "toy-paxos: no acceptor has answered: check that they run, "
    assert process.stderr.readline().startswith(words)
    process.send_signal(signal.SIGINT)
    assert process.communicate()[1].startswith(words)
    assert process.returncode == 4


def test_a_run_that_reaches_one_of_its_acceptors_ends_with_0(acceptors: Begin, start: Start, nowhere: str) -> None:
    its = acceptors(1)
    its.addresses |= {"acceptor-1": nowhere, "acceptor-2": nowhere}
    # A round may end before the one that is left has answered, if that is slow; sooner or later it is quick enough.
    process = start("propose", *its.places)
    assert process.stdout
    assert any("acceptor-0 -> proposer-0 PROMISE" in line for line in process.stdout)
    process.send_signal(signal.SIGINT)
    assert (rest_of(process)[1], process.returncode) == ("", 0)


# A cluster and its supervisor


def test_a_cluster_is_one_command_and_its_story_can_be_played_again(
    run: Run, run_here: RunHere, nothing_left: dict[str, str]
) -> None:
    done = run("cluster", "-n", "2", "--num-proposers", "2", "-c", "1", "-p", "0.1", **nothing_left)
    assert (done.returncode, done.stderr) == (0, "")
    assert "toy-paxos 1.3.0: 2 proposers, 2 acceptors, failure probability 0.1, real time, no seed\n" in done.stdout
    assert "network: processes on this machine, addresses handed over directly, run " in done.stdout
    assert "--- 1 round of toy-paxos: " in done.stdout
    played = run_here("play", "-", typed=done.stdout)
    assert (played.returncode, played.stderr) == (0, "")
    words = "CHOSEN, for a quorum has accepted proposal "
    assert done.stdout.partition(words)[2].splitlines()[:1] == played.stdout.partition(words)[2].splitlines()[:1]


def test_who_was_killed_is_told_and_counted(nothing_left: dict[str, str], start: Start) -> None:
    play = "cluster", "-n", "2", "-p", "0", "--kill-every", "0.3", "--json", *NEVER_LATE
    process = start(*play, **nothing_left)
    assert process.stdout
    told: list[dict[str, Any]] = []
    while not told or told[-1].get("type") != "RESTART":
        told.append(json.loads(process.stdout.readline()))
    process.send_signal(signal.SIGINT)
    told += map(json.loads, rest_of(process)[0].splitlines())
    crashes = [event for event in told if event["event"] == "acceptor-crash"]
    restarts = [event for event in told if event.get("type") == "RESTART"]
    # The next kill waits until the last one is back.
    assert len(crashes) - len(restarts) in (0, 1)
    assert [event["acceptor"] for event in crashes][: len(restarts)] == [event["recipient"] for event in restarts]
    assert told[-1]["acceptor_crashes"] == len(crashes)


def test_if_the_supervisor_is_killed_nothing_is_left(
    nothing_left: dict[str, str], start: Start, tmp_path: Path
) -> None:
    process = start("cluster", "-n", "1", "-p", "0", *NEVER_LATE, "--brief", **nothing_left)
    assert process.stdout
    assert any("consensus on" in line for line in process.stdout)
    (acceptor,) = processes_that_know("acceptor", str(tmp_path))
    os.kill(parent_of(acceptor), signal.SIGKILL)
    assert rest_of(process)[1] == "toy-paxos: the cluster has ended, or was killed\n"


@pytest.mark.parametrize("victim", ["os.getpid()", "os.getppid()"], ids=["the supervisor", "the command"])
def test_if_a_process_is_killed_as_soon_as_there_is_a_folder_nothing_is_left(
    victim: str, run: Run, tmp_path: Path
) -> None:
    script = f"""
import os, sys

def kills(path, *args, mkdir=os.mkdir):
    mkdir(path, *args)
    if "toy-paxos-" in os.path.basename(path):
        # Were it the command that makes it, its parent would be this test.
        os.kill({victim} if "toy_paxos.remote.supervisor" in sys.orig_argv else os.getpid(), 9)

os.mkdir = kills
"""
    (tmp_path / "sitecustomize.py").write_text(script)
    path = f"{tmp_path}{os.pathsep}{Path(__file__).parents[1]}"
    done = run("cluster", "-n", "1", "-p", "0", "-c", "1", PYTHONPATH=path, TMPDIR=str(tmp_path))
    assert (done.stdout, [*tmp_path.glob("toy-paxos-*")]) == ("", [])


def parent_of(process: int) -> int:
    """The number of the process that started a process."""
    (parent,) = re.findall(r"PPid:\t(\d+)", Path(f"/proc/{process}/status").read_text())
    return int(parent)


@pytest.mark.slow
def test_acceptors_that_are_killed_at_random_lose_nothing(
    run: Run, nothing_left: dict[str, str], tmp_path: Path
) -> None:
    logs = tmp_path / "logs"
    play = "-n", "3", "--num-proposers", "2", "-c", "100", "--kill-every", "0.5", "-q"
    assert run("cluster", *play, "--log", str(logs), **nothing_left).returncode == 0
    done = run("verify", "-q", *map(str, logs.iterdir()))
    assert done.returncode == 0
    assert "safety violated              0    0.00%" in done.stdout


def shown_run(client: Here, rounds: int | None = 1, only: int | None = None) -> None:
    """Show a run of two proposers, which call acceptors of this process."""
    settings = Settings(3, 0.0, None, ("apple", "pear"), Network(2, timeout=1000, backoff=1), place="here, run 7")
    real = RealRun(7, settings, client, {0: None, 1: None}, is_alone=True)
    options = {"json": False, "rounds": rounds, "round": only, "quiet": False, "output": None}
    rule = CHANGED_RULES["forgets-all"]
    real.show(None, options, rule.name, rule.change)


class Forgetful(Here):
    """Acceptors that are killed, and have forgotten everything, when first somebody makes another attempt."""

    def call(self, name: str, envelope: wire.Envelope, timeout_s: float) -> Any:
        its = self.services[name]
        if envelope.message.kind == wire.PREPARE and envelope.message.id == 3 and its.step:
            self.begin_anew()
        return super().call(name, envelope, timeout_s)

    def begin_anew(self) -> None:
        """Begin with acceptors that know of nothing."""
        self.services = {name: service(name=name) for name in self.services}


@pytest.mark.usefixtures("restored_signals")
@pytest.mark.parametrize("only", [None, 5])
def test_those_that_forget_lose_agreement_before_ones_eyes(
    only: int | None, capfd: pytest.CaptureFixture[str], run_here: RunHere
) -> None:
    with pytest.raises(SystemExit) as ended:
        shown_run(Forgetful(), None, only)
    told = capfd.readouterr().out
    assert ended.value.code == 3
    played = run_here("play", "-", typed=told)
    assert played.returncode == 3
    for shown in (told, played.stdout):
        assert "SAFETY VIOLATED, a second value is chosen: apple, under " in shown


class Restarted(Forgetful):
    """Acceptors that are killed when first somebody makes another attempt, and come back with their folders."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder
        self.services = {name: service(folder / name, name=name) for name in self.services}

    def begin_anew(self) -> None:
        for its in self.services.values():
            let_go(its.store)
        self.services = {name: service(self.folder / name, name=name) for name in self.services}


@pytest.mark.usefixtures("restored_signals")
def test_a_clock_that_was_set_back_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    seconds = count(1_000_000, -3600)
    monkeypatch.setattr(time, "time", lambda: next(seconds))
    monkeypatch.setattr(time, "time_ns", lambda: next(seconds) * 10**9)
    shown_run(Restarted(tmp_path))
    told = capfd.readouterr().out
    assert "acceptor-0 restarts" in told
    assert "Round 1: consensus on" in told


@pytest.mark.usefixtures("restored_signals")
def test_after_the_last_round_that_there_is_a_run_ends_with_a_clear_word(
    capfd: pytest.CaptureFixture[str],
) -> None:
    client = Here()
    for its in client.services.values():
        its.store.newest[7] = LARGEST
    with pytest.raises(CannotError, match=r"^run 7 has played the last possible round: begin another run$"):
        shown_run(client, rounds=9)
    assert f"\nRound {LARGEST}: consensus on " in capfd.readouterr().out


@pytest.mark.usefixtures("restored_signals")
def test_that_a_round_is_over_is_an_answer(capfd: pytest.CaptureFixture[str]) -> None:
    client = Here()
    for its in client.services.values():
        its.store.newest[7] = 200
    shown_run(client)
    assert "Round 1: no value is known to be chosen" in capfd.readouterr().out


@pytest.mark.usefixtures("restored_signals")
def test_a_run_that_is_over_is_refused_in_one_line() -> None:
    client = Here()
    for its in client.services.values():
        its.store.newest.update((run, 1) for run in range(100, 100 + RUNS_KEPT))
    words = f"^run 7 is over for the acceptors: choose a --run above {99 + RUNS_KEPT}, or leave it out$"
    with pytest.raises(CannotError, match=words):
        shown_run(client)


def test_a_run_begins_above_all_that_the_acceptors_know(acceptors: Begin, run_here: RunHere) -> None:
    its = acceptors(1)
    for number in (2**62, 2**61):
        assert run_here("propose", *its.places, "-c", "1", "-q", "--run", str(number)).returncode == 0
    shown = run_here("propose", *its.places, "-c", "1", "-q").stdout
    assert int(re.findall(r", run (\d+),", shown)[0]) > 2**62


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 0), (signal.SIGTERM, -signal.SIGTERM), (signal.SIGKILL, -signal.SIGKILL)]
)
def test_however_it_ends_nothing_is_left(
    number: int, status: int, start: Start, nothing_left: dict[str, str], tmp_path: Path
) -> None:
    process = start("cluster", "-n", "1", "-p", "0", *NEVER_LATE, **nothing_left)
    assert process.stdout
    assert any(line.startswith("Round 1: consensus") for line in process.stdout)
    assert processes_that_know("acceptor-0", str(tmp_path))
    process.send_signal(number)
    output, _ = rest_of(process)
    assert process.returncode == status
    assert ("of toy-paxos" in output) == (number != signal.SIGKILL)


def test_modules_in_the_present_folder_do_not_reach_its_processes(
    run: Run, nothing_left: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "queue.py").write_text("print('hijacked')")
    command = [sys.executable, "-P", "-m", "toy_paxos", "cluster", "-n", "1", "-p", "0", "-c", "1", *NEVER_LATE]
    env = clean_environment(**nothing_left)
    done = subprocess.run(command, capture_output=True, text=True, env=env, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Round 1: consensus on" in done.stdout


def test_an_acceptor_that_ends_while_it_starts_ends_the_cluster(
    run: Run, nothing_left: dict[str, str], tmp_path: Path
) -> None:
    script = "import os, sys\nif 'acceptor' in sys.orig_argv: os.kill(os.getpid(), 9)\n"
    (tmp_path / "sitecustomize.py").write_text(script)
    done = run("cluster", "-n", "1", "-p", "0", "-c", "1", PYTHONPATH=str(tmp_path), **nothing_left)
    assert (done.returncode, done.stderr) == (2, "toy-paxos: acceptor-0 did not start\n")


def test_a_run_that_cannot_go_on_is_summed_up(start: Start, nothing_left: dict[str, str], tmp_path: Path) -> None:
    process = start("cluster", "-n", "1", "-p", "0", "--brief", *NEVER_LATE, **nothing_left)
    assert process.stdout
    assert any("consensus on" in line for line in process.stdout)
    (acceptor,) = processes_that_know("acceptor-0", str(tmp_path))
    os.kill(parent_of(acceptor), signal.SIGTERM)
    output, errors = rest_of(process)
    assert (process.returncode, errors) == (2, "toy-paxos: the cluster has ended, or was killed\n")
    assert "of toy-paxos" in output


def test_a_closed_pipe_ends_it_silently(nothing_left: dict[str, str]) -> None:
    command = f"{' '.join(COMMAND)} cluster -n 1 | head -1"
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command}"],
        capture_output=True,
        env=clean_environment(**nothing_left),
        check=False,
    )
    assert (done.returncode, done.stdout.count(b"\n"), done.stderr) == (128 + signal.SIGPIPE, 1, b"")


def test_if_an_acceptor_cannot_start_one_line_says_so(run_here: RunHere, tmp_path: Path) -> None:
    (tmp_path / "acceptor-0.jsonl").mkdir()
    done = run_here("cluster", "-n", "1", "--log", str(tmp_path))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[-1] == "toy-paxos: acceptor-0 did not start"


# What comes over the wire


def rejected(address: str, data: bytes) -> grpc.StatusCode:
    """How a call with these bytes fails."""
    with grpc.insecure_channel(address, [("grpc.enable_http_proxy", 0)]) as channel:
        with pytest.raises(grpc.RpcError) as failed:
            channel.unary_unary("/toy_paxos.Acceptor/Receive")(data)  # type: ignore[arg-type]
        return failed.value.code()


def envelope(**changes: Any) -> bytes:
    """A PREPARE as it is sent, with some changes."""
    message: dict[str, Any] = {"kind": "PREPARE", "sender": "proposer-0", "recipient": "acceptor-0", "id": 1}
    return wire.Envelope(run=1, round=1, message=wire.Message(**message | changes)).SerializeToString()


def test_what_is_no_message_for_it_is_refused_and_the_server_lives(acceptors: Begin, run: Run) -> None:
    its = acceptors(1)
    (address,) = its.addresses.values()
    invalid, internal = grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.INTERNAL
    surrogate = envelope(kind="PROPOSE", value="???").replace(b"???", b"\xed\xa0\x80")
    for data, code in (
        (b"\xff garbage", internal),
        (surrogate, internal),
        (envelope(kind=0), invalid),
        (envelope(id=0), invalid),
        (envelope(id=-1), invalid),
        (envelope(kind="PROPOSE", value=""), invalid),
        (envelope(kind="PROPOSE", value="x" * (LONGEST + 1)), invalid),
        (envelope(kind="PROPOSE", value="x" * 2**20), grpc.StatusCode.RESOURCE_EXHAUSTED),
        (envelope(recipient="acceptor-1"), invalid),
        (envelope(sender="x\x1b[2J"), invalid),
        (envelope(sender="acceptor-1"), invalid),
        (envelope(kind="FAIL"), invalid),
    ):
        assert rejected(address, data) is code, data[:40]
    assert propose(its.addresses, 0, "x" * LONGEST).learned == "x" * LONGEST
    process = its.processes["acceptor-0"]
    process.terminate()
    _, errors = rest_of(process)
    assert (process.returncode, errors) == (-signal.SIGTERM, "")


# Usage


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["acceptor", "--data-dir", "x"], "--name"),
        (["acceptor", "--name", "a0", "--data-dir", "x"], "a0 is not one of acceptor-0 to acceptor-99"),
        (["acceptor", "--name", "acceptor-07", "--data-dir", "x"], "acceptor-07 is not one of"),
        (["acceptor", "--name", "acceptor-0"], "Missing option '--data-dir'"),
        (
            ["acceptor", "--name", "acceptor-0", "--data-dir", "x", "--listen", "1234"],
            "1234 is not of the form HOST:PORT",
        ),
        (["propose"], "use either --at for each acceptor"),
        (["propose", "--at", "127.0.0.1:1"], "127.0.0.1:1 is not of the form acceptor-0=HOST:PORT"),
        (["propose", "--at", "acceptor-0=here"], "here is not of the form HOST:PORT"),
        (
            ["propose", "--at", "acceptor-1=127.0.0.1:1"],
            "--at: the only acceptor must be called acceptor-0",
        ),
        (
            ["propose", "--at", "acceptor-1=127.0.0.1:1", "--at", "acceptor-1=127.0.0.1:2"],
            "--at: name each acceptor from acceptor-0 to acceptor-1 exactly once",
        ),
        (["propose", "--at", "acceptor-0=127.0.0.1:1", "--index", "1"], "needs --num-proposers 2 or more"),
        (["propose", "--at", "acceptor-0=\udcff:1"], "is not of the form HOST:PORT"),
        (["propose", "--zookeeper", ":::1", "-n", "1"], "is not of the form HOST:PORT"),
        (["propose", "--zookeeper", "127.0.0.1:1/a/../b", "-n", "1"], "a/../b is not a path of nodes"),
        (["propose", "--zookeeper", "127.0.0.1:1/\udcff", "-n", "1"], "is not a path of nodes"),
        (["cluster", "-n", "101"], "101 is not a whole number from 1 to 100"),
        (["cluster", "--diagram", "--json"], "--diagram and --json exclude each other"),
        (["cluster", "--round", "2", "-c", "3"], "--round K ends the run after round K: leave out --rounds"),
        (["verify"], "FILES"),
    ],
)
def test_wrong_usage_is_one_line(args: list[str], words: str, run_here: RunHere) -> None:
    done = run_here(*args)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert words in done.stderr


def test_an_acceptor_fails_no_request_unless_it_is_told_to_and_help_says_what_is_so(run_here: RunHere) -> None:
    for command, words in (
        ("acceptor", "answers FAIL (from 0 to 1; default: 0)."),
        ("cluster", "each a process (from 1 to 100; default: 5)."),
    ):
        help = " ".join(run_here(command, "--help").stdout.split())
        assert words in help
        assert "simulated" not in help
    assert "from 1 to 9,223,372,036,854,775,807" in " ".join(run_here("verify", "--help").stdout.split())


def test_no_other_command_waits_for_it() -> None:
    code = "import runpy, sys; sys.argv[1:] = ['-c', '1']; runpy.run_module('toy_paxos', run_name='__main__')"
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", code],
        capture_output=True,
        encoding="utf-8",
        env=clean_environment(),
        check=False,
    )
    assert "click" in done.stderr
    assert not re.search(r"grpc|google|kazoo|toy_paxos\.remote|command\.remote", done.stderr)
