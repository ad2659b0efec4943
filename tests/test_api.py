"""The API: its names cost nothing until they are used, and it does what the command line does."""

import doctest
import re
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from conftest import PrintedBy

import toy_paxos
from toy_paxos import api
from toy_paxos.acceptor import Acceptor
from toy_paxos.actor_registry import registry
from toy_paxos.checking import CHANGED_RULES, CheckError, Game, Model
from toy_paxos.checking.alone import LADDER
from toy_paxos.event import Delivery
from toy_paxos.event_json import event_line
from toy_paxos.message import Message
from toy_paxos.proposer import Proposer
from toy_paxos.story import Story

NETWORK = "--num-proposers 3 --message-loss-prob 0.1 --acceptor-crash-prob 0.02 --proposer-failure-prob 0.01"


def imported_by(code: str) -> set[str]:
    """The modules that a new Python has imported after some code."""
    code += "\nimport sys\nprint(*sys.modules)"
    return set(subprocess.check_output([sys.executable, "-c", code], encoding="utf-8").split())


def ours(modules: set[str]) -> set[str]:
    return {module for module in modules if module.split(".")[0] in ("toy_paxos", "click", "rich", "grpc", "kazoo")}


# Names


def test_importing_the_package_imports_no_other_module_of_it() -> None:
    assert ours(imported_by("import toy_paxos")) == {"toy_paxos"}
    assert ours(imported_by("import toy_paxos; dir(toy_paxos); toy_paxos.__version__")) == {"toy_paxos"}


def test_rounds_and_checks_need_neither_click_nor_rich_nor_grpc() -> None:
    code = "import toy_paxos\nprint(next(toy_paxos.rounds(seed=1)).story.text(), toy_paxos.check(num_acceptors=1))"
    assert {module.split(".")[0] for module in ours(imported_by(code))} == {"toy_paxos"}


def test_the_package_lists_the_names_that_it_offers() -> None:
    assert set(toy_paxos.__all__) <= set(dir(toy_paxos))
    for name in toy_paxos.__all__:
        assert getattr(toy_paxos, name) is getattr(api, name)
    with pytest.raises(AttributeError, match="has no attribute 'played'"):
        toy_paxos.played  # type: ignore[attr-defined] # noqa: B018


def test_each_name_has_an_example_that_is_true() -> None:
    tests = {test.name: test for test in doctest.DocTestFinder(exclude_empty=True).find(api)}
    assert {f"toy_paxos.api.{name}" for name in toy_paxos.__all__} <= tests.keys()
    failed, tried = doctest.testmod(api)
    assert tried > 10
    assert failed == 0


# Rounds


@pytest.mark.parametrize(
    ("options", "arguments"),
    [
        ("-n 3 -p 0.3", {"num_acceptors": 3, "acceptor_failure_prob": 0.3}),
        (
            NETWORK,
            {
                "num_proposers": 3,
                "message_loss_prob": 0.1,
                "acceptor_crash_prob": 0.02,
                "proposer_failure_prob": 0.01,
            },
        ),
        ("--num-proposers 1 --value apple", {"num_proposers": 1, "values": ["apple"]}),
    ],
)
def test_the_same_seed_gives_the_rounds_of_the_command_line(
    options: str, arguments: dict[str, Any], printed_by: PrintedBy
) -> None:
    printed = printed_by(f"toy-paxos {options} --seed 5 --rounds 12 --json")
    for round in islice(toy_paxos.rounds(seed=5, **arguments), 12):
        place, is_timed = f'"round":{round.number}', "num_proposers" in arguments
        assert "".join(event_line(event, place, is_timed) for event in round.story.events) in printed
        assert re.search(f'"event":"round",{place},.*"outcome":"{round.outcome}"', printed)


def test_without_a_seed_a_round_names_the_seed_that_replays_it() -> None:
    first = next(toy_paxos.rounds())
    assert next(toy_paxos.rounds(seed=first.seed)) == first


def test_two_runs_at_a_time_do_not_disturb_each_other() -> None:
    alone = list(islice(toy_paxos.rounds(seed=1, num_proposers=2), 5))
    one, other = toy_paxos.rounds(seed=1, num_proposers=2), toy_paxos.rounds(3, seed=2)
    both = [(next(one), next(other)) for _ in range(5)]
    assert [round for round, _ in both] == alone
    assert [round.story.events for round, _ in both] == [round.story.events for round in alone]


@pytest.mark.parametrize("network", [{}, {"num_proposers": 2}, {"acceptor": lambda name: Acceptor(name)}])
def test_a_run_has_a_registry_of_its_own_so_that_threads_can_play_at_once(network: dict[str, Any]) -> None:
    registry.clear()
    next(toy_paxos.rounds(seed=1, **network))
    assert not registry


def test_rounds_with_an_actor_of_ones_own_go_over_the_network() -> None:
    class Deaf(Acceptor):
        def receive(self, message: Message) -> list[Message]:
            return []

    assert next(toy_paxos.rounds(seed=1, acceptor=Deaf)).outcome == "not-chosen"


# Checks


def test_without_a_size_a_check_climbs_up_to_the_first_violation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("toy_paxos.checking.dice.WALKS", 1)
    verdict = toy_paxos.check(proposer=CHANGED_RULES["adopts-any"].model.proposer)
    assert verdict.word == "violated"
    assert not verdict.safe
    assert len(verdict.reports) > 1
    assert [report.violation for report in verdict.reports[:-1]] == [None] * (len(verdict.reports) - 1)
    assert verdict.story is not None


def test_a_verdict_of_many_clusters_says_in_how_many_the_rules_are_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("toy_paxos.checking.dice.WALKS", 1)
    monkeypatch.setattr("toy_paxos.checking.alone.LADDER", LADDER[:2])
    monkeypatch.setattr("toy_paxos.checking.climb.WITNESSES", 2)
    assert re.fullmatch(r"<Verdict: safe, 2 clusters, \d+ states; rules kept in 2 clusters>", repr(toy_paxos.check()))


def test_a_verdict_can_be_asserted() -> None:
    assert toy_paxos.check(num_acceptors=1)
    assert not toy_paxos.check(rule="skips-phase-1")
    assert not toy_paxos.check(rule="accepts-once"), "it is safe, but stuck"


def test_a_search_that_was_not_completed_is_unknown() -> None:
    assert toy_paxos.check(num_acceptors=3, max_states=5).safe, "all rules are kept"
    verdict = toy_paxos.check(num_acceptors=3, max_states=5, proposer=lambda *arguments: Proposer(*arguments[:3]))
    assert (verdict.word, verdict.safe, verdict.story) == ("unknown", False, None)


def test_a_result_is_one_line() -> None:
    for verdict in (
        toy_paxos.check(num_acceptors=1),
        toy_paxos.check(num_acceptors=3, max_states=5),
        toy_paxos.check(rule="skips-phase-1"),
    ):
        (report,) = verdict.reports
        for result in (repr(verdict), repr(report), repr(verdict.story)):
            assert len(result.splitlines()) == 1
            assert len(result) < 120


# Stories


@pytest.mark.parametrize("rule", ["skips-phase-1", "adopts-lowest", "forgets-promise"])
def test_a_counterexample_can_be_played_with_the_rule_that_it_names(rule: str) -> None:
    story = toy_paxos.check(rule=rule).story
    assert story
    again = toy_paxos.play(story)
    assert again.events == story.events
    assert toy_paxos.play(again.text()) == again


def test_a_round_over_the_network_can_be_played_as_a_story_or_as_its_text() -> None:
    for round in islice(toy_paxos.rounds(3, 0.1, seed=3, num_proposers=2, message_loss_prob=0.1), 20):
        played = toy_paxos.play(round.story)
        assert played == toy_paxos.play(round.story.text())
        chosen = {event.value for event in played.events if event.event == "chosen"}  # type: ignore[attr-defined]
        assert chosen == ({round.value} if round.value else set())


def test_json_lines_can_be_played(printed_by: PrintedBy) -> None:
    round = next(toy_paxos.rounds(3, 0.2, seed=2))
    printed = printed_by("toy-paxos -n 3 -p 0.2 --seed 2 --rounds 1 --json")
    assert toy_paxos.play(printed).events == toy_paxos.play(round.story).events


def test_a_story_names_the_first_number_of_its_proposers() -> None:
    model = Model(3, 3, first_number=9)
    game = Game(model)
    game.receive(game.said[0])
    played = toy_paxos.play(Story(model.configuration, game.events, about={"first_number": 9}))
    assert played.events == game.events
    assert toy_paxos.play(played.text()) == played


def test_a_notebook_shows_a_story_as_a_drawing() -> None:
    story = next(toy_paxos.rounds(seed=1)).story
    assert story._repr_html_() == story.svg()
    assert ElementTree.fromstring(story.svg()).tag.endswith("svg")


def test_a_story_that_is_too_large_for_a_drawing_says_so_and_shows_a_line_in_a_notebook() -> None:
    story = next(toy_paxos.rounds(200, seed=1)).story
    assert story._repr_html_() is None
    with pytest.raises(ValueError, match="at most 100"):
        story.svg()


# Arguments


@pytest.mark.parametrize(
    ("arguments", "kind", "words"),
    [
        ({"num_acceptors": 0}, ValueError, "num_acceptors must be from 1 to 10,000, not 0"),
        ({"num_acceptors": 2.5}, TypeError, "num_acceptors must be a whole number, not 2.5"),
        ({"acceptor_failure_prob": float("nan")}, ValueError, "acceptor_failure_prob must be from 0 to 1, not nan"),
        ({"acceptor_failure_prob": "0.1"}, TypeError, "acceptor_failure_prob must be a number, not '0.1'"),
        ({"seed": "x"}, TypeError, "seed must be a whole number, not 'x'"),
        ({"timeout": 0}, ValueError, "timeout must be from 0.1 to 3,600,000, not 0"),
        ({"num_proposers": 80}, ValueError, "num_proposers must be from 1 to 79, not 80"),
        ({"failure_mode": "loud"}, ValueError, "failure_mode must be 'reply' or 'silent', not 'loud'"),
        ({"loss": 1}, TypeError, "unknown option 'loss': the network has num_proposers, "),
        ({"values": "apple"}, TypeError, "values must be a list of texts, not 'apple'"),
        ({"values": None}, TypeError, "values must be a list of texts, not None"),
        ({"values": [1]}, TypeError, r"values must be a list of texts, not \[1\]"),
        ({"values": [""]}, ValueError, "a value must not be empty"),
        ({"values": ["a", "b"]}, ValueError, "2 values need num_proposers=2 or more"),
        ({"quorums": (6, 1)}, ValueError, "quorums 6,1: each must be from 1 to 5, the number of acceptors"),
        *[
            ({"quorums": pair}, TypeError, re.escape(f"quorums must be a pair of whole numbers, not {pair!r}"))
            for pair in (2, "22", (2,), (2.0, 2), (True, 2))
        ],
    ],
)
def test_rounds_refuses_wrong_arguments_at_once(arguments: dict[str, Any], kind: type[Exception], words: str) -> None:
    with pytest.raises(kind, match=f"^{words}"):
        toy_paxos.rounds(**arguments)


@pytest.mark.parametrize(
    ("arguments", "kind", "words"),
    [
        ({"num_acceptors": 10}, ValueError, "num_acceptors must be from 1 to 9, not 10"),
        ({"restarts": -1}, ValueError, "restarts must be from 0 to 9, not -1"),
        ({"max_states": 0}, ValueError, "max_states must be from 1 to 1,000,000,000, not 0"),
        ({"rule": "nothing"}, ValueError, "unknown rule 'nothing'. Choose one of "),
        ({"rule": "adopts_lowest"}, ValueError, "unknown rule 'adopts_lowest'. Did you mean 'adopts-lowest'[?]"),
        ({"quorums": (4, 1)}, ValueError, "quorums 4,1: each must be from 1 to 3, the number of acceptors"),
        ({"quorums": "22"}, TypeError, "quorums must be a pair of whole numbers, not '22'"),
        ({"acceptor": 5}, TypeError, "acceptor must be a class, a function or a text, not 5"),
        ({"rule": "skips-phase-1", "acceptor": Acceptor}, ValueError, "a rule brings its own actors"),
        ({"acceptor": list, "num_acceptors": 1}, ValueError, "class .list. is not an acceptor"),
    ],
)
def test_check_refuses_wrong_arguments(arguments: dict[str, Any], kind: type[Exception], words: str) -> None:
    with pytest.raises(kind, match=f"^{words}[^\n]*$"):
        toy_paxos.check(**arguments)


def test_quorums_are_checked_without_assertions_too() -> None:
    for use in ("rounds", "check"):
        command = [sys.executable, "-O", "-c", f"import toy_paxos\ntoy_paxos.{use}(quorums=(9, 1))"]
        done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
        assert "ValueError: quorums 9,1: each must be from 1 to " in done.stderr


@pytest.mark.parametrize(
    "play", [lambda actor: next(toy_paxos.rounds(3, 0, acceptor=actor)), lambda actor: toy_paxos.check(acceptor=actor)]
)
def test_ctrl_c_in_the_code_of_an_actor_comes_out_as_itself(play: Callable[[type], object]) -> None:
    class Interrupted(Acceptor):
        def receive(self, message: Message) -> list[Message]:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        play(Interrupted)


@pytest.mark.parametrize(
    ("story", "kind", "words"),
    [
        (7, TypeError, "story must be a story or its text, not a value of type int"),
        ("", ValueError, "line 1: "),
        ("hello world", ValueError, "line 1: not a line of a story: hello world"),
        ("hello", ValueError, "no story has the name hello. 'toy-paxos play list' lists the stories by name"),
        ("adoptoin", ValueError, "no story has the name adoptoin. Did you mean 'adoption'[?] "),
        (
            "toy-paxos 1: 1 proposer, 1 acceptor\nActors: acceptor x.py:X\nproposer-0 wants a",
            ValueError,
            "this story was played by other actors",
        ),
    ],
)
def test_play_refuses_anything_but_a_story(story: Any, kind: type[Exception], words: str) -> None:
    with pytest.raises(kind, match=f"^{words}[^\n]*$"):
        toy_paxos.play(story)


def test_an_error_about_an_actor_keeps_its_cause() -> None:
    class Silent(Proposer):
        def prepare(self) -> list[Message]:
            raise RuntimeError("no")

    with pytest.raises(ValueError, match="RuntimeError: no") as caught:
        toy_paxos.check(proposer=Silent, num_acceptors=1)
    assert isinstance(caught.value.__cause__, CheckError)


def forgets_to_answer(name: str) -> Any:
    class Silent(Acceptor):
        def receive(self, message: Message) -> list[Message]:
            return None  # type: ignore[return-value]

    return Silent(name)


def test_actors_that_fail_are_reported_in_the_same_words_everywhere() -> None:
    words = "receive returned None, not a list of messages"
    with pytest.raises(ValueError, match=words):
        next(toy_paxos.rounds(3, acceptor=forgets_to_answer))
    with pytest.raises(ValueError, match=words):
        toy_paxos.check(num_acceptors=3, acceptor=forgets_to_answer)


def test_an_error_about_a_function_names_no_line_of_the_program() -> None:
    with pytest.raises(ValueError, match=r"'int' object has no attribute 'name'$"):
        toy_paxos.check(num_acceptors=2, acceptor=len)  # type: ignore[arg-type]


STRANGER = """
class Acceptor:
    def __init__(self):
        self.promised, self.accepted = 0, (None, None)

    def prepare(self, n):
        if n > self.promised:
            self.promised = n
            return self.accepted

    def accept(self, n, value):
        if n >= self.promised:
            self.promised, self.accepted = n, (n, value)
            return True
"""


def test_actors_can_be_named_as_on_the_command_line_or_have_another_shape(tmp_path: Path) -> None:
    file = tmp_path / "stranger.py"
    file.write_text(STRANGER)
    named = f"{file}:Acceptor"
    its: dict[str, Any] = {"__name__": "stranger"}
    exec(STRANGER, its)
    assert api.check(num_acceptors=3, acceptor=named).safe
    assert api.check(num_acceptors=3, acceptor=its["Acceptor"]).safe
    story = next(api.rounds(3, 0, seed=1, acceptor=named)).story
    delivered = [event for event in api.play(story, acceptor=named).events if isinstance(event, Delivery)]
    assert delivered
    assert [event.promised for event in delivered] == [
        event.promised for event in story.events if isinstance(event, Delivery)
    ]
    assert delivered[0].promised == 1


@pytest.mark.parametrize(
    ("actor", "words"),
    [
        ("no.py:Acceptor", "file 'no.py' does not exist."),
        ("exec:", "exec: is not a command: it is empty."),
        (int, "class 'int' is not an acceptor: it needs receive(message), or prepare(n) and accept(n, value)"),
    ],
)
def test_an_argument_that_names_no_actor_is_refused(actor: Any, words: str) -> None:
    for use in (api.check, partial(api.play, "p0 wants x\np0 -> a0 PREPARE 1"), api.rounds):
        with pytest.raises(ValueError, match=re.escape(words)):
            use(acceptor=actor)


def test_a_story_that_is_not_played_strictly_goes_on_where_it_can() -> None:
    verdict = api.check(rule="skips-phase-1")
    assert verdict.story
    played = api.play(verdict.story, acceptor=Acceptor, proposer=Proposer, strict=False)
    assert [event.event for event in played.events] == ["wants", "wants"]
    verdict = api.check(rule="adopts-lowest")
    assert verdict.story
    played = api.play(verdict.story, acceptor=Acceptor, proposer=Proposer, strict=False)
    assert "violation" not in [event.event for event in played.events]
    assert sum(event.event == "message" for event in played.events) > 15
