"""What the program prints can be read back and played again, to the same end."""

import json

import pytest
from conftest import RunHere

from toy_paxos.checking import CHANGED_RULES, Game, Model
from toy_paxos.command.stories import StoryError, play_story, read_story, shipped
from toy_paxos.event import Chosen, Crash, Delivery, Event, Fate, Learned, learned_by, stored_by
from toy_paxos.settings import Network, Settings
from toy_paxos.simulation import play_rounds
from toy_paxos.view.json_lines import JsonLines
from toy_paxos.view.output import plain
from toy_paxos.view.run_words import Words
from toy_paxos.view.words import printable, read_back

UNSAFE = [rule.name for rule in CHANGED_RULES.values() if rule.fate == "unsafe"]

BEGINNING = """toy-paxos 1.3.0 check: 2 proposers, 3 acceptors, 1 attempt, 0 restarts each, every order
proposer-0 wants apple
proposer-1 wants pear
"""


# The story of adoption as somebody may type it.
TYPED = """ # adoption
p0 wants apple
 p1  wants  pear\x20
p0->a0 PREPARE 1
p0  ->  a1   PREPARE  1
\ta0 -> p0  PROMISE 1

3 a1 -> p0 PROMISE 1, nothing accepted
p0 -> a0 PROPOSE 1 apple
p0 -> a1 PROPOSE  1  apple\x20
proposer-1 -> a1 PREPARE 2
p1 -> acceptor-2 PREPARE 2
a1 -> p1 PROMISE 2 (1 apple)
a2 -> p1 PROMISE 2
 14.5 ms p1 adopts what a1 accepted: apple
p1 -> a1 PROPOSE 2 apple
p1 -> a2 PROPOSE 2 apple
a1 -> p1 ACCEPT 2 apple
a2 -> p1 ACCEPT  2 apple
p1 learns apple
"""


def replayed(text: str, **sizes: int) -> Game:
    """A game in which all moves of a story have been made; the sizes are given besides."""
    story = read_story(text.encode(), sizes)
    game = Game(story.cluster(CHANGED_RULES[story.rule].model if story.rule else Model()))
    play_story(story, game, game.make)
    return game


def outcomes(events: list[Event]) -> list[tuple[str, ...]]:
    """Who learned what, and what was chosen, in that order."""
    return [
        ("chosen", event.value) if isinstance(event, Chosen) else (event.proposer, event.value)
        for event in events
        if isinstance(event, (Chosen, Learned))
    ]


@pytest.mark.usefixtures("searched_once")
@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize("name", UNSAFE)
def test_the_story_of_every_unsafe_rule_replays_to_the_same_violation(name: str, form: str, run_here: RunHere) -> None:
    printed = run_here("check", "--break", name, *(["--json"] if form == "json" else [])).stdout
    violation = replayed(printed).violation
    assert violation
    assert printable(violation.words) in printed.splitlines()[-1]


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize("seed", range(40))
def test_rounds_over_a_bad_network_replay_to_the_same_end(seed: int, form: str) -> None:
    network = Network(
        num_proposers=1 + seed % 4,
        failure_mode="silent" if seed % 2 else "reply",
        message_loss_prob=0.1 * (seed % 3),
        message_duplication_prob=0.15 * (seed % 3),
        proposer_failure_prob=0.02 * (seed % 4),
        acceptor_crash_prob=0.03 * (seed % 5),
        timeout=15,
        max_attempts=1 + seed % 5,
    )
    settings = Settings(3 + seed % 3, 0.2, seed, ("a: b\\n\n",) if seed % 4 else (), network)
    finished = next(play_rounds(settings))
    last: dict[str, Delivery] = {}
    view = JsonLines(settings)
    words = Words(settings)
    text = view.start() + view.round(finished)
    if form == "text":
        text = plain([*words.start(), *words.round(finished)])
    game = replayed(text)
    assert outcomes(game.events) == outcomes(list(finished.events))
    for event in finished.events:
        if isinstance(event, Delivery) and event.fate is not Fate.LOST:
            last[event.message.recipient] = event
    for name, event in last.items():
        held = learned_by(game.actors[name]) if name in game.proposers else stored_by(game.actors[name])
        assert held == (event.learned if name in game.proposers else (event.promised, event.accepted))


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_a_round_of_direct_calls_replays(form: list[str], run_here: RunHere) -> None:
    for seed in range(5):
        printed = run_here("--seed", str(seed), "--round", "3", "-p", "0.3", *form).stdout
        value = [event.value for event in replayed(printed).events if isinstance(event, Learned)]
        assert (not value) == ("no consensus" in printed or '"value":null,"promises"' in printed)


@pytest.mark.parametrize("value", ["\\n", "\n", "\\\\x41", "\x00\x85", "\U0001f600", "\ud800", "a\tb ", "\\N{DASH}"])
def test_a_printed_value_can_be_read_back(value: str) -> None:
    assert read_back(printable(value)) == value


@pytest.mark.parametrize(
    ("story", "words"),
    [
        ("", "line 1: no proposer is named: type a line such as p0 -> a0 PREPARE 1"),
        (
            "p0 wants apple\n",
            "line 1: no acceptor is named: type a line such as p0 -> a0 PREPARE 1",
        ),
        (
            BEGINNING.partition("\n")[0],
            "line 1: it has no round, no counterexample and no game",
        ),
        (
            BEGINNING.replace("proposer-1 wants pear\n", ""),
            "line 2: no line says what proposer-1 wants: add a line such as",
        ),
        (
            "p0 wants apple\np7 -> a0 PREPARE 8\np0 -> a0 PREPARE 1",
            "line 2: this names proposer-7, so the story has 8 proposers; add a line such as 'proposer-1",
        ),
        (
            TYPED.replace(" p1  wants  pear \n", ""),
            "line 19: no line says what proposer-1 wants: add a line such as",
        ),
        (
            "p0 wants apple\np0 -> a0 PROMISE",
            "line 2: not a message: PROMISE; type one such as PREPARE 1 or PROPOSE 1 apple",
        ),
        ("p0 wants apple\np0 hopes", "line 2: not a line of a story: p0 hopes; type one such as p0 -> a0 PREPARE 1"),
        (
            "p0 wants apple\np0 -> a10000 PREPARE 1",
            "line 2: the cluster has 10001 for num_acceptors",
        ),
        ("p0 -> a9999999999 PREPARE 1", "line 1: not a line of a story: p0 -> a9999999999 PREPARE 1"),
        (BEGINNING + "proposer-0 -> accep", "line 4: not a line of a story: proposer-0 -> accep"),
        (BEGINNING + "proposer-0 -> acceptor-0 PREP", "line 4: not a message: PREP; type one"),
        (BEGINNING + "proposer-0 -> acceptor-9 PREPARE 1", "line 4: acceptor-9 does not take part"),
        (
            BEGINNING + "proposer-0 -> acceptor-0 PROPOSE 1 apple",
            "line 4: this message was not sent: proposer-0 -> acceptor-0 PROPOSE 1 apple; in flight to acceptor-0: "
            "proposer-0 -> acceptor-0 PREPARE 1; proposer-1 -> acceptor-0 PREPARE 2",
        ),
        (BEGINNING + BEGINNING, "line 4: a second story begins here"),
        (
            BEGINNING + "Round 2: proposer-0 wants plum",
            "line 4: proposer-0 already wants apple; a story is one round: add --round K to the command that wrote it",
        ),
        (BEGINNING + "     p0  p1  a0", "line 4: this is a diagram; save the story without --diagram"),
        (BEGINNING + "proposer-1 wants", "line 4: a value must not be empty"),
        ("p0 wants ", "line 1: a value must not be empty"),
        (
            BEGINNING.replace("3 acceptors", "9,999,999,999 acceptors"),
            "line 1: the cluster has",
        ),
        (BEGINNING + "Changed rule, nothing: It is.", "line 4: unknown rule nothing"),
        ('{"event":"wants"}', "line 1: not an event of a story"),
        ('{"event":"start","num_acceptors":1}\n{"event":', 'line 2: not an event of a story: {"event":'),
        ("{}", "line 1: not an event of a story"),
        (
            '{"event":"start","num_acceptors":1,"restarts":"x"}',
            "line 1: the cluster has x for res",
        ),
        (
            '{"event":"start","num_acceptors":1e9}\n{"event":"wants","proposer":"proposer-0","value":"x","time":0}',
            "line 1: the cluster has 1000000000.0 for num_acceptors: choose 1 to 10,000",
        ),
        (
            BEGINNING + "a0 crashes",
            "line 4: only a proposer crashes for good; for an acceptor, type a line such as acceptor-0 restarts",
        ),
        ('{"event":"wants","proposer":"proposer-0","value":7}', "line 1: not an event of a story"),
        ('{"event":"crash","proposer":[],"unsent":"","recipient":""}', "line 1: not an event of a story"),
        (
            "network: 1 to 10 ms, 3 attempts\nproposer-0 wants a",
            "line 2: no acceptor is named",
        ),
        ("\x00\x01", "line 1: not a line of a story: "),
    ],
)
def test_a_bad_story_is_a_line_with_its_number(story: str, words: str) -> None:
    with pytest.raises(StoryError) as error:
        replayed(story)
    assert str(error.value).startswith(words)
    assert "\n" not in str(error.value)


def test_a_story_in_another_format_is_refused() -> None:
    with pytest.raises(StoryError, match=r"line 1: this is not in format 2, the only one that this version .* reads$"):
        read_story(
            b'{"event":"start","format":1,"num_acceptors":1}\n{"event":"wants","proposer":"proposer-0","value":"a"}'
        )


def test_a_story_may_hold_events_and_keys_that_are_not_known() -> None:
    lines = [
        {"event": "start", "format": 2, "num_acceptors": 1, "weather": "fine"},
        {"event": "wants", "proposer": "proposer-0", "value": "apple", "mood": "good"},
        {"event": "party"},
    ]
    assert replayed("\n".join(map(json.dumps, lines))).proposers == ["proposer-0"]


@pytest.mark.parametrize("line", ["proposer-0 tries again, attempt 2 under 3", "acceptor-0 restarts"])
def test_a_story_has_the_attempts_and_restarts_of_its_moves_even_if_its_first_line_says_fewer(line: str) -> None:
    assert replayed(f"{BEGINNING}   1  {line}\n").time == 1


def test_a_byte_order_mark_is_not_part_of_a_story() -> None:
    assert read_story(b"\xef\xbb\xbf" + BEGINNING.encode()) == read_story(BEGINNING.encode())


def test_a_story_names_the_lowest_number_of_its_proposers() -> None:
    text = (
        BEGINNING.replace("restarts each,", "restarts each, numbers from 9,") + "proposer-0 -> acceptor-0 PREPARE 9\n"
    )
    assert replayed(text).time == 1


@pytest.mark.parametrize("unsent", ["", " before it can send anything to anybody"])
def test_a_proposer_can_crash_when_it_is_not_sending(unsent: str) -> None:
    game = replayed(f"{BEGINNING}   0  proposer-0 crashes{unsent}\n")
    assert game.events[-1] == Crash(0, "proposer-0", "", "")


def test_a_story_that_is_too_long_is_not_read() -> None:
    with pytest.raises(StoryError, match="line 1: a story has at most 10,000,000 bytes"):
        read_story(bytes(10_000_001))


def test_bytes_that_are_not_text_are_refused_with_their_line() -> None:
    with pytest.raises(StoryError, match="line 2: not a line of a story: "):
        read_story(BEGINNING.partition("\n")[0].encode() + b"\n\xff\xfe")


# Stories typed by hand


def test_a_story_typed_by_hand_is_the_story_that_is_printed() -> None:
    assert replayed(TYPED).events == replayed(shipped()["adoption"].decode()).events


def test_a_story_with_its_first_line_can_be_typed_by_hand_too() -> None:
    lines = TYPED.replace("  wants  pear ", "  wants pear").replace("  apple ", " apple").partition("\n")[2]
    assert replayed(BEGINNING.partition("\n")[0] + "\n" + lines).events == replayed(TYPED).events


def test_a_value_that_is_printed_keeps_its_blanks() -> None:
    text = BEGINNING.replace("apple", "  red  apple ")
    assert replayed(text).model.values == ["  red  apple ", "pear"]


@pytest.mark.parametrize("value", ["PROMISE 2 (1 x)", "lost: PROMISE 2 (1 x)", "(1 x)", "a: b", "p1"])
def test_a_value_may_look_like_something_else(value: str) -> None:
    text = (
        "p0 wants {0}\np0 -> a0 PREPARE 1\na0 -> p0 PROMISE 1\np0 -> a0 PROPOSE 1 {0}\np1 wants x\np1 -> a0 PREPARE 2\n"
    )
    game = replayed((text + "a0 -> p1 PROMISE 2 (1 {0})\na0 -> p1 lost: PROMISE 2 (1 {0})\n").format(value))
    assert game.model.values == [value, "x"]
    assert len(game.moves) == 6


def test_the_size_of_a_cluster_follows_from_the_names_unless_it_is_given() -> None:
    text = "p1 wants pear\np0 wants apple\np0 crashes before PROPOSE to a3\n"
    model = replayed(text).model
    assert (model.num_proposers, model.num_acceptors, model.values) == (2, 4, ["apple", "pear"])
    assert replayed(text, num_acceptors=7).model.num_acceptors == 7
    with pytest.raises(StoryError, match=r"proposer-1 does not take part$"):
        replayed(text, num_proposers=1)
    with pytest.raises(StoryError, match=r"line 1: acceptor-1 does not take part$"):
        replayed("p0 -> a1 PREPARE 1\np0 wants apple", num_acceptors=1)


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("p0 gives up", "give up"),
        ("p0 tries again", "timeout"),
        ("a0 restarts", "restart"),
        ("p0 crashes", "crash"),
        ("p0 -> a0 lost: PREPARE 1", "drop"),
        ("p0 -> a0 failed: PREPARE 1", "fail"),
        ("p0 -> a0 stale: PREPARE 1", "deliver"),
    ],
)
def test_every_move_can_be_typed_with_short_names(line: str, kind: str) -> None:
    (move,) = replayed(f"p0 wants p1\n{line}\n", num_acceptors=1).moves
    assert move.kind == kind


def test_comments_of_a_story_typed_by_hand_stand_where_they_were() -> None:
    story = read_story(b"# what it is for\np0 wants apple\np0 -> a0 PREPARE 1\n # and then\na0 -> p0 PROMISE 1\n")
    assert story.comments == {-1: ["# what it is for"], 1: ["# and then"]}
