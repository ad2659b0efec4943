"""The guard around the user's own code: a loop without an end is an error with a place, not a program that hangs."""

import re
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import RunHere

from toy_paxos.command import guard
from toy_paxos.event import hand_over
from toy_paxos.message import Message, Prepare

PREPARE = Prepare("proposer-0", "acceptor-0", 1)

ACTORS = """
from toy_paxos.acceptor import Acceptor
from toy_paxos.message import Propose

class Endless(Acceptor):
    def accept(self, request):
        while True:
            try:
                self.promised += 1
            except Exception:
                pass
"""


class Ticking:
    """An acceptor in whose calls the timer ticks."""

    name = "acceptor-0"

    def __init__(self, tick: Callable[[], None], ticks: int) -> None:
        self.tick = tick
        self.ticks = ticks

    def receive(self, message: Message) -> list[Message]:
        for _ in range(self.ticks):
            self.tick()
        return []


def test_a_call_that_runs_at_two_ticks_in_a_row_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signal, "setitimer", lambda *_: None)
    clock = guard.Clock()

    def tick() -> None:
        clock.tick(0, sys._getframe())

    for _ in range(3):
        hand_over(Ticking(tick, 1), PREPARE, 1, 0)
    with pytest.raises(guard.EndlessError):
        hand_over(Ticking(tick, 2), PREPARE, 1, 0)


def test_the_program_itself_may_take_as_long_as_it_likes() -> None:
    clock = guard.Clock()
    for _ in range(3):
        hand_over(Ticking(lambda: None, 1), PREPARE, 1, 0)
        clock.tick(0, None)


@pytest.mark.parametrize(
    "args",
    [["check"], ["check", "-n", "1"], ["-c", "1"], ["-c", "1", "--num-proposers", "2"], ["play", "adoption"]],
)
def test_an_actor_that_never_returns_is_an_error(
    args: list[str], run_here: RunHere, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "endless.py").write_text(ACTORS)
    monkeypatch.setattr(guard, "TICK_S", 0.05)
    done = run_here(*args, "--acceptor", f"{tmp_path}/endless.py:Endless")
    assert done.returncode == 2
    words = r"on receiving PROPOSE \d from \S+ to \S+: EndlessError: it does not seem to return \(endless.py, line"
    assert re.search(words, done.stderr)
