"""What is remembered of direct calls is what would have been told of them."""

import json
from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toy_paxos.settings import Network, Settings
from toy_paxos.simulation import play_rounds
from toy_paxos.view import direct
from toy_paxos.view.direct import FEW, Remembering
from toy_paxos.view.json_lines import JsonLines
from toy_paxos.view.output import plain
from toy_paxos.view.run_words import InWords, Words
from toy_paxos.view.words import printable


def in_json(value: str) -> str:
    """A value as it stands within quotes in JSON."""
    return json.dumps(value, ensure_ascii=False)[1:-1]


def both(run: Settings) -> list[tuple[InWords | JsonLines, Remembering]]:
    """Views of a run, plain ones and those that remember."""
    words, lines = InWords(Words(run), plain), JsonLines(run)
    return [
        (words, Remembering(words, printable)),
        (lines, Remembering(lines, in_json)),
    ]


@settings(max_examples=30)
@given(
    st.text(st.characters(blacklist_categories=["Cs"]), min_size=1),
    st.integers(1, FEW + 3),
    st.sampled_from([0, 0.1, 0.3, 0.5, 1]),
    st.integers(0, 1_000),
)
def test_the_cached_text_of_a_round_is_its_text_without_the_cache(
    wish: str, num_acceptors: int, failure_prob: float, seed: int
) -> None:
    run = Settings(num_acceptors, failure_prob, seed, values=(wish,))
    for view, remembering in both(run):
        assert (remembering.start(), remembering.round(next(play_rounds(run)))) == (
            view.start(),
            view.round(next(play_rounds(run))),
        )
        for finished in islice(play_rounds(run), 5, 40):
            assert remembering.round(finished) == view.round(finished)


def test_many_acceptors_are_cached_too() -> None:
    run = Settings(50, 0.3, seed=1)
    for view, remembering in both(run):
        for finished in islice(play_rounds(run), 30):
            assert remembering.round(finished) == view.round(finished)


def test_no_round_needs_its_events_one_by_one() -> None:
    run = Settings(20, 0.3, seed=1)
    for _, remembering in both(run):
        # But for the first, which may be the only one.
        for number, finished in enumerate(islice(play_rounds(run), 100)):
            remembering.round(finished)
            assert number == 0 or "events" not in vars(finished)


def test_the_cache_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(direct, "MANY_PIECES", 100)
    for num_acceptors in (FEW, 40):
        run = Settings(num_acceptors, 0.4, seed=1)
        for _, remembering in both(run):
            most = 0
            for finished in islice(play_rounds(run), 300):
                remembering.round(finished)
                most = max(most, len(remembering.others))
            assert 90 < most <= 100


def test_rounds_over_the_network_are_not_cached() -> None:
    run = Settings(3, 0.3, seed=1, network=Network(2))
    for _, remembering in both(run):
        first, second = (remembering.round(finished) for finished in islice(play_rounds(run), 2))
        assert first != second
        assert not remembering.deliveries
