"""The acceptor: the memory of Paxos.

A value is *chosen* once a quorum of acceptors has accepted the same proposal. Each acceptor follows
two rules, and needs to remember only two things for them (*Paxos Made Simple*, section 2.2):

- It promises a number only if that is higher than any it has promised, and tells what it accepted last.
- It accepts a proposal only under the very number that it promised last.

What differs from the paper: the paper accepts any number *not below* the promised one. This acceptor wants the two to
be *equal* (the rule of *The Part-Time Parliament*), so an acceptor that missed a PREPARE takes no part in what follows.
It is the stricter of the two, hence as safe. A RESTART changes nothing: its memory is in stable storage.
"""

from collections.abc import Callable

from toy_paxos.actor import Actor
from toy_paxos.message import Accept, Fail, Message, Prepare, Promise, Proposal, Propose


class Acceptor:
    """An acceptor that has accepted nothing, and promised only number 0, under which nobody proposes."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.promised = 0
        self.accepted: Proposal | None = None

    def receive(self, message: Message) -> list[Message]:
        """Answer a PREPARE or a PROPOSE with one message, anything else with none."""
        if isinstance(message, Prepare):
            return self.promise(message)
        if isinstance(message, Propose):
            return self.accept(message)
        return []

    def promise(self, request: Prepare) -> list[Message]:
        """Phase 1b: promise a number higher than any before, and tell what was accepted last."""
        if request.id <= self.promised:
            return [Fail(self.name, request.sender, request.id)]
        self.promised = request.id
        return [Promise(self.name, request.sender, request.id, self.accepted)]

    def accept(self, request: Propose) -> list[Message]:
        """Phase 2b: accept what is proposed under the promised number."""
        if request.id != self.promised:
            return [Fail(self.name, request.sender, request.id)]
        self.accepted = Proposal(request.id, request.value)
        return [Accept(self.name, request.sender, request.id, request.value)]


class FailingAcceptor:
    """Any acceptor, but each request to it fails with ``failure_prob``: it answers FAIL and forgets about it.

    ``draw`` gives a number from 0 (included) to 1 (excluded), a new one for each request; ``failures`` says which
    requests failed, in the order in which they came. Paxos itself knows nothing of this.
    """

    def __init__(self, acceptor: Actor, failure_prob: float, draw: Callable[[], float]) -> None:
        self.name = acceptor.name
        self.acceptor = acceptor
        self.failure_prob = failure_prob
        self.draw = draw
        self.failures: list[bool] = []

    def receive(self, message: Message) -> list[Message]:
        """Answer as the acceptor does, unless this request fails."""
        if isinstance(message, (Prepare, Propose)):
            failed = self.draw() < self.failure_prob
            self.failures.append(failed)
            if failed:
                return [Fail(self.name, message.sender, message.id)]
        return self.acceptor.receive(message)
