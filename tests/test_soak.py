"""Many rounds under many settings: never a violation, always an end, and all that should be seen is seen.

`pytest tests/test_soak.py --soak 100000 -s` plays a hundred thousand rounds and prints what was seen.
"""

import random
from collections import Counter
from collections.abc import Iterator
from itertools import islice

import pytest

from toy_paxos.event import AcceptorCrash, Attempt, Delivery, Fate, Learned, TimedOut
from toy_paxos.round import Outcome, Round
from toy_paxos.settings import Network, Settings
from toy_paxos.simulation import play_rounds

ROUNDS_A_SETTING = 50

# So many rounds are enough to see all of it.
ENOUGH = 2_000

# What must happen sometimes, or the check of what must never happen would be empty.
SOMETIMES = {
    "a duel",
    "an adoption",
    "a value chosen but never learned",
    "no value chosen",
    "all proposers crashed",
    "a crashed proposer's value learned by another",
    "a third attempt of one proposer",
    "a proposer that gave up",
    "a lost message",
    "a duplicate message",
    "a stale message",
    "an acceptor that restarted",
}


def any_settings(die: random.Random) -> Settings:
    """Settings drawn from all that can go wrong."""
    network = Network(
        num_proposers=die.randint(1, 5),
        failure_mode=die.choice(["reply", "silent"]),
        message_loss_prob=die.choice([0, 0.05, 0.2, 0.5]),
        message_duplication_prob=die.choice([0, 0.1, 0.5]),
        proposer_failure_prob=die.choice([0, 0, 0.02, 0.1]),
        acceptor_crash_prob=die.choice([0, 0, 0.02, 0.1]),
        timeout=die.choice([2, 8, 15, 30, 60]),
        backoff=die.choice([0, 10, 30]),
        max_attempts=die.choice([1, 3, 5, 10]),
    )
    failure_prob = die.choice([0, 0.1, 0.3])
    return Settings(die.randint(1, 9), failure_prob, seed=die.getrandbits(32), network=network)


def what_is_seen(finished: Round) -> Iterator[str]:
    """Which of the things that must happen sometimes happened in a round."""
    learners = {event.proposer for event in finished.events if isinstance(event, Learned)}
    dead_winners = {name for name in finished.facts.crashed if finished.wishes[name] == finished.value}
    if finished.facts.is_duel:
        yield "a duel"
    if finished.facts.adoptions:
        yield "an adoption"
    if dead_winners and learners - dead_winners:
        yield "a crashed proposer's value learned by another"
    if any(isinstance(event, Attempt) and event.attempt == 3 for event in finished.events):
        yield "a third attempt of one proposer"
    if any(isinstance(event, TimedOut) and event.last for event in finished.events):
        yield "a proposer that gave up"
    outcomes = {
        Outcome.CHOSEN_NOT_LEARNED: "a value chosen but never learned",
        Outcome.NOT_CHOSEN: "no value chosen",
        Outcome.ALL_CRASHED: "all proposers crashed",
    }
    if finished.outcome in outcomes:
        yield outcomes[finished.outcome]
    if any(isinstance(event, AcceptorCrash) for event in finished.events):
        yield "an acceptor that restarted"
    for fate in (Fate.LOST, Fate.DUPLICATE, Fate.STALE):
        if any(isinstance(event, Delivery) and event.fate is fate for event in finished.events):
            yield f"a {fate} message"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Play as many rounds as the option says, in a time that grows with them."""
    num_rounds = metafunc.config.getoption("--soak")
    limit = float(metafunc.config.getini("timeout")) * max(1, num_rounds / ENOUGH)
    metafunc.parametrize("num_rounds", [pytest.param(num_rounds, marks=pytest.mark.timeout(limit))])


def test_never_a_violation_and_sometimes_everything_else(num_rounds: int) -> None:
    die = random.Random(1)
    seen: Counter[str] = Counter()
    for played in range(0, num_rounds, ROUNDS_A_SETTING):
        settings = any_settings(die)
        assert settings.network
        number = min(ROUNDS_A_SETTING, num_rounds - played)
        for finished in islice(play_rounds(settings), number):
            again = f"{settings.command} --round {finished.number}"
            assert not finished.facts.violation, again
            seen.update(what_is_seen(finished))
    print(f"\n{num_rounds:,} rounds without a violation, and among them those with")
    for what, number in seen.most_common():
        print(f"{number:8,}  {what}")
    assert set(seen) == SOMETIMES or num_rounds < ENOUGH
