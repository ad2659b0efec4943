"""Random rounds: direct calls, or a simulated network that delays, loses and duplicates messages and crashes actors.

:mod:`toy_paxos.settings` determines the rounds, and each becomes a :class:`toy_paxos.round.Round`.
"""

from toy_paxos.simulation.rounds import different_values, play_rounds

__all__ = ["different_values", "play_rounds"]
