"""A process that answers each line with a line, and that always ends.

It runs in its own session, so Ctrl-C in a terminal does not reach it. It should exit when its standard input closes,
which happens however this process ends. If it does not exit, it is killed: by :meth:`Process.end`, when this process
exits, or, on Linux, by the kernel if this process is killed.
"""

import os
import select
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import cache, partial
from time import monotonic
from weakref import finalize

from toy_paxos.message_like import AnswerError

PATIENCE_S = 10.0
"""The maximum time for an answer."""

GRACE_S = 1.0
"""The maximum time for a process to exit after its standard input was closed."""

LONGEST = 10_000_000
"""The maximum size of an answer in bytes."""

SHOWN = 160
"""The maximum number of bytes of the last line that an error shows."""


class ProgramError(AnswerError):
    """A program violates the protocol; the words name its command, and what it wrote last or where its error is."""

    names_its_place = True


class SilentError(ProgramError):
    """A program does not answer in time."""


class Process:
    """A running command; ``last`` is the last line that it wrote. Raises ProgramError if it cannot be started."""

    def __init__(self, command: str) -> None:
        self.command = command
        self.last = self.unread = b""
        self.ended_itself = False
        if not hasattr(signal, "pthread_sigmask"):
            raise ProgramError("exec: needs a POSIX system, such as Linux or macOS")
        try:
            self.running = subprocess.Popen(
                shlex.split(command),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                bufsize=0,
                start_new_session=True,
                preexec_fn=end_with_parent(),
            )
        except OSError as error:
            missing = f"program {shlex.split(command)[0]!r} was not found"
            why = missing if isinstance(error, FileNotFoundError) else error.strerror or error
            raise ProgramError(f"{command!r} cannot be started: {why}") from error
        assert self.running.stdin
        assert self.running.stdout
        self.input, self.output = self.running.stdin.fileno(), self.running.stdout.fileno()
        os.set_blocking(self.input, False)
        self.is_readable, self.is_writable = select.poll(), select.poll()
        self.is_readable.register(self.output, select.POLLIN)
        self.is_writable.register(self.input, select.POLLOUT)
        self.end = finalize(self, end, self.running)

    def ask(self, question: bytes) -> bytes:
        """Write a line, and return the one that the process answers; raise ProgramError for anything else."""
        if not self.end.alive:
            raise ProgramError(f"{self.command!r} has ended; {self.last_words()}")
        self.expect_silence()
        deadline = monotonic() + PATIENCE_S
        self.write(question, deadline)
        while b"\n" not in self.unread:
            self.wait(self.is_readable, deadline)
            read = os.read(self.output, 2**16)
            self.unread += read
            if not read or len(self.unread) > LONGEST:
                raise self.error(f"answers with more than {LONGEST:,} bytes" if read else self.how_it_ended())
        self.last, _, self.unread = self.unread.partition(b"\n")
        return self.last

    def expect_silence(self) -> None:
        """Raise ProgramError if the process has written something without being asked."""
        if self.unread or self.is_readable.poll(0):
            self.unread = self.unread or os.read(self.output, SHOWN)
            raise self.error("answers more than once, or before it is asked" if self.unread else self.how_it_ended())

    def write(self, question: bytes, deadline: float) -> None:
        """Write a line, even if the process is slow to read it."""
        # Otherwise writing to a process that has ended would silently end this one, as a closed pipe ends any filter.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGPIPE})
        try:
            while question:
                with suppress(BlockingIOError):
                    question = question[os.write(self.input, question) :]
                if question:
                    self.wait(self.is_writable, deadline)
        except BrokenPipeError as error:
            if signal.SIGPIPE in signal.sigpending():
                signal.sigwait({signal.SIGPIPE})
            raise self.error(self.how_it_ended()) from error
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def wait(self, until: "select.poll", deadline: float) -> None:
        """Wait until the process can be read from or written to; raise ProgramError if that takes too long."""
        if not until.poll(max(0, deadline - monotonic()) * 1000):
            hint = "it has not ended its line; end each answer with a newline, and flush it"
            if not self.unread:
                hint = "each answer must be flushed at once (flush=True in Python, $| = 1 in Perl)"
            raise SilentError(self.error(f"does not answer within {PATIENCE_S:g} s: {hint}"))

    def how_it_ended(self) -> str:
        """Say how the process ended, if it did."""
        with suppress(subprocess.TimeoutExpired):
            status = self.running.wait(GRACE_S)
            self.ended_itself = True
            if status < 0:
                return f"was killed by {signal.Signals(-status).name}"
            return f"ended with status {status}" if status else "ended with status 0 before its standard input did"
        return "closed its standard output"

    def error(self, words: str) -> ProgramError:
        """Kill the process, and return an error that names its command and what it wrote."""
        kill(self.running)
        self.end()
        return ProgramError(f"{self.command!r} {words}; {self.last_words()}")

    def last_words(self) -> str:
        """Say which line the process wrote last, or where its own error is if it ended."""
        if self.ended_itself:
            return "its own error, if it wrote one, is above"
        last = self.unread or self.last
        shown = last[:SHOWN].decode(errors="backslashreplace") + ("..." if len(last) > SHOWN else "")
        return f"the last line read: {shown}" if last else "it has written no line"


def end(running: "subprocess.Popen[bytes]") -> None:
    """Close the standard input of a process; unless it ends soon, kill its process group."""
    assert running.stdin
    assert running.stdout
    running.stdin.close()
    with suppress(subprocess.TimeoutExpired):
        running.wait(GRACE_S)
    kill(running)
    running.wait()
    running.stdout.close()


def kill(running: "subprocess.Popen[bytes]") -> None:
    """Kill a process group."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(running.pid, signal.SIGKILL)


@cache
def end_with_parent() -> Callable[[], object] | None:
    """Return what a new process calls so that the kernel kills it when this one ends, or None if it cannot."""
    if sys.platform != "linux":
        return None
    # Imported only here, because most runs start no process.
    import ctypes

    set_death_signal = 1
    return partial(ctypes.CDLL(None).prctl, set_death_signal, signal.SIGKILL)
