"""The search: its counts and verdicts, and that it finds a shortest execution with a violation."""

import os
import random
import subprocess
import sys
from dataclasses import replace
from itertools import product

import pytest
from conftest import is_possible
from stories import climbed, report_of
from wrong_actors import (
    AcceptsAnotherValue,
    KeepsADictionary,
    KeepsALog,
    KnowsFromTheStart,
    LearnsByProperty,
    OnlyTheFirstHides,
    RepeatsAllPromises,
    ReportsLastOfDict,
    WaitsForAll,
)

from toy_paxos.acceptor import Acceptor
from toy_paxos.checking import CHANGED_RULES, CheckError, Model, Report, check
from toy_paxos.checking.broken import ForgetsPromise, IgnoresAccepted, LowersPromise
from toy_paxos.event import Delivery, Violation
from toy_paxos.message import Fail, Message, Prepare, Promise, Propose
from toy_paxos.proposer import Proposer
from toy_paxos.safety import LEARNED_CHOSEN, ONE_VALUE, PROMISES_RISE, PROPOSED

pytestmark = pytest.mark.usefixtures("few_walks")

# With both reductions.
COUNTS = {
    Model(1, 1): (4, 3, 3),
    Model(3, 2): (146, 378, 16),
    Model(5, 2): (680, 2_822, 26),
    Model(3, 3): (2_218, 6_823, 24),
    Model(3, 3, descending=True): (2_218, 6_823, 24),
    Model(3, 2, 2): (9_612, 40_590, 29),
    Model(3, 2, fail=True): (1_596, 12_289, 20),
    Model(1, 2, 3, fail=True): (6_313, 42_309, 19),
}

# With neither: what an independent search finds, which copies actors instead of numbering their states.
FULL_COUNTS = {
    Model(1, 1): (5, 4, 4),
    Model(1, 2): (25, 32, 8),
    Model(2, 2): (157, 356, 16),
    Model(3, 2): (1_073, 3_746, 20),
    Model(2, 3): (2_519, 7_508, 24),
    Model(1, 2, 2): (625, 1_016, 16),
    Model(2, 2, 2): (12_017, 30_100, 30),
}


def figures(report: Report) -> tuple[int, int, int]:
    return report.states, report.transitions, report.depth


@pytest.mark.parametrize("model", COUNTS)
def test_small_clusters_are_safe_and_have_these_numbers_of_states_transitions_and_levels(model: Model) -> None:
    report = climbed().get(model) or check(model)
    assert report.safe
    assert (report.complete, report.violation, report.lost, report.never, report.execution) == (
        True,
        None,
        None,
        [],
        [],
    )
    assert figures(report) == COUNTS[model]


@pytest.mark.parametrize("model", FULL_COUNTS)
def test_the_search_without_reductions_has_these_numbers(model: Model) -> None:
    report = check(replace(model, silence_waits=False, past_forgotten=False))
    assert report.safe
    assert figures(report) == FULL_COUNTS[model]


@pytest.mark.parametrize("model", [Model(2, 2), Model(3, 2), Model(2, 3)])
def test_without_symmetry_the_verdict_is_the_same_and_the_states_are_more(model: Model) -> None:
    with_names = check(replace(model, symmetric=False))
    without = check(model)
    factorial = {2: 2, 3: 6}[model.num_acceptors]
    assert with_names.safe
    assert without.states < with_names.states < factorial * without.states
    assert with_names.depth == without.depth


@pytest.mark.parametrize("name", [name for name, rule in CHANGED_RULES.items() if rule.num_proposers < 3])
def test_without_symmetry_a_violation_is_as_far_away(name: str) -> None:
    model = replace(CHANGED_RULES[name].model, num_acceptors=2)
    report, with_names = check(model), check(replace(model, symmetric=False))
    assert (report.lost, len(report.execution), report.never) == (
        with_names.lost,
        len(with_names.execution),
        with_names.never,
    )


def test_restarts_make_no_difference_to_actors_that_ignore_them() -> None:
    counts = {check(Model(3, 2, restarts=restarts)).states for restarts in (0, 1, 2)}
    assert counts == {146}


def test_the_search_does_not_depend_on_the_hash_seed() -> None:
    code = (
        "from toy_paxos.checking import check, Model, CHANGED_RULES; report = check(Model(3, 2)); "
        "print(report.states, report.transitions, check(CHANGED_RULES['counts-twice'].model).execution)"
    )
    outputs = {
        subprocess.check_output([sys.executable, "-c", code], env=os.environ | {"PYTHONHASHSEED": seed})
        for seed in ("0", "1", "2")
    }
    assert len(outputs) == 1


def test_a_search_leaves_the_random_numbers_alone() -> None:
    before = random.getstate()
    check(Model())
    assert random.getstate() == before


def test_a_search_that_is_cut_short_proves_nothing() -> None:
    report = check(Model(), max_states=100)
    assert not report.complete
    assert not report.safe
    assert 100 <= report.states < 110


def test_a_search_of_exactly_max_states_is_complete() -> None:
    assert check(Model(), max_states=146).complete
    assert not check(Model(), max_states=145).complete


def test_a_search_ends_when_the_caller_stops_it() -> None:
    asked: list[tuple[int, int]] = []

    def twice(states: int, depth: int) -> bool:
        asked.append((states, depth))
        return len(asked) < 2

    assert not check(Model(), keep_going=twice).complete
    assert len(asked) == 2


class Shy(Proposer):
    """The first proposer says nothing, so it never receives a message."""

    def prepare(self) -> list[Message]:
        return super().prepare() if self.id > 1 else []


def test_limits_count_even_if_the_first_proposer_receives_nothing() -> None:
    model = Model(3, 3, restarts=0, proposer=Shy, symmetric=False, silence_waits=False, past_forgotten=False)
    assert check(model, max_states=50).states < 100


class Murmurs(Proposer):
    """It counts all messages, so its states have no end."""

    heard = 0

    def receive(self, message: Message) -> list[Message]:
        self.heard += 1
        return []


@pytest.mark.usefixtures("few_steps")
@pytest.mark.parametrize("silence_waits", [True, False])
def test_a_search_gives_up_a_silence_without_end(silence_waits: bool) -> None:
    report = check(Model(1, 1, proposer=Murmurs, silence_waits=silence_waits), max_states=500)
    assert not report.complete


@pytest.mark.parametrize(
    "name", [name for name, rule in CHANGED_RULES.items() if rule.fate == "unsafe" and rule.num_proposers < 3]
)
def test_a_counterexample_delivers_only_messages_that_were_sent(name: str) -> None:
    report = report_of(name)
    assert is_possible(report.model, report.story.events)


def test_a_counterexample_is_played_by_real_actors() -> None:
    report = check(Model(3, 2, proposer=IgnoresAccepted))
    assert report.violation == "a second value is chosen: value-1"
    assert report.lost == ONE_VALUE
    assert [event.message for event in report.story.events if isinstance(event, Delivery)] == report.execution
    (lost,) = [event for event in report.story.events if isinstance(event, Violation)]
    assert (lost.time, lost.property, lost.words) == (len(report.execution), ONE_VALUE.name, report.violation)


@pytest.mark.parametrize("acceptor", [LowersPromise, ForgetsPromise])
def test_a_promise_that_goes_down_is_a_violation(acceptor: type[Acceptor]) -> None:
    report = check(Model(1, 2, acceptor=acceptor))
    assert (report.violation, report.lost) == ("acceptor-0 promises 1 after 2", PROMISES_RISE)


def test_the_verdict_names_the_actors_of_the_story() -> None:
    report = check(Model(3, 2, acceptor=LowersPromise))
    assert report.violation == f"{report.execution[-1].recipient} promises 1 after 2"


def test_a_repeated_promise_promises_nothing_new() -> None:
    assert check(Model(1, 3, acceptor=RepeatsAllPromises)).safe


def test_the_search_and_the_watch_of_a_run_report_the_same_violation() -> None:
    report = check(Model(3, 2, acceptor=AcceptsAnotherValue))
    assert (report.violation, report.lost) == ("a value is chosen that nobody proposed: value-1", PROPOSED)


class Hasty(Proposer):
    def count_promise(self, promise: Promise) -> list[Message]:
        self.learned = self.value
        return []


@pytest.mark.parametrize(("proposer", "deliveries"), [(Hasty, 2), (LearnsByProperty, 2), (KnowsFromTheStart, 0)])
def test_learning_a_value_that_is_not_chosen_is_a_violation_in_each_form(
    proposer: type[Proposer], deliveries: int
) -> None:
    report = check(Model(1, 1, proposer=proposer))
    assert report.violation == "proposer-0 learns what is not chosen: value-0"
    assert report.lost == LEARNED_CHOSEN
    assert len(report.execution) == deliveries


class CountsFail(Proposer):
    def count_refusal(self, fail: Fail) -> list[Message]:
        return self.count_promise(Promise(fail.sender, fail.recipient, fail.id, None))


def test_a_fault_that_only_fail_shows_is_found_if_fail_is_delivered() -> None:
    assert check(Model(3, 2, proposer=CountsFail)).safe
    assert check(Model(3, 2, proposer=CountsFail, fail=True)).violation == "a second value is chosen: value-1"


def test_a_fault_that_only_a_second_restart_shows_is_found_with_two() -> None:
    class Frail(Acceptor):
        """It survives one crash, not two."""

        crashes = 0

        def receive(self, message: Message) -> list[Message]:
            if message.type == "RESTART":
                self.crashes += 1
                self.promised *= self.crashes < 2
            return super().receive(message)

    assert check(Model(1, 2, acceptor=Frail)).safe
    assert check(Model(1, 2, acceptor=Frail, restarts=2)).violation == "acceptor-0 promises 1 after 2"


class AdoptsLargest(Proposer):
    def choose_value(self) -> str:
        return max((told.value for told in self.promises.values() if told), default=self.value)


def test_a_fault_that_only_descending_values_show_is_found_with_them() -> None:
    assert check(Model(3, 3, proposer=AdoptsLargest)).safe
    assert check(Model(3, 3, proposer=AdoptsLargest, descending=True)).lost == ONE_VALUE


def test_the_order_of_a_dictionary_is_part_of_what_an_actor_does() -> None:
    assert check(Model(2, 2, 2, acceptor=KeepsADictionary)).safe
    assert check(Model(3, 2, 2, acceptor=ReportsLastOfDict)).lost == ONE_VALUE


@pytest.mark.parametrize("who", ["acceptor-0", "acceptor-1", "acceptor-2"])
def test_a_fault_of_one_acceptor_is_found_whichever_it_is(who: str) -> None:
    class Only(Acceptor):
        """One acceptor hides what it accepted."""

        def promise(self, request: Prepare) -> list[Message]:
            if self.name == who:
                self.accepted = None
            return super().promise(request)

    report = check(Model(3, 2, acceptor=Only))
    assert report.lost == ONE_VALUE


class Mute(Acceptor):
    def receive(self, message: Message) -> list[Message]:
        return []


def test_a_model_in_which_nothing_happens_is_not_safe() -> None:
    report = check(Model(acceptor=Mute))
    assert (report.complete, report.violation, report.safe) == (True, None, False)
    assert report.never == ["value-0", "value-1"]


class Partial(Acceptor):
    """It treats one proposer differently."""

    def accept(self, request: Propose) -> list[Message]:
        return [] if request.sender == "proposer-1" else super().accept(request)


def test_each_proposer_must_be_able_to_win() -> None:
    report = check(Model(acceptor=Partial))
    assert (report.violation, report.never, report.safe) == (None, ["value-1"], False)


def test_an_actor_may_keep_its_state_in_any_plain_data() -> None:
    assert check(Model(1, 2, acceptor=KeepsALog)).safe
    assert check(Model(2, 2, proposer=WaitsForAll)).safe


class Forgetful(Acceptor):
    """It marks a restart in some way, and then forgets its promise at the next PREPARE."""

    def receive(self, message: Message) -> list[Message]:
        if message.type == "RESTART":
            self.mark()
        if message.type == "PREPARE" and self.is_marked():
            self.promised = 0
        return super().receive(message)

    def mark(self) -> None:
        self.restarted: object = None

    def is_marked(self) -> bool:
        return hasattr(self, "restarted")


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
        self.restarted = 0.0

    def mark(self) -> None:
        self.restarted = False

    def is_marked(self) -> bool:
        return self.restarted is False


class ForgetfulBySlot(Forgetful):
    __slots__ = ("restarted",)


@pytest.mark.parametrize("acceptor", [Forgetful, ForgetfulByDeletion, ForgetfulByType, ForgetfulBySlot])
def test_state_in_any_plain_data_is_part_of_a_state(acceptor: type[Acceptor]) -> None:
    report = check(Model(1, 2, acceptor=acceptor, properties=(ONE_VALUE,)))
    assert report.violation
    assert report.violation.startswith("a second value is chosen: ")


def test_the_time_includes_the_search_with_symmetry() -> None:
    report = check(Model(acceptor=type("Other", (OnlyTheFirstHides,), {})))
    assert report.elapsed_s > 0
    with pytest.raises(CheckError, match="the actors cannot begin"):
        check(Model(acceptor=int))  # type: ignore[arg-type]


@pytest.mark.usefixtures("few_walks")
@pytest.mark.parametrize("num_acceptors", [1, 2, 3, 4, 5])
def test_it_is_safe_exactly_if_a_quorum_of_promises_and_one_of_acceptances_always_meet(num_acceptors: int) -> None:
    for promises, accepts in product(range(1, num_acceptors + 1), repeat=2):
        if num_acceptors > 3 and promises + accepts not in (num_acceptors, num_acceptors + 1):
            # Larger quorums allow less, so among many acceptors only those count that just meet, or just do not.
            continue
        if num_acceptors == 5 and promises not in (2, 3):
            # Quorums far from a majority are those of four acceptors over again, and their searches take long.
            continue
        report = check(Model(num_acceptors, quorums=(promises, accepts), restarts=0))
        assert report.verdict == ("safe" if promises + accepts > num_acceptors else "violated")
