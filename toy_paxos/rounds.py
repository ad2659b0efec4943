"""Endless rounds: who takes part in each, and the dice that decide what goes wrong.

This is the one module that fills the global registry and makes dice.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from itertools import count, islice

from toy_paxos.acceptor import FailingAcceptor
from toy_paxos.actor_registry import deliver, registry
from toy_paxos.network import SilentAcceptor, Simulation
from toy_paxos.network_result import NetworkRound
from toy_paxos.proposer import Proposer
from toy_paxos.result import Round
from toy_paxos.safety import watch
from toy_paxos.settings import Network, Settings

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


def chapters(seed: int, first: int) -> Iterator[tuple[range, Dice]]:
    """Endless chapters from the one with round ``first`` on: the numbers of its rounds, and its dice."""
    for start in count(first - (first - 1) % CHAPTER, CHAPTER):
        yield range(start, start + CHAPTER), Dice(seed, start)


def play_rounds(settings: Settings, first: int = 1) -> Iterator[Round]:
    """Endless rounds of one proposer with one attempt and direct calls, from number ``first`` on."""

    def play() -> Iterator[Round]:
        names = acceptor_names(settings)
        for numbers, dice in chapters(settings.seed, first):
            draw_value, draw_failure = dice["proposals",], dice["failures",]
            for number in numbers:
                value = settings.values[0] if settings.values else EMOJI[int(draw_value() * len(EMOJI))]
                registry.clear()
                for name in names:
                    registry.register(FailingAcceptor(name, settings.acceptor_failure_prob, draw_failure))
                proposer = Proposer("proposer-0", value, names)
                registry.register(proposer)
                yield Round(number, proposer, list(deliver(registry, proposer.prepare())))

    return islice(play(), (first - 1) % CHAPTER, None)


def play_network_rounds(settings: Settings, network: Network, first: int = 1) -> Iterator[NetworkRound]:
    """Endless rounds over the simulated network, safety watched, from number ``first`` on."""
    names = acceptor_names(settings)
    new_acceptor = SilentAcceptor if network.failure_mode == "silent" else FailingAcceptor

    def play(number: int, dice: Dice) -> NetworkRound:
        registry.clear()
        for name in names:
            draw_failure = dice["failures", name]
            registry.register(new_acceptor(name, settings.acceptor_failure_prob, draw_failure))
        proposers = new_proposers(settings.values, network.num_proposers, names, dice)
        for proposer in proposers:
            registry.register(proposer)
        events = Simulation(registry, proposers, network, dice).run()
        proposals = {proposer.name: proposer.value for proposer in proposers}
        return NetworkRound(number, proposals, list(watch(events, len(names), proposals.values())))

    rounds = (play(number, dice) for numbers, dice in chapters(settings.seed, first) for number in numbers)
    return islice(rounds, (first - 1) % CHAPTER, None)


def new_proposers(values: Sequence[str], number: int, acceptors: Sequence[str], dice: Dice) -> list[Proposer]:
    """Proposers that want the given values, or different emoji, and never use the same number."""
    emoji = [symbol for symbol in EMOJI if symbol not in values]
    values = list(values)
    while len(values) < number:
        values.append(emoji.pop(int(dice["proposals",]() * len(emoji))))
    return [
        Proposer(f"proposer-{at}", value, acceptors, id=at + 1, id_step=number) for at, value in enumerate(values)
    ]


def acceptor_names(settings: Settings) -> list[str]:
    """The addresses of the acceptors: 0 to N-1, as names."""
    return [f"acceptor-{number}" for number in range(settings.num_acceptors)]
