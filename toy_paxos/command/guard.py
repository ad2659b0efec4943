"""The guard around the user's own actors, which must neither write to standard output nor hang the program.

A timer ticks after equal amounts of CPU time. If the same call of an actor runs at two ticks in a row, an exception
ends it, at the line where it is. A call that only waits, or that loops in code other than Python, is not ended.
"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from toy_paxos.command.process import POSIX, user_output_to_stderr

TICK_S = 5.0

# After one call that did not return, others are not given as much time: there may be thousands.
SHORT_TICK_S = 0.05


class EndlessError(SystemExit):
    """A call of the user's code does not return; no ``except Exception`` in that code stops this error."""


class Clock:
    """Ends the call that ran at the last tick, if it still runs at this one."""

    call: FrameType | None = None

    def tick(self, number: int, frame: FrameType | None) -> None:
        """Compare the present call with that of the last tick; raise EndlessError if they are the same."""
        # Imported here because most runs never need it.
        from toy_paxos.checking.refusal import call_of_user

        before, self.call = self.call, call_of_user(frame)
        if self.call and self.call is before:
            signal.setitimer(signal.ITIMER_PROF, SHORT_TICK_S, SHORT_TICK_S)
            raise EndlessError("it does not seem to return")


@contextmanager
def guard_user_code() -> Iterator[None]:
    """Send the output of the user's actors to standard error, and end calls of them that do not return."""
    if POSIX:
        # The handler stays: without one, a signal that comes just before the timer stops would end the process.
        signal.signal(signal.SIGPROF, Clock().tick)
        signal.setitimer(signal.ITIMER_PROF, TICK_S, TICK_S)
    try:
        with user_output_to_stderr():
            yield
    finally:
        if POSIX:
            signal.setitimer(signal.ITIMER_PROF, 0)
