"""Rounds appear at a pace that a person can follow."""

import re
import signal
import sys
import time
from collections.abc import Iterator

import pytest
from conftest import OnTerminal

from toy_paxos.command import show
from toy_paxos.command.show import Pace
from toy_paxos.command.story_file import StoryFile
from toy_paxos.round import Round, Statistics
from toy_paxos.settings import Settings
from toy_paxos.simulation import play_rounds
from toy_paxos.view.json_lines import JsonLines
from toy_paxos.view.views import lines_of, view_of

SETTINGS = Settings(3, 0.1, seed=1)


class Clock:
    """A clock that only waiting and playing move, and a stop request that waits by it.

    It asks to stop once it has been asked so many times whether it does.
    """

    def __init__(self, patience: int = 1_000) -> None:
        self.now = 0.0
        self.patience = patience

    def monotonic(self) -> float:
        return self.now

    def wait(self, until: float) -> None:
        self.now = max(self.now, until)

    def close(self) -> None:
        pass

    @property
    def signal(self) -> int | None:
        self.patience -= 1
        return signal.SIGINT if self.patience < 0 else None


def times_of_rounds(clock: Clock, seconds_to_play: list[float], pace: Pace) -> list[float]:
    """When rounds are shown that take so long to play."""
    times: list[float] = []

    def rounds() -> Iterator[Round]:
        for seconds, finished in zip(seconds_to_play, play_rounds(SETTINGS), strict=False):
            clock.now += seconds
            yield finished

    class View(JsonLines):
        def round(self, finished: Round) -> str:
            times.append(clock.now)
            return super().round(finished)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(show, "time", clock)
        patch.setattr(show, "StopRequest", lambda **_: clock)
        patch.setattr(show, "view_of", lambda *_: View(SETTINGS))
        show.show(rounds(), Statistics(SETTINGS), pace)
    return times


def test_the_rounds_own_time_counts() -> None:
    assert times_of_rounds(Clock(), [0.25] * 4, Pace(4, 1, quiet=False)) == [0.25, 1, 2, 3]


def test_after_a_slow_round_there_is_no_hurry_to_catch_up() -> None:
    slow = [0.25, 0.25, 2.5, 0.25, 0.25]
    assert times_of_rounds(Clock(), slow, Pace(5, 1, quiet=False)) == [0.25, 1, 3.5, 3.75, 4.5]


def test_ctrl_c_in_the_last_round_does_not_cut_a_bounded_run_short() -> None:
    assert times_of_rounds(Clock(patience=6), [0.0, 0.0], Pace(2, 1, quiet=False)) == [0, 1]


def test_on_a_terminal_the_lines_of_a_round_appear_one_by_one(on_terminal: OnTerminal) -> None:
    began = time.monotonic()
    seen = on_terminal("-c", "1", "-n", "1", "-p", "0")
    lines_of_the_round = seen.partition("Round 1")[2].partition("---")[0].count("\n")
    assert time.monotonic() - began >= show.LINE_S * (lines_of_the_round - 2) > 0.5


@pytest.mark.parametrize(
    ("num_lines", "interval", "each"),
    [(10, 8, 0.8), (10, 0, show.LINE_S), (1_000, 0, 0.01), (1_000, 40, 0.04), (10, 60, 2)],
)
def test_the_heading_comes_at_once_and_lines_are_spread_over_the_interval_or_come_as_fast_as_one_reads(
    num_lines: int, interval: float, each: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, times = Clock(), list[float]()

    def line() -> str:
        times.append(clock.now)
        return ""

    monkeypatch.setattr(show, "time", clock)
    show.show_line_by_line([line] * num_lines, interval, stop=clock)  # type: ignore[arg-type]
    assert times == pytest.approx([0, *(number * each for number in range(num_lines - 1))])


@pytest.mark.parametrize("form", [None, "diagram"])
def test_a_round_of_five_acceptors_takes_about_five_seconds(form: str | None) -> None:
    run = Settings(5, 0.1, seed=1)
    lines = lines_of(view_of(run, form), next(play_rounds(run)))
    assert 4 <= show.LINE_S * len(lines) <= 6


@pytest.mark.parametrize(
    ("on_terminal", "interval", "quiet", "line_by_line"),
    [
        (True, None, False, True),
        (True, 8, False, True),
        (True, 0, False, False),
        (True, None, True, False),
        (False, None, False, False),
        (False, 8, False, False),
    ],
)
def test_only_a_terminal_gets_line_by_line_and_only_if_time_is_to_pass(
    on_terminal: bool, interval: float | None, quiet: bool, line_by_line: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: on_terminal)
    assert Pace.of(None, interval, quiet).line_by_line is line_by_line


def test_rounds_before_the_first_shown_one_are_played_and_not_shown(
    capfd: pytest.CaptureFixture[str],
) -> None:
    pace = Pace(3, 0, quiet=False, first_shown=3)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(show, "StopRequest", lambda **_: Clock())
        statistics = Statistics(SETTINGS)
        show.show(play_rounds(SETTINGS), statistics, pace, output=StoryFile("-.txt"))
    written = capfd.readouterr().out
    assert re.findall(r"Round (\d+)", written) == ["3"]
    assert statistics.rounds == 3
