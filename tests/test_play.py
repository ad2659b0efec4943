"""`toy-paxos play` as its user meets it: a story is played again, on a pipe and on a terminal, and moves are typed."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from conftest import COMMAND, OnTerminal, Run, RunHere, clean_environment, run_process
from wrong_actors import WRONG, CountsFailAsPromise, FixedQuorum

import toy_paxos
from toy_paxos.checking import CHANGED_RULES, Game, Model, Move
from toy_paxos.checking.climb import CLIMB
from toy_paxos.command.game_view import GameView
from toy_paxos.command.moves import Player
from toy_paxos.command.play import offer

STORIES = sorted((Path(toy_paxos.__file__).parent / "stories").glob("*.txt"))

UNSAFE = [rule.name for rule in CHANGED_RULES.values() if rule.fate == "unsafe"]

# What can happen in so small a game is found out in no time.
SMALL = ("--max-attempts", "1")


@pytest.fixture
def run(run_here: RunHere) -> RunHere:
    """Play in this process."""
    return run_here


@pytest.fixture
def story(tmp_path: Path, run_here: RunHere, searched_once: None) -> Path:
    """A counterexample in a file."""
    path = tmp_path / "s.txt"
    path.write_text(run_here("check", "--break", "adopts-lowest").stdout)
    return path


# Stories


@pytest.mark.usefixtures("searched_once")
@pytest.mark.parametrize("form", [[], ["--json"]])
@pytest.mark.parametrize("name", UNSAFE)
def test_the_story_of_every_unsafe_rule_is_lost_again(
    name: str, form: list[str], tmp_path: Path, run_here: RunHere
) -> None:
    path = tmp_path / "story"
    path.write_text(run_here("check", "--break", name, *form).stdout)
    done = run_here("play", str(path))
    assert done.returncode == 3
    assert "\nSafety is lost in " in done.stdout


@pytest.mark.usefixtures("searched_once")
@pytest.mark.parametrize("name", UNSAFE)
def test_check_and_play_tell_the_same_story_with_its_violation(name: str, run_here: RunHere) -> None:
    checked = run_here("check", "--break", name).stdout
    played = run_here("play", "-", typed=checked).stdout
    told, again = (its[its.index("proposer-0 wants") :] for its in (checked, played))
    assert told.partition("\n\n")[0] == again.partition("\nSafety is lost in ")[0]


def test_a_game_that_loses_another_property_is_not_won_and_fails(run: Run) -> None:
    typed = "timeout p0\np0 -> a0 PREPARE 2\np0 -> a0 PREPARE 1\nhint\n"
    done = run("play", "--break", "lowers-promise", "--num-proposers", "1", "--max-attempts", "2", typed=typed)
    assert done.returncode == 3
    assert "INVARIANT VIOLATED, acceptor-0 promises 1 after 2\n" in done.stdout
    assert "# 'at most one value is chosen' cannot be violated from here, for 1 proposer, 3 acceptors" in done.stdout


def test_a_game_has_quorums_of_any_sizes_and_its_story_names_them(run_here: RunHere) -> None:
    story = run_here("check", "-n", "4", "--quorums", "2,2").stdout
    for again in (story, run_here("check", "-n", "4", "--quorums", "2,2", "--json").stdout):
        done = run_here("play", "-", typed=again)
        assert done.returncode == 3
        assert ", quorums of 2 and 2 that need not meet, " in done.stdout
    done = run_here("play", "-", typed=story.replace("quorums of 2 and 2", "quorums of 2 and 5"))
    assert done.stderr.endswith("quorums 2,5: each must be from 1 to 4, the number of acceptors\n")


def test_output_of_play_is_played_again_to_the_same_bytes(story: Path, run_here: RunHere, run: Run) -> None:
    first = run_here("play", str(story)).stdout
    story.write_text(first)
    assert run_here("play", str(story)).stdout == first
    assert run("play", "-", typed=first).stdout == first


def test_correct_actors_stop_at_the_first_message_that_they_would_not_send(story: Path, run_here: RunHere) -> None:
    done = run_here("play", "--break", "none", str(story))
    assert done.returncode == 2
    words = (
        ": line 28: this message was not sent: proposer-2 -> acceptor-0 PROPOSE 3 value-0; in flight to acceptor-0: "
    )
    assert words in done.stderr
    assert done.stderr.endswith("; proposer-2 -> acceptor-0 PROPOSE 3 value-1\n")


def test_correct_actors_may_play_a_story_to_its_end(run_here: RunHere) -> None:
    done = run_here("play", "--break", "none", str(STORIES[0]))
    assert done.returncode == 0
    assert done.stdout == run_here("play", str(STORIES[0])).stdout


def test_a_round_of_a_run_is_played_again(run_here: RunHere, run: Run) -> None:
    printed = run_here("--seed", "288", "--round", "1", "--num-proposers", "2", "-n", "3").stdout
    done = run("play", "-", typed=printed)
    assert done.returncode == 0
    assert "CHOSEN, for a quorum has accepted proposal " in done.stdout


@pytest.mark.parametrize("data", [b"\xff\xfe\x00", b"nonsense\n", b"x\n" * 20_000, b"", b"{\n"])
def test_a_bad_story_is_one_line_with_the_number_of_the_line(data: bytes, tmp_path: Path, run_here: RunHere) -> None:
    (tmp_path / "bad").write_bytes(data)
    done = run_here("play", str(tmp_path / "bad"))
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert "line 1: " in done.stderr


@pytest.mark.parametrize("file", [".", "", "nobody/has/this"])
def test_a_file_that_cannot_be_read_is_one_line(file: str, run_here: RunHere) -> None:
    done = run_here("play", file)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert done.stderr.startswith("toy-paxos: cannot read ")


MINE = """
from toy_paxos.acceptor import Acceptor

print("imported")

class Mine(Acceptor):
    def accept(self, request):
        self.promised = request.id
        return super().accept(request)
"""


@pytest.mark.parametrize("form", [[], ["--json"]])
@pytest.mark.parametrize("command", [["check"], ["--num-proposers", "3", "--seed", "1", "--round", "1"]])
def test_a_story_of_own_actors_imports_none_but_asks_for_them(
    command: list[str], form: list[str], tmp_path: Path, run_here: RunHere
) -> None:
    (tmp_path / "mine.py").write_text(MINE)
    path, mine = tmp_path / "story", ["--acceptor", f"{tmp_path}/mine.py:Mine"]
    path.write_text(run_here(*command, *mine, *form).stdout)
    done = run_here("play", str(path))
    assert (done.returncode, done.stdout) == (2, "")
    assert "imported" not in done.stderr
    assert "this story was played by other actors" in done.stderr
    assert "name them by options, too" in done.stderr
    assert run_here("play", str(path), *mine).returncode == 3


@pytest.mark.usefixtures("few_walks")
@pytest.mark.parametrize(
    ("actor", "form"), [(CountsFailAsPromise, []), (CountsFailAsPromise, ["--json"]), (FixedQuorum, [])]
)
def test_the_text_of_a_climb_is_played_again_in_its_last_cluster(
    actor: type[Any], form: list[str], run_here: RunHere, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert WRONG[actor] > 4, "it falls after the cluster whose numbers begin at 9"
    monkeypatch.setattr(sys.modules["toy_paxos.checking.climb"], "CLIMB", CLIMB[4:])
    proposer = ["--proposer", f"{Path(__file__).parent / 'wrong_actors.py'}:{actor.__name__}"]
    climb = run_here("check", *proposer, *form).stdout
    done = run("play", *proposer, "-", typed=climb)
    assert (done.returncode, done.stderr) == (3, "")
    assert "SAFETY VIOLATED" in done.stdout


def test_a_climb_without_a_counterexample_is_no_story(run: Run) -> None:
    climb = (
        "toy-paxos 1.3.0 check: clusters\nok  2 proposers, 1 acceptor: 153 states\n\nok   always     so\nSAFE in all\n"
    )
    done = run("play", "-", typed=climb)
    assert (done.returncode, done.stdout) == (2, "")
    assert "it has no round, no counterexample and no game" in done.stderr


# Typed moves


def test_moves_are_typed_and_taken_back_and_saved(tmp_path: Path, run: Run) -> None:
    path = tmp_path / "saved.txt"
    typed = f"1\n2\n# a comment\nhint\nfoo\n7\nundo\nundo\nfail 2\ndrop 4\ncrash p0\nroll 3\nsave {path}\nquit\n1\n"
    done = run("play", "--break", "ignores-accepted", typed=typed)
    assert (done.returncode, done.stderr) == (0, "")
    assert "# unknown move foo." in done.stdout
    assert "# type 7: acceptor-0 -> proposer-0 PROMISE 1, nothing accepted (safety can be violated in " in done.stdout
    assert "failed: PREPARE 1\n" in done.stdout
    assert done.stdout == f"{path.read_text()}# saved: toy-paxos play {path} plays it again\n"
    assert run("play", str(path)).stdout == path.read_text()


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("99", "message 99 does not exist; messages are numbered 1 to 6"),
        ("timeout p7", "proposer-7 is not one of the proposers proposer-0, proposer-1"),
        ("crash a0", "acceptor-0 is not one of the proposers"),
        ("restart p0", "only an acceptor can restart, acceptor-0 to acceptor-2"),
        ("undo", "nothing to undo"),
        ("1\nundo 2", "only 1 move can be undone"),
        ("fail x", "x is not a number of at most 9 digits; type one such as 3"),
        ("fail 1234567890", "1234567890 is not a number of at most 9 digits; type one such as 3"),
        ("hnit", "unknown move hnit. Did you mean 'hint'?"),
        ("HNIT", "unknown move HNIT. Did you mean 'hint'?"),
        ("1 2", "unknown move 1 2. 'help' lists them"),
        ("save", "save what? Type a line such as: save FILE"),
        ("drop", "drop what? Type a line such as: drop 3"),
        ("crash ", "crash what? Type a line such as: crash p0"),
        ("Restart", "Restart what? Type a line such as: restart a1"),
        ("p0 wants apple", "proposer-0 already wants value-0"),
        ("p0 wants", "a value must not be empty"),
        ("p0 -> a0 PROPOSE", "not a message: PROPOSE; type one such as PREPARE 1 or PROPOSE 1 apple"),
        ("save /nowhere/at/all", "cannot write /nowhere/at/all: No such file"),
        (f"save {__file__}", "File exists"),
        ("crash p0\ntimeout p0", "proposer-0 has crashed already"),
        (
            "proposer-0 -> acceptor-0 PREPARE 9",
            "this message was not sent: proposer-0 -> acceptor-0 PREPARE 9; in flight",
        ),
        ("roll 100000", "nothing is in flight, and no proposer can try again"),
        ("100000", "message 100000 does not exist; messages are numbered 1 to 6"),
    ],
)
def test_a_wrong_move_says_what_would_be_right_and_costs_nothing(typed: str, words: str, run: Run) -> None:
    done = run("play", typed=typed + "\n")
    assert (done.returncode, done.stderr) == (0, "")
    assert words in done.stdout.splitlines()[-1]
    assert done.stdout.splitlines()[-1].startswith("# ")


def test_standard_input_may_be_closed() -> None:
    for args, status in (([], 0), (["-"], 2)):
        done = subprocess.run(
            ["sh", "-c", 'exec "$@" <&-', "sh", *COMMAND, "play", *args],
            capture_output=True,
            env=clean_environment(),
            check=False,
        )
        assert done.returncode == status
        assert done.stderr.count(b"\n") == (status == 2)


@pytest.mark.parametrize(
    ("says", "words"),
    [
        ("['hello']", "an object of type str is not a message"),
        (
            "iter(lambda: Promise(self.name, request.sender, request.id, None), None)",
            "receive returned 100,000 messages or more",
        ),
        (
            "[Timeout(self.name, self.name, request.id)]",
            "an actor must not send TIMEOUT: the clock and the power switch do",
        ),
        ("[Promise(self.name, 'nobody', request.id, None)]", "PROMISE to 'nobody', but no actor has that name"),
        ("[Promise(self.name, 'power', request.id, None)]", "PROMISE to 'power': RESTART comes from no actor, do not "),
    ],
)
def test_a_message_that_no_actor_can_send_is_an_error_in_one_line(
    says: str, words: str, run: Run, tmp_path: Path
) -> None:
    (tmp_path / "odd.py").write_text(
        "from toy_paxos.acceptor import Acceptor\n"
        "from toy_paxos.message import Promise, Timeout\n"
        "class Odd(Acceptor):\n"
        f"    def promise(self, request):\n        return {says}\n"
    )
    done = run("play", "--acceptor", f"{tmp_path}/odd.py:Odd", typed="1\nstate\n")
    assert done.returncode == 2
    assert done.stderr.startswith("toy-paxos: an actor fails: ")
    assert words in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("does", ["raise SystemExit(0)", "print(7 // (3 - self.asked))"])
def test_an_actor_that_fails_is_reported_after_moves_and_after_undo(does: str, run: Run, tmp_path: Path) -> None:
    (tmp_path / "odd.py").write_text(
        "from toy_paxos.acceptor import Acceptor\n"
        "class Odd(Acceptor):\n"
        "    asked = 0\n"
        "    def promise(self, request):\n"
        "        Odd.asked += 1\n"
        f"        {does}\n"
        "        return super().promise(request)\n"
    )
    done = run("play", "--acceptor", f"{tmp_path}/odd.py:Odd", typed="1\n2\nundo\n")
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith(
        "toy-paxos: an actor fails: on receiving PREPARE 1 from proposer-0 to "
    )
    assert done.stderr.endswith(" (odd.py, line 6)\n")
    assert "7\n" not in done.stdout


# On a terminal


def test_on_a_terminal_a_story_plays_to_its_end_as_lanes_and_can_be_taken_back(
    story: Path, on_terminal: OnTerminal
) -> None:
    shown = on_terminal("play", str(story), columns=140, NO_COLOR="1", typed=["undo", "undo", "state", "help", "quit"])
    assert "p0  p1  p2  a0  a1  a2" in shown
    assert "SAFETY VIOLATED" in shown
    assert "acceptor-0: promised " in shown
    assert "safety can be violated in 2 deliveries" in shown
    assert "safety can be violated in 1 delivery\n" in shown


@pytest.mark.parametrize("options", [("--diagram",), ("--json",), ("-o", "game.txt")])
def test_on_a_terminal_a_story_that_is_only_to_be_shown_opens_no_prompt(
    options: tuple[str, ...], own_folder: None, on_terminal: OnTerminal
) -> None:
    # With a prompt, the test would have nothing to type.
    shown = on_terminal("play", "duel", *options, NO_COLOR="1")
    assert "You are the network" not in shown
    assert "PROPOSE" in shown
    assert "CHOSEN" in shown or '"event":"chosen"' in shown


def test_after_each_move_the_last_rows_stand_under_the_names_of_the_lanes(on_terminal: OnTerminal) -> None:
    shown = on_terminal("play", *SMALL, TERM="dumb", typed=["1", "2", "7", "undo", "quit"])
    # From the last names on: who echoes what was typed, the terminal or readline, depends on who is quicker.
    last = shown.split("     p0  p1  a0  a1  a2\n")[-1].splitlines()
    # On a slow machine the search tells how far it is.
    told = [row for row in last if not row.startswith("Ctrl-C ends the search")]
    assert [row[:5] for row in told[:2]] == ["  1  ", "  2  "]
    assert told[2:4] == ["in flight:", "  [3] proposer-0 -> acceptor-2 PREPARE 1"]


def test_messages_in_flight_are_listed_again_only_after_a_move(on_terminal: OnTerminal) -> None:
    shown = on_terminal("play", *SMALL, TERM="dumb", typed=["", "help", "foo", "hint", "1", "quit"])
    assert shown.count("in flight:\n") == 2


def test_a_delivered_message_can_come_again_under_its_number(run: Run) -> None:
    done = run("play", typed="1\ndrop 2\nstate\n")
    assert done.stdout.endswith("# delivered or lost, and can come again: 1 2\n")
    done = run("play", "-n", "1", "--num-proposers", "1", typed="drop 1\nstate\n")
    assert "\n# in flight: nothing\n" in done.stdout


def test_after_a_loss_a_game_lists_commands_without_messages_or_a_goal(story: Path, on_terminal: OnTerminal) -> None:
    shown = on_terminal("play", str(story), columns=140, TERM="dumb", typed=["quit"])
    assert "in flight" not in shown
    assert "The goal" not in shown
    assert "'undo' takes a move back, 'save FILE' keeps the story, 'quit' ends the game\ntoy-paxos> " in shown


def test_the_greeting_says_whether_the_actors_are_correct_and_promises_a_hint_only_if_they_are_not(
    on_terminal: OnTerminal,
) -> None:
    correct, hint = (
        "These actors are correct: safety should hold",
        "'hint' names the next move, if there is a way there",
    )
    greeted = on_terminal("play", *SMALL, columns=140, typed=["quit"])
    assert (correct in greeted, hint in greeted) == (True, False)
    greeted = on_terminal("play", "--break", "forgets-all", columns=140, typed=["quit"])
    assert (correct in greeted, hint in greeted) == (False, True)


@pytest.mark.parametrize("typed", ["h", "H", "?", "Help", "HELP"])
def test_help_has_short_names(typed: str, run: Run) -> None:
    assert run("play", typed=f"{typed}\n").stdout == run("play", typed="help\n").stdout


def test_a_diagram_on_a_pipe_keeps_its_title_after_undo(run: Run) -> None:
    lines = run("play", "-n", "1", "--diagram", typed="1\n2\nundo\n").stdout.splitlines()
    assert lines[0].startswith("toy-paxos ")
    assert "proposer-0 wants value-0" in lines


def test_capital_letters_are_as_good(run: Run) -> None:
    small = "hint\n1\nfail 2\ndrop 3\ntimeout p0\nrestart a1\nundo\ncrash p1\nstate\n"
    play = "play", "-n", "2"
    assert run(*play, typed=small.upper()).stdout == run(*play, typed=small).stdout


def test_enter_after_a_hint_makes_the_move_and_at_any_other_time_none(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    won = run("play", "--break", "skips-phase-1", typed="\nhint\n" * 4 + "\n")
    assert won.returncode == 3
    assert "\nSafety is lost in 4 deliveries: " in won.stdout
    # The search for such a hint takes long; test_look_ahead.py has one.
    timeout = "type timeout p0", Move("timeout", actor="proposer-0")
    monkeypatch.setattr("toy_paxos.command.moves.hint", lambda game: timeout)
    args = ("play", "--max-attempts", "3")
    assert run(*args, typed="hint\n\n\n\n").stdout.count("tries again") == 1
    assert run(*args, typed="\nhint\nfoo\n\n").stdout.count("tries again") == 0


def test_enter_after_a_hint_that_names_no_move_makes_none(run: Run) -> None:
    done = run("play", *SMALL, typed="hint\n\n")
    assert done.stdout.endswith("FAIL never delivered\n")


def test_help_tells_how_many_attempts_and_restarts_there_are_if_any(run_here: RunHere) -> None:
    shown = run_here("play", typed="help\n").stdout
    assert "let a proposer try again: 2 attempts each" in shown
    assert "let an acceptor restart: 1 restart each" in shown
    shown = run_here("play", "--break", "ignores-accepted", typed="help\n").stdout
    assert "crash p0 " in shown
    assert "timeout p0 " not in shown
    assert "restart a1 " not in shown


def test_ctrl_d_ends_a_game(on_terminal: OnTerminal) -> None:
    assert on_terminal("play", *SMALL, typed=["\x04"]).endswith("toy-paxos> \n")


def test_ctrl_c_ends_the_search_and_not_the_game(slow: Path, on_terminal: OnTerminal) -> None:
    shown = on_terminal(
        "play",
        *SMALL,
        "--acceptor",
        f"{slow}:Slow",
        columns=140,
        interrupt_at=b"Ctrl-C ends the search",
        typed=["quit"],
    )
    assert "what can still be chosen is not found out: the search was ended" in shown


def test_messages_in_flight_are_shown_before_a_search_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    def search(game: Game) -> str:
        raise TimeoutError

    monkeypatch.setattr("toy_paxos.command.play.possibilities", search)
    told = offer(Player(GameView(Game(Model(2, 2)), "", {})))
    assert [next(told) for _ in range(5)][-1] == "  [4] proposer-1 -> acceptor-1 PREPARE 2"
    with pytest.raises(TimeoutError):
        next(told)


def test_ctrl_c_at_the_prompt_ends_no_game(on_terminal: OnTerminal) -> None:
    # Whether the first line is read or lost depends on who is quicker.
    shown = on_terminal("play", *SMALL, interrupt_at=b"toy-paxos> ", typed=["state", "quit", "quit"])
    assert "'quit' or Ctrl-D ends the game" in shown
    assert shown.count("wants value-0") == 1


@pytest.fixture
def typed_by_hand(tmp_path: Path) -> str:
    """A file with a story that names no sizes."""
    (tmp_path / "typed").write_text("p0 wants apple\np0 -> a0 PREPARE 1\n")
    return str(tmp_path / "typed")


def test_sizes_are_given_to_a_story_that_names_none(typed_by_hand: str, run_here: RunHere) -> None:
    sizes = ("-n", "5", "--max-attempts", "2", "--restarts", "1")
    done = run_here("play", typed_by_hand, *sizes)
    assert done.stderr == ""
    assert done.stdout.startswith("toy-paxos 1.3.0 play: 1 proposer, 5 acceptors, 2 attempts, 1 restart each\n")
    Path(typed_by_hand).write_text(done.stdout)
    assert run_here("play", typed_by_hand).stdout == done.stdout
    other = run_here("play", typed_by_hand, "-n", "4")
    assert (other.returncode, other.stdout) == (2, "")
    assert "the story has its own sizes: leave out the options for sizes." in other.stderr


def test_a_line_of_a_story_is_typed_in_a_game_with_short_names(run_here: RunHere) -> None:
    done = run_here("play", *SMALL, typed="p0  ->  a1 PREPARE 1\na1 -> p0 PROMISE 1\n")
    assert "   2  acceptor-1 -> proposer-0 PROMISE 1, nothing accepted\n" in done.stdout


# The stories of the package


@pytest.mark.parametrize("path", STORIES, ids=[path.stem for path in STORIES])
def test_a_story_of_the_package_is_played_by_its_name(path: Path, run_here: RunHere) -> None:
    done = run_here("play", path.stem)
    assert done.stderr == ""
    assert done.stdout == path.read_text(encoding="utf-8")
    assert done.returncode == (3 if "SAFETY VIOLATED" in done.stdout else 0)


def test_the_list_has_one_sentence_for_each_story(run_here: RunHere) -> None:
    done = run_here("play", "list")
    sentences = {path.stem: path.read_text(encoding="utf-8").splitlines()[0] for path in STORIES}
    assert len(STORIES) >= 8
    assert dict(line.split(maxsplit=1) for line in done.stdout.splitlines()) == {
        name: sentence.removeprefix("# ") for name, sentence in sentences.items()
    }
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", ["duel", "list"])
def test_a_file_in_the_present_folder_wins_over_a_name_of_the_package(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run_here: RunHere
) -> None:
    monkeypatch.chdir(tmp_path)
    Path(name).mkdir()
    assert run_here("play", name).returncode == 0
    Path(name).rmdir()
    Path(name).write_text("# mine\n" + STORIES[0].read_text(encoding="utf-8"))
    assert run_here("play", name).stdout.startswith("# mine\n")


def test_an_unknown_name_is_one_line_with_the_name_that_was_probably_meant(run_here: RunHere) -> None:
    done = run_here("play", "adoptoin")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "toy-paxos: cannot read adoptoin: No such file or directory. "
        "Did you mean 'adoption'? 'toy-paxos play list' lists the stories by name\n"
    )
    assert "play list" not in run_here("play", "./adoption").stderr


def test_the_shell_completes_names_of_stories_and_files() -> None:
    words = {"COMP_WORDS": "toy-paxos play ad", "COMP_CWORD": "2"}
    assert run_process(_TOY_PAXOS_COMPLETE="bash_complete", **words).stdout == "plain,adoption\nfile,ad\n"
    words["COMP_WORDS"] = "toy-paxos play l"
    assert run_process(_TOY_PAXOS_COMPLETE="bash_complete", **words).stdout == "plain,list\nfile,l\n"


def test_a_story_is_drawn_and_written_as_json_on_a_pipe(run_here: RunHere) -> None:
    drawn = run_here("play", "--diagram", "adoption").stdout
    assert "     p0  p1  a0  a1  a2\n" in drawn
    assert drawn.count("p1 adopts what a1 accepted under 1: apple") == 1
    events = [json.loads(line) for line in run_here("play", "--json", "adoption").stdout.splitlines()]
    assert [event["event"] for event in events[:3]] == ["start", "wants", "wants"]
    assert run_here("play", "-", typed="\n".join(map(json.dumps, events))).returncode == 0
