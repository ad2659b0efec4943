"""What a proposer without ``learned`` has learned: a value that it has heard a quorum of acceptors accept."""

from toy_paxos.message import Accept, Message

Heard = frozenset[tuple[int, str, str]]
"""The acceptances that a proposer has heard: the number, the value, and the acceptor of each."""


def count(heard: Heard, message: Message, quorum: int) -> tuple[Heard, str | None]:
    """Count a message; return the acceptances heard so far, and the value if a quorum has accepted it."""
    if not isinstance(message, Accept):
        return heard, None
    heard |= {(message.id, message.value, message.sender)}
    acceptors = [acceptor for id, value, acceptor in heard if (id, value) == (message.id, message.value)]
    return (frozenset(), message.value) if len(acceptors) >= quorum else (heard, None)
