"""Other shapes of Python: two functions, proposers that wait, and proposers that do not say what they learn."""

import random
from typing import Any

import pytest
from conftest import RunHere

from toy_paxos.adapt import adapted
from toy_paxos.adapt.blocking import Run
from toy_paxos.checking import Model, check
from toy_paxos.event import Wants, hand_over, listed
from toy_paxos.message import Accept, Fail, Message, Prepare, Promise, Proposal, Propose, Timeout
from toy_paxos.message_like import AnswerError
from toy_paxos.rules import Onlooker
from toy_paxos.story import Configuration

SHAPES = '''
from threading import Lock


class TwoFunctions:
    """It needs no name."""

    def __init__(self):
        self.promised, self.accepted = 0, (None, None)

    def prepare(self, n):
        if n <= self.promised:
            return None
        self.promised = n
        return self.accepted

    def accept(self, n, value):
        if n < self.promised:
            return False
        self.promised, self.accepted = n, (n, value)
        return True


class Forgets(TwoFunctions):
    def __init__(self, name):
        super().__init__()
        self.name = name

    def prepare(self, n):
        return super().prepare(n) and True


class Counts(TwoFunctions):
    asked = 0

    def prepare(self, n):
        Counts.asked += 1
        return super().prepare(n)


class Mumbles(TwoFunctions):
    def prepare(self, n):
        return n


class Textbook:
    def __init__(self, name, value, acceptors, id, id_step):
        self.value, self.acceptors, self.n, self.step = value, acceptors, id, id_step
        self.quorum = len(acceptors) // 2 + 1

    def propose(self):
        while True:
            if (value := self.attempt()) is not None:
                return value
            self.n += self.step

    def attempt(self):
        promises = [promise for acceptor in self.acceptors if (promise := acceptor.prepare(self.n))]
        if len(promises) < self.quorum:
            return None
        value = self.choose([promise for promise in promises if promise[0] is not None])
        accepted = [acceptor for acceptor in self.acceptors if acceptor.accept(self.n, value)]
        return value if len(accepted) >= self.quorum else None

    def choose(self, reported):
        return max(reported)[1] if reported else self.value


class OneAttempt(Textbook):
    def propose(self):
        value = self.attempt()
        self.n += self.step
        return value


class Remembers(OneAttempt):
    promises = ()

    def choose(self, reported):
        self.promises += (*reported, len(self.promises))
        return super().choose(reported)


class Regrets(OneAttempt):
    """It takes for chosen what a single acceptor has accepted, if it was promised by the first two."""

    def attempt(self):
        promises = [acceptor.prepare(self.n) for acceptor in self.acceptors]
        reported = [promise for promise in promises if promise]
        if len(reported) < self.quorum:
            return None
        value = self.choose([promise for promise in reported if promise[0] is not None])
        accepted = sum(1 for acceptor in self.acceptors if acceptor.accept(self.n, value))
        return value if accepted >= (1 if None not in promises[:2] else self.quorum) else None


class InTurn(Textbook):
    """It asks no more acceptors than it needs, and holds a lock, which no snapshot can."""

    def __init__(self, *args):
        super().__init__(*args)
        self.lock = Lock()

    def attempt(self):
        with self.lock:
            promised, best = [], (0, self.value)
            for acceptor in self.acceptors:
                promise = acceptor.prepare(self.n)
                if promise is not None:
                    promised.append(acceptor.name)
                    best = max(best, promise) if promise[0] is not None else best
                if len(promised) == self.quorum:
                    break
            else:
                return None
            accepted = sum(1 for acceptor in self.acceptors if acceptor.accept(self.n, best[1]))
            return best[1] if accepted >= self.quorum else None


class IgnoresReports(Textbook):
    def choose(self, reported):
        return self.value


class Retries(Textbook):
    """It asks again under the same number."""

    def propose(self):
        while True:
            if (value := self.attempt()) is not None:
                return value


class Numbers(Textbook):
    def propose(self):
        return len(self.acceptors[0].name)


class Tuples(Textbook):
    def propose(self):
        self.acceptors[0].prepare((1, "me"))


class Asks(Textbook):
    def propose(self):
        self.acceptors[0].promise(1)


class Silent:
    """A correct proposer without ``learned``, for messages of any class."""

    def __init__(self, name, value, acceptors, id, id_step):
        self.name, self.value, self.acceptors, self.id, self.step = name, value, acceptors, id, id_step
        self.reports, self.proposed = {}, False

    def send(self, type, **more):
        from types import SimpleNamespace

        route = {"type": type, "sender": self.name, "id": self.id}
        return [SimpleNamespace(recipient=acceptor, **route, **more) for acceptor in self.acceptors]

    def prepare(self):
        return self.send("PREPARE")

    def receive(self, message):
        if message.type == "TIMEOUT":
            self.id, self.reports, self.proposed = self.id + self.step, {}, False
            return self.prepare()
        if message.type == "PROMISE" and message.id == self.id and not self.proposed:
            self.reports[message.sender] = message.accepted
            if len(self.reports) > len(self.acceptors) // 2:
                best = max(filter(None, self.reports.values()), default=(0, self.value))
                self.proposed, self.reports = True, {}
                return self.send("PROPOSE", value=best[1])
        return []


class Own(Silent):
    def choose(self):
        return self.value

    def receive(self, message):
        if message.type == "PROMISE":
            message = type(message)(message.sender, message.recipient, message.id, None)
        return super().receive(message)
'''

PROPOSE = [Propose("p", acceptor, 1, "x") for acceptor in ("a", "b", "c")]


@pytest.fixture(scope="module")
def shapes(tmp_path_factory: pytest.TempPathFactory) -> str:
    file = tmp_path_factory.mktemp("shapes") / "shapes.py"
    file.write_text(SHAPES)
    return str(file)


@pytest.fixture(scope="module")
def classes() -> dict[str, Any]:
    its: dict[str, Any] = {"__name__": "shapes"}
    exec(SHAPES, its)
    return its


def acceptor(classes: dict[str, Any], name: str) -> Any:
    return adapted(classes[name], "acceptor")


def proposer(classes: dict[str, Any], name: str) -> Any:
    return adapted(classes[name], "proposer")


# Two functions


def test_two_functions_are_an_acceptor(classes: dict[str, Any]) -> None:
    one = acceptor(classes, "TwoFunctions")("a")
    assert one.receive(Prepare("p", "a", 2)) == [Promise("a", "p", 2, None)]
    assert one.receive(Prepare("p", "a", 1)) == [Fail("a", "p", 1)]
    assert one.receive(Propose("p", "a", 1, "x")) == [Fail("a", "p", 1)]
    assert one.receive(Propose("p", "a", 2, "x")) == [Accept("a", "p", 2, "x")]
    assert one.receive(Prepare("p", "a", 3)) == [Promise("a", "p", 3, Proposal(2, "x"))]
    assert one.receive(Timeout("clock", "a", 3)) == []


def test_they_are_judged_and_shown_like_any_other(shapes: str, run_here: RunHere) -> None:
    assert run_here("check", "--acceptor", f"{shapes}:TwoFunctions", "-n", "3").returncode == 0
    forgets = run_here("check", "--acceptor", f"{shapes}:Forgets", "--diagram")
    assert forgets.returncode == 3
    assert "a0 = 1 1:value-0" in forgets.stdout
    assert "a second value is chosen" in forgets.stdout
    mumbles = run_here("check", "--acceptor", f"{shapes}:Mumbles", "-n", "1")
    assert (mumbles.returncode, mumbles.stderr.count("\n")) == (2, 1)
    words = "prepare returned 1: return None or False to refuse, else what was accepted last, (number, value), and"
    assert words in mumbles.stderr
    assert "(shapes.py, line " in mumbles.stderr


def test_what_its_class_keeps_is_seen(shapes: str, run_here: RunHere) -> None:
    done = run_here("check", "--acceptor", f"{shapes}:Counts", "-n", "1")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "asked of class Counts has changed" in done.stderr


@pytest.mark.parametrize(
    ("option", "name", "words"),
    [
        (
            "--acceptor",
            "Textbook",
            "is not an acceptor: it needs receive(message), or prepare(n) and accept(n, value).",
        ),
        ("--proposer", "TwoFunctions", "is not a proposer: it needs receive(message) and prepare(), or propose()."),
    ],
)
def test_a_class_of_no_shape_is_told_what_is_expected(
    option: str, name: str, words: str, shapes: str, run_here: RunHere
) -> None:
    done = run_here("check", option, f"{shapes}:{name}")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert f"class '{name}' {words}" in done.stderr


# Proposers that wait


def test_a_waiting_proposer_asks_all_at_once_and_goes_on_with_a_quorum(classes: dict[str, Any]) -> None:
    one = proposer(classes, "Textbook")("p", "x", ["a", "b", "c"], 1, 2)
    assert one.prepare() == [Prepare("p", acceptor, 1) for acceptor in ("a", "b", "c")]
    assert one.receive(Promise("b", "p", 1, None)) == []
    assert one.receive(Promise("c", "p", 1, None)) == PROPOSE
    assert one.receive(Accept("a", "p", 1, "x")) == []
    assert one.learned is None
    assert one.receive(Accept("c", "p", 1, "x")) == []
    assert one.learned == "x"


def test_an_answer_that_it_has_gone_on_without_changes_nothing(classes: dict[str, Any]) -> None:
    one = proposer(classes, "Textbook")("p", "x", ["a", "b", "c"], 2, 2)
    one.prepare()
    one.receive(Promise("b", "p", 2, None))
    assert {message.value for message in one.receive(Promise("c", "p", 2, None))} == {"x"}
    before = vars(one).copy()
    assert one.receive(Promise("a", "p", 2, Proposal(1, "y"))) == []
    assert vars(one) == before


@pytest.mark.parametrize("name", ["Textbook", "OneAttempt", "InTurn"])
@pytest.mark.parametrize("sizes", [{}, {"num_acceptors": 1, "max_attempts": 2}])
def test_a_correct_one_is_safe(name: str, sizes: dict[str, int], classes: dict[str, Any], few_walks: None) -> None:
    assert check(Model(proposer=proposer(classes, name), **sizes)).safe  # type: ignore[arg-type]


def test_the_order_in_which_it_asks_costs_no_states(classes: dict[str, Any], few_walks: None) -> None:
    counts = {name: check(Model(proposer=proposer(classes, name))).states for name in ("Textbook", "InTurn")}
    assert counts == {"Textbook": 296, "InTurn": 296}


def test_if_late_answers_counted_a_correct_one_would_be_convicted(
    classes: dict[str, Any], few_walks: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Run, "go_on_without", lambda *_: None)
    assert check(Model(proposer=proposer(classes, "Textbook"))).violation


def test_a_faulty_one_is_convicted(shapes: str, run_here: RunHere) -> None:
    done = run_here("check", "--proposer", f"{shapes}:IgnoresReports")
    assert done.returncode == 3
    assert "a second value is chosen" in done.stdout


@pytest.mark.parametrize("name", ["Textbook", "OneAttempt", "InTurn"])
def test_only_a_timeout_begins_another_attempt(name: str, classes: dict[str, Any]) -> None:
    one = proposer(classes, name)("p", "x", ["a", "b", "c"], 1, 2)
    one.prepare()
    for acceptor in ("a", "b", "c"):
        assert one.receive(Fail(acceptor, "p", 1)) == []
    assert one.receive(Timeout("clock", "p", 1)) == [Prepare("p", acceptor, 3) for acceptor in ("a", "b", "c")]
    assert one.receive(Promise("a", "p", 1, None)) == []
    one.receive(Promise("a", "p", 3, None))
    assert one.receive(Promise("b", "p", 3, Proposal(2, "y")))[0] == Propose("p", "a", 3, "y")
    assert one.receive(Timeout("clock", "p", 3)) == [Prepare("p", acceptor, 5) for acceptor in ("a", "b", "c")]


def test_to_ask_again_under_the_same_number_is_another_attempt(classes: dict[str, Any]) -> None:
    one = proposer(classes, "Retries")("p", "x", ["a", "b", "c"], 1, 2)
    again = one.prepare()
    assert one.receive(Promise("a", "p", 1, None)) == []
    assert one.receive(Timeout("clock", "p", 1)) == again
    assert one.receive(Timeout("clock", "p", 1)) == again


def test_code_that_makes_one_attempt_needs_fewer_states(classes: dict[str, Any], few_walks: None) -> None:
    names = ("Textbook", "OneAttempt")
    reports = [check(Model(1, 2, max_attempts=2, proposer=proposer(classes, name))) for name in names]
    assert all(report.safe for report in reports)
    assert [report.states for report in reports] == [265, 153]


def test_it_forgets_who_has_promised_once_that_makes_no_difference(classes: dict[str, Any], few_walks: None) -> None:
    states = check(Model(proposer=proposer(classes, "OneAttempt"))).states
    assert states == check(Model()).states
    # One that remembers that, for its next attempt or for its result, does so here, too.
    assert check(Model(proposer=proposer(classes, "Remembers"))).states > states
    assert check(Model(proposer=proposer(classes, "Regrets"))).violation


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Numbers", "propose returned 10: return the value that is chosen, a text, or None (shapes.py, line "),
        ("Tuples", "prepare takes a whole number, not (1, 'me') (shapes.py, line "),
        ("Asks", "an acceptor has prepare(n), accept(n, value) and name, but not promise (shapes.py, line "),
    ],
)
def test_what_it_does_wrong_is_said_in_one_line(name: str, words: str, shapes: str, run_here: RunHere) -> None:
    done = run_here("check", "--proposer", f"{shapes}:{name}", "-n", "1")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert words in done.stderr


def test_both_shapes_run_together(shapes: str, run_here: RunHere) -> None:
    actors = ("--acceptor", f"{shapes}:TwoFunctions", "--proposer", f"{shapes}:InTurn")
    done = run_here(*actors, "--num-proposers", "3", "--message-loss-prob", "0.1", "--seed", "1", "-c", "50", "-q")
    assert done.returncode == 0
    assert "consensus                   50  100.00%" in done.stdout
    assert "replay, if the actors are deterministic: " in done.stdout


# Without ``learned``


def test_what_a_proposer_does_not_say_is_counted(classes: dict[str, Any]) -> None:
    one = proposer(classes, "Silent")("p", "x", ["a", "b", "c"], 1, 2)
    one.prepare()
    for message in (Accept("a", "p", 1, "x"), Accept("a", "p", 1, "x"), Accept("b", "p", 1, "y")):
        one.receive(message)
        assert one.learned is None
    one.receive(Accept("b", "p", 1, "x"))
    assert one.learned == "x"
    one.receive(Accept("b", "p", 5, "y"))
    assert one.learned == "x"


def test_only_the_highest_number_is_counted_because_others_multiply_the_states(classes: dict[str, Any]) -> None:
    one = proposer(classes, "Silent")("p", "x", ["a", "b", "c"], 1, 2)
    one.prepare()
    for message in (Accept("a", "p", 1, "x"), Accept("b", "p", 3, "x"), Accept("b", "p", 1, "x")):
        one.receive(message)
        assert one.learned is None
    one.receive(Accept("a", "p", 3, "x"))
    assert one.learned == "x"


def test_it_is_judged_all_the_same(shapes: str, run_here: RunHere) -> None:
    assert run_here("check", "--proposer", f"{shapes}:Silent", "-n", "3").returncode == 0
    done = run_here("check", "--proposer", f"{shapes}:Own")
    assert done.returncode == 3
    assert "a second value is chosen" in done.stdout
    ran = run_here("--proposer", f"{shapes}:Silent", "-c", "3", "-p", "0", "--seed", "1")
    assert ran.stdout.count(": consensus on ") == 3


@pytest.mark.parametrize("name", ["Silent", "Textbook", "OneAttempt", "InTurn"])
def test_what_it_learns_is_never_too_early_by_the_rules_whatever_it_hears(name: str, classes: dict[str, Any]) -> None:
    die, configuration, learned = random.Random(1), Configuration.of(2, 3), 0
    for _ in range(200):
        onlooker = Onlooker(configuration)
        one = proposer(classes, name)("proposer-0", "x", configuration.acceptors, 1, 2)
        assert not onlooker.after(Wants(0, "proposer-0", "x", listed(one.prepare())))
        for _ in range(die.randint(1, 30)):
            sender, id, value = die.choice(configuration.acceptors), die.choice([1, 1, 1, 3]), die.choice("xxxy")
            messages = [Promise(sender, "proposer-0", id, None), Accept(sender, "proposer-0", id, value)]
            message = die.choice([*9 * messages, Timeout("clock", "proposer-0", id)])
            broken = onlooker.after(hand_over(one, message, 0, 0, proposes=True))
            assert not broken, broken
        learned += one.learned is not None
    assert learned > 20


def test_a_class_that_says_it_stays_as_it_is(classes: dict[str, Any]) -> None:
    class Says:
        def prepare(self) -> list[Message]:
            self.learned = None
            return []

        def receive(self, message: Message) -> list[Message]:
            return []

    assert proposer({"Says": Says}, "Says") is Says
    assert acceptor(classes, "Silent") is classes["Silent"]
    assert proposer(classes, "Silent") is not classes["Silent"]


def test_a_waiting_proposer_that_holds_a_lock_cannot_make_one_attempt_a_call(classes: dict[str, Any]) -> None:
    in_turn: Any = classes["InTurn"]

    class OneAttemptInTurn(in_turn):  # type: ignore[misc]
        propose = classes["OneAttempt"].propose

    one: Any = adapted(OneAttemptInTurn, "proposer")
    waiting = one("p", "x", ["a", "b", "c"], 1, 2)
    waiting.prepare()
    with pytest.raises(AnswerError, match="so the proposer is kept for the next attempt, but it cannot be copied"):
        waiting.receive(Timeout("clock", "p", 1))
