"""How fast a round is, beside a floor: run by hand, never by the tests.

One operation is one round, so the table's OPS column says rounds per second, in thousands where its
heading says Kops/s. The number in parentheses is the ratio to the fastest, which is the floor: a bare
loop that makes as many method calls, message objects and random draws a round, and does nothing else.
All times are CPU time: on a busy machine the clock on the wall says little.
"""

import random
import resource
import subprocess
import sys
from dataclasses import replace
from inspect import CO_GENERATOR
from itertools import islice
from pathlib import Path
from statistics import median
from time import process_time
from types import FrameType

import pytest
from conftest import clean_environment
from pytest_benchmark.fixture import BenchmarkFixture

import toy_paxos
from toy_paxos.adapt import program
from toy_paxos.checking.climb import climb
from toy_paxos.message import Accept, Propose
from toy_paxos.round import Statistics
from toy_paxos.settings import Network, Settings
from toy_paxos.simulation import play_rounds
from toy_paxos.view.views import view_of

SETTINGS = Settings(num_acceptors=5, acceptor_failure_prob=0.2, seed=1)
SAMPLE = 1_000


def calls_per_round() -> int:
    """How many functions and methods of the program a round calls, on average.

    Resuming a generator or a comprehension is not counted, nor is making a message.
    """
    package = str(Path(toy_paxos.__file__).parent)
    calls = 0

    def count(frame: FrameType, event: str, _: object) -> None:
        nonlocal calls
        code = frame.f_code
        counts = event == "call" and code.co_filename.startswith(package)
        calls += counts and not code.co_flags & CO_GENERATOR and not code.co_name.startswith("<")

    sys.setprofile(count)
    for _ in islice(play_rounds(SETTINGS), SAMPLE):
        pass
    sys.setprofile(None)
    return calls // SAMPLE


def messages_per_round() -> int:
    """How many messages a round makes, on average."""
    return sum(r.messages for r in islice(play_rounds(SETTINGS), SAMPLE)) // SAMPLE


class Idle:
    """An actor that does nothing."""

    def receive(self, message: Accept) -> None:
        """Do nothing."""


@pytest.mark.benchmark(group="rounds per second")
def test_floor(benchmark: BenchmarkFixture) -> None:
    calls, messages = range(calls_per_round()), range(messages_per_round())
    draws = range(2 * SETTINGS.num_acceptors + 1)
    draw, actor, message = random.Random(1).random, Idle(), Accept("a", "b", 1, "v")

    def floor() -> None:
        for _ in messages:
            Accept("acceptor-0", "proposer-0", 1, "v")
        for _ in draws:
            draw()
        for _ in calls:
            actor.receive(message)

    benchmark(floor)


@pytest.mark.benchmark(group="rounds per second")
def test_quiet(benchmark: BenchmarkFixture) -> None:
    rounds, statistics = play_rounds(SETTINGS, told=False), Statistics(SETTINGS)
    benchmark(lambda: statistics.add(next(rounds)))


@pytest.mark.benchmark(group="rounds per second")
@pytest.mark.parametrize("form", [None, "brief", "json"], ids=["text", "brief", "json"])
def test_to_a_file(form: str | None, benchmark: BenchmarkFixture, tmp_path: Path) -> None:
    to_a_file(SETTINGS, form, benchmark, tmp_path)


@pytest.mark.benchmark(group="rounds over the network per second")
@pytest.mark.parametrize("form", [None, "json"], ids=["text", "json"])
def test_network_to_a_file(form: str | None, benchmark: BenchmarkFixture, tmp_path: Path) -> None:
    to_a_file(replace(SETTINGS, network=Network(num_proposers=2)), form, benchmark, tmp_path)


@pytest.mark.benchmark(group="rounds over the network per second")
def test_network_quiet(benchmark: BenchmarkFixture) -> None:
    settings = replace(SETTINGS, network=Network(num_proposers=2))
    rounds, statistics = play_rounds(settings, told=False), Statistics(settings)
    benchmark(lambda: statistics.add(next(rounds)))


def to_a_file(settings: Settings, form: str | None, benchmark: BenchmarkFixture, tmp_path: Path) -> None:
    """Time rounds that are written to a file."""
    rounds, statistics, view = play_rounds(settings), Statistics(settings), view_of(settings, form)
    with (tmp_path / "output").open("w", encoding="utf-8") as output:

        def round() -> None:
            finished = next(rounds)
            statistics.add(finished)
            output.write(view.round(finished))
            output.flush()

        benchmark(round)


@pytest.mark.benchmark(group="rounds per second by number of acceptors: ten times as many, ten times as slow")
@pytest.mark.parametrize("num_acceptors", [5, 6, 9, 50, 500, 5_000])
@pytest.mark.parametrize("told", [False, True], ids=["quiet", "text"])
def test_acceptors(num_acceptors: int, told: bool, benchmark: BenchmarkFixture) -> None:
    settings = Settings(num_acceptors, 0.2, seed=1)
    rounds, view = play_rounds(settings, told=told), view_of(settings, None)
    benchmark((lambda: view.round(next(rounds))) if told else (lambda: next(rounds)))


@pytest.mark.benchmark(group="a whole climb of the checker")
def test_climb(benchmark: BenchmarkFixture) -> None:
    benchmark.pedantic(lambda: list(climb()), rounds=3)  # type: ignore[no-untyped-call]


# A program that costs next to nothing: it always gives the same answer.
SED = r"""sed -u 's/.*/{"state": {"promised": 1, "accepted": null}, "messages": []}/'"""


def test_question(capsys: pytest.CaptureFixture[str]) -> None:
    acceptor = program(SED, "acceptor")("acceptor-0")
    request = Propose("proposer-0", "acceptor-0", 1, "value-0")

    def microseconds() -> float:
        began = process_time()
        for _ in range(SAMPLE):
            acceptor.receive(request)
        return (process_time() - began) / SAMPLE * 1e6

    cost = median(microseconds() for _ in range(15))
    with capsys.disabled():
        print(f"\na question to a program: {cost:.0f} us of our own CPU time")
    assert cost < 100


def test_network_beside_direct_calls(capsys: pytest.CaptureFixture[str]) -> None:
    network = Network(num_proposers=2)
    direct = play_rounds(SETTINGS, told=False)
    simulated = play_rounds(replace(SETTINGS, network=network), told=False)
    rates: dict[str, list[float]] = {"direct": [], "simulated": []}
    for _ in range(15):
        began = process_time()
        messages = sum(finished.messages for finished in islice(direct, 300))
        rates["direct"].append(messages / (process_time() - began))
        began = process_time()
        messages = sum(finished.messages for finished in islice(simulated, 100))
        rates["simulated"].append(messages / (process_time() - began))
    per_second = {name: median(values) for name, values in rates.items()}
    with capsys.disabled():
        for name, rate in per_second.items():
            print(f"\n{name}: {rate:,.0f} messages/s, {1e6 / rate:.2f} us a message", end="")
        print(f"\nratio: {per_second['simulated'] / per_second['direct']:.2f}")


def seconds(*arguments: str) -> float:
    """The CPU time of a Python process with these arguments: the median of some runs, in seconds."""
    # What keeps Python from writing what it compiles would make it compile at each start.
    env = {name: value for name, value in clean_environment().items() if name != "PYTHONDONTWRITEBYTECODE"}

    def once() -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, *arguments], stdout=subprocess.DEVNULL, env=env, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    once()  # What it compiles is there for all others.
    return median(once() for _ in range(15))


@pytest.mark.parametrize("command", ["--rounds 1", "check -n 1"])
def test_start(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    floor, start = seconds("-c", "import click"), seconds("-m", "toy_paxos", *command.split())
    with capsys.disabled():
        print(f"\nstart, {command}: {start * 1000:.0f} ms, {start / floor:.2f} times as long as to import click")


def peak_kib(rounds: int, *options: str) -> int:
    """The largest resident size of a quiet run, in KiB."""
    # Asked from inside: to the outside, the size of this process would count as the child's.
    code = (
        "from toy_paxos.main import run;"
        f"run.main({['-q', '-c', str(rounds), *options]}, standalone_mode=False);"
        "print(*(line for line in open('/proc/self/status') if line.startswith('VmHWM')))"
    )
    output = subprocess.check_output([sys.executable, "-c", code], env=clean_environment(), encoding="utf-8")
    return int(output.split()[-2])


@pytest.mark.parametrize("options", [[], ["--num-proposers", "2", "-n", "3", "--message-loss-prob", "0.1"]])
def test_memory_is_flat(options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    few, many = peak_kib(20_000, *options), peak_kib(200_000, *options)
    with capsys.disabled():
        print(f"\npeak memory: {few:,} KiB after 20,000 rounds, {many:,} KiB after 200,000 {options}")
    assert many - few < 1024
