"""Who is there, and in which order their messages are delivered.

The registry knows *where* an actor is, the delivery loop *when* a message reaches it. An actor knows neither. If
actors called each other instead, every call would end up inside another one: a proposer would see the answers to its
first PREPARE before it had sent the second, and two proposers could never take turns.
"""

from collections.abc import Iterable, Iterator

from toy_paxos.actor import Actor
from toy_paxos.message import Message


class ActorRegistry(dict[str, Actor]):
    """The actors by name. Looking up a name that nobody has raises LookupError."""

    def register(self, actor: Actor) -> None:
        """Add an actor under its name; raises ValueError if the name is taken."""
        if actor.name in self:
            raise ValueError(f"an actor named {actor.name!r} is registered already")
        self[actor.name] = actor

    def __missing__(self, name: str) -> Actor:
        raise LookupError(f"no actor named {name!r} is registered")


registry = ActorRegistry()
"""The global registry, cleared and refilled for each round."""


def deliver(actors: ActorRegistry, messages: Iterable[Message]) -> Iterator[Message]:
    """Deliver messages, and those that they provoke, oldest first; yield each just before its delivery.

    The stream that comes out is the transcript: whoever shows, counts or checks what happened reads it.
    """
    pending = list(messages)
    # Delivered messages stay in front: a list that grows while it is read is a queue.
    for message in pending:
        yield message
        pending += actors[message.recipient].receive(message)
