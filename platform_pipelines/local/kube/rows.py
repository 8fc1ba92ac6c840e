"""A cluster's objects on disk: one row each in the world's file, and one for the resourceVersion.

`clusters` adds one of these to the vault for every store. After a restore the versions go on, and a
client that watched is told 410 Expired and lists again, as with a kube-apiserver whose watch cache
begins anew.
"""

from collections.abc import Iterable, Iterator, Mapping

from pydantic_core import from_json, to_json

from platform_pipelines.local.kube import kinds
from platform_pipelines.local.kube.history import Change
from platform_pipelines.local.kube.kinds import KINDS, Kind
from platform_pipelines.local.kube.objects import Key, Obj, key_of
from platform_pipelines.local.kube.store import Store

VERSION = "resourceVersion"  # the key of a row; no object has it


class Rows:
    """A part of the vault: everything in one store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._touched: set[tuple[Kind, Key]] = set()
        self._version = 0  # as it was written last
        store.follow(self._follow)
        self._touch_all()

    def changed(self) -> Iterable[tuple[str, bytes | None]]:
        """The objects that changed or went since the last time."""
        if self._store.version == self._version:
            return
        self._version = self._store.version
        touched, self._touched = self._touched, set()
        yield VERSION, str(self._version).encode()
        for kind, key in touched:
            found = self._store.peek(kind, *key)
            yield _row(kind, key), None if found is None else to_json(found)

    def restore(self, rows: Mapping[str, bytes]) -> None:
        """Hold what the rows say; without any, what a new cluster has."""
        self._touched.clear()
        self._version = 0
        self._store.refill(_objects(rows), int(rows.get(VERSION, 0)))
        if not rows:
            self._store.begin()

    def _follow(self, change: Change) -> None:
        self._touched.add((change.kind, key_of(change.kind, change.obj)))

    def _touch_all(self) -> None:
        for kind in KINDS:
            self._touched |= {(kind, key_of(kind, obj)) for obj in self._store.peek_all(kind)}


def _row(kind: Kind, key: Key) -> str:
    return "/".join((kind.api_version, kind.kind, *key))


def _objects(rows: Mapping[str, bytes]) -> Iterator[tuple[Kind, Obj]]:
    for name, row in rows.items():
        if name == VERSION:
            continue
        obj = from_json(row)
        kind = kinds.by_kind(obj["apiVersion"], obj["kind"])
        if kind is not None:  # a kind that this version of the product has no more
            yield kind, obj
