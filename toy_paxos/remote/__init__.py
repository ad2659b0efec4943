"""Real processes: the same actors behind gRPC, found by address or through ZooKeeper, and the same watch over them.

An acceptor is a process that saves its promises in a folder. A proposer plays a round by calls to all acceptors at
once, in real time. Each process can write a log, and the logs can be judged together. Commands that need nothing of
this import nothing of it; grpcio, protobuf and kazoo come with an extra.
"""

PACKAGES = ("grpcio>=1.66", "kazoo>=2.10", "protobuf>=5.29.1")
"""The extra ``cluster``."""

MOST = 100
"""The largest number of acceptors, and of proposers, in a cluster."""

ZOOKEEPER_AUTH = "TOY_PAXOS_ZOOKEEPER_AUTH"
"""The variable of the environment with the password for ZooKeeper, as USER:PASSWORD."""


class CannotError(Exception):
    """A process cannot start, or cannot go on; the words say why, and what to do."""
