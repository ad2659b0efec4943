"""Endless rounds: who takes part in each, and the dice that decide what goes wrong.

This is the one module that fills the global registry and makes dice.
"""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain, count, islice

from toy_paxos.acceptor import FailingAcceptor
from toy_paxos.actor import ProposingActor
from toy_paxos.actor_registry import ActorRegistry, deliver, registry
from toy_paxos.event import Event, Wants, hand_over, learned_by, unheard
from toy_paxos.message import Propose
from toy_paxos.round import DirectRound, Round, direct_outcome
from toy_paxos.safety import watch
from toy_paxos.settings import EMOJI, Settings
from toy_paxos.simulation.network import Simulation

# How many rounds share their dice. New dice for each chapter make any round reachable without playing all
# those before it; shorter chapters would spend noticeable time on making dice.
CHAPTER = 100


class Dice(dict[tuple[str, ...], Callable[[], float]]):
    """The dice of one chapter, by name, each with a stream of its own.

    Of each only ``random()`` is used: the one method whose numbers Python promises to keep the same for
    a seed, in every version.
    """

    def __init__(self, seed: int, chapter: int) -> None:
        super().__init__()
        self.seed = seed
        self.chapter = chapter

    def __missing__(self, name: tuple[str, ...]) -> Callable[[], float]:
        self[name] = die = random.Random(f"{self.seed} {' '.join(name)} {self.chapter}").random
        return die


def play_rounds(settings: Settings, first: int = 1, told: bool = True) -> Iterator[Round]:
    """Endless rounds from number ``first`` on; ``told`` if their stories will be asked for."""
    if not settings.network:
        return played(settings, first, play_directly)
    # A round of other actors is told at once: they need not do the same when it is played again.
    return played(settings, first, partial(play_over_network, registry, told or bool(settings.actors)))


def played(settings: Settings, first: int, play: Callable[[Settings, range, Dice], Iterator[Round]]) -> Iterator[Round]:
    """Endless rounds from number ``first`` on, chapter by chapter."""
    chapter = first - (first - 1) % CHAPTER
    seed = settings.seed
    assert seed is not None

    chapters = (play(settings, range(start, start + CHAPTER), Dice(seed, start)) for start in count(chapter, CHAPTER))
    return islice(chain.from_iterable(chapters), first - chapter, None)


def play_over_network(
    actors: ActorRegistry, told: bool, settings: Settings, numbers: range, dice: Dice
) -> Iterator[Round]:
    """Rounds of one or more proposers over the simulated network, each until its end or until safety is lost."""
    assert settings.network
    dice_of = {name: dice["failures", name] for name in settings.configuration.acceptors}
    for number in numbers:
        wishes = new_wishes(settings, dice)
        register_actors(actors, settings, wishes, dice_of)
        simulation = Simulation(settings.configuration, actors, wishes, settings.network, dice, told)
        events = simulation.run()
        if settings.actors:
            # Here and not above: our own actors keep the rules.
            from toy_paxos.rules import Onlooker

            events = [*Onlooker(settings.configuration).told(events)]
            events += unheard(events) if simulation.facts.violation else ()
        tell = partial(told_before, events) if told else partial(tell_again, settings, number)
        yield Round.over_network(number, settings.configuration, wishes, simulation.facts, tell)


def told_before(events: Sequence[Event], wishes: Mapping[str, str]) -> Sequence[Event]:
    """The story of a round that was told while it was played."""
    return events


def tell_again(settings: Settings, number: int, wishes: Mapping[str, str]) -> Sequence[Event]:
    """The story of a round over the network: its chapter is played once more, with the same dice and new actors."""
    again = next(played(settings, number, partial(play_over_network, ActorRegistry(), True)))
    return again.events


def play_directly(settings: Settings, numbers: range, dice: Dice) -> Iterator[Round]:
    """Rounds of one proposer with one attempt and direct calls, told only on demand."""
    dice_of = dict.fromkeys(settings.configuration.acceptors, dice["failures",])
    tell = partial(tell_directly, settings)
    for number in numbers:
        wishes = new_wishes(settings, dice)
        acceptors = register_actors(registry, settings, wishes, dice_of)
        (name,) = wishes
        proposer: ProposingActor = registry[name]  # type: ignore[assignment]
        transcript = list(deliver(registry, proposer.prepare()))
        proposed = any(isinstance(message, Propose) for message in reversed(transcript))
        outcome = direct_outcome(proposer.learned is not None, proposed)
        failures = {acceptor.name: acceptor.failures for acceptor in acceptors}
        yield DirectRound(number, settings.configuration, wishes, outcome, len(transcript), tell, failures)


def tell_directly(settings: Settings, failures: Mapping[str, Sequence[bool]], wishes: Mapping[str, str]) -> list[Event]:
    """The story of direct calls in which these requests to each acceptor fail: played once more, by new actors."""
    if len(failures) != settings.num_acceptors:
        # A view learns from smaller rounds how deliveries are told: there, majorities will do.
        settings = replace(settings, num_acceptors=len(failures), quorums=None)
    actors = ActorRegistry()
    # A lot below 0 is a failure, and a lot of 1 is none, whatever the probability.
    lots = {name: iter([-1 if failed else 1 for failed in its]).__next__ for name, its in failures.items()}
    register_actors(actors, settings, wishes, lots)
    return list(watch(call(actors, wishes), settings.configuration))


def call(actors: ActorRegistry, wishes: Mapping[str, str]) -> Iterator[Event]:
    """Direct calls, told: the loop of :func:`toy_paxos.actor_registry.deliver`."""
    for name, value in wishes.items():
        proposer: ProposingActor = actors[name]  # type: ignore[assignment]
        pending = proposer.prepare()
        yield Wants(0, name, value, tuple(pending), learned_by(proposer))
        sent = [0] * len(pending)
        for time, message in enumerate(pending, start=1):
            recipient = message.recipient
            event = hand_over(actors[recipient], message, time, sent[time - 1], proposes=recipient in wishes)
            pending += event.answers
            sent += [time] * len(event.answers)
            yield event


def register_actors(
    actors: ActorRegistry, settings: Settings, wishes: Mapping[str, str], dice_of: Mapping[str, Callable[[], float]]
) -> list[FailingAcceptor]:
    """Fill a registry with new actors; return the acceptors."""
    actors.clear()
    failure_prob = settings.acceptor_failure_prob
    assert failure_prob is not None
    acceptors = [FailingAcceptor(settings.acceptor(name), failure_prob, die) for name, die in dice_of.items()]
    for acceptor in acceptors:
        actors.register(acceptor)
    keywords = settings.configuration.for_proposers
    for id, (name, value) in enumerate(wishes.items(), start=1):
        actors.register(settings.proposer(name, value, list(dice_of), id, len(wishes), **keywords))
    return acceptors


def new_wishes(settings: Settings, dice: Dice) -> dict[str, str]:
    """Who wants what in the next round."""
    values = different_values(settings.values, settings.num_proposers, dice["proposals",])
    return dict(zip(settings.configuration.proposers, values, strict=True))


def different_values(given: Sequence[str], number: int, draw: Callable[[], float]) -> list[str]:
    """That many values: the given ones in turn, then different emoji."""
    values = list(given)
    emoji = [symbol for symbol in EMOJI if symbol not in values] if values else EMOJI.copy()
    while len(values) < number:
        values.append(emoji.pop(int(draw() * len(emoji))))
    return values
