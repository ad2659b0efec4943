"""The room in which every execution of a small cluster is tried: all orders, losses, duplications, crashes.

It takes the actors as they are, be they the right ones, ones with a rule changed (:mod:`broken
<toy_paxos.checking.broken>`) or a reader's own, and finds the shortest way to lose what must always be so, or that
there is none. A model says how large a cluster; its actors become numbers (``snapshot``, ``cluster``); states that
do not have to be told apart are not (``symmetry``, ``reduction``); a search visits all others (``checker``, and
``judge``, which asks the properties), and ``climb`` does that for one model after the other. What cannot be
trusted is refused (``honesty``, ``refusal``). Nothing here knows how messages are delivered in a run, or shown.
"""

from toy_paxos.checking.broken import RULES, Rule, check_rule
from toy_paxos.checking.checker import MAX_STATES, Prospect, Report, check, prospect
from toy_paxos.checking.climb import CLIMB, climb, never_chosen
from toy_paxos.checking.game import Game, Move, WrongMoveError
from toy_paxos.checking.model import CheckError, Model

__all__ = [
    "CLIMB",
    "MAX_STATES",
    "RULES",
    "CheckError",
    "Game",
    "Model",
    "Move",
    "Prospect",
    "Report",
    "Rule",
    "WrongMoveError",
    "check",
    "check_rule",
    "climb",
    "never_chosen",
    "prospect",
]
