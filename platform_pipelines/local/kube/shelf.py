"""Where a cluster's objects lie: keeping and finding them, and telling of every change. No rules.

`store` adds the rules; nobody else writes here.
"""

from collections.abc import Callable
from datetime import datetime

from platform_pipelines.local.kube.history import Change, History
from platform_pipelines.local.kube.identity import Dependents
from platform_pipelines.local.kube.kinds import KINDS, Kind
from platform_pipelines.local.kube.objects import Key, Obj, Objects, clone, key_of, timestamp

Listener = Callable[[str, Kind, Obj], None]


class Shelf:
    """Objects by kind, namespace and name."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._objects: dict[Kind, dict[Key, Obj]] = {kind: {} for kind in KINDS}
        self._dependents = Dependents()
        self._listeners: list[Listener] = []
        self.history = History()

    def get(self, kind: Kind, namespace: str | None, name: str) -> Obj | None:
        """A copy of an object, or None."""
        found = self.peek(kind, namespace, name)
        return None if found is None else clone(found)

    def list(self, kind: Kind, namespace: str | None = None) -> Objects:
        """Copies of all objects of a kind, ordered by namespace and name."""
        return [clone(obj) for obj in self.peek_all(kind, namespace)]

    def peek(self, kind: Kind, namespace: str | None, name: str) -> Obj | None:
        """The stored object itself: to read, never to change."""
        return self._objects[kind].get((namespace or "" if kind.namespaced else "", name))

    def peek_all(self, kind: Kind, namespace: str | None = None) -> Objects:
        """The stored objects themselves: to read, never to change."""
        objects = self._objects[kind]
        keys = sorted(key for key in objects if not namespace or key[0] == namespace)
        return [objects[key] for key in keys]

    @property
    def version(self) -> int:
        """The resourceVersion of the newest change."""
        return self.history.latest

    def time(self) -> datetime:
        """The time in this cluster."""
        return self._now()

    def now(self) -> str:
        """The time as objects write it."""
        return timestamp(self._now())

    def subscribe(self, listener: Listener) -> None:
        """Call `listener(event, kind, object)` after each change: ADDED, MODIFIED or DELETED."""
        self._listeners.append(listener)

    def _put(
        self, event: str, kind: Kind, old: Obj | None, new: Obj, *, dry_run: bool = False
    ) -> Obj:
        """Record a change and tell of it; a copy of the new state returns. A dry run only copies."""
        if dry_run:
            return clone(new)
        version = self.history.latest + 1
        new["metadata"]["resourceVersion"] = str(version)
        key = key_of(kind, new)
        if event == "DELETED":
            del self._objects[kind][key]
        else:
            self._objects[kind][key] = new
        self._dependents.changed(kind, key, old, None if event == "DELETED" else new)
        self.history.append(Change(version=version, type=event, kind=kind, obj=new, previous=old))
        for listener in self._listeners:
            listener(event, kind, clone(new))
        return clone(new)
