"""Executions that chance chooses, for actors with too many states to visit them all soon.

They prove nothing if nothing goes wrong. But an actor that writes down all that it receives has many states and need
not have a fault that hides well.
"""

from collections.abc import Callable, Iterator, Sequence
from random import Random
from time import monotonic

from toy_paxos.checking.checker import Report, what_happens
from toy_paxos.checking.model import Model
from toy_paxos.checking.story import play, watched
from toy_paxos.event import Delivery, Event, Violation, says
from toy_paxos.message import Fail, Message
from toy_paxos.safety import Property

WALKS = 1_000
DELIVERIES = 60

# How often there is a timeout or a restart, if there may be one.
TROUBLE = 0.1

# How often a message stays in the network after it was delivered.
AGAIN = 0.1


def check_by_chance(models: Sequence[Model], keep_going: Callable[[], bool]) -> Report | None:
    """Try some executions of each model; report the first that loses a property, without what can be left out.

    The search ends early when ``keep_going`` says no.
    """
    began = monotonic()
    for seed in range(WALKS):
        for model in models:
            if found := outcome(model, Walk(model, Random(seed)).go()):
                lost, execution = shortened(model, *found)
                violation, told = what_happens(model, execution, lost)
                elapsed_s = monotonic() - began
                return Report(model, 0, 0, 0, elapsed_s, False, violation, lost, execution, told, [], by_chance=True)
        if not keep_going():
            break
    return None


class Walk:
    """One execution that chance chooses; what was said by anybody so far may come next, or never."""

    def __init__(self, model: Model, random: Random) -> None:
        self.model = model
        self.random = random
        self.troubles = list(model.environment())
        self.possible: list[Message] = []
        self.delivered: list[Message] = []

    def go(self) -> list[Message]:
        """Deliver so many messages, or fewer if there are no more; return them, a timeout as one of several."""
        for event in play(self.model, self.deliveries()):
            self.possible += deliverable(self.model, event)
        return self.delivered

    def deliveries(self) -> Iterator[Message]:
        """One message after the other."""
        while len(self.delivered) < DELIVERIES and (self.possible or self.troubles):
            in_trouble = not self.possible or (self.troubles and self.random.random() < TROUBLE)
            drawn_from = self.troubles if in_trouble else self.possible
            message = drawn_from.pop(self.random.randrange(len(drawn_from)))
            self.delivered.append(message)
            yield message
            if not in_trouble and self.random.random() < AGAIN:
                self.possible.append(message)


def deliverable(model: Model, event: Event) -> list[Message]:
    """What is said in an event and may be delivered then."""
    return [message for message in says(event) if model.fail or not isinstance(message, Fail)]


def outcome(model: Model, execution: Sequence[Message]) -> tuple[Property, list[Message]] | None:
    """What an execution loses first, and the part of it that does so; None if it loses nothing, or cannot happen."""
    properties = {property.name: property for property in model.properties}
    there = {repr(message) for message in model.environment()}
    for event in watched(model, play(model, execution)):
        if isinstance(event, Delivery) and repr(execution[int(event.time) - 1]) not in there:
            return None
        there |= {repr(message) for message in deliverable(model, event)}
        if isinstance(event, Violation) and event.property in properties:
            return properties[event.property], list(execution[: int(event.time)])
    return None


def shortened(model: Model, lost: Property, execution: list[Message]) -> tuple[Property, list[Message]]:
    """An execution without all the deliveries that can be left out one by one, and what it loses."""
    at = len(execution) - 1
    while at >= 0:
        if found := outcome(model, execution[:at] + execution[at + 1 :]):
            lost, execution = found
            at = len(execution)
        at -= 1
    return lost, execution
