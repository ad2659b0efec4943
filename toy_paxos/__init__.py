"""Paxos in a terminal: every message shown, failures at a rate you choose, every run replayable.

Read the modules in this order: ``message``, ``actor``, ``acceptor``, ``proposer``, ``actor_registry``. The API for
Python, ``rounds``, ``check`` and ``play``, is in :mod:`toy_paxos.api`.
"""

from typing import TYPE_CHECKING

__version__ = "1.3.0"

__all__ = ["Round", "Story", "Verdict", "check", "play", "rounds"]

if TYPE_CHECKING:
    from toy_paxos.api import Round, Story, Verdict, check, play, rounds
else:

    def __getattr__(name):
        """Return a name of the API, which is imported only now, because the command line does not need it."""
        if name not in __all__:
            raise AttributeError(f"module 'toy_paxos' has no attribute {name!r}")
        from importlib import import_module

        return getattr(import_module("toy_paxos.api"), name)

    def __dir__():
        """Return the names of the module, including those of the API."""
        return sorted({*globals(), *__all__})
