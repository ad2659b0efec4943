"""What is shown of direct calls: words, and JSON."""

import json
import re
from itertools import islice

import pytest

from toy_paxos.display import JsonDisplay, TextDisplay, json_line, plural, printable, running_line
from toy_paxos.message import Accept, Fail, Message, Prepare, Promise, Proposal, Propose
from toy_paxos.proposer import Proposer
from toy_paxos.result import Outcome, Round, Statistics
from toy_paxos.rounds import play_rounds
from toy_paxos.settings import Settings

SETTINGS = Settings(num_acceptors=3, acceptor_failure_prob=0.25, seed=1)


def round_with(*answers: Message) -> Round:
    """A round of one proposer and three acceptors that answer so."""
    proposer = Proposer("proposer-0", "🙂", ["acceptor-0", "acceptor-1", "acceptor-2"], id=4)
    transcript = proposer.prepare()
    for answer in answers:
        transcript += [answer, *proposer.receive(answer)]
    return Round(7, proposer, transcript)


def promise(number: int, accepted: Proposal | None = None) -> Promise:
    return Promise(f"acceptor-{number}", "proposer-0", 4, accepted)


def accept(number: int, value: str = "🙂") -> Accept:
    return Accept(f"acceptor-{number}", "proposer-0", 4, value)


def fail(number: int) -> Fail:
    return Fail(f"acceptor-{number}", "proposer-0", 4)


def test_the_first_line_says_who_takes_part_and_the_seed() -> None:
    assert TextDisplay(SETTINGS).start().endswith("1 proposer, 3 acceptors, failure probability 0.25, seed 1\n")


def test_a_round_is_a_wish_two_phases_and_an_outcome() -> None:
    finished = round_with(promise(0), promise(1), accept(0), accept(1))
    assert TextDisplay(SETTINGS).round(finished) == (
        "\n"
        "Round 7: proposer-0 wants 🙂\n"
        "  proposer-0 -> acceptor-0 PREPARE 4\n"
        "  proposer-0 -> acceptor-1 PREPARE 4\n"
        "  proposer-0 -> acceptor-2 PREPARE 4\n"
        "  acceptor-0 -> proposer-0 PROMISE 4, nothing accepted\n"
        "  acceptor-1 -> proposer-0 PROMISE 4, nothing accepted\n"
        "  2 of 3 promised, 2 needed: quorum\n"
        "  proposer-0 -> acceptor-0 PROPOSE 4 🙂\n"
        "  proposer-0 -> acceptor-1 PROPOSE 4 🙂\n"
        "  proposer-0 -> acceptor-2 PROPOSE 4 🙂\n"
        "  acceptor-0 -> proposer-0 ACCEPT  4 🙂\n"
        "  acceptor-1 -> proposer-0 ACCEPT  4 🙂\n"
        "  2 of 3 accepted, 2 needed: quorum\n"
        "Round 7: consensus on 🙂\n"
    )


def test_a_promise_tells_what_was_accepted_before() -> None:
    finished = round_with(promise(0, Proposal(2, "😀")), promise(1), accept(0, "😀"), accept(1, "😀"))
    text = TextDisplay(SETTINGS).round(finished)
    assert "acceptor-0 -> proposer-0 PROMISE 4, accepted 2 😀\n" in text
    assert text.endswith("consensus on 😀\n")


def test_a_missed_quorum_of_promises_is_named_and_measured() -> None:
    text = TextDisplay(SETTINGS).round(round_with(fail(0), fail(1), fail(2)))
    assert "  0 of 3 promised, 2 needed: no quorum\n  proposer-0 -> acceptor-0 TERMINATE 4\n" in text
    assert text.endswith("Round 7: no consensus, 2 promises short of a quorum\n")


def test_a_missed_quorum_of_accepts_is_named_and_measured() -> None:
    text = TextDisplay(SETTINGS).round(round_with(promise(0), promise(1), accept(0), fail(1), fail(2)))
    assert text.endswith(
        "  1 of 3 accepted, 2 needed: no quorum\nRound 7: no consensus, 1 accept short of a quorum\n"
    )


def test_the_summary_has_each_outcome_the_law_and_the_way_back() -> None:
    statistics = Statistics(SETTINGS, rounds=4, messages=1234, elapsed_s=2.0)
    statistics.outcomes[Outcome.CONSENSUS] = 3
    statistics.outcomes[Outcome.NO_ACCEPT_QUORUM] = 1
    assert TextDisplay(SETTINGS).summary(statistics) == (
        "\n"
        "--- 4 rounds of toy-paxos ---\n"
        "consensus                    3   75.00%\n"
        "  expected                       59.33%\n"
        "no quorum of promises        0    0.00%\n"
        "no quorum of accepts         1   25.00%\n"
        "1,234 messages in 2.00 s, 2.0 rounds/s\n"
        "expected: P(Binomial(3, 0.5625) >= 2), a majority fails neither phase\n"
        "seed 1, replay: toy-paxos --num-acceptors 3 --acceptor-failure-prob 0.25 --seed 1 --rounds 4\n"
    )


def test_a_summary_of_nothing_has_no_shares() -> None:
    text = TextDisplay(SETTINGS).summary(Statistics(SETTINGS))
    assert "consensus                    0\n" in text
    assert text.endswith("--seed 1\n")


def test_the_running_line_is_one_line() -> None:
    assert running_line(Statistics(SETTINGS)) == (
        "toy-paxos: 0 rounds, consensus - (expected 59.33%), 0 messages in 0.00 s"
    )


def test_one_is_singular() -> None:
    assert [plural(number, "round") for number in (0, 1, 2, 1000)] == [
        "0 rounds",
        "1 round",
        "2 rounds",
        "1,000 rounds",
    ]


def test_json_messages_have_exactly_these_keys() -> None:
    transcript: list[Message] = [
        Prepare("proposer-0", "acceptor-0", 4),
        promise(0, Proposal(2, "x")),
        promise(1),
        Propose("proposer-0", "acceptor-0", 4, "x"),
        accept(0, "x"),
    ]
    finished = Round(7, Proposer("proposer-0", "🙂", ["acceptor-0"]), transcript)
    *messages, _ = map(json.loads, JsonDisplay(SETTINGS).round(finished).splitlines())
    keys = ["event", "round", "type", "sender", "recipient", "id", "value", "accepted_id"]
    assert [list(message) for message in messages] == [keys] * 5
    assert [tuple(message.values())[2:] for message in messages] == [
        ("PREPARE", "proposer-0", "acceptor-0", 4, None, None),
        ("PROMISE", "acceptor-0", "proposer-0", 4, "x", 2),
        ("PROMISE", "acceptor-1", "proposer-0", 4, None, None),
        ("PROPOSE", "proposer-0", "acceptor-0", 4, "x", None),
        ("ACCEPT", "acceptor-0", "proposer-0", 4, "x", None),
    ]


def test_json_start_round_and_summary_have_exactly_these_keys() -> None:
    display = JsonDisplay(SETTINGS)
    assert list(json.loads(display.start())) == [
        "event",
        "version",
        "seed",
        "num_acceptors",
        "acceptor_failure_prob",
    ]
    finished = json.loads(display.round(round_with(fail(0), fail(1))).splitlines()[-1])
    assert finished == {
        "event": "round",
        "round": 7,
        "proposal": "🙂",
        "outcome": "no-promise-quorum",
        "value": None,
        "promises": 0,
        "accepts": 0,
    }
    assert json.loads(display.summary(Statistics(SETTINGS))) == {
        "event": "summary",
        "rounds": 0,
        "consensus": 0,
        "no_promise_quorum": 0,
        "no_accept_quorum": 0,
        "messages": 0,
        "consensus_rate": None,
        "expected_consensus_rate": SETTINGS.expected_consensus_rate,
        "elapsed_s": 0.0,
    }


def test_text_and_json_tell_of_the_same_messages() -> None:
    for finished in islice(play_rounds(SETTINGS), 50):
        text = TextDisplay(SETTINGS).round(finished)
        events = [json.loads(line) for line in JsonDisplay(SETTINGS).round(finished).splitlines()]
        from_json = [(e["sender"], e["recipient"], e["type"]) for e in events if e["event"] == "message"]
        from_text = re.findall(r"^  (\S+) -> (\S+) +([A-Z]+)", text, re.MULTILINE)
        assert from_text == from_json


def test_what_is_no_json_is_refused() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        json_line(rate=float("nan"))


def test_a_value_cannot_wreck_its_line() -> None:
    assert printable("two\nlines\t\x1b[31m \u202e \udcff") == r"two\nlines\t\x1b[31m \u202e \udcff"
    assert printable("a\\n") == r"a\n"
    assert printable("a\\n\n") == r"a\\n\n"
    assert printable("naïve 漢字 😀 e\u0301") == "naïve 漢字 😀 e\u0301"
    proposer = Proposer("proposer-0", "a\nb", ["acceptor-0"])
    transcript = proposer.prepare()
    for answer in (
        Promise("acceptor-0", "proposer-0", 1, Proposal(0, "a\nb")),
        Accept("acceptor-0", "proposer-0", 1, "a\nb"),
    ):
        transcript += [answer, *proposer.receive(answer)]
    text = TextDisplay(SETTINGS).round(Round(7, proposer, transcript))
    assert text.count(r"a\nb") == 5
    assert text.count("\n") == 1 + 4 + 1 + 3
    events = JsonDisplay(SETTINGS).round(Round(7, proposer, transcript)).splitlines()
    assert json.loads(events[-1])["value"] == "a\nb"
