"""The model checker, which explores every execution of a small cluster: all orders, losses, duplications, crashes.

A check has three parts: random executions (``dice``); each actor alone (``alone``), because every execution is safe if
no actor can break a rule of :mod:`toy_paxos.rules`; and a search, which finds a shortest execution that violates a
property, or that there is none. All run the actors unchanged: the correct ones, ones with a changed rule (``broken``),
or the user's own. A ``model`` describes a cluster, and ``climb`` checks one model after the other. For a search, actors
become numbers (``cluster``), and states that need not be distinguished are merged (``symmetry``, ``reduction``); the
``checker`` visits the others, and evaluates properties (``property_cache``) and ``progress``. Actors that cannot be
checked reliably are refused (``determinism``, ``refusal``). A ``game`` is one execution by real actors. Nothing here
knows how messages are delivered in a run, or how a story is shown.
"""

from toy_paxos.checking.alone import Judgement
from toy_paxos.checking.broken import CHANGED_RULES, ChangedRule, check_rule
from toy_paxos.checking.checker import MAX_STATES, Prospect, check, prospect
from toy_paxos.checking.climb import check_actors, check_one, most_telling, summary
from toy_paxos.checking.dice import Dice
from toy_paxos.checking.game import Game, Move, WrongMoveError
from toy_paxos.checking.model import CheckError, Model
from toy_paxos.checking.refusal import InterruptedActorError
from toy_paxos.checking.report import Report

__all__ = [
    "CHANGED_RULES",
    "MAX_STATES",
    "ChangedRule",
    "CheckError",
    "Dice",
    "Game",
    "InterruptedActorError",
    "Judgement",
    "Model",
    "Move",
    "Prospect",
    "Report",
    "WrongMoveError",
    "check",
    "check_actors",
    "check_one",
    "check_rule",
    "most_telling",
    "prospect",
    "summary",
]
