"""The acceptor: the memory of Paxos.

A value is *chosen* once a quorum of acceptors has accepted the same proposal. Each acceptor follows
two rules, for which it has to remember only two things (*Paxos Made Simple*, section 2.2):

- It promises a number only if it has promised no higher or equal one, and reports the proposal that it accepted last.
- It accepts a proposal only under the number that it promised last.

The second rule differs from the paper, where an acceptor accepts any number *not below* the promised one. Here the two
must be *equal* (the rule of *The Part-Time Parliament*), so an acceptor that missed a PREPARE refuses the PROPOSE. This
rule is stricter, hence as safe. A RESTART changes nothing, because the memory of an acceptor is in stable storage.
"""

from collections.abc import Callable

from toy_paxos.actor import Actor
from toy_paxos.message import Accept, Fail, Message, Prepare, Promise, Proposal, Propose


class Acceptor:
    """An acceptor, which at first has accepted nothing, and promised number 0, which no proposer uses."""

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
        """Phase 1b: promise a number higher than any before, and report the proposal that was accepted last."""
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
    """An acceptor around another one: each request fails with probability ``failure_prob``.

    The other one does not receive a request that fails; the answer to it is FAIL. ``draw`` returns a new number from 0
    (included) to 1 (excluded) for each request. ``failures`` says of each request, in order, whether it failed.
    """

    def __init__(self, acceptor: Actor, failure_prob: float, draw: Callable[[], float]) -> None:
        self.name = acceptor.name
        self.acceptor = acceptor
        self.failure_prob = failure_prob
        self.draw = draw
        self.failures: list[bool] = []

    def receive(self, message: Message) -> list[Message]:
        """Answer as the other acceptor does, unless this request fails."""
        if isinstance(message, (Prepare, Propose)):
            failed = self.draw() < self.failure_prob
            self.failures.append(failed)
            if failed:
                return [Fail(self.name, message.sender, message.id)]
        return self.acceptor.receive(message)
