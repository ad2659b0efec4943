"""Progress: a cluster that never decides is not called safe, and correct proposers are not accused."""

import os
import re
import sys
from dataclasses import replace
from functools import cache

import pytest
from stories import climbed

from toy_paxos.acceptor import Acceptor
from toy_paxos.checking import CHANGED_RULES, CheckError, Judgement, Model, Report, check, summary
from toy_paxos.checking import progress as progress_module
from toy_paxos.checking.alone import LADDER, judge
from toy_paxos.checking.climb import CLIMB, climb
from toy_paxos.event import Delivery, Learned
from toy_paxos.message import Fail, Message, Prepare, Promise, Restart, Terminate, Timeout
from toy_paxos.proposer import Proposer
from toy_paxos.story import Story

TWO = Model(3, 2)


class AsksAgain(Proposer):
    """At a timeout it repeats its PREPARE with its old number, and forgets nothing."""

    def try_again(self) -> list[Message]:
        return self.prepare()


class Retransmits(Proposer):
    """At a timeout it repeats its PREPARE, and every eighth time it takes a higher number."""

    def __init__(self, *arguments: object, **keywords: object) -> None:
        super().__init__(*arguments, **keywords)  # type: ignore[arg-type]
        self.timeouts = 0

    def try_again(self) -> list[Message]:
        self.timeouts += 1
        return super().try_again() if self.timeouts % 8 == 0 else self.prepare()


class WaitsForRefusals(Proposer):
    """At a timeout it repeats its PREPARE; only a refusal makes it take a higher number."""

    def try_again(self) -> list[Message]:
        return self.prepare()

    def count_refusal(self, fail: Fail) -> list[Message]:
        return super().try_again()


class IgnoresTimeouts(Proposer):
    def try_again(self) -> list[Message]:
        return []


class Quarrels(Proposer):
    """It answers each refusal with a higher number, and each timeout, too."""

    def count_refusal(self, fail: Fail) -> list[Message]:
        return self.try_again()


class Raises(Proposer):
    """It has an error in its third attempt, which no search with one attempt sees."""

    def try_again(self) -> list[Message]:
        if self.id > 3:
            raise ValueError("too many attempts")
        return super().try_again()

    def count_accept(self, accept: object) -> list[Message]:
        return []


class TellsTheLoser(Acceptor):
    """It tells a proposer when it has promised a higher number to another one."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.holder = ""

    def promise(self, request: Prepare) -> list[Message]:
        before = self.promised
        answers = super().promise(request)
        if self.promised == before:
            return answers
        loser, self.holder = self.holder, request.sender
        return [*answers, Fail(self.name, loser, before)] if loser not in ("", request.sender) else answers


class Disturbs(Proposer):
    """When proposer-0 loses its promise, it asks for another one, and then waits for the clock before it proposes."""

    waits = False

    def count_refusal(self, fail: Fail) -> list[Message]:
        if self.name != "proposer-0":
            return []
        answers = super().try_again()
        self.waits = True
        return answers

    def try_again(self) -> list[Message]:
        self.waits = False
        return super().try_again()

    def count_promise(self, promise: Promise) -> list[Message]:
        return [] if self.waits else super().count_promise(promise)

    def receive(self, message: Message) -> list[Message]:
        if isinstance(message, Fail) and message.id == self.id and self.learned is None:
            return self.count_refusal(message)
        return super().receive(message)


class DiesOnceBack(Acceptor):
    """After its first restart it answers nothing."""

    is_dead = False

    def receive(self, message: Message) -> list[Message]:
        self.is_dead = self.is_dead or isinstance(message, Restart)
        return [] if self.is_dead else super().receive(message)


class TakesTimeToComeBack(Acceptor):
    """After a restart it ignores the first request."""

    is_back = True

    def receive(self, message: Message) -> list[Message]:
        was_back, self.is_back = self.is_back, not isinstance(message, Restart)
        return super().receive(message) if was_back else []


class KeepsAJournal(Acceptor):
    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.journal: list[str] = []

    def receive(self, message: Message) -> list[Message]:
        self.journal.append(str(message))
        return super().receive(message)


@pytest.mark.parametrize("model", CLIMB)
def test_correct_actors_keep_progress_from_every_state(model: Model) -> None:
    report = climbed()[model]
    assert (report.complete, report.progress, report.progress_reason, report.verdict) == (True, "kept", "", "safe")


@pytest.mark.parametrize("proposer", [Retransmits, WaitsForRefusals, Quarrels])
def test_a_proposer_that_takes_a_higher_number_eventually_keeps_progress(proposer: type[Proposer]) -> None:
    assert check(replace(TWO, proposer=proposer)).progress == "kept"


@pytest.mark.parametrize("model", [Model(1, 1), Model(1, 2), Model(3, 2), Model(2, 2, max_attempts=2, fail=True)])
def test_acceptors_that_come_back_and_never_answer_lose_progress(model: Model) -> None:
    report = check(replace(model, acceptor=DiesOnceBack))
    assert (report.verdict, report.progress) == ("stuck", "lost")
    assert report.quiet_from is not None
    # Once a majority is back, nothing is learned any more; here, each acceptor comes back.
    came_back = {message.recipient for message in report.execution if isinstance(message, Restart)}
    assert came_back == {*model.configuration.acceptors}
    assert not any(isinstance(message, Restart) for message in report.execution[report.quiet_from :])


def test_an_acceptor_that_needs_a_while_to_come_back_keeps_progress() -> None:
    assert check(replace(TWO, acceptor=TakesTimeToComeBack)).progress == "kept"


@cache
def stuck() -> Report:
    return check(replace(TWO, proposer=AsksAgain))


def test_repeating_the_old_number_loses_progress() -> None:
    report = stuck()
    assert (report.verdict, report.safe, report.violation) == ("stuck", False, None)
    assert "no message is lost, but proposer-" in report.progress_reason
    assert " never learns: the state after delivery " in report.progress_reason
    # The acceptors refuse with good reason, so the proposer is named.
    assert re.fullmatch(r"proposer-0 goes on with 1, but (acceptor-\d,? )+promised a higher number", report.because)


def test_the_story_goes_up_to_the_state_and_then_through_the_quiet_run() -> None:
    report = stuck()
    told = [event for event in report.story.events if isinstance(event, Delivery)]
    assert [event.message.recipient for event in told] == [message.recipient for message in report.execution]
    assert report.quiet_from is not None
    quiet = told[report.quiet_from :]
    (name,) = {event.message.recipient for event in quiet if isinstance(event.message, Timeout)}
    assert not any(isinstance(event, Learned) and event.proposer == name for event in report.story.events)
    assert name in report.progress_reason


def test_attempts_without_a_result_lose_progress_although_no_state_repeats_itself() -> None:
    report = check(CHANGED_RULES["accepts-once"].model)
    assert report.verdict == "stuck"
    assert report.progress_reason.endswith("5 attempts above all promised numbers came to nothing")
    # PROPOSE 1 was refused, too, but by acceptors that had promised 2.
    assert report.because.startswith("acceptor-0 does not grant PROPOSE 3, 5, 7, 9, 11; ")


def test_the_first_proposer_that_is_stuck_is_reported() -> None:
    reason = check(CHANGED_RULES["accepts-only-above"].model).progress_reason
    assert reason.startswith("no message is lost, but proposer-0 never learns")


def test_a_proposer_that_ignores_timeouts_is_not_judged() -> None:
    report = check(replace(TWO, proposer=IgnoresTimeouts))
    assert (report.verdict, report.progress) == ("safe", "not judged")
    assert report.progress_reason.endswith("does nothing on TIMEOUT in a state that it reaches")


class AnswersFailLessAndLess(AsksAgain):
    """It answers only its first few FAIL, which quiet runs alone deliver, and counts them where no check can see it."""

    def count_refusal(self, fail: Fail) -> list[Message]:
        os.environ["FAILS"] = os.environ.get("FAILS", "") + "x"
        first = [Terminate(self.name, fail.sender, fail.id)] if len(os.environ["FAILS"]) < 4 else []
        return [*super().count_refusal(fail), *first]


def test_a_proposer_is_stuck_only_if_it_does_all_of_that_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAILS", "")
    with pytest.raises(CheckError, match=r"proposer-0 does not always do the same \(once it says TERMINATE 1 to acc"):
        check(replace(TWO, proposer=AnswersFailLessAndLess))


def test_an_error_in_a_quiet_run_is_not_a_loss_of_progress() -> None:
    report = check(replace(TWO, proposer=Raises))
    assert (report.progress, "too many attempts" in report.progress_reason) == ("not known", True)


@pytest.mark.usefixtures("few_steps")
def test_actors_with_many_states_are_not_followed_for_long() -> None:
    report = check(replace(Model(2, 2, max_attempts=2), acceptor=KeepsAJournal), max_states=2_000)
    assert (report.verdict, report.progress) == ("unknown", "not known")
    assert report.progress_reason == "the actors have too many states"


def test_a_proposer_that_another_one_disturbs_is_not_stuck() -> None:
    report = check(Model(1, 2, acceptor=TellsTheLoser, proposer=Disturbs))
    assert (report.progress, report.progress_reason) == ("not known", "nothing is known after 50 timeouts")


def test_deliveries_without_end_are_not_a_loss_of_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress_module, "MAX_DELIVERIES", 3)
    report = check(TWO)
    assert (report.progress, report.progress_reason) == ("not known", "deliveries perhaps have no end")


def test_with_few_timeouts_nothing_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress_module, "MAX_TIMEOUTS", 2)
    report = check(replace(TWO, proposer=Retransmits))
    assert (report.progress, report.progress_reason) == ("not known", "nothing is known after 2 timeouts")


def test_progress_is_not_lost_if_real_actors_do_not_confirm_it(monkeypatch: pytest.MonkeyPatch) -> None:
    learned = [Learned(1, name, "value-0") for name in TWO.configuration.proposers]
    monkeypatch.setattr(progress_module, "story", lambda *_: Story(TWO.configuration, learned))
    assert stuck.__wrapped__().progress == "not known"


def test_a_violation_counts_for_more() -> None:
    reports = [stuck(), check(CHANGED_RULES["ignores-accepted"].model)]
    assert [report.verdict for report in reports] == ["stuck", "violated"]
    assert summary(reports, judge(LADDER[0]))["verdict"] == "violated"


def test_a_climb_goes_on_and_says_what_was_stuck_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules["toy_paxos.checking.climb"], "CLIMB", CLIMB[:3])
    reports = [*climb(proposer=AsksAgain, kept=True)]
    total = summary(reports, judge(replace(LADDER[0], proposer=AsksAgain)))
    assert len(reports) == 3
    assert (total["verdict"], total["progress"]) == ("stuck", "lost")
    assert total["quiet_from"] == reports[0].quiet_from


def test_clusters_that_keep_progress_are_counted_if_it_is_not_known_in_all() -> None:
    reports = [check(Model(1, 1)), check(Model(3, 2), 10), check(Model(1, 2))]
    total = summary(reports, Judgement(Model(), 0, not_judged="too many steps"))
    assert total["progress"] == "not known"
    assert total["progress_reason"] == "not explored to the end; kept in 2 of 3 clusters"
    assert summary(reports[1:2], Judgement(Model(), 0))["progress_reason"] == "not explored to the end"
