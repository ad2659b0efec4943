"""How a run is asked to stop, and how the process then ends: signals, and nothing of Paxos.

A first Ctrl-C or SIGTERM asks the run to stop after the current round; a second one kills. If that takes
longer than a moment, Ctrl-C says what it waits for, and SIGTERM waits no longer. Closed pipes kill silently,
as they do any filter.
"""

import os
import select
import signal
import socket
import time
from collections.abc import Callable
from types import FrameType
from typing import NoReturn

from toy_paxos.output import say

# So long nobody wonders whether Ctrl-C was heard, and so long SIGTERM leaves for an end in good order.
MOMENT_S, GRACE_S = 0.5, 2.0


class StopRequest:
    """Listens for SIGINT and SIGTERM; ``signal`` is the one that asked to stop, or None.

    ``on_quit`` is called on SIGQUIT (Ctrl-\\), which stops nothing. ``waiting_for`` says what has to end first.
    """

    def __init__(self, on_quit: Callable[[], None], waiting_for: str) -> None:
        self.signal: int | None = None
        self._on_quit = on_quit
        self._waiting_for = waiting_for
        # Every signal also writes a byte here, which ends a wait even if the signal came just before it.
        self._waker, self._bytes = socket.socketpair()
        self._waker.setblocking(False)
        self._bytes.setblocking(False)
        signal.set_wakeup_fd(self._waker.fileno(), warn_on_full_buffer=False)
        # Set explicitly: a shell starts background jobs with SIGINT ignored.
        signal.signal(signal.SIGINT, self._stop)
        signal.signal(signal.SIGTERM, self._stop)
        if hasattr(signal, "SIGQUIT"):
            signal.signal(signal.SIGQUIT, self._report)
            signal.signal(signal.SIGALRM, self._lose_patience)

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self.signal = number
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        if hasattr(signal, "SIGALRM"):
            signal.setitimer(signal.ITIMER_REAL, MOMENT_S if number == signal.SIGINT else GRACE_S)

    def _lose_patience(self, number: int, frame: FrameType | None) -> None:
        if self.signal == signal.SIGTERM:
            die_by(signal.SIGTERM)
        say(f"toy-paxos: waiting for {self._waiting_for}; Ctrl-C again stops at once")

    def _report(self, number: int, frame: FrameType | None) -> None:
        self._on_quit()

    def wait(self, until: float) -> None:
        """Wait until that time of the monotonic clock, or until asked to stop."""
        while self.signal is None and (left := until - time.monotonic()) > 0:
            if select.select([self._bytes], [], [], left)[0]:
                self._bytes.recv(4096)

    def close(self) -> None:
        """Stop listening for the end of a wait; the signals keep their meaning."""
        if hasattr(signal, "SIGALRM"):
            signal.setitimer(signal.ITIMER_REAL, 0)
        signal.set_wakeup_fd(-1)
        self._waker.close()
        self._bytes.close()


def die_by(number: int) -> NoReturn:
    """End the process by a signal, so that whoever started it sees what happened."""
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
    raise SystemExit(128 + number)
