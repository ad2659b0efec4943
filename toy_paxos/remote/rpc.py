"""gRPC with the settings that these processes need: no other module imports it.

By default, a second server may listen at a port that is taken, a proxy is used even for this machine, a client waits
more than a second before it connects again, and the core of gRPC writes to standard error.
"""

import logging
import os
import ssl
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Any

os.environ["GRPC_VERBOSITY"] = "NONE"

import grpc

from toy_paxos.remote import CannotError
from toy_paxos.remote import wire_pb2 as wire
from toy_paxos.remote.store import usable

logging.getLogger("grpc").addHandler(logging.NullHandler())
logging.getLogger("grpc").propagate = False

SERVICE, METHOD = "toy_paxos.Acceptor", "Receive"

LARGEST = 64 * 1024
"""The maximum size of a message in bytes."""

CONNECTIONS = 128
"""The maximum number of connections of a server: more than there are proposers, fewer than it has descriptors."""

SERVER_OPTIONS = [
    ("grpc.so_reuseport", 0),
    ("grpc.max_receive_message_length", LARGEST),
    ("grpc.max_allowed_incoming_connections", CONNECTIONS),
    # A connection over which nothing comes must not keep others out: by default it stays for two minutes or for ever.
    ("grpc.server_handshake_timeout_ms", 5_000),
    ("grpc.max_connection_idle_ms", 60_000),
]
CHANNEL_OPTIONS = [
    ("grpc.enable_http_proxy", 0),
    ("grpc.max_receive_message_length", LARGEST),
    ("grpc.initial_reconnect_backoff_ms", 50),
    ("grpc.max_reconnect_backoff_ms", 500),
]

CallError = (grpc.RpcError, grpc.FutureCancelledError)
Call = Any
"""An outstanding call: ``result()``, and ``add_done_callback(function)``."""


class Certificates:
    """The files of a folder: a certificate, its private key, and the certificate of the authority that all trust."""

    def __init__(self, folder: Path) -> None:
        """Raise CannotError for files that gRPC would accept, and then never connect with."""
        paths = cert, key, ca = [folder / name for name in ("cert.pem", "key.pem", "ca.pem")]
        for path in paths:
            with usable(path):
                path.read_bytes()
        try:
            # An encrypted key would make OpenSSL ask the terminal for its password, and gRPC could not use it.
            context = ssl.create_default_context(cafile=ca)
            context.load_cert_chain(cert, key, password=lambda: "")
        except OSError as error:
            raise CannotError(f"{cert}, {key} and {ca} do not fit together: {error}") from error
        self.cert, self.key, self.ca = [path.read_bytes() for path in paths]


def is_loopback(address: str) -> bool:
    """Whether only this machine can reach an address."""
    host = address.rpartition(":")[0].strip("[]")
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class Server:
    """Listens at an address; one thread handles one message after another, so an acceptor needs no locks."""

    def __init__(
        self, listen: str, receive: Callable[[wire.Envelope], wire.Handled], certificates: Certificates | None
    ) -> None:
        def handle(envelope: wire.Envelope, context: Any) -> wire.Handled:
            try:
                return receive(envelope)
            except ValueError as error:
                return context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))  # type: ignore[no-any-return]

        handler = grpc.unary_unary_rpc_method_handler(handle, wire.Envelope.FromString, wire.Handled.SerializeToString)
        self.server = grpc.server(ThreadPoolExecutor(1), options=SERVER_OPTIONS)
        self.server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(SERVICE, {METHOD: handler})])
        try:
            if certificates:
                pairs = [(certificates.key, certificates.cert)]
                its = grpc.ssl_server_credentials(pairs, certificates.ca, require_client_auth=True)
                port = self.server.add_secure_port(listen, its)
            else:
                port = self.server.add_insecure_port(listen)
        except RuntimeError as error:
            raise CannotError(f"cannot listen at {listen}: is it taken, or not of this machine?") from error
        self.address = f"{listen.rpartition(':')[0]}:{port}"
        self.server.start()

    def stop(self) -> None:
        """Stop listening, and end all calls."""
        self.server.stop(None).wait()


@dataclass
class Client:
    """Calls acceptors by name, at their present addresses."""

    addresses: Mapping[str, str]
    certificates: Certificates | None
    channels: dict[str, tuple[str, Any]] = field(default_factory=dict)

    def call(self, name: str, envelope: wire.Envelope, timeout_s: float) -> Call | None:
        """Begin a call, without waiting for its end; None if the address of its recipient is not known."""
        address = self.addresses.get(name)
        if address is None:
            return None
        known = self.channels.get(name)
        if not known or known[0] != address:
            if known:
                known[1].close()
            known = self.channels[name] = address, self.connect(address)
        receive = known[1].unary_unary(f"/{SERVICE}/{METHOD}", wire.Envelope.SerializeToString, wire.Handled.FromString)
        return receive.future(envelope, timeout=timeout_s)

    def newest_run(self, timeout_s: float) -> int:
        """Return the highest run that any acceptor knows, as far as they answer."""
        calls = [self.call(name, wire.Envelope(), timeout_s) for name in self.addresses]
        newest = 0
        for call in filter(None, calls):
            with suppress(*CallError):
                newest = max(newest, call.result().newest_run)
        return newest

    def connect(self, address: str) -> Any:
        """Return a channel to an address."""
        if not self.certificates:
            return grpc.insecure_channel(address, CHANNEL_OPTIONS)
        its = self.certificates
        return grpc.secure_channel(address, grpc.ssl_channel_credentials(its.ca, its.key, its.cert), CHANNEL_OPTIONS)

    def close(self) -> None:
        """Close all connections."""
        for _, channel in self.channels.values():
            channel.close()


# What gRPC says somewhere in its details, and what that means.
REASONS = {
    "Connection refused": "connection refused",
    "Connection reset": "connection reset",
    "Socket closed": "connection closed",
    "Broken pipe": "connection closed",
    "errors resolving": "no such host",
    "issuer certificate": "certificate signed by another authority",
    "signed certificate": "certificate signed by another authority",
    "has expired": "certificate has expired",
    "Hostname Verification": "certificate names another host",
    # Old versions of gRPC say no more.
    "CERTIFICATE_VERIFY_FAILED": "certificate not trusted",
    "WRONG_VERSION_NUMBER": "no TLS there",
    "SETTINGS frame": "no gRPC there",
}


def reason(error: Exception, timeout: float) -> str:
    """Return in a few words why a call with this timeout, in milliseconds, failed."""
    if is_late(error):
        return f"no answer in {timeout:g} ms"
    details = str(error.details()) if isinstance(error, grpc.RpcError) else str(error)
    known = [words for sign, words in REASONS.items() if sign in details]
    return known[0] if known else details.rpartition(": ")[2][:80] or "call cancelled"


def is_late(error: Exception) -> bool:
    """Whether a call failed because no answer came in time."""
    return isinstance(error, grpc.RpcError) and error.code() is grpc.StatusCode.DEADLINE_EXCEEDED
