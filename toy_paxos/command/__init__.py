"""The command line: options, commands, and the games that people play in a terminal.

:mod:`toy_paxos.command.process` writes, waits and handles signals.
"""
