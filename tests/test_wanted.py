"""``--until WHAT``: the first round of a kind, and none that is shown before it."""

import signal
from itertools import islice

import pytest
from conftest import RunHere, Start, rest_of

from toy_paxos.command.options import WANTED as NAMES
from toy_paxos.event import Delivery
from toy_paxos.message import Fail
from toy_paxos.settings import Network, Settings
from toy_paxos.simulation import play_rounds
from toy_paxos.simulation.wanted import WANTED

LOSSES = ("--num-proposers", "2", "-n", "3", "--message-loss-prob", "0.3", "--max-attempts", "2", "--seed", "1")
CRASHES = ("--proposer-failure-prob", "0.01", "--acceptor-crash-prob", "0.01")
NETWORK = Network(2, message_loss_prob=0.3, proposer_failure_prob=0.01, acceptor_crash_prob=0.01, max_attempts=2)
RUN = Settings(3, 0.1, 1, network=NETWORK)


# What is said in a round of a kind, and in no other.
SAID = {
    "adoption": " adopts what ",
    "timeout": "no quorum for ",
    "proposer-crash": " crashes before it can send ",
    "acceptor-crash": " crashes, and loses what is on its way",
    "refusal": " refused, promised ",
    "chosen-not-learned": "chosen, but no proposer has learned it",
    "not-chosen": "no value is chosen",
}


def test_the_command_line_names_all_kinds() -> None:
    assert tuple(WANTED) == NAMES


@pytest.mark.parametrize("what", SAID)
def test_it_shows_the_first_round_of_that_kind_and_how_to_see_it_again(what: str, run_here: RunHere) -> None:
    number = next(finished.number for finished in play_rounds(RUN) if WANTED[what](finished))
    ended = run_here(*LOSSES, *CRASHES, "--until", what)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.count("Round ") == 2
    assert f"Round {number}: proposer-0 wants" in ended.stdout
    again = f"--round {number}" if number > 1 else "--rounds 1"
    assert ended.stdout.endswith(f"{again}\n")
    whole = run_here(*LOSSES, *CRASHES, "--rounds", str(number)).stdout
    assert SAID[what] in ended.stdout
    assert SAID[what] not in whole.partition(f"Round {number}: ")[0]


def test_a_duel_is_a_round_in_which_two_proposers_get_promises() -> None:
    for finished in islice(play_rounds(RUN), 200):
        promised = {
            event.message.recipient
            for event in finished.events
            if isinstance(event, Delivery) and event.message.type == "PROMISE" and event.fate == "delivered"
        }
        assert WANTED["duel"](finished) is (len(promised) > 1)


def test_a_failure_is_not_a_refusal() -> None:
    failing = Settings(3, 1.0, 1, network=Network(1, max_attempts=1))
    assert any(isinstance(its.message, Fail) for its in next(play_rounds(failing)).events if isinstance(its, Delivery))
    assert not WANTED["refusal"](next(play_rounds(failing)))


@pytest.mark.parametrize("view", [["--json"], ["--quiet"], ["--brief"], ["--diagram"], ["-o", "-.svg"]])
def test_it_is_shown_in_any_view(view: list[str], run_here: RunHere) -> None:
    ended = run_here(*LOSSES, "--until", "not-chosen", *view)
    assert (ended.returncode, ended.stderr) == (0, "")
    again = ended.stdout.splitlines()[-1].partition("--round ")[2]
    if view[0] in ("--quiet", "--brief", "--diagram"):
        assert int(again) > 1
    assert "no value is chosen" in ended.stdout or "no value chosen" in ended.stdout or '"not-chosen"' in ended.stdout


def test_without_such_a_round_it_gives_up_with_status_4_and_says_what_to_do(run_here: RunHere) -> None:
    ended = run_here("--num-proposers", "2", "--until", "acceptor-crash", "--rounds", "7", "--seed", "1", "--quiet")
    assert ended.returncode == 4
    assert ended.stderr == (
        "toy-paxos: no round with acceptor-crash among 7: "
        "take more --rounds, another --seed, or other probabilities (-p, --message-loss-prob, ...)\n"
    )
    assert "rounds of toy-paxos" not in ended.stdout
    ended = run_here("--until", "violation", "--rounds", "7", "--seed", "1")
    advice = "correct actors never violate safety; add --break RULE"
    assert ended.stderr == f"toy-paxos: no round with violation among 7: {advice}\n"
    ended = run_here("--until", "violation", "--rounds", "7", "--seed", "1", "--quorums", "1,1")
    assert "take more --rounds" in ended.stderr


@pytest.mark.parametrize("what", ["violation", "timeout"])
def test_a_violation_is_shown_whatever_is_wanted(what: str, run_here: RunHere) -> None:
    ended = run_here("--break", "ignores-accepted", "--num-proposers", "2", "-n", "3", "--seed", "1", "--until", what)
    assert ended.returncode == 3
    assert "SAFETY VIOLATED" in ended.stdout


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["--until", "duel"], "needs two proposers: add --num-proposers 2"),
        (["--until", "adoption", "-p", "0"], "needs two proposers: add --num-proposers 2"),
        (["--until", "timeout", "--seed", "1", "--round", "3"], "leave out --rounds and --until"),
        (["--until", "nothing"], "'nothing' is not one of"),
    ],
)
def test_contradictory_options_are_refused(args: list[str], words: str, run_here: RunHere) -> None:
    refused = run_here(*args)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert words in refused.stderr


def test_ctrl_c_ends_the_search_by_its_signal(start: Start) -> None:
    process = start("--until", "acceptor-crash", "--rounds", "1000000000")
    assert process.stdout
    assert process.stdout.readline().startswith("toy-paxos ")
    process.send_signal(signal.SIGINT)
    rest, errors = rest_of(process)
    assert (process.returncode, errors) == (-signal.SIGINT, "")
    assert "rounds of toy-paxos" not in rest
