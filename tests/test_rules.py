"""The rules: the theorem by exhaustive search, each rule by examples and near misses, and the reasons of stories."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache

import pytest
from hypothesis import given
from stories import broken_story, first_round, runs

from toy_paxos.acceptor import Acceptor
from toy_paxos.checking import CHANGED_RULES as CHANGED
from toy_paxos.event import Delivery, Departure, Event, Fate, Wants
from toy_paxos.message import Accept, Fail, Message, Prepare, Promise, Proposal, Propose, Restart, Timeout
from toy_paxos.rules import RULES, History, Onlooker, safe_values, speak, statement, statements
from toy_paxos.settings import Settings
from toy_paxos.story import Configuration

# The theorem. An abstract acceptor is a pair: its promises, by number with the number it reported; and the numbers it
# has accepted. Each number belongs to one proposer (P1), which wants its number as its value and proposes once (P3).
Abstract = tuple[frozenset[tuple[int, int]], frozenset[int]]
State = tuple[frozenset[tuple[int, int]], tuple[Abstract, ...]]


@cache
def after(acceptor: Abstract, proposed: frozenset[int], num_numbers: int, dropped: str) -> list[Abstract]:
    """Return what may become of an acceptor by R0, A3 and A4, and by what a dropped rule forbids."""
    promises, accepts = acceptor
    numbers = {*range(1, num_numbers + 1)} - {number for number, _ in promises}
    highest = 0 if dropped == "A3" else max(accepts, default=0)
    reports = [report for report in (0, *proposed) if report >= highest]
    found = [(promises | {(number, report)}, accepts) for number in numbers for report in reports]
    for number in proposed - accepts:
        if dropped == "A4" or all(report >= number for promised, report in promises if promised > number):
            found.append((promises, accepts | {number}))
    return found


def steps(state: State, num_numbers: int, quorum: int, dropped: str) -> Iterator[State]:
    """Yield the states after everything that R0, A3, A4 and P1 to P3 allow, and after what a dropped rule forbids."""
    proposed, acceptors = state
    values = dict(proposed)
    for at, acceptor in enumerate(acceptors):
        if acceptor in acceptors[:at]:
            continue
        others = acceptors[:at] + acceptors[at + 1 :]
        for changed in after(acceptor, frozenset(values), num_numbers, dropped):
            yield proposed, tuple(sorted((*others, changed), key=hash))
    for number in {*range(1, num_numbers + 1)} - values.keys():
        promised = [dict(promises)[number] for promises, _ in acceptors if number in dict(promises)]
        for report in promised:
            if sum(other <= report for other in promised) >= quorum:
                yield proposed | {(number, values.get(report, number))}, acceptors


def is_safe(num_acceptors: int, num_numbers: int, promise_quorum: int, accept_quorum: int, dropped: str = "") -> bool:
    """Return whether at most one value is chosen in every state."""
    start: State = (frozenset(), ((frozenset(), frozenset()),) * num_acceptors)
    met, todo = {start}, [start]
    while todo:
        state = todo.pop()
        counted = {number: sum(number in accepts for _, accepts in state[1]) for number, _ in state[0]}
        if len({value for number, value in state[0] if counted[number] >= accept_quorum}) > 1:
            return False
        new = {*steps(state, num_numbers, promise_quorum, dropped)} - met
        met |= new
        todo += new
    return True


@pytest.mark.parametrize("sizes", [(3, 2, 2, 2), (4, 2, 3, 2), (2, 3, 2, 1), (2, 3, 1, 2)])
def test_all_actors_that_keep_the_rules_are_safe(sizes: tuple[int, int, int, int]) -> None:
    assert is_safe(*sizes)


@pytest.mark.parametrize(
    ("sizes", "dropped"),
    [((3, 2, 2, 2), "A3"), ((3, 2, 2, 2), "A4"), ((4, 2, 2, 2), "no rule"), ((3, 2, 1, 2), "no rule")],
)
def test_without_a_rule_or_with_quorums_that_do_not_meet_actors_are_not_safe(
    sizes: tuple[int, int, int, int], dropped: str
) -> None:
    assert not is_safe(*sizes, dropped)


# The rules, one by one

THREE = Configuration.of(2, 3)
A, B, P, Q = "acceptor-0", "acceptor-1", "proposer-0", "proposer-1"
Step = Sequence[Message | None]
"""A message that an actor hears, or None, and then what it says."""


def prepare(id: int, to: str = A, by: str = P) -> Prepare:
    return Prepare(by, to, id)


def promise(id: int, accepted: Proposal | None = None, by: str = A, to: str = P) -> Promise:
    return Promise(by, to, id, accepted)


def propose(id: int, value: str = "a", to: str = A, by: str = P) -> Propose:
    return Propose(by, to, id, value)


def accept(id: int, value: str = "a", by: str = A, to: str = P) -> Accept:
    return Accept(by, to, id, value)


def reason(name: str, *steps: Step, learned: str | None = None, configuration: Configuration = THREE) -> str | None:
    """Return how an actor breaks a rule in the last of these steps, which may be that it learns a value."""
    events: list[Event] = [Wants(0, P, "a"), Wants(0, Q, "b")]
    for time, (heard, *said) in enumerate(steps, start=1):
        spoken = [one for one in said if one]
        events.append(Delivery(time, heard or Restart("power", name, 1), answers=spoken))
    assert isinstance(events[-1], Delivery)
    events[-1].learned = learned
    broken = departures(events, configuration)
    assert all(time == len(steps) for time, _ in broken)
    return broken[0][1] if broken else None


def departures(events: Sequence[Event], configuration: Configuration = THREE) -> list[tuple[float, str]]:
    """Return the first departure of each actor."""
    departures = [event for event in Onlooker(configuration).told(events) if isinstance(event, Departure)]
    return [(event.time, f"{event.actor} breaks {event.rule}: {event.words}") for event in departures]


ACCEPTED = (prepare(1), promise(1)), (propose(1), accept(1))
ONE_PROMISE = "P2: it proposes under 1 with 1 promise for 1; a quorum is 2 of 3"
PROMISED = (None, prepare(1)), (promise(1),)
OLD, NEW = Proposal(1, "a"), Proposal(2, "b")


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        ([(prepare(1), promise(1, by=B))], "R0: it says PROMISE 1 in the name of acceptor-1"),
        ([(prepare(1), propose(1, by=A))], "R0: it says PROPOSE 1, and is not a proposer"),
        ([(prepare(1), Fail(A, P, 1))], None),
        ([(prepare(1), promise(2))], "A1: it promises 2 before a PREPARE 2"),
        ([(prepare(1),), (None, promise(1))], None),
        ([(prepare(2), promise(2)), (prepare(1), promise(1))], "A2: it promises 1 after it promised 2"),
        ([(prepare(1), promise(1)), (prepare(2), promise(2)), (None, promise(1))], None),
        ([(prepare(1), promise(1)), (prepare(2), promise(2)), (None, promise(1, to=Q))],
         "A2: it promises 1 after it promised 2 (before its restart)"),
        ([(prepare(2), promise(2, OLD))], "A3: its promise of 2 reports a under 1, which it was never asked to accept"),
        ([(propose(9),), (propose(7, "b"),), (prepare(10), promise(10, OLD))],
         "A3: its promise of 10 reports a under 1, which it was never asked to accept; it was asked to under 9"),
        ([(propose(1),), (prepare(2), promise(2, OLD))], None),
        ([(propose(1),), (prepare(2), promise(2))], None),
        ([*ACCEPTED, (prepare(2), promise(2))], "A3: its promise of 2 reports nothing after it accepted 1"),
        ([*ACCEPTED, (propose(2, "b"),), (prepare(3), promise(3, NEW))], None),
        ([*ACCEPTED, (prepare(2), promise(2, OLD)), (propose(1), accept(1, to=Q))], None),
        ([(propose(1),), (prepare(2), promise(2)), (None, accept(1))],
         "A4: it accepts 1 after it promised 2 (before its restart)"),
        ([(propose(1),), (prepare(2), promise(2, OLD)), (None, accept(1))], None),
        ([(propose(1), accept(1, "b"))], "A4: it accepts b under 1, which it was never asked to accept"),
        ([(propose(2, "b"), accept(2, "b")), (propose(1), accept(1))], None),
        ([(propose(0), accept(0)), (prepare(1), promise(1))],
         "A3: its promise of 1 reports nothing after it accepted 0"),
    ],
)  # fmt: skip
def test_the_rules_for_an_acceptor(steps: list[Step], words: str | None) -> None:
    assert reason(A, *steps) == (words and f"{A} breaks {words}")


@pytest.mark.parametrize(
    ("steps", "learned", "words"),
    [
        ([(None, accept(1, by=P))], None, "R0: it says ACCEPT 1, and is not an acceptor"),
        ([(None, propose(1))], None, "P2: it proposes under 1 with 0 promises for 1; a quorum is 2 of 3"),
        ([*PROMISED, (promise(1), propose(1))], None, ONE_PROMISE),
        ([*PROMISED, (promise(1, by=Q), propose(1))], None, ONE_PROMISE),
        ([*PROMISED, (promise(2, by=B), propose(1))], None, ONE_PROMISE),
        ([*PROMISED, (promise(1, by=B), propose(1)), (None, propose(1, to="acceptor-2"))], None, None),
        ([*PROMISED, (promise(1, by=B), propose(1), propose(1, "b", B))], None,
         "P3: it proposes b under 1 after a"),
        ([*PROMISED, (promise(1, by=B), propose(1, "b"))], None,
         "P2: it proposes b under 1, but the promises leave only a"),
        ([(promise(3, OLD),), (promise(3, NEW, B), propose(3, "b"))], None, None),
        ([(promise(3, OLD),), (promise(3, NEW, B), propose(3, "a"))], None,
         "P2: it proposes a under 3, but the promises leave only b"),
        ([(promise(3),), (promise(3, by="acceptor-2"),), (promise(3, NEW, B), propose(3, "a"))], None, None),
        ([(accept(1),), (accept(1, by=B),)], "a", None),
        ([(accept(1),), (accept(1),)], "a", "P4: it learns a with 1 acceptance; a quorum is 2 of 3"),
        ([(accept(1),), (accept(2, by=B),)], "a", "P4: it learns a with 1 acceptance; a quorum is 2 of 3"),
        ([(promise(3, OLD),), (promise(3, OLD, B),)], "a", "P4: it learns a with 0 acceptances; a quorum is 2 of 3"),
    ],
)  # fmt: skip
def test_the_rules_for_a_proposer(steps: list[Step], learned: str | None, words: str | None) -> None:
    assert reason(P, *steps, learned=learned) == (words and f"{P} breaks {words}")


def test_each_rule_has_a_name_a_sentence_and_a_section_and_the_table_above_breaks_it() -> None:
    assert [rule.name for rule in RULES] == ["R0", "A1", "A2", "A3", "A4", "P1", "P3", "P2", "P4"]
    assert all(rule.sentence.endswith(".") and rule.section.startswith("2.") for rule in RULES)


def test_of_several_promises_by_one_acceptor_any_may_count() -> None:
    assert safe_values([[None, OLD], [NEW]], 2, "wish") == {"b"}
    assert safe_values([[None, NEW], [None]], 2, "wish") == {"wish", "b"}
    assert safe_values([[OLD], [NEW], [None]], 2, "wish") == {"a", "b"}
    assert safe_values([[None]], 2, "wish") == set()


def test_quorums_may_have_different_sizes() -> None:
    flexible = Configuration((P, Q), (A, B, "acceptor-2", "acceptor-3"), promise_quorum=3, accept_quorum=2)
    assert flexible.quorums_meet
    assert not replace(flexible, promise_quorum=2).quorums_meet
    steps = [(promise(1),), (promise(1, by=B), propose(1))]
    assert (
        reason(P, *steps, configuration=flexible)
        == f"{P} breaks P2: it proposes under 1 with 2 promises for 1; a quorum is 3 of 4"
    )
    assert reason(P, (accept(1),), (accept(1, by=B),), learned="a", configuration=flexible) is None


def test_a_report_that_is_not_a_proposal_breaks_a3() -> None:
    odd = promise(1)
    odd.accepted = [1, "a", "b"]  # type: ignore[assignment]
    words = "its promise of 1 reports [1, 'a', 'b'] under 0, which it was never asked to accept"
    assert reason(A, (prepare(1), odd)) == f"{A} breaks A3: {words}"


def test_a_history_that_stands_for_two_takes_the_worst_case() -> None:
    start = History(A, THREE, {})
    heard = statements([prepare(1), prepare(2), propose(1)])
    one, _ = speak(start._replace(heard=frozenset(heard[:2])), statements([promise(2)]))
    other = start._replace(heard=frozenset(heard))
    assert speak(other, statements([accept(1)]))[1] is None
    for said, words in (
        (accept(1), "A4: it accepts 1 after it promised 2"),
        (promise(1), "A2: it promises 1 after it promised 2"),
    ):
        _, broken = speak(one.or_else(other).after_hearing(heard[2]), statements([said]))
        assert str(broken) == f"{A} breaks {words}"
    # What was said on one way only is not said again.
    assert speak(one.or_else(other), statements([promise(2)]))[1] is None
    assert statement(promise(2)) not in one.or_else(other).said


def test_what_is_said_at_once_counts_in_the_order_of_its_numbers() -> None:
    heard = frozenset(statements([prepare(1), prepare(2), propose(2)]))
    start = History(A, THREE, {})._replace(heard=heard)
    for said in ([promise(2), promise(1)], [accept(2), promise(2)], [accept(2), promise(1), promise(2)]):
        assert speak(start, statements(said))[1] is None
    # One after the other, they break A2 and A3.
    for said, rule in (([promise(2), promise(1)], "A2"), ([accept(2), promise(2)], "A3")):
        history, _ = speak(start, statements(said[:1]))
        _, broken = speak(history, statements(said[1:]))
        assert broken
        assert broken.rule.name == rule


# Stories


def test_a_story_names_the_first_step_of_each_actor_that_breaks_a_rule() -> None:
    # The example in the docstring of the module; and proposer-1 takes a number that it does not have.
    events: list[Event] = [
        Wants(0, P, "a", [prepare(1), prepare(1, B)]),
        Wants(0, Q, "b", [prepare(2, by=Q)]),
        Delivery(1, prepare(1, B), answers=[promise(1, by=B)]),
        Delivery(2, prepare(2, B, Q), answers=[promise(2, None, B, Q)]),
        Delivery(3, propose(1, "a", B), Fate.LOST),
        Delivery(4, propose(1, "a", B), answers=[accept(1, "a", B)]),
        Delivery(5, propose(1, "a", B), answers=[accept(1, "a", B, Q)]),
        Delivery(6, Timeout("clock", Q, 2), answers=[prepare(1, by=Q)]),
    ]
    assert departures(events) == [
        (4, "acceptor-1 breaks A4: it accepts 1 after it promised 2"),
        (6, "proposer-1 breaks P1: it uses number 1 of proposer-0"),
    ]


@given(runs)
def test_in_no_run_does_an_actor_break_a_rule(run: Settings) -> None:
    round = first_round(run)
    assert round.events
    assert departures(round.events, round.configuration) == []


@pytest.mark.parametrize("name", [name for name, rule in CHANGED.items() if rule.fate == "unsafe"])
def test_the_story_of_a_changed_rule_has_a_reason(name: str) -> None:
    events, num_acceptors = broken_story(name)
    kind = "acceptor" if issubclass(CHANGED[name].changed, Acceptor) else "proposer"
    told = [event for event in events if not isinstance(event, Departure)]
    broken = departures(told, Configuration.of(3, num_acceptors))
    assert broken
    assert all(words.startswith(kind) for _, words in broken)
