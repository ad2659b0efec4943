"""What is said of the future of a game: what the checker finds from where it stands, and no more than that."""

import pytest
from conftest import OnTerminal, RunHere

from toy_paxos.checking import CHANGED_RULES, Game, Model, Move
from toy_paxos.command import look_ahead
from toy_paxos.command.game_view import GameView
from toy_paxos.command.look_ahead import NotFoundOutError, hint, possibilities, standing
from toy_paxos.command.moves import Player
from toy_paxos.command.play import offer
from toy_paxos.message import Message


def played(model: Model, *numbers: int) -> Game:
    """A game in which these messages have been delivered."""
    game = Game(model)
    for number in numbers:
        game.make(Move("deliver", game.numbered(number)))
    return game


def test_hints_win_in_no_more_deliveries_than_the_shortest_way(run_here: RunHere, on_terminal: OnTerminal) -> None:
    typed: list[str] = []
    for _ in range(12):
        done = run_here("play", "--break", "ignores-accepted", typed="\n".join([*typed, "hint", ""]))
        typed.append(done.stdout.splitlines()[-1].removeprefix("# type ").split(": ")[0])
    shown = on_terminal("play", "--break", "ignores-accepted", columns=140, typed=[*typed, "hint", "quit"])
    assert "Safety is lost in 12 deliveries: a second value is chosen: value-1" in shown
    assert "'undo' takes a move back" in shown
    assert "safety is already violated" in shown


def test_a_hint_names_a_timeout_as_it_is_typed() -> None:
    game = Game(CHANGED_RULES["takes-old-promises"].model)
    expected = "type timeout p0 (safety can be violated in 14 deliveries from here); Enter makes this move"
    assert hint(game) == (expected, Move("timeout", actor="proposer-0"))


def test_correct_actors_cannot_lose_and_the_hint_says_for_which_sizes() -> None:
    game = Game(Model())
    sizes = "2 proposers, 3 acceptors, 1 attempt, 1 restart each"
    assert hint(game) == (f"safety cannot be violated from here, for {sizes}, FAIL never delivered", None)
    game.make(Move("crash", actor="proposer-1"))
    assert hint(game)[0].endswith(", FAIL never delivered; proposers that have crashed or given up do nothing more")


def test_a_chosen_value_remains_the_only_one_that_can_be_chosen() -> None:
    game = played(Model(restarts=0), 1, 2, 7, 8, 9, 10)
    assert standing(game) == "chosen: value-0; learned: none"
    assert possibilities(game) == "can still be chosen, if no FAIL arrives: value-0 only"
    assert possibilities(Game(Model())) == "can still be chosen, if no FAIL arrives: value-0, value-1"


@pytest.fixture
def few_states(monkeypatch: pytest.MonkeyPatch) -> None:
    """A search that ends sooner than it does."""
    monkeypatch.setattr(look_ahead, "FEW_STATES", 100)


@pytest.mark.usefixtures("few_states")
def test_a_search_that_is_too_long_says_so(run_here: RunHere) -> None:
    done = run_here("play", "--num-proposers", "3", "--max-attempts", "1", typed="hint\n")
    assert done.stdout.endswith("# not found out within 100 states\n")


@pytest.mark.usefixtures("few_states")
def test_after_an_unfinished_search_only_a_hint_searches_again() -> None:
    player = Player(GameView(Game(Model(3, 3)), "", {}))
    outlooks = []
    for typed in ("1", "2", "3"):
        *_, outlook = offer(player)
        outlooks.append(outlook)
        player.obey(typed)
    first, *later = outlooks
    nothing = "chosen: nothing; learned: none"
    assert first.startswith(f"{nothing}; what can still be chosen is not found out within 100 states; from now on")
    assert later == [nothing, nothing]


def test_larger_clusters_than_a_check_takes_are_not_searched() -> None:
    with pytest.raises(NotFoundOutError, match="not found out: the checker takes at most 9 actors of a kind"):
        hint(Game(Model(num_acceptors=10)))


def test_actors_that_the_checker_refuses_are_named() -> None:
    with pytest.raises(NotFoundOutError, match="not found out: the checker refuses the actors: "):
        hint(Game(Model(acceptor=Broken)))


class Broken:
    """An acceptor that raises."""

    def __init__(self, name: str) -> None:
        self.name = name

    def receive(self, message: Message) -> list[Message]:
        """Raise."""
        raise RuntimeError("boom")
