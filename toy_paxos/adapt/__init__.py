"""Other people's actors: programs in any language, and other shapes of Python.

:func:`program` makes a class of actors from a command that answers questions in JSON; :func:`adapted` makes one from a
Python class that has two functions instead of ``receive``, or that calls acceptors and waits for each. Actors of such a
class have a name and ``receive``, as all actors have, so the rooms above need not know what is behind them.
"""

from toy_paxos.adapt.process import ProgramError
from toy_paxos.adapt.program import ProgramActor, Role, program
from toy_paxos.adapt.shapes import adapted

__all__ = ["ProgramActor", "ProgramError", "Role", "adapted", "program"]
