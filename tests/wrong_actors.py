"""Actors that a climb has to find out about: wrong ones, right ones, and such as cannot be judged.

And a builder of wrong actors by chance, for tests that compare one search with another.
"""

import os
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from enum import Enum
from random import Random
from typing import Any

from toy_paxos.acceptor import Acceptor
from toy_paxos.checking.broken import AcceptsAbove
from toy_paxos.message import Accept, Fail, Message, Prepare, Promise, Proposal, Propose, Restart, Timeout
from toy_paxos.proposer import Proposer, majority

# Wrong acceptors


class ForgetsAtSecondRestart(Acceptor):
    """It survives one crash, not two."""

    restarted = 0

    def receive(self, message: Message) -> list[Message]:
        if isinstance(message, Restart):
            self.restarted = min(2, self.restarted + 1)
            if self.restarted == 2:
                self.promised, self.accepted = 0, None
        return super().receive(message)


class OnlyTheFirstHides(Acceptor):
    """Acceptor 0, once it has accepted two different values, hides what it accepted."""

    changed_its_mind = False

    def accept(self, request: Propose) -> list[Message]:
        if self.accepted and self.accepted.value != request.value:
            self.changed_its_mind = True
        return super().accept(request)

    def promise(self, request: Prepare) -> list[Message]:
        if self.changed_its_mind and self.name == "acceptor-0":
            self.accepted = None
        return super().promise(request)


class OnlyTheLastLies(Acceptor):
    """The third acceptor hides what it accepted."""

    def promise(self, request: Prepare) -> list[Message]:
        answers = super().promise(request)
        return [
            replace(a, accepted=None) if self.name == "acceptor-2" and isinstance(a, Promise) else a for a in answers
        ]


class OnlyTheFourthForgets(Acceptor):
    """A fourth acceptor accepts whatever comes."""

    def accept(self, request: Propose) -> list[Message]:
        if self.name == "acceptor-3":
            return [Accept(self.name, request.sender, request.id, request.value)]
        return super().accept(request)


class OnlyTheFifthHides(Acceptor):
    """A fifth acceptor never says what it accepted."""

    def promise(self, request: Prepare) -> list[Message]:
        if self.name == "acceptor-4":
            self.accepted = None
        return super().promise(request)


class ReportsLastOfDict(Acceptor):
    """It reports the last entry of a dictionary of values, into which an old value is not moved to the end."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.log: dict[str, int] = {}

    def accept(self, request: Propose) -> list[Message]:
        answers = super().accept(request)
        if isinstance(answers[0], Accept):
            self.log[request.value] = request.id
        return answers

    def promise(self, request: Prepare) -> list[Message]:
        if self.log:
            value, id = list(self.log.items())[-1]
            self.accepted = Proposal(id, value)
        return super().promise(request)


class ReportsFirstAccepted(Acceptor):
    """It reports what it accepted first, not last."""

    first: Proposal | None = None

    def promise(self, request: Prepare) -> list[Message]:
        answers = super().promise(request)
        self.first = self.first or self.accepted
        return [replace(answer, accepted=self.first) if isinstance(answer, Promise) else answer for answer in answers]


class PromisesToTheWrongOne(Acceptor):
    """It sends its promise to the first proposer, whoever asked."""

    def promise(self, request: Prepare) -> list[Message]:
        answers = super().promise(request)
        return [replace(answer, accepted=None) for answer in answers if isinstance(answer, Promise)] or answers


class PromisesEqual(Acceptor):
    """It promises lower numbers, too, as long as it has not accepted anything."""

    def promise(self, request: Prepare) -> list[Message]:
        if self.accepted is None:
            self.promised = 0
        return super().promise(request)


class AcceptsWithoutPromise(Acceptor):
    """It accepts whatever comes when it has not promised anything to that proposer."""

    def accept(self, request: Propose) -> list[Message]:
        self.accepted = Proposal(request.id, request.value)
        return [Accept(self.name, request.sender, request.id, request.value)]


class AcceptsAnotherValue(Acceptor):
    """Once restarted, it accepts value-1 when asked to accept value-0."""

    restarted = False

    def receive(self, message: Message) -> list[Message]:
        if isinstance(message, Restart):
            self.restarted = True
        if isinstance(message, Propose) and self.restarted and message.value == "value-0":
            message = replace(message, value="value-1")
        return super().receive(message)


class AcceptsAtPrepare(Acceptor):
    """It says that it accepts when it is only asked for a promise."""

    def promise(self, request: Prepare) -> list[Message]:
        answers = super().promise(request)
        return [*answers, Accept(self.name, request.sender, request.id, "value-0")]


class SaysAcceptWithoutRemembering(Acceptor):
    """It says that it has accepted, and does not remember it."""

    def accept(self, request: Propose) -> list[Message]:
        answers = super().accept(request)
        self.accepted = None
        return answers


class ReportsWrongNumber(Acceptor):
    """It reports the value that it accepted under the number of the request."""

    def promise(self, request: Prepare) -> list[Message]:
        answers = super().promise(request)
        if self.accepted and isinstance(answers[0], Promise):
            return [replace(answers[0], accepted=Proposal(0, self.accepted.value))]
        return answers


class RefusesButPromises(Acceptor):
    """It refuses a lower number, and forgets its promise for that."""

    def promise(self, request: Prepare) -> list[Message]:
        answers = super().promise(request)
        if isinstance(answers[0], Fail):
            self.promised = request.id
        return answers


class AcceptsUnderWrongNumber(Acceptor):
    """It says that it accepted under the highest number it knows."""

    def accept(self, request: Propose) -> list[Message]:
        self.accepted = Proposal(self.promised, request.value)
        return [Accept(self.name, request.sender, self.promised, request.value)]


class ByClassAttribute(Acceptor):
    """It takes its promise from a default of the class after a restart."""

    promised = 0

    def receive(self, message: Message) -> list[Message]:
        if isinstance(message, Restart):
            self.__dict__.pop("promised", None)
        return super().receive(message)


class HidesFromTheThird(Acceptor):
    """It hides what it accepted from whoever asks under number 3."""

    def promise(self, request: Prepare) -> list[Message]:
        answers = super().promise(request)
        return [replace(a, accepted=None) if isinstance(a, Promise) and a.id == 3 else a for a in answers]


class LogsEverything(AcceptsWithoutPromise):
    """It accepts whatever comes, and writes down all that it hears."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.log: list[tuple[str, int]] = []

    def receive(self, message: Message) -> list[Message]:
        self.log.append((message.type, message.id))
        return super().receive(message)


# Wrong proposers


class CountsFailAsPromise(Proposer):
    """It takes any answer for a promise."""

    def count_refusal(self, fail: Fail) -> list[Message]:
        return self.count_promise(Promise(fail.sender, fail.recipient, fail.id, None))


class TakesFailForAccept(Proposer):
    """It takes any answer to a proposal for an acceptance."""

    def count_refusal(self, fail: Fail) -> list[Message]:
        if self.proposal:
            return self.count_accept(Accept(fail.sender, fail.recipient, fail.id, self.proposal.value))
        return super().count_refusal(fail)


class LearnsByProperty(Proposer):
    """It believes its proposal to be chosen as soon as it has made it."""

    @property
    def learned(self) -> str | None:
        return self.proposal.value if getattr(self, "proposal", None) else None  # type: ignore[union-attr]

    @learned.setter
    def learned(self, value: str | None) -> None:
        pass


class KnowsFromTheStart(Proposer):
    """It believes its wish to be chosen from its first moment."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.learned = self.value


class KnowsByClass(Proposer):
    """It has learned something as a member of its class."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        del self.learned

    learned = "value-0"


class ChangesItsMind(Proposer):
    """It learns what is right, and at the next message its own value."""

    def receive(self, message: Message) -> list[Message]:
        if self.learned is not None:
            self.learned = self.value
        return super().receive(message)


class LearnsAtFirstAccept(Proposer):
    """One acceptor is enough for it."""

    def count_accept(self, accept: Accept) -> list[Message]:
        self.learned = accept.value
        return []


class LearnsItsOwn(Proposer):
    """It learns its own value, whatever was accepted."""

    def count_accept(self, accept: Accept) -> list[Message]:
        return super().count_accept(replace(accept, value=self.value))


class CountsAcceptsTwice(Proposer):
    """It counts acceptances, not acceptors."""

    num_accepts = 0

    def count_accept(self, accept: Accept) -> list[Message]:
        self.num_accepts += 1
        if self.num_accepts >= self.accept_quorum:
            self.learned = accept.value
        return []


class CountsStaleAccepts(Proposer):
    """It counts acceptances of its earlier attempts for the present one."""

    def receive(self, message: Message) -> list[Message]:
        if isinstance(message, Accept) and self.proposal:
            message = replace(message, id=self.id, value=self.proposal.value)
        return super().receive(message)


class KeepsPromises(Proposer):
    """It keeps what was promised to its earlier attempt."""

    def try_again(self) -> list[Message]:
        kept = self.promises
        self.begin_attempt(self.id + self.id_step)
        self.promises = kept
        return self.prepare()


class ReusesNumber(Proposer):
    """It tries again under its old number, with the next value."""

    def try_again(self) -> list[Message]:
        self.begin_attempt(self.id)
        self.value = "value-1" if self.value == "value-0" else "value-0"
        return self.prepare()


class ReusesNumberOfAnother(Proposer):
    """It counts its attempts one by one, and so takes the numbers of others, with acceptors that do not mind."""

    def try_again(self) -> list[Message]:
        self.begin_attempt(self.id + 1)
        self.proposal = Proposal(self.id, self.value)
        return [Propose(self.name, acceptor, self.id, self.value) for acceptor in self.acceptors]


class ProposesAtTimeout(Proposer):
    """When time is out it proposes without being promised anything."""

    def try_again(self) -> list[Message]:
        return [Propose(self.name, acceptor, self.id, self.value) for acceptor in self.acceptors]


class CountsFromAHundred(Proposer):
    """Its numbers begin at a hundred, and its second attempt adopts nothing."""

    def begin_attempt(self, id: int) -> None:
        super().begin_attempt(id if id > 100 else id + 100)

    def choose_value(self) -> str:
        return self.value if self.id > 103 else super().choose_value()


class AdoptsBeforeTimeout(Proposer):
    """It adopts what it was told in its first attempt, and no more later."""

    adopted: str | None = None

    def choose_value(self) -> str:
        self.adopted = self.adopted or super().choose_value()
        return self.adopted


class CountsOutWhoRefused(Proposer):
    """From the next attempt on it does without those that have refused, and takes fewer for a quorum."""

    def __init__(self, *args: Any) -> None:
        self.left_out: set[str] = set()
        super().__init__(*args)

    def begin_attempt(self, id: int) -> None:
        self.left_out |= getattr(self, "refusals", set())
        super().begin_attempt(id)
        self.promise_quorum = self.accept_quorum = majority(len(self.acceptors) - len(self.left_out))


class FixedQuorum(Proposer):
    """Two are always enough."""

    def begin_attempt(self, id: int) -> None:
        super().begin_attempt(id)
        self.promise_quorum = self.accept_quorum = 2


class HalfOfFive(Proposer):
    """Half of them, rounded, is enough."""

    def begin_attempt(self, id: int) -> None:
        super().begin_attempt(id)
        self.promise_quorum = self.accept_quorum = round(len(self.acceptors) / 2)


class QuorumFromMemory(Proposer):
    """It learns with one acceptance less than a majority."""

    def count_accept(self, accept: Accept) -> list[Message]:
        self.accepts.add(accept.sender)
        if len(self.accepts) >= self.accept_quorum - 1:
            self.learned = accept.value
        return []


class ChangesValueMidway(Proposer):
    """It proposes its own value to half of the acceptors, and the safe one to the rest."""

    def count_promise(self, promise: Promise) -> list[Message]:
        answers = super().count_promise(promise)
        return [
            replace(a, value=self.value) if a.recipient == "acceptor-0" and isinstance(a, Propose) else a
            for a in answers
        ]


class ProposesAnotherLater(Proposer):
    """It proposes its own value once it is told of refusals."""

    def count_refusal(self, fail: Fail) -> list[Message]:
        if self.proposal:
            return [Propose(self.name, acceptor, self.id, self.value) for acceptor in self.acceptors]
        return super().count_refusal(fail)


class AdoptsLargest(Proposer):
    """It adopts the last in the alphabet."""

    def choose_value(self) -> str:
        return max((proposal.value for proposal in self.promises.values() if proposal), default=self.value)


class AdoptsSmallest(Proposer):
    """It adopts the first in the alphabet."""

    def choose_value(self) -> str:
        return min((proposal.value for proposal in self.promises.values() if proposal), default=self.value)


class AdoptsLast(Proposer):
    """It adopts what it was told last."""

    def choose_value(self) -> str:
        told = [proposal.value for proposal in self.promises.values() if proposal]
        return told[-1] if told else self.value


class AdoptsFirst(Proposer):
    """It adopts what it was told first."""

    def choose_value(self) -> str:
        told = [proposal.value for proposal in self.promises.values() if proposal]
        return told[0] if told else self.value


class AdoptsMostFrequent(Proposer):
    """It adopts what most acceptors report, or its own if they differ."""

    def choose_value(self) -> str:
        told = [proposal.value if proposal else "" for proposal in self.promises.values()]
        return next((value for value in told if value and told.count(value) > 1), self.value)


class AdoptsUnlessOwn(Proposer):
    """It does not adopt from the acceptor that has a smaller number than half of its own."""

    def choose_value(self) -> str:
        told = [proposal for proposal in self.promises.values() if proposal and proposal.id >= self.id - 1]
        return max(told).value if told else self.value


class IgnoresAcceptedAtSecondAttempt(Proposer):
    """In its second attempt it proposes what it wants."""

    def choose_value(self) -> str:
        return self.value if self.id > self.id_step else super().choose_value()


class LearnsFromPromises(Proposer):
    """It takes what an acceptor reports for chosen."""

    def count_promise(self, promise: Promise) -> list[Message]:
        if promise.accepted:
            self.learned = promise.accepted.value
        return super().count_promise(promise)


class Selfish(Proposer):
    """It proposes its own value when the first promise that arrives has nothing to report."""

    first: Promise | None = None

    def count_promise(self, promise: Promise) -> list[Message]:
        self.first = self.first or promise
        return super().count_promise(promise)

    def choose_value(self) -> str:
        return self.value if self.first and not self.first.accepted else super().choose_value()


class TimesOutWithItsPromises(Proposer):
    """When time is out it only takes the next number for the promises that it has."""

    def try_again(self) -> list[Message]:
        self.id += self.id_step
        return self.prepare()


class KeepsAnOrderOfAttributes(Acceptor):
    """What it reports is the value of whichever attribute it has set last."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.low: Proposal | None = None
        self.high: Proposal | None = None

    def accept(self, request: Propose) -> list[Message]:
        answers = super().accept(request)
        if isinstance(answers[0], Accept):
            # The first that it accepts is set anew each time, and so comes last.
            self.low, self.high = self.low or self.accepted, self.accepted
            low = self.low
            del self.low
            self.low = low
        return answers

    def promise(self, request: Prepare) -> list[Message]:
        answers = super().promise(request)
        last = list(vars(self).values())[-1]
        return [replace(answer, accepted=last) if isinstance(answer, Promise) else answer for answer in answers]


class YieldsAndForgets(Acceptor):
    """Its answers are no list, and after a restart it knows nothing."""

    def receive(self, message: Message) -> list[Message]:
        if isinstance(message, Restart):
            self.promised, self.accepted = 0, None
        return iter(super().receive(message))  # type: ignore[return-value]


class AdoptsHighestAsText(Proposer):
    """To it 9 is the highest of 9, 10 and 11."""

    def choose_value(self) -> str:
        highest = max(((str(p.id), p.value) for p in self.promises.values() if p), default=None)
        return highest[1] if highest else self.value


class ComparesAsText(Acceptor):
    """To it 10 is less than 9."""

    def promise(self, request: Prepare) -> list[Message]:
        if str(request.id) <= str(self.promised):
            return [Fail(self.name, request.sender, request.id)]
        self.promised = request.id
        return [Promise(self.name, request.sender, request.id, self.accepted)]


class DoesNotCountWhoRefused(Proposer):
    """It makes do with a majority of those that have not refused."""

    def count_refusal(self, fail: Fail) -> list[Message]:
        answers = super().count_refusal(fail)
        if not self.proposal:
            self.promise_quorum = self.accept_quorum = majority(len(self.acceptors) - len(self.refusals))
        return answers


class LogsAndAdoptsFirst(Proposer):
    """It writes down all that it receives, so that it has many states, and adopts what it heard of first."""

    def __init__(self, name: str, value: str, acceptors: Sequence[str], id: int, id_step: int) -> None:
        self.heard: list[str] = []
        self.log: list[tuple[str, str, int]] = []
        super().__init__(name, value, acceptors, id, id_step)

    def receive(self, message: Message) -> list[Message]:
        self.log.append((message.type, message.sender, message.id))
        return super().receive(message)

    def count_promise(self, promise: Promise) -> list[Message]:
        if promise.accepted:
            self.heard.append(promise.accepted.value)
        return super().count_promise(promise)

    def choose_value(self) -> str:
        return self.heard[0] if self.heard else self.value


# By the cluster of the climb that shows what is wrong with them, counted from 0.
WRONG: dict[type[Any], int] = {
    ForgetsAtSecondRestart: 0,
    OnlyTheFirstHides: 0,
    OnlyTheLastLies: 1,
    OnlyTheFourthForgets: 5,
    OnlyTheFifthHides: 5,
    ReportsLastOfDict: 8,
    ReportsFirstAccepted: 3,
    PromisesToTheWrongOne: 0,
    PromisesEqual: 0,
    AcceptsWithoutPromise: 0,
    AcceptsAnotherValue: 0,
    AcceptsAtPrepare: 0,
    SaysAcceptWithoutRemembering: 0,
    ReportsWrongNumber: 4,
    RefusesButPromises: 0,
    AcceptsUnderWrongNumber: 0,
    ByClassAttribute: 0,
    HidesFromTheThird: 0,
    LogsEverything: 0,
    CountsFailAsPromise: 6,
    TakesFailForAccept: 6,
    LearnsByProperty: 0,
    KnowsFromTheStart: 0,
    KnowsByClass: 0,
    ChangesItsMind: 0,
    LearnsAtFirstAccept: 1,
    LearnsItsOwn: 0,
    CountsAcceptsTwice: 1,
    CountsStaleAccepts: 2,
    KeepsPromises: 8,
    ReusesNumber: 0,
    ReusesNumberOfAnother: 0,
    ProposesAtTimeout: 0,
    AdoptsBeforeTimeout: 0,
    CountsFromAHundred: 0,
    FixedQuorum: 5,
    HalfOfFive: 2,
    QuorumFromMemory: 1,
    ChangesValueMidway: 0,
    ProposesAnotherLater: 6,
    AdoptsLargest: 4,
    AdoptsSmallest: 3,
    AdoptsLast: 3,
    AdoptsFirst: 3,
    AdoptsMostFrequent: 0,
    AdoptsUnlessOwn: 0,
    IgnoresAcceptedAtSecondAttempt: 0,
    LearnsFromPromises: 1,
    Selfish: 0,
    TimesOutWithItsPromises: 8,
    ComparesAsText: 4,
    AdoptsHighestAsText: 4,
    YieldsAndForgets: 0,
    KeepsAnOrderOfAttributes: 3,
    DoesNotCountWhoRefused: 10,
    CountsOutWhoRefused: 7,
}


# Actors that cannot be judged


class DrawsLots(Acceptor):
    """It promises as chance has it."""

    def promise(self, request: Prepare) -> list[Message]:
        return super().promise(request) if random.random() < 0.5 else []


class DrawsLotsOfItsClass(Acceptor):
    """It has a die in common with others of its kind."""

    die = Random(1)

    def promise(self, request: Prepare) -> list[Message]:
        return super().promise(request) if self.die.random() < 0.9 else []


class AsksTheSystemForLots(Acceptor):
    """Nobody can know what it draws, nor put it back."""

    def promise(self, request: Prepare) -> list[Message]:
        return super().promise(request) if os.urandom(1)[0] < 128 else []


calls = 0


class CountsInModule(Acceptor):
    """It forgets after some calls, whoever is called."""

    def receive(self, message: Message) -> list[Message]:
        global calls
        calls += 1
        if calls % 1000 == 0:
            self.promised = 0
        return super().receive(message)


class StoresInClass(Acceptor):
    """It keeps its promise where it believes it safe."""

    storage: dict[str, int] = {}  # noqa: RUF012

    def promise(self, request: Prepare) -> list[Message]:
        if request.id <= self.storage.get(self.name, 0):
            return []
        self.storage[self.name] = self.promised = request.id
        return [Promise(self.name, request.sender, request.id, self.accepted)]


class StoresInDefault(Acceptor):
    """It remembers requests in the default of a parameter."""

    def promise(self, request: Prepare, seen: list[int] = []) -> list[Message]:  # noqa: B006
        seen.append(request.id)
        return super().promise(request)


class StoresInFunction(Acceptor):
    """It remembers something in a function."""

    def promise(self, request: Prepare) -> list[Message]:
        StoresInFunction.promise.__dict__["last"] = request.id
        return super().promise(request)


def with_closure() -> type[Acceptor]:
    """A class that counts in the function that it comes from."""
    count = 0

    class StoresInClosure(Acceptor):
        def promise(self, request: Prepare) -> list[Message]:
            nonlocal count
            count += 1
            return super().promise(request)

    return StoresInClosure


class StoresInEnvironment(Acceptor):
    """It takes the environment for a stable storage."""

    def promise(self, request: Prepare) -> list[Message]:
        if request.id <= int(os.environ.get(f"PROMISED_BY_{self.name}", "0")):
            return []
        os.environ[f"PROMISED_BY_{self.name}"] = str(request.id)
        return [Promise(self.name, request.sender, request.id, self.accepted)]


def forget_what_is_stored() -> None:
    """Remove what actors have stored outside of their attributes, where the next test would find it."""
    StoresInClass.storage.clear()
    for name in [name for name in os.environ if name.startswith("PROMISED_BY_")]:
        del os.environ[name]


shared: list[int] = []


class SharesAList(Acceptor):
    """All of its kind write into the same list."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.log = shared


class GoesByOrderOfSet(Proposer):
    """It adopts what a set of values has first."""

    def choose_value(self) -> str:
        told = {*self.refusals, *(proposal.value for proposal in self.promises.values() if proposal), self.value}
        self.order = [*told, *{"a", "b", "c", "d", "e", "f", *told}]
        return super().choose_value()

    def begin_attempt(self, id: int) -> None:
        super().begin_attempt(id)
        self.heard: set[str] = set()

    def count_promise(self, promise: Promise) -> list[Message]:
        self.heard.add(promise.sender)
        self.first_heard = next(iter(self.heard))
        return super().count_promise(promise)


class ChangesMessages(Acceptor):
    """It marks a request as done."""

    def accept(self, request: Propose) -> list[Message]:
        answers = super().accept(request)
        request.id = 0
        return answers


class AnswersOnTheSameSheet(Acceptor):
    """It turns the request around, and sends it back."""

    def accept(self, request: Propose) -> list[Message]:
        request.sender, request.recipient = request.recipient, request.sender
        return [Accept(request.sender, request.recipient, request.id, request.value)]


class ChangesWhatItSent(Acceptor):
    """It keeps its last promise, and changes that later."""

    last: Promise | None = None

    def promise(self, request: Prepare) -> list[Message]:
        if self.last:
            self.last.accepted = self.accepted
        answers = super().promise(request)
        self.last = next((answer for answer in answers if isinstance(answer, Promise)), self.last)
        return answers


class ChangesItsClass(Acceptor):
    """Once restarted, it is somebody else."""

    def receive(self, message: Message) -> list[Message]:
        if isinstance(message, Restart):
            self.__class__ = AcceptsWithoutPromise  # type: ignore[assignment]
        return Acceptor.receive(self, message)


class WritesAFile(Acceptor):
    """It has a file open."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.file = open(os.devnull, "w")  # noqa: SIM115


class Generates(Acceptor):
    """It stands in the midst of a function."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.numbers = (number for number in range(10))


class Name(str):
    """A name with something to it."""

    restarted = False


class NamedWithMore(Acceptor):
    """It keeps what it knows in its name."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.label = Name(name)
        self.label.restarted = True


class LearnsNothing(Proposer):
    """It does not say what it has learned."""

    def __getattribute__(self, name: str) -> Any:
        if name == "learned":
            raise AttributeError("no attribute 'learned'")
        return super().__getattribute__(name)

    def receive(self, message: Message) -> list[Message]:
        return []


class LearnsAProposal(Proposer):
    """It learns more than a value."""

    def count_accept(self, accept: Accept) -> list[Message]:
        self.learned = Proposal(accept.id, accept.value)  # type: ignore[assignment]
        return []


class Divides(Acceptor):
    """It divides by zero."""

    def promise(self, request: Prepare) -> list[Message]:
        return [Promise(self.name, request.sender, request.id // 0, None)]


class Leaves(Acceptor):
    """It wants to leave the program."""

    def accept(self, request: Propose) -> list[Message]:
        raise SystemExit(0)


class Interrupts(Acceptor):
    """It pretends that somebody pressed Ctrl-C."""

    def accept(self, request: Propose) -> list[Message]:
        raise KeyboardInterrupt


class Recurses(Acceptor):
    """It asks itself for ever."""

    def accept(self, request: Propose) -> list[Message]:
        return self.accept(request)


class LooksAtTheClock(Acceptor):
    """It writes down what time it is."""

    def promise(self, request: Prepare) -> list[Message]:
        self.time = time.perf_counter_ns()
        return super().promise(request)


class Agreeable(str):
    """A text that takes itself for any other."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = str.__hash__


class ProposesAgreeable(Proposer):
    """What it proposes is equal to whatever is chosen."""

    def choose_value(self) -> str:
        return Agreeable(self.value)


class Mood(Enum):
    """Two members that take themselves for each other."""

    GOOD = 1
    BAD = 2

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Mood)


class HasMoods(Acceptor):
    """Once restarted, it is in another mood."""

    mood = Mood.GOOD

    def receive(self, message: Message) -> list[Message]:
        if isinstance(message, Restart):
            self.mood = Mood.BAD
        return super().receive(message)


class TellsEqualPairsApart(Proposer):
    """It keeps what it heard of first twice, and asks later not whether that is equal, but whether it is one thing."""

    def begin_attempt(self, id: int) -> None:
        super().begin_attempt(id)
        self.first: Proposal | None = None
        self.second: Proposal | None = None

    def count_promise(self, promise: Promise) -> list[Message]:
        if not self.first:
            self.first = self.second = promise.accepted
        return super().count_promise(promise)

    def choose_value(self) -> str:
        is_one = self.first is self.second and self.first and self.promise_quorum > 1
        return self.value if is_one else super().choose_value()


class ChangesWhenLookedAt(Proposer):
    """It counts how often somebody asks what it has learned."""

    def __init__(self, name: str, value: str, acceptors: Sequence[str], id: int, id_step: int) -> None:
        self.looks = 0
        self.known: str | None = None
        super().__init__(name, value, acceptors, id, id_step)

    @property
    def learned(self) -> str | None:
        self.looks += 1
        return self.known if self.looks < 12 else self.value

    @learned.setter
    def learned(self, value: str | None) -> None:
        self.known = value


class RemindsItself(Acceptor):
    """It forgets what it accepted when a reminder comes that it has sent to itself."""

    def receive(self, message: Message) -> list[Message]:
        if isinstance(message, Timeout):
            if self.accepted and self.accepted.id == message.id:
                self.accepted = None
            return []
        answers = super().receive(message)
        if answers and isinstance(answers[0], Accept):
            return [*answers, Timeout(self.name, self.name, message.id)]
        return answers


class TalksForEver(Acceptor):
    """There is no end to its promises."""

    def promise(self, request: Prepare) -> list[Message]:
        promise = Promise(self.name, request.sender, request.id, None)
        return iter(lambda: promise, None)  # type: ignore[return-value]


class UnspeakableError(Exception):
    """What it says would end the program, and with success."""

    def __str__(self) -> str:
        raise SystemExit(0)


class RaisesTheUnspeakable(Acceptor):
    """It does not say what went wrong."""

    def accept(self, request: Propose) -> list[Message]:
        raise UnspeakableError


UNJUDGEABLE: tuple[tuple[type[Any], str], ...] = (
    (DrawsLots, "the actors use the module random"),
    (DrawsLotsOfItsClass, "die of class DrawsLotsOfItsClass has changed"),
    (AsksTheSystemForLots, "does not always do the same"),
    (CountsInModule, "calls of module wrong_actors has changed"),
    (StoresInClass, "storage of class StoresInClass has changed"),
    (StoresInDefault, "promise of class StoresInDefault has changed"),
    (StoresInFunction, "promise of class StoresInFunction has changed"),
    (with_closure(), "promise of class with_closure.<locals>.StoresInClosure has changed"),
    (StoresInEnvironment, "does not always do the same"),
    (SharesAList, "self.log is a list: another actor has it, too; give each its own"),
    (GoesByOrderOfSet, "does not always do the same"),
    (ChangesMessages, "acceptor-0 changes a message, which others may see, too"),
    (AnswersOnTheSameSheet, "acceptor-0 changes a message, which others may see, too"),
    (ChangesWhatItSent, "a PROMISE of acceptor-0 is changed after it was sent"),
    (ChangesItsClass, "acceptor-0 changes its class"),
    (WritesAFile, "is a TextIOWrapper: keep files out of the actor"),
    (Generates, "is a generator: keep what it has left to do in a list"),
    (NamedWithMore, "a Name with attributes"),
    (LearnsNothing, "proposer-0 needs an attribute 'learned', None or the text of a value"),
    (LearnsAProposal, "proposer-0 needs an attribute 'learned', None or the text of a value"),
    (Divides, "on receiving PREPARE 1 from proposer-0 to acceptor-0: ZeroDivisionError"),
    (Leaves, "on receiving PROPOSE 1 from proposer-0 to acceptor-0: SystemExit"),
    (Interrupts, "on receiving PROPOSE 1 from proposer-0 to acceptor-0: KeyboardInterrupt"),
    (Recurses, "on receiving PROPOSE 1 from proposer-0 to acceptor-0: RecursionError"),
    (LooksAtTheClock, "does not always do the same"),
    (ProposesAgreeable, "the value of a PROPOSE has type Agreeable, not str"),
    (HasMoods, "a Mood: leave __eq__ to Enum"),
    (TellsEqualPairsApart, "or which of two equal things it has"),
    (ChangesWhenLookedAt, "reading what proposer-0 has learned changes it"),
    (TalksForEver, "receive returned 100,000 messages or more: there seems to be no end to them"),
    (RemindsItself, "an actor must not send TIMEOUT: the clock and the power switch do"),
    (RaisesTheUnspeakable, "on receiving PROPOSE 1 from proposer-0 to acceptor-0: UnspeakableError"),
)


# Right actors


class Yields(Acceptor):
    """Its answers are no list, but can be gone through."""

    def receive(self, message: Message) -> list[Message]:
        return iter(super().receive(message))  # type: ignore[return-value]


class MakesSure(Acceptor):
    """It is sure that one number never stands for two values, and so it is."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.proposed: dict[int, str] = {}

    def accept(self, request: Propose) -> list[Message]:
        if self.proposed.setdefault(request.id, request.value) != request.value:
            raise AssertionError("two values under one number")
        return super().accept(request)


class HasNumbersOfItsOwn(Proposer):
    """It counts its attempts in hundreds."""

    def __init__(self, name: str, value: str, acceptors: Sequence[str], id: int, id_step: int) -> None:
        super().__init__(name, value, acceptors, 100 + id, 100)


class KeepsALog(Acceptor):
    """A reader's own acceptor, right in another way: it writes down what it promised and accepted."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.log: list[tuple[int, str | None]] = []

    def receive(self, message: Message) -> list[Message]:
        promised = max((id for id, _ in self.log), default=0)
        if message.type == "PREPARE" and message.id > promised:
            accepted = [Proposal(id, value) for id, value in self.log if value]
            self.log.append((message.id, None))
            return [Promise(self.name, message.sender, message.id, max(accepted, default=None))]
        if isinstance(message, Propose) and message.id == promised:
            if (message.id, message.value) not in self.log:
                self.log.append((message.id, message.value))
            return [Accept(self.name, message.sender, message.id, message.value)]
        return []


class KeepsADictionary(Acceptor):
    """It remembers what it accepted by number, and looks for the highest."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.by_number: dict[int, str] = {}

    def accept(self, request: Propose) -> list[Message]:
        answers = super().accept(request)
        if isinstance(answers[0], Accept):
            self.by_number[request.id] = request.value
        return answers

    def promise(self, request: Prepare) -> list[Message]:
        self.accepted = max((Proposal(*item) for item in self.by_number.items()), default=None)
        return super().promise(request)


class RepeatsPromises(Acceptor):
    """It says its last promise again, word for word, when it is asked for a lower one."""

    last: Promise | None = None

    def promise(self, request: Prepare) -> list[Message]:
        answers = super().promise(request)
        if isinstance(answers[0], Promise):
            self.last = replace(answers[0])
        return [replace(self.last)] if self.last else answers


class RepeatsAllPromises(Acceptor):
    """It says all its promises again, word for word, whenever it is asked for one more."""

    said: tuple[Promise, ...] = ()

    def promise(self, request: Prepare) -> list[Message]:
        answers = super().promise(request)
        self.said += tuple(answer for answer in answers if isinstance(answer, Promise))
        return [*self.said]


class Cautious(Acceptor):
    """It accepts a proposal only the first time that it is asked."""

    def accept(self, request: Propose) -> list[Message]:
        if self.accepted and self.accepted.id >= request.id:
            return []
        return super().accept(request)


class AnswersOnce(Acceptor):
    """It is right, and answers in the way of a generator."""

    def receive(self, message: Message) -> list[Message]:
        def answers() -> Any:
            yield from super(AnswersOnce, self).receive(message)

        answer: list[Message] = answers()
        return answer


class AsksAMajority(Proposer):
    """It asks as many acceptors as it needs."""

    def prepare(self) -> list[Message]:
        return super().prepare()[: self.promise_quorum]


class WaitsForAll(Proposer):
    """It needs them all."""

    def begin_attempt(self, id: int) -> None:
        super().begin_attempt(id)
        self.promise_quorum = self.accept_quorum = len(self.acceptors)


class GivesUp(Proposer):
    """It does not try again."""

    def try_again(self) -> list[Message]:
        return []


class AsksWhatItLearned(Proposer):
    """It finds out what it has learned when it is asked."""

    def __init__(self, *args: Any) -> None:
        self.counted: dict[str, list[str]] = {}
        super().__init__(*args)

    @property
    def learned(self) -> str | None:
        return next((value for value, names in self.counted.items() if len(names) >= self.accept_quorum), None)

    @learned.setter
    def learned(self, value: str | None) -> None:
        pass

    def begin_attempt(self, id: int) -> None:
        super().begin_attempt(id)
        self.counted = {}

    def count_accept(self, accept: Accept) -> list[Message]:
        names = self.counted.setdefault(accept.value, [])
        if accept.sender not in names:
            names.append(accept.sender)
        return []


RIGHT: tuple[type[Any], ...] = (
    AcceptsAbove,
    Yields,
    MakesSure,
    HasNumbersOfItsOwn,
    KeepsALog,
    KeepsADictionary,
    RepeatsPromises,
    RepeatsAllPromises,
    Cautious,
    AnswersOnce,
    AsksAMajority,
    WaitsForAll,
    GivesUp,
    AsksWhatItLearned,
)

# Actors by chance


class AnyAcceptor(Acceptor):
    """An acceptor with dials, each of which can be turned to something wrong; at 0 all are right."""

    dials: dict[str, int] = {}  # noqa: RUF012

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.first: Proposal | None = None
        self.restarted = 0

    def dial(self, name: str) -> int:
        """How a dial is turned; some acceptors have all of them at 0."""
        return self.dials.get(name, 0) if self.dials.get("who", 0) in (0, int(self.name[-1])) else 0

    def receive(self, message: Message) -> list[Message]:
        if isinstance(message, Restart) and (dial := self.dial("restart")):
            self.restarted += 1
            if dial in (1, 3) and self.restarted > self.dial("restarts"):
                self.promised = 0
            if dial in (2, 3) and self.restarted > self.dial("restarts"):
                self.accepted = None
        return super().receive(message)

    def promise(self, request: Prepare) -> list[Message]:
        dial = self.dial("promise")
        if not (
            request.id > self.promised
            or (dial == 1 and request.id == self.promised)
            or (dial == 2 and not self.accepted)
            or (dial == 3 and request.id != self.promised)
        ):
            if self.dial("refuse"):
                self.promised = max(0, self.promised - 1)
            return [Fail(self.name, request.sender, request.id)]
        self.promised = request.id
        told = [self.accepted, None, self.first, self.accepted and Proposal(request.id - 1, self.accepted.value)]
        return [Promise(self.name, request.sender, request.id, told[self.dial("tell")])]

    def accept(self, request: Propose) -> list[Message]:
        dial = self.dial("accept")
        if not (
            request.id == self.promised
            or (dial == 1 and request.id >= self.promised)
            or (dial == 2 and (not self.accepted or request.id > self.accepted.id))
            or dial == 3
        ):
            return [Fail(self.name, request.sender, request.id)]
        if self.dial("raise"):
            self.promised = max(self.promised, request.id)
        self.accepted = Proposal(request.id, request.value)
        self.first = self.first or self.accepted
        return [Accept(self.name, request.sender, request.id, request.value)]


class AnyProposer(Proposer):
    """A proposer with dials, each of which can be turned to something wrong; at 0 all are right."""

    dials: dict[str, int] = {}  # noqa: RUF012

    def dial(self, name: str) -> int:
        """How a dial is turned; some proposers have all of them at 0."""
        return self.dials.get(name, 0) if self.dials.get("who", 0) in (0, int(self.name[-1])) else 0

    def begin_attempt(self, id: int) -> None:
        kept = getattr(self, "promises", {})
        super().begin_attempt(id)
        if self.dial("keep"):
            self.promises = kept
        self.promise_quorum = self.accept_quorum = max(1, self.promise_quorum - self.dial("quorum"))

    def choose_value(self) -> str:
        told = [proposal for proposal in self.promises.values() if proposal]
        ways: list[Callable[[list[Proposal]], str]] = [
            lambda told: max(told).value,
            lambda told: min(told).value,
            lambda told: told[0].value,
            lambda told: told[-1].value,
            lambda told: max(proposal.value for proposal in told),
            lambda told: self.value,
        ]
        return ways[self.dial("adopt")](told) if told else self.value

    def count_accept(self, accept: Accept) -> list[Message]:
        dial = self.dial("learn")
        if dial == 1:
            self.learned = accept.value
        if dial == 2:
            accept = replace(accept, value=self.value)
        if dial == 3 and accept.sender in self.accepts:
            accept = replace(accept, sender="another")
        return super().count_accept(accept)

    def count_promise(self, promise: Promise) -> list[Message]:
        if self.dial("listen") and promise.accepted:
            self.learned = promise.accepted.value
        answers = super().count_promise(promise)
        return answers[: self.promise_quorum] if self.dial("minority") else answers

    def count_refusal(self, fail: Fail) -> list[Message]:
        if self.dial("fail") == 1:
            return self.count_promise(Promise(fail.sender, fail.recipient, fail.id, None))
        if self.dial("fail") == 2:
            self.learned = None
        return super().count_refusal(fail)

    def try_again(self) -> list[Message]:
        if self.dial("again") == 1:
            self.id -= self.id_step
        if self.dial("again") == 2:
            return [Propose(self.name, acceptor, self.id, self.value) for acceptor in self.acceptors]
        return super().try_again()


ACCEPTOR_DIALS = {"restart": 3, "restarts": 1, "promise": 3, "refuse": 1, "tell": 3, "accept": 3, "raise": 1}
PROPOSER_DIALS = {
    "keep": 1,
    "quorum": 1,
    "adopt": 5,
    "learn": 3,
    "listen": 1,
    "minority": 1,
    "fail": 2,
    "again": 2,
}


def by_chance(seed: int) -> tuple[type[AnyAcceptor], type[AnyProposer]]:
    """An acceptor and a proposer of which a few dials are turned somehow."""
    random = Random(seed)

    def turned(dials: dict[str, int], how_many: int) -> dict[str, Any]:
        names = random.sample(sorted(dials), how_many)
        who = random.choice((0, 0, 0, 1))
        return {"dials": {name: random.randint(1, dials[name]) for name in names} | {"who": who}}

    acceptor = type("AcceptorByChance", (AnyAcceptor,), turned(ACCEPTOR_DIALS, random.randint(0, 3)))
    proposer = type("ProposerByChance", (AnyProposer,), turned(PROPOSER_DIALS, random.randint(0, 2)))
    return acceptor, proposer
