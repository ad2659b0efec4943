"""What an acceptor must not forget is there again, or it does not start."""

import json
import os
from pathlib import Path

import pytest

from toy_paxos.message import Proposal
from toy_paxos.remote import CannotError, store
from toy_paxos.remote.store import ROUNDS_KEPT, Store


def close(kept: Store) -> None:
    """Let go of a folder, as the end of a process does."""
    os.close(kept.lock)
    os.close(kept.file)


def reopened(folder: Path, name: str = "acceptor-0") -> Store:
    """The store of a folder after its process has ended and begun again."""
    kept = Store(folder, name)
    close(kept)
    return kept


def filled(folder: Path) -> Path:
    """A folder in which something is kept."""
    kept = Store(folder, "acceptor-0")
    kept.save((7, 1), 2, None)
    kept.save((7, 1), 2, Proposal(2, "a\nvalue 😁"))
    kept.save((7, 2), 3, None)
    close(kept)
    return folder


def test_what_was_saved_is_there_again(tmp_path: Path) -> None:
    assert reopened(filled(tmp_path)).states == {(7, 1): (2, Proposal(2, "a\nvalue 😁")), (7, 2): (3, None)}


def test_it_is_on_the_disk_when_saving_returns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Store(tmp_path, "acceptor-0")
    calls: list[str] = []
    monkeypatch.setattr(store, "write_all", lambda *_: calls.append("write"))
    monkeypatch.setattr(os, "fdatasync", lambda _: calls.append("sync"))
    kept.save((7, 1), 2, None)
    assert calls == ["write", "sync"]
    close(kept)


def test_it_is_so_where_there_is_no_fdatasync(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Store(tmp_path, "acceptor-0")
    synced: list[int] = []
    monkeypatch.delattr(os, "fdatasync")
    monkeypatch.setattr(os, "fsync", synced.append)
    kept.save((7, 1), 2, None)
    assert synced == [kept.file]
    close(kept)


@pytest.mark.parametrize("torn", [b"[", b"[7, 2, 9", b"[7, 2, 9]"])
def test_a_last_line_that_is_torn_was_never_answered_and_is_dropped(tmp_path: Path, torn: bytes) -> None:
    before = reopened(filled(tmp_path)).states
    with (tmp_path / "promises").open("ab") as file:
        file.write(torn)
    assert reopened(tmp_path).states == before
    assert reopened(tmp_path).states == before


@pytest.mark.parametrize(
    "line", ["", "{}", "[7, 2]", '[7, 2, "3"]', "[7, 2, 0]", '[7, 2, 3, 3, ""]', "[0, 2, 3]", "[" * 100_000]
)
def test_any_other_damage_is_refused(tmp_path: Path, line: str) -> None:
    path = filled(tmp_path) / "promises"
    path.write_text(f"{line}\n{path.read_text()}")
    with pytest.raises(CannotError, match=r"line 1 of .*promises is damaged"):
        Store(tmp_path, "acceptor-0")


def test_the_last_rounds_of_each_run_are_kept_and_older_ones_are_over(tmp_path: Path) -> None:
    kept = Store(tmp_path, "acceptor-0")
    kept.save((8, 1), 1, None)
    for round in range(1, 3 * ROUNDS_KEPT + 1):
        kept.save((7, round), 1, None)
    close(kept)
    for its in (kept, reopened(tmp_path)):
        assert not its.is_over((8, 1))
        assert not its.is_over((7, 2 * ROUNDS_KEPT + 1))
        assert its.is_over((7, 2 * ROUNDS_KEPT))
        assert not its.is_over((9, 1))
        assert {(8, 1), (7, 2 * ROUNDS_KEPT + 1)} <= its.states.keys()
        assert len(its.states) <= 5 * ROUNDS_KEPT


def test_an_answer_to_an_older_round_makes_no_round_young_again(tmp_path: Path) -> None:
    kept = Store(tmp_path, "acceptor-0")
    for round in (300, 250):
        kept.save((7, round), 1, None)
    close(kept)
    for its in (kept, reopened(tmp_path)):
        assert its.newest == {7: 300}
        assert its.is_over((7, 300 - ROUNDS_KEPT))
        assert not its.is_over((7, 301 - ROUNDS_KEPT))


def test_the_file_does_not_grow_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "LINES", 50)
    kept = Store(tmp_path, "acceptor-0")
    for id in range(1, 1_000):
        kept.save((7, 1), id, None)
    close(kept)
    assert len((tmp_path / "promises").read_bytes().splitlines()) <= 51
    assert reopened(tmp_path).states == {(7, 1): (999, None)}


def test_without_a_folder_nothing_is_kept_but_in_memory() -> None:
    kept = Store(None, "acceptor-0")
    kept.save((7, 1), 2, None)
    assert kept.states == {(7, 1): (2, None)}


# Whose folder it is


def test_a_folder_in_use_is_refused(tmp_path: Path) -> None:
    kept = Store(tmp_path, "acceptor-0")
    with pytest.raises(CannotError, match="in use by another process"):
        Store(tmp_path, "acceptor-0")
    close(kept)


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
