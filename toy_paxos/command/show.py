"""Show rounds at a pace that a person can follow, until there are enough or a signal asks to stop."""

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from signal import SIGINT
from typing import Any

from toy_paxos.command.process import Progress, SignalledError, StopRequest, say, set_up, write
from toy_paxos.command.story_file import StoryFile
from toy_paxos.event import plural
from toy_paxos.round import Outcome, Round, Statistics
from toy_paxos.view.output import shown
from toy_paxos.view.run_words import running_line
from toy_paxos.view.views import Silence, lines_of, story_of, view_of
from toy_paxos.view.words import line

# The time for a line, so that a round of five acceptors takes about five seconds: people read four words a second.
LINE_S = 0.18

# The longest time for a round, which may have thousands of lines.
LONGEST_ROUND_S = 10

# The longest time for a line. With a long interval, the rest of the time passes after the last line.
LONGEST_LINE_S = 2

# The hint after a first run, on one line of a terminal.
NEXT = "Next, try: toy-paxos --diagram (draw), check (search), play (be the network)"


@dataclass(frozen=True)
class Pace:
    """How many rounds to show (None: endless rounds), which of them, and when.

    ``interval`` is the time in seconds from one round to the next. If ``line_by_line``, the lines of a round are spread
    over the interval, or, without one, over the time that it takes to read them. Rounds before ``first_shown`` are
    shown only if they violate safety. ``until`` is the kind of round to wait for: only the first one is shown, and
    ``num_rounds`` is the limit on the rounds to try.
    """

    num_rounds: int | None
    interval: float
    quiet: bool
    line_by_line: bool = False
    first_shown: int = 1
    until: str | None = None

    @classmethod
    def of(cls, num_rounds: int | None, interval: float | None, quiet: bool, **others: Any) -> "Pace":
        """Return the pace for standard output: line by line on a terminal, unless the interval is 0."""
        line_by_line = interval != 0 and sys.stdout.isatty() and not quiet
        return cls(num_rounds, interval or 0, quiet, line_by_line, **others)


def show(
    rounds: Iterator[Round],
    statistics: Statistics,
    pace: Pace,
    form: str | None = None,
    output: StoryFile | None = None,
    rule: str | None = None,
    change: str = "",
) -> None:
    """Show rounds in a form until there are enough, a signal asks to stop, or safety is lost; sum up and end.

    Each round that is shown is also written into ``output``, if that is given. ``rule`` is the name of a changed rule;
    ``change`` describes actors that are not those of Paxos.

    Raises SystemExit if safety is lost, and SignalledError if a signal came before there were enough.
    """
    settings, is_silent = statistics.settings, bool(output and output.is_output)
    set_up(utf_8=form == "json" or is_silent)
    view = Silence() if is_silent else view_of(settings, form, rule, change)
    began = due = time.monotonic()

    def running() -> str:
        statistics.elapsed_s = time.monotonic() - began
        return running_line(statistics)

    stop = StopRequest(on_quit=running, waiting_for="the end of the round")
    progress = Progress()
    write(view.start())
    on_terminal = sys.stdout.isatty() and bool(sys.stderr) and sys.stderr.isatty()
    if pace.num_rounds is None and on_terminal:
        say("Ctrl-C to stop")
    rounds = islice(rounds, pace.num_rounds)
    if pace.until:
        rounds = first_with(pace.until, rounds, statistics, stop, progress)
    while not stop.signal and (finished := next(rounds, None)):
        # A round is shown even if a signal came while it was played, but not if it is not due yet.
        if pace.interval:
            stop.wait(until=due)
            if time.monotonic() < due:
                break
            due = max(due + pace.interval, time.monotonic())
        statistics.add(finished)
        is_shown = finished.number >= pace.first_shown or statistics.violated
        if is_shown and (not pace.quiet or statistics.violated):
            if pace.line_by_line:
                show_line_by_line(lines_of(view, finished), pace.interval, stop)
            else:
                write(view.round(finished))
        else:
            progress.show(running)
        if output and is_shown:
            output.write(story_of(settings, finished, rule, change))
        if statistics.violated:
            break
    statistics.elapsed_s = time.monotonic() - began
    progress.erase()
    is_found = statistics.rounds or not pace.until
    if is_found:
        write(view.summary(statistics))
    stop.close()
    if not is_found and not stop.signal:
        advice = "take more --rounds, another --seed, or other probabilities (-p, --message-loss-prob, ...)"
        if pace.until == "violation" and not settings.actors and settings.configuration.quorums_meet:
            advice = "correct actors never violate safety; add --break RULE"
        say(f"toy-paxos: no round with {pace.until} among {pace.num_rounds:,}: {advice}")
        sys.exit(4)
    if statistics.violated:
        sys.exit(3)
    complete = statistics.rounds == (1 if pace.until else pace.num_rounds)
    stopped_an_endless_run = pace.num_rounds is None and stop.signal == SIGINT
    if stop.signal and not complete and not stopped_an_endless_run:
        raise SignalledError(stop.signal)
    if stopped_an_endless_run and on_terminal:
        say(shown([line(("time", NEXT))]), end="")


def first_with(
    kind: str, rounds: Iterator[Round], statistics: Statistics, stop: StopRequest, progress: Progress
) -> Iterator[Round]:
    """Yield the first round of a kind, or in which safety is lost, unless a signal asks to stop before."""
    # Imported here because most runs show all rounds.
    from toy_paxos.simulation.wanted import WANTED

    for finished in rounds:
        if WANTED[kind](finished) or finished.outcome is Outcome.VIOLATED:
            statistics.first = finished.number
            yield finished
            return
        if stop.signal:
            return
        progress.show(partial("toy-paxos: no {} in {} so far".format, kind, plural(finished.number, "round")))


def show_line_by_line(lines: Sequence[Callable[[], str]], interval: float, stop: StopRequest) -> None:
    """Write a round line by line, within the interval if there is one; after a stop request, write the rest at once.

    The heading, the second line after an empty one, is written without a pause.
    """
    began = time.monotonic()
    per_line = min(LONGEST_LINE_S, (interval or min(LINE_S * len(lines), LONGEST_ROUND_S)) / max(len(lines), 1))
    for number, words in enumerate(lines):
        stop.wait(until=began + max(0, number - 1) * per_line)
        write(words())
