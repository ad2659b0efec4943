"""Dice: a fixed number of random executions of each cluster, before any is searched.

If none of them loses a property, that proves nothing. But random executions find many faults, also those of an actor
with too many states to visit, such as one that stores all messages that it receives. The seeds are fixed, so the result
is always the same.
"""

from collections.abc import Iterable, Sequence
from random import Random
from typing import NamedTuple

from toy_paxos.checking.game import Game
from toy_paxos.checking.model import KeepGoing, Model, always
from toy_paxos.checking.refusal import failure_at
from toy_paxos.event import Event, says
from toy_paxos.message import Fail, Message
from toy_paxos.safety import Property

# The number of executions of each cluster.
WALKS = 60
DELIVERIES = 150

# The probability that the next delivery is a timeout or a restart, if one is left.
ENVIRONMENT_PROBABILITY = 0.1

# The probability that a message stays in the network after it was delivered.
DUPLICATE_PROBABILITY = 0.1


class Loss(NamedTuple):
    """The property that an execution of a model loses first, and the messages delivered until then."""

    model: Model
    lost: Property
    execution: list[Message]


class Dice(NamedTuple):
    """The number of random executions, and how the last one loses a property, if it does."""

    executions: int
    loss: Loss | None = None


def throw(models: Iterable[Model], keep_going: KeepGoing = always) -> Dice:
    """Try random executions of one model after the other, up to the first that loses a property.

    Raises CheckError if an actor fails. It ends early when ``keep_going`` returns False.
    """
    executions = 0
    for model in models:
        for seed in range(WALKS):
            if not keep_going(0, 0):
                return Dice(executions)
            executions += 1
            if loss := walk(model, Random(seed)):
                return Dice(executions, loss)
    return Dice(executions)


def walk(model: Model, random: Random) -> Loss | None:
    """Deliver random messages until a property is lost; return None if none is lost after ``DELIVERIES`` of them.

    Each message that was said so far may be delivered next, or never.
    """
    game = Game(model)
    environment = list(model.environment())
    possible = deliverable(model, game.events)
    delivered: list[Message] = []
    while not game.violation and len(delivered) < DELIVERIES and (possible or environment):
        from_environment = not possible or (environment and random.random() < ENVIRONMENT_PROBABILITY)
        drawn_from = environment if from_environment else possible
        message = drawn_from.pop(random.randrange(len(drawn_from)))
        delivered.append(message)
        try:
            possible += deliverable(model, game.receive(message))
        except KeyboardInterrupt as error:
            # ``keep_going`` stops a search, not this exception, so the actor raised it.
            raise failure_at(message, error, type(game.actors[message.recipient])) from error
        if not from_environment and random.random() < DUPLICATE_PROBABILITY:
            possible.append(message)
    return outcome(model, delivered) if game.violation else None


def deliverable(model: Model, events: Iterable[Event]) -> list[Message]:
    """Return the messages that are said in events and that the model delivers."""
    return [message for event in events for message in says(event) if model.fail or not isinstance(message, Fail)]


def outcome(model: Model, execution: Sequence[Message]) -> Loss | None:
    """Return the first loss in an execution, which ends there; None if there is none, or it cannot happen."""
    game = Game(model)
    for message in execution:
        if not game.is_deliverable(message):
            return None
        game.receive(message)
        if game.violation:
            break
    if not (violation := game.violation):
        return None
    lost = next(property for property in model.properties if property.name == violation.property)
    return Loss(model, lost, [*execution[: int(violation.time)]])


def shortened(found: Loss) -> Loss:
    """Leave out deliveries as long as the rest loses a property; return a loss from which none can be left out."""
    at = len(found.execution) - 1
    while at >= 0:
        if shorter := outcome(found.model, found.execution[:at] + found.execution[at + 1 :]):
            found = shorter
            at = len(found.execution)
        at -= 1
    return found
