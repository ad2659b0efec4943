"""A round in a line."""

import re
from itertools import islice

import pytest
from conftest import RunHere
from rich.cells import cell_len

from toy_paxos.round import Round
from toy_paxos.settings import Network, Settings
from toy_paxos.simulation import play_rounds
from toy_paxos.view.brief import Brief


def lines_of(settings: Settings, number: int) -> list[tuple[Round, str]]:
    view = Brief(settings)
    shown = []
    for finished in islice(play_rounds(settings), number):
        (line,) = view.round(finished)
        shown.append((finished, line.text))
    return shown


@pytest.mark.parametrize("num_acceptors", [1, 5, 20])
def test_acceptors_that_promised_or_accepted_have_a_tick(num_acceptors: int) -> None:
    for finished, line in lines_of(Settings(num_acceptors, 0.3, seed=1), 100):
        found = re.fullmatch(r"Round (\d+) +promised ([✓✗]+) (\d+) +accepted ([✓✗·]+) (\d+) +[\d.]+%  (.*)", line)
        assert found
        number, promised, promises, accepted, accepts, outcome = found.groups()
        assert (int(number), len(promised), len(accepted)) == (finished.number, num_acceptors, num_acceptors)
        assert promised.count("✓") == int(promises) == finished.facts.promises
        assert accepted.count("✓") == int(accepts) == finished.facts.accepts
        for before, after in zip(promised, accepted, strict=True):
            assert before == "✓" or after == "·"
        assert ("consensus on" in outcome) == (finished.value is not None)


def test_the_first_line_has_the_expected_rate_if_that_is_known() -> None:
    first, *_ = Brief(Settings(5, 0.1, seed=1)).start()
    assert first.text.endswith("seed 1, consensus expected in 94.95%")
    assert "expected" not in Brief(Settings(5, 0.1, seed=1, network=Network(2))).start()[0].text


def test_many_acceptors_are_only_counted() -> None:
    ((_, line),) = lines_of(Settings(21, 0, seed=1), 1)
    assert "promised 21  accepted 21  100.0%  consensus" in line


def test_the_rate_is_that_of_all_rounds_until_then() -> None:
    agreed = 0
    for at, (finished, line) in enumerate(lines_of(Settings(3, 0.3, seed=1), 50), start=1):
        agreed += finished.outcome == "consensus"
        assert f"{agreed / at:6.1%}  " in line


def test_over_the_network_attempts_and_times_are_shown() -> None:
    for finished, line in lines_of(Settings(3, 0.3, seed=1, network=Network(2, message_loss_prob=0.3)), 50):
        facts = finished.facts
        assert f"{facts.attempts} attempt" in line
        for what, event in (("chosen", facts.chosen), ("learned", facts.learned)):
            assert (f"{what} {event.time:6.1f}  " if event else f"{what}      -  ") in line.replace(" ms", " ")


@pytest.mark.parametrize("network", [None, Network(3)])
def test_a_line_of_five_acceptors_fits_on_eighty_columns(network: Network | None) -> None:
    for finished, line in lines_of(Settings(5, 0.0 if network else 0.2, seed=1, network=network), 100):
        assert cell_len(line) <= 80, finished.number


def test_a_screen_of_rounds_is_a_screen_of_lines(run_here: RunHere) -> None:
    done = run_here("--brief", "-c", "24", "--seed", "1")
    assert [line[:6] for line in done.stdout.splitlines()[1:25]] == ["Round "] * 24
