"""An execution told as events: it is played by actors of flesh and blood, which are never put back."""

from collections.abc import Iterable, Iterator

from toy_paxos.actor import Actor
from toy_paxos.checking.model import Model
from toy_paxos.event import Event, Violation, Wants, hand_over, learned_by
from toy_paxos.message import Message
from toy_paxos.safety import watch


def begin(model: Model) -> tuple[dict[str, Actor], list[Wants]]:
    """New actors by name, and what the proposers want and say at once."""
    proposers, acceptors = model.new_actors()
    wishes = [
        Wants(0, proposer.name, value, list(proposer.prepare()), learned_by(proposer))
        for proposer, value in zip(proposers, model.values, strict=True)
    ]
    return {actor.name: actor for actor in (*proposers, *acceptors)}, wishes


def play(model: Model, execution: Iterable[Message]) -> Iterator[Event]:
    """What happens when these messages are delivered one after the other; the time is the number of the delivery.

    A message is there from the moment when it is first said.
    """
    actors, wishes = begin(model)
    yield from wishes
    proposers = {wish.proposer for wish in wishes}
    sent = {repr(message): 0 for wish in wishes for message in wish.says}
    for time, message in enumerate(execution, start=1):
        recipient = message.recipient
        since = sent.get(repr(message), time)
        event = hand_over(actors[recipient], message, time, since, proposes=recipient in proposers)
        event.answers = list(event.answers)
        for answer in event.answers:
            sent.setdefault(repr(answer), time)
        yield event


def story(model: Model, execution: Iterable[Message]) -> list[Event]:
    """An execution, and what follows from it; of what is lost only what the model asks for."""
    names = {property.name for property in model.properties}
    told = watch(play(model, execution), model.num_acceptors)
    return [event for event in told if not isinstance(event, Violation) or event.property in names]
