"""A story as a drawing: what is drawn, that it is where it belongs, and that nothing lies over words."""

import re
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from conftest import RunHere
from hypothesis import given, settings
from rich.cells import cell_len
from stories import broken_story, first_round, runs, told

from toy_paxos.event import AcceptorCrash, Chosen, Delivery, Event, Fate, Wants
from toy_paxos.message import Prepare, Promise, Proposal, Propose, Restart, Timeout
from toy_paxos.settings import Network, Settings
from toy_paxos.view.svg import LETTER, STYLE, svg
from toy_paxos.view.words import printable

SVG = "{http://www.w3.org/2000/svg}"
NETWORK = Settings(5, 0.1, 3, network=Network(3, message_loss_prob=0.1, message_duplication_prob=0.1))


def drawn(run: Settings) -> tuple[ElementTree.Element, list[Event]]:
    """The first round of a run, as a tree, and as events."""
    events = list(first_round(run).events)
    return ElementTree.fromstring(svg(told(events, "a round", run.num_acceptors))), events


def lanes(tree: ElementTree.Element) -> dict[str, float]:
    """Where the lane of each actor is."""
    return {str(text.text): float(text.attrib["x"]) for text in tree.iter(f"{SVG}text") if text.get("class") == "name"}


def groups(tree: ElementTree.Element, layer: str) -> list[ElementTree.Element]:
    """A layer of a drawing, an event each: its arrows, or its words and marks."""
    return [group for group in tree.findall(f"{SVG}g") if group.attrib["class"].split()[0] == layer]


def ends(arrow: ElementTree.Element) -> list[float]:
    """Where a message begins and where it ends: x, y, x, y."""
    line = arrow.find(f"{SVG}line")
    assert line is not None
    return [float(line.attrib[name]) for name in ("x1", "y1", "x2", "y2")]


def extent(text: ElementTree.Element) -> tuple[float, float]:
    """Where words begin and end, from left to right."""
    x, width = float(text.attrib["x"]), cell_len(str(text.text)) * LETTER
    start = x - width * {"name": 0.5, "time": 1}.get(text.attrib["class"], 0)
    return start, start + width


def messages(events: list[Event]) -> list[Delivery]:
    """What goes from lane to lane."""
    return [event for event in events if isinstance(event, Delivery) and not isinstance(event.message, Timeout)]


@settings(max_examples=60)
@given(runs)
def test_every_event_is_drawn_once_in_its_own_row_below_those_before(run: Settings) -> None:
    tree, events = drawn(run)
    shown = [event for event in events if not (isinstance(event, Delivery) and isinstance(event.message, Timeout))]
    for group, event in zip(groups(tree, "words"), shown, strict=True):
        kind = f"{event.message.type} {event.fate}" if isinstance(event, Delivery) else event.event
        assert group.get("class") == f"words {kind}"
        words = "".join(group.itertext())
        assert not isinstance(event, Delivery) or f"{event.message.type} {event.message.id}" in words
    for group, event in zip(groups(tree, "arrow"), messages(events), strict=True):
        assert group.attrib["class"].startswith(f"arrow {event.message.type} {event.fate} ")
    arrivals = [ends(arrow)[3] for arrow in groups(tree, "arrow")]
    assert arrivals == sorted(set(arrivals))


@settings(max_examples=60)
@given(runs)
def test_an_arrow_leads_from_lane_to_lane_and_never_up(run: Settings) -> None:
    tree, events = drawn(run)
    x = lanes(tree)
    for arrow, event in zip(groups(tree, "arrow"), messages(events), strict=True):
        x1, y1, x2, y2 = ends(arrow)
        assert (x1, x2) == (x[event.message.sender], x[event.message.recipient])
        assert y1 < y2


@settings(max_examples=60)
@given(runs)
def test_words_lie_on_nothing_and_nothing_is_cut_off(run: Settings) -> None:
    tree, _ = drawn(run)
    assert_words_lie_on_nothing(tree)


@pytest.mark.parametrize("rule", ["forgets-promise", "forgets-all", "counts-twice", "skips-phase-1"])
def test_words_of_a_check_lie_on_nothing_either(rule: str) -> None:
    events, num_acceptors = broken_story(rule)
    assert_words_lie_on_nothing(ElementTree.fromstring(svg(told(events, rule, num_acceptors))))


def assert_words_lie_on_nothing(tree: ElementTree.Element) -> None:
    """All that is drawn is left of all words, but for the time; and words are apart from one another, and inside."""
    left, top, width, height = map(float, tree.attrib["viewBox"].split())
    rows: dict[float, list[tuple[float, float]]] = {}
    for text in tree.iter(f"{SVG}text"):
        start, end = extent(text)
        assert left <= start <= end <= left + width
        assert top < float(text.attrib["y"]) - 12 < float(text.attrib["y"]) + 4 < top + height
        rows.setdefault(float(text.attrib["y"]), []).append((start, end))
        if text.attrib["class"] == "time":
            assert end < min(lanes(tree).values()) - 8
        elif text.attrib["class"] != "name":
            assert start > max(lanes(tree).values()) + 8
    for row in map(sorted, rows.values()):
        assert all(before[1] <= after[0] for before, after in pairwise(row))
    assert all(one + 20 <= other for one, other in pairwise(sorted(rows)))
    for line in tree.iter(f"{SVG}line"):
        bad = line.get("class") == "bad"
        assert bad or {float(line.attrib["x1"]), float(line.attrib["x2"])} <= set(lanes(tree).values())
        assert top < float(line.attrib["y2"]) <= top + height


def test_a_message_is_sent_where_its_cause_arrived_so_late_ones_slant_and_overtaken_ones_cross() -> None:
    tree, events = drawn(NETWORK)
    arrived = {
        (event.message.recipient, event.time): ends(arrow)[3]
        for arrow, event in zip(groups(tree, "arrow"), messages(events), strict=True)
    }
    for arrow, event in zip(groups(tree, "arrow"), messages(events), strict=True):
        if (provoked := arrived.get((event.message.sender, event.sent))) and event.sent:
            assert ends(arrow)[1] == provoked
    crossing = [
        one
        for one in map(ends, groups(tree, "arrow"))
        for other in map(ends, groups(tree, "arrow"))
        if (one[0], one[2]) == (other[0], other[2]) and one[1] < other[1] and one[3] > other[3]
    ]
    assert crossing


def test_messages_sent_together_are_drawn_from_one_place() -> None:
    tree, events = drawn(NETWORK)
    starts: dict[tuple[str, float], set[float]] = {}
    for arrow, event in zip(groups(tree, "arrow"), messages(events), strict=True):
        starts.setdefault((event.message.sender, event.sent), set()).add(ends(arrow)[1])
    assert ("proposer-0", 0) in starts
    assert all(len(heights) == 1 for heights in starts.values())


def test_the_first_words_of_a_proposer_are_drawn_just_before_they_first_arrive() -> None:
    events, num_acceptors = broken_story("adopts-lowest")
    tree = ElementTree.fromstring(svg(told(events, "a story", num_acceptors)))
    first = lanes(tree)["proposer-2"]
    _, start, _, end = next(its for its in map(ends, groups(tree, "arrow")) if its[0] == first)
    assert 0 < end - start < 24


@settings(max_examples=30)
@given(runs)
def test_the_description_for_screen_readers_has_the_same_events(run: Settings) -> None:
    tree, events = drawn(run)
    title, desc = tree.find(f"{SVG}title"), tree.find(f"{SVG}desc")
    assert tree.get("role") == "img"
    assert title is not None
    assert title.text == "a round"
    assert desc is not None
    assert desc.text
    assert tree.get("aria-labelledby") == f"{title.get('id')} {desc.get('id')}"
    for event in events:
        if isinstance(event, (Wants, Chosen)):
            assert printable(event.value) in desc.text


def test_all_events_look_different_even_without_colour() -> None:
    text = svg(told(list(first_round(NETWORK).events), "a round", 5))
    dashes = re.findall(r"\.toy-paxos \.(duplicate|stale|lost) line \{ stroke-dasharray: ([\d ]+) }", text)
    assert len(dict(dashes)) == len({dash for _, dash in dashes}) == 3
    for mark in ("quorum", "chosen", "learned", "failed", "refused"):
        assert f'<g class="{mark} ' in text
    silent = Delivery(1, Prepare("proposer-0", "acceptor-0", 1), denial="unanswered")
    assert '<g class="unanswered ' in svg(told([Wants(0, "proposer-0", "x"), silent], "a request without an answer", 1))


def test_a_drawing_touches_nothing_else_in_its_document() -> None:
    texts = [svg(told(list(first_round(NETWORK).events), title, 5)) for title in ("a round", "another")]
    trees = [ElementTree.fromstring(text) for text in texts]
    style = trees[0].findtext(f"{SVG}style") or ""
    rules = re.findall(r"([^{}]+)\{", re.sub(r"@media [^{]*\{", "", style))
    selectors = [selector.strip() for rule in rules for selector in rule.split(",")]
    assert len(selectors) > 30
    assert {selector.split()[0] for selector in selectors} == {f".{trees[0].get('class')}"}
    ids = [[part.get("id") for part in tree.iter() if part.get("id")] for tree in trees]
    assert set(ids[0]).isdisjoint(ids[1])


def contrast(one: str, other: str) -> float:
    """How well two colours can be told apart, by the measure of WCAG: from 1 to 21."""

    def luminance(colour: str) -> float:
        digits = colour if len(colour) == 6 else "".join(digit * 2 for digit in colour)
        parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
        red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    dark, light = sorted(map(luminance, (one, other)))
    return (light + 0.05) / (dark + 0.05)


def faded(colour: str, paper: str, opacity: float) -> str:
    """A colour that lets the paper shine through."""
    pairs = zip(*(re.findall("..", digits) for digits in (colour, paper)), strict=True)
    return "".join(f"{round(int(one, 16) * opacity + int(two, 16) * (1 - opacity)):02x}" for one, two in pairs)


def test_all_colours_are_legible_on_light_and_dark_pages() -> None:
    light, _, dark = STYLE.partition("@media")
    (opacity,) = re.findall(r"\.held \{[^}]*opacity: ([.\d]+)", light)
    for style, paper in ((light, "ffffff"), (dark, "16181c")):
        assert re.search(rf"\.paper.*fill: #{paper[:3] if paper == 'ffffff' else paper} ", style)
        colours = re.findall(r" color: #([0-9a-f]+)", style)
        assert len(colours) >= 11
        assert all(contrast(colour, paper) >= 4.5 for colour in colours)
        for number in range(6):
            (hue,) = re.findall(rf"\.value-{number}, [^}}]*color: #([0-9a-f]+)", style)
            assert contrast(faded(hue, paper, float(opacity)), paper) >= 3
    (lane,) = re.findall(r"\.lane \{ stroke: #([0-9a-f]+)", light)
    assert min(contrast(lane, "ffffff"), contrast(lane, "16181c")) >= 3


def test_prepares_and_promises_have_the_hue_of_the_proposer_with_that_number() -> None:
    tree, events = drawn(NETWORK)
    for arrow, event in zip(groups(tree, "arrow"), messages(events), strict=True):
        message = event.message
        if isinstance(message, (Prepare, Promise)) and not getattr(message, "accepted", None):
            whose = message.sender if isinstance(message, Prepare) else message.recipient
            assert arrow.attrib["class"].endswith(f" {whose}")


def test_another_attempt_has_its_time() -> None:
    text = svg(told(list(first_round(Settings(3, 0.1, 1, network=Network(2, message_loss_prob=0.3))).events), "", 3))
    attempts = re.findall(r'<g data-step="\d+" class="words attempt">\n<text class="time"[^>]*>([\d.]+)<', text)
    assert attempts
    assert len(attempts) == text.count('class="words attempt"')


def test_many_lanes_have_short_names_so_that_they_are_near_one_another() -> None:
    tree = ElementTree.fromstring(svg(told(list(first_round(Settings(9, 0.1, 1)).events), "a round", 9)))
    assert [*lanes(tree)] == ["p0", *(f"a{number}" for number in range(9))]
    assert {after - before for before, after in pairwise(lanes(tree).values())} == {40}


def test_a_counterexample_marks_the_shared_acceptor_the_adoption_and_the_violation() -> None:
    events, num_acceptors = broken_story("adopts-lowest")
    text = svg(told(events, "a story", num_acceptors))
    for part in (
        '<g class="shared ',
        '<g class="adoption ',
        'class="words violation"',
        "SAFETY VIOLATED",
        "a2 is in both: a1 a2 accepted 2, a0 a2 promised 3",
    ):
        assert part in text


def test_a_restart_a_crash_and_a_timeout_have_marks_and_a_lane_ends_where_its_proposer_crashes() -> None:
    events, num_acceptors = broken_story("forgets-promise")
    assert '<g class="restart ' in svg(told(events, "a story", num_acceptors))
    network = Network(2, message_loss_prob=0.3, proposer_failure_prob=0.08, max_attempts=2)
    tree, _ = drawn(Settings(3, 0.1, 1, network=network))
    text = ElementTree.tostring(tree, encoding="unicode").replace("ns0:", "")
    for mark in ("crash", "timeout", "attempt"):
        assert f'<g class="{mark} ' in text
    assert len({line.get("y2") for line in tree.iter(f"{SVG}line") if line.get("class") == "lane"}) > 1


def test_the_lane_of_an_acceptor_and_its_value_are_interrupted_while_it_is_down() -> None:
    held = Proposal(1, "x")
    propose = Delivery(1, Propose("proposer-0", "acceptor-0", 1, "x"), promised=1, accepted=held)
    back = Delivery(3, Restart("power", "acceptor-0", 1), promised=1, accepted=held)
    lost = Delivery(2, Prepare("proposer-0", "acceptor-0", 1), Fate.LOST)
    events: list[Event] = [Wants(0, "proposer-0", "x"), propose, AcceptorCrash(2, "acceptor-0"), lost, back]
    lines = [*ElementTree.fromstring(svg(told(events, "a story", 1))).iter(f"{SVG}line")]
    ends = {
        kind: [(int(its.get("y1", "")), int(its.get("y2", ""))) for its in lines if kind in its.get("class", "")]
        for kind in ("lane", "held")
    }
    # It goes down, comes back, and stays; the proposer stays all the time.
    down, back_again, *_ = sorted({end for lane in ends["lane"] for end in lane} - {9, max(ends["lane"])[1]})
    assert sorted(ends["lane"]) == [(9, down), (9, max(ends["lane"])[1]), (back_again, max(ends["lane"])[1])]
    assert [(end == down, begin == back_again) for begin, end in ends["held"]] == [(True, False), (False, True)]


def test_the_lane_of_an_acceptor_has_the_hue_of_the_value_that_it_has_accepted() -> None:
    events, num_acceptors = broken_story("adopts-lowest")
    tree = ElementTree.fromstring(svg(told(events, "a story", num_acceptors)))
    held = [line for line in tree.iter(f"{SVG}line") if str(line.get("class")).startswith("held")]
    assert [(line.get("class"), line.get("data-step")) for line in held] == [
        ("held value-1", "11"),
        ("held value-0", "9"),
        ("held value-1", "10"),
        ("held value-0", "17"),
    ]


def test_an_acceptor_without_visible_state_still_has_a_lane_that_turns_heavy() -> None:
    events, num_acceptors = broken_story("adopts-lowest")
    for event in events:
        if isinstance(event, Delivery):
            event.promised = event.accepted = None
    tree = ElementTree.fromstring(svg(told(events, "a story", num_acceptors)))
    assert not [text for text in tree.iter(f"{SVG}text") if text.get("class") == "state"]
    held = [line.get("class") for line in tree.iter(f"{SVG}line") if "held" in str(line.get("class"))]
    assert sorted(map(str, held)) == ["held value-0", "held value-0", "held value-1", "held value-1"]


def test_it_loads_nothing_and_is_the_same_every_time(run_here: RunHere) -> None:
    args = ("--num-proposers", "3", "--seed", "3", "--round", "2", "-o", "-.svg")
    first, second = run_here(*args), run_here(*args)
    assert first == second
    assert (first.returncode, first.stderr) == (0, "")
    assert re.findall(r"https?://[^\"]*|href|url\(|@import", first.stdout) == ["http://www.w3.org/2000/svg"]


@pytest.mark.parametrize("ending", [".svg", ".mmd", ".html"])
def test_a_picture_too_large_to_read_is_refused_in_one_line(ending: str, run_here: RunHere) -> None:
    duel = ["--num-proposers", "60", "--timeout", "1", "--backoff", "0", "--max-attempts", "50"]
    for args, what in ((["-n", "100"], "101 actors"), (duel, " events")):
        refused = run_here(*args, "--seed", "1", "--round", "1", "-o", f"-{ending}")
        assert (refused.returncode, refused.stdout, refused.stderr.count("\n")) == (2, "", 1)
        assert what in refused.stderr
        assert "choose fewer acceptors or proposers" in refused.stderr


def test_the_title_says_which_rule_is_changed(run_here: RunHere) -> None:
    ended = run_here("--break", "skips-phase-1", "--num-proposers", "2", "--seed", "1", "--round", "1", "-o", "-.svg")
    assert ended.returncode == 3
    assert re.findall("<title.*>(.*)</title>", ended.stdout) == [
        "Round 1, seed 1, --break skips-phase-1: safety is violated"
    ]


@pytest.mark.parametrize("ending", [".svg", ".mmd", ".html"])
def test_a_picture_of_a_run_shows_one_round(ending: str, run_here: RunHere) -> None:
    for args in ([], ["--rounds", "2"], ["--seed", "1"]):
        refused = run_here(*args, "-o", f"-{ending}")
        assert (refused.returncode, refused.stdout) == (2, "")
        assert "add --rounds 1, or choose it by --round K" in refused.stderr
    begins = {".svg": "<svg", ".mmd": "sequenceDiagram\n", ".html": "<!DOCTYPE html>\n"}[ending]
    for args in (["--rounds", "1"], ["--seed", "1", "--round", "7"], ["--num-proposers", "2", "--rounds", "1"]):
        ended = run_here(*args, "-o", f"-{ending}")
        assert (ended.returncode, ended.stderr) == (0, "")
        assert ended.stdout.startswith(begins)
        assert ended.stdout.endswith("\n")


@pytest.mark.parametrize("ending", [".svg", ".mmd", ".html"])
def test_a_picture_of_a_check_shows_the_counterexample_if_there_is_one(ending: str, run_here: RunHere) -> None:
    wrong = run_here("check", "--break", "skips-phase-1", "-o", f"-{ending}")
    assert (wrong.returncode, wrong.stderr) == (3, "")
    assert "SAFETY VIOLATED" in wrong.stdout
    assert "Changed rule, skips-phase-1: " in wrong.stdout
    assert "p0 breaks P2: it proposes under 1 with 0 promises" in wrong.stdout
    right = run_here("check", "-n", "1", "--num-proposers", "1", "-o", f"-{ending}")
    assert (right.returncode, right.stdout) == (0, "")
    assert right.stderr == "toy-paxos check: nothing written: no counterexample was found; the verdict is safe\n"
    unknown = run_here("check", "--break", "adopts-any", "--max-states", "2", "-o", f"-{ending}")
    assert (unknown.returncode, unknown.stdout) == (4, "")
    assert unknown.stderr == "toy-paxos check: nothing written: no counterexample was found; the verdict is unknown\n"
    assert run_here("check", "--break", "list", "-o", f"-{ending}").returncode == 2


def test_a_note_is_in_separate_rows_below_the_events_of_its_time() -> None:
    events, num_acceptors = broken_story("takes-old-promises")
    words = "a note: " + "it counts promises under another number than its own, " * 3
    tree = ElementTree.fromstring(svg(told(events, "a story", num_acceptors, [(5, words.strip(), "bad")])))
    assert_words_lie_on_nothing(tree)
    (group,) = [group for group in groups(tree, "words") if "a note: " in "".join(group.itertext())]
    said = [str(text.text) for text in group.iter(f"{SVG}text")]
    assert said[:2] == ["5", "a0→p0 stale: PROMISE 1"]
    assert " ".join(said[2:]) == words.strip()
    assert max(map(len, said)) <= 48
