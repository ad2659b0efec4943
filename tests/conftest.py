"""What the tests share: the program as a real process, and what they ask of a story.

No test has a time limit of its own: a slow machine must not fail it. A test that waits for something that never
happens ends at the limit in pyproject.toml, which is far from what any test takes.
"""

import fcntl
import gc
import io
import os
import pty
import re
import shlex
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, NamedTuple

import once
import pytest
from hypothesis import HealthCheck, settings
from stories import report_of

from toy_paxos.checking import ChangedRule, Model, Report, check_rule
from toy_paxos.command.process import Progress
from toy_paxos.event import Delivery, Event
from toy_paxos.main import main
from toy_paxos.message import Fail, Message, Timeout

COMMAND = [sys.executable, "-m", "toy_paxos"]

# The same, but it never loses patience after a signal, however slow the machine is.
PATIENT = (
    "import runpy, signal; signal.setitimer = lambda *_: (0.0, 0.0); "
    "runpy.run_module('toy_paxos', run_name='__main__', alter_sys=True)"
)
PATIENT_COMMAND = [sys.executable, "-c", PATIENT]

# Searches make many objects and few cycles: to look for cycles less often saves a fifteenth of the time of the tests.
gc.set_threshold(100_000)

# Hypothesis has limits, too, and other examples in each run; here, all runs are the same.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
settings.load_profile("any machine")

# Proposers that wait for an answer, however slow the machine is.
NEVER_LATE = ("--timeout", "3600000")

TRANSCRIPTS = Path(__file__).parent / "transcripts"

# What would change the output of a program under test, if the tester happened to have it set.
CONFUSING = ("COLUMNS", "FORCE_COLOR", "NO_COLOR", "PYTHONIOENCODING", "PYTHONUNBUFFERED", "TOY_PAXOS_")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add a flag that rewrites the golden transcripts, and an option for more rounds."""
    parser.addoption("--regenerate", action="store_true", help="rewrite tests/transcripts; review the result as a diff")
    parser.addoption("--soak", type=int, default=2_000, metavar="N", help="how many rounds tests/test_soak.py plays")


def clean_environment(**changes: str) -> dict[str, str]:
    """The environment without what would change the output, and with some changes."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(CONFUSING)}
    return env | {"TERM": "xterm-256color", "PYTHONUTF8": "1"} | changes


Run = Callable[..., subprocess.CompletedProcess[str]]
RunHere = Callable[..., "Ended"]
Start = Callable[..., "subprocess.Popen[str]"]
OnTerminal = Callable[..., str]
PrintedBy = Callable[[str], str]


def run_process(
    *args: str, stdout: Any = subprocess.PIPE, typed: str = "", **env: str
) -> subprocess.CompletedProcess[str]:
    """Run the program to its end, with pipes and with what was typed before; other keywords go to the environment."""
    return subprocess.run(
        [*COMMAND, *args],
        stdout=stdout,
        stderr=subprocess.PIPE,
        input=typed,
        env=clean_environment(**env),
        encoding="utf-8",
        check=False,
    )


@pytest.fixture
def run() -> Run:
    """Run the program to its end as a process."""
    return run_process


def without_times(output: str) -> str:
    """What is left when the only thing that differs between two equal runs is taken out: wall time."""
    output = re.sub(r"in [\d.]+ s, [\d,.]+ rounds/s", "in ... s, ... rounds/s", output)
    output = re.sub(r"in [\d.]+ s \([\d,]+ states/s\)", "in ... s (... states/s)", output)
    output = re.sub(r"(states?), [\d.]+ s\b", r"\1, ... s", output)
    return re.sub(r'"elapsed_s":[\d.e-]+', '"elapsed_s":0', output)


@pytest.fixture(scope="session", autouse=True)
def shared_folder(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> None:
    """Share what is made once with all processes of pytest."""
    folder = tmp_path_factory.getbasetemp()
    once.FOLDER = folder if worker_id == "master" else folder.parent


@pytest.fixture(scope="session")
def printed_by() -> PrintedBy:
    """Return what a command line prints, without times."""

    def printed_by(command: str) -> str:
        program, *args = shlex.split(command)
        assert program == "toy-paxos"
        return once.once(command, lambda: without_times(run_process(*args).stdout))

    return printed_by


class Ended(NamedTuple):
    """How the program ended: its exit status, and what it wrote."""

    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def run_here(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, restored_signals: None) -> RunHere:
    """Run the program to its end in this process, with what was typed before: much faster than a new process.

    The progress of a search is never shown, because on a slow machine it would be an additional line.
    """
    monkeypatch.setattr(Progress, "show", lambda *_: None)

    def run_here(*args: str, typed: str = "") -> Ended:
        monkeypatch.setattr(sys, "argv", ["toy-paxos", *args])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(typed.encode()), "utf-8"))
        with pytest.raises(SystemExit) as ended:
            main()
        captured = capfd.readouterr()
        return Ended(int(ended.value.code or 0), captured.out, captured.err)

    return run_here


@pytest.fixture
def searched_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let `check --break RULE`, if it runs in this process, print a report that was made before."""

    def once(rule: ChangedRule, model: Model, *limits: Any) -> Report:
        return report_of(rule.name) if model == rule.model else check_rule(rule, model, *limits)

    monkeypatch.setattr("toy_paxos.command.check.check_rule", once)


@pytest.fixture
def few_walks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Search without looking for long whether actors are what their attributes say."""
    monkeypatch.setattr("toy_paxos.checking.determinism.WALKS", 3)


@pytest.fixture
def few_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Find out soon that actors have too many states to know what they may still do."""
    monkeypatch.setattr("toy_paxos.checking.reduction.MANY_STEPS", 1_000)


@pytest.fixture
def start() -> Iterator[Start]:
    """Start the program with pipes, perhaps as another command; what still runs at the end of the test is killed."""
    with ExitStack() as at_the_end:

        def start(*args: str, command: Sequence[str] = PATIENT_COMMAND, **env: str) -> "subprocess.Popen[str]":
            process = subprocess.Popen(
                [*command, *args],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                stdin=subprocess.DEVNULL,
                # An endless run that is not read waits soon, and uses no time.
                pipesize=2**14,
                env=clean_environment(**env),
                encoding="utf-8",
                errors="replace",
            )
            at_the_end.enter_context(process)
            at_the_end.callback(process.kill)
            return process

        yield start


def rest_of(process: "subprocess.Popen[str]") -> tuple[str, str]:
    """What a process writes until its end; communicate() would lose what readline() has read ahead."""
    assert process.stdout
    assert process.stderr
    with ThreadPoolExecutor() as pool:
        output, errors = pool.map(lambda stream: stream.read(), (process.stdout, process.stderr))
    process.wait()
    return output, errors


SLOW = """
import time
from pathlib import Path
from toy_paxos.acceptor import Acceptor

HERE = Path(__file__).parent

class Waiting(Acceptor):
    def promise(self, request):
        (HERE / "asked").touch()
        while not (HERE / "permitted").exists():
            time.sleep(0.01)
        return super().promise(request)

class Slow(Acceptor):
    def promise(self, request):
        time.sleep(0.03)
        return super().promise(request)
"""


@pytest.fixture
def slow(tmp_path: Path) -> Path:
    """A file with slow acceptors."""
    path = tmp_path / "slow.py"
    path.write_text(SLOW)
    return path


@pytest.fixture
def restored_signals(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Give the test runner its signal handlers back after the program was run inside it.

    The alarm stays with the runner all the time: it ends a test that hangs.
    """
    setitimer = signal.setitimer

    def without_alarm(which: int, *times: float) -> tuple[float, float]:
        return (0.0, 0.0) if which == signal.ITIMER_REAL else setitimer(which, *times)

    monkeypatch.setattr(signal, "SIGALRM", signal.SIGUSR2)
    monkeypatch.setattr(signal, "setitimer", without_alarm)
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT)
    handlers = [signal.getsignal(number) for number in numbers]
    yield
    signal.set_wakeup_fd(-1)
    for number, handler in zip(numbers, handlers, strict=True):
        signal.signal(number, handler)


@pytest.fixture
def on_terminal() -> OnTerminal:
    """Run the program on a pseudo-terminal; return what it showed.

    Perhaps interrupt it at some words, or type a line at each of its prompts.
    """

    def on_terminal(
        *args: str, columns: int = 80, interrupt_at: bytes = b"", typed: Sequence[str] = (), **env: str
    ) -> str:
        main_end, program_end = pty.openpty()
        fcntl.ioctl(program_end, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        process = subprocess.Popen(
            [*PATIENT_COMMAND, *args],
            stdin=program_end,
            stdout=program_end,
            stderr=program_end,
            env=clean_environment(**env),
        )
        os.close(program_end)
        shown, prompts, lines = b"", 0, iter(typed)
        try:
            while new := read_terminal(main_end):
                shown += new
                if interrupt_at and interrupt_at in shown:
                    process.send_signal(signal.SIGINT)
                    interrupt_at = b""
                for _ in range(shown.count(b"toy-paxos> ") - prompts):
                    os.write(main_end, f"{next(lines)}\n".encode())
                    prompts += 1
            process.wait()
        finally:
            process.kill()
            process.wait()
            os.close(main_end)
        return shown.decode().replace("\r\n", "\n")

    return on_terminal


def read_terminal(end: int) -> bytes:
    """The next bytes from a pseudo-terminal, or none after its program is gone."""
    try:
        return os.read(end, 65536)
    except OSError:
        return b""


def is_possible(model: Model, story: Iterable[Event]) -> bool:
    """Whether all that is delivered in a story was said before, by somebody or, once each, by the environment."""
    sent = [message for proposer in model.new_actors()[0] for message in proposer.prepare()]
    environment = list(model.environment())
    for event in story:
        if isinstance(event, Delivery):
            if event.message not in sent:
                said = [other for other in environment if is_meant(other, event.message)]
                if not said:
                    return False
                environment.remove(said[0])
            sent += [answer for answer in event.answers if model.fail or not isinstance(answer, Fail)]
    return True


def is_meant(said: Message, delivered: Message) -> bool:
    """Whether the environment said so; the timeouts are counted, but come under the number of an attempt."""
    if isinstance(said, Timeout) and isinstance(delivered, Timeout):
        return said.recipient == delivered.recipient
    return said == delivered


def wait_until(condition: Callable[[], object]) -> None:
    """Wait until something is so."""
    while not condition():
        time.sleep(0.05)


@pytest.fixture
def nothing_left(tmp_path: Path) -> Iterator[dict[str, str]]:
    """An environment in which a cluster leaves nothing behind: no folder, and no process that knows of it."""
    yield {"TMPDIR": str(tmp_path)}
    wait_until(lambda: not [*tmp_path.glob("toy-paxos-*"), *processes_that_know(str(tmp_path))])


@pytest.fixture
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the present folder be one of the test's own."""
    monkeypatch.chdir(tmp_path)


def processes_that_know(*words: str) -> dict[int, str]:
    """The command lines of the processes that have all these words in it, by their numbers."""
    found = {}
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            found[int(path.parent.name)] = path.read_text(errors="replace")
    return {number: command for number, command in found.items() if all(word in command for word in words)}
