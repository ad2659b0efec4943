"""What logs say, and what they cannot say: no more is claimed than is known."""

import json
import re
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from conftest import RunHere

from toy_paxos import __version__
from toy_paxos.event import Delivery, Event, TimedOut, Wants
from toy_paxos.message import Accept, Prepare, Promise, Proposal, Propose, Restart, Timeout
from toy_paxos.remote import CannotError
from toy_paxos.remote.records import Log
from toy_paxos.remote.verify import read_logs

RUN = 7


class Logs:
    """Logs of a run of two proposers and three acceptors, written by hand; each acceptor does as it is told."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.logs: dict[str, Log] = {}

    def of(self, name: str) -> Log:
        """The log of a process."""
        if name not in self.logs:
            about = {"run": RUN, "num_acceptors": 3, "num_proposers": 2} if name.startswith("proposer") else {}
            self.logs[name] = Log(self.folder / f"{name}.jsonl", name, **about)
        return self.logs[name]

    def add(self, name: str, event: Event, round: int = 1) -> None:
        """Let something happen to a process."""
        self.of(name).add(RUN, round, event)

    def play(
        self, proposer: int, id: int, value: str, acceptors: Iterable[int], wish: str = "", round: int = 1
    ) -> None:
        """Let a proposer get a value through among some acceptors, which hold nothing."""
        name = f"proposer-{proposer}"
        names = [f"acceptor-{number}" for number in acceptors]
        prepares = [Prepare(name, acceptor, id) for acceptor in names]
        proposals = [Propose(name, acceptor, id, value) for acceptor in names]
        self.add(name, Wants(0, name, wish or value, prepares), round)
        for at, prepare in enumerate(prepares):
            promise = Promise(prepare.recipient, name, id, None)
            self.add(prepare.recipient, Delivery(0, prepare, answers=[promise], promised=id), round)
            says = proposals if at == len(names) - 1 else []
            self.add(name, Delivery(0, promise, answers=says), round)
        for at, proposal in enumerate(proposals):
            accept = Accept(proposal.recipient, name, id, value)
            event = Delivery(0, proposal, answers=[accept], promised=id, accepted=Proposal(id, value))
            self.add(proposal.recipient, event, round)
            self.add(name, Delivery(0, accept, learned=value if at == len(names) - 1 else None), round)

    def close(self) -> list[Path]:
        """Let all processes begin, if they have not, and end; return their logs."""
        for name in ("proposer-0", "proposer-1", "acceptor-0", "acceptor-1", "acceptor-2"):
            self.of(name)
        for log in self.logs.values():
            log.close()
        return sorted(self.folder.glob("*.jsonl"))


@pytest.fixture
def logs(tmp_path: Path) -> Logs:
    """Logs that are still empty."""
    return Logs(tmp_path)


Verify = Callable[..., Any]


@pytest.fixture
def verify(run_here: RunHere) -> Verify:
    """Judge some logs."""
    return lambda paths, *args: run_here("verify", *map(str, paths), *args)


def test_what_is_chosen_and_learned_in_each_round_is_told(logs: Logs, verify: Verify) -> None:
    logs.play(0, 1, "apple", [0, 1])
    logs.play(1, 2, "two\nlines", [1, 2], round=2)
    done = verify(logs.close())
    assert (done.returncode, done.stderr) == (0, "")
    assert "round 1: chosen under 1: apple; proposer-0 learned apple\n" in done.stdout
    assert "round 2: chosen under 2: two\\nlines; proposer-1 learned two\\nlines\n" in done.stdout
    assert "--- 2 rounds of run 7 ---" in done.stdout
    assert "not all is known" not in done.stdout


def test_two_values_chosen_are_a_violation_whose_story_is_told(logs: Logs, verify: Verify) -> None:
    logs.play(0, 1, "apple", [0, 1])
    logs.play(1, 2, "pear", [1, 2])
    done = verify(logs.close(), "--quiet")
    assert done.returncode == 3
    assert "SAFETY VIOLATED, a second value is chosen: pear" in done.stdout
    assert "safety violated              1  100.00%" in done.stdout


def test_it_is_one_whoever_else_left_no_log(logs: Logs, verify: Verify) -> None:
    logs.play(0, 1, "apple", [0, 1])
    logs.play(1, 2, "pear", [1, 2])
    # The acceptor that has accepted both is needed, and one more for each value.
    paths = [path for path in logs.close() if path.stem != "proposer-1"]
    assert verify(paths).returncode == 3


def test_a_value_that_nobody_wanted_is_one_only_if_all_have_said_what_they_want(logs: Logs, verify: Verify) -> None:
    logs.play(0, 1, "plum", [0, 1], wish="apple")
    paths = logs.close()
    done = verify(paths)
    assert done.returncode == 3
    assert "a value is chosen that nobody proposed: plum" in done.stdout
    done = verify([path for path in paths if path.stem != "proposer-1"])
    assert "VIOLATED" not in done.stdout
    assert "proposer-0 breaks P2: it proposes plum under 1, but the promises leave only apple" in done.stdout
    assert "not all is known: proposer-1 has left no log" in done.stdout


def test_what_is_learned_and_not_chosen_is_one_only_if_all_acceptors_are_known(logs: Logs, verify: Verify) -> None:
    logs.play(0, 1, "apple", [0])
    paths = logs.close()
    done = verify(paths)
    assert done.returncode == 3
    assert "proposer-0 learns what is not chosen: apple" in done.stdout
    done = verify([path for path in paths if path.stem != "acceptor-2"])
    assert "VIOLATED" not in done.stdout
    assert "proposer-0 breaks P2: it proposes under 1 with 1 promise for 1; a quorum is 2 of 3" in done.stdout
    (rule,) = (line for line in done.stdout.splitlines() if line.startswith("P2 "))
    assert rule.startswith(
        "P2 (Paxos Made Simple, 2.2, phase 2(a)): A proposer proposes only after a quorum has promised "
    )
    assert "not all is known: acceptor-2 has left no log" in done.stdout


def test_what_is_learned_and_not_chosen_is_none_if_something_is_missing_in_a_log(logs: Logs, verify: Verify) -> None:
    logs.play(0, 1, "apple", [0])
    # The log of acceptor-1 does not tell of this, and so may not tell that it accepted apple, too.
    logs.add("proposer-0", Delivery(0, Promise("acceptor-1", "proposer-0", 1, None), learned="apple"))
    done = verify(logs.close())
    assert done.returncode == 4
    assert "VIOLATED" not in done.stdout
    assert "not all is known: round 1: proposer-0 heard PROMISE 1, which is not in " in done.stdout


def test_what_is_learned_while_another_value_is_chosen_is_one_whoever_left_no_log(logs: Logs, verify: Verify) -> None:
    logs.play(0, 1, "apple", [0, 1])
    logs.add("proposer-1", Wants(0, "proposer-1", "pear", []))
    logs.add("proposer-1", Delivery(0, Accept("acceptor-2", "proposer-1", 2, "pear"), learned="pear"))
    done = verify([path for path in logs.close() if path.stem != "acceptor-2"])
    assert done.returncode == 3
    assert "VIOLATED, proposer-1 learns pear, and apple is chosen" in done.stdout


def test_what_an_acceptor_without_a_log_has_accepted_counts_if_others_heard_of_it(logs: Logs, verify: Verify) -> None:
    logs.play(0, 1, "apple", [0, 1])
    logs.play(1, 2, "pear", [1, 2])
    paths = logs.close()
    # By whom it was heard: by those who got its ACCEPT, and by who got its PROMISE, and it remembers itself.
    for known in (["proposer-0", "proposer-1"], ["proposer-0", "proposer-1", "acceptor-0"]):
        done = verify(path for path in paths if path.stem in known)
        assert done.returncode == 3
        assert "a second value is chosen: pear" in done.stdout


def test_what_a_promise_reports_as_accepted_was_accepted(logs: Logs, verify: Verify) -> None:
    for at in (0, 1):
        name, prepare = f"acceptor-{at}", Prepare("proposer-1", f"acceptor-{at}", 2)
        promise = Promise(name, "proposer-1", 2, Proposal(1, "apple"))
        logs.add(name, Delivery(0, prepare, answers=[promise], promised=2, accepted=Proposal(1, "apple")))
    done = verify(path for path in logs.close() if path.stem != "proposer-0")
    assert done.returncode == 4
    assert "round 1: chosen under 1: apple\n" in done.stdout


def test_a_report_counts_if_only_who_heard_it_or_only_who_made_it_tells_of_it(logs: Logs, verify: Verify) -> None:
    logs.add("proposer-1", Wants(0, "proposer-1", "pear", []), 2)
    for name in ("acceptor-0", "acceptor-1"):
        promise = Promise(name, "proposer-1", 2, Proposal(1, "apple"))
        logs.add("proposer-1", Delivery(0, promise))
        logs.add(name, Delivery(0, Prepare("proposer-1", name, 2), answers=[promise]), 2)
    paths = logs.close()
    done = verify(path for path in paths if path.stem != "proposer-0")
    assert re.findall(r"^round .*", done.stdout, re.MULTILINE) == [
        "round 1: chosen under 1: apple",
        "round 2: chosen under 1: apple",
    ]


def test_an_acceptor_that_forgets_more_than_once_is_accused_once(logs: Logs, verify: Verify) -> None:
    prepare = Prepare("proposer-1", "acceptor-0", 2)
    logs.add("proposer-1", Wants(0, "proposer-1", "pear", [prepare]))
    for promised in (5, 4, 3):
        logs.add("acceptor-0", Delivery(0, prepare, denial="failed", promised=promised))
    assert verify(logs.close(), "--json").stdout.count('"event":"departure"') == 1


def test_what_an_acceptor_remembers_and_its_log_does_not_tell_is_a_gap(logs: Logs, verify: Verify) -> None:
    prepare, remembered = Prepare("proposer-1", "acceptor-0", 2), Proposal(1, "apple")
    logs.add("proposer-1", Wants(0, "proposer-1", "pear", [prepare]))
    logs.add("acceptor-0", Delivery(0, prepare, denial="failed", promised=1, accepted=remembered))
    done = verify(paths := logs.close())
    assert done.returncode == 4
    assert f"not all is known: round 1: acceptor-0 has accepted 1, which is not in {paths[0]}\n" in done.stdout


def test_what_an_acceptor_still_holds_when_it_begins_again_is_known_as_if_it_were_logged(
    logs: Logs, verify: Verify
) -> None:
    logs.play(0, 1, "apple", [0])
    logs.logs.pop("acceptor-0").close()
    for name in ("acceptor-0", "acceptor-1"):
        logs.add(name, Delivery(0, Restart("power", name, 1), promised=1, accepted=Proposal(1, "apple")))
    done = verify(paths := logs.close())
    assert done.returncode == 0
    assert "round 1: chosen under 1: apple; proposer-0 learned apple\n" in done.stdout
    (events,) = read_logs(paths[0])[0].rounds.values()
    assert [isinstance(event.message, Restart) for event in events if isinstance(event, Delivery)] == [0, 0, 1]


def test_what_it_still_holds_of_another_run_does_not_count(logs: Logs, verify: Verify) -> None:
    logs.of("acceptor-0").add(6, 1, Delivery(0, Restart("power", "acceptor-0", 1), promised=5))
    logs.play(0, 1, "apple", [0, 1])
    paths = logs.close()
    assert verify(paths).returncode == 0
    assert "nothing is in these logs about run 6" in verify(paths, "--run", "6").stderr


def test_two_values_learned_before_and_after_a_restart_are_one_violation(logs: Logs, verify: Verify) -> None:
    logs.add("proposer-0", Wants(0, "proposer-0", "apple", []))
    logs.add("proposer-0", Delivery(0, Accept("acceptor-0", "proposer-0", 1, "apple"), learned="apple"))
    logs.logs.pop("proposer-0").close()
    logs.add("proposer-0", Wants(0, "proposer-0", "pear", []))
    logs.add("proposer-0", Delivery(0, Accept("acceptor-1", "proposer-0", 3, "pear"), learned="pear"))
    done = verify(path for path in logs.close() if path.stem.startswith("proposer"))
    assert done.returncode == 3
    assert "VIOLATED, proposer-0 and later proposer-0 learn different values: apple, pear" in done.stdout


def test_who_is_none_of_the_run_makes_nothing_known(logs: Logs, verify: Verify) -> None:
    logs.play(0, 1, "apple", [0, 1])
    prepare, accepted = Prepare("proposer-7", "acceptor-0", 8), Proposal(1, "apple")
    promise = Promise("acceptor-0", "proposer-7", 8, accepted)
    logs.add("acceptor-0", Delivery(0, prepare, answers=[promise], promised=8, accepted=accepted))
    done = verify(logs.close())
    assert done.returncode == 4
    assert "acceptor-0 heard PREPARE 8, from proposer-7, which does not take part\n" in done.stdout


def test_who_is_none_of_the_run_is_refused(logs: Logs, verify: Verify) -> None:
    logs.play(0, 1, "apple", [0, 1])
    logs.add("acceptor-7", Delivery(0, Prepare("proposer-0", "acceptor-7", 1), answers=[]))
    done = verify(logs.close())
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert "is of acceptor-7, which does not take part in run 7 (acceptors: 3, proposers: 2)\n" in done.stderr


def test_without_a_wish_nobody_knows_whether_a_value_was_wanted(logs: Logs, verify: Verify) -> None:
    logs.play(0, 1, "apple", [0, 1])
    paths = logs.close()
    path = next(path for path in paths if path.stem == "proposer-0")
    first, _, *others = path.read_text().splitlines(keepends=True)
    path.write_text("".join([first, *others]))
    for acceptor in [path for path in paths if path.stem.startswith("acceptor")]:
        kept = [line for line in acceptor.read_text().splitlines(keepends=True) if "PREPARE" not in line]
        acceptor.write_text("".join(kept))
    done = verify(paths)
    assert done.returncode == 4
    assert f"not all is known: round 1: {path} does not say what proposer-0 wants\n" in done.stdout


def test_who_was_restarted_may_begin_a_round_again(logs: Logs, verify: Verify) -> None:
    logs.play(0, 1, "apple", [0, 1])
    logs.logs.pop("proposer-0").close()
    logs.add("proposer-0", Wants(0, "proposer-0", "pear", []))
    done = verify(logs.close())
    assert done.returncode == 4
    assert "round 1: chosen under 1: apple; proposer-0 learned apple\n" in done.stdout
    assert "not all is known: round 1: proposer-0 was restarted, and began it again\n" in done.stdout


def test_without_clocks_it_may_be_accepted_after_it_was_learned(logs: Logs, verify: Verify) -> None:
    logs.add("proposer-1", Wants(0, "proposer-1", "apple", []))
    logs.add("proposer-1", TimedOut(0, "proposer-1", 1, 2, last=False))
    logs.add("proposer-1", Delivery(0, Timeout("clock", "proposer-1", 2), learned="apple"))
    logs.play(0, 1, "apple", [0, 1])
    assert "safety violated              0" in verify(logs.close()).stdout


def test_a_promise_that_goes_down_after_a_restart_is_one(logs: Logs, verify: Verify) -> None:
    logs.play(0, 3, "apple", [0])
    logs.logs.pop("acceptor-0").close()
    prepare = Prepare("proposer-1", "acceptor-0", 2)
    logs.add("proposer-1", Wants(0, "proposer-1", "pear", [prepare]))
    logs.add("acceptor-0", Delivery(0, prepare, answers=[Promise("acceptor-0", "proposer-1", 2, None)], promised=2))
    done = verify(path for path in logs.close() if path.stem != "acceptor-2")
    assert done.returncode == 3
    assert "acceptor-0 restarts" in done.stdout
    assert "acceptor-0 promises 2 after 3" in done.stdout


def test_a_log_from_which_something_is_missing_that_was_heard_is_not_taken_for_all(logs: Logs, verify: Verify) -> None:
    logs.play(0, 1, "apple", [0, 1])
    paths = logs.close()
    acceptor = next(path for path in paths if path.stem == "acceptor-1")
    acceptor.write_text("".join(acceptor.read_text().splitlines(keepends=True)[:2]))
    done = verify(paths)
    assert done.returncode == 4
    assert f"not all is known: round 1: proposer-0 heard ACCEPT 1 apple, which is not in {acceptor}" in done.stdout


def test_a_torn_last_line_is_left_out_and_what_it_said_is_not_known(logs: Logs, verify: Verify) -> None:
    logs.play(0, 1, "apple", [0, 1])
    paths = logs.close()
    with paths[0].open("a") as file:
        file.write('{"event":"mess')
    done = verify(paths)
    assert done.returncode == 4
    assert "round 1: chosen under 1: apple; proposer-0 learned apple\n" in done.stdout
    assert f"not all is known: {paths[0]} ends in the middle of a line\n" in done.stdout


# What is shown


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_the_story_of_a_round_can_be_played(form: list[str], logs: Logs, verify: Verify, run_here: RunHere) -> None:
    for round, value in ((1, "apple"), (2, "two\nlines")):
        logs.add("proposer-1", Wants(0, "proposer-1", "pear", []), round)
        logs.play(0, 1, value, [0, 1], round=round)
    paths = logs.close()
    story = verify(paths, "--round", "2", *form).stdout
    path = logs.folder / "story.txt"
    path.write_text(story)
    played = run_here("play", str(path))
    assert played.returncode == 0
    assert "proposer-0 learns two\\nlines\n" in played.stdout
    path.write_text(verify(paths, *form).stdout)
    # Of several rounds that went well, lines tell no story.
    words = "add --round K to the command" if form else "no round, no counterexample and no game"
    assert words in run_here("play", str(path)).stderr


def test_a_round_in_which_acceptors_forgot_can_be_played_as_the_page_says(
    logs: Logs, verify: Verify, run_here: RunHere
) -> None:
    for round in (1, 2):
        logs.play(0, 1, "apple", [0, 1], round=round)
        for name in ("acceptor-0", "acceptor-1"):
            logs.add(name, Delivery(0, Restart("power", name, 1), promised=0), round)
    logs.add("proposer-1", Wants(0, "proposer-1", "pear", []), 1)
    logs.play(1, 2, "pear", [0, 1], round=2)
    paths = logs.close()
    page = (Path(__file__).parents[1] / "toy_paxos" / "remote" / "README.md").read_text(encoding="utf-8")
    ((choose, play),) = re.findall(r"`toy-paxos verify logs/\* (.*) \| toy-paxos play (.* -)`", page)
    for round, status in ((1, 0), (2, 3)):
        story = verify(paths, *choose.replace("K", str(round)).split()).stdout
        assert " breaks A2: " in story
        assert run_here("play", *play.split(), typed=story).returncode == status


def test_quiet_shows_only_the_story_that_went_wrong(logs: Logs, verify: Verify) -> None:
    logs.play(0, 1, "apple", [0, 1])
    logs.play(0, 1, "apple", [0, 1], round=2)
    logs.play(1, 2, "pear", [1, 2], round=2)
    paths = logs.close()
    assert "\nRound 2: " in (shown := verify(paths, "--quiet").stdout)
    assert "round 1: " not in shown
    assert "round 1: " not in verify(paths, "--quiet", "--round", "1").stdout


def test_json_tells_the_events_of_each_round_and_what_is_not_known(logs: Logs, verify: Verify) -> None:
    logs.play(0, 1, "apple", [0, 1])
    logs.play(1, 2, "pear", [1, 2], round=2)
    done = verify([path for path in logs.close() if path.stem != "acceptor-2"], "--json")
    start, *events, summary = map(json.loads, done.stdout.splitlines())
    sizes = {"run": RUN, "num_proposers": 2, "num_acceptors": 3, "quorums": [2, 2]}
    assert start == {"event": "start", "format": 2, "version": __version__} | sizes
    assert {(event["run"], event["round"]) for event in events} == {(RUN, 1), (RUN, 2)}
    assert [event for event in events if event["event"] == "round"] == [
        {"event": "round", "run": RUN, "round": 1, "value": "apple", "gap": None},
        {"event": "round", "run": RUN, "round": 2, "value": "pear", "gap": None},
    ]
    assert [event["value"] for event in events if event["event"] == "learned"] == ["apple", "pear"]
    known = {
        "rounds": 2,
        "chosen": 2,
        "learned": 2,
        "departure": 0,
        "violation": 0,
        "unknown": ["acceptor-2 has left no log"],
    }
    assert (summary, done.returncode) == ({"event": "summary", "run": RUN} | known, 4)


def test_quiet_json_tells_the_first_round_that_went_wrong(logs: Logs, verify: Verify) -> None:
    logs.play(0, 1, "apple", [0, 1])
    for round in (2, 3):
        logs.play(0, 1, "apple", [0, 1], round=round)
        logs.play(1, 2, "pear", [1, 2], round=round)
    done = verify(logs.close(), "--json", "--quiet")
    assert {event.get("round") for event in map(json.loads, done.stdout.splitlines())} == {None, 2}


def test_a_round_that_is_not_in_the_logs_is_refused(logs: Logs, verify: Verify) -> None:
    logs.play(0, 1, "apple", [0, 1])
    done = verify(logs.close(), "--round", "9")
    assert (done.returncode, done.stdout) == (2, "")
    assert "nothing is in these logs about round 9 of run 7\n" in done.stderr


# What cannot be judged


def test_another_order_than_things_can_have_happened_in(logs: Logs, verify: Verify) -> None:
    prepare, promise = Prepare("proposer-0", "acceptor-0", 1), Promise("acceptor-0", "proposer-0", 1, None)
    logs.add("proposer-0", Delivery(0, promise))
    logs.add("proposer-0", Wants(0, "proposer-0", "apple", [prepare]))
    logs.add("acceptor-0", Delivery(0, prepare, answers=[promise], promised=1))
    done = verify(logs.close())
    assert (done.returncode, "Traceback" in done.stderr) == (2, False)
    assert "round 1: acceptor-0 and proposer-0 contradict each other" in done.stderr


def test_one_round_begun_twice_under_one_name(logs: Logs, verify: Verify) -> None:
    logs.play(0, 1, "apple", [0])
    logs.play(0, 1, "pear", [1])
    done = verify(logs.close())
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "proposer-0 begins round 1 twice" in done.stderr


def test_two_runs_mixed_are_told_apart(logs: Logs, verify: Verify) -> None:
    logs.play(0, 1, "apple", [0, 1])
    prepare = Prepare("proposer-0", "acceptor-0", 1)
    logs.of("acceptor-0").add(8, 1, Delivery(0, prepare, answers=[], denial="failed", promised=0))
    paths = logs.close()
    done = verify(paths)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "these logs are of 2 runs (7, 8): choose one by --run" in done.stderr
    assert verify(paths, "--run", "7").returncode == 0
    assert "no log says how many acceptors run 8 has" in verify(paths, "--run", "8").stderr
    assert "nothing is in these logs about run 9" in verify(paths, "--run", "9").stderr


def test_logs_can_be_joined_and_come_from_standard_input(logs: Logs, verify: Verify, run_here: RunHere) -> None:
    logs.play(0, 1, "apple", [0, 1])
    paths = logs.close()
    joined = "".join(path.read_text() for path in paths)
    done = run_here("verify", "-", typed=joined)
    assert done == verify(paths)
    assert run_here("verify", "-", typed=joined + joined[:9]).stdout.endswith("- ends in the middle of a line\n")
    for typed, words in (("", "- is not a log of a process, or it is empty"), (joined[200:], "line 1 of - is not")):
        assert words in run_here("verify", "-", typed=typed).stderr


def test_how_many_acceptors_there_are_can_be_said(logs: Logs, verify: Verify) -> None:
    logs.play(1, 2, "apple", [0, 1, 2])
    paths = logs.close()
    assert "run 7 has 3 acceptors according to its log; leave out --num-acceptors" in verify(paths, "-n", "5").stderr
    for path in paths:
        path.write_text(re.sub(r',"run":7,"num_[^}]*}', "}", path.read_text()))
    assert "or give --num-acceptors\n" in verify(paths).stderr
    done = verify(paths, "--num-acceptors", "3")
    assert (done.returncode, "2 proposers, 3 acceptors" in done.stdout) == (0, True)
    assert "nothing is known to be chosen" not in done.stdout
    others = [path for path in paths if path.stem != "proposer-0"]
    assert "2 proposers, 3 acceptors" in verify(others, "--num-acceptors", "3").stdout
    assert "acceptor-4 has left no log" in (done := verify(paths, "-n", "6")).stdout
    assert (done.returncode, "chosen under" in done.stdout) == (4, False)


def test_two_logs_of_one_process(logs: Logs, verify: Verify, tmp_path: Path) -> None:
    logs.play(0, 1, "apple", [0, 1])
    paths = logs.close()
    done = verify([*paths, paths[0]])
    assert done.returncode == 2
    assert "are both of acceptor-0: give one log for each process" in done.stderr


def test_proposers_that_disagree_about_the_cluster(logs: Logs, verify: Verify, tmp_path: Path) -> None:
    logs.play(0, 1, "apple", [0, 1])
    about = {"run": RUN, "num_acceptors": 5, "num_proposers": 2}
    logs.logs["proposer-1"] = Log(tmp_path / "proposer-1.jsonl", "proposer-1", **about)
    done = verify(logs.close())
    assert done.returncode == 2
    assert "disagree about how many acceptors" in done.stderr


START = {"event": "start", "format": 2, "process": "acceptor-0"}
MESSAGE = {
    "event": "message",
    "run": 7,
    "round": 1,
    "type": "PREPARE",
    "sender": "proposer-0",
    "recipient": "acceptor-0",
    "id": 1,
    "denial": None,
    "answers": [],
    "after": {},
}


CHANGES: list[dict[str, Any]] = [
    {"event": "start", "format": 2, "process": "acceptor-1"},
    {"id": 0},
    {"id": 2**63},
    {"run": 0},
    {"round": True},
    {"type": "ROT"},
    {"type": "PROPOSE"},
    {"type": "PROPOSE", "value": "\ud800"},
    {"denial": "asleep"},
    {"after": {"promised": -1}},
    {"after": {"promised": 1, "accepted_id": 1, "accepted_value": None}},
    {"fate": "eaten"},
    {"fate": "lost"},
    {"answers": [7]},
    {"answers": [{}]},
    {"recipient": "acceptor-1"},
    {"sender": "x\x1b[2J"},
    {"sender": "power"},
    {
        "event": "start",
        "format": 2,
        "process": "acceptor-0",
        "run": 7,
        "num_acceptors": 101,
        "num_proposers": 1,
    },
]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b"\xff\n", "line 1 of"),
        (b"[" * 100_000 + b"\n", "line 1 of"),
        (b"{}\n", "line 1 of"),
        (b"7\n", "line 1 of"),
        (b"", "is not a log of a process"),
        (json.dumps(START | {"format": 1}).encode() + b"\n", "line 1 of"),
        (json.dumps(START | {"format": 1}).encode() + b"\n", "is not in format 2, the only one that this version"),
        (json.dumps(START | {"process": "\x1b"}).encode() + b"\n", "line 1 of"),
        *((f"{json.dumps(START)}\n{json.dumps(MESSAGE | changes)}\n".encode(), "line 2 of") for changes in CHANGES),
    ],
)
def test_what_is_no_log_is_one_line(tmp_path: Path, run_here: RunHere, line: bytes, words: str) -> None:
    path = tmp_path / "log"
    path.write_bytes(line)
    done = run_here("verify", str(path))
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert words in done.stderr


@pytest.mark.parametrize("line", [{"event": "message"}, {"event": "wants", "proposer": "proposer-0", "value": "a"}])
def test_a_log_has_to_tell_what_is_said(tmp_path: Path, run_here: RunHere, line: dict[str, Any]) -> None:
    path = tmp_path / "log"
    told = {key: value for key, value in (MESSAGE | line).items() if key != "answers"}
    path.write_text(f"{json.dumps(START | {'process': 'proposer-0' if 'proposer' in line else 'acceptor-0'})}\n")
    with path.open("a") as file:
        print(json.dumps(told), file=file)
    assert f"line 2 of {path} is not a line of a log" in run_here("verify", str(path)).stderr


SIZES = START | {"process": "proposer-0", "run": 7, "num_proposers": 1, "num_acceptors": 3}


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ([SIZES | {"num_acceptors": 101}], "1 of -: a cluster has at most 100 acceptors and 100 proposers"),
        ([SIZES | {"quorums": [2, 4]}], "1 of -: quorums 2,4: each must be from 1 to 3, the number of acceptors"),
        ([SIZES | {"quorums": [2]}], "1 of -: quorums are two numbers, not [2]"),
        ([SIZES | {"quorums": [2, 2, 2]}], "1 of -: quorums are two numbers, not [2, 2, 2]"),
        ([SIZES | {"quorums": {}}], "1 of -: quorums are two numbers, not {}"),
        ([START, MESSAGE | {"id": 2**63}], f"2 of -: {2**63} is not a number from 1 to 2^63-1"),
        # A long reason is cut.
        ([START, MESSAGE | {"id": "7" * 999}], f"2 of -: '{'7' * 199}"),
        ([START, MESSAGE | {"type": "PROPOSE", "value": ""}], "2 of -: this is not a text of 1 to 16,384 bytes"),
        ([START, MESSAGE | {"type": "VOTE"}], "2 of -: unknown kind of message 'VOTE'"),
        ([START, MESSAGE | {"recipient": "acceptor-1"}], "2 of -: it is about another process than acceptor-0"),
        ([MESSAGE], "1 of -: no line before it says whose log this is"),
    ],
)
def test_why_a_line_is_not_one_of_a_log_is_said_if_that_is_known(
    lines: list[dict[str, Any]], words: str, run_here: RunHere
) -> None:
    done = run_here("verify", "-", typed="".join(f"{json.dumps(line)}\n" for line in lines))
    assert (done.returncode, done.stderr) == (
        2,
        f"toy-paxos: line {words.replace(':', ' is not a line of a log:', 1)}\n",
    )


def test_a_closed_standard_input_is_refused_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(CannotError, match=r"^cannot read -: it is closed$"):
        read_logs(Path("-"))


def test_the_name_of_a_file_is_printed_escaped(logs: Logs, verify: Verify) -> None:
    logs.play(0, 1, "apple", [0, 1])
    paths = logs.close()
    torn = paths[0].rename(logs.folder / "\x1b[2J")
    torn.write_text(torn.read_text()[:-9])
    done = verify([torn, *paths[1:]])
    assert "\\x1b[2J ends in the middle of a line" in done.stdout
    assert "\x1b" not in done.stdout


def test_unknown_events_and_keys_in_a_log_are_ignored(logs: Logs, verify: Verify) -> None:
    logs.play(0, 1, "apple", [0, 1])
    paths = logs.close()
    expected = verify(paths).stdout
    for path in paths:
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        path.write_text("".join(json.dumps(line | {"mood": "good"}) + '\n{"event":"party"}\n' for line in lines))
    assert verify(paths).stdout == expected


def test_a_file_that_is_not_there(run_here: RunHere, tmp_path: Path) -> None:
    done = run_here("verify", str(tmp_path / "nothing"))
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
