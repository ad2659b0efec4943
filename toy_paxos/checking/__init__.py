"""The model checker, which explores every execution of a small cluster: all orders, losses, duplications, crashes.

First it tries random executions (``dice``). Then it looks at each actor alone (``alone``): if none can break a rule of
:mod:`toy_paxos.rules`, then every execution is safe. Then it searches. It runs the actors unchanged: the correct ones,
ones with a changed rule (:mod:`broken <toy_paxos.checking.broken>`) or the user's own. It finds a shortest execution
that violates a property, or that there is none. A model describes the cluster; its actors become numbers (``cluster``);
states that need not be distinguished are merged (``symmetry``, ``reduction``); a search visits all others (``checker``,
with the properties in ``property_cache`` and ``progress``), and ``climb`` checks one model after the other. Actors that
cannot be checked reliably are refused (``determinism``, ``refusal``). A ``game`` is one execution by real actors.
Nothing here knows how messages are delivered in a run, or how a story is shown.
"""

from toy_paxos.checking.alone import LADDER, Judgement, judge, judge_all
from toy_paxos.checking.broken import RULES, Rule, check_rule
from toy_paxos.checking.checker import MAX_STATES, Prospect, check, prospect
from toy_paxos.checking.climb import CLIMB, check_one, climb, most_telling, summary, throw_dice
from toy_paxos.checking.dice import Dice
from toy_paxos.checking.game import Game, Move, WrongMoveError
from toy_paxos.checking.model import CheckError, Model
from toy_paxos.checking.report import Report

__all__ = [
    "CLIMB",
    "LADDER",
    "MAX_STATES",
    "RULES",
    "CheckError",
    "Dice",
    "Game",
    "Judgement",
    "Model",
    "Move",
    "Prospect",
    "Report",
    "Rule",
    "WrongMoveError",
    "check",
    "check_one",
    "check_rule",
    "climb",
    "judge",
    "judge_all",
    "most_telling",
    "prospect",
    "summary",
    "throw_dice",
]
