"""An acceptor that is attacked over the network goes on serving."""

import resource
import socket
from contextlib import ExitStack
from pathlib import Path

from conftest import PATIENT_COMMAND, RunHere, Start, wait_until
from test_remote import Acceptors

CONNECTIONS, DESCRIPTORS = 2_000, 1_024


def test_idle_connections_do_not_keep_proposers_out(start: Start, run_here: RunHere, tmp_path: Path) -> None:
    limited = ["bash", "-c", f'ulimit -n {DESCRIPTORS}; exec "$@"', "bash", *PATIENT_COMMAND]
    its = Acceptors(lambda *args: start(*args, command=limited), tmp_path, 1)
    host, port = its.addresses["acceptor-0"].split(":")
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(before[0], 2 * CONNECTIONS), before[1]))
    try:
        with ExitStack() as idle:
            for _ in range(CONNECTIONS):
                idle.enter_context(socket.create_connection((host, int(port))))
            # The process needs some seconds to close what says nothing, and more on a slow machine.
            play = "propose", *its.places, "--timeout", "1000", "-q", "-c", "1"
            wait_until(lambda: run_here(*play).returncode == 0)
            assert len(list(Path(f"/proc/{its.processes['acceptor-0'].pid}/fd").iterdir())) < DESCRIPTORS / 2
            assert run_here("propose", *its.places, "-c", "9").stdout.count(": consensus on") == 9
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    assert its.processes["acceptor-0"].poll() is None
