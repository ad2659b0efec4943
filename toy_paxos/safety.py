"""The properties that every execution must have, and the watch that evaluates them during a run.

*Chosen* is a fact about the cluster, even if no actor knows it: a quorum of acceptors has accepted one proposal (*Paxos
Made Simple*, section 2.2). So it is derived from what the acceptors have said, including messages that are lost, and
never from what a proposer has learned.

The watch over a run and the search through all executions evaluate the same properties on the same data: a
:class:`Moment`.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from toy_paxos.event import (
    LOST,
    STALE,
    Adoption,
    Attempt,
    Chosen,
    Delivery,
    Event,
    Fate,
    Learned,
    Quorum,
    TimedOut,
    Violation,
    Wants,
    as_proposal,
)
from toy_paxos.message import Accept, Message, Prepare, Promise, Proposal, Propose, Terminate, Timeout
from toy_paxos.story import Configuration


@dataclass(slots=True)
class Moment:
    """The facts after a delivery on which safety depends.

    ``wishes`` are the values that proposers want, ``issued`` the proposals that were made, ``chosen`` the chosen
    proposals, those chosen in this delivery last, and ``learned`` what each proposer has learned. ``promises`` are
    those said in this delivery and never before, ``promised`` the highest number that each acceptor promised before.
    """

    wishes: Collection[str]
    issued: Collection[tuple[int, str]]
    chosen: Sequence[Proposal]
    learned: Mapping[str, str]
    promises: Sequence[Promise]
    promised: Mapping[str, int]


@dataclass(frozen=True)
class Property:
    """An invariant: its name, and a function that returns in words how a moment violates it, or None.

    A property that declares nothing more is evaluated at every moment, and a search for its violation uses no
    reduction that depends on properties. ``reducible`` declares that it treats acceptors alike and compares only the
    following: a promise with a higher one that the same acceptor made before; chosen proposals with wishes and issued
    proposals; chosen values with each other; learned values with chosen ones. ``learners_alone`` declares that it never
    compares what two proposers have learned. If a property ``follows_from`` others, it is never violated before one of
    them is.
    """

    name: str
    lost: Callable[[Moment], str | None]
    reducible: bool = False
    learners_alone: bool = False
    follows_from: tuple["Property", ...] = ()


def second_choice(chosen: Sequence[Proposal]) -> Proposal | None:
    """Return the first proposal that is chosen with another value than the first one, or None."""
    return next((proposal for proposal in chosen if proposal.value != chosen[0].value), None)


def second_value(moment: Moment) -> str | None:
    """Return which second value is chosen, or None."""
    second = second_choice(moment.chosen)
    return f"a second value is chosen: {second.value}" if second else None


def invented_value(moment: Moment) -> str | None:
    """Return which value is chosen that nobody proposed under its number or that nobody wants, or None."""
    for proposal in moment.chosen:
        if proposal not in moment.issued or proposal.value not in moment.wishes:
            return f"a value is chosen that nobody proposed: {proposal.value}"
    return None


def premature_learning(moment: Moment) -> str | None:
    """Return which proposer has learned a value that is not chosen, or None."""
    chosen = {proposal.value for proposal in moment.chosen}
    for proposer, value in moment.learned.items():
        if value not in chosen:
            return f"{proposer} learns what is not chosen: {value}"
    return None


def disagreement(moment: Moment) -> str | None:
    """Return which proposers have learned different values, or None."""
    learned = list(moment.learned.items())
    for proposer, value in learned[1:]:
        if value != learned[0][1]:
            first, first_value = learned[0]
            return f"{first} and {proposer} learn different values: {first_value}, {value}"
    return None


def contradicted_learning(moment: Moment) -> str | None:
    """Return which value a proposer has learned while another one is chosen, or None."""
    for proposer, value in moment.learned.items():
        others = [proposal.value for proposal in moment.chosen]
        if others and value not in others:
            return f"{proposer} learns {value}, and {others[0]} is chosen"
    return None


def fallen_promise(moment: Moment) -> str | None:
    """Return which acceptor promises a number below one that it has promised, or None."""
    for promise in moment.promises:
        before = moment.promised.get(promise.sender, 0)
        if promise.id < before:
            return f"{promise.sender} promises {promise.id} after {before}"
    return None


ONE_VALUE = Property("at most one value is chosen", second_value, reducible=True, learners_alone=True)
PROPOSED = Property(
    "a value that is chosen was proposed under its number", invented_value, reducible=True, learners_alone=True
)
LEARNED_CHOSEN = Property("what a proposer learns is chosen", premature_learning, reducible=True, learners_alone=True)
LEARNERS_AGREE = Property(
    "proposers learn the same value", disagreement, reducible=True, follows_from=(ONE_VALUE, LEARNED_CHOSEN)
)
# If some acceptances are unknown, a learned value may have been chosen; but not if another value was.
LEARNED_NO_OTHER = Property("what a proposer learns is not another value than the chosen one", contradicted_learning)
PROMISES_RISE = Property("a promise never goes down", fallen_promise, reducible=True, learners_alone=True)

ALWAYS = (ONE_VALUE, PROPOSED, LEARNED_CHOSEN, LEARNERS_AGREE, PROMISES_RISE)


class Ballots:
    """The acceptors that have accepted each proposal so far."""

    def __init__(self, quorum: int) -> None:
        self.quorum = quorum
        self.acceptors: dict[tuple[int, str], dict[str, None]] = {}

    def add(self, accept: Accept) -> Proposal | None:
        """Count one acceptance; return the proposal if it becomes chosen by it."""
        # A dictionary for a set that keeps its order.
        acceptors = self.acceptors.setdefault((accept.id, accept.value), {})
        if accept.sender in acceptors:
            return None
        acceptors[accept.sender] = None
        return Proposal(accept.id, accept.value) if len(acceptors) == self.quorum else None


def chosen(accepts: Iterable[Accept], quorum: int) -> list[Proposal]:
    """Return the chosen proposals in the order of their choice, given all acceptances."""
    ballots = Ballots(quorum)
    return [proposal for accept in accepts if (proposal := ballots.add(accept))]


def watch(
    events: Iterable[Event],
    configuration: Configuration,
    always: Sequence[Property] = ALWAYS,
    at_the_end: Sequence[Property] = (),
) -> Iterator[Event]:
    """Yield the events of a round, each followed by the events that follow from it.

    For each property that is lost, there is one violation, and the events go on. An answer to an earlier attempt than
    that of the recipient's last PREPARE is marked as stale. If events are missing, or their order is not known, some
    properties can be judged only ``at_the_end``, or not at all.
    """
    watcher = Watcher(configuration, always)
    time = 0.0
    for event in events:
        time = event.time
        yield from watcher.told(event)
    if at_the_end:
        watcher.always = at_the_end
        yield from watcher.judge(time, (), watcher.promised)


def learned_again(story: Sequence[Event]) -> list[Violation]:
    """Return a violation if different values were learned, perhaps by one proposer before and after a restart.

    The watch does not find the latter, because it knows only what each proposer learned last.
    """
    learned: dict[str, str] = {}
    for event in story:
        if isinstance(event, Learned):
            learned[f"later {event.proposer}" if event.proposer in learned else event.proposer] = event.value
        elif isinstance(event, Violation) and event.property == LEARNERS_AGREE.name:
            return []
    words = disagreement(Moment((), (), (), learned, (), {}))
    return [Violation(story[-1].time, LEARNERS_AGREE.name, words)] if words else []


class Reported(NamedTuple):
    """A report: the number of the promise, the proposal accepted before, and the acceptor."""

    promise_id: int
    accepted: Proposal
    acceptor: str


class Watcher:
    """The facts of a round so far, from which it derives what follows from the next event."""

    def __init__(self, configuration: Configuration, always: Sequence[Property] = ALWAYS) -> None:
        self.promise_quorum = configuration.promise_quorum
        self.ballots = Ballots(configuration.accept_quorum)
        self.always = always
        # A property that may compare anything is evaluated whenever something is said.
        self.judges_all = not all(property.reducible for property in always)
        self.wishes: dict[str, str] = {}
        self.issued: set[tuple[int, str]] = set()
        self.chosen: list[Proposal] = []
        self.learned: dict[str, str] = {}
        self.promised: dict[str, int] = {}
        self.named: set[str] = set()
        self.promises: list[Promise] = []
        # By proposer: the number of its last PREPARE, its number of attempts, and the number that it gave up.
        self.last_prepare: dict[str, int] = {}
        self.attempts: dict[str, int] = {}
        self.abandoned: dict[str, int] = {}
        # What each proposer has heard: the acceptors that promised each number, and the reports in their promises.
        self.promisers: dict[tuple[str, int], dict[str, None]] = {}
        self.reports: dict[str, list[Reported]] = {}

    def told(self, event: Event) -> Iterator[Event]:
        """Yield an event, marked as stale if it is, and what follows from it."""
        if isinstance(event, Delivery):
            event.fate = self.fate(event.message, event.fate)
        yield event
        yield from self.after(event)

    def fate(self, message: Message, fate: Fate) -> Fate:
        """Return the fate of a message: stale if it answers an earlier attempt than its recipient's last PREPARE."""
        if message.id >= self.last_prepare.get(message.recipient, 0) or fate is LOST:
            return fate
        return STALE

    def after(self, event: Event) -> Sequence[Event]:
        """Return what follows from an event."""
        if isinstance(event, Delivery):
            return self.after_delivery(event.time, event.message, event.fate, event.answers, event.learned)
        if isinstance(event, Wants):
            self.wishes[event.proposer] = event.value
            self.attempts[event.proposer] = 1
            self.reports[event.proposer] = []
            return [
                *self.after_learning(event.time, event.proposer, event.learned),
                *self.after_saying(event.time, event.says, event.learned is not None),
            ]
        if isinstance(event, TimedOut) and event.last:
            self.abandoned[event.proposer] = event.id
        return ()

    def after_delivery(
        self, time: float, message: Message, fate: Fate, answers: Sequence[Message], learned: str | None
    ) -> Sequence[Event]:
        """Return what follows from a delivery and the recipient's answers; ``learned`` is that of a proposer."""
        if message.recipient not in self.wishes:
            return self.after_saying(time, answers) if answers else ()
        return () if fate is LOST else self.after_answer(time, message, fate, answers, learned)

    def after_answer(
        self, time: float, message: Message, fate: Fate, answers: Sequence[Message], learned: str | None
    ) -> Sequence[Event]:
        """Return what follows from a delivery to a proposer, its answers, and what it has learned."""
        recipient = message.recipient
        follows = self.after_promise(time, message, fate) if isinstance(message, Promise) else []
        if changed := self.learned.get(recipient) != learned:
            follows += self.after_learning(time, recipient, learned)
        if answers or changed:
            follows += self.after_saying(time, answers, changed)
        if isinstance(message, Timeout):
            self.attempts[recipient] += 1
            id = answers[0].id if answers else message.id
            follows.insert(0, Attempt(time, recipient, self.attempts[recipient], id))
        return follows

    def after_learning(self, time: float, proposer: str, learned: str | None) -> list[Event]:
        """Return the event that a proposer has learned, or nothing if it has forgotten what it had learned."""
        if learned is None:
            self.learned.pop(proposer, None)
            return []
        self.learned[proposer] = learned
        return [Learned(time, proposer, learned)]

    def after_promise(self, time: float, promise: Promise, fate: Fate) -> list[Event]:
        """Return the event that a proposer has a quorum of promises, if this promise completes it."""
        if promise.accepted and (accepted := as_proposal(promise.accepted)):
            self.reports[promise.recipient].append(Reported(promise.id, accepted, promise.sender))
        if fate is STALE:
            return []
        promisers = self.promisers.setdefault((promise.recipient, promise.id), {})
        if promise.sender in promisers:
            return []
        promisers[promise.sender] = None
        if len(promisers) != self.promise_quorum or promise.id <= self.abandoned.get(promise.recipient, 0):
            return []
        return [Quorum(time, promise.recipient, promise.id, tuple(promisers))]

    def after_saying(self, time: float, said: Sequence[Message], is_news: bool = False) -> list[Event]:
        """Return what follows from what an actor says: an adoption, a choice, a property lost."""
        follows: list[Event] = []
        promises: list[Promise] = []
        promised = dict(self.promised) if self.judges_all else self.promised
        for message in said:
            if isinstance(message, Promise):
                # Most promises are higher than any before, so they cannot lose a reducible property. A repeated promise
                # promises nothing new.
                if message.id > self.promised.get(message.sender, 0):
                    if len(said) > 1 and promised is self.promised:
                        # The network may reorder what is said at once, so it is compared with what was said before.
                        promised = dict(promised)
                    self.promised[message.sender] = message.id
                    self.promises.append(message)
                    if self.judges_all:
                        promises.append(message)
                elif message not in self.promises:
                    self.promises.append(message)
                    promises.append(message)
            elif isinstance(message, Accept):
                if proposal := self.ballots.add(message):
                    is_news = True
                    self.chosen.append(proposal)
                    if len(self.chosen) == 1:
                        follows.append(Chosen(time, *proposal, tuple(self.ballots.acceptors[proposal])))
            elif isinstance(message, Propose):
                self.issued.add((message.id, message.value))
                if message is said[0]:
                    follows += self.adoption(time, message)
            elif isinstance(message, Prepare):
                if message.sender in self.wishes:
                    self.last_prepare[message.sender] = message.id
            elif isinstance(message, Terminate):
                self.abandoned[message.sender] = message.id
        if promises or is_news or self.judges_all:
            follows += self.judge(time, promises, promised)
        return follows

    def adoption(self, time: float, proposal: Propose) -> list[Event]:
        """Return the event that a proposer proposes a reported value, with the promise that reported it."""
        if proposal.value == self.wishes.get(proposal.sender):
            return []
        # A report from the present attempt comes before an older one, then the higher number.
        carriers = [
            (report.promise_id == proposal.id, report.accepted.id, report.acceptor)
            for report in self.reports.get(proposal.sender, [])
            if report.accepted.value == proposal.value
        ]
        if not carriers:
            return []
        _, id, acceptor = max(carriers)
        return [Adoption(time, proposal.sender, acceptor, id, proposal.value)]

    def judge(self, time: float, promises: Sequence[Promise], promised: Mapping[str, int]) -> list[Event]:
        """Return a violation for each property that is lost now and was not before.

        ``promises`` are the new ones, and ``promised`` has the highest number that each acceptor had promised before.
        """
        moment = Moment(self.wishes.values(), self.issued, self.chosen, self.learned, promises, promised)
        lost: list[Event] = []
        for property in self.always:
            if (words := property.lost(moment)) and property.name not in self.named:
                self.named.add(property.name)
                violation = Violation(time, property.name, words)
                if property is ONE_VALUE and (second := second_choice(self.chosen)):
                    violation.id, violation.value = second
                    violation.acceptors = tuple(self.ballots.acceptors[second])
                lost.append(violation)
        return lost
