"""Every execution of a small cluster: all orders of delivery, all losses, all duplications.

It runs the very classes that a simulation runs, and asks of each execution what :mod:`toy_paxos.safety` asks of a run.
"""

from toy_paxos.checking.broken import RULES, Rule, check_rule
from toy_paxos.checking.checker import Report, check
from toy_paxos.checking.cluster import CheckError, Model

__all__ = ["RULES", "CheckError", "Model", "Report", "Rule", "check", "check_rule"]
