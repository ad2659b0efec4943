"""The game in a browser: in a real one, it is played as `toy-paxos play` plays it, and foretells the same."""

import json
import re
from dataclasses import replace
from functools import cache
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from browser import browse, in_a_browser
from conftest import OnTerminal, RunHere, run_process
from once import once
from stories import AWKWARD, report_of
from test_page import Tags

from toy_paxos.acceptor import Acceptor
from toy_paxos.checking import CHANGED_RULES, Game, Model, Move, check, prospect
from toy_paxos.checking.cluster import Cluster
from toy_paxos.command.game_file import one_game, with_wishes
from toy_paxos.command.game_view import GameView
from toy_paxos.command.stories import play_story, read_story, shipped
from toy_paxos.event import Departure, learned_by, stored_by
from toy_paxos.message import Accept, Fail, Message, Prepare, Promise, Propose
from toy_paxos.proposer import Proposer
from toy_paxos.safety import ONE_VALUE, chosen
from toy_paxos.view.game_page import message_told

pytestmark = pytest.mark.usefixtures("few_walks")


@pytest.fixture
def clusters_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let all searches of one model share the steps of its actors, which are the same in each."""
    monkeypatch.setattr("toy_paxos.checking.checker.Cluster", cache(Cluster))


# What the scripts of the tests are written with: a search to its end, and dice that fall the same way each time.
TOOLS = """
const finish = search => { for (;;) { const {value, done} = search.next(); if (done) return value; } };
let seed = 1;
const die = sides => { seed = seed * 48271 % 2147483647; return seed % sides; };
const found = () => { const {first, deliveries, values, limit} = finish(lookAhead(path[now].state));
  return first ? deliveries : values?.sort() ?? `${limit} or more`; };
const departed = () => departures(path).map(({at, when, rule}) => [names[at], when, rule]);
"""


# The rules that need another cluster than the page for all of them, so each has a page to itself.
OTHERS = [name for name, rule in CHANGED_RULES.items() if (rule.num_proposers, rule.max_attempts) != (2, 1)]


@cache
def page_of(rule: str | None) -> str:
    """The page of a rule, or the one that the program writes without anything else."""
    if rule is None:
        return once("toy-paxos play -o -.html", lambda: run_process("play", "-o", "-.html").stdout)
    return one_game(GameView(Game(with_wishes(CHANGED_RULES[rule].model)), CHANGED_RULES[rule].change, {}), rule)


def done_on(page: str, tmp_path: Path, script: str, address: str = "") -> Any:
    """What a script finds out that runs on a page in a browser, as the value of its last expression."""
    file = tmp_path / "game.html"
    script = f"{TOOLS}const result = (() => {{ {script} }})();\ndocument.title = JSON.stringify(result);"
    file.write_text(page.replace("</body>", f"<script>{script}</script></body>"), encoding="utf-8")
    (title,) = re.findall(r"<title>(.*?)</title>", browse(file, address), flags=re.DOTALL)
    return json.loads(unescape(title))


# Random games


def random_games(page: str, tmp_path: Path, number: int, shortest: int) -> list[dict[str, Any]]:
    """So many random games of each actors on a page, each told as a story, with what there is to compare."""
    return list(
        done_on(
            page,
            tmp_path,
            """return games.flatMap(({name}) => [...Array(NUMBER).keys()].map(which => {
              begin(name);
              for (let left = SHORTEST + die(25); left; left--) {
                const possible = messages.filter(message => isDeliverable(path[now].state, message));
                // Most messages arrive once; few fail.
                const fresh = possible.filter(message =>
                  message.type !== "FAIL" && !played().some(({step}) => step.message === message));
                const some = die(6) && fresh.length ? fresh : possible;
                move(some[die(some.length)]);
              }
              show();
              const {state, broken} = path[now];
              return {name, story: place("story").value, states: positions.map(at => shown(state, at)),
                chosen: state.chosen.map(({id, value}) => [id, value]), broken: broken ?? null, departed: departed(),
                found: broken ? null : found()};
            }));""".replace("NUMBER", str(number)).replace("SHORTEST", str(shortest)),
        )
    )


def departures_of(game: Game) -> list[list[object]]:
    """Which rules actors have broken in a game, and in which deliveries."""
    return [[event.actor, event.time, event.rule] for event in game.events if isinstance(event, Departure)]


def compare(told: dict[str, Any]) -> None:
    """Play a game again, as `toy-paxos play` does, and compare everything."""
    story = read_story(told["story"].encode())
    assert story.rule == (None if told["name"] == "correct" else told["name"])
    game = Game(story.cluster(CHANGED_RULES[story.rule].model if story.rule else Model()))
    play_story(story, game, game.make)
    for (name, actor), shown in zip(game.actors.items(), told["states"], strict=True):
        if name in game.proposers:
            assert shown == [learned_by(actor)]
        else:
            promised, accepted = stored_by(actor)
            assert shown == [promised, *(accepted or ())]
    accepts = [message for message in game.said if isinstance(message, Accept)]
    proposals = chosen(accepts, game.model.configuration.accept_quorum)
    assert sorted(told["chosen"]) == sorted([*proposal] for proposal in proposals)
    assert told["departed"] == departures_of(game)
    violation = game.violation
    assert told["broken"] == (violation and {"words": violation.words, "after": violation.time})
    if not violation:
        found = prospect(replace(game.model, fail=False), game.past, game.stopped, 200_000)
        shortest = len(found.execution) if found.execution else None
        if isinstance(told["found"], str):
            assert shortest is None or shortest >= int(told["found"].split()[0])
        else:
            assert told["found"] == (shortest or sorted(found.values))


def compare_games(rule: str | None, number: int, tmp_path: Path) -> None:
    """Compare so many random games of each rule on a page, longer ones where there is more to search."""
    games = random_games(page_of(rule), tmp_path, number, 3 if rule is None else 20)
    for told in games:
        compare(told)
    assert {told["name"] for told in games} == ({rule} if rule else {"correct", *CHANGED_RULES} - {*OTHERS})
    assert rule or any(told["broken"] for told in games)
    assert sum(isinstance(told["found"], str) for told in games) <= len(games) // 100


@in_a_browser
@pytest.mark.usefixtures("clusters_once")
@pytest.mark.parametrize("rule", [None, *OTHERS])
def test_random_games_and_their_predictions_are_those_of_play(rule: str | None, tmp_path: Path) -> None:
    compare_games(rule, 20, tmp_path)


@pytest.mark.slow
@in_a_browser
@pytest.mark.usefixtures("clusters_once")
@pytest.mark.parametrize("rule", [None, *OTHERS])
def test_many_random_games_and_their_predictions_are_those_of_play(rule: str | None, tmp_path: Path) -> None:
    compare_games(rule, 200, tmp_path)


@in_a_browser
def test_the_shortest_wins_and_their_broken_rules_are_those_of_the_checker(tmp_path: Path) -> None:
    positions = dict.fromkeys(Model(5, 5).configuration.names, 0)
    wins = {
        name: [message_told(message, positions)["line"] for message in report_of(name).execution]
        for name, rule in CHANGED_RULES.items()
        if rule.fate == "unsafe"
    }
    script = f"""const wins = {json.dumps(wins)};
    const numbers = lines => lines.map(line => messages.find(message => nameless(message.line) === line).number);
    const nameless = line => wishes.reduce((words, wish, at) => words.replace(wish, `value-${{at}}`), line);
    return Object.fromEntries(games.map(({{name}}) => {{
      begin(name);
      const shortest = found();
      begin(name, numbers(wins[name] ?? []));
      return [name, [shortest, departed(), place("why").textContent]];
    }}));"""
    found = {name: done_on(page_of(name), tmp_path, script)[name] for name in OTHERS} | done_on(
        page_of(None), tmp_path, script
    )
    assert found.pop("correct") == [["apple", "pear"], [], ""]
    assert found.keys() == CHANGED_RULES.keys()
    for name, rule in CHANGED_RULES.items():
        shortest, departed, why = found[name]
        if rule.fate == "unsafe":
            assert shortest == len(report_of(name).execution)
            game = Game(with_wishes(rule.model))
            for message in report_of(name).execution:
                game.make_alike(Move.of(message))
            assert departed == departures_of(game) != []
            assert all(f" and breaks {broken}: " in why for _, _, broken in departed)
        else:
            assert shortest == ([] if rule.fate == "not-alive" else ["apple", "pear"])


class Forgetful(Acceptor):
    """An acceptor that keeps nothing: only its answers tell what it has accepted."""

    def promise(self, request: Prepare) -> list[Message]:
        return [Promise(self.name, request.sender, request.id, None)]

    def accept(self, request: Propose) -> list[Message]:
        return [Accept(self.name, request.sender, request.id, request.value)]


class Incurious(Proposer):
    """A proposer that does not listen to acceptances."""

    def count_accept(self, accept: Accept) -> list[Message]:
        return []


@in_a_browser
def test_an_acceptance_is_kept_even_if_no_proposer_waits_for_it(tmp_path: Path) -> None:
    model = Model(acceptor=Forgetful, proposer=Incurious, restarts=0, properties=(ONE_VALUE,))
    page = one_game(GameView(Game(model), "", {}), None)
    assert done_on(page, tmp_path, "return found();") == len(check(model).execution)


# What somebody does


# What a script presses, and what it reads once the search has come to its end.
HANDS = """
const buttons = () => [...document.querySelectorAll(".message")];
const press = label => buttons().find(button => button.getAttribute("aria-label") === label).click();
const all = () => {
  clearTimeout(search);
  place("ahead").textContent = foreseen(finish(lookAhead(path[now].broken ? path[0].state : path[now].state)));
  const words = ["told", "fact", "why", "ahead"].map(id => [id, place(id).textContent]);
  const enabled = ["undo", "redo", "hint"].map(id => [id, !place(id).disabled]);
  return {...Object.fromEntries([...words, ...enabled]), address: location.hash, story: place("story").value};
};
"""


def seen_on(page: str, tmp_path: Path, script: str, address: str = "") -> Any:
    """What somebody sees who does this on a page."""
    return done_on(page, tmp_path, f"{HANDS} const seen = []; {script} return seen;", address)


@in_a_browser
def test_a_message_is_delivered_again_undone_and_redone(tmp_path: Path) -> None:
    seen = seen_on(
        page_of("ignores-accepted"),
        tmp_path,
        """seen.push(all());
        press("acceptor-0: p0 PREPARE 1"); seen.push(all());
        press("acceptor-0: p0 PREPARE 1, again"); seen.push(all());
        place("undo").click(); seen.push(all());
        place("redo").click(); seen.push(all());
        place("undo").click(); press("acceptor-1: p1 PREPARE 2"); seen.push(all());
        place("again").click(); seen.push(all());""",
    )
    begun, once_, twice, undone, redone, other, again = seen
    assert begun["told"] == CHANGED_RULES["ignores-accepted"].change
    assert begun["fact"] == "Nothing is chosen yet."
    assert [begun[name] for name in ("undo", "redo", "hint")] == [False, False, True]
    assert once_["told"] == "1. acceptor-0 receives PREPARE 1 from proposer-0, and says PROMISE 1."
    assert twice["told"] == "2. acceptor-0 receives PREPARE 1 from proposer-0, and says FAIL 1 (refused, promised 1)."
    assert undone == once_ | {"redo": True}
    assert redone == twice
    assert other["told"] == "2. acceptor-1 receives PREPARE 2 from proposer-1, and says PROMISE 2."
    assert (other["undo"], other["redo"]) == (True, False)
    assert again == begun
    assert other["story"].splitlines()[-2:] == [
        "   1  proposer-0 -> acceptor-0 PREPARE 1",
        "   2  proposer-1 -> acceptor-1 PREPARE 2",
    ]


class Silent(Acceptor):
    """An acceptor that does not answer what it refuses."""

    def receive(self, message: Message) -> list[Message]:
        return [answer for answer in super().receive(message) if not isinstance(answer, Fail)]


@in_a_browser
@pytest.mark.parametrize(
    ("acceptor", "message", "says", "words"),
    [
        (Acceptor, "PREPARE 1", "FAIL 1", "refused, promised 2"),
        (Acceptor, "PROPOSE 1 apple", "FAIL 1", "refused, promised 2"),
        (Silent, "PROPOSE 1 apple", "nothing", "unanswered, promised 2"),
    ],
)
def test_a_request_that_is_not_granted_is_marked(
    acceptor: type[Acceptor], message: str, says: str, words: str, tmp_path: Path
) -> None:
    model = Model(acceptor=acceptor, wishes=("apple", "pear"), restarts=0)
    script = f"""
    for (const label of [
      "acceptor-0: p0 PREPARE 1", "proposer-0: a0 PROMISE 1", "acceptor-1: p0 PREPARE 1", "proposer-0: a1 PROMISE 1",
      "acceptor-0: p1 PREPARE 2"]) press(label);
    press(buttons().map(each => each.ariaLabel).find(label => label.startsWith("acceptor-0: p0 {message}")));
    const last = [...document.querySelectorAll(".arrow")].at(-1);
    seen.push(place("told").textContent, last.classList.contains("denied"), last.lastChild.textContent);"""
    seen = seen_on(one_game(GameView(Game(model), "", {}), None), tmp_path, script)
    receives = f"6. acceptor-0 receives {message} from proposer-0, and says {says} ({words})."
    assert seen == [receives, True, f"{words}: {message}"]


@in_a_browser
def test_hints_win_in_the_fewest_deliveries(tmp_path: Path) -> None:
    script = """for (let turn = 0; turn < 12; turn++) {
      all();
      place("hint").click();
      seen.push(document.activeElement.className.includes("hint"));
      document.activeElement.click();
    }
    seen.push(all());"""
    *focused, end = seen_on(page_of("ignores-accepted"), tmp_path, script)
    assert focused == [True] * 12
    assert end["fact"] == "✗ You have broken it in 12 deliveries: a second value is chosen: pear."
    assert end["ahead"] == "12 is the fewest. Undo, or copy the story."
    assert end["why"].startswith("Delivery 10: proposer-1 says PROPOSE 2 pear and breaks P2: A proposer proposes ")


@in_a_browser
def test_predictions_have_the_number_of_states_seen(tmp_path: Path) -> None:
    script = """for (const name of ["correct", "hides-accepted"]) { begin(name); seen.push(all().ahead); }"""
    safe, unsafe = seen_on(page_of(None), tmp_path, script)
    can = re.escape("It cannot be broken from here. Can still be chosen: apple, pear")
    # Fewer than a thousand states, because of what the search leaves out.
    assert re.fullmatch(rf"{can} \(all \d{{3}} states seen, FAIL never delivered\)\.", safe)
    assert re.fullmatch(r"It can be broken in 12 deliveries \(\d{3} states seen\)\.", unsafe)


@in_a_browser
def test_it_says_when_its_search_ends_without_a_result(tmp_path: Path) -> None:
    page = page_of("ignores-accepted").replace("MOST_STATES = 100_000", "MOST_STATES = 100")
    (seen,) = seen_on(page, tmp_path, "seen.push(all());")
    assert re.fullmatch(r"It takes \d+ deliveries or more to break it; the search ends at 100 states\.", seen["ahead"])


@in_a_browser
def test_the_address_holds_the_game(tmp_path: Path) -> None:
    move = "press('acceptor-0: p0 PREPARE 1'); press('proposer-0: a0 PROMISE 1'); seen.push(all());"
    (played,) = seen_on(page_of(None), tmp_path, f"begin('hides-accepted'); {move}")
    assert played["address"].startswith("#hides-accepted:")
    (opened,) = seen_on(page_of(None), tmp_path, "seen.push(all());", played["address"])
    assert opened == played
    hash = json.dumps(played["address"])
    (followed,) = seen_on(page_of(None), tmp_path, f"location.hash = {hash}; follow(); seen.push(all());")
    assert followed == played


@in_a_browser
@pytest.mark.parametrize("address", ["#nonsense", "#correct:x.-1.999999.1e9", "#%", "#:", "#correct:0.0.0.0"])
def test_an_address_that_makes_no_sense_begins_a_game(address: str, tmp_path: Path) -> None:
    (seen,) = seen_on(page_of(None), tmp_path, "seen.push(all());", address)
    assert re.match(r"#correct:[0-9.]*$", seen["address"])


@in_a_browser
def test_it_is_played_by_keyboard_and_touch_and_read_aloud(tmp_path: Path) -> None:
    script = """const stops = [...document.querySelectorAll("button:not(:disabled), select, textarea, [tabindex]")];
    seen.push(stops.every(stop => stop.tabIndex === 0 && stop.offsetHeight >= 30));
    const [first] = buttons();
    first.focus();
    first.click();
    seen.push(document.activeElement !== first && document.activeElement.dataset.message === first.dataset.message);
    const live = document.querySelector("[role=status]");
    seen.push(["told", "fact", "why", "ahead"].every(id => live.contains(place(id))));"""
    assert seen_on(page_of(None), tmp_path, script) == [True, True, True]


# The buttons of a game with a long line: a promise that reports what was accepted.
ADOPTION = [
    "acceptor-0: p0 PREPARE 1",
    "acceptor-1: p0 PREPARE 1",
    "proposer-0: a0 PROMISE 1",
    "proposer-0: a1 PROMISE 1",
    "acceptor-0: p0 PROPOSE 1 apple",
    "acceptor-0: p1 PREPARE 2",
    "proposer-1: a0 PROMISE 2 (1 apple)",
]


@in_a_browser
@pytest.mark.parametrize("width", [400, 900])
def test_it_makes_no_request_and_fits_on_any_screen(width: int, tmp_path: Path) -> None:
    # No window of the browser is narrower than 500 pixels, so the page is shown once more in a frame.
    script = f"""const frame = document.createElement("iframe");
    frame.style.width = "{width}px";
    frame.style.border = 0;
    const text = document.documentElement.outerHTML;
    document.body.append(frame);
    frame.contentDocument.open();
    frame.contentDocument.write(text.slice(0, text.lastIndexOf("<" + "script>")));
    frame.contentDocument.close();
    const inner = frame.contentWindow;
    for (const label of {json.dumps(ADOPTION)}) {{
      inner.document.querySelector(`[aria-label="${{label}}"]`).click();
      seen.push(inner.document.documentElement.scrollWidth);
    }}
    seen.push(inner.innerWidth, performance.getEntriesByType("resource").length);"""
    *widths, inner, requests = seen_on(page_of(None), tmp_path, script)
    assert (inner, requests) == (width, 0)
    assert max(widths) <= width


@in_a_browser
@pytest.mark.parametrize("value", ["</script><b>", "]]>&amp;", "<img src=x>"])
def test_a_browser_shows_a_value_as_it_is(value: str, tmp_path: Path) -> None:
    page = one_game(GameView(Game(Model(wishes=(value, "pear"), restarts=0)), "", {}), None)
    script = "seen.push(document.querySelector('#proposers b').textContent, document.querySelectorAll('img').length);"
    assert seen_on(page, tmp_path, script) == [value, 0]


# The file


@pytest.mark.parametrize("value", AWKWARD)
def test_a_value_is_text_whatever_it_says(value: str) -> None:
    awkward, plain = (
        one_game(GameView(Game(Model(2, wishes=(wish, "pear"), restarts=0)), "", {}), None) for wish in (value, "value")
    )
    assert Tags(awkward).tags == Tags(plain).tags


def test_it_loads_nothing_and_is_small() -> None:
    text = page_of(None)
    assert "default-src 'none'" in text
    assert set(re.findall(r"https?://[^\"\s$]*", text)) == {"http://www.w3.org/"}
    assert set(re.findall(r"(?:src|href)=\"([^\"]*)\"", text)) == {"data:,"}
    assert len(text.encode()) < 150_000


def test_the_script_can_be_read_in_five_minutes() -> None:
    script = page_of(None).rpartition("<script>")[2].partition("</script>")[0]
    lines = [line.strip() for line in script.splitlines() if line.strip()]
    assert len([line for line in lines if not line.startswith("//")]) <= 290
    assert max(map(len, script.splitlines())) <= 120


# The command


def data_of(text: str) -> dict[str, Any]:
    """What the script of a page is given."""
    (data,) = re.findall(r'<script type="application/json" id="data">(.*)</script>', text)
    return dict(json.loads(data))


def written(run_here: RunHere, tmp_path: Path, *args: str) -> dict[str, Any]:
    """What `toy-paxos play` writes."""
    ended = run_here("play", *args, "-o", str(tmp_path / "game.html"))
    assert (ended.returncode, ended.stdout) == (0, "")
    assert ended.stderr.endswith(" written\n")
    return data_of((tmp_path / "game.html").read_text(encoding="utf-8"))


def test_without_anything_else_it_offers_correct_paxos_and_rules() -> None:
    text = page_of(None)
    data = data_of(text)
    names = [game["name"] for game in data["games"]]
    assert names[0] == "correct"
    assert sorted([*names, *OTHERS]) == sorted(["correct", *CHANGED_RULES])
    (others,) = re.findall("<p>(Rules that need a larger cluster: .*)</p>", text)
    assert all(name in others for name in OTHERS)
    assert data["wishes"] == ["apple", "pear"]


def test_sizes_and_rules_are_those_that_are_named(run_here: RunHere, tmp_path: Path) -> None:
    data = written(run_here, tmp_path, "--break", "adopts-lowest")
    assert [game["name"] for game in data["games"]] == ["adopts-lowest"]
    assert data["wishes"] == ["apple", "pear", "plum"]
    assert data["moves"] == []


def test_a_page_with_sizes_has_timeouts_and_restarts(run_here: RunHere, tmp_path: Path) -> None:
    data = written(run_here, tmp_path, "-n", "2", "--max-attempts", "3", "--restarts", "2")
    (game,) = data["games"]
    told = [[data["messages"][message]["words"] for message in messages] for messages in game["environment"]]
    assert told == [["⏱ timeout"] * 2] * 2 + [["↻ restart"] * 2] * 2


TRIES_AGAIN = """p0 wants apple
p1 wants pear
p1 -> a0 PREPARE 2
p1 -> a1 lost: PREPARE 2
p1 tries again
p1 -> a0 PREPARE 4
a0 restarts
a0 -> p1 PROMISE 4
"""


def told_by(run_here: RunHere, story: str) -> tuple[int, list[str]]:
    """The exit status and the lines of a story that is played, without comments and losses."""
    ended = run_here("play", "-", typed=story)
    assert ended.returncode in (0, 3)
    return ended.returncode, [line for line in ended.stdout.splitlines() if line[:1] != "#" and " lost: " not in line]


@in_a_browser
@pytest.mark.parametrize("name", ["adoption", "duel", "forgets-all", None])
def test_it_begins_where_a_story_ends_and_the_story_can_be_copied(
    name: str | None, run_here: RunHere, tmp_path: Path
) -> None:
    story = shipped()[name].decode() if name else TRIES_AGAIN
    file = tmp_path / "page.html"
    status = run_here("play", "-", "-o", str(file), typed=story).returncode
    (seen,) = seen_on(file.read_text(encoding="utf-8"), tmp_path, "seen.push(all());")
    assert told_by(run_here, seen["story"]) == told_by(run_here, story)
    title = story.splitlines()[0].removeprefix("# ") if name else "Be the network of Paxos"
    assert unescape(file.read_text(encoding="utf-8")).count(f">{title}</") == 2
    assert told_by(run_here, story)[0] == status


def test_with_too_many_messages_no_rule_is_judged(
    run_here: RunHere, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = "--break", "skips-phase-1"
    assert any(written(run_here, tmp_path, *page)["saying"])
    monkeypatch.setattr("toy_paxos.checking.conditions.MOST_SETS", 0)
    (tmp_path / "game.html").unlink()
    assert not any(written(run_here, tmp_path, *page)["saying"])


@in_a_browser
def test_a_class_of_ones_own_is_played(run_here: RunHere, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(MINE)
    data = written(
        run_here, tmp_path, "--acceptor", f"{tmp_path}/mine.py:Mine", "--max-attempts", "1", "--restarts", "0"
    )
    assert data["games"][0]["summary"] == f"Actors: acceptor {tmp_path}/mine.py:Mine"
    page = (tmp_path / "game.html").read_text(encoding="utf-8")
    assert done_on(page, tmp_path, "return found();") == 12


MINE = """
from toy_paxos.checking.broken import HidesAccepted

class Mine(HidesAccepted):
    pass

class Endless(HidesAccepted):
    received = 0
    def receive(self, message):
        self.received = self.received + 1
        return super().receive(message)
"""


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["timeout"], "the page cannot show that an acceptor fails: choose another ending, such as .svg"),
        (["crashed-proposer"], "the page cannot show that a proposer crashes: choose another ending, such as .svg"),
        (["chosen-not-learned"], "the page cannot show that a proposer gives up: choose another ending, such as .svg"),
        (
            ["--acceptor", "mine.py:Endless"],
            "these actors have more than 3,000 steps: choose fewer acceptors",
        ),
        (["--break", "does-not-raise"], "these actors have more than 3,000 steps: choose fewer acceptors"),
        (["--max-attempts", "1"], "bytes, and a page has at most 9,000: choose fewer acceptors"),
    ],
)
def test_a_game_that_no_page_can_show_is_refused_in_one_line(
    args: list[str], words: str, run_here: RunHere, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine.py").write_text(MINE)
    monkeypatch.chdir(tmp_path)
    if args[0].startswith("--"):
        monkeypatch.setattr("toy_paxos.checking.tables.MOST_STEPS", 3_000)
    monkeypatch.setattr("toy_paxos.view.game_page.MOST_BYTES", 9_000 if "1" in args else 400_000)
    ended = run_here("play", *args, "-o", "game.html")
    assert (ended.returncode, ended.stdout, ended.stderr.count("\n")) == (2, "", 1)
    assert words in ended.stderr
    assert not (tmp_path / "game.html").exists()


def test_it_goes_to_standard_output_too_and_no_terminal_is_asked(run_here: RunHere, on_terminal: OnTerminal) -> None:
    assert run_here("play", "--break", "skips-phase-1", "-o", "-.html").stdout == page_of("skips-phase-1")
    assert "a terminal cannot show it" in on_terminal("play", "-o", "-.html", columns=200)


def test_on_a_terminal_nothing_has_to_be_typed(on_terminal: OnTerminal, tmp_path: Path) -> None:
    shown = on_terminal("play", "--break", "skips-phase-1", "-o", str(tmp_path / "game.html"), columns=200)
    assert re.fullmatch(r"toy-paxos: .* written\n", shown)
