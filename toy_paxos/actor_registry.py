"""The actors by name, and the order in which messages are delivered.

The registry knows *where* an actor is, and the delivery loop decides *when* a message reaches it. An actor knows
neither. If actors called each other instead, the calls would be nested: a proposer would get the answer to its first
PREPARE before it had sent the second, and two proposers could never take turns.
"""

from collections.abc import Iterable, Iterator

from toy_paxos.actor import Actor
from toy_paxos.message import Message


class ActorRegistry(dict[str, Actor]):
    """The actors by name. Looking up an unknown name raises LookupError."""

    def register(self, actor: Actor) -> None:
        """Add an actor under its name; raise ValueError if the name is taken."""
        if actor.name in self:
            raise ValueError(f"an actor named {actor.name!r} is registered already")
        self[actor.name] = actor

    def __missing__(self, name: str) -> Actor:
        raise LookupError(f"no actor named {name!r} is registered")


registry = ActorRegistry()
"""The global registry, cleared and refilled for each round."""


def deliver(actors: ActorRegistry, messages: Iterable[Message]) -> Iterator[Message]:
    """Deliver messages, and those that they provoke, oldest first; yield each just before its delivery.

    The messages that it yields are the transcript of the round.
    """
    pending = list(messages)
    # A list that grows while it is read is a queue; delivered messages stay in front.
    for message in pending:
        yield message
        pending += actors[message.recipient].receive(message)
