"""The interface of an actor: a name, and a method that takes a message and returns the messages that it provokes.

An actor decides *what* to say. The registry knows *where* a message goes, and the delivery loop decides *when* it
arrives. An actor does not send, print, wait, read a clock or draw random numbers. So its answer depends only on its
state and the message, and never on the loop that delivers it.
"""

from typing import Protocol

from toy_paxos.message import Message


class Actor(Protocol):
    """A participant that can be registered: see :class:`toy_paxos.actor_registry.ActorRegistry`."""

    @property
    def name(self) -> str:
        """The address under which others write to this actor."""

    def receive(self, message: Message) -> list[Message]:
        """Take one message; return the messages it provokes, in the order they are sent."""


class ProposingActor(Actor, Protocol):
    """An actor that proposes a value."""

    @property
    def learned(self) -> str | None:
        """The value that it knows to be chosen, or None."""

    def prepare(self) -> list[Message]:
        """Return the first messages of this proposer."""
