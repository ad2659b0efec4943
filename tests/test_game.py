"""Games of real actors: their moves, the limits of these, and what can still happen."""

import random

import pytest
from stories import report_of

from toy_paxos.acceptor import Acceptor
from toy_paxos.checking import CHANGED_RULES, Game, Model, Move, WrongMoveError, check, prospect
from toy_paxos.event import Delivery, Departure, Fate, Unheard
from toy_paxos.message import Accept, Message, Proposal, Propose

MANY = 20_000


def played(model: Model, *numbers: int) -> Game:
    """Return a game in which these messages have been delivered."""
    game = Game(model)
    for number in numbers:
        game.make(Move("deliver", game.numbered(number)))
    return game


def last_delivery(game: Game) -> Delivery:
    """Return the last message that was delivered or dropped."""
    return next(event for event in reversed(game.events) if isinstance(event, Delivery))


def at_random(model: Model, seed: int, moves: int) -> Game:
    """Return a game after some random moves."""
    game, die = Game(model), random.Random(seed)
    while len(game.moves) < moves:
        kind = die.choice(("deliver", "deliver", "deliver", "fail", "drop", "timeout", "restart", "crash"))
        actor = die.choice([*game.actors]) if kind != "crash" or die.random() < 0.2 else "nobody"
        try:
            game.make(Move(kind, die.choice(game.said), actor))  # type: ignore[arg-type]
        except WrongMoveError:
            continue
    return game


def test_messages_are_numbered_in_the_order_in_which_they_were_said() -> None:
    game = played(Model(), 1)
    assert [number for number, _ in game.in_flight()] == [2, 3, 4, 5, 6, 7]
    assert (game.numbered(7).type, game.numbered(7).sender) == ("PROMISE", "acceptor-0")


def test_a_delivered_message_can_be_delivered_again() -> None:
    game = played(Model(), 1, 1)
    delivery = last_delivery(game)
    assert (delivery.fate, delivery.denial) == (Fate.DUPLICATE, "refused")


def test_a_dropped_message_is_lost_and_another_copy_may_arrive() -> None:
    game = Game(Model())
    game.make(Move("drop", game.numbered(1)))
    assert last_delivery(game).fate is Fate.LOST
    assert game.time == 0
    game.make(Move("deliver", game.numbered(1)))
    assert last_delivery(game).fate is Fate.DELIVERED


def test_a_failed_request_is_forgotten_by_its_acceptor() -> None:
    game = Game(Model())
    game.make(Move("fail", game.numbered(1)))
    delivery = last_delivery(game)
    assert (delivery.denial, delivery.promised) == ("failed", 0)
    assert game.said[-1].type == "FAIL"


def test_crashed_proposers_receive_nothing_and_those_that_gave_up_say_nothing() -> None:
    game = played(Model(), 1, 2)
    game.make(Move("give up", actor="proposer-0"))
    for number in (7, 8):
        game.make(Move("deliver", game.numbered(number)))
    assert all(message.type != "PROPOSE" for message in game.said)
    game.make(Move("crash", actor="proposer-0"))
    with pytest.raises(WrongMoveError, match="has crashed"):
        game.make(Move("deliver", game.numbered(7)))


def test_timeouts_and_restarts_are_limited_by_the_model() -> None:
    game = Game(Model(max_attempts=2, restarts=1))
    for kind, actor in (("timeout", "proposer-1"), ("restart", "acceptor-2")):
        move = Move(kind, actor=actor)  # type: ignore[arg-type]
        game.make(move)
        with pytest.raises(WrongMoveError, match="left: begin with --"):
            game.make(move)
    assert game.said[-1].id == 4


@pytest.mark.parametrize("seed", range(10))
def test_undone_moves_leave_no_trace(seed: int) -> None:
    model = Model(max_attempts=3, restarts=2)
    game, other = at_random(model, seed, 30), at_random(model, seed, 12)
    undone = game.moves[12:]
    game.undo(18)
    assert (game.events, game.said, game.past) == (other.events, other.said, other.past)
    for move in undone:
        game.make(move)
    assert game.events == at_random(model, seed, 30).events


@pytest.mark.usefixtures("few_walks")
@pytest.mark.parametrize("name", [rule.name for rule in CHANGED_RULES.values() if rule.fate == "unsafe"])
def test_from_each_state_of_a_shortest_execution_the_prospect_is_its_rest(name: str) -> None:
    model = CHANGED_RULES[name].model
    execution = report_of(name).execution
    for done in range(3, len(execution), 5):
        found = prospect(model, [(message, True) for message in execution[:done]], (), 10**6)
        assert found.execution is not None
        assert len(found.execution) == len(execution) - done
        game = Game(model)
        for message in [*execution[:done], *found.execution]:
            kind = {"TIMEOUT": "timeout", "RESTART": "restart"}.get(message.type, "deliver")
            game.make(Move(kind, message, message.recipient))  # type: ignore[arg-type]
        assert game.violation


@pytest.mark.parametrize("seed", range(8))
def test_a_prospect_does_not_depend_on_the_reductions(seed: int) -> None:
    rule = CHANGED_RULES["ignores-accepted"].model
    game = at_random(rule, seed, 6 + seed % 4)
    if game.violation:
        return
    plain = Model(3, 2, 1, proposer=rule.proposer, restarts=0, properties=rule.properties, symmetric=False)
    bare = Model(**(vars(plain) | {"silence_waits": False, "past_forgotten": False}))
    first, second = (prospect(model, game.past, game.stopped, 10**6) for model in (rule, bare))
    assert (first.lost is None) == (second.lost is None)
    if first.execution is None or second.execution is None:
        assert first.values == second.values
    else:
        assert len(first.execution) == len(second.execution)


def test_a_value_that_is_chosen_is_the_only_one_that_can_be() -> None:
    game = played(Model(restarts=0), 1, 2, 7, 8, 9, 10)
    found = prospect(game.model, game.past, game.stopped, MANY)
    assert (found.complete, found.values, found.lost) == (True, ["value-0"], None)


def test_the_value_of_a_crashed_proposer_can_no_longer_be_chosen() -> None:
    game = Game(Model())
    game.make(Move("crash", actor="proposer-1"))
    found = prospect(game.model, game.past, game.stopped, MANY)
    assert (found.complete, found.values) == (True, ["value-0"])


def test_a_prospect_ends_at_its_limit() -> None:
    assert not prospect(Model(), [], (), 10).complete
    assert not prospect(Model(), [], (), MANY, lambda states, depth: False).complete


class AcceptsAnything(Acceptor):
    def accept(self, request: Propose) -> list[Message]:
        self.accepted = Proposal(request.id, request.value)
        return [Accept(self.name, request.sender, request.id, request.value)]


def test_the_first_step_of_an_actor_that_breaks_a_rule_is_one_event_at_its_delivery() -> None:
    report = check(Model(acceptor=AcceptsAnything))
    events = report.story.events
    (departure,) = [event for event in events if isinstance(event, Departure)]
    assert (departure.rule, departure.words) == ("A4", "it accepts 1 after it promised 2")
    before = events[events.index(departure) - 1]
    assert isinstance(before, Delivery)
    assert (before.message.recipient, before.time) == (departure.actor, departure.time)
    assert isinstance(events[-1], Unheard)


def test_correct_actors_have_no_onlooker() -> None:
    report = check(Model(4, quorums=(2, 2)))
    assert report.violation
    assert not [event for event in report.story.events if isinstance(event, Departure)]
