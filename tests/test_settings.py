"""The law of the success rate, and the command that repeats a run."""

import shlex
import subprocess
from fractions import Fraction
from itertools import product
from math import comb

import pytest

from toy_paxos.settings import Network, Settings, quoted


def exact_rate(num_acceptors: int, failure_prob: Fraction, quorums: tuple[int, int] | None = None) -> Fraction:
    """The law with fractions, which are exact and slow: how many promise, and how many of those accept."""
    promises, accepts = quorums or (num_acceptors // 2 + 1,) * 2

    def at_least(least: int, n: int) -> Fraction:
        return sum((exactly(k, n) for k in range(least, n + 1)), Fraction(0))

    def exactly(k: int, n: int) -> Fraction:
        return comb(n, k) * (1 - failure_prob) ** k * failure_prob ** (n - k)

    enough = range(promises, num_acceptors + 1)
    return sum((exactly(k, num_acceptors) * at_least(accepts, k) for k in enough), Fraction(0))


def test_the_known_value_of_the_law() -> None:
    assert Settings(5, 0.2, seed=1).expected_consensus_rate == pytest.approx(0.74910, abs=5e-6)


@pytest.mark.parametrize("num_acceptors", [1, 2, 3, 4, 5, 50, 101])
@pytest.mark.parametrize("failure_prob", [0.0, 0.001, 0.2, 0.5, 0.999, 1.0])
def test_the_law_agrees_with_exact_fractions(num_acceptors: int, failure_prob: float) -> None:
    exact = float(exact_rate(num_acceptors, Fraction(failure_prob)))
    settings = Settings(num_acceptors, failure_prob, seed=1)
    assert settings.expected_consensus_rate == pytest.approx(exact, rel=1e-9, abs=1e-300)


@pytest.mark.parametrize("failure_prob", [0.0, 0.001, 0.2, 0.5, 0.999, 1.0])
@pytest.mark.parametrize("num_acceptors", [1, 2, 5, 6, 40])
def test_the_law_is_exact_for_quorums_of_any_sizes(num_acceptors: int, failure_prob: float) -> None:
    sizes = sorted({1, 2, num_acceptors // 2, num_acceptors - 1, num_acceptors} & {*range(1, num_acceptors + 1)})
    for quorums in product(sizes, sizes):
        exact = float(exact_rate(num_acceptors, Fraction(failure_prob), quorums))
        settings = Settings(num_acceptors, failure_prob, seed=1, quorums=quorums)
        assert settings.expected_consensus_rate == pytest.approx(exact, rel=1e-9, abs=1e-300)


@pytest.mark.parametrize("num_acceptors", [1, 2, 10, 500, 10_000])
def test_a_rate_is_a_probability(num_acceptors: int) -> None:
    rates = [Settings(num_acceptors, p / 64, 1).expected_consensus_rate for p in range(65)]
    assert rates == sorted(rates, reverse=True)
    assert (rates[0], rates[-1]) == (1, 0)


def test_the_law_does_not_overflow_for_the_largest_cluster() -> None:
    rates = [Settings(10_000, p, seed=1).expected_consensus_rate for p in (0.25, 0.2929, 0.35)]
    assert rates[0] == pytest.approx(1)
    assert 0.4 < rates[1] < 0.6
    assert rates[2] == pytest.approx(0, abs=1e-9)


def test_the_command_has_everything_that_determines_the_rounds() -> None:
    assert Settings(5, 0.2, seed=7).command == ("toy-paxos --num-acceptors 5 --acceptor-failure-prob 0.2 --seed 7")


def test_the_command_has_only_unusual_options_of_the_network() -> None:
    settings = Settings(3, 0.1, 7, ("a b", "c"), Network(2, "silent", message_loss_prob=0.25))
    assert settings.command == (
        "toy-paxos --num-acceptors 3 --acceptor-failure-prob 0.1 --value 'a b' --value c"
        " --num-proposers 2 --failure-mode silent --message-loss-prob 0.25 --seed 7"
    )


def test_the_command_simulates_a_network_even_if_nothing_is_unusual() -> None:
    assert "--num-proposers 1" in Settings(3, 0.1, 7, network=Network()).command


@pytest.mark.parametrize("value", ["plain", "two words", "it's", "😀", "a\nb\x1b[31m", "\u202e'\\", "$HOME", "\udcff"])
def test_a_quoted_value_is_printable_and_survives_the_shell(value: str) -> None:
    assert quoted(value).isprintable()
    printed = subprocess.run(["bash", "-c", f"printf %s {quoted(value)}"], capture_output=True, check=True).stdout
    assert printed.decode(errors="surrogateescape") == value


def test_printable_values_are_quoted_for_a_plain_shell() -> None:
    assert shlex.split(quoted('it\'s "here"')) == ['it\'s "here"']
