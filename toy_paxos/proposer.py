"""The proposer: it asks for promises, then proposes, then learns whether its proposal was accepted.

Its whole safety is in one function, :func:`safe_value`: it may propose its own value only if none of the acceptors
that promised has accepted anything (*Paxos Made Simple*, section 2.2, property P2c). And its whole wisdom is in
another, :func:`majority`: any two majorities share an acceptor, so what one has accepted, every other hears of.
Other sizes will do if each quorum of promises shares an acceptor with each quorum of acceptances (Howard, Malkhi,
Spiegelman, *Flexible Paxos*, 2016).

It acts as soon as a quorum has answered, or can promise no longer; it never waits for all. When the clock says so, it
begins another attempt under a higher number; answers to the one before are then stale, and ignored. What is left
out: a distinguished proposer (section 2.4). So proposers can get into each other's way for ever, and it is up to the
clock to keep them apart.
"""

from collections.abc import Iterable, Sequence

from toy_paxos.message import Accept, Fail, Message, Prepare, Promise, Proposal, Propose, Terminate, Timeout

Quorums = tuple[int, int]
"""How many acceptors make a quorum of promises, and how many a quorum of acceptances."""


def majority(num_acceptors: int) -> int:
    """The smallest number of acceptors of which any two groups share a member."""
    return num_acceptors // 2 + 1


def safe_value(accepted: Iterable[Proposal | None], own: str) -> str:
    """The value of the highest-numbered proposal among ``accepted``, or ``own`` if there is none (P2c).

    ``accepted`` holds what each acceptor of a quorum reported in its promise.
    """
    highest = max((proposal for proposal in accepted if proposal), default=None)
    return highest.value if highest else own


class Proposer:
    """A proposer that would like ``value`` to be chosen by ``acceptors``.

    Its attempts are numbered ``id``, ``id + id_step``, and so on. With as many proposers as the step, each beginning at
    a number of its own from 1 to the step, no two ever use the same (section 2.5). ``learned`` is the value it knows to
    be chosen, or None. It forgets whatever can no longer make a difference: the promises once it has proposed,
    everything once it has learned.
    """

    def __init__(
        self,
        name: str,
        value: str,
        acceptors: Sequence[str],
        id: int = 1,
        id_step: int = 1,
        quorums: Quorums | None = None,
    ) -> None:
        self.name = name
        self.value = value
        self.acceptors = acceptors
        self.promise_quorum, self.accept_quorum = quorums or (majority(len(acceptors)),) * 2
        self.id_step = id_step
        self.learned: str | None = None
        self.begin_attempt(id)

    def begin_attempt(self, id: int) -> None:
        """Forget what was answered to any other number."""
        self.id = id
        self.promises: dict[str, Proposal | None] = {}
        self.refusals: set[str] = set()
        self.abandoned = False
        self.proposal: Proposal | None = None
        self.accepts: set[str] = set()

    def prepare(self) -> list[Message]:
        """Phase 1a: ask every acceptor for a promise."""
        return [Prepare(self.name, acceptor, self.id) for acceptor in self.acceptors]

    def receive(self, message: Message) -> list[Message]:
        """Count an answer to the current number; once enough have come, move on or give up."""
        if message.id != self.id or self.learned is not None:
            return []
        if isinstance(message, Promise):
            return self.count_promise(message)
        if isinstance(message, Accept):
            return self.count_accept(message)
        if isinstance(message, Fail):
            return self.count_refusal(message)
        if isinstance(message, Timeout):
            return self.try_again()
        return []

    def count_promise(self, promise: Promise) -> list[Message]:
        """Phase 2a: with a quorum of promises, propose the one value that is safe, to all."""
        if self.proposal or self.abandoned:
            return []
        # A promise stands even if its acceptor refuses the same request when that arrives a second time.
        self.refusals.discard(promise.sender)
        self.promises[promise.sender] = promise.accepted
        if len(self.promises) < self.promise_quorum:
            return []
        value = self.choose_value()
        self.promises.clear()
        self.proposal = Proposal(self.id, value)
        return [Propose(self.name, acceptor, self.id, value) for acceptor in self.acceptors]

    def choose_value(self) -> str:
        """What the promises leave it free to propose."""
        return safe_value(self.promises.values(), self.value)

    def count_accept(self, accept: Accept) -> list[Message]:
        """With a quorum of acceptances the value is chosen, and now this proposer knows."""
        self.accepts.add(accept.sender)
        if len(self.accepts) >= self.accept_quorum:
            self.accepts.clear()
            self.learned = accept.value
        return []

    def count_refusal(self, fail: Fail) -> list[Message]:
        """Abandon the attempt, and tell all, the moment that no quorum can promise any more."""
        if self.proposal or self.abandoned or fail.sender in self.promises:
            return []
        self.refusals.add(fail.sender)
        if len(self.acceptors) - len(self.refusals) >= self.promise_quorum:
            return []
        self.abandoned = True
        return [Terminate(self.name, acceptor, self.id) for acceptor in self.acceptors]

    def try_again(self) -> list[Message]:
        """Begin phase 1 with the next number."""
        self.begin_attempt(self.id + self.id_step)
        return self.prepare()
