"""Executions by chance: what they find really happens, and nothing can be left out of it."""

from conftest import is_possible
from wrong_actors import LogsAndAdoptsFirst

from toy_paxos.checking import Model, check
from toy_paxos.checking.broken import ForgetsAll, IgnoresAccepted
from toy_paxos.checking.chance import check_by_chance
from toy_paxos.checking.game import story
from toy_paxos.event import Violation
from toy_paxos.message import Fail, Message, Promise
from toy_paxos.proposer import Proposer
from toy_paxos.safety import Property


def always() -> bool:
    return True


def test_what_is_found_really_happens() -> None:
    report = check_by_chance([Model(3, 2, 2, proposer=LogsAndAdoptsFirst)], always)
    assert report
    assert report.lost
    assert not report.complete
    assert is_possible(report.model, report.story.events)
    assert any(isinstance(event, Violation) for event in report.story.events[-4:])


def test_nothing_can_be_left_out() -> None:
    report = check_by_chance([Model(3, 2, acceptor=ForgetsAll)], always)
    assert report
    for at in range(len(report.execution)):
        without = [*report.execution[:at], *report.execution[at + 1 :]]
        told = story(report.model, without).events
        assert not is_possible(report.model, told) or not any(isinstance(event, Violation) for event in told)


def test_here_it_is_as_short_as_the_shortest() -> None:
    model = Model(3, 2, proposer=IgnoresAccepted)
    report = check_by_chance([model], always)
    assert report
    assert len(report.execution) == len(check(model).execution)


def test_a_property_of_ones_own_is_asked_for_too() -> None:
    nothing = Property("nothing is chosen", lambda moment: "something is chosen" if moment.chosen else None)
    model = Model(3, 2, properties=(nothing,))
    for report in (check_by_chance([model], always), check(model)):
        assert report
        assert (report.lost, report.violation) == (nothing, "something is chosen")


def test_the_right_actors_lose_nothing_and_whoever_has_seen_enough_ends_it() -> None:
    asked: list[int] = []

    def thrice() -> bool:
        asked.append(1)
        return len(asked) < 3

    assert check_by_chance([Model(3, 2, 2), Model(3, 2, fail=True)], thrice) is None
    assert len(asked) == 3


class TakesFailForPromise(Proposer):
    """To it an answer is an answer."""

    def count_refusal(self, fail: Fail) -> list[Message]:
        return self.count_promise(Promise(fail.sender, fail.recipient, fail.id, None))


def test_fail_is_delivered_only_where_the_model_says_so() -> None:
    asked: list[int] = []

    def often() -> bool:
        asked.append(1)
        return len(asked) < 200

    assert check_by_chance([Model(3, 2, proposer=TakesFailForPromise)], often) is None
    assert check_by_chance([Model(3, 2, proposer=TakesFailForPromise, fail=True)], always)
