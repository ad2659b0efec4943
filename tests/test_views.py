"""The way from words to what is written."""

import pytest

from toy_paxos.view.output import plain, shown, wants_colour
from toy_paxos.view.words import line


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
