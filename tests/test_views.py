"""The way from words to what is written, and that what is remembered is what would have been told."""

from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toy_paxos.command.json_lines import JsonLines, encoded
from toy_paxos.command.process import wants_colour
from toy_paxos.command.views import InWords, Remembering, View, plain, shown
from toy_paxos.command.words import Words, line, printable
from toy_paxos.simulation import FEW, Network, Settings, play_rounds


def both(run: Settings) -> list[tuple[View, Remembering]]:
    """Views of a run, plain ones and those that remember."""
    words, lines = InWords(Words(run), plain), JsonLines(run)
    return [(words, Remembering(words, printable)), (lines, Remembering(lines, encoded))]


@settings(max_examples=30, deadline=None)
@given(st.text(st.characters(blacklist_categories=["Cs"]), min_size=1), st.integers(1, 7), st.integers(0, 1_000))
def test_what_is_remembered_of_a_round_is_what_would_be_told_of_it(wish: str, num_acceptors: int, seed: int) -> None:
    run = Settings(num_acceptors, 0.3, seed, values=(wish,))
    for view, remembering in both(run):
        assert (remembering.start(), remembering.round(next(play_rounds(run)))) == (
            view.start(),
            view.round(next(play_rounds(run))),
        )
        for finished in islice(play_rounds(run), 5, 40):
            assert remembering.round(finished) == view.round(finished)


def test_among_many_acceptors_nothing_is_remembered() -> None:
    run = Settings(FEW + 1, 0.3, seed=1)
    for view, remembering in both(run):
        for told in (True, False):
            finished = next(play_rounds(run, told=told))
            assert remembering.round(finished) == view.round(finished)
        assert not remembering.told


def test_rounds_over_the_network_are_each_told_anew() -> None:
    run = Settings(3, 0.3, seed=1, network=Network(2))
    for _, remembering in both(run):
        first, second = (remembering.round(finished) for finished in islice(play_rounds(run), 2))
        assert first != second
        assert not remembering.told


def test_plain_lines_have_no_colour_and_no_end_but_their_own() -> None:
    assert plain([line(("good", "a"), ("bad", "b")), line()]) == "ab\n\n"


def test_colour_is_for_terminals_and_on_demand(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    assert not wants_colour()
    assert shown([line(("good", "a"))]) == "a\n"
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert wants_colour()
    assert capsys.readouterr().out == ""
