"""The state of an actor as JSON and back: what a checker sees of it, without its class.

An actor can be of any class whose state is plain data. So a snapshot of its attributes is saved, in which a class
stands as its name::

    [["name", "acceptor-0"], ["promised", 2], ["accepted", [{"class": "toy_paxos.message:Proposal"}, [2, "apple"]]]]
"""

import sys
from collections.abc import Callable
from enum import Enum
from functools import cache, reduce
from typing import Any

from toy_paxos.actor import Actor
from toy_paxos.message import Restart
from toy_paxos.remote import CannotError
from toy_paxos.snapshot import put_back, take

State = Any
"""The attributes of an actor, as part of its snapshot."""


class Maker:
    """Makes the actors of a process: new ones, and restored ones."""

    def __init__(self, new: Callable[[str], Actor], name: str) -> None:
        """Raise CannotError if an actor is made that cannot be saved."""
        self.new = new
        self.name = name
        actor = self.make(None)
        self.kind = type(actor)
        if words := getattr(actor, "cannot_be_restored", ""):
            raise CannotError(words)
        as_json(state_of(actor))

    def make(self, state: State | None) -> Actor:
        """Return an actor in a state, or a new one."""
        return self.new(self.name) if state is None else put_back((self.kind, state))

    def restarted(self, state: State, starts: int) -> State:
        """Return what is left of a state after a restart."""
        actor = self.make(state)
        actor.receive(Restart("power", self.name, starts))
        return state_of(actor)


def state_of(actor: Actor) -> State:
    """Return the state of an actor; raises CannotError if it cannot be saved."""
    try:
        return take(actor)[1]
    except TypeError as error:
        raise CannotError(f"{actor.name} cannot be saved: {error}") from error


def as_json(part: Any) -> Any:
    """Return a part of a state as JSON has it; raises CannotError for a class that cannot be found again."""
    if isinstance(part, tuple):
        return [as_json(each) for each in part]
    if isinstance(part, type):
        return {"class": path_of(part)}
    if isinstance(part, Enum):
        return {"member": [path_of(type(part)), part.name]}
    return {"bytes": part.hex()} if isinstance(part, bytes) else part


def from_json(told: Any) -> Any:
    """Return a part of a state; raises ValueError, AttributeError or KeyError if it is not one, or not one of ours."""
    if isinstance(told, list):
        return tuple([from_json(each) for each in told])
    if not isinstance(told, dict):
        return told
    ((key, value),) = told.items()
    if key == "bytes":
        return bytes.fromhex(value)
    return class_at(value) if key == "class" else class_at(value[0])[value[1]]


@cache
def path_of(kind: type) -> str:
    """Return the module and the name of a class; raises CannotError if they do not lead to it."""
    path = f"{kind.__module__}:{kind.__qualname__}"
    try:
        if class_at(path) is kind:
            return path
    except (AttributeError, KeyError):
        pass
    raise CannotError(f"{kind.__qualname__} cannot be saved: make it a class that its module has under this name")


@cache
def class_at(path: str) -> Any:
    """Return the class with this module and name; raises AttributeError or KeyError."""
    module, _, names = str(path).partition(":")
    return reduce(getattr, names.split("."), sys.modules[module])
