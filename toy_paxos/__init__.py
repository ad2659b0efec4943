"""Paxos in a terminal: every message shown, failures at a rate you choose, every run replayable.

Read it in this order: ``message``, ``actor``, ``acceptor``, ``proposer``, ``actor_registry``.
"""

__version__ = "1.2.0"
