"""The game in a browser: the actors that the page offers, and the moves with which it begins."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from toy_paxos.checking import CHANGED_RULES, Game, Model
from toy_paxos.checking.conditions import conditions
from toy_paxos.checking.game import Kind
from toy_paxos.checking.tables import Tables
from toy_paxos.command.game_view import GameView, guarded
from toy_paxos.message import Accept, Timeout
from toy_paxos.rules import RULES, learning, statement
from toy_paxos.view.game_page import game_page
from toy_paxos.view.output import DrawingError, plain
from toy_paxos.view.words import tame

# The values of the proposers without a story. They are easier to tell apart than value-0 and value-1, and also sorted.
WISHES = "apple", "pear", "plum", "quince"

CORRECT = "These actors are correct."

# The title of a page that does not begin with a story.
TITLE = "Be the network of Paxos"

# The moves of a story that the page cannot show. It shows a lost message as one that is never delivered.
MISSING: dict[Kind, str] = {
    "fail": "an acceptor fails",
    "crash": "a proposer crashes",
    "give up": "a proposer gives up",
}


def with_wishes(model: Model) -> Model:
    """Return the model with these values, unless it has wishes of its own or too many proposers."""
    if model.wishes or model.num_proposers > len(WISHES):
        return model
    return replace(model, wishes=WISHES[: model.num_proposers])


def all_games() -> str:
    """Return a page with correct Paxos, and with each changed rule for which a cluster of the same size is enough."""
    pages = Page()
    offered = with_wishes(Model(restarts=0))
    pages.add("correct", "none: correct Paxos", GameView(Game(offered), "", {}))
    larger = []
    for name, rule in CHANGED_RULES.items():
        if (rule.num_proposers, rule.max_attempts) == (offered.num_proposers, offered.max_attempts):
            view = GameView(Game(with_wishes(rule.model)), rule.change, {})
            pages.add(name, f"{name}: {rule.summary}", view)
        else:
            larger.append(name)
    others = f"Rules that need a larger cluster: {', '.join(larger)} (toy-paxos play --break RULE -o FILE.html)."
    return pages.text(others=others if larger else "")


def one_game(view: GameView, rule_name: str | None) -> str:
    """Return a page for the actors of a game, which begins at its current state; its title is its first comment."""
    page = Page()
    name = rule_name or "game"
    page.add(name, name, view)
    title, *_ = *view.comments.get(-1, []), TITLE
    return page.text(tame(title.removeprefix("# ")), moves=page.moves(view.game))


class Page:
    """A page and the games that it offers, all of one size."""

    def __init__(self) -> None:
        self.tables = Tables()
        self.games: list[dict[str, Any]] = []

    def add(self, name: str, title: str, view: GameView) -> None:
        """Add a game with its name in the address and its title; raise Refused if its actors have no tables."""
        model = view.game.model
        with guarded(""):
            actors = self.tables.add(model)
        self.configuration = model.configuration
        self.wishes = model.values
        told = {
            "name": name,
            "title": title,
            "summary": view.change or CORRECT,
            "properties": [property.name for property in model.properties],
            "head": plain(view.title()),
        }
        self.games.append(told | actors._asdict())

    def moves(self, game: Game) -> list[int]:
        """Return the moves of a game as the numbers of the messages that are delivered."""
        for move in game.moves:
            if move.kind in MISSING:
                words = f"the page cannot show that {MISSING[move.kind]}"
                raise DrawingError(f"{words}: choose another ending, such as .svg")
        # In the tables, the first timeout of a proposer stands for all of them.
        delivered = (message for message, _ in game.past)
        return self.tables.numbered(replace(each, id=1) if isinstance(each, Timeout) else each for each in delivered)

    def text(self, title: str = TITLE, moves: Sequence[int] = (), others: str = "") -> str:
        """Return the page, which begins after ``moves`` and names ``others``; raise DrawingError if it is too large."""
        messages = self.tables.messages
        when = partial(conditions, self.configuration, self.wishes, messages)
        values = sorted({message.value for message in messages if isinstance(message, Accept)})
        learned = {
            name: {value: [*when(*learning(name, value))] for value in values} for name in self.configuration.proposers
        }
        return game_page(
            self.configuration,
            messages,
            title,
            others,
            tables=[table.told() for table in self.tables.tables],
            wishes=self.wishes,
            games=self.games,
            rules={rule.name: rule.sentence for rule in RULES},
            saying=[[*when(statement(message))] for message in messages],
            learning=learned,
            moves=moves,
        )
