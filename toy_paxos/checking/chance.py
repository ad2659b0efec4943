"""Random executions, for actors with too many states to visit them all soon.

They prove nothing if no property is lost. But an actor that stores all messages that it receives has many states, and
its faults need not be hard to find.
"""

from collections.abc import Callable, Iterable, Sequence
from random import Random
from time import monotonic

from toy_paxos.checking.checker import what_happens
from toy_paxos.checking.game import Game
from toy_paxos.checking.model import Model
from toy_paxos.checking.report import Report
from toy_paxos.event import Event, says
from toy_paxos.message import Fail, Message
from toy_paxos.safety import Property

WALKS = 1_000
DELIVERIES = 60

# The probability that the next delivery is a timeout or a restart, if one is left.
ENVIRONMENT_PROBABILITY = 0.1

# The probability that a message stays in the network after it was delivered.
DUPLICATE_PROBABILITY = 0.1

Loss = tuple[Property, list[Message]]
"""The property that an execution loses first, and the messages delivered until then."""


def check_by_chance(models: Sequence[Model], keep_going: Callable[[], bool]) -> Report | None:
    """Try random executions of each model; report the first that loses a property, with no superfluous delivery.

    The search ends early when ``keep_going`` returns False.
    """
    began = monotonic()
    for seed in range(WALKS):
        for model in models:
            if found := walk(model, Random(seed)):
                lost, execution = shortened(model, *found)
                violation, told = what_happens(model, execution, lost)
                elapsed_s = monotonic() - began
                return Report(model, 0, 0, 0, elapsed_s, False, violation, lost, execution, told, [], by_chance=True)
        if not keep_going():
            break
    return None


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
        possible += deliverable(model, game.receive(message))
        if not from_environment and random.random() < DUPLICATE_PROBABILITY:
            possible.append(message)
    return loss(game, delivered)


def deliverable(model: Model, events: Iterable[Event]) -> list[Message]:
    """Return the messages that are said in some events and that the model delivers."""
    return [message for event in events for message in says(event) if model.fail or not isinstance(message, Fail)]


def loss(game: Game, delivered: Sequence[Message]) -> Loss | None:
    """Return which property a game has lost after these deliveries, and those of them that it took."""
    if not game.violation:
        return None
    properties = {property.name: property for property in game.model.properties}
    return properties[game.violation.property], list(delivered[: int(game.violation.time)])


def outcome(model: Model, execution: Sequence[Message]) -> Loss | None:
    """Return what an execution loses; None if it loses nothing, or cannot happen."""
    game = Game(model)
    for message in execution:
        if game.violation:
            break
        if not game.is_deliverable(message):
            return None
        game.receive(message)
    return loss(game, execution)


def shortened(model: Model, lost: Property, execution: list[Message]) -> Loss:
    """Leave out deliveries one by one as long as a property is still lost; return that property and what remains."""
    at = len(execution) - 1
    while at >= 0:
        if found := outcome(model, execution[:at] + execution[at + 1 :]):
            lost, execution = found
            at = len(execution)
        at -= 1
    return lost, execution
