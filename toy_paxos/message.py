"""The messages between actors, six kinds of them, and the proposal that they are about.

Paxos needs four of them, two for each of its two phases (*Paxos Made Simple*, section 2.2):

    phase 1   proposer -> PREPARE -> acceptor    "promise me to ignore all numbers below mine"
              acceptor -> PROMISE -> proposer    "promised; and this is what I accepted before"
    phase 2   proposer -> PROPOSE -> acceptor    "then accept this value under my number"
              acceptor -> ACCEPT  -> proposer    "accepted"

The other two make failure visible: FAIL is an acceptor's "no", TERMINATE a proposer's "I give up".
TIMEOUT and RESTART are not messages between actors: the clock and the power switch send them.

In the paper, acceptors also tell learners what they accept (section 2.3). Here the proposers are the only
learners. Messages are plain data, and no code changes one. The classes are not frozen: it would take more
than twice as long to create a message, and that is a large part of the work of a round.
"""

from dataclasses import dataclass
from typing import ClassVar, NamedTuple


class Proposal(NamedTuple):
    """A proposal number and the value proposed under it, which travel together (section 2.1).

    Proposals compare by number first, so the greatest one is the highest-numbered one.
    """

    id: int
    value: str


@dataclass(slots=True)
class Message:
    """A sender, a recipient and a proposal number, which is 1 or more."""

    type: ClassVar[str]

    sender: str
    recipient: str
    id: int


@dataclass(slots=True)
class Prepare(Message):
    """Phase 1a, the prepare request: asks an acceptor for a promise."""

    type: ClassVar[str] = "PREPARE"


@dataclass(slots=True)
class Promise(Message):
    """Phase 1b: the acceptor will accept nothing below ``id``; ``accepted`` is what it accepted last."""

    type: ClassVar[str] = "PROMISE"

    accepted: Proposal | None


@dataclass(slots=True)
class Propose(Message):
    """Phase 2a, the accept request: asks an acceptor to accept ``value`` under ``id``."""

    type: ClassVar[str] = "PROPOSE"

    value: str


@dataclass(slots=True)
class Accept(Message):
    """Phase 2b: the acceptor has accepted ``value`` under ``id``."""

    type: ClassVar[str] = "ACCEPT"

    value: str


@dataclass(slots=True)
class Fail(Message):
    """An acceptor's "no" to the request numbered ``id``; in the paper it may also ignore the request."""

    type: ClassVar[str] = "FAIL"


@dataclass(slots=True)
class Terminate(Message):
    """A proposer gives up ``id``: too many acceptors have refused it. Not in the paper; it gets no answer."""

    type: ClassVar[str] = "TERMINATE"


@dataclass(slots=True)
class Timeout(Message):
    """The clock tells a proposer to stop waiting for answers to ``id``, and to try a higher number."""

    type: ClassVar[str] = "TIMEOUT"


@dataclass(slots=True)
class Restart(Message):
    """The power switch tells an acceptor that it crashed, and is back with what is in its stable storage."""

    type: ClassVar[str] = "RESTART"
