"""Endless rounds: who takes part in each, and the dice that decide what goes wrong.

This is the one module that fills the global registry and makes dice.
"""

import random
from collections.abc import Callable, Iterator
from itertools import count
from typing import TypeVar

from toy_paxos.acceptor import FailingAcceptor
from toy_paxos.actor_registry import deliver, registry
from toy_paxos.network import SilentAcceptor, Simulation
from toy_paxos.network_result import NetworkRound
from toy_paxos.proposer import Proposer
from toy_paxos.result import Round
from toy_paxos.safety import watch
from toy_paxos.settings import Network, Settings

R = TypeVar("R")

EMOJI = [chr(code) for code in range(0x1F601, 0x1F64F + 1)]

# So many rounds share their dice. New dice for each chapter make any round reachable without playing all
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


def numbered(play: Callable[[int, Dice], R], seed: int, first: int) -> Iterator[R]:
    """Endless rounds from the one numbered ``first`` on; each depends on its number and the seed alone."""
    chapter_start = first - (first - 1) % CHAPTER
    for number in count(chapter_start):
        if (number - 1) % CHAPTER == 0:
            dice = Dice(seed, number)
        finished = play(number, dice)
        if number >= first:
            yield finished


def play_rounds(settings: Settings, first: int = 1) -> Iterator[Round]:
    """Endless rounds of one proposer with one attempt, and direct calls."""
    names = acceptor_names(settings)

    def play(number: int, dice: Dice) -> Round:
        (value,) = settings.values or (EMOJI[int(dice["proposals",]() * len(EMOJI))],)
        proposer = Proposer("proposer-0", value, names)
        registry.clear()
        registry.register(proposer)
        draw = dice["failures",]
        for name in names:
            registry.register(FailingAcceptor(name, settings.acceptor_failure_prob, draw))
        return Round(number, proposer, list(deliver(registry, proposer.prepare())))

    return numbered(play, settings.seed, first)


def play_network_rounds(settings: Settings, network: Network, first: int = 1) -> Iterator[NetworkRound]:
    """Endless rounds over the simulated network, with safety watched in each."""
    names = acceptor_names(settings)
    new_acceptor = SilentAcceptor if network.failure_mode == "silent" else FailingAcceptor

    def play(number: int, dice: Dice) -> NetworkRound:
        values = list(settings.values)
        emoji = EMOJI.copy()
        while len(values) < network.num_proposers:
            values.append(emoji.pop(int(dice["proposals",]() * len(emoji))))
        proposers = [
            Proposer(f"proposer-{at}", value, names, id=at + 1, id_step=len(values))
            for at, value in enumerate(values)
        ]
        registry.clear()
        for proposer in proposers:
            registry.register(proposer)
        for name in names:
            registry.register(new_acceptor(name, settings.acceptor_failure_prob, dice["failures", name]))
        events = Simulation(registry, proposers, network, dice).run()
        proposals = {proposer.name: proposer.value for proposer in proposers}
        return NetworkRound(number, proposals, list(watch(events, len(names), values)))

    return numbered(play, settings.seed, first)


def acceptor_names(settings: Settings) -> list[str]:
    """The addresses of the acceptors: 0 to N-1, as names."""
    return [f"acceptor-{number}" for number in range(settings.num_acceptors)]
