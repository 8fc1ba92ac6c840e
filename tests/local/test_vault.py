"""What is kept on disk: all of it or nothing, and only what changed."""

import sqlite3
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

from platform_pipelines.local.vault import NoSnapshot, Value, Vault, WorldUnreadable

KIND = {"account": "111122223333"}


class Shelf:
    """A part of many rows, which tells which of them changed."""

    def __init__(self) -> None:
        self.rows: dict[str, bytes] = {}
        self.dirty: set[str] = set()
        self.asked = 0

    def put(self, key: str, value: bytes | None) -> None:
        """Change a row; None takes it away."""
        self.dirty.add(key)
        if value is None:
            self.rows.pop(key, None)
        else:
            self.rows[key] = value

    def changed(self) -> Iterable[tuple[str, bytes | None]]:
        self.asked += 1
        dirty, self.dirty = self.dirty, set()
        return [(key, self.rows.get(key)) for key in sorted(dirty)]

    def restore(self, rows: Mapping[str, bytes]) -> None:
        self.rows, self.dirty = dict(rows), set()


class Note:
    """A part of one value."""

    def __init__(self) -> None:
        self.text: Any = "new"

    def part(self) -> Value:
        """As the vault takes it."""
        return Value(lambda: self.text, lambda state: setattr(self, "text", state))


def opened(folder: Path, shelf: Shelf, note: Note, **kind: Any) -> tuple[Vault, bool]:
    """A vault of both parts, and whether it held a world."""
    vault = Vault(folder, kind={**KIND, **kind})
    vault.add("shelf", shelf)
    vault.add("note", note.part())
    return vault, vault.open()


def test_what_was_committed_is_there_after_the_process_is_gone(tmp_path: Path) -> None:
    """Nobody closes anything: SIGKILL asks no one."""
    shelf, note = Shelf(), Note()
    vault, held = opened(tmp_path, shelf, note)
    assert not held
    shelf.put("a", b"1")
    shelf.put("b", b"2")
    note.text = "kept"
    vault.commit()
    shelf.put("b", None)
    vault.commit()
    shelf.put("c", b"never committed")
    again, other = Shelf(), Note()
    assert opened(tmp_path, again, other)[1]
    assert (again.rows, other.text) == ({"a": b"1"}, "kept")


def test_a_part_that_was_never_written_begins_as_it_is_made(tmp_path: Path) -> None:
    """A world of an earlier server, which did not have that part."""
    vault = Vault(tmp_path, kind=KIND)
    vault.open()
    vault.close()
    shelf, note = Shelf(), Note()
    opened(tmp_path, shelf, note)
    assert (shelf.rows, note.text) == ({}, "new")


def test_a_snapshot_is_a_world_to_go_back_to_any_number_of_times(tmp_path: Path) -> None:
    """Whatever happens between, live."""
    shelf, note = Shelf(), Note()
    vault, _ = opened(tmp_path, shelf, note)
    shelf.put("a", b"1")
    note.text = "then"
    vault.snapshot("built")
    for _ in range(2):
        shelf.put("a", b"2")
        shelf.put("b", b"3")
        note.text = "later"
        vault.commit()
        vault.restore("built")
        assert (shelf.rows, note.text) == ({"a": b"1"}, "then")
    assert vault.snapshots() == ("built",)
    again = Shelf()
    opened(tmp_path, again, Note())
    assert again.rows == {"a": b"1"}


@pytest.mark.parametrize("name", ["", "../up", "a/b", "none"])
def test_a_snapshot_that_is_not_there_says_which_are(tmp_path: Path, name: str) -> None:
    """Nothing is read outside of the folder."""
    vault, _ = opened(tmp_path, Shelf(), Note())
    vault.snapshot("built")
    with pytest.raises(NoSnapshot, match="built"):
        vault.restore(name)


def test_a_world_of_another_account_is_not_taken_over(tmp_path: Path) -> None:
    """The error says what to do."""
    vault, _ = opened(tmp_path, Shelf(), Note())
    vault.close()
    with pytest.raises(WorldUnreadable, match="--reset"):
        opened(tmp_path, Shelf(), Note(), account="999999999999")


def test_a_file_that_is_no_world_is_refused(tmp_path: Path) -> None:
    """And left as it is."""
    (tmp_path / "world.db").write_text("not a database, but long enough to look like one" * 9)
    with pytest.raises(WorldUnreadable, match="--reset"):
        opened(tmp_path, Shelf(), Note())


def test_a_commit_that_fails_leaves_the_earlier_world_whole(tmp_path: Path) -> None:
    """All rows are one transaction."""
    shelf, note = Shelf(), Note()
    vault, _ = opened(tmp_path, shelf, note)
    shelf.put("a", b"1")
    vault.commit()
    shelf.put("b", b"2")
    shelf.put("c", "no bytes")  # type: ignore[arg-type]  # what SQLite cannot store
    shelf.rows["c"] = object()  # type: ignore[assignment]
    with pytest.raises(sqlite3.Error):
        vault.commit()
    again = Shelf()
    opened(tmp_path, again, Note())
    assert again.rows == {"a": b"1"}


def test_what_a_failed_commit_could_not_write_is_in_the_next_one(tmp_path: Path) -> None:
    """Parts tell a change once; a full disk that has room again loses nothing."""
    shelf, note = Shelf(), Note()
    vault, _ = opened(tmp_path, shelf, note)
    shelf.put("a", b"1")
    note.text = "kept"
    other = sqlite3.connect(tmp_path / "world.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert vault._database is not None
    vault._database.execute("PRAGMA busy_timeout = 0")
    with pytest.raises(sqlite3.OperationalError):
        vault.commit()
    other.close()
    vault.commit()
    again, found = Shelf(), Note()
    opened(tmp_path, again, found)
    assert (again.rows, found.text) == ({"a": b"1"}, "kept")


def test_what_a_part_began_with_is_nobody_s_to_change(tmp_path: Path) -> None:
    """A world of an earlier server restores it as it was made, each time."""
    live: dict[str, int] = {}

    def load(state: dict[str, int]) -> None:
        live.clear()
        live.update(state)

    part = Value(lambda: live, load)
    live["made"] = 1
    for _ in range(2):
        part.restore({})
        assert live == {}
        live["later"] = 2


def test_a_broken_snapshot_is_refused_and_the_world_goes_on(tmp_path: Path) -> None:
    """Neither an empty file nor another database replaces what is there."""
    shelf = Shelf()
    vault, _ = opened(tmp_path, shelf, Note())
    shelf.put("a", b"1")
    vault.snapshot("built")
    (tmp_path / "snapshots" / "empty.db").touch()
    whole = (tmp_path / "snapshots" / "built.db").read_bytes()
    (tmp_path / "snapshots" / "torn.db").write_bytes(whole[:4096] + bytes(len(whole) - 4096))
    for name in ("empty", "torn"):
        with pytest.raises(WorldUnreadable):
            vault.restore(name)
    assert shelf.rows == {"a": b"1"}
    again = Shelf()
    opened(tmp_path, again, Note())
    assert again.rows == {"a": b"1"}
