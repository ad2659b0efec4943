"""The log of a process: it is begun, continued and kept apart from other files."""

from pathlib import Path

import pytest

from toy_paxos.event import Delivery
from toy_paxos.message import Prepare
from toy_paxos.remote import CannotError
from toy_paxos.remote.records import Log
from toy_paxos.remote.verify import read_logs

RUN = 7


@pytest.mark.parametrize(
    "there",
    [
        "my notes",
        "my notes\n",
        '{"event":"start","format":1,"process":"acceptor-0"}\n',
        '{"event":"start","format":2,"process":"acceptor-1"}\n',
    ],
)
def test_no_file_is_taken_that_is_no_log_of_this_process(tmp_path: Path, there: str) -> None:
    path = tmp_path / "notes.txt"
    path.write_text(there)
    with pytest.raises(CannotError, match="exists, and is not a log of acceptor-0 in format 2: name another file"):
        Log(path, "acceptor-0")
    assert path.read_text() == there


def test_a_log_of_which_not_one_line_is_whole_is_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / "acceptor-0.jsonl"
    Log(path, "acceptor-0").close()
    whole = path.read_text()
    path.write_text(whole[:9])
    Log(path, "acceptor-0").close()
    assert path.read_text() == whole


def test_a_log_is_continued_after_its_last_whole_line(tmp_path: Path) -> None:
    path = tmp_path / "acceptor-0.jsonl"
    prepare = Prepare("proposer-0", "acceptor-0", 1)
    Log(path, "acceptor-0").close()
    with path.open("a") as file:
        file.write('{"event":"mess')
    Log(path, "acceptor-0").add(RUN, 1, Delivery(0, prepare))
    assert read_logs(path)[0].rounds == {(RUN, 1): [Delivery(0, prepare, answers=[])]}
    assert read_logs(path)[0].restarts == 1


def test_a_log_in_use_is_refused(tmp_path: Path) -> None:
    log = Log(tmp_path / "log", "acceptor-0")
    with pytest.raises(CannotError, match="in use by another process"):
        Log(tmp_path / "log", "acceptor-0")
    log.close()
