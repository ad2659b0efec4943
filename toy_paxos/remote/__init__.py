"""Real processes: the same actors behind gRPC, found by address or through ZooKeeper, and the same watch over them.

An acceptor is a process that keeps what it must not forget in a folder; a round is played by calls to all of them at
once, in real time. What each process did can be logged, and the logs be judged together. Nothing here is imported by
the commands that do not need it; grpcio, protobuf and kazoo come with an extra.
"""

PACKAGES = ("grpcio>=1.66", "kazoo>=2.10", "protobuf>=5.29.1")
"""The extra ``cluster``."""

MOST = 100
"""As many processes of a kind as a cluster has at most."""


class CannotError(Exception):
    """A process cannot begin, or cannot go on; the words say why, and what to do."""
