"""Random pairs of actors, faulty or correct, with habits that the changed rules do not have."""

from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any

from wrong_actors import ACCEPTOR_DIALS, PROPOSER_DIALS, AnyAcceptor, AnyProposer

from toy_paxos.checking.model import Model
from toy_paxos.message import Accept, Message, Prepare, Promise, Propose

SIZES = (
    Model(1, 2, max_attempts=2),
    Model(1, 3, max_attempts=2),
    Model(2, 2),
    Model(2, 2, max_attempts=2),
    Model(2, 3),
    Model(3, 2),
    Model(3, 2, fail=True),
    Model(3, 3),
    Model(4, 2),
)


class Talkative(AnyAcceptor):
    """An acceptor that also says what nobody has asked for, turned on by a dial."""

    def receive(self, message: Message) -> list[Message]:
        answers = super().receive(message)
        habit = self.dial("habit")
        if habit == 1 and isinstance(message, Propose):
            # Tell all proposers, as the paper's acceptors tell all learners.
            answers += [replace(a, recipient=f"proposer-{n}") for a in answers for n in (0, 1) if isinstance(a, Accept)]
        if habit == 2 and isinstance(message, Promise | Accept):
            # Pass on the words of another acceptor in its own name.
            answers.append(replace(message, sender=self.name, recipient="proposer-0"))
        if habit == 3 and isinstance(message, Propose):
            # Tell another acceptor, which may pass it on.
            answers += [replace(a, recipient="acceptor-0") for a in answers if isinstance(a, Accept)]
        if habit == 4 and isinstance(message, Prepare) and self.accepted:
            # Promise again, with a newer report.
            answers.append(Promise(self.name, message.sender, self.promised, self.accepted))
        if habit == 5 and isinstance(message, Prepare) and self.accepted:
            # Act as a proposer.
            answers.append(Propose(self.name, "acceptor-0", message.id, self.accepted.value))
        if habit == 6 and isinstance(message, Prepare):
            # Repeat an old promise word for word.
            self.said = (*getattr(self, "said", ()), *(a for a in answers if isinstance(a, Promise)))[:2]
            answers += [replace(promise) for promise in self.said if promise not in answers]
        return answers


class Credulous(AnyProposer):
    """A proposer that believes more than it may, turned on by a dial."""

    def receive(self, message: Message) -> list[Message]:
        habit = self.dial("habit")
        if habit == 1 and isinstance(message, Accept) and message.id > self.id:
            # Take a single ACCEPT of a higher number for a choice.
            self.learned = message.value
        if habit == 2 and isinstance(message, Promise):
            # Take a changed report for a choice.
            before = self.promises.get(message.sender, message.accepted)
            if message.id == self.id and message.accepted and before != message.accepted:
                self.learned = message.accepted[1]
        if habit == 3 and isinstance(message, Promise) and message.accepted:
            # Act as an acceptor.
            said = super().receive(message)
            return [*said, Accept(self.name, "proposer-0", *message.accepted)]
        if habit == 4 and isinstance(message, Promise) and self.proposal and message.id == self.id:
            # Repeat what it proposed.
            return [Propose(self.name, message.sender, *self.proposal), *super().receive(message)]
        if habit == 5 and isinstance(message, Propose):
            # Believe another proposer.
            self.value = message.value
        if habit == 6 and isinstance(message, Promise) and message.id > self.id:
            # Take a promise to a higher number for one to its own.
            message = replace(message, id=self.id)
        return super().receive(message)

    def prepare(self) -> list[Message]:
        # With one habit it also asks its fellow proposers.
        others = [Prepare(self.name, f"proposer-{n}", self.id) for n in (0, 1) if self.dial("habit") == 5]
        return [*super().prepare(), *others]


def pair(seed: int) -> Model:
    """Return a model of a random pair."""
    random = Random(seed)

    def turned(dials: dict[str, int], most: int) -> dict[str, Any]:
        names = random.sample(sorted(dials), random.choice((0, 0, 1, most)))
        habit = random.choice((0, random.randint(1, 6)))
        who = random.choice((0, 0, 0, 1))
        return {"dials": {name: random.randint(1, dials[name]) for name in names} | {"who": who, "habit": habit}}

    size = random.choice(SIZES)
    acceptor: Callable[[str], Any] = type("Acceptor", (Talkative,), turned(ACCEPTOR_DIALS, 2))
    proposer = type("Proposer", (Credulous,), turned(PROPOSER_DIALS, 2))
    return replace(size, acceptor=acceptor, proposer=proposer, descending=random.random() < 0.3)
