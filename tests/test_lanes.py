"""A picture in characters: everything that happens is on it, each arrow between its own lanes, no line too wide."""

import re
from itertools import islice, pairwise
from pathlib import Path

import pytest
from conftest import OnTerminal, Run
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from toy_paxos.event import (
    AcceptorCrash,
    Adoption,
    Attempt,
    Chosen,
    Crash,
    Delivery,
    Event,
    Fate,
    Learned,
    Quorum,
    TimedOut,
    Violation,
    Wants,
)
from toy_paxos.message import Accept, Fail, Message, Prepare, Promise, Proposal, Propose, Restart, Timeout
from toy_paxos.round import Round
from toy_paxos.settings import Network, Settings
from toy_paxos.simulation import play_rounds
from toy_paxos.story import Configuration
from toy_paxos.view.lanes import ASCII, BOXES, CLOCK_WIDTH, COUNT_WIDTH, Diagram, Glyphs, Lanes, Picture
from toy_paxos.view.words import Line

CONFIGURATION = Configuration.of(2, 3)
NAMES = CONFIGURATION.names
PREPARE = Prepare("proposer-0", "acceptor-1", 3)


def picture(width: int | None = None, glyphs: Glyphs = BOXES) -> Picture:
    return Picture(Lanes(CONFIGURATION, width, 4), glyphs)


def drawn(*events: Event, width: int | None = None, glyphs: Glyphs = BOXES) -> list[str]:
    """The lines of a picture, without the time."""
    paper = picture(width, glyphs)
    return [line.text[4:] for event in events for line in paper.draw(event, "")]


# Arrows

ARROWS = [
    (Delivery(1, PREPARE, promised=3), "●───┼───┼──>│   │   PREPARE 3                 a1 = 3"),
    (Delivery(1, Promise("acceptor-1", "proposer-0", 3, None)), "│<──┼───┼───●   │   PROMISE 3"),
    (
        Delivery(1, Promise("acceptor-1", "proposer-0", 3, Proposal(2, "x"))),
        "│<──┼───┼───●   │   PROMISE 3 (2 x)",
    ),
    (
        Delivery(1, Propose("proposer-1", "acceptor-0", 3, "x"), promised=3, accepted=Proposal(3, "x")),
        "│   ●──>┃   │   │   PROPOSE 3 x               a0 = 3 3:x",
    ),
    (Delivery(1, PREPARE, Fate.LOST), "●───┼───┼──x│   │   lost: PREPARE 3"),
    (Delivery(1, PREPARE, Fate.DUPLICATE), "●═══┼═══┼══>│   │   duplicate: PREPARE 3"),
    (Delivery(1, Fail("acceptor-0", "proposer-1", 1), Fate.STALE), "│   │<┄┄●   │   │   stale: FAIL 1"),
    (Delivery(1, PREPARE, denial="failed", promised=0), "●───┼───┼──>✗   │   failed: PREPARE 3"),
    (Delivery(1, PREPARE, denial="refused", promised=4), "●───┼───┼──>⊘   │   refused, promised 4: PREPARE 3"),
    (Delivery(1, PREPARE, denial="unanswered", promised=4), "●───┼───┼──>◌   │   unanswered, promised 4: PREPARE 3"),
]


@pytest.mark.parametrize(("event", "line"), ARROWS)
def test_an_arrow_goes_from_lane_to_lane(event: Event, line: str) -> None:
    first, *_ = drawn(event)
    assert first.startswith(line)


def test_the_state_of_an_actor_is_beside_short_words_and_below_long_ones() -> None:
    def lines(value: str) -> list[str]:
        held = Proposal(3, value)
        return drawn(Delivery(1, Propose("proposer-1", "acceptor-0", *held), promised=3, accepted=held))

    fits, too_long = "x" * 15, "x" * 16
    assert lines(fits) == [f"│   ●──>┃   │   │   PROPOSE 3 {fits} a0 = 3 3:{fits}"]
    assert lines(too_long) == [
        f"│   ●──>┃   │   │   PROPOSE 3 {too_long}",
        f"│   │   ┃   │   │   a0 = 3 3:{too_long}",
    ]


def test_all_events_look_different_without_colour_and_in_ascii() -> None:
    events = [event for event, _ in ARROWS]
    for glyphs in (BOXES, ASCII):
        assert len({drawn(event, glyphs=glyphs)[0][: 4 * len(NAMES)] for event in events}) == len(events) - 1
    assert len(set(BOXES.values())) == len(BOXES)
    assert len({*ASCII.values()} - {"#"}) == len(ASCII) - 2, "heavy lanes and their crossings look alike"
    assert "".join(ASCII.values()).isascii()
    assert {cell_len(glyph) for glyph in BOXES.values()} == {1}


def test_a_message_that_was_overtaken_begins_with_another_mark() -> None:
    late = Delivery(9, Prepare("proposer-0", "acceptor-0", 1), sent=0)
    lines = drawn(Delivery(8, Prepare("proposer-0", "acceptor-1", 3), sent=5), late)
    assert (lines[0][0], lines[1][0]) == ("●", "○")


def test_an_actor_without_a_lane_is_named() -> None:
    ghost = Delivery(1, Promise("ghost-9", "proposer-0", 3, None))
    assert drawn(ghost) == ["│   │   │   │   │   ghost-9 -> proposer-0 PROMISE 3"]


# What befalls actors, and what follows

MARKS = [
    (
        Crash(1, "proposer-1", "PROPOSE", "acceptor-2"),
        "│   X   │   │   │   p1 crashes before it can send PROPOSE to a2",
    ),
    (Crash(1, "proposer-1", "", ""), "│   X   │   │   │   p1 crashes"),
    (AcceptorCrash(1, "acceptor-2"), "│   │   │   │   X   a2 crashes, and loses what is on its way to it"),
    (TimedOut(1, "proposer-1", 1, 2, last=False), "│   ?   │   │   │   p1 times out, no quorum for 2 in time"),
    (
        TimedOut(1, "proposer-1", 3, 2, last=True),
        "│   ?   │   │   │   p1 gives up after 3 attempts, no quorum for 2 in time",
    ),
    (Attempt(1, "proposer-1", 2, 4), "│   ↻   │   │   │   p1 tries again, attempt 2 under 4"),
    (Delivery(1, Restart("power", "acceptor-1", 1)), "│   │   │   ↺   │   a1 restarts"),
    (Quorum(1, "proposer-0", 3, ("acceptor-2", "acceptor-0")), "│   │   ✓   │   ✓   p0 has 2 of 3 promises for 3"),
    (Chosen(1, 3, "x", ("acceptor-0", "acceptor-1")), "│   │   ★   ★   │   CHOSEN 3, accepted by a0 a1: x"),
    (
        Adoption(1, "proposer-1", "acceptor-2", 3, "x"),
        "│   ≈   │   │   │   p1 adopts what a2 accepted under 3: x",
    ),
    (Learned(1, "proposer-0", "x"), "◆   │   │   │   │   p0 learns x"),
    (Violation(1, "property", "a second value"), "│   │   │   │   │   SAFETY VIOLATED, a second value"),
]


@pytest.mark.parametrize(("event", "line"), MARKS)
def test_an_event_of_one_actor_is_a_mark_in_its_lane(event: Event, line: str) -> None:
    assert drawn(event) == [line]


def test_wishes_and_timeouts_are_not_drawn() -> None:
    assert drawn(Wants(0, "proposer-0", "x"), Delivery(1, Timeout("clock", "proposer-0", 1))) == []


def test_the_lane_of_a_crashed_actor_ends() -> None:
    lines = drawn(Crash(1, "proposer-1", "PROPOSE", "acceptor-2"), Delivery(2, PREPARE))
    assert lines[1].startswith("●───────┼──>│   │")


def test_the_lane_of_an_acceptor_is_not_drawn_while_it_is_down() -> None:
    propose = Propose("proposer-0", "acceptor-0", 1, "x")
    held = Delivery(1, propose, promised=1, accepted=Proposal(1, "x"))
    back = Delivery(4, Restart("power", "acceptor-0", 1), promised=1, accepted=Proposal(1, "x"))
    lines = drawn(held, AcceptorCrash(2, "acceptor-0"), Delivery(3, PREPARE), back, Delivery(5, PREPARE))
    assert [line[:17] for line in lines[1:]] == [
        "│   │   X   │   │",
        "●───┼──────>│   │",
        "│   │   ↺   │   │",
        "●───┼───╂──>│   │",
    ]


def test_a_quorum_names_the_acceptors_that_it_shares_with_the_majority_that_accepted_before() -> None:
    chosen = Chosen(1, 1, "x", ("acceptor-0", "acceptor-1"))
    _, quorum, shared = drawn(chosen, Quorum(2, "proposer-1", 2, ("acceptor-1", "acceptor-2")))
    assert quorum.startswith("│   │   │   ✓   ✓")
    assert shared == "│   │   │   ∩   │   a1 is in both: a0 a1 accepted 1, a1 a2 promised 2"


def test_it_names_the_majority_of_the_proposal_that_is_adopted_though_another_was_chosen_before() -> None:
    accepts = [
        Delivery(2, Propose("proposer-1", name, 2, "x"), answers=[Accept(name, "proposer-1", 2, "x")])
        for name in ("acceptor-1", "acceptor-2")
    ]
    first = Chosen(1, 1, "x", ("acceptor-0", "acceptor-1"))
    *_, shared = drawn(first, *accepts, Quorum(3, "proposer-0", 3, ("acceptor-1", "acceptor-2")))
    assert shared == "│   │   │   ∩   ∩   a1 a2 are in both: a1 a2 accepted 2, a1 a2 promised 3"
    *_, shared = drawn(first, *accepts, Quorum(3, "proposer-0", 1, ("acceptor-1", "acceptor-2")))
    assert shared == "│   │   │   ∩   ┃   a1 is in both: a0 a1 accepted 1, a1 a2 promised 1"


def test_a_second_chosen_value_marks_both_majorities_and_the_acceptors_in_both() -> None:
    first = Chosen(1, 1, "x", ("acceptor-0", "acceptor-1"))
    both = "a second value is chosen: y", 2, "y"
    assert drawn(first, Violation(2, "property", *both, ("acceptor-1", "acceptor-2")))[1:] == [
        "│   │   │   ★   ★   SAFETY VIOLATED, a second value is chosen: y",
        "│   │   ★   ∩   │   a1 is in both: a0 a1 accepted 1, a1 a2 accepted 2",
    ]
    assert drawn(first, Violation(2, "property", *both, ("acceptor-2",)))[2:] == [
        "│   │   ★   ★   │   none is in both: a0 a1 accepted 1, a2 accepted 2",
    ]


def test_a_lane_turns_heavy_by_the_visible_state_or_else_by_an_accept() -> None:
    propose = Propose("proposer-0", "acceptor-0", 1, "x")
    accept: list[Message] = [Accept("acceptor-0", "proposer-0", 1, "x")]
    for event in (Delivery(1, propose, promised=1, accepted=Proposal(1, "x")), Delivery(1, propose, answers=accept)):
        assert drawn(event, Delivery(2, PREPARE))[1].startswith("●───┼───╂──>│")


def test_an_unchanged_state_is_not_shown_again() -> None:
    again = Delivery(2, PREPARE, Fate.DUPLICATE, denial="refused", promised=3)
    assert [("=" in line) for line in drawn(Delivery(1, PREPARE, promised=3), again)] == [True, False]


# Widths


@pytest.mark.parametrize(
    ("width", "pitch"),
    [
        *((None, 4), (80, 4), (66, 4), (65, 3), (61, 3), (60, 2), (56, 2)),
        *((55, 4), (42, 4), (41, 3), (37, 3), (36, 2), (32, 2), (31, 0)),
    ],
)
def test_lanes_are_as_far_apart_as_fits_with_the_state_or_else_without(width: int | None, pitch: int) -> None:
    lanes = Lanes(CONFIGURATION, width, 4)
    assert (lanes.pitch, lanes.least_width) == (pitch, 32)


def test_names_that_do_not_fit_between_lanes_are_written_downward() -> None:
    lanes = Lanes(Configuration(("proposer-0",), ("acceptor-0", "acceptor-12"), 2, 2), 4 + 6 + 18, 4)
    assert [line.text for line in lanes.heading()] == ["    p a a", "    0 0 1", "        2"]


def test_words_that_do_not_fit_beside_the_lanes_continue_below() -> None:
    lines = drawn(Chosen(1, 3, "wide 漢字 value", ("acceptor-0",)), width=40)
    assert [re.sub(r"^[│★] +", "", line).split("  ")[-1] for line in lines]
    assert " ".join(line[-18:].strip("│ ") for line in lines).endswith("value")


any_settings = st.builds(
    lambda proposers, acceptors, mode, loss, copies, crash, timeout, seed, values: Settings(
        acceptors,
        0.2,
        seed,
        tuple(values[:proposers]),
        Network(
            proposers,
            mode,
            loss,
            copies,
            crash,
            acceptor_crash_prob=crash,
            timeout=timeout,
            backoff=5.0,
            max_attempts=3,
        ),
    ),
    st.integers(1, 5),
    st.integers(1, 5),
    st.sampled_from(["reply", "silent"]),
    st.sampled_from([0.0, 0.2]),
    st.sampled_from([0.0, 0.3]),
    st.sampled_from([0.0, 0.05]),
    st.sampled_from([5.0, 30.0]),
    st.integers(0, 1_000),
    st.lists(st.sampled_from(["x", "漢字漢字漢字", "two words", "a\nb", "v" * 50, "😀"]), unique=True, max_size=3),
)


@settings(max_examples=80)
@given(any_settings, st.sampled_from([40, 80, 120, None]))
def test_every_event_of_any_round_is_on_the_picture(run: Settings, width: int | None) -> None:
    diagram = Diagram(run, width)
    finished = next(play_rounds(run))
    lines = diagram.story(finished)
    if not diagram.lanes.pitch:
        return
    assert all(width is None or cell_len(line.text) <= width for line in lines)
    check_rows(diagram.lanes, lines[len(diagram.lanes.heading()) :], finished)


def check_rows(lanes: Lanes, lines: list[Line], finished: Round) -> None:
    """Each event has a line with its time, which looks as that event should."""
    rows = [line.text for line in lines if line.text[:8].strip()]
    shown = [
        event
        for event in finished.events
        if not isinstance(event, Wants) and not (isinstance(event, Delivery) and isinstance(event.message, Timeout))
    ]
    assert len(rows) == len(shown)
    for row, event in zip(rows, shown, strict=True):
        assert row.startswith(f"{event.time:7.1f}")
        cells = row[lanes.time_width :][: lanes.pitch * len(lanes.names)]
        if isinstance(event, Delivery) and not isinstance(event.message, Restart):
            start, end = lanes.at[event.message.sender], lanes.at[event.message.recipient]
            assert cells[start] in "●○"
            assert cells[end + (1 if start > end else -1)] in ("x" if event.fate is Fate.LOST else "<>")
            assert all(cell in "│┃ " for at, cell in enumerate(cells) if not min(start, end) <= at <= max(start, end))
            assert event.message.type in row or lanes.room


@pytest.mark.parametrize(("width", "time_width"), [(80, CLOCK_WIDTH), (80 - len("- "), COUNT_WIDTH)])
def test_at_80_columns_the_state_of_three_proposers_and_five_acceptors_is_beside_the_words(
    width: int, time_width: int
) -> None:
    lanes = Lanes(Configuration.of(3, 5), width, time_width)
    assert (lanes.pitch, lanes.has_state) == (3, True)


def test_long_rounds_on_a_terminal_have_the_names_on_each_screenful(on_terminal: OnTerminal) -> None:
    args = ("--diagram", "--num-proposers", "3", "-n", "3", "--seed", "1", "-c", "1", "-i", "0")
    seen = re.sub(r"\x1b\[[\d;]*m", "", on_terminal(*args, columns=80)).splitlines()
    headings = [at for at, line in enumerate(seen) if line.split() == ["p0", "p1", "p2", "a0", "a1", "a2"]]
    assert len(headings) > 1
    assert {after - before for before, after in pairwise(headings)} == {23}


# Where it is used


def test_lanes_that_do_not_fit_become_lines_with_the_width_that_they_need() -> None:
    run = Settings(30, 0.1, 1, network=Network(2))
    diagram = Diagram(run, 80)
    assert diagram.start()[-1].text == (
        "The lanes of 32 actors need 91 columns; this terminal has 80, so here are lines instead."
    )
    assert any(" -> " in line.text for line in diagram.round(next(play_rounds(run))))
    assert Diagram(run, 91).lanes.pitch == 2


def test_79_proposers_have_lanes_too() -> None:
    run = Settings(5, 0.1, 1, network=Network(79, timeout=5, max_attempts=1))
    lines = Diagram(run, None).story(next(play_rounds(run)))
    assert "p78 a0  a1" in lines[0].text


def test_lanes_on_a_terminal_are_coloured_by_sender_and_accepted_value(on_terminal: OnTerminal) -> None:
    args = ("--diagram", "--num-proposers", "2", "-n", "3", "--seed", "1", "-c", "1", "-i", "0")
    seen = on_terminal(*args, columns=80)
    assert re.search(r"\x1b\[38;5;33m●", seen)
    assert re.search(r"\x1b\[38;5;\d+m┃", seen)
    plain = re.sub(r"\x1b\[[\d;]*m", "", seen)
    assert max(cell_len(line) for line in plain.splitlines() if "replay" not in line) <= 80
    assert "\x1b" not in on_terminal(*args, TERM="dumb")


def test_an_encoding_without_boxes_gets_ascii(run: Run) -> None:
    done = run("--diagram", "-n", "3", "--value", "x", "--seed", "1", "-c", "1", PYTHONIOENCODING="ascii")
    assert done.stdout.isascii()
    assert re.search(r"^  1  \*->", done.stdout, re.MULTILINE) or "*-->" in done.stdout


@pytest.mark.parametrize("seed", range(3))
def test_text_and_diagram_show_the_same_messages(seed: int) -> None:
    run = Settings(3, 0.2, seed, network=Network(2))
    for finished in islice(play_rounds(run), 5):
        story = "\n".join(line.text for line in Diagram(run, None).story(finished))
        for event in finished.events:
            if isinstance(event, Delivery) and not isinstance(event.message, Timeout):
                assert f"{event.message.type} {event.message.id}" in story


def test_the_reference_explains_every_character() -> None:
    page = (Path(__file__).parent.parent / "toy_paxos" / "command" / "README.md").read_text(encoding="utf-8")
    legend = re.findall(r"^\| (`.*`) \| (`.*`) \| .* \|$", page.partition("| on a lane |")[2], re.MULTILINE)
    for glyphs, cells in zip((BOXES, ASCII), zip(*legend, strict=True), strict=True):
        explained = "".join(cells)
        # How lanes are crossed explains itself.
        unexplained = set("".join(glyphs.values())) - {glyphs["crossing"], glyphs["heavy_crossing"]} - set(explained)
        assert not unexplained
