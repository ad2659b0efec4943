"""The search: what it counts, what it proves, and that it finds the shortest way to go wrong."""

import os
import subprocess
import sys
from dataclasses import replace

import pytest

from toy_paxos.acceptor import Acceptor
from toy_paxos.checking import checker
from toy_paxos.checking.broken import RULES, ForgetsPromise, IgnoresAccepted, LowersPromise
from toy_paxos.checking.checker import Report, check
from toy_paxos.checking.cluster import CheckError, Model
from toy_paxos.event import Chosen, Delivery, Learned, Violation
from toy_paxos.message import Accept, Message, Promise, Proposal, Propose
from toy_paxos.proposer import Proposer
from toy_paxos.safety import ALWAYS, ONE_VALUE, PROMISES_RISE

COUNTS = {
    Model(1, 1): (5, 4, 4),
    Model(1, 2): (25, 32, 8),
    Model(2, 2): (157, 356, 16),
    Model(3, 2): (1_073, 3_746, 20),
    Model(4, 2): (4_105, 18_361, 28),
    Model(5, 2): (18_287, 104_346, 32),
    Model(2, 3): (2_519, 7_508, 24),
    Model(3, 3): (72_246, 321_167, 30),
    Model(1, 2, 2): (625, 1_016, 16),
    Model(2, 2, 2): (12_017, 30_100, 30),
}


THEOREM = tuple(property for property in ALWAYS if property is not PROMISES_RISE)


def figures(report: Report) -> tuple[int, int, int]:
    return report.states, report.transitions, report.depth


@pytest.mark.parametrize("model", COUNTS)
def test_small_clusters_are_safe_and_have_so_many_states_transitions_and_levels(model: Model) -> None:
    report = check(model)
    assert report.safe
    assert (report.complete, report.violation, report.never, report.execution) == (True, None, [], [])
    assert figures(report) == COUNTS[model]


@pytest.mark.parametrize("model", [Model(2, 2), Model(3, 2), Model(2, 3)])
def test_without_symmetry_the_verdict_is_the_same_and_the_states_are_more(model: Model) -> None:
    with_names = check(replace(model, symmetric=False))
    without = check(model)
    factorial = {2: 2, 3: 6}[model.num_acceptors]
    assert with_names.safe
    assert without.states < with_names.states < factorial * without.states
    assert with_names.depth == without.depth


@pytest.mark.parametrize("name", [name for name, rule in RULES.items() if rule.num_proposers < 3])
def test_without_symmetry_a_violation_is_as_far_away(name: str) -> None:
    report = check(RULES[name].model)
    with_names = check(replace(RULES[name].model, symmetric=False))
    assert len(report.execution) == len(with_names.execution)
    assert (report.violation is None, report.never) == (with_names.violation is None, with_names.never)


def test_fail_delivered_or_not_the_verdict_is_the_same() -> None:
    report = check(Model(2, 2, never_delivered=()))
    assert report.safe
    assert report.states > 10 * COUNTS[Model(2, 2)][0]


def test_the_state_graph_does_not_depend_on_the_hash_seed() -> None:
    code = (
        "from toy_paxos.checking.checker import check; from toy_paxos.checking.cluster import CheckError, Model; "
        "from toy_paxos.checking.broken import RULES; report = check(Model(3, 2)); "
        "print(report.states, report.transitions, check(RULES['counts-twice'].model).execution)"
    )
    outputs = {
        subprocess.check_output([sys.executable, "-c", code], env=os.environ | {"PYTHONHASHSEED": seed})
        for seed in ("0", "1", "2")
    }
    assert len(outputs) == 1


def test_a_search_that_is_cut_short_proves_nothing() -> None:
    report = check(Model(), max_states=100)
    assert not report.complete
    assert not report.safe
    assert 100 <= report.states < 110


def test_a_search_ends_when_it_may_not_go_on() -> None:
    asked: list[tuple[int, int]] = []

    def twice(states: int, depth: int) -> bool:
        asked.append((states, depth))
        return len(asked) < 2

    assert not check(Model(), keep_going=twice).complete
    assert len(asked) == 2


def test_a_counterexample_is_an_execution_of_the_real_actors() -> None:
    report = check(Model(3, 2, proposer=IgnoresAccepted))
    events = report.story
    assert [event.message for event in events if isinstance(event, Delivery)] == report.execution
    first, second = (event for event in events if isinstance(event, (Chosen, Violation)))
    assert isinstance(first, Chosen)
    assert second == events[-1] == Violation(len(report.execution), ONE_VALUE.name, "a second value is chosen: value-1")


@pytest.mark.parametrize(
    "name", [name for name, rule in RULES.items() if rule.fate == "unsafe" and rule.num_proposers < 3]
)
def test_what_a_counterexample_delivers_has_been_sent(name: str) -> None:
    report = check(RULES[name].model)
    proposers, _ = report.model.new_actors()
    sent = [message for proposer in proposers for message in proposer.prepare()]
    environment = list(report.model.environment())
    for event in report.story:
        if isinstance(event, Delivery):
            assert event.message in sent or environment.count(event.message) == 1
            if event.message in environment:
                environment.remove(event.message)
            sent += event.answers


@pytest.mark.parametrize("acceptor", [LowersPromise, ForgetsPromise])
def test_a_promise_that_goes_down_is_a_violation(acceptor: type[Acceptor]) -> None:
    report = check(Model(1, 2, acceptor=acceptor))
    assert report.violation == "acceptor-0 promises 1 after 2"
    assert isinstance(report.execution[-1], Message)


class Inventive(Acceptor):
    def accept(self, request: Propose) -> list[Message]:
        return super().accept(replace(request, value="out of thin air"))


def test_a_value_that_nobody_proposed_is_a_violation() -> None:
    assert check(Model(1, 1, acceptor=Inventive)).violation == (
        "a value is chosen that nobody proposed: out of thin air"
    )


class Hasty(Proposer):
    def count_promise(self, promise: Promise) -> list[Message]:
        self.learned = self.value
        return []


def test_to_learn_what_is_not_chosen_is_a_violation() -> None:
    report = check(Model(1, 1, proposer=Hasty))
    assert report.violation == "proposer-0 learns what is not chosen: value-0"
    assert isinstance(report.story[-2], Learned)


class Mute(Acceptor):
    def receive(self, message: Message) -> list[Message]:
        return []


def test_a_model_in_which_nothing_happens_is_not_safe() -> None:
    report = check(Model(acceptor=Mute))
    assert (report.complete, report.violation, report.safe) == (True, None, False)
    assert report.never == ["value-0", "value-1"]


class Partial(Acceptor):
    """It has something against one proposer."""

    def accept(self, request: Propose) -> list[Message]:
        return [] if request.sender == "proposer-1" else super().accept(request)


def test_each_proposer_must_be_able_to_win() -> None:
    report = check(Model(acceptor=Partial))
    assert (report.violation, report.never, report.safe) == (None, ["value-1"], False)


class Counting(Acceptor):
    """A reader's own acceptor, right in another way."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.log: list[tuple[int, str | None]] = []

    def receive(self, message: Message) -> list[Message]:
        promised = max((id for id, _ in self.log), default=0)
        if message.type == "PREPARE" and message.id > promised:
            accepted = [Proposal(id, value) for id, value in self.log if value]
            self.log.append((message.id, None))
            return [Promise(self.name, message.sender, message.id, max(accepted, default=None))]
        if isinstance(message, Propose) and message.id == promised:
            if (message.id, message.value) not in self.log:
                self.log.append((message.id, message.value))
            return [Accept(self.name, message.sender, message.id, message.value)]
        return []


def test_the_checker_does_not_care_how_an_actor_keeps_its_state() -> None:
    assert check(Model(1, 2, acceptor=Counting)).safe


class Stateless(Acceptor):
    """It promises and accepts whatever comes, and remembers nothing."""

    def receive(self, message: Message) -> list[Message]:
        if message.type == "PREPARE":
            return [Promise(self.name, message.sender, message.id, None)]
        if isinstance(message, Propose):
            return [Accept(self.name, message.sender, message.id, message.value)]
        return []


class Forgetful(Acceptor):
    """It marks a restart in some way, and then forgets its promise at the next PREPARE."""

    def receive(self, message: Message) -> list[Message]:
        if message.type == "RESTART":
            self.mark()
        if message.type == "PREPARE" and self.is_marked():
            self.promised = 0
        return super().receive(message)

    def mark(self) -> None:
        raise NotImplementedError

    def is_marked(self) -> bool:
        raise NotImplementedError


class ForgetfulByDeletion(Forgetful):
    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.sound = True

    def mark(self) -> None:
        if hasattr(self, "sound"):
            del self.sound

    def is_marked(self) -> bool:
        return not hasattr(self, "sound")


class ForgetfulByType(Forgetful):
    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.restarted: float = 0

    def mark(self) -> None:
        self.restarted = False

    def is_marked(self) -> bool:
        return self.restarted is False


class ForgetfulBySlot(Forgetful):
    __slots__ = ("restarted",)

    def mark(self) -> None:
        self.restarted = True

    def is_marked(self) -> bool:
        return hasattr(self, "restarted")


class ForgetfulByAdding(Forgetful):
    def mark(self) -> None:
        self.restarted = None

    def is_marked(self) -> bool:
        return hasattr(self, "restarted")


@pytest.mark.parametrize(
    "acceptor", [Stateless, ForgetfulByDeletion, ForgetfulByType, ForgetfulBySlot, ForgetfulByAdding]
)
def test_whatever_an_actor_keeps_its_state_in_is_seen(acceptor: type[Acceptor]) -> None:
    report = check(Model(1, 2, acceptor=acceptor, properties=THEOREM))
    assert report.violation
    assert report.violation.startswith("a second value is chosen: ")
    assert isinstance(report.story[-1], Violation)


class OnlyTheFirst(Proposer):
    """It asks the first two acceptors only, which is enough, and is not alike for all of them."""

    def prepare(self) -> list[Message]:
        return super().prepare()[: self.quorum]


class Special(Acceptor):
    """Acceptor 2 accepts whatever comes."""

    def accept(self, request: Propose) -> list[Message]:
        if self.name == "acceptor-2":
            self.promised = request.id
        return super().accept(request)


@pytest.mark.parametrize("model", [Model(proposer=OnlyTheFirst), Model(acceptor=Special)])
def test_where_names_make_a_difference_all_names_count(model: Model) -> None:
    report = check(model)
    assert report.model == replace(model, symmetric=False)
    assert figures(report) == figures(check(report.model))
    if report.violation:
        assert isinstance(report.story[-1], Violation)


def test_the_time_of_the_search_before_symmetry_was_dropped_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checker, "monotonic", iter(range(10)).__next__)
    assert check(Model(acceptor=Special)).elapsed_s == 2


class OwnNumbers(Proposer):
    """It counts its attempts in tens."""

    def try_again(self) -> list[Message]:
        self.begin_attempt(self.id + 10)
        return self.prepare()


def test_a_timeout_that_never_reaches_anybody_is_an_error() -> None:
    with pytest.raises(CheckError, match="TIMEOUT 3 never makes proposer-0 try again"):
        check(Model(1, 2, max_attempts=3, proposer=OwnNumbers))


class Unhashable(Acceptor):
    def accept(self, request: Propose) -> list[Message]:
        return super().accept(replace(request, value=["no text"]))  # type: ignore[arg-type]


def test_a_message_that_cannot_be_is_an_error_in_one_line() -> None:
    with pytest.raises(CheckError, match="unhashable"):
        check(Model(1, 1, acceptor=Unhashable))
