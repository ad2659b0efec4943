"""A story as a page: what it tells at each step, in a real browser where there is one."""

import json
import re
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import pytest
from browser import browse, in_a_browser
from hypothesis import given, settings
from stories import AWKWARD, broken_story, first_round, report_of, runs, told

from toy_paxos.checking import CHANGED_RULES
from toy_paxos.event import Delivery, Learned
from toy_paxos.settings import Network, Settings
from toy_paxos.view.page import LEAST_SCALE, page
from toy_paxos.view.verdict import counterexample
from toy_paxos.view.words import printable


def story_page() -> str:
    """The page of a story in which safety is lost."""
    events, num_acceptors = broken_story("adopts-lowest")
    return page(told(events, "adopts-lowest: a story", num_acceptors))


def steps_of(text: str) -> list[dict[str, str]]:
    """What a page knows of each step."""
    (data,) = re.findall(r'<script type="application/json" id="steps">(.*)</script>', text)
    steps: list[dict[str, str]] = json.loads(data)
    return steps


def facts_at(steps: list[dict[str, str]], step: int) -> dict[str, str]:
    """What is so after a step."""
    return {name: fact for its in steps[: step + 1] for name, fact in its.items()}


class Tags(HTMLParser):
    """The elements of a page, as a browser would see them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        self.tags.append(f"/{tag}")


def test_each_step_has_its_facts() -> None:
    steps = steps_of(story_page())
    assert len(steps) == 18
    assert steps[0]["words"].splitlines() == ["p0 wants value-0", "p1 wants value-1", "p2 wants value-2"]
    assert facts_at(steps, 8).get("chosen") is None
    at_15 = facts_at(steps, 15)
    assert at_15["chosen"] == "value-1, under 2"
    assert (at_15["acceptor-0 promised"], at_15["acceptor-0 accepted"]) == ("3", "1 value-0")
    assert (at_15["acceptor-1 promised"], at_15["acceptor-1 accepted"]) == ("2", "2 value-1")
    assert facts_at(steps, 17)["chosen"] == "value-1, under 2; value-0, under 3"
    assert at_15["words"].startswith("acceptor-2 → proposer-2: PROMISE 3 (2 value-1)\n")


@settings(max_examples=40)
@given(runs)
def test_the_last_step_has_the_final_state_of_all_actors(run: Settings) -> None:
    events = first_round(run).events
    steps = steps_of(page(told(list(events), "a round", run.num_acceptors)))
    last = facts_at(steps, len(steps))
    for event in events:
        if isinstance(event, Delivery) and event.promised:
            assert int(last[f"{event.message.recipient} promised"]) >= event.promised
        elif isinstance(event, Learned):
            assert last[f"{event.proposer} learned"] == printable(event.value)


@pytest.mark.parametrize("value", AWKWARD)
def test_a_value_is_text_whatever_it_says(value: str) -> None:
    events = list(first_round(Settings(3, 0.0, 1, (value,))).events)
    plain = list(first_round(Settings(3, 0.0, 1, ("value",))).events)
    assert Tags(page(told(events, "a round", 3))).tags == Tags(page(told(plain, "a round", 3))).tags


def test_on_a_phone_the_words_of_the_drawing_can_be_seen() -> None:
    (first,) = re.findall(r'<text class="heading" x="([0-9.]+)"[^>]*>p0 wants value-0<', story_page())
    assert float(first) * LEAST_SCALE < 400 * 2 / 3


def test_it_loads_nothing() -> None:
    text = story_page()
    assert "default-src 'none'" in text
    assert re.findall(r"https?://[^\"\s]*", text) == ["http://www.w3.org/2000/svg"]
    assert set(re.findall(r"(?:src|href)=\"([^\"]*)\"", text)) == {"data:,"}


def test_its_script_can_be_read_in_a_minute() -> None:
    script = story_page().rpartition("<script>")[2].partition("</script>")[0]
    assert len([line for line in script.splitlines() if line.strip()]) <= 65


def test_it_can_be_used_without_a_mouse_and_printed() -> None:
    text = story_page()
    for part in ('aria-live="polite"', '<button type="button" id="back">', 'type="range"', "@media print", "max-width"):
        assert part in text


# In a real browser


def opened(text: str, tmp_path: Path, step: str = "", then: str = "") -> str:
    """What a browser shows of a page that is opened at a step, after somebody did something."""
    file = tmp_path / "story.html"
    file.write_text(text.replace("</body>", f"<script>{then}</script></body>"), encoding="utf-8")
    return browse(file, step)


def fact_of(shown: str, fact: str) -> str:
    """What a page tells of something."""
    (words,) = re.findall(rf'data-fact="{fact}">([^<]*)<', shown)
    return unescape(words)


@in_a_browser
def test_an_address_opens_a_step(tmp_path: Path) -> None:
    shown = opened(story_page(), tmp_path, "#15")
    assert "15 of 17" in shown
    assert fact_of(shown, "acceptor-0 accepted") == "1 value-0"
    assert fact_of(shown, "chosen") == "value-1, under 2"
    assert len(re.findall(r'<g data-step="1[67]" class="(?!arrow)[^"]* later">', shown)) == 4
    assert not re.findall(r'<g data-step="1?[0-5]" class="[^"]*later', shown)


# What somebody does on a page that shows its first step, and which step it then shows; at first it shows its last one.
DEEDS = {
    "": 17,
    "press('ArrowRight'); press('ArrowRight'); press('ArrowLeft');": 1,
    "press('ArrowLeft');": 0,
    "click('forward'); click('forward'); click('forward'); click('back');": 2,
    "slider.value = 9; slider.dispatchEvent(new Event('input'));": 9,
    "press('ArrowRight'); location.hash = '#99'; onhashchange();": 17,
    "dispatchEvent(new Event('beforeprint'));": 17,
}


@in_a_browser
def test_keys_buttons_and_the_slider_step_and_print_shows_the_end(tmp_path: Path) -> None:
    press = "const press = key => document.body.dispatchEvent(new KeyboardEvent('keydown', {key, bubbles: true}));"
    click = "const click = id => document.getElementById(id).click();"
    note = "seen.push(document.getElementById('at').textContent);"
    each = f"show(0); {note}".join(f"{deed} {note}" for deed in DEEDS)
    shown = opened(story_page(), tmp_path, then=f"{press}{click}const seen = [];{each}document.title = seen.join(' ');")
    (seen,) = re.findall("<title>(.*?)</title>", shown)
    first = "After step 0 of 17."
    assert seen == f" {first} ".join(f"After step {step} of 17." for step in DEEDS.values())


@in_a_browser
def test_it_plays_from_the_start_as_fast_as_one_reads_and_pauses(tmp_path: Path) -> None:
    then = r"""
    const seen = [], due = [], note = () => seen.push(`${now} ${button.textContent.replace(/^\S+ /, "")}`);
    window.setTimeout = (next, ms) => due.push([next, ms]);
    note(); button.click(); note();
    due[0][0](); due[1][0](); note();
    button.click(); note(); button.click(); note();
    due[2][0](); note(); go(9); note(); go(17); note();
    document.title = [...seen, due[0][1], due[1][1]].join(", ");
    """
    shown = opened(story_page(), tmp_path, then=then)
    (seen,) = re.findall("<title>(.*?)</title>", shown)
    *seen, first, second = seen.split(", ")
    assert seen == [
        "17 replay",
        "0 pause",
        "2 pause",
        "2 play",
        "2 pause",
        "3 pause",
        "9 play",
        "17 replay",
    ]
    # Three wishes are more to read than one message.
    assert 3_000 > int(first) > int(second) > 1_000


def test_without_a_script_the_page_shows_the_last_step() -> None:
    text = story_page()
    last = facts_at(steps_of(text), 17)
    assert fact_of(text, "chosen") == last["chosen"] == "value-1, under 2; value-0, under 3"
    for fact in last:
        assert fact_of(text, fact) == last[fact]
    assert ">After step 17 of 17.<" in text


def test_it_shows_the_messages_in_flight() -> None:
    steps = steps_of(story_page())
    assert facts_at(steps, 0)["way"].splitlines() == [
        "PREPARE 1, p0 → a0 a1 a2",
        "PREPARE 2, p1 → a0 a1 a2",
        "PREPARE 3, p2 → a0 a1 a2",
    ]
    assert facts_at(steps, 2)["way"].splitlines()[0::3] == ["PREPARE 1, p0 → a2", "PROMISE 1, a0 → p0"]


@settings(max_examples=40)
@given(runs)
def test_no_message_is_in_flight_at_the_end_of_a_round(run: Settings) -> None:
    events = first_round(run).events
    assert facts_at(steps_of(page(told(list(events), "a round", run.num_acceptors))), 10_000)["way"] == "-"


def page_with_correct_actors(name: str) -> str:
    """The page of the counterexample to a changed rule."""
    report, rule = report_of(name), CHANGED_RULES[name]
    found = report.model.sizes | report.found
    return page(counterexample(report.story, report.correct_story, found, rule.told, rule.change))


def test_a_value_chosen_only_by_incorrect_actors_is_not_chosen_in_the_second_branch() -> None:
    steps = steps_of(page_with_correct_actors("skips-phase-1"))
    assert facts_at(steps, 4)["chosen"] == "value-0, under 1; value-1, under 2"
    again = facts_at(steps, 5)
    assert (again["chosen"], again["acceptor-0 accepted"]) == ("-", "-")
    # The facts are in the order in which they were first told, so that the page has the same bytes in every process.
    first_told = dict.fromkeys(fact for step in steps[:5] for fact in step)
    assert [*steps[5]][:-1] == [fact for fact in first_told if fact != "words"]


@in_a_browser
def test_the_second_branch_begins_with_the_state_before_the_first_difference(tmp_path: Path) -> None:
    text = page_with_correct_actors("adopts-lowest")
    steps = steps_of(text)
    assert len(steps) == 22
    before, again = facts_at(steps, 14), facts_at(steps, 18)
    assert {**again, "words": ""} == {**before, "words": ""}
    assert again["words"] == "Correct actors, from delivery 15 on:\n"
    assert facts_at(steps, 17)["chosen"] == "value-1, under 2; value-0, under 3"
    shown = opened(text, tmp_path, "#21")
    assert fact_of(shown, "chosen") == "value-1, under 2"
    assert fact_of(shown, "acceptor-0 accepted") == "3 value-1"


@in_a_browser
def test_a_counterexample_opens_and_is_printed_at_its_violation(tmp_path: Path) -> None:
    text = page_with_correct_actors("adopts-lowest")
    prints = "show(21); dispatchEvent(new Event('beforeprint'));"
    for shown in (text, opened(text, tmp_path), opened(text, tmp_path, then=prints)):
        assert ">After step 17 of 21.<" in shown
        assert "\nSAFETY VIOLATED, a second value is chosen: value-0\n" in fact_of(shown, "words")
        assert fact_of(shown, "chosen") == "value-1, under 2; value-0, under 3"
        assert fact_of(shown, "acceptor-0 accepted") == "3 value-0"
    lanes = r'<line class="lane"[^>]* y2="([0-9]+)"'
    assert re.findall(lanes, shown) == re.findall(lanes, text)


def test_each_step_of_correct_actors_says_so() -> None:
    steps = steps_of(page_with_correct_actors("adopts-lowest"))
    assert [step["words"].startswith("Correct actors") for step in steps] == [False] * 18 + [True] * 4


@in_a_browser
@pytest.mark.parametrize("value", ["</script><b>", "]]>&amp;"])
def test_a_browser_shows_a_value_as_it_is(value: str, tmp_path: Path) -> None:
    events = list(first_round(Settings(3, 0.0, 1, (value,))).events)
    shown = opened(page(told(events, "a round", 3)), tmp_path, "#99")
    assert fact_of(shown, "proposer-0 learned") == value


@in_a_browser
def test_it_makes_no_request(tmp_path: Path) -> None:
    then = "const asked = performance.getEntriesByType('resource').length; document.title = `asked ${asked}`;"
    shown = opened(story_page(), tmp_path, "#3", then)
    assert "<title>asked 0</title>" in shown


ROUND = Settings(5, 0.1, 4, network=Network(3, message_loss_prob=0.1, message_duplication_prob=0.1))


@in_a_browser
def test_a_step_far_below_shows_its_time_and_the_names_above_it(tmp_path: Path) -> None:
    text = page(told(list(first_round(ROUND).events), "a round", 5))
    places = "const topOf = part => part.getBoundingClientRect().top;"
    names = "Math.abs(topOf(document.querySelector('.names')) - topOf(drawing)) < 3"
    then = f"{places} drawing.onscroll(); document.title = [drawing.scrollTop > 99, drawing.scrollLeft, {names}];"
    assert re.findall("<title>(.*?)</title>", opened(text, tmp_path, "#60", then))[0] == "true,0,true"


@in_a_browser
def test_lanes_end_at_the_step_that_is_shown(tmp_path: Path) -> None:
    for step in ("#9", "#15"):
        shown = opened(story_page(), tmp_path, step)
        rows = re.findall(rf'<g data-step="{step[1:]}" class="words.*?\n</g>', shown, flags=re.DOTALL)
        last = max(int(y) for row in rows for y in re.findall(r'<text [^>]*y="(\d+)"', row))
        lines = re.findall(r'<line class="(?:lane|held [^"]*)"[^>]* y1="(\d+)"[^>]* y2="(\d+)"', shown)
        assert {int(end) for start, end in lines if int(start) < last} == {last + 6}


@in_a_browser
def test_later_parts_of_a_broken_lane_are_not_shown(tmp_path: Path) -> None:
    crashes = Settings(3, 0.1, 1, network=Network(2, acceptor_crash_prob=0.3))
    shown = opened(page(told(list(first_round(crashes).events), "a round", 3)), tmp_path, "#4")
    lines = re.findall(r'<line class="(?:lane|held [^"]*)"[^>]* y1="(\d+)"[^>]* y2="(\d+)"', shown)
    assert len(lines) > 5
    assert all(int(start) <= int(end) for start, end in lines)
    assert len([start for start, end in lines if start != end]) == 5
