"""One actor at a time: the judgements of correct and faulty actors, compared with searches and random executions."""

import os
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
from pairs import pair
from wrong_actors import (
    RIGHT,
    WRONG,
    FixedQuorum,
    OnlyTheFifthHides,
    OnlyTheFourthForgets,
    StoresInClass,
    forget_what_is_stored,
)

from toy_paxos.acceptor import Acceptor
from toy_paxos.checking import CheckError, InterruptedActorError, Model, check
from toy_paxos.checking.alone import LADDER, Judgement, judge
from toy_paxos.checking.broken import CHANGED_RULES
from toy_paxos.checking.game import Game
from toy_paxos.message import Accept, Fail, Message, Prepare, Promise, Proposal, Propose, Terminate, Timeout
from toy_paxos.proposer import Proposer
from toy_paxos.rules import Onlooker
from toy_paxos.story import Story

STATES = [43, 134, 279, 405, 626, 287, 351, 800]


def with_actors(model: Model, *actors: type[Any]) -> Model:
    for actor in actors:
        is_acceptor = issubclass(actor, Acceptor)
        model = replace(model, acceptor=actor) if is_acceptor else replace(model, proposer=actor)
    return model


def climb(*actors: type[Any], rungs: Sequence[Model] = LADDER) -> Judgement:
    """Return the first judgement that the rules are not kept, or the last judgement."""
    for model in rungs:
        judgement = judge(with_actors(model, *actors))
        if not judgement.kept:
            break
    return judgement


@pytest.mark.parametrize(("model", "states"), [*zip(LADDER, STATES, strict=True)])
def test_the_shipped_actors_keep_all_rules(model: Model, states: int) -> None:
    judgement = judge(model)
    assert judgement.kept
    assert judgement.states == states


BROKEN = {
    "ignores-accepted": "P2",
    "adopts-any": "P2",
    "adopts-lowest": "P2",
    "skips-phase-1": "P2",
    "counts-twice": "P2",
    "takes-old-promises": "P2",
    "proposes-twice": "P3",
    "accepts-below": "A4",
    "does-not-raise": "A3",
    "lowers-promise": "A2",
    "forgets-all": "A2",
    "forgets-promise": "A2",
    "forgets-accepted": "A3",
    "hides-accepted": "A3",
    "accepts-above": None,
    "accepts-once": None,
    "promises-again": None,
    # Each acceptor promises a number once, so only one of two proposers with that number gets a quorum.
    "shares-numbers": "P1",
    # It accepts a proposal below one that it has accepted, and forgets that one; but none is ever chosen.
    "accepts-only-above": "A3",
}


@pytest.mark.parametrize("name", CHANGED_RULES)
def test_a_changed_rule_is_a_broken_rule_unless_the_paper_allows_it(name: str) -> None:
    judgement = climb(CHANGED_RULES[name].changed, rungs=LADDER if BROKEN[name] else LADDER[:3])
    assert not judgement.not_judged
    assert (judgement.broken and judgement.broken.rule.name) == BROKEN[name]


class ForgetsOnTerminate(Acceptor):
    """It ignores what it does not grant, and forgets its promise when a proposer gives up."""

    def receive(self, message: Message) -> list[Message]:
        if isinstance(message, Terminate):
            self.promised = 0
        return [answer for answer in super().receive(message) if not isinstance(answer, Fail)]


def test_a_failing_acceptor_may_answer_fail_for_one_that_never_says_it() -> None:
    model = Model(3, 2, max_attempts=2, fail=True, acceptor=ForgetsOnTerminate)
    assert str(judge(model).broken) == "acceptor-0 breaks A2: it promises 1 after it promised 2"
    assert judge(replace(model, fail=False)).kept


class LiesOnce(Acceptor):
    """Only its first answer to a PROPOSE below its promise is wrong; it remembers that where no check can see it."""

    def accept(self, request: Propose) -> list[Message]:
        if request.id < self.promised and "HAS_LIED" not in os.environ:
            os.environ["HAS_LIED"] = "yes"
            return [Accept(self.name, request.sender, request.id, request.value)]
        return super().accept(request)


def test_a_rule_is_broken_only_if_the_actor_does_it_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HAS_LIED", "")
    monkeypatch.delenv("HAS_LIED")
    words = r"does not always do the same \(once acceptor-0 breaks A4: it accepts 1 after it promised 2, and once not\)"
    with pytest.raises(CheckError, match=words):
        judge(Model(1, 2, acceptor=LiesOnce))


# The rungs below these show nothing of these actors, and take long.
FIRST_RUNGS = {OnlyTheFourthForgets: 4, FixedQuorum: 4, OnlyTheFifthHides: 7}


@pytest.mark.parametrize("actor", WRONG)
def test_a_faulty_actor_breaks_a_rule(actor: type[Any]) -> None:
    broken = climb(actor, rungs=LADDER[FIRST_RUNGS.get(actor, 0) :]).broken
    assert broken
    assert broken.actor.startswith("acceptor" if issubclass(actor, Acceptor) else "proposer")


@pytest.mark.parametrize("actor", RIGHT)
def test_a_correct_actor_is_not_said_to_break_a_rule(actor: type[Any]) -> None:
    assert climb(actor, rungs=(Model(1, 2, max_attempts=2), Model(3, 2), Model(2, 3, fail=True))).kept


def test_the_judgement_names_the_step_and_the_rule_that_it_breaks() -> None:
    judgement = climb(CHANGED_RULES["accepts-below"].changed)
    assert str(judgement.broken) == "acceptor-0 breaks A4: it accepts 1 after it promised 2"
    assert judgement.received == Propose("proposer-0", "acceptor-0", 1, "value-0")
    at_start = climb(CHANGED_RULES["skips-phase-1"].changed)
    assert str(at_start.broken) == "proposer-0 breaks P2: it proposes under 1 with 0 promises for 1; a quorum is 1 of 1"
    assert at_start.received is None


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("forgets-promise", "A2: it promises 1 after it promised 2 (before its restart)"),
        ("forgets-accepted", "A3: its promise of 2 reports nothing after it accepted 1 (before its restart)"),
        ("lowers-promise", "A2: it promises 1 after it promised 2"),
    ],
)
def test_the_words_say_if_a_restart_lies_between(name: str, words: str) -> None:
    assert str(climb(CHANGED_RULES[name].changed).broken) == f"acceptor-0 breaks {words}"


# Pairs that hid each other from prototypes, which left out messages because another actor "would not say" them


class PromisesAgainWithNews(Acceptor):
    """It promises again, and reports what it has accepted since."""

    def promise(self, request: Prepare) -> list[Message]:
        if request.id == self.promised:
            return [Promise(self.name, request.sender, request.id, self.accepted)]
        return super().promise(request)


class TakesChangedReportForChoice(Proposer):
    """It learns what an acceptor reports in a second, different promise of the same number."""

    def receive(self, message: Message) -> list[Message]:
        if isinstance(message, Promise) and message.accepted and message.id == self.id:
            self.first = {**getattr(self, "first", {})}
            if self.first.setdefault(message.sender, message.accepted and None) != message.accepted and self.proposal:
                self.learned = message.accepted.value
        return super().receive(message)


class Gossips(Acceptor):
    """It also tells proposer-0 what it has accepted."""

    def accept(self, request: Propose) -> list[Message]:
        answers = super().accept(request)
        return answers + [replace(one, recipient="proposer-0") for one in answers if isinstance(one, Accept)]


class TrustsHigherAccept(Proposer):
    """It takes a single ACCEPT of a number above its own for a choice."""

    def receive(self, message: Message) -> list[Message]:
        if isinstance(message, Accept) and message.id > self.id:
            self.learned = message.value
        return super().receive(message)


class Proposes(Acceptor):
    """It proposes the value "own" as soon as it has promised."""

    def promise(self, request: Prepare) -> list[Message]:
        return [*super().promise(request), Propose(self.name, self.name, request.id, "own")]


class Accepts(Proposer):
    """It says that it accepts what it proposes."""

    def count_promise(self, promise: Promise) -> list[Message]:
        said = super().count_promise(promise)
        return said + [Accept(self.name, self.name, one.id, one.value) for one in said[:1] if isinstance(one, Propose)]


@pytest.mark.parametrize(
    ("actors", "rule"),
    [
        ((PromisesAgainWithNews, TakesChangedReportForChoice), "P4"),
        ((Gossips, TrustsHigherAccept), "P4"),
        ((Proposes,), "R0"),
        ((Accepts,), "R0"),
        ((Proposes, Accepts), "R0"),
    ],
)
def test_two_faulty_actors_do_not_hide_each_other(actors: tuple[type[Any], ...], rule: str) -> None:
    broken = climb(*actors).broken
    assert broken
    assert broken.rule.name == rule
    # Beside correct actors, all that PROMISE and ACCEPT can do to each other is known to be harmless.
    if rule == "P4":
        assert climb(actors[0], rungs=LADDER[:3]).kept


# What is not judged


class KeepsTheBestReport(Proposer):
    """It waits for all acceptors, and keeps who has promised and the best report, but not who has made it."""

    def begin_attempt(self, id: int) -> None:
        super().begin_attempt(id)
        self.promise_quorum = len(self.acceptors)

    def count_promise(self, promise: Promise) -> list[Message]:
        said = super().count_promise(promise)
        best = max((one for one in self.promises.values() if one), default=None)
        self.promises = dict.fromkeys(sorted(self.promises), best)
        return said


class GoesBack(KeepsTheBestReport):
    """At its second timeout it goes on with its first number, where it was at the first one."""

    kept: tuple[dict[str, Proposal | None], Proposal | None] = ({}, None)

    def try_again(self) -> list[Message]:
        if self.id <= self.id_step:
            kept = self.promises, self.proposal
            self.begin_attempt(self.id + self.id_step)
            self.kept = kept
        else:
            self.begin_attempt(self.id - self.id_step)
            self.promises, self.proposal = {**self.kept[0]}, self.kept[1]
        return self.prepare()


class Counts(Acceptor):
    """It counts all messages, so there is no end to its states."""

    count = 0

    def receive(self, message: Message) -> list[Message]:
        self.count += 1
        return super().receive(message)


class CountsTwoThings(Acceptor):
    """It counts all messages up to 20; then PREPAREs and PROPOSEs separately, each from 15 to 0 and again."""

    count = prepares = proposes = 0

    def receive(self, message: Message) -> list[Message]:
        if self.count < 20:
            self.count += 1
        elif isinstance(message, Prepare):
            self.prepares = (self.prepares - 1) % 16
        else:
            self.proposes = (self.proposes - 1) % 16
        return []


def test_a_proposer_that_goes_back_to_an_earlier_number_is_not_accused() -> None:
    model = Model(3, 2, max_attempts=3)
    assert judge(with_actors(model, KeepsTheBestReport)).kept
    assert judge(with_actors(model, GoesBack)).not_judged == "proposer-1 goes on with 2, not its latest number"


class AnswersItself(Acceptor):
    """It tells itself ever higher numbers."""

    def receive(self, message: Message) -> list[Message]:
        return [Fail(self.name, self.name, message.id + 1)]


@pytest.mark.parametrize(
    ("actor", "words"),
    [
        (Counts, r"count of acceptor-0 has \d+ values; let it remember less, or check fewer attempts"),
        (CountsTwoThings, r"prepares of acceptor-0 has \d+ values; let it remember less, or check fewer attempts"),
        (AnswersItself, "new messages are sent without end"),
    ],
)
def test_an_actor_with_too_many_states_is_not_judged(actor: type[Any], words: str) -> None:
    judgement = judge(with_actors(LADDER[0], actor), max_steps=2_000)
    assert re.fullmatch(f"not finished after 2,000 steps: {words}", judgement.not_judged)


class Interrupted(Acceptor):
    def receive(self, message: Message) -> list[Message]:
        raise KeyboardInterrupt


def test_ctrl_c_in_the_code_of_an_actor_ends_a_judgement_and_is_not_a_reason_for_none() -> None:
    with pytest.raises(InterruptedActorError, match=r"KeyboardInterrupt \(test_alone\.py, line \d+\)$"):
        judge(with_actors(LADDER[0], Interrupted))


FILES: dict[str, Path] = {}


class KeepsAFile(Acceptor):
    """It keeps what it has promised in a file, where a check cannot put it back."""

    @property
    def promised(self) -> int:
        return int(FILES[self.name].read_text()) if FILES[self.name].exists() else 0

    @promised.setter
    def promised(self, number: int) -> None:
        if number:
            FILES[self.name].write_text(str(number))


class KeepsAFileForAll(KeepsAFile):
    """It is silent where it would refuse."""

    def receive(self, message: Message) -> list[Message]:
        return [one for one in super().receive(message) if not isinstance(one, Fail)]


@pytest.mark.parametrize("actor", [KeepsAFile, KeepsAFileForAll])
def test_an_actor_that_keeps_its_memory_in_a_file_is_refused_and_not_accused(actor: type[Any], tmp_path: Path) -> None:
    FILES.update({f"acceptor-{number}": tmp_path / str(number) for number in range(3)})
    with pytest.raises(
        CheckError, match=r"acceptor-0 reads '.*0': an actor's answers may depend only on its attributes"
    ):
        climb(actor)


def test_an_actor_that_keeps_its_memory_in_a_module_is_not_accused() -> None:
    forget_what_is_stored()
    with pytest.raises(CheckError, match="storage of class StoresInClass has changed"):
        climb(StoresInClass)


def test_quorums_of_other_sizes_are_judged_if_they_meet() -> None:
    for quorums in ((4, 1), (2, 3), (3, 2)):
        assert judge(Model(4, 2, quorums=quorums)).kept
    words = "quorums of 2 and 2 among 4 acceptors need not share an acceptor"
    assert judge(Model(4, 2, quorums=(2, 2))).not_judged == words


def test_the_caller_can_stop_a_judgement() -> None:
    assert judge(LADDER[0], keep_going=lambda states, depth: False).not_judged == "the check was stopped"


# Random pairs


def executions(model: Model, number: int) -> list[Story]:
    """Return the stories of random executions by real actors."""
    stories = []
    for seed in range(number):
        random, game = Random(seed), Game(model)
        environment = list(model.environment())
        for _ in range(40):
            said = [one for one in game.said if model.fail or not isinstance(one, Fail)]
            possible = said[-6:] + random.choices(said, k=3) + environment
            message = random.choice(possible)
            if message in environment:
                environment.remove(message)
            game.receive(message)
        stories.append(Story(model.configuration, game.events))
    return stories


@pytest.mark.usefixtures("few_walks")
@pytest.mark.parametrize(
    ("seeds", "outcomes"),
    [
        (range(20), {"kept": 9, "broken": 10, "not judged": 1}),
        pytest.param(range(20, 400), {"kept": 146, "broken": 226, "not judged": 8}, marks=pytest.mark.slow),
    ],
)
def test_a_pair_that_keeps_the_rules_violates_nothing_and_no_execution_breaks_a_rule(
    seeds: range, outcomes: dict[str, int]
) -> None:
    counted: Counter[str] = Counter()
    for seed in seeds:
        model = pair(seed)
        judgement = judge(model, max_steps=6_000)
        if judgement.kept:
            for story in executions(model, 8):
                assert [*Onlooker(story.configuration).told(story.events)] == story.events, seed
            assert check(model, 1_000).violation is None, seed
        counted["kept" if judgement.kept else "not judged" if judgement.not_judged else "broken"] += 1
    assert counted == outcomes


class FailsLate(Proposer):
    """It has pauses for two attempts only."""

    pauses = (1, 2)

    def receive(self, message: Message) -> list[Message]:
        if isinstance(message, Timeout):
            self.pause = self.pauses[(self.id - 1) // self.id_step]
        return super().receive(message)


def test_an_actor_that_raises_an_error_is_not_judged() -> None:
    judgement = judge(Model(1, 2, max_attempts=4, proposer=FailsLate))
    assert not judgement.kept
    assert not judgement.broken
    assert "IndexError: tuple index out of range" in judgement.not_judged
    assert judge(Model(1, 2, max_attempts=3, proposer=FailsLate)).kept


class LearnsLate(Proposer):
    """It says that it has learned only on the message after the one from which it knows."""

    known: str | None = None

    def receive(self, message: Message) -> list[Message]:
        if self.known is not None:
            self.learned = self.known
            return []
        answers = super().receive(message)
        if self.learned is not None:
            self.known, self.learned = self.learned, None
            self.proposal = None
        return answers


def test_an_actor_whose_state_does_not_determine_what_it_has_heard_is_not_accused() -> None:
    judgement = judge(Model(3, 2, proposer=LearnsLate))
    assert not judgement.broken
    assert judgement.not_judged == "proposer-0 may break P4, but none of the paths that were tried shows that"
