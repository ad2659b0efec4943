"""Judge the logs of a run's processes: what they say about safety, and what they cannot say.

Every message that was received is in the log of its sender, so a full set of logs is enough. If a log is missing, a
violation is only what nothing in that log could undo: two values are chosen or learned, one is learned and another one
chosen, or a promise goes down. If an acceptor has left no log, the logs of others may still tell what it accepted.
Clocks are not used: a learned value is compared with all values that are ever accepted.
"""

import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from toy_paxos.event import LOST, Delivery, Departure, Event, TimedOut, Wants, in_brief, plural, says
from toy_paxos.event_json import check_format, event_of
from toy_paxos.message import Accept, Message, Promise, Proposal, Propose, Restart
from toy_paxos.remote import MOST, CannotError
from toy_paxos.remote.limits import actor_name, check_event, number
from toy_paxos.remote.merge_logs import key, merge_logs
from toy_paxos.remote.store import usable
from toy_paxos.rules import Onlooker, rank, worded
from toy_paxos.safety import (
    LEARNED_CHOSEN,
    LEARNED_NO_OTHER,
    LEARNERS_AGREE,
    ONE_VALUE,
    PROMISES_RISE,
    PROPOSED,
    learned_again,
    watch,
)
from toy_paxos.story import Configuration, Story


@dataclass
class ProcessLog:
    """What one process did in each round of each run, and the sizes of the runs that it began or joined.

    ``is_torn`` if its last line is incomplete. ``restarts_before`` has the number of restarts before the last event of
    each round.
    """

    path: Path
    process: str
    runs: dict[int, Configuration] = field(default_factory=dict)
    rounds: dict[tuple[int, int], list[Event]] = field(default_factory=dict)
    restarts: int = -1
    restarts_before: dict[tuple[int, int], int] = field(default_factory=dict)
    is_torn: bool = False


STANDARD_INPUT = Path("-")


def read_logs(path: Path) -> list[ProcessLog]:
    """Read the logs in a file, one after another, without a torn last line; raises CannotError."""
    if path == STANDARD_INPUT and sys.stdin is None:
        raise CannotError("cannot read -: it is closed")
    with usable(path):
        data = sys.stdin.buffer.read() if path == STANDARD_INPUT else path.read_bytes()
    *lines, rest = data.split(b"\n")
    logs: dict[str, ProcessLog] = {}
    log: ProcessLog | None = None
    for at, line in enumerate(lines, start=1):
        try:
            if type(told := parsed(line)) is not dict:
                raise ValueError("it is not an object")
            if told["event"] == "start":
                name = actor_name(told["process"])
                log = logs.setdefault(name, ProcessLog(path, name))
                begin(log, told)
            elif log:
                read_line(log, told)
            else:
                raise ValueError("no line before it says whose log this is")
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            # The words of other errors are those of Python.
            why = f": {error!s:.200}" if isinstance(error, ValueError) else ""
            raise CannotError(f"line {at} of {path} is not a line of a log{why}") from error
    if not log:
        raise CannotError(f"{path} is not a log of a process, or it is empty")
    log.is_torn = bool(rest)
    return [*logs.values()]


def parsed(line: bytes) -> Any:
    """Return a line of JSON as data; raises ValueError."""
    try:
        return json.loads(line)
    except ValueError as error:
        raise ValueError("it is not JSON" if line else "it is empty") from error


def begin(log: ProcessLog, line: Mapping[str, Any]) -> None:
    """Note that a process begins, and perhaps the sizes of a run; raises one of the errors of reading a line."""
    check_format(line["format"])
    log.restarts += 1
    if "run" in line:
        sizes = number(line["num_proposers"]), number(line["num_acceptors"])
        if max(sizes) > MOST:
            raise ValueError(f"a cluster has at most {MOST} acceptors and {MOST} proposers")
        match line.get("quorums"):
            case None:
                quorums = None
            case [promises, accepts]:
                quorums = number(promises), number(accepts)
            case other:
                raise ValueError(f"quorums are two numbers, not {other!r}")
        log.runs[number(line["run"])] = Configuration.of(*sizes, quorums)


def read_line(log: ProcessLog, line: Mapping[str, Any]) -> None:
    """Add what happened to a process to its log; raises one of the errors that reading it can raise."""
    event = event_of(line)
    if not isinstance(event, (Wants, Delivery, TimedOut)):
        return
    if not isinstance(event, TimedOut) and ("says" if isinstance(event, Wants) else "answers") not in line:
        raise ValueError("a log has to tell what is said in an event")
    if isinstance(event, Delivery) and event.fate is LOST:
        raise ValueError("a process did not receive a lost message")
    check_event(event)
    instance = number(line["run"]), number(line["round"])
    events = log.rounds.setdefault(instance, [])
    if log.restarts_before.setdefault(instance, log.restarts) != log.restarts:
        if not is_restart(event):
            events.append(Delivery(len(events), Restart("power", log.process, log.restarts)))
        log.restarts_before[instance] = log.restarts
    if {*who_acts(event)} != {log.process}:
        raise ValueError(f"it is about another process than {log.process}")
    # Proposers take turns; acceptors act as soon as they can.
    event.time = len(events) if isinstance(event, (Wants, TimedOut)) or log.process.startswith("proposer") else 0
    events.append(event)


def is_restart(event: Event) -> bool:
    """Whether an acceptor or a proposer restarted."""
    return isinstance(event, Delivery) and isinstance(event.message, Restart)


def who_acts(event: Event) -> Iterator[str]:
    """Return the names of the actors that receive, send or wait in an event."""
    if isinstance(event, (Wants, TimedOut)):
        yield event.proposer
    elif isinstance(event, Delivery):
        yield event.message.recipient
    yield from (message.sender for message in says(event))


@dataclass
class Evidence:
    """The logs of one run, by process. With ``only``, that round alone is judged."""

    run: int
    configuration: Configuration
    logs: Mapping[str, ProcessLog]
    only: int | None = None

    def missing(self, names: Iterable[str]) -> list[str]:
        """Return which of some processes have left no log."""
        return [name for name in names if name not in self.logs]

    @property
    def rounds(self) -> list[int]:
        """The rounds to judge: those of which anything is known."""
        known = {round for log in self.logs.values() for run, round in log.rounds if run == self.run}
        return sorted(known if self.only is None else known & {self.only})

    def told(self, round: int) -> dict[str, list[Event]]:
        """Return the events of each process in a round; raises CannotError if one began it twice without a restart."""
        instance = self.run, round
        told = {name: log.rounds[instance] for name, log in self.logs.items() if instance in log.rounds}
        for name, events in told.items():
            turns = [event for event in events if isinstance(event, Wants) or is_restart(event)]
            if any(isinstance(one, Wants) and isinstance(other, Wants) for one, other in pairwise(turns)):
                raise CannotError(f"{name} begins round {round} twice: it was two processes under one name")
        return told


def gather(
    logs: Iterable[ProcessLog], run: int | None, only: int | None = None, num_acceptors: int | None = None
) -> Evidence:
    """Return what some logs tell of a run; without ``run``, they have to be of one run. Raises CannotError.

    If no log says how many acceptors there are, ``num_acceptors`` does; then the proposers are those with logs.
    """
    by_name: dict[str, ProcessLog] = {}
    for log in logs:
        if other := by_name.get(log.process):
            raise CannotError(f"{other.path} and {log.path} are both of {log.process}: give one log for each process")
        by_name[log.process] = log
    told = [its for log in by_name.values() for its in log.rounds.items()]
    # What an acceptor still holds of another run, when it begins, does not count.
    known = sorted({of for (of, _), events in told if not all(map(is_restart, events))})
    if run is None and len(known) > 1:
        runs = ", ".join(map(str, known[:10])) + (", ..." if len(known) > 10 else "")
        raise CannotError(f"these logs are of {len(known)} runs ({runs}): choose one by --run")
    run = run or next(iter(known), 0)
    if run not in known:
        raise CannotError(f"nothing is in these logs about {f'run {run}' if run else 'any run'}")
    sizes = {log.runs[run] for log in by_name.values() if run in log.runs}
    if not sizes and num_acceptors:
        proposers = [int(name.partition("-")[2]) for name in by_name if name.startswith("proposer-")]
        sizes = {Configuration.of(1 + max(proposers, default=0), num_acceptors)}
    if not sizes:
        words = f"add the log of a proposer of run {run} that does, or give --num-acceptors"
        raise CannotError(f"no log says how many acceptors run {run} has: {words}")
    if len(sizes) > 1:
        raise CannotError(f"these logs disagree about how many acceptors and proposers run {run} has, or its quorums")
    (configuration,) = sizes
    number = len(configuration.acceptors)
    if num_acceptors not in (None, number):
        its = plural(number, "acceptor")
        raise CannotError(f"run {run} has {its} according to its log; leave out --num-acceptors")
    evidence = Evidence(run, configuration, by_name, only)
    if not evidence.rounds:
        raise CannotError(f"nothing is in these logs about round {only} of run {run}")
    for name, log in by_name.items():
        if name not in evidence.configuration.names:
            taking_part = f"acceptors: {len(configuration.acceptors)}, proposers: {len(configuration.proposers)}"
            raise CannotError(f"{log.path} is of {name}, which does not take part in run {run} ({taking_part})")
    return evidence


def judge(evidence: Evidence) -> Iterator[tuple[int, Story, str | None]]:
    """Yield each round of a run, its story with what follows from all that is known, and what is missing, if anything.

    Raises CannotError.
    """
    configuration = evidence.configuration
    for round in evidence.rounds:
        told = evidence.told(round)
        heard = list(hearsay(told, configuration))
        gap = gap_in(told, evidence) or gap_beside(heard, told, evidence)
        always = [ONE_VALUE, LEARNERS_AGREE, PROMISES_RISE]
        if not gap and not evidence.missing(configuration.proposers):
            always.append(PROPOSED)
        is_known = not gap and not evidence.missing(configuration.acceptors)
        at_the_end = [LEARNED_CHOSEN if is_known else LEARNED_NO_OTHER]
        told = {name: [*forgetful(events)] for name, events in told.items()}
        told |= {f"hearsay {at}": [event] for at, event in enumerate(heard)}
        cause = "they are not of one run, were changed, or do not begin at its beginning"
        merged, deliveries = [*merge_logs(told, round, cause)], 0
        for event in merged:
            deliveries += isinstance(event, Delivery)
            event.time = deliveries
        events = list(watch(merged, configuration, always, at_the_end))
        events += learned_again(events)
        # Where something is missing, an actor may have heard what allows it to say what it says.
        if not gap and not heard:
            events = [*Onlooker(configuration).told(events)]
        yield round, Story(configuration, events), gap


def forgetful(events: Iterable[Event]) -> Iterator[Event]:
    """Yield the events of a process, and a departure where it first holds less than its log tells before.

    Such an acceptor cannot keep A2 or A3. Its answers count before the state that it states after them.
    """
    events, promised, accepted = iter(events), 0, None
    for event in events:
        yield event
        if not isinstance(event, Delivery):
            continue
        promised = max([promised, *(answer.id for answer in event.answers if isinstance(answer, Promise))])
        said = [Proposal(answer.id, answer.value) for answer in event.answers if isinstance(answer, Accept)]
        accepted = max([accepted, *said], key=rank)
        if event.promised is None:
            continue
        if event.promised < promised or (event.accepted != accepted and rank(event.accepted) <= rank(accepted)):
            words = f"it has promised {event.promised or 'nothing'} and accepted {worded(event.accepted)}"
            words += f", but by its log it had promised {promised or 'nothing'} and accepted {worded(accepted)}"
            # This follows at once when the logs are merged.
            yield Departure(-1, event.message.recipient, "A2" if event.promised < promised else "A3", words)
            yield from events
            return
        promised, accepted = event.promised, event.accepted


def gap_in(told: Mapping[str, Sequence[Event]], evidence: Evidence) -> str | None:
    """Return what is missing in a log, if that shows: a wish, or a message that another process received."""
    said = {key(message) for events in told.values() for event in events for message in says(event)}
    missing = {*evidence.missing(evidence.configuration.names), "clock", "power"}
    for name, events in told.items():
        begun = sum(isinstance(event, Wants) for event in events)
        if begun > 1:
            return f"{name} was restarted, and began it again"
        if not begun and name in evidence.configuration.proposers:
            return f"{evidence.logs[name].path} does not say what {name} wants"
        for event in events:
            if isinstance(event, Delivery) and event.message.sender not in missing and key(event.message) not in said:
                message, log = event.message, evidence.logs.get(event.message.sender)
                where = f"which is not in {log.path}" if log else f"from {message.sender}, which does not take part"
                return f"{name} heard {in_brief(message)}, {where}"
    return None


def gap_beside(heard: Sequence[Delivery], told: Mapping[str, Sequence[Event]], evidence: Evidence) -> str | None:
    """Return an acceptance that others report or the acceptor remembers, and that is missing in its log."""
    restarts = [event for events in told.values() for event in events if is_restart(event)]
    kept = {acceptance(accept) for event in restarts for accept in accepts_in(event, evidence.configuration)}
    for event in heard:
        log = evidence.logs.get(event.message.recipient)
        if log and not kept.issuperset(map(acceptance, event.answers)):
            return f"{log.process} has accepted {event.message.id}, which is not in {log.path}"
    return None


def hearsay(told: Mapping[str, Sequence[Event]], configuration: Configuration) -> Iterator[Delivery]:
    """Yield acceptances that others heard of or acceptors remember, and that no log of an acceptor tells."""
    all_told = [event for events in told.values() for event in events]
    known = {acceptance(message) for event in all_told for message in says(event) if isinstance(message, Accept)}
    # If the log of an acceptor tells another value for the number, one of the two is wrong, and it is not known which.
    disputed = {(acceptor, proposal.id) for acceptor, proposal in known}
    for accept in [accept for event in all_told for accept in accepts_in(event, configuration)]:
        if acceptance(accept) not in known and (accept.sender, accept.id) not in disputed:
            known.add(acceptance(accept))
            yield Delivery(0, Propose(accept.recipient, accept.sender, accept.id, accept.value), answers=[accept])


def acceptance(message: Message) -> tuple[str, Proposal]:
    """Return the acceptor and the proposal of an ACCEPT; the recipient is not always known."""
    assert isinstance(message, Accept)
    return message.sender, Proposal(message.id, message.value)


def accepts_in(event: Event, configuration: Configuration) -> Iterator[Accept]:
    """Return what acceptors have accepted, as an event tells it."""
    if not isinstance(event, Delivery):
        return
    if isinstance(event.message, Accept):
        yield event.message
    reports: list[tuple[str, Proposal | None]] = [(event.message.recipient, event.accepted)]
    for message in (event.message, *event.answers):
        if isinstance(message, Promise):
            reports.append((message.sender, message.accepted))
    for acceptor, accepted in reports:
        if accepted:
            proposer = configuration.proposers[(accepted.id - 1) % len(configuration.proposers)]
            yield Accept(acceptor, proposer, *accepted)
