"""What the logs of a run's processes say about safety, and what they cannot say.

Whatever anybody has heard is in the log of whoever said it. So if all logs are there, all that matters is; if one is
missing, only what nothing in it could undo is called a violation: that two values are chosen or learned, or that a
promise went down. There are no clocks: what is learned is compared with all that is ever accepted.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from toy_paxos.event import Delivery, Event, Wants, says
from toy_paxos.message import Restart
from toy_paxos.remote.codec import number, text
from toy_paxos.remote.merge import ContradictionError, key, merge
from toy_paxos.remote.records import FORMAT, event_of
from toy_paxos.remote.store import whole_lines
from toy_paxos.safety import LEARNED_CHOSEN, LEARNERS_AGREE, ONE_VALUE, PROMISES_RISE, PROPOSED, watch


class LogError(Exception):
    """Some logs cannot be judged; the words say which, and why."""


@dataclass
class ProcessLog:
    """What one process did: in each round of each run, and what it said of the runs that it began or joined."""

    path: Path
    process: str = ""
    runs: dict[int, tuple[int, int]] = field(default_factory=dict)
    rounds: dict[tuple[int, int], list[Event]] = field(default_factory=dict)
    restarts: int = -1


def read_log(path: Path) -> ProcessLog:
    """Read the log of a process, but for a last line that is torn; raises LogError, OSError."""
    log = ProcessLog(path)
    last: dict[tuple[int, int], int] = {}
    for at, line in enumerate(whole_lines(path).splitlines(), start=1):
        try:
            read_line(log, json.loads(line), last)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise LogError(f"line {at} of {path} is no line of a log") from error
    if not log.process:
        raise LogError(f"{path} is no log of a process, or nothing is in it")
    return log


def read_line(log: ProcessLog, line: Mapping[str, Any], last: dict[tuple[int, int], int]) -> None:
    """Take in a line; ``last`` tells after how many restarts a round was last heard of."""
    if line["event"] == "start":
        if line["format"] != FORMAT or log.process not in ("", line["process"]):
            raise ValueError("another format, or another process")
        log.process = text(line["process"])
        log.restarts += 1
        if "run" in line:
            log.runs[number(line["run"])] = number(line["num_acceptors"]), number(line["num_proposers"])
        return
    instance = number(line["run"]), number(line["round"])
    events = log.rounds.setdefault(instance, [])
    if last.setdefault(instance, log.restarts) != log.restarts:
        events.append(Delivery(len(events), Restart("power", log.process, log.restarts)))
        last[instance] = log.restarts
    event = event_of(line)
    # Proposers take turns; acceptors act as soon as they can.
    event.time = len(events) if log.runs else 0
    events.append(event)


@dataclass
class Evidence:
    """The logs of one run, how many processes it had, and who of them has left no log."""

    run: int
    num_acceptors: int
    num_proposers: int
    logs: Mapping[str, ProcessLog]

    @property
    def missing_acceptors(self) -> list[str]:
        """The acceptors without a log."""
        return [name for at in range(self.num_acceptors) if (name := f"acceptor-{at}") not in self.logs]

    @property
    def missing_proposers(self) -> list[str]:
        """The proposers without a log."""
        return [name for at in range(self.num_proposers) if (name := f"proposer-{at}") not in self.logs]

    @property
    def rounds(self) -> list[int]:
        """The rounds that anything is known of."""
        return sorted({round for log in self.logs.values() for run, round in log.rounds if run == self.run})

    def told(self, round: int) -> dict[str, list[Event]]:
        """What each process tells of a round; raises LogError if one of them began it twice."""
        instance = self.run, round
        told = {name: log.rounds[instance] for name, log in self.logs.items() if instance in log.rounds}
        for name, events in told.items():
            if sum(isinstance(event, Wants) for event in events) > 1:
                raise LogError(f"{name} begins round {round} twice: it was two processes under one name")
        return told


def gather(logs: Iterable[ProcessLog], run: int | None) -> Evidence:
    """The evidence in some logs about a run, which need not be named if they are of one; raises LogError."""
    by_name: dict[str, ProcessLog] = {}
    for log in logs:
        if other := by_name.get(log.process):
            raise LogError(f"{other.path} and {log.path} are both of {log.process}: give one log for each process")
        by_name[log.process] = log
    known = sorted({of for log in by_name.values() for of, _ in log.rounds})
    if run is None and len(known) > 1:
        raise LogError(f"these logs are of {len(known)} runs ({known[0]}, {known[1]}, ...): choose one by --run")
    run = run or next(iter(known), 0)
    if run not in known:
        raise LogError(f"nothing is in these logs about {f'run {run}' if run else 'any run'}")
    sizes = {log.runs[run] for log in by_name.values() if run in log.runs}
    if not sizes:
        raise LogError(f"no log of a proposer says how many acceptors run {run} has: give that, too")
    if len(sizes) > 1:
        raise LogError(f"these logs disagree about how many acceptors and proposers run {run} has")
    return Evidence(run, *sizes.pop(), by_name)


@dataclass
class Judged:
    """A round, what happened in it as far as it is known, and why it is not known better, if so."""

    round: int
    events: Sequence[Event]
    gap: str | None


def judge(evidence: Evidence) -> Iterator[Judged]:
    """The rounds of a run, with what follows from all that is known; raises LogError."""
    for round in evidence.rounds:
        told = evidence.told(round)
        gap = gap_in(told, evidence.logs)
        always = [ONE_VALUE, LEARNERS_AGREE, PROMISES_RISE]
        at_the_end = []
        if not gap and not evidence.missing_proposers:
            always.append(PROPOSED)
        if not gap and not evidence.missing_acceptors:
            at_the_end.append(LEARNED_CHOSEN)
        try:
            story = list(watch(in_turn(merge(told)), evidence.num_acceptors, always, at_the_end))
        except ContradictionError as error:
            raise LogError(f"round {round}: {error}: they are not of one run, or were changed") from error
        yield Judged(round, story, gap)


def in_turn(events: Iterable[Event]) -> Iterator[Event]:
    """The same events; the time is the number of each."""
    for at, event in enumerate(events, start=1):
        event.time = at
        yield event


def gap_in(told: Mapping[str, Sequence[Event]], logs: Mapping[str, ProcessLog]) -> str | None:
    """What somebody has heard that is missing in the log of whoever said it, if there is such a thing."""
    said = {key(message) for events in told.values() for event in events for message in says(event)}
    for name, events in told.items():
        for event in events:
            if isinstance(event, Delivery) and event.message.sender in logs and key(event.message) not in said:
                message = event.message
                return f"{name} heard {message.type} {message.id}, which is not in {logs[message.sender].path}"
    return None
