"""The command line: what it takes, and how it begins and ends.

Writing, waiting and signals are for :mod:`toy_paxos.command.process`.
"""
