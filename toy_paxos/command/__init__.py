"""The command line: what it takes, what it shows, and how it begins and ends.

A view turns events into what is shown, whoever told them; it runs no actors and writes nothing. Writing, waiting and
signals are for :mod:`toy_paxos.command.process`.
"""
