"""An acceptor that is killed between any two of its steps has forgotten nothing, and its log can still be judged."""

import os
import sys
from contextlib import suppress
from itertools import groupby
from pathlib import Path
from types import FrameType
from typing import Any
from uuid import UUID

import grpc
import pytest
from conftest import RunHere, Start
from test_remote import Acceptors, propose
from test_service import let_go, service

from toy_paxos.event import Delivery, Wants, stored_by
from toy_paxos.message import Message, Prepare, Promise, Proposal, Propose
from toy_paxos.remote import store
from toy_paxos.remote import wire_pb2 as wire
from toy_paxos.remote.codec import to_wire
from toy_paxos.remote.records import Log
from toy_paxos.remote.service import Service

# A Python that finds this file kills itself at a step, when it handles a message of some kind.
SITECUSTOMIZE = """
import os, signal, sys

if "acceptor" in sys.orig_argv:
    from toy_paxos.remote import records, service, store, wire_pb2

    def die_at(module, name):
        step = getattr(module, name)

        def dies(*args):
            if kinds[-1:] == [wire_pb2.{kind}]:
                os.kill(os.getpid(), signal.SIGKILL)
            return step(*args)

        setattr(module, name, dies)

    def die_in_a_line(file, data, write_all=records.write_all):
        if kinds[-1:] == [wire_pb2.{kind}]:
            os.write(file, data[:len(data) // 2])
            os.kill(os.getpid(), signal.SIGKILL)
        write_all(file, data)

    def noting(self, envelope, receive=service.Service.receive):
        kinds.append(envelope.message.kind)
        return receive(self, envelope)

    kinds = []
    service.Service.receive = noting
    {step}
"""

STEPS = {
    "before it is written": "die_at(store, 'write_all')",
    "while it is written": "store.write_all = die_in_a_line",
    "before it is on the disk": "die_at(os, 'fdatasync')",
    "before it is logged": "die_at(records.Log, 'add')",
    "while it is logged": "records.write_all = die_in_a_line",
    "before it is answered": "die_at(service, 'to_handled')",
}


class Cluster(Acceptors):
    """Acceptors of which some kill themselves, and what their logs say."""

    def begin_mortal(self, name: str, step: str, kind: str) -> None:
        """Start an acceptor that dies at a step when it handles a message of some kind."""
        bin = self.folder / f"bin-{name}"
        bin.mkdir()
        (bin / "sitecustomize.py").write_text(SITECUSTOMIZE.format(kind=kind, step=STEPS[step]))
        self.begin(name, PYTHONPATH=str(bin))

    def propose(self, at: int, value: str, num_proposers: int) -> None:
        """Let a proposer play one attempt of a round."""
        propose(self.addresses, at, value, self.folder / f"proposer-{at}.jsonl", 1, num_proposers)

    def begin_again(self) -> None:
        """Start again all acceptors, which have killed themselves."""
        for name in list(self.processes):
            # The round may have ended before a slow one had heard what the others had.
            self.say(name, Prepare("proposer-0", name, 1))
            self.say(name, Propose("proposer-0", name, 1, "apple"))
            assert self.processes[name].wait() == -9
            self.begin(name)

    def say(self, name: str, message: Message) -> None:
        """Say to an acceptor, if it lives, what the first proposer has said in its round."""
        envelope = wire.Envelope(run=7, round=1, message=to_wire(message)).SerializeToString()
        with (
            grpc.insecure_channel(self.addresses[name], [("grpc.enable_http_proxy", 0)]) as channel,
            suppress(grpc.RpcError),
        ):
            channel.unary_unary("/toy_paxos.Acceptor/Receive")(envelope)  # type: ignore[arg-type]


@pytest.fixture
def cluster(start: Start, tmp_path: Path) -> Cluster:
    """A cluster that has no acceptor yet."""
    return Cluster(start, tmp_path, 0)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["PREPARE", "PROPOSE"])
@pytest.mark.parametrize("steps", [[*STEPS][:3], [*STEPS][3:]], ids=["while saving", "after saving"])
def test_wherever_they_are_killed_the_logs_are_complete_and_safe(
    steps: list[str], kind: str, cluster: Cluster, run_here: RunHere
) -> None:
    for at, step in enumerate(steps):
        cluster.begin_mortal(f"acceptor-{at}", step, kind)
    cluster.propose(0, "apple", num_proposers=2)
    cluster.begin_again()
    cluster.propose(1, "pear", num_proposers=2)
    judged = run_here("verify", *cluster.logs)
    assert "not all is known" not in judged.stdout
    assert judged.returncode == 0
    assert "proposer-1 learned" in judged.stdout


def test_what_is_chosen_only_by_what_is_on_the_disks_is_known_to_be_chosen(cluster: Cluster, run_here: RunHere) -> None:
    for at in range(2):
        cluster.begin_mortal(f"acceptor-{at}", "before it is logged", "PROPOSE")
    cluster.propose(0, "apple", num_proposers=1)
    cluster.begin_again()
    judged = run_here("verify", *cluster.logs)
    assert judged.returncode == 0
    assert "round 1: chosen under 1: apple\n" in judged.stdout


# At any line: to be killed there leaves what is in its files then


def test_at_whichever_line_it_is_killed_its_log_is_complete(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run_here: RunHere
) -> None:
    monkeypatch.setattr(store, "LINES", 2)
    # What differs for no reason: the same files then mean the same, and are judged once.
    monkeypatch.setattr("uuid.uuid4", lambda: UUID(int=1))
    seen, steps = set(), []
    for number, left in enumerate(left_at_each_line(tmp_path / "killed")):
        folder = tmp_path / str(number)
        for path, data in left.items():
            if data is None:
                (folder / path).mkdir(parents=True)
            else:
                (folder / path).write_bytes(data)
        its = begun(folder)
        held = stored_by(its.maker.make(its.store.states.get((7, 1))))
        steps.append(held)
        let_go(its.store)
        its.log.close()
        proposer = Log(folder / "proposer-0.jsonl", "proposer-0", run=7, num_acceptors=1, num_proposers=1)
        prepare, propose = MESSAGES
        proposer.add(7, 1, Wants(0, "proposer-0", "apple", [prepare]))
        if '"PROMISE"' in (folder / "acceptor-0.jsonl").read_text():
            proposer.add(7, 1, Delivery(0, Promise("acceptor-0", "proposer-0", 1, None), answers=[propose]))
        proposer.close()
        logs = [*folder.glob("*.jsonl")]
        case = held, *(path.read_text() for path in sorted(logs))
        # Few lines change what the logs say.
        if case not in seen:
            seen.add(case)
            judged = run_here("verify", *map(str, logs))
            assert (judged.returncode, "not all is known" in judged.stdout) == (0, False), left
            assert ("chosen under 1: apple" in judged.stdout) == (held == ACCEPTED), left
    # Later it has never forgotten what it held before.
    assert [held for held, _ in groupby(steps)] == [(0, None), (1, None), ACCEPTED]


ACCEPTED = 1, Proposal(1, "apple")
MESSAGES: list[Message] = [Prepare("proposer-0", "acceptor-0", 1), Propose("proposer-0", "acceptor-0", 1, "apple")]


def begun(folder: Path) -> Service:
    """An acceptor that begins, perhaps again."""
    return service(folder / "data", log=folder / "acceptor-0.jsonl")


def left_at_each_line(folder: Path) -> list[dict[Path, bytes | None]]:
    """Let an acceptor begin and answer; return what its files hold before each line that it runs, each state once."""
    folder.mkdir()
    left: list[dict[Path, bytes | None]] = []

    def trace(frame: FrameType, event: str, _: object) -> Any:
        if event == "line":
            paths = sorted([folder, *folder.rglob("*")])
            now = {path.relative_to(folder): path.read_bytes() if path.is_file() else None for path in paths}
            if now not in left:
                left.append(now)
        return trace if f"{os.sep}remote{os.sep}" in frame.f_code.co_filename else None

    sys.settrace(trace)
    try:
        its = begun(folder)
        for message in MESSAGES:
            its.receive(wire.Envelope(run=7, round=1, message=to_wire(message)))
    finally:
        sys.settrace(None)
    let_go(its.store)
    its.log.close()
    return left
