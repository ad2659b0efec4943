"""What a terminal shows: the words of a pipe, in colours that mean something, in lines that fit."""

import re
from functools import cache

import pytest
from conftest import OnTerminal, Run
from rich.cells import cell_len
from rich.color import Color
from stories import report_of

from toy_paxos.checking import CHANGED_RULES
from toy_paxos.event import Violation, Wants
from toy_paxos.round import Round, Statistics
from toy_paxos.settings import Network, Settings
from toy_paxos.simulation import play_rounds
from toy_paxos.story import Configuration, Story
from toy_paxos.view.run_words import Words
from toy_paxos.view.terminal import HUES, STYLES, VALUE_HUES, style_of, wrapped
from toy_paxos.view.verdict import report_lines, rules_lines, start_lines, told
from toy_paxos.view.words import Line, line, story_lines

ANSI = re.compile(r"\x1b\[[\d;]*m")
NETWORK = ("--num-proposers", "2", "--message-loss-prob", "0.1", "--proposer-failure-prob", "0.01")


@pytest.mark.parametrize(("columns", "network"), [(80, ()), (120, ()), (120, NETWORK)], ids=["80", "120", "network"])
def test_a_terminal_shows_the_same_words_as_a_pipe(
    columns: int, network: tuple[str, ...], on_terminal: OnTerminal, run: Run
) -> None:
    args = ("--seed", "3", "--rounds", "3", "-p", "0.4", "-i", "0", *network)
    seen = ANSI.sub("", on_terminal(*args, columns=columns))
    assert seen.split("---")[0] == run(*args).stdout.split("---")[0]


def test_a_narrow_terminal_breaks_lines_between_words_and_indents(on_terminal: OnTerminal) -> None:
    seen = ANSI.sub("", on_terminal("--seed", "3", "--rounds", "1", "-i", "0", "-p", "0", columns=40))
    assert "  acceptor-0 -> proposer-0 PROMISE 1,\n    nothing accepted\n" in seen
    assert "  proposer-0 -> acceptor-0 PROPOSE 1 " in seen
    assert max(len(line) for line in seen.splitlines() if "replay: " not in line) <= 40


def test_a_value_is_whole_however_often_its_line_is_broken(on_terminal: OnTerminal) -> None:
    value = "x" * 100 + " and " + "y" * 50
    seen = on_terminal("--value", value, "--seed", "3", "--rounds", "1", "-i", "0", "-p", "0", columns=40)
    (outcome,) = re.findall(r"^Round 1: consensus on\s+((?:.*\n    )*.*)\n", ANSI.sub("", seen), re.MULTILINE)
    assert re.sub(r"\s+", "", outcome) == value.replace(" ", "")


@cache
def every_kind_of_words() -> list[Line]:
    """What the program says, of each kind: rounds, summaries, verdicts, stories, lists."""
    settings = Settings(5, 0.4, seed=3, values=("two words", "漢字 and more"), network=Network(2, "silent", 0.2))
    words = Words(settings)
    finished = next(play_rounds(settings))
    statistics = Statistics(settings)
    statistics.add(finished)
    rule, report = CHANGED_RULES["ignores-accepted"].told, report_of("ignores-accepted")
    story = told(report.story, story_lines(report.story))
    return [
        *(words.start() + words.round(finished) + words.summary(statistics)),
        *start_lines(report.model.sizes, "Changed rule, ignores-accepted"),
        *report_lines(report.model.sizes | report.found, report.model.properties, rule, story),
        *rules_lines([rule]),
    ]


@pytest.mark.parametrize("width", range(20, 121))
def test_at_every_width_the_words_that_are_shown_are_those_that_were_said(width: int) -> None:
    for said in every_kind_of_words():
        parts = [part.plain for part in wrapped(said, width)]
        assert " ".join(parts).split() == said.text.split()
        is_command = any(style == "command" for style, _ in said.spans)
        for part in parts:
            # What is too long is a command to copy, or a word on its own.
            assert cell_len(part) <= width or is_command or len(part.split()) == 1


def test_a_line_keeps_its_styles_when_it_is_broken() -> None:
    first, second = wrapped(line(("good", "some good words "), ("bad", "and bad ones")), 20)
    assert (first.plain, second.plain) == ("some good words and", "    bad ones")
    assert [str(span.style) for span in first.spans] == ["green", "red"]
    assert [str(span.style) for span in second.spans] == ["red"]


def test_with_50_acceptors_a_value_still_fits_into_40_columns(on_terminal: OnTerminal) -> None:
    seen = ANSI.sub("", on_terminal("--seed", "3", "--rounds", "1", "-i", "0", "-p", "0", "-n", "50", columns=40))
    assert re.search(r"^  acceptor-49 -> proposer-0 ACCEPT  1 \S$", seen, re.MULTILINE)


def test_the_replay_command_can_be_copied_from_a_narrow_terminal(on_terminal: OnTerminal) -> None:
    seen = on_terminal("--seed", "3", "--rounds", "1", "-i", "0", columns=40)
    assert seen.endswith("--num-acceptors 5 --acceptor-failure-prob 0.1 --seed 3 --rounds 1\n")


def test_a_terminal_that_claims_no_columns_shows_everything(on_terminal: OnTerminal) -> None:
    args = ("--seed", "3", "--rounds", "1", "-i", "0")
    seen = ANSI.sub("", on_terminal(*args, COLUMNS="0"))
    assert "PROMISE 1, nothing accepted" in seen
    assert "consensus (expected in 94.95% of rounds)" in seen


def test_colour_on_a_terminal_unless_it_is_not_wanted(on_terminal: OnTerminal) -> None:
    args = ("--seed", "3", "--rounds", "3", "-p", "0.4", "-i", "0")
    assert "\x1b[31mFAIL    1\x1b[0m" in on_terminal(*args)
    assert not re.search(r"\x1b\[\d*;?3\dm", on_terminal(*args, NO_COLOR="1"))
    assert "\x1b" not in on_terminal(*args, TERM="dumb")


def test_a_pipe_is_plain_unless_colour_is_forced(run: Run) -> None:
    args = ("--seed", "3", "--rounds", "3", "-p", "0.4")
    assert "\x1b" not in run(*args).stdout
    forced = run(*args, FORCE_COLOR="1", COLUMNS="20").stdout
    assert "\x1b[31m" in forced
    assert ANSI.sub("", forced).split("---")[0] == run(*args).stdout.split("---")[0]


def test_words_say_what_colours_show(on_terminal: OnTerminal) -> None:
    seen = on_terminal("--seed", "3", "--rounds", "20", "-p", "0.4", "-i", "0")
    for coloured in re.findall(r"\x1b\[(?:1;)?31m(.*?)\x1b", seen):
        assert re.match(r"FAIL|no quorum|Round \d+: no consensus", coloured)


def test_over_the_network_important_events_stand_out(on_terminal: OnTerminal) -> None:
    seen = on_terminal("--seed", "3", "--rounds", "5", "-i", "0", *NETWORK)
    for words, code in (
        ("CHOSEN, ", "1;32"),
        (" learns ", "1;32"),
        (" times out", "31"),
        (" tries again", "38;5;100"),
        (" has a quorum", "38;5;100"),
        (" adopts ", "38;5;100"),
        ("lost", "35"),
    ):
        assert re.search(rf"\x1b\[{code}m{words}", seen), words


def test_each_proposer_has_a_hue_of_its_own(on_terminal: OnTerminal) -> None:
    seen = on_terminal("--seed", "3", "--rounds", "5", "-i", "0", *NETWORK)
    hues = {name: set(re.findall(rf"\x1b\[(38;5;\d+)m{name}", seen)) for name in ("proposer-0", "proposer-1")}
    assert [len(found) for found in hues.values()] == [1, 1]
    assert hues["proposer-0"] != hues["proposer-1"]
    # The acceptors, and the arrow between, are as they are.
    assert "\x1b[0m -> acceptor-0" in seen


def test_every_hue_can_be_read_on_black_and_on_white() -> None:
    named = [style for style in STYLES.values() if style.startswith("color(")]
    for hue in {*HUES, *VALUE_HUES, *named}:
        red, green, blue = (
            part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4
            for part in (part / 255 for part in Color.parse(hue).get_truecolor())
        )
        luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue
        assert min((luminance + 0.05) / 0.05, 1.05 / (luminance + 0.05)) >= 3.5, hue
    assert not {*HUES} & {*VALUE_HUES}


def test_a_violation_of_safety_is_red_everywhere() -> None:
    settings = Settings(3, 0, 1, network=Network(2))
    violated = Round.told(
        7, Story(Configuration.of(2, 3), [Wants(0, "proposer-0", "x"), Violation(1, "property", "why")])
    )
    for said in Words(settings).round(violated):
        if "violated" in said.text.lower():
            assert any(style_of(style).color == Color.parse("red") for style, _ in said.spans)
