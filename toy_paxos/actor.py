"""What makes an actor: a name, and a method that turns one message into the messages it provokes.

An actor decides *what* is said. It never sends: where its messages go is the registry's business, and when they arrive
is the delivery loop's. It does not print, wait, read a clock or draw lots either, so one message in one state has one
answer, whatever delivers it.
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
    """What is required of a proposer beyond that."""

    @property
    def learned(self) -> str | None:
        """The value that it knows to be chosen, or None."""

    def prepare(self) -> list[Message]:
        """Return the messages with which it begins."""
