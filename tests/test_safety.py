"""The theorem, and that each way of losing it is noticed: by made-up events, and by actors that are wrong."""

import json
from collections.abc import Sequence

import pytest
from click.testing import CliRunner

from toy_paxos import rounds
from toy_paxos.acceptor import FailingAcceptor
from toy_paxos.main import run as command
from toy_paxos.message import Accept, Message, Prepare, Promise, Proposal, Propose
from toy_paxos.network import Delivery, Event, Fate, Learned
from toy_paxos.proposer import Proposer
from toy_paxos.safety import Chosen, Violation, chosen, watch


def accept(number: int, id: int, value: str) -> Accept:
    return Accept(f"acceptor-{number}", f"proposer-{id % 2}", id, value)


def accepted(number: int, id: int, value: str) -> Delivery:
    """The delivery of a proposal to an acceptor that accepts it."""
    answer = accept(number, id, value)
    return Delivery(0.0, Propose(answer.recipient, answer.sender, id, value), Fate.DELIVERED, [answer])


def verdict(*events: Event) -> Sequence[Event]:
    """What is noted about these events, of proposers that want x and y, among three acceptors."""
    return [e for e in watch(events, 3, ("x", "y")) if isinstance(e, (Chosen, Violation))]


def test_a_proposal_is_chosen_by_the_acceptance_that_makes_a_majority() -> None:
    accepts = [accept(0, 1, "x"), accept(1, 2, "y"), accept(2, 1, "x"), accept(1, 1, "x")]
    assert [chosen(accepts[:n], 3) for n in range(5)] == [[], [], [], [Proposal(1, "x")], [Proposal(1, "x")]]


def test_the_same_value_under_different_numbers_is_not_one_proposal() -> None:
    assert chosen([accept(0, 1, "x"), accept(1, 2, "x")], 3) == []


def test_an_acceptor_counts_once() -> None:
    assert chosen([accept(0, 1, "x"), accept(0, 1, "x")], 3) == []


def test_proposals_can_be_chosen_one_after_the_other() -> None:
    accepts = [accept(n, id, "x") for id in (1, 2) for n in (0, 1)]
    assert chosen(accepts, 3) == [Proposal(1, "x"), Proposal(2, "x")]


def test_chosen_is_noted_once_right_after_it_happened() -> None:
    events = [accepted(0, 1, "x"), accepted(1, 1, "x"), accepted(2, 1, "x"), accepted(0, 3, "x")]
    noted = list(watch([*events, accepted(1, 3, "x")], 3, ("x",)))
    assert noted == [*events[:2], Chosen(0.0, 1, "x"), *events[2:], accepted(1, 3, "x")]


def test_it_does_not_matter_whether_the_accept_arrives() -> None:
    assert verdict(accepted(0, 1, "x"), accepted(1, 1, "x")) == [Chosen(0.0, 1, "x")]


def test_two_values_are_a_violation() -> None:
    events = [accepted(n, id, value) for id, value in ((1, "x"), (2, "y")) for n in (0, 1)]
    assert verdict(*events) == [Chosen(0.0, 1, "x"), Violation(0.0, "a second value is chosen: y")]


def test_a_value_out_of_thin_air_is_a_violation() -> None:
    events = [accepted(0, 1, "z"), accepted(1, 1, "z")]
    assert verdict(*events)[-1] == Violation(0.0, "a value is chosen that nobody proposed: z")


def test_a_value_that_was_not_proposed_under_its_number_is_a_violation() -> None:
    other = Propose("proposer-1", "acceptor-0", 1, "y")
    events = [Delivery(0.0, other, Fate.DELIVERED, [accept(n, 1, "x")]) for n in range(2)]
    assert verdict(*events)[-1] == Violation(0.0, "a value is chosen that nobody proposed: x")


def test_to_learn_what_is_not_chosen_is_a_violation() -> None:
    words = "proposer-0 learns what is not chosen: x"
    assert verdict(accepted(0, 1, "x"), Learned(0.0, "proposer-0", "x")) == [Violation(0.0, words)]
    events = [accepted(0, 1, "y"), accepted(1, 1, "y"), Learned(0.0, "proposer-0", "x")]
    assert verdict(*events)[-1] == Violation(0.0, words)


def test_to_learn_what_is_chosen_is_none() -> None:
    events = [accepted(0, 1, "x"), accepted(1, 1, "x"), Learned(0.0, "proposer-1", "x")]
    assert verdict(*events) == [Chosen(0.0, 1, "x")]


def test_after_a_violation_nothing_is_watched() -> None:
    events = [Learned(0.0, "proposer-0", "x"), accepted(0, 1, "x")]
    assert list(watch(events, 3, ("x",)))[1:] == [Violation(0.0, "proposer-0 learns what is not chosen: x")]


class Forgetful(FailingAcceptor):
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


class Inventive(FailingAcceptor):
    """Wrong: it accepts something else."""

    def accept(self, request: Propose) -> list[Message]:
        return super().accept(Propose(request.sender, request.recipient, request.id, "out of thin air"))


@pytest.mark.usefixtures("restored_signals")
@pytest.mark.parametrize(
    ("name", "wrong", "words"),
    [
        ("FailingAcceptor", Forgetful, "a second value is chosen: "),
        ("Proposer", Stubborn, "a second value is chosen: "),
        ("Proposer", Hasty, "learns what is not chosen: "),
        ("FailingAcceptor", Inventive, "a value is chosen that nobody proposed: out of thin air"),
    ],
)
@pytest.mark.parametrize("quiet", [[], ["--quiet"]])
def test_a_wrong_actor_stops_the_run_with_the_transcript_the_way_back_and_status_3(
    name: str, wrong: type, words: str, quiet: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rounds, name, wrong)
    result = CliRunner().invoke(command, ["--num-proposers", "2", "--seed", "1", *quiet])
    assert result.exit_code == 3
    lines = result.stdout.splitlines()
    (violation,) = [line for line in lines if "SAFETY VIOLATED, " in line]
    assert words in violation
    outcome, replay = lines[lines.index(violation) + 1 :][:2]
    number = outcome.removeprefix("Round ").removesuffix(": safety is violated")
    assert replay.startswith("To see it again: toy-paxos --num-acceptors 5")
    assert replay.endswith(f"--num-proposers 2 --seed 1 --round {number}")
    assert f"--- {number} round" in result.stdout


@pytest.mark.usefixtures("restored_signals")
def test_in_json_a_violation_is_an_event(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rounds, "Proposer", Stubborn)
    result = CliRunner().invoke(command, ["--num-proposers", "2", "--seed", "1", "--json"])
    assert result.exit_code == 3
    events = [json.loads(line) for line in result.stdout.splitlines()]
    (violation,) = [event for event in events if event["event"] == "violation"]
    assert violation["replay"].endswith(f"--seed 1 --round {violation['round']}")
    assert [event["outcome"] for event in events if event["event"] == "round"][-1] == "violated"
    assert events[-1]["violated"] == 1
