"""Endless rounds: the actors of each, and the dice that decide what goes wrong.

Only this module fills the global registry and makes dice.
"""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain, count, islice

from toy_paxos.acceptor import FailingAcceptor
from toy_paxos.actor import ProposingActor
from toy_paxos.actor_registry import ActorRegistry, deliver, registry
from toy_paxos.event import Event, begin, hand_over, unheard
from toy_paxos.message import Propose
from toy_paxos.round import DirectRound, Round, direct_outcome
from toy_paxos.safety import watch
from toy_paxos.settings import EMOJI, Settings
from toy_paxos.simulation.network import Simulation

# How many rounds share their dice. Each chapter has new dice, so a round can be played without those of earlier
# chapters. With shorter chapters, making dice would take noticeable time.
CHAPTER = 100


class Dice(dict[tuple[str, ...], Callable[[], float]]):
    """The dice of one chapter, by name, each with a stream of its own.

    Only ``random()`` is used: the one method of which Python promises the same numbers for a seed in every version.
    """

    def __init__(self, seed: int, chapter: int) -> None:
        super().__init__()
        self.seed = seed
        self.chapter = chapter

    def __missing__(self, name: tuple[str, ...]) -> Callable[[], float]:
        self[name] = die = random.Random(f"{self.seed} {' '.join(name)} {self.chapter}").random
        return die


def play_rounds(
    settings: Settings, first: int = 1, told: bool = True, actors: ActorRegistry = registry
) -> Iterator[Round]:
    """Return endless rounds from number ``first`` on; ``told`` says whether their stories are needed.

    Each round fills the registry anew, so two threads need a registry each.
    """
    if not settings.network:
        return played(settings, first, partial(play_directly, actors))
    # Other actors need not do the same when a round is played again, so its story is told while it is played.
    return played(settings, first, partial(play_over_network, actors, told or bool(settings.actors)))


def played(settings: Settings, first: int, play: Callable[[Settings, range, Dice], Iterator[Round]]) -> Iterator[Round]:
    """Return endless rounds from number ``first`` on, played chapter by chapter."""
    chapter = first - (first - 1) % CHAPTER
    seed = settings.seed
    assert seed is not None

    chapters = (play(settings, range(start, start + CHAPTER), Dice(seed, start)) for start in count(chapter, CHAPTER))
    return islice(chain.from_iterable(chapters), first - chapter, None)


def play_over_network(
    actors: ActorRegistry, told: bool, settings: Settings, numbers: range, dice: Dice
) -> Iterator[Round]:
    """Yield rounds over the simulated network, each until its end or until safety is lost."""
    assert settings.network
    dice_of = {name: dice["failures", name] for name in settings.configuration.acceptors}
    for number in numbers:
        wishes = new_wishes(settings, dice)
        register_actors(actors, settings, wishes, dice_of)
        simulation = Simulation(settings.configuration, actors, wishes, settings.network, dice, told)
        events = simulation.run()
        if settings.actors:
            # Imported here because the actors of Paxos keep the rules.
            from toy_paxos.rules import Onlooker

            events = [*Onlooker(settings.configuration).told(events)]
            events += unheard(events) if simulation.facts.violation else ()
        tell = partial(lambda before, _: before, events) if told else partial(tell_again, settings, number)
        yield Round.over_network(number, settings.configuration, wishes, simulation.facts, tell)


def tell_again(settings: Settings, number: int, wishes: Mapping[str, str]) -> Sequence[Event]:
    """Play a round over the network again, with new actors and the same dice of its chapter; return its events."""
    again = next(played(settings, number, partial(play_over_network, ActorRegistry(), True)))
    return again.events


def play_directly(actors: ActorRegistry, settings: Settings, numbers: range, dice: Dice) -> Iterator[Round]:
    """Yield rounds of one proposer with one attempt and direct calls, told only on demand."""
    dice_of = dict.fromkeys(settings.configuration.acceptors, dice["failures",])
    tell = partial(tell_directly, settings)
    for number in numbers:
        wishes = new_wishes(settings, dice)
        acceptors = register_actors(actors, settings, wishes, dice_of)
        (name,) = wishes
        proposer: ProposingActor = actors[name]  # type: ignore[assignment]
        transcript = list(deliver(actors, proposer.prepare()))
        proposed = any(isinstance(message, Propose) for message in reversed(transcript))
        outcome = direct_outcome(proposer.learned is not None, proposed)
        failures = {acceptor.name: acceptor.failures for acceptor in acceptors}
        yield DirectRound(number, settings.configuration, wishes, outcome, len(transcript), tell, failures)


def tell_directly(settings: Settings, failures: Mapping[str, Sequence[bool]], wishes: Mapping[str, str]) -> list[Event]:
    """Play direct calls again, with new actors, of which these requests to each acceptor fail; return the events."""
    if len(failures) != settings.num_acceptors:
        # A view plays smaller rounds to see how deliveries are told; quorums do not matter there.
        settings = replace(settings, num_acceptors=len(failures), quorums=None)
    actors = ActorRegistry()
    # A draw of -1 is a failure, and a draw of 1 is none, whatever the probability.
    draws = {name: iter([-1 if failed else 1 for failed in its]).__next__ for name, its in failures.items()}
    register_actors(actors, settings, wishes, draws)
    return list(watch(call(actors, wishes), settings.configuration))


def call(actors: ActorRegistry, wishes: Mapping[str, str]) -> Iterator[Event]:
    """Deliver messages as :func:`toy_paxos.actor_registry.deliver` does; yield the events."""
    for name, value in wishes.items():
        yield (wants := begin(actors[name], value))
        pending = [*wants.says]
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
    """Return what each proposer wants in the next round."""
    values = different_values(settings.values, settings.num_proposers, dice["proposals",])
    return dict(zip(settings.configuration.proposers, values, strict=True))


def different_values(given: Sequence[str], number: int, draw: Callable[[], float]) -> list[str]:
    """Return this number of values: the given ones in order, then emoji that differ from them and each other."""
    values = list(given)
    emoji = [symbol for symbol in EMOJI if symbol not in values] if values else EMOJI.copy()
    while len(values) < number:
        values.append(emoji.pop(int(draw() * len(emoji))))
    return values
