"""An execution told as events: it is played by actors of flesh and blood, which are never put back."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from toy_paxos.actor import Actor
from toy_paxos.checking.model import Model
from toy_paxos.checking.refusal import failure, failure_at
from toy_paxos.event import Delivery, Event, Fate, Wants, check_message, hand_over, learned_by, listed
from toy_paxos.message import Message, Timeout
from toy_paxos.safety import ALWAYS, watch


def begin(model: Model) -> tuple[dict[str, Actor], list[Wants]]:
    """New actors by name, and what the proposers want and say at once; raises CheckError if they cannot begin."""
    try:
        proposers, acceptors = model.new_actors()
        wishes = [
            Wants(0, proposer.name, value, listed(proposer.prepare(), "prepare"), learned_by(proposer))
            for proposer, value in zip(proposers, model.values, strict=True)
        ]
        actors: dict[str, Actor] = {actor.name: actor for actor in (*proposers, *acceptors)}
        for wish in wishes:
            for message in wish.says:
                check_message(message, actors)
    except (Exception, SystemExit) as error:
        raise failure("the actors cannot begin", error, model.proposer, model.acceptor) from error
    return actors, wishes


def deliver(actors: Mapping[str, Actor], actor: Actor, message: Message, *about: Any) -> Delivery:
    """Hand a message over to one of these actors, or one in its place; raises CheckError if the actor fails."""
    try:
        event = hand_over(actor, message, *about)
        event.answers = list(event.answers)
        for answer in event.answers:
            check_message(answer, actors)
    except (Exception, SystemExit) as error:
        raise failure_at(message, error, type(actors[message.recipient])) from error
    return event


def play(model: Model, execution: Iterable[Message], instead: bool = False) -> Iterator[Event]:
    """What happens when these messages are delivered one after the other; the time is the number of the delivery.

    A message is there from the moment when it is first said. With ``instead``, one that nobody has said is replaced by
    one of the same type, sender, recipient and number; if there is none, that delivery is left out. A timeout has the
    number under which the proposer spoke last.
    """
    actors, wishes = begin(model)
    yield from wishes
    proposers = {wish.proposer for wish in wishes}
    said = {repr(message): (message, 0) for wish in wishes for message in wish.says}
    said |= {repr(message): (message, 0) for message in model.environment()}
    times_said, times_delivered = Counter(repr(message) for wish in wishes for message in wish.says), Counter[str]()
    spoke_last = {wish.proposer: wish.says[0].id for wish in wishes if wish.says}
    for time, message in enumerate(execution, start=1):
        if isinstance(message, Timeout):
            message = replace(message, id=spoke_last.get(message.recipient, 0))
        elif instead and repr(message) not in said:
            alike = [other for other, _ in said.values() if outline(other) == outline(message)]
            if not alike:
                continue
            message = alike[-1]
        recipient, key = message.recipient, repr(message)
        _, since = said.get(key, (message, time))
        fate = Fate.DUPLICATE if 0 < times_said[key] <= times_delivered[key] else Fate.DELIVERED
        event = deliver(actors, actors[recipient], message, time, since, fate, recipient in proposers)
        times_delivered[key] += 1
        times_said.update(map(repr, event.answers))
        for answer in event.answers:
            said.setdefault(repr(answer), (answer, time))
        if event.answers:
            spoke_last[recipient] = event.answers[0].id
        yield event


def outline(message: Message) -> tuple[str, str, str, int]:
    """What is the same in two messages but for what they say."""
    return message.type, message.sender, message.recipient, message.id


def watched(model: Model, events: Iterable[Event]) -> Iterator[Event]:
    """Some events, and what follows from them: whatever is lost, be it what the model asks for or not."""
    return watch(events, model.configuration, tuple(dict.fromkeys((*ALWAYS, *model.properties))))


def story(model: Model, execution: Iterable[Message]) -> list[Event]:
    """An execution, and what follows from it."""
    return list(watched(model, play(model, execution)))


def right_story(model: Model, execution: Iterable[Message]) -> list[Event]:
    """What right actors would do with the deliveries of an execution of wrong ones."""
    return list(watched(model, play(model, execution, instead=True)))
