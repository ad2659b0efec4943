"""Actors as tables: they behave like the classes, and actors with too many steps are refused."""

from dataclasses import replace
from random import Random

import pytest

from toy_paxos.acceptor import Acceptor
from toy_paxos.checking import CHANGED_RULES, CheckError, Game, Model
from toy_paxos.checking.game import wording
from toy_paxos.checking.tables import Actors, Table, Tables
from toy_paxos.event import learned_by, stored_by
from toy_paxos.message import Message, Propose, Restart, Timeout

pytestmark = pytest.mark.usefixtures("few_walks")

MODELS = {
    "correct": Model(),
    "correct, 2 attempts, 2 restarts": Model(num_acceptors=2, max_attempts=2, restarts=2),
    "correct, numbers from 9": Model(num_proposers=3, num_acceptors=2, first_number=9),
    # A third acceptor does what the second one does; where there is more to say, it takes long to say it.
    **{
        name: replace(rule.model, num_acceptors=3 if rule.num_proposers + rule.max_attempts == 3 else 2)
        for name, rule in CHANGED_RULES.items()
    },
}


def shown_of(game: Game) -> list[list[object]]:
    """Return what a table shows of real actors."""
    seen: list[list[object]] = []
    for name, actor in game.actors.items():
        promised, accepted = stored_by(actor)
        seen.append([learned_by(actor)] if name in game.proposers else [promised, *(accepted or ())])
    return seen


class Walk:
    """A random game that real actors and their tables play at the same time."""

    def __init__(self, model: Model, tables: Tables, actors: Actors, seed: int) -> None:
        self.game = Game(model)
        self.tables = [tables.tables[number] for number in actors.actors]
        self.messages = tables.messages
        self.environment = [[*messages] for messages in actors.environment]
        self.said = {*actors.said}
        self.states = [0] * len(self.tables)
        self.die = Random(seed)

    def step(self) -> None:
        """Deliver some message, FAIL included, or what comes next from the environment."""
        due = [messages[0] for messages in self.environment if messages]
        number = self.die.choice([*sorted(self.said), *due])
        message = self.messages[number]
        at = [*self.game.actors].index(message.recipient)
        if isinstance(message, (Timeout, Restart)):
            self.environment[at].pop(0)
        after, *says = self.tables[at].steps[self.states[at]].get(number, [self.states[at]])
        before = len(self.game.events)
        self.game.receive(message)
        self.states[at] = after
        self.said |= {*says}
        answers = [answer for event in self.game.events[before:] for answer in getattr(event, "answers", ())]
        assert sorted(wording(self.messages[answer]) for answer in says) == sorted(set(map(wording, answers)))
        assert [table.shown[state] for table, state in zip(self.tables, self.states, strict=True)] == shown_of(
            self.game
        )


@pytest.mark.parametrize("name", MODELS)
def test_tables_do_what_the_classes_do(name: str) -> None:
    model, tables = MODELS[name], Tables()
    actors = tables.add(model)
    for seed in range(20):
        walk = Walk(model, tables, actors, seed)
        for _ in range(50):
            walk.step()


def test_all_games_of_a_page_can_be_played_with_the_tables_that_they_share() -> None:
    tables = Tables()
    models = [replace(model, max_attempts=1, num_proposers=2, num_acceptors=2) for model in MODELS.values()]
    added = [tables.add(model) for model in models]
    for model, actors in zip(models, added, strict=True):
        walk = Walk(model, tables, actors, seed=1)
        for _ in range(50):
            walk.step()


def test_a_role_that_a_rule_leaves_unchanged_has_the_same_table() -> None:
    tables = Tables()
    correct = tables.add(Model(restarts=0)).actors
    for rule in ("hides-accepted", "lowers-promise"):
        changed = tables.add(CHANGED_RULES[rule].model).actors
        assert changed[:2] == correct[:2]
        assert not {*changed[2:]} & {*correct[2:]}


def test_correct_actors_have_few_states() -> None:
    tables = Tables()
    tables.add(Model(restarts=0))
    assert sum(len(table.shown) for table in tables.tables) == 131


def test_a_step_that_changes_nothing_is_left_out() -> None:
    for table in all_tables(Model()):
        assert all(step != [state] for state, steps in enumerate(table.steps) for step in steps.values())


def all_tables(model: Model) -> list[Table]:
    """Return the tables of all actors of a model."""
    tables = Tables()
    tables.add(model)
    return tables.tables


class Counting(Acceptor):
    """It counts the messages that it receives."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.received = 0

    def receive(self, message: Message) -> list[Message]:
        self.received += 1
        return super().receive(message)


def test_an_actor_without_an_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("toy_paxos.checking.tables.MOST_STEPS", 3_000)
    with pytest.raises(CheckError, match="these actors have more than 3,000 steps: choose fewer"):
        Tables().add(Model(acceptor=Counting))


class Uneven(Acceptor):
    """It does not always do the same."""

    calls = 0

    def receive(self, message: Message) -> list[Message]:
        Uneven.calls += 1
        return super().receive(message)


def test_an_actor_with_hidden_state_is_refused() -> None:
    with pytest.raises(CheckError, match="calls of class Uneven has changed"):
        Tables().add(Model(acceptor=Uneven))


class Strict(Acceptor):
    """An acceptor that takes for granted what is so in every execution: one number has one value.

    In one execution proposer-1 proposes its own value under 2, in another it adopts that of proposer-0. Only the
    tables, which hold the steps of all executions, let one acceptor receive both.
    """

    def accept(self, request: Propose) -> list[Message]:
        if self.accepted and self.accepted.id == request.id:
            assert self.accepted.value == request.value, "two values under one number"
        return super().accept(request)


def test_a_step_that_raises_is_empty() -> None:
    raising = [step for table in all_tables(Model(acceptor=Strict)) for steps in table.steps for step in steps.values()]
    assert [] in raising
