"""The properties: each loss is found, in constructed events and in runs of faulty actors."""

import json
from collections.abc import Sequence
from dataclasses import replace

import pytest
from click.testing import CliRunner

from toy_paxos.acceptor import Acceptor
from toy_paxos.event import Attempt, Chosen, Delivery, Event, Learned, Quorum, Violation, Wants
from toy_paxos.main import run as command
from toy_paxos.message import Accept, Fail, Message, Prepare, Promise, Proposal, Propose, Timeout
from toy_paxos.proposer import Proposer
from toy_paxos.safety import (
    ALWAYS,
    LEARNED_CHOSEN,
    LEARNERS_AGREE,
    ONE_VALUE,
    PROMISES_RISE,
    PROPOSED,
    Moment,
    Property,
    chosen,
    watch,
)
from toy_paxos.story import Configuration


def accept(number: int, id: int, value: str) -> Accept:
    return Accept(f"acceptor-{number}", f"proposer-{id % 2}", id, value)


def accepted(number: int, id: int, value: str) -> Delivery:
    """Return the delivery of a proposal to an acceptor that accepts it."""
    answer = accept(number, id, value)
    return Delivery(0, Propose(answer.recipient, answer.sender, id, value), answers=[answer])


def promised(number: int, id: int, accepted: Proposal | None = None) -> Delivery:
    """Return the delivery of a PREPARE to an acceptor that promises."""
    proposer, acceptor = f"proposer-{id % 2}", f"acceptor-{number}"
    return Delivery(0, Prepare(proposer, acceptor, id), answers=[Promise(acceptor, proposer, id, accepted)])


def learns(proposer: str, value: str) -> Delivery:
    """Return the delivery of an ACCEPT, after which a proposer has learned."""
    return Delivery(0, Accept("acceptor-0", proposer, 1, value), learned=value)


def forgets(proposer: str) -> Delivery:
    """Return the delivery of a FAIL, after which a proposer has learned nothing."""
    return Delivery(0, Fail("acceptor-0", proposer, 1))


# The proposers want x and y, and between them have proposed either under each number.
PROPOSALS = [Propose("proposer-0", "acceptor-0", id, value) for id in (1, 2, 3) for value in "xy"]
WISHES = [Wants(0, "proposer-0", "x", PROPOSALS), Wants(0, "proposer-1", "y")]


def told(*events: Event) -> list[Event]:
    """Return these events among three acceptors, and what follows from them."""
    return list(watch([*WISHES, *events], Configuration.of(2, 3)))[2:]


def verdict(*events: Event) -> Sequence[Event]:
    """Return which values are chosen and which properties are lost in these events."""
    return [event for event in told(*events) if isinstance(event, (Chosen, Violation))]


X_CHOSEN = Chosen(0, 1, "x", ("acceptor-0", "acceptor-1"))


def test_a_proposal_is_chosen_by_the_acceptance_that_makes_a_majority() -> None:
    accepts = [accept(0, 1, "x"), accept(1, 2, "y"), accept(2, 1, "x"), accept(1, 1, "x")]
    assert [chosen(accepts[:n], quorum=2) for n in range(5)] == [[], [], [], [Proposal(1, "x")], [Proposal(1, "x")]]


def test_the_same_value_under_different_numbers_is_not_one_proposal() -> None:
    assert chosen([accept(0, 1, "x"), accept(1, 2, "x")], quorum=2) == []


def test_an_acceptor_counts_once() -> None:
    assert chosen([accept(0, 1, "x"), accept(0, 1, "x")], quorum=2) == []


def test_proposals_can_be_chosen_one_after_the_other() -> None:
    accepts = [accept(n, id, "x") for id in (1, 2) for n in (0, 1)]
    assert chosen(accepts, quorum=2) == [Proposal(1, "x"), Proposal(2, "x")]


def test_chosen_is_noted_once_right_after_it_happened() -> None:
    events = [accepted(0, 1, "x"), accepted(1, 1, "x"), accepted(2, 1, "x"), accepted(0, 3, "x"), accepted(1, 3, "x")]
    assert told(*events) == [*events[:2], X_CHOSEN, *events[2:]]


def test_a_proposal_is_chosen_even_if_the_accept_is_lost() -> None:
    assert verdict(accepted(0, 1, "x"), accepted(1, 1, "x")) == [X_CHOSEN]


def test_two_values_are_a_violation() -> None:
    events = [accepted(n, id, value) for id, value in ((1, "x"), (2, "y")) for n in (0, 1)]
    lost = Violation(0, ONE_VALUE.name, "a second value is chosen: y", 2, "y", ("acceptor-0", "acceptor-1"))
    assert verdict(*events) == [X_CHOSEN, lost]


def test_a_value_that_was_never_proposed_is_a_violation() -> None:
    events = [accepted(0, 1, "z"), accepted(1, 1, "z")]
    assert verdict(*events)[-1] == Violation(0, PROPOSED.name, "a value is chosen that nobody proposed: z")


def test_a_value_that_was_not_proposed_under_its_number_is_a_violation() -> None:
    events = [accepted(0, 7, "x"), accepted(1, 7, "x")]
    assert verdict(*events)[-1] == Violation(0, PROPOSED.name, "a value is chosen that nobody proposed: x")


def test_learning_a_value_that_is_not_chosen_is_a_violation() -> None:
    lost = Violation(0, LEARNED_CHOSEN.name, "proposer-0 learns what is not chosen: x")
    assert verdict(accepted(0, 1, "x"), learns("proposer-0", "x")) == [lost]
    assert verdict(accepted(0, 1, "y"), accepted(1, 1, "y"), learns("proposer-0", "x"))[-1] == lost


def test_a_value_learned_before_the_start_counts_too() -> None:
    events = list(watch([Wants(0, "proposer-0", "x", learned="x")], Configuration.of(1, 3)))
    assert events[1:] == [
        Learned(0, "proposer-0", "x"),
        Violation(0, LEARNED_CHOSEN.name, "proposer-0 learns what is not chosen: x"),
    ]


def test_a_proposer_can_forget_a_value_and_learn_it_again() -> None:
    events = [accepted(0, 1, "x"), accepted(1, 1, "x"), learns("proposer-0", "x"), forgets("proposer-0")]
    assert [event for event in told(*events, learns("proposer-0", "x")) if isinstance(event, Learned)] == [
        Learned(0, "proposer-0", "x")
    ] * 2


def test_learning_a_chosen_value_is_not_a_violation() -> None:
    events = [accepted(0, 1, "x"), accepted(1, 1, "x"), learns("proposer-1", "x")]
    assert verdict(*events) == [X_CHOSEN]
    assert told(*events)[-1] == Learned(0, "proposer-1", "x")


def test_two_proposers_that_learn_different_values_are_a_violation() -> None:
    lost = verdict(learns("proposer-0", "x"), learns("proposer-1", "y"))
    words = "proposer-0 and proposer-1 learn different values: x, y"
    assert lost[-1] == Violation(0, LEARNERS_AGREE.name, words)


def test_a_promise_that_goes_down_is_a_violation() -> None:
    assert verdict(promised(0, 2), promised(0, 1)) == [
        Violation(0, PROMISES_RISE.name, "acceptor-0 promises 1 after 2")
    ]


def test_a_repeated_promise_is_not_a_violation() -> None:
    assert verdict(promised(0, 1), promised(0, 2), promised(0, 1)) == []
    assert len(verdict(promised(0, 1), promised(0, 2), promised(0, 1, Proposal(1, "x")))) == 1


@pytest.mark.parametrize("said", [Prepare("proposer-0", "acceptor-0", 3), Propose("proposer-0", "acceptor-0", 3, "x")])
def test_an_attempt_has_the_number_of_its_first_message(said: Message) -> None:
    # A faulty proposer may skip phase 1.
    assert Attempt(1, "proposer-0", 2, 3) in told(Delivery(1, Timeout("clock", "proposer-0", 1), answers=[said]))


def test_each_property_is_named_once_and_the_watch_goes_on() -> None:
    events = [learns("proposer-0", "x"), learns("proposer-1", "x"), promised(0, 2), promised(0, 1)]
    assert [event.property for event in verdict(*events) if isinstance(event, Violation)] == [
        LEARNED_CHOSEN.name,
        PROMISES_RISE.name,
    ]


def test_a_majority_of_promises_to_the_present_attempt_is_a_quorum() -> None:
    prepares = [Prepare("proposer-0", f"acceptor-{n}", 5) for n in range(3)]
    answers = [Delivery(0, Promise(f"acceptor-{n}", "proposer-0", id, None)) for id in (5, 3) for n in (2, 2, 0)]
    events = list(watch([Wants(0, "proposer-0", "x", prepares), *answers], Configuration.of(1, 3)))
    quorums = [event for event in events if isinstance(event, Quorum)]
    assert quorums == [Quorum(0, "proposer-0", 5, ("acceptor-2", "acceptor-0"))]
    assert [event.fate for event in events if isinstance(event, Delivery)] == ["delivered"] * 3 + ["stale"] * 3


# The properties, one by one

X1, X2, Y2 = Proposal(1, "x"), Proposal(2, "x"), Proposal(2, "y")
PROMISE = Promise("acceptor-0", "proposer-0", 1, None)
FINE = Moment(
    wishes=["x", "y"],
    issued={X1, X2, Y2},
    chosen=[X1, X2],
    learned={"proposer-0": "x"},
    promises=[replace(PROMISE, id=2)],
    promised={"acceptor-0": 2, "acceptor-1": 9},
)


def test_correct_moments_lose_nothing() -> None:
    assert [found.lost(FINE) for found in ALWAYS] == [None] * 5


@pytest.mark.parametrize(
    ("lost", "moment", "words"),
    [
        (ONE_VALUE, replace(FINE, chosen=[X1, Y2]), "a second value is chosen: y"),
        (ONE_VALUE, replace(FINE, chosen=[Y2, X1]), "a second value is chosen: x"),
        (PROPOSED, replace(FINE, issued={X2, Y2}), "a value is chosen that nobody proposed: x"),
        (PROPOSED, replace(FINE, wishes=["y"]), "a value is chosen that nobody proposed: x"),
        (LEARNED_CHOSEN, replace(FINE, learned={"proposer-0": "y"}), "proposer-0 learns what is not chosen: y"),
        (
            LEARNERS_AGREE,
            replace(FINE, learned={"proposer-0": "x", "proposer-1": "y"}),
            "proposer-0 and proposer-1 learn different values: x, y",
        ),
        (PROMISES_RISE, replace(FINE, promises=[PROMISE]), "acceptor-0 promises 1 after 2"),
        (
            PROMISES_RISE,
            replace(FINE, promises=[replace(PROMISE, id=-1)], promised={}),
            "acceptor-0 promises -1 after 0",
        ),
    ],
)
def test_each_property_is_lost_in_its_own_way(lost: Property, moment: Moment, words: str) -> None:
    assert lost.lost(moment) == words


# Actors that lose them


class Forgetful(Acceptor):
    """Wrong: it never tells what it has accepted."""

    def promise(self, request: Prepare) -> list[Message]:
        return [
            Promise(answer.sender, answer.recipient, answer.id, None) if isinstance(answer, Promise) else answer
            for answer in super().promise(request)
        ]


class Stubborn(Proposer):
    """Wrong: it proposes its own value whatever the promises say."""

    def count_promise(self, promise: Promise) -> list[Message]:
        return super().count_promise(Promise(promise.sender, promise.recipient, promise.id, None))


class Hasty(Proposer):
    """Wrong: it learns from the first acceptance."""

    def count_accept(self, accept: Accept) -> list[Message]:
        self.learned = accept.value
        return []


class Inventive(Acceptor):
    """Wrong: it accepts something else."""

    def accept(self, request: Propose) -> list[Message]:
        return super().accept(Propose(request.sender, request.recipient, request.id, "out of thin air"))


@pytest.mark.usefixtures("restored_signals")
@pytest.mark.parametrize(
    ("kind", "wrong", "words"),
    [
        ("acceptor", Forgetful, "a second value is chosen: "),
        ("proposer", Stubborn, "a second value is chosen: "),
        ("proposer", Hasty, "learns what is not chosen: "),
        ("acceptor", Inventive, "a value is chosen that nobody proposed: out of thin air"),
    ],
)
@pytest.mark.parametrize("quiet", [[], ["--quiet"]])
def test_a_faulty_actor_stops_the_run_with_the_transcript_the_replay_command_and_status_3(
    kind: str, wrong: type, words: str, quiet: list[str]
) -> None:
    actor = [f"--{kind}", f"{__file__}:{wrong.__name__}"]
    result = CliRunner().invoke(command, ["--num-proposers", "2", "--seed", "1", *actor, *quiet])
    assert result.exit_code == 3
    lines = result.stdout.splitlines()
    (violation,) = [line for line in lines if "SAFETY VIOLATED, " in line]
    assert words in violation
    outcome, replay = lines[next(at for at, line in enumerate(lines) if line.endswith(": safety is violated")) :][:2]
    number = outcome.removeprefix("Round ").removesuffix(": safety is violated")
    assert replay.startswith("To see it again: toy-paxos --num-acceptors 5")
    assert replay.endswith(f"--num-proposers 2 {' '.join(actor)} --seed 1 --round {number}")
    assert f"--- {number} round" in result.stdout


@pytest.mark.usefixtures("restored_signals")
def test_in_json_a_violation_is_an_event() -> None:
    actor = ["--proposer", f"{__file__}:Stubborn"]
    result = CliRunner().invoke(command, ["--num-proposers", "2", "--seed", "1", *actor, "--json"])
    assert result.exit_code == 3
    events = [json.loads(line) for line in result.stdout.splitlines()]
    (violation,) = [event for event in events if event["event"] == "violation"]
    assert violation["replay"].endswith(f"--seed 1 --round {violation['round']}")
    assert [event["outcome"] for event in events if event["event"] == "round"][-1] == "violated"
    assert events[-1]["violated"] == 1
