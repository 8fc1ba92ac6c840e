"""Keeps a world on disk, so that SIGKILL loses nothing that a caller was told.

One SQLite file in the state folder, one row for each piece of state; every part says which of its
rows changed. The ports commit before a changing call is answered, timers a moment after they ran;
all parts are written in one transaction. A snapshot is a copy of the file.
https://www.sqlite.org/wal.html (a killed process loses nothing that was committed)
"""

import asyncio
import json
import re
import sqlite3
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from platform_pipelines.errors import Refused

FILE = "world.db"
SNAPSHOTS = "snapshots"
FORMAT = 1  # of the rows; one more when an earlier one cannot be read any longer
LATER = 0.25  # real seconds until what timers did is written
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass
class WorldUnreadable(Refused):
    """The folder holds a world that this server cannot go on with."""

    path: str
    reason: str

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}; start with --reset to begin a new world"


@dataclass
class NoSnapshot(Refused):
    """There is no snapshot of this name."""

    name: str
    known: tuple[str, ...]

    def __str__(self) -> str:
        return f"no snapshot {self.name!r}; there are: {', '.join(self.known) or 'none'}"


class Part(Protocol):
    """One owner of state."""

    def changed(self) -> Iterable[tuple[str, bytes | None]]:
        """The rows that changed since it was asked last; None for one that is gone."""

    def restore(self, rows: Mapping[str, bytes]) -> None:
        """Forget everything, and go on with these rows."""


class Value:
    """A part of a single row: a small JSON value."""

    def __init__(self, dump: Callable[[], Any], load: Callable[[Any], None]) -> None:
        self._dump = dump
        self._load = load
        self._initial = json.dumps(dump())  # as text: nobody changes it later
        self._written: bytes | None = None

    def changed(self) -> Iterable[tuple[str, bytes | None]]:
        row = json.dumps(self._dump()).encode()
        if row != self._written:
            self._written = row
            yield "", row

    def restore(self, rows: Mapping[str, bytes]) -> None:
        self._written = rows.get("")
        self._load(json.loads(self._initial if self._written is None else self._written))


class Vault:
    """The world's file. Used from the event loop's thread only."""

    def __init__(self, state: Path, *, kind: Mapping[str, Any]) -> None:
        """`kind` is what must not differ between the world in the folder and the one that goes on."""
        self.path = state / FILE
        self._snapshots = state / SNAPSHOTS
        self._kind = json.dumps({"format": FORMAT, **kind}, sort_keys=True)
        self._parts: dict[str, Part] = {}
        self._database: sqlite3.Connection | None = None
        self._later: asyncio.TimerHandle | None = None
        self._unwritten: dict[tuple[str, str], bytes | None] = {}  # what a failed commit left

    def add(self, name: str, part: Part) -> None:
        """Have a part kept; parts are restored in the order in which they were added."""
        self._parts[name] = part

    def open(self) -> bool:
        """Open the file and restore its world; False if it is a new one. Raises: WorldUnreadable."""
        self._database = self._connect(self.path)
        found = self._check(self._database, self.path)
        if found:
            self._load(self._database)
        self.commit()
        return found

    def commit(self) -> None:
        """Write what changed, all of it or nothing."""
        if self._later:
            self._later.cancel()
            self._later = None
        if self._database is None:
            return
        for name, part in self._parts.items():  # parts tell a change once
            self._unwritten.update(((name, key), value) for key, value in part.changed())
        if not self._unwritten:
            return
        gone = [row for row, value in self._unwritten.items() if value is None]
        kept = [(*row, value) for row, value in self._unwritten.items() if value is not None]
        with self._database as database:
            database.executemany("DELETE FROM rows WHERE part = ? AND key = ?", gone)
            database.executemany("REPLACE INTO rows VALUES (?, ?, ?)", kept)
        self._unwritten.clear()

    def soon(self) -> None:
        """Commit in a moment: nobody was told yet."""
        if self._later is None and self._database is not None:
            self._later = asyncio.get_running_loop().call_later(LATER, self.commit)

    def snapshot(self, name: str) -> None:
        """Keep the world as it is now under a name. Raises: NoSnapshot, for an impossible name."""
        path = self._snapshot(name)
        self.commit()
        self._snapshots.mkdir(exist_ok=True)
        draft = path.with_suffix(".new")
        draft.unlink(missing_ok=True)
        assert self._database is not None
        self._database.execute("VACUUM INTO ?", (str(draft),))
        draft.replace(path)  # the one before stays whole until then

    def restore(self, name: str) -> None:
        """Go back to a snapshot. Raises: NoSnapshot, WorldUnreadable."""
        path = self._snapshot(name)
        if not path.exists():
            raise NoSnapshot(name, self.snapshots())
        assert self._database is not None
        with closing(self._connect(path)) as source:
            if not self._check(source, path):
                raise WorldUnreadable(str(path), "it holds no world")
            source.backup(self._database)
        self._unwritten.clear()
        self._load(self._database)
        self.commit()

    def snapshots(self) -> tuple[str, ...]:
        """The names of what was kept."""
        return tuple(sorted(path.stem for path in self._snapshots.glob("*.db")))

    def close(self) -> None:
        """Write what is left and give the file back."""
        self.commit()
        if self._database is not None:
            self._database.close()
            self._database = None

    def _snapshot(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise NoSnapshot(name, self.snapshots())
        return self._snapshots / f"{name}.db"

    def _connect(self, path: Path) -> sqlite3.Connection:
        try:
            database = sqlite3.connect(path)
            database.execute("PRAGMA journal_mode = WAL")
            database.execute("PRAGMA synchronous = NORMAL")
            database.execute(
                "CREATE TABLE IF NOT EXISTS rows (part TEXT, key TEXT, value BLOB, "
                "PRIMARY KEY (part, key)) WITHOUT ROWID"
            )
        except sqlite3.Error as error:
            raise WorldUnreadable(str(path), str(error)) from None
        return database

    def _check(self, database: sqlite3.Connection, path: Path) -> bool:
        try:
            found = database.execute("SELECT value FROM rows WHERE part = 'kind'").fetchone()
        except sqlite3.Error as error:
            raise WorldUnreadable(str(path), str(error)) from None
        if found is None:
            with database:
                database.execute("REPLACE INTO rows VALUES ('kind', '', ?)", (self._kind,))
            return False
        if found[0] != self._kind:
            reason = f"it holds a world of {found[0]}, this server has {self._kind}"
            raise WorldUnreadable(str(path), reason)
        return True

    def _load(self, database: sqlite3.Connection) -> None:
        rows: dict[str, dict[str, bytes]] = {name: {} for name in self._parts}
        for name, key, value in database.execute("SELECT part, key, value FROM rows"):
            rows.setdefault(name, {})[key] = value
        for name, part in self._parts.items():
            part.restore(rows[name])
