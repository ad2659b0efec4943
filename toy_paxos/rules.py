"""The rules of Paxos: what an acceptor or a proposer may say, given only what it has heard and said itself.

:mod:`toy_paxos.safety` is about the cluster; a rule is about one actor. A theorem connects them: **if every actor keeps
the rules, then at most one value is chosen**, whatever the network delays, loses, repeats or reorders, and however
often actors restart. So an actor can be judged alone, and if a second value is chosen, some actor broke a rule before.
The names of the rules are ours: P1 and P2 here are not the requirements P1 and P2 of *Paxos Made Simple*.

**Proof.** Two proposals with the same number are the same proposal: acceptors accept only what they were asked to
accept (A4), and a number belongs to one proposer (P1), which proposes one value under it (P3). Now let every acceptor
of a quorum accept (k, v). Suppose that a proposal with a number above k and another value is ever made, and let (n, w)
be the first one in time. By R0 a proposer made it, and by P2 it had heard a quorum promise n. The two quorums share an
acceptor. If that acceptor accepted (k, v) before it promised n, then its promise reports k or a higher number (A3); if
after, the same follows from A4. So the highest-numbered report that the proposer relied on is some (m, u) with m >= k.
By A3 it had been proposed before. If m = k, then u = v as shown above. If m > k, then u = v because (n, w) is the first
proposal that differs. By P2, w = u. So w = v, a contradiction.

The other properties follow. A learned value is chosen (P4), so all proposers learn the same value. Each value is some
proposer's wish: by P2 a proposer proposes either its own wish or a value that was proposed earlier. A2 says that a
promise never goes down. The proof uses neither A1 nor A2, but :mod:`toy_paxos.checking.alone` rules out messages by A1.

**Example.** Three acceptors; proposer-0 wants ``a`` and has number 1, proposer-1 wants ``b`` and has number 2.

    acceptor-0  promises 1, accepts (1, a), promises 2 and reports (1, a)
    acceptor-1  promises 1, promises 2 and reports nothing, accepts (1, a)     <- breaks A4

acceptor-1 accepts 1 after it promised 2, and its promise did not report (1, a). The promise of 2 by acceptor-2 reports
nothing either. So proposer-1 has a quorum that reports nothing, and proposes ``b`` as P2 allows; but ``a`` is chosen.

The rules are not stricter than the proof. A promise may report a proposal that was received and never acknowledged,
because an acceptor may crash between saving and answering. For the same reason, A4 allows an acceptor to acknowledge
(k, v) late if its promise has reported (k, v). A safe variant can break a rule: for example, all proposers can share
their numbers if acceptors promise each number once. So a broken rule can explain a violation, but it is not one.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from inspect import getdoc
from itertools import chain
from math import inf
from typing import NamedTuple

from toy_paxos.event import LOST, Delivery, Departure, Event, Learned, Wants, as_proposal, plural, says
from toy_paxos.message import Accept, Message, Prepare, Promise, Proposal, Propose, Restart
from toy_paxos.story import Configuration


class Statement(NamedTuple):
    """A message to which rules apply, as a value that can be in a set.

    ``proposal`` is what a promise reports, a PROPOSE proposes, or an ACCEPT accepts. That a proposer has learned a
    value counts as a statement, too, about that value with number 0.
    """

    kind: type[Message] | type[Learned]
    sender: str
    recipient: str
    id: int
    proposal: Proposal | None = None


def statement(message: Message) -> Statement | None:
    """Return a message as a statement, or None if no rule applies to it."""
    proposal = None
    if isinstance(message, Promise):
        if message.accepted:
            # A report that is not a proposal breaks A3, because no actor has proposed it.
            proposal = as_proposal(message.accepted) or Proposal(0, repr(message.accepted))
    elif isinstance(message, (Propose, Accept)):
        proposal = Proposal(message.id, message.value)
    elif not isinstance(message, Prepare):
        return None
    return Statement(type(message), message.sender, message.recipient, message.id, proposal)


def statements(messages: Iterable[Message]) -> list[Statement]:
    """Return the messages to which rules apply, as statements."""
    return [said for message in messages if (said := statement(message))]


def learning(proposer: str, value: str | None) -> list[Statement]:
    """Return the statement that a proposer has learned a value, if it has, in a list."""
    return [] if value is None else [Statement(Learned, proposer, proposer, 0, Proposal(0, value))]


class History(NamedTuple):
    """What one actor has heard and said.

    ``users`` has the first proposer that used each number; all histories of a cluster share it. ``wish`` is the value
    that a proposer wants, ``number`` the number under which it spoke last. ``before_restart`` is what an actor had said
    when it restarted last; only the explanations use it.

    A history can stand for several: then ``heard`` and ``said`` have what the actor heard and said in each of them, and
    ``may_have_said`` what it said in any of them. The rules take the worst case.
    """

    name: str
    configuration: Configuration
    users: dict[int, str]
    wish: str | None = None
    heard: frozenset[Statement] = frozenset()
    said: frozenset[Statement] = frozenset()
    may_have_said: frozenset[Statement] = frozenset()
    number: int = 0
    before_restart: frozenset[Statement] = frozenset()

    def after_receiving(self, message: Message) -> "History":
        """Return the history after one more message."""
        if isinstance(message, Restart):
            return self._replace(before_restart=self.may_have_said)
        return self.after_hearing(heard) if (heard := statement(message)) else self

    def after_hearing(self, heard: Statement) -> "History":
        """Return the history with one more statement heard."""
        return self._replace(heard=self.heard | {heard})

    def after_saying(self, said: Statement) -> "History":
        """Return the history with one more statement said."""
        news = {said}
        if said.kind in (Prepare, Propose):
            self.users.setdefault(said.id, said.sender)
        number = self.number if said.kind is Learned else said.id
        return self._replace(said=self.said | news, may_have_said=self.may_have_said | news, number=number)

    def or_else(self, other: "History") -> "History":
        """Return one history that stands for this and another one."""
        may_have_said = self.may_have_said | other.may_have_said
        return self._replace(heard=self.heard & other.heard, said=self.said & other.said, may_have_said=may_have_said)

    def promises(self, number: int) -> dict[str, list[Proposal | None]]:
        """Return the reports in the promises of a number that this proposer has heard, by acceptor."""
        found: dict[str, list[Proposal | None]] = {}
        for heard in of_kind(Promise, self.heard):
            if heard.id == number and heard.sender in self.configuration.acceptors:
                found.setdefault(heard.sender, []).append(heard.proposal)
        return found


def of_kind(kind: type[Message], among: Iterable[Statement]) -> list[Statement]:
    """Return the statements of one kind, in no particular order."""
    return [one for one in among if one.kind is kind]


def rank(report: Proposal | None) -> float:
    """Return the number of a report; a promise that reports nothing ranks below all reports."""
    return report.id if report else -inf


def impostor(history: History, said: Statement) -> str | None:
    """Only acceptors say PROMISE and ACCEPT, only proposers say PREPARE and PROPOSE, each in its own name."""
    words = f"it says {said.kind.__name__.upper()} {said.id}"
    if said.sender != history.name:
        return f"{words} in the name of {said.sender}"
    is_for_acceptors = said.kind in (Promise, Accept)
    if is_for_acceptors == (history.name in history.configuration.acceptors):
        return None
    return f"{words}, and is not {'an acceptor' if is_for_acceptors else 'a proposer'}"


def unasked(history: History, said: Statement) -> str | None:
    """An acceptor promises a number only after it was asked to."""
    asked = any(request.id == said.id for request in of_kind(Prepare, history.heard))
    return None if asked else f"it promises {said.id} before a PREPARE {said.id}"


def lower(history: History, said: Statement) -> str | None:
    """An acceptor never promises a number below one that it has promised."""
    highest = max((before.id for before in of_kind(Promise, history.may_have_said)), default=said.id)
    return f"it promises {said.id} after it promised {when(history, Promise, highest)}" if said.id < highest else None


def concealed(history: History, said: Statement) -> str | None:
    """A promise reports only a proposal that its acceptor was asked to accept.

    If the acceptor has accepted proposals, the promise reports one whose number is not below any of theirs.
    """
    words = f"its promise of {said.id} reports {worded(said.proposal)}"
    if said.proposal and not received(history, said.proposal):
        numbers = {one.id for one in of_kind(Propose, history.heard) if one.proposal == (one.id, said.proposal.value)}
        asked = f"; it was asked to under {', '.join(map(str, sorted(numbers)))}" if numbers else ""
        return f"{words}, which it was never asked to accept{asked}"
    highest = max((before.id for before in of_kind(Accept, history.may_have_said)), default=-inf)
    return f"{words} after it accepted {when(history, Accept, highest)}" if highest > rank(said.proposal) else None


def worded(report: Proposal | None) -> str:
    """Return what a promise reports, in words."""
    return f"{report.value} under {report.id}" if report else "nothing"


def received(history: History, proposal: Proposal | None) -> bool:
    """Return whether an acceptor was asked to accept a proposal."""
    return any(request.proposal == proposal for request in of_kind(Propose, history.heard))


def forbidden(history: History, said: Statement) -> str | None:
    """An acceptor accepts only proposals that it was asked to accept.

    After promising n it accepts no proposal below n, unless that promise reported this proposal's number or a higher
    one.
    """
    promises = of_kind(Promise, history.may_have_said)
    if promised := [promise.id for promise in promises if promise.id > said.id > rank(promise.proposal)]:
        return f"it accepts {said.id} after it promised {when(history, Promise, min(promised))}"
    if not received(history, said.proposal):
        return f"it accepts {worded(said.proposal)}, which it was never asked to accept"
    return None


def when(history: History, kind: type[Message], number: float) -> str:
    """Return a number in words; if the actor has restarted since it spoke under that number, the words say so."""
    said = {before for before in of_kind(kind, history.may_have_said) if before.id == number}
    return f"{number} (before its restart)" if said <= history.before_restart else str(number)


def taken(history: History, said: Statement) -> str | None:
    """No two proposers use the same number."""
    user = history.users.get(said.id, history.name)
    return f"it uses number {said.id} of {user}" if user != history.name else None


def unsafe(history: History, said: Statement) -> str | None:
    """A proposer proposes only after a quorum has promised its number.

    It proposes the value of the highest-numbered proposal that this quorum reported, or its own value if none was
    reported.
    """
    if not said.proposal or any(before.proposal == said.proposal for before in of_kind(Propose, history.said)):
        return None
    promises, quorum = history.promises(said.id), history.configuration.promise_quorum
    if len(promises) < quorum:
        promised = f"{plural(len(promises), 'promise')} for {said.id}"
        return f"it proposes under {said.id} with {promised}; {quorum_words(history, quorum)}"
    allowed = safe_values(promises.values(), quorum, history.wish)
    if said.proposal.value in allowed:
        return None
    return f"it proposes {worded(said.proposal)}, but the promises leave only {' or '.join(sorted(allowed))}"


def safe_values(promises: Iterable[list[Proposal | None]], quorum: int, wish: str | None) -> set[str]:
    """Return the values of the highest-numbered proposals that some quorum reports, or the wish if one reports none.

    Acceptors may have promised the same number more than once, with different reports.
    """
    reports = [*promises]
    lowest = [min(map(rank, reported)) for reported in reports]
    return {
        report.value if report else str(wish)
        for report in chain.from_iterable(reports)
        if sum(number <= rank(report) for number in lowest) >= quorum
    }


def second(history: History, said: Statement) -> str | None:
    """A proposer proposes one value under one number."""
    others = [before.proposal for before in of_kind(Propose, history.may_have_said) if before.id == said.id]
    other = min((proposal.value for proposal in others if proposal and proposal != said.proposal), default=None)
    return f"it proposes {worded(said.proposal)} after {other}" if other is not None else None


def premature(history: History, said: Statement) -> str | None:
    """A proposer learns a value only after a quorum has accepted it under one number."""
    acceptors: dict[Proposal, set[str]] = {}
    for heard in of_kind(Accept, history.heard):
        if heard.proposal and said.proposal and heard.proposal.value == said.proposal.value:
            acceptors.setdefault(heard.proposal, set()).add(heard.sender)
    most = max((len(names.intersection(history.configuration.acceptors)) for names in acceptors.values()), default=0)
    quorum = history.configuration.accept_quorum
    if most >= quorum or not said.proposal:
        return None
    return f"it learns {said.proposal.value} with {plural(most, 'acceptance')}; {quorum_words(history, quorum)}"


def quorum_words(history: History, quorum: int) -> str:
    """Return how many acceptors are a quorum, in words."""
    return f"a quorum is {quorum} of {len(history.configuration.acceptors)}"


@dataclass(frozen=True)
class Rule:
    """A rule: its name, its section in *Paxos Made Simple*, and the kinds of statements that it is about.

    ``broken`` returns in words how a statement after a history breaks the rule, or None. Its docstring is the rule.
    """

    name: str
    section: str
    about: tuple[type[Message] | type[Learned], ...]
    broken: Callable[[History, Statement], str | None]

    @property
    def sentence(self) -> str:
        """The rule in words."""
        return " ".join((getdoc(self.broken) or "").split())


RULES = (
    Rule("R0", "2.1", (Prepare, Promise, Propose, Accept), impostor),
    Rule("A1", "2.2, phase 1(b)", (Promise,), unasked),
    Rule("A2", "2.2, phase 1(b)", (Promise,), lower),
    Rule("A3", "2.2, phase 1(b)", (Promise,), concealed),
    Rule("A4", "2.2, phase 2(b)", (Accept,), forbidden),
    Rule("P1", "2.5", (Prepare, Propose), taken),
    Rule("P3", "2.2", (Propose,), second),
    Rule("P2", "2.2, phase 2(a)", (Propose,), unsafe),
    Rule("P4", "2.3", (Learned,), premature),
)


def cited(names: Collection[str]) -> list[str]:
    """Return the rules with these names in words, each with its section of the paper."""
    return [f"{rule.name} (Paxos Made Simple, {rule.section}): {rule.sentence}" for rule in RULES if rule.name in names]


@dataclass(frozen=True)
class Broken:
    """A rule that an actor breaks, the statement that breaks it, and how, in words."""

    actor: str
    rule: Rule
    words: str
    said: Statement

    def __str__(self) -> str:
        return f"{self.actor} breaks {self.rule.name}: {self.words}"


def speak(history: History, said: Iterable[Statement]) -> tuple[History, Broken | None]:
    """Return the history after an actor has said some statements at once, and the first rule that they break, if any.

    They count in the order of their numbers, a promise before an acceptance, because the network may reorder them. A
    repeated statement breaks nothing, because the network may repeat it, too.
    """
    for one in sorted(said, key=lambda one: (one.kind is Learned, one.id, one.kind is Accept)):
        if one not in history.said:
            for rule in RULES:
                if one.kind in rule.about and (words := rule.broken(history, one)):
                    return history, Broken(history.name, rule, words, one)
            history = history.after_saying(one)
    return history, None


class Onlooker:
    """Finds the first event in which each actor of a cluster breaks a rule."""

    def __init__(self, configuration: Configuration) -> None:
        users: dict[int, str] = {}
        self.histories = {name: History(name, configuration, users) for name in configuration.names}

    def after(self, event: Event) -> Broken | None:
        """Return the rule that an actor breaks in an event, if it has broken none before."""
        if isinstance(event, Delivery) and event.fate is not LOST:
            name = event.message.recipient
        elif isinstance(event, Wants):
            name = event.proposer
        else:
            return None
        if not (history := self.histories.get(name)):
            return None
        if isinstance(event, Delivery):
            history = history.after_receiving(event.message)
        else:
            history = history._replace(wish=event.value)
        self.histories[name], broken = speak(history, [*statements(says(event)), *learning(name, event.learned)])
        if broken:
            del self.histories[name]
        return broken

    def told(self, events: Iterable[Event]) -> Iterator[Event]:
        """Yield events, each followed by a departure if an actor breaks a rule in it for the first time."""
        for event in events:
            yield event
            if broken := self.after(event):
                yield Departure(event.time, broken.actor, broken.rule.name, broken.words)
