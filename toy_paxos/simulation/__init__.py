"""Rounds by dice: direct calls, or a simulated network that delays, loses and duplicates, and crashes of actors.

A round is told as events (:mod:`toy_paxos.event`); whoever shows it needs to know no more.
"""

from toy_paxos.simulation.result import DirectRound, Facts, Outcome, Round, Statistics, Times
from toy_paxos.simulation.rounds import different_values, play_rounds, tell_directly
from toy_paxos.simulation.settings import Network, Settings

__all__ = [
    "DirectRound",
    "Facts",
    "Network",
    "Outcome",
    "Round",
    "Settings",
    "Statistics",
    "Times",
    "different_values",
    "play_rounds",
    "tell_directly",
]
