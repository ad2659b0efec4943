"""What an acceptor must not forget is there again, or it does not start."""

import json
import os
from pathlib import Path

import pytest
from test_service import Memory, let_go

from toy_paxos.acceptor import Acceptor
from toy_paxos.message import Proposal
from toy_paxos.remote import CannotError, store
from toy_paxos.remote.saved import State, state_of
from toy_paxos.remote.store import ROUNDS_KEPT, RUNS_KEPT, Store, line_of


def promised(id: int, accepted: Proposal | None = None) -> State:
    """The state of an acceptor."""
    acceptor = Acceptor("acceptor-0")
    acceptor.promised, acceptor.accepted = id, accepted
    return state_of(acceptor)


def reopened(folder: Path, name: str = "acceptor-0") -> Store:
    """The store of a folder after its process has ended and begun again."""
    kept = Store(folder, name)
    let_go(kept)
    return kept


def filled(folder: Path) -> Path:
    """A folder in which something is kept."""
    kept = Store(folder, "acceptor-0")
    kept.save((7, 1), promised(2))
    kept.save((7, 1), promised(2, Proposal(2, "a\nvalue 😁")))
    kept.save((7, 2), promised(3))
    let_go(kept)
    return folder


def test_what_was_saved_is_there_again(tmp_path: Path) -> None:
    assert reopened(filled(tmp_path)).states == {
        (7, 1): promised(2, Proposal(2, "a\nvalue 😁")),
        (7, 2): promised(3),
    }


def test_it_is_on_the_disk_when_saving_returns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Store(tmp_path, "acceptor-0")
    calls: list[str] = []
    monkeypatch.setattr(store, "write_all", lambda *_: calls.append("write"))
    monkeypatch.setattr(os, "fdatasync", lambda _: calls.append("sync"))
    kept.save((7, 1), promised(2))
    assert calls == ["write", "sync"]
    let_go(kept)


def test_it_is_so_where_there_is_no_fdatasync(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Store(tmp_path, "acceptor-0")
    synced: list[int] = []
    monkeypatch.delattr(os, "fdatasync")
    monkeypatch.setattr(os, "fsync", synced.append)
    kept.save((7, 1), promised(2))
    assert synced == [kept.file]
    let_go(kept)


def test_a_last_line_that_is_torn_was_never_answered_and_is_dropped(tmp_path: Path) -> None:
    before = reopened(filled(tmp_path)).states
    line = line_of([7, 2, 9])
    for length in range(len(line)):
        with (tmp_path / "promises").open("ab") as file:
            file.write(line[:length])
        assert reopened(tmp_path).states == before


def test_a_bit_that_flips_on_the_disk_is_found_out(tmp_path: Path) -> None:
    path = filled(tmp_path) / "promises"
    data = path.read_bytes()
    for place in range(8 * len(data)):
        flipped = bytearray(data)
        flipped[place // 8] ^= 1 << place % 8
        path.write_bytes(flipped)
        with pytest.raises(CannotError, match="is damaged: this acceptor may have forgotten"):
            Memory().read(path)


@pytest.mark.parametrize(
    "line", [b"", b"[7, 2, 3]", *map(line_of, ([], 7, [7, 2], [0, 2, 3], [7, 2, {}], [7, 2, {"bytes": 1}]))]
)
def test_any_other_damage_is_refused(tmp_path: Path, line: bytes) -> None:
    path = filled(tmp_path) / "promises"
    first, rest = path.read_bytes().split(b"\n", 1)
    path.write_bytes(b"\n".join([first, line.rstrip(), rest]))
    with pytest.raises(CannotError, match=r"line 2 of .*promises is damaged"):
        Store(tmp_path, "acceptor-0")


@pytest.mark.parametrize("of", [{"class": "x:y"}, {"class": 1}, {"class": "json:x"}, {"member": ["json:loads", "x"]}])
def test_a_state_of_other_actors_is_refused(tmp_path: Path, of: object) -> None:
    path = filled(tmp_path) / "promises"
    with path.open("ab") as file:
        file.write(line_of([7, 2, [["promised", of]]]))
    with pytest.raises(CannotError, match=r"promises is (of other actors|damaged): "):
        Store(tmp_path, "acceptor-0")


def test_the_last_rounds_of_each_run_are_kept_and_older_ones_are_over(tmp_path: Path) -> None:
    kept = Store(tmp_path, "acceptor-0")
    kept.save((8, 1), promised(1))
    for round in range(1, 3 * ROUNDS_KEPT + 1):
        kept.save((7, round), promised(1))
    let_go(kept)
    for its in (kept, reopened(tmp_path)):
        assert not its.is_over((8, 1))
        assert not its.is_over((7, 2 * ROUNDS_KEPT + 1))
        assert its.is_over((7, 2 * ROUNDS_KEPT))
        assert not its.is_over((9, 1))
        assert {(8, 1), (7, 2 * ROUNDS_KEPT + 1)} <= its.states.keys()
        assert len(its.states) <= 5 * ROUNDS_KEPT


def test_the_runs_with_the_highest_numbers_are_kept_and_others_are_over(tmp_path: Path) -> None:
    kept = Store(tmp_path, "acceptor-0")
    runs = range(10, 10 + 3 * RUNS_KEPT)
    for run in runs:
        for round in (1, 2):
            kept.save((run, round), promised(1))
    let_go(kept)
    for its in (kept, reopened(tmp_path)):
        assert [run for run in runs if not its.is_over((run, 1))] == [*runs][-RUNS_KEPT:]
        assert its.is_over((9, 1))
        assert not its.is_over((runs[-1] + 1, 1))
    assert len(reopened(tmp_path).states) == 2 * RUNS_KEPT


def test_a_file_is_on_the_disk_before_its_name_is_and_before_it_takes_the_place_of_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []
    monkeypatch.setattr(os, "fsync", lambda _: calls.append("file"))
    monkeypatch.setattr(os, "rename", lambda *_: calls.append("rename"))
    monkeypatch.setattr(store, "sync_folder", lambda _: calls.append("folder"))
    let_go(Store(tmp_path, "acceptor-0"))
    # First identity, then promises.
    assert calls == ["file", "folder", "file", "rename", "folder"]


def test_what_a_rewrite_left_when_it_was_killed_is_overwritten(tmp_path: Path) -> None:
    before = reopened(filled(tmp_path)).states
    (tmp_path / "promises.new").write_bytes(b"x" * 10_000)
    assert [reopened(tmp_path).states for _ in range(2)] == [before, before]


def test_it_counts_its_starts(tmp_path: Path) -> None:
    assert [reopened(tmp_path).starts for _ in range(3)] == [1, 2, 3]


def test_each_folder_that_is_made_is_on_the_disk_with_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[str] = []
    sync = store.sync_folder

    def noting(folder: Path) -> None:
        synced.append(folder.name)
        sync(folder)

    monkeypatch.setattr(store, "sync_folder", noting)
    let_go(Store(tmp_path / "a" / "b" / "c", "acceptor-0"))
    assert synced[:3] == [tmp_path.name, "a", "b"]


def test_an_answer_to_an_older_round_makes_no_round_young_again(tmp_path: Path) -> None:
    kept = Store(tmp_path, "acceptor-0")
    for round in (300, 250):
        kept.save((7, round), promised(1))
    let_go(kept)
    for its in (kept, reopened(tmp_path)):
        assert its.newest == {7: 300}
        assert its.is_over((7, 300 - ROUNDS_KEPT))
        assert not its.is_over((7, 301 - ROUNDS_KEPT))


def test_the_file_does_not_grow_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "LINES", 50)
    kept = Store(tmp_path, "acceptor-0")
    descriptors = len(os.listdir("/dev/fd"))
    for id in range(1, 1_000):
        kept.save((7, 1), promised(id))
    assert len(os.listdir("/dev/fd")) == descriptors
    let_go(kept)
    assert len((tmp_path / "promises").read_bytes().splitlines()) <= 51
    assert reopened(tmp_path).states == {(7, 1): promised(999)}


# Whose folder it is


def test_a_folder_in_use_is_refused(tmp_path: Path) -> None:
    kept = Store(tmp_path, "acceptor-0")
    with pytest.raises(CannotError, match="in use by another process"):
        Store(tmp_path, "acceptor-0")
    let_go(kept)


def test_a_folder_of_another_acceptor_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CannotError, match="belongs to acceptor-0, not to acceptor-1"):
        Store(filled(tmp_path), "acceptor-1")


def test_a_folder_of_another_cluster_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CannotError, match="belongs to another cluster"):
        Store(filled(tmp_path), "acceptor-0", cluster="some other")


def test_a_folder_with_something_else_in_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").touch()
    with pytest.raises(CannotError, match=r"has other files in it \(letter.txt\)"):
        Store(tmp_path, "acceptor-0")
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


def test_a_folder_that_has_lost_its_promises_is_refused(tmp_path: Path) -> None:
    (filled(tmp_path) / "promises").unlink()
    with pytest.raises(CannotError, match="has lost its promises"):
        Store(tmp_path, "acceptor-0")


@pytest.mark.parametrize("data", ["", "x", "[]", "[" * 100_000, json.dumps({"name": "acceptor-0"})])
def test_a_folder_whose_identity_is_damaged_is_refused(tmp_path: Path, data: str) -> None:
    (filled(tmp_path) / "identity").write_text(data)
    with pytest.raises(CannotError, match="identity is damaged"):
        Store(tmp_path, "acceptor-0")


def test_an_acceptor_is_the_same_one_after_a_restart_and_another_one_in_another_folder(tmp_path: Path) -> None:
    first, again, other = (reopened(tmp_path / name) for name in ("a", "a", "b"))
    assert first.identity == again.identity != other.identity
