"""What the actors say to each other: six kinds of message, and the one proposal they are about.

Paxos needs four of them, two for each of its two phases (*Paxos Made Simple*, section 2.2):

    phase 1   proposer -> PREPARE -> acceptor    "promise me to ignore all numbers below mine"
              acceptor -> PROMISE -> proposer    "promised; and this is what I accepted before"
    phase 2   proposer -> PROPOSE -> acceptor    "then accept this value under my number"
              acceptor -> ACCEPT  -> proposer    "accepted"

The other two make failure visible: FAIL is an acceptor's "no", TERMINATE a proposer's "I give up".
TIMEOUT and RESTART are not messages between actors: the clock and the power switch send them.

Learners, which the paper informs of every ACCEPT (section 2.3), are left out: here the proposer is the
only learner. Messages are plain data that is never changed. They are not frozen because that would make
them more than twice as slow to make, and a round is little else than making messages.
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
    """Who says something, to whom, and under which proposal number, 1 or more."""

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
    """An acceptor's "no" to the request numbered ``id``; the paper lets it simply stay silent."""

    type: ClassVar[str] = "FAIL"


@dataclass(slots=True)
class Terminate(Message):
    """A proposer gives up ``id``: too many have refused it. Not in the paper; it asks for no answer."""

    type: ClassVar[str] = "TERMINATE"


@dataclass(slots=True)
class Timeout(Message):
    """The clock's word to a proposer: you have waited long enough for ``id``, try a higher number."""

    type: ClassVar[str] = "TIMEOUT"


@dataclass(slots=True)
class Restart(Message):
    """The power switch's word to an acceptor: you crashed, and came back with what is in stable storage."""

    type: ClassVar[str] = "RESTART"
