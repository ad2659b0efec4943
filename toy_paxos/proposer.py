"""The proposer: it asks for promises, then proposes, then learns whether its proposal was accepted.

Safety depends on :func:`safe_value`: a proposer may propose its own value only if none of the acceptors that promised
has accepted anything (*Paxos Made Simple*, section 2.2, property P2c). And it depends on :func:`majority`: any two
majorities share an acceptor, so every majority that promises has a member of any majority that accepted. Other sizes
of quorums are safe, too, if each quorum of promises shares an acceptor with each quorum of acceptances (Howard,
Malkhi, Spiegelman, *Flexible Paxos*, 2016).

A proposer acts as soon as a quorum has answered, or no quorum can promise any more; it never waits for all acceptors.
On a TIMEOUT it begins another attempt under a higher number, and from then on ignores answers to the old one. There is
no distinguished proposer (section 2.4). So proposers can prevent each other's success forever; only the times at which
messages arrive keep them apart.
"""

from collections.abc import Iterable, Sequence

from toy_paxos.message import Accept, Fail, Message, Prepare, Promise, Proposal, Propose, Terminate, Timeout

Quorums = tuple[int, int]
"""The sizes of a quorum of promises and of a quorum of acceptances."""


def majority(num_acceptors: int) -> int:
    """Return the smallest size for which any two sets of acceptors share a member."""
    return num_acceptors // 2 + 1


def safe_value(accepted: Iterable[Proposal | None], own: str) -> str:
    """Return the value of the highest-numbered proposal among ``accepted``, or ``own`` if there is none (P2c).

    ``accepted`` has the proposal, if any, that each acceptor of a quorum reported in its promise.
    """
    highest = max((proposal for proposal in accepted if proposal), default=None)
    return highest.value if highest else own


class Proposer:
    """A proposer that wants ``acceptors`` to choose ``value``.

    Its attempts are numbered ``id``, ``id + id_step``, and so on. If ``id_step`` is the number of proposers, and each
    begins with a different ``id`` from 1 to ``id_step``, no two use the same number (section 2.5). ``learned`` is the
    value that it knows to be chosen, or None. A proposer forgets the promises once it has proposed, and the acceptances
    once it has learned: they make no difference any more.
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
        """Use this number from now on, and forget the answers to any other."""
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
        """Return the value that the promises allow it to propose."""
        return safe_value(self.promises.values(), self.value)

    def count_accept(self, accept: Accept) -> list[Message]:
        """With a quorum of acceptances, learn that the value is chosen."""
        self.accepts.add(accept.sender)
        if len(self.accepts) >= self.accept_quorum:
            self.accepts.clear()
            self.learned = accept.value
        return []

    def count_refusal(self, fail: Fail) -> list[Message]:
        """Abandon the attempt, and tell all acceptors, as soon as no quorum can promise any more."""
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
