"""Variants of Paxos with one changed rule, which show the purpose of the rule.

Each class is an actor that differs from the correct one in a single rule of *Paxos Made Simple* (2001). The first
sentence of its docstring says what the actor does. The rest says which sentence of the paper it drops, and the
consequences, or why the change is harmless. ``toy-paxos check --break NAME`` prints these docstrings.
"""

import re
from dataclasses import dataclass, replace
from inspect import getdoc
from typing import Any, Literal

from toy_paxos.acceptor import Acceptor
from toy_paxos.checking.checker import MAX_STATES, check
from toy_paxos.checking.game import story
from toy_paxos.checking.model import KeepGoing, Model, always
from toy_paxos.checking.report import Report
from toy_paxos.message import Accept, Fail, Message, Prepare, Promise, Proposal, Propose, Restart
from toy_paxos.proposer import Proposer
from toy_paxos.safety import ALWAYS, ONE_VALUE


class IgnoresAccepted(Proposer):
    """A proposer proposes its own value, whatever the promises report.

    Dropped: P2c, that the value is that of the highest-numbered proposal reported (section 2.2). The
    original in Go has this fault. A later proposer proposes another value than the chosen one.
    """

    def choose_value(self) -> str:
        return self.value


class AdoptsAny(Proposer):
    """A proposer adopts any reported value, here the first in the alphabet, not the highest-numbered.

    Dropped: the word highest-numbered in P2c (section 2.2). An old proposal that was never chosen can win
    over a newer one that was.
    """

    def choose_value(self) -> str:
        values = [proposal.value for proposal in self.promises.values() if proposal]
        return min(values, default=self.value)


class AdoptsLowest(Proposer):
    """A proposer adopts the value of the lowest-numbered proposal that is reported.

    Dropped: the word highest-numbered in P2c (section 2.2). An old proposal that was never chosen can
    win over the chosen one.
    """

    def choose_value(self) -> str:
        lowest = min((proposal for proposal in self.promises.values() if proposal), default=None)
        return lowest.value if lowest else self.value


class SkipsPhase1(Proposer):
    """A proposer proposes at once, without asking for promises; the acceptors are those of the paper.

    Dropped: phase 1 (section 2.2). The proposer does not hear of a chosen value. The acceptors accept any
    number not below the promised one, as in the paper; those that require an equal number would refuse.
    """

    def prepare(self) -> list[Message]:
        self.proposal = Proposal(self.id, self.value)
        return [Propose(self.name, acceptor, *self.proposal) for acceptor in self.acceptors]


class CountsTwice(Proposer):
    """A proposer counts the promises that arrive, not the acceptors that promise.

    Dropped: that a quorum of acceptors has to answer (section 2.2). If a promise arrives twice, its
    acceptor counts as two.
    """

    def count_promise(self, promise: Promise) -> list[Message]:
        copy = replace(promise, sender="another")
        return super().count_promise(copy if promise.sender in self.promises else promise)


class TakesOldPromises(Proposer):
    """A proposer counts promises of an earlier attempt as promises of the present one.

    Dropped: that the answers are to the request with its own number (section 2.2). Such a promise does not
    report what its acceptor has accepted since then.
    """

    def receive(self, message: Message) -> list[Message]:
        if isinstance(message, Promise) and message.id < self.id:
            message = replace(message, id=self.id)
        return super().receive(message)


class ProposesTwice(Proposer):
    """A proposer that hears of an accepted value too late proposes again, under the same number.

    Dropped: that different proposals have different numbers (section 2.2). Two values are accepted under
    one number.
    """

    def count_promise(self, promise: Promise) -> list[Message]:
        if self.proposal and promise.accepted and promise.accepted.value != self.proposal.value:
            self.proposal = Proposal(self.id, promise.accepted.value)
            return [Propose(self.name, acceptor, *self.proposal) for acceptor in self.acceptors]
        return super().count_promise(promise)


class AcceptsBelow(Acceptor):
    """An acceptor accepts a number below the one it has promised.

    Dropped: P1a, that an acceptor accepts no number below one that it has promised (section 2.2). The
    proposer that got the promise relies on that.
    """

    def accept(self, request: Propose) -> list[Message]:
        self.accepted = Proposal(request.id, request.value)
        return [Accept(self.name, request.sender, request.id, request.value)]


class DoesNotRaise(AcceptsBelow):
    """An acceptor accepts above its promise, and does not raise the promise with it.

    Dropped: that an acceptor remembers the highest-numbered proposal that it has accepted (section 2.2).
    Acceptors usually ensure that by raising the promise. Here an older proposal is accepted after a newer one,
    and takes its place.
    """

    def accept(self, request: Propose) -> list[Message]:
        if request.id < self.promised:
            return [Fail(self.name, request.sender, request.id)]
        return super().accept(request)


class LowersPromise(Acceptor):
    """An acceptor promises any number, even one below what it has promised.

    Dropped: that it answers only a number greater than all that it has answered (section 2.2, phase 1b).
    The proposer that got the earlier promise relies on it.
    """

    def promise(self, request: Prepare) -> list[Message]:
        self.promised = request.id
        return [Promise(self.name, request.sender, request.id, self.accepted)]


class ForgetsPromise(Acceptor):
    """An acceptor forgets its promise when it restarts, and remembers what it accepted.

    Dropped: the number that it promised, one of the two things that an acceptor must remember (section
    2.2).
    """

    def receive(self, message: Message) -> list[Message]:
        if isinstance(message, Restart):
            self.promised = 0
        return super().receive(message)


class ForgetsAccepted(Acceptor):
    """An acceptor forgets what it accepted when it restarts, and remembers its promise.

    Dropped: the proposal that it accepted last, one of the two things that an acceptor must remember
    (section 2.2).
    """

    def receive(self, message: Message) -> list[Message]:
        if isinstance(message, Restart):
            self.accepted = None
        return super().receive(message)


class ForgetsAll(ForgetsPromise, ForgetsAccepted):
    """An acceptor forgets everything when it restarts.

    Dropped: that an acceptor remembers, whatever happens, what it promised and what it accepted (section
    2.2).
    """


class HidesAccepted(Acceptor):
    """An acceptor promises, but does not say what it has accepted.

    Dropped: that a promise carries the highest-numbered proposal accepted (section 2.2, phase 1b).
    """

    def promise(self, request: Prepare) -> list[Message]:
        answers = super().promise(request)
        return [replace(answer, accepted=None) if isinstance(answer, Promise) else answer for answer in answers]


class AcceptsAbove(Acceptor):
    """An acceptor accepts any number not below its promise, and raises the promise with it.

    This is the paper's own rule (section 2.2, phase 2b). It is harmless: acceptors that missed a PREPARE
    can still take part, so more rounds succeed.
    """

    def accept(self, request: Propose) -> list[Message]:
        self.promised = max(self.promised, request.id)
        return super().accept(request)


class AcceptsOnce(Acceptor):
    """An acceptor accepts one proposal, and refuses all others.

    The paper only requires that an acceptor accepts the first proposal that it receives (section 2.2, its
    requirement P1). The cost: if the acceptors have accepted different proposals and none of these can get a
    majority any more, no value can ever be chosen.
    """

    def accept(self, request: Propose) -> list[Message]:
        if self.accepted:
            return [Fail(self.name, request.sender, request.id)]
        return super().accept(request)


class PromisesAgain(Acceptor):
    """An acceptor answers a repeated PREPARE with its promise again.

    The paper lets it ignore a repeated request (section 2.2). A repeated promise promises nothing new. The
    change is harmless, and helps if the first answer was lost.
    """

    def promise(self, request: Prepare) -> list[Message]:
        if request.id == self.promised:
            return [Promise(self.name, request.sender, request.id, self.accepted)]
        return super().promise(request)


class SharesNumbers(Proposer):
    """Proposers all use the same numbers.

    In the paper, proposers choose their numbers from disjoint sets (section 2.5). Here each acceptor promises
    a number only once, so at most one of two proposers gets a majority for it. The cost: it can happen that
    neither does.
    """

    def begin_attempt(self, id: int) -> None:
        super().begin_attempt(1)


class AcceptsOnlyAbove(AcceptsBelow):
    """An acceptor accepts only above its promise.

    Each number that is proposed was promised by a quorum. These acceptors refuse it, and every quorum contains
    one of them. So no value is ever chosen, which is why this is safe.
    """

    def accept(self, request: Propose) -> list[Message]:
        if request.id <= self.promised:
            return [Fail(self.name, request.sender, request.id)]
        return super().accept(request)


@dataclass(frozen=True)
class ChangedRule:
    """One changed rule, and the smallest cluster of at least three acceptors that shows its consequences.

    ``fate`` is the result of a check: safety is lost; or it is safe; or it is safe, but progress is lost; or it is safe
    only because no value can be chosen.
    """

    changed: type[Proposer] | type[Acceptor]
    fate: Literal["unsafe", "safe", "stuck", "not-alive"]
    num_proposers: int = 2
    max_attempts: int = 1
    restarts: int = 0

    @property
    def name(self) -> str:
        """The name of the class in lower case, with hyphens."""
        return re.sub(r"(?<=[a-z])(?=[A-Z0-9])", "-", self.changed.__name__).lower()

    @property
    def summary(self) -> str:
        """What the changed actor does, in one sentence."""
        return (getdoc(self.changed) or "").partition("\n")[0]

    @property
    def change(self) -> str:
        """The line that names the rule at the beginning of a story."""
        return f"Changed rule, {self.name}: {self.summary}"

    @property
    def explanation(self) -> str:
        """The consequences of the change, or why it is harmless and what it costs."""
        return " ".join((getdoc(self.changed) or "").split("\n")[2:])

    @property
    def told(self) -> dict[str, Any]:
        """What the program prints about the rule, and the sizes of its model, by their keys in JSON."""
        keys = "name", "fate", "summary", "explanation"
        return {key: getattr(self, key) for key in keys} | self.model.sizes

    @property
    def model(self) -> Model:
        """The smallest model that shows the change. If it is unsafe, only the property that is lost is evaluated."""
        changed: dict[str, Any] = {"acceptor" if issubclass(self.changed, Acceptor) else "proposer": self.changed}
        properties = (ONE_VALUE,) if self.fate == "unsafe" else ALWAYS
        return replace(self.correct_model, properties=properties, **changed)

    @property
    def correct_model(self) -> Model:
        """The same cluster without the change, with all properties."""
        acceptor = AcceptsAbove if self.changed in (SkipsPhase1, DoesNotRaise) else Acceptor
        return Model(3, self.num_proposers, self.max_attempts, acceptor, restarts=self.restarts)


CHANGED_RULES = {
    rule.name: rule
    for rule in (
        ChangedRule(IgnoresAccepted, "unsafe"),
        ChangedRule(AdoptsAny, "unsafe", num_proposers=3),
        ChangedRule(AdoptsLowest, "unsafe", num_proposers=3),
        ChangedRule(SkipsPhase1, "unsafe"),
        ChangedRule(CountsTwice, "unsafe"),
        ChangedRule(TakesOldPromises, "unsafe", max_attempts=2),
        ChangedRule(ProposesTwice, "unsafe"),
        ChangedRule(AcceptsBelow, "unsafe"),
        ChangedRule(DoesNotRaise, "unsafe", num_proposers=3),
        ChangedRule(LowersPromise, "unsafe"),
        ChangedRule(ForgetsAll, "unsafe", restarts=1),
        ChangedRule(ForgetsPromise, "unsafe", restarts=1),
        ChangedRule(ForgetsAccepted, "unsafe", restarts=1),
        ChangedRule(HidesAccepted, "unsafe"),
        ChangedRule(AcceptsAbove, "safe"),
        ChangedRule(AcceptsOnce, "stuck"),
        ChangedRule(PromisesAgain, "safe"),
        ChangedRule(SharesNumbers, "stuck"),
        ChangedRule(AcceptsOnlyAbove, "not-alive"),
    )
}


def check_rule(rule: ChangedRule, model: Model, max_states: int = MAX_STATES, keep_going: KeepGoing = always) -> Report:
    """Check a model with a changed rule; if it loses a property, also report what correct actors would do.

    If it does not lose the property that it evaluates, check it again with all properties.
    """
    report = check(model, max_states, keep_going)
    if report.verdict in ("safe", "stuck") and model.properties != ALWAYS:
        report = check(replace(model, properties=ALWAYS), max_states, keep_going)
    if not report.lost:
        return report
    model = replace(report.model, acceptor=rule.correct_model.acceptor, proposer=rule.correct_model.proposer)
    correct = story(model, report.execution, instead=True)
    return replace(report, correct_story=correct)
