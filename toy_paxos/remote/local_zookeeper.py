"""A private ZooKeeper server, in a given folder, without root and without a service."""

import shutil
import socket
import time
from contextlib import suppress
from pathlib import Path

JAR = Path("/usr/share/java/zookeeper.jar")
"""The file of Debian's package; its manifest names the other files that it needs."""

PACKAGES = "libzookeeper-java default-jre-headless"

PATIENCE_S = 20


def is_installed() -> bool:
    """Whether a ZooKeeper server can be started."""
    return JAR.exists() and shutil.which("java") is not None


def command(folder: Path, port: int) -> list[str]:
    """Return the command that starts a ZooKeeper server with its data in a folder."""
    config = folder / "zookeeper.cfg"
    config.write_text(
        f"tickTime=500\ndataDir={folder / 'zookeeper'}\nclientPort={port}\nclientPortAddress=127.0.0.1\n"
        "admin.enableServer=false\n4lw.commands.whitelist=ruok\nmaxClientCnxns=0\n"
    )
    frugal = ["-Xmx64m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
    return ["java", *frugal, "-cp", str(JAR), "org.apache.zookeeper.server.ZooKeeperServerMain", str(config)]


def free_port() -> int:
    """Return a port at which no process listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def wait_until_it_answers(port: int) -> bool:
    """Wait until a ZooKeeper server answers at a port; return whether it does so in time."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            connection.sendall(b"ruok")
            if connection.recv(4) == b"imok":
                return True
        time.sleep(0.05)
    return False
