"""Where a cluster's objects lie: keeping and finding them, and telling of every change. No rules.

`store` adds the rules; nobody else writes here.
"""

from collections.abc import Callable, Iterable
from datetime import datetime

from platform_pipelines.local.kube.history import Change, History
from platform_pipelines.local.kube.identity import Dependents
from platform_pipelines.local.kube.kinds import KINDS, Kind
from platform_pipelines.local.kube.objects import Key, Obj, Objects, clone, key_of, timestamp

Listener = Callable[[str, Kind, Obj], None]
Follower = Callable[[Change], None]
LEAP = 10_000  # versions that nobody gets, between a world that was stored and the one that goes on


class Shelf:
    """Objects by kind, namespace and name."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._objects: dict[Kind, dict[Key, Obj]] = {kind: {} for kind in KINDS}
        self._dependents = Dependents()
        self._listeners: list[Listener] = []
        self._followers: list[Follower] = []
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

    def peek_owned(self, kind: Kind, owner_uid: str) -> Objects:
        """The stored objects of a kind that have this owner, without a look at any other."""
        objects = self._objects[kind]
        return [objects[key] for one, key in self._dependents.of(owner_uid) if one is kind]

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
        """Call `listener(event, kind, object)` after each change: ADDED, MODIFIED or DELETED. The
        object is the stored one: to read, never to change."""
        self._listeners.append(listener)

    def follow(self, follower: Follower) -> None:
        """Call `follower` with each change, which also tells what was there before."""
        self._followers.append(follower)

    def snapshot(self, kind: Kind, namespace: str, version: int) -> Objects:
        """`peek_all` as it was at an earlier version. Raises: KubeFault, when that is forgotten."""
        objects = dict(self._objects[kind])
        for change in reversed(self.history.after(version)):
            if change.kind is kind:
                _undo(objects, change)
        return [objects[key] for key in sorted(objects) if not namespace or key[0] == namespace]

    def refill(self, objects: Iterable[tuple[Kind, Obj]], version: int) -> None:
        """Hold these objects instead of all others. Versions go on after `version` with a leap, so
        that none is given twice; whoever watched has to list again."""
        self._objects = {kind: {} for kind in KINDS}
        self._dependents = Dependents()
        for kind, obj in objects:
            key = key_of(kind, obj)
            self._objects[kind][key] = obj
            self._dependents.changed(kind, key, None, obj)
        self.history.begin(max(version, self.version) + LEAP)

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
        change = Change(version=version, type=event, kind=kind, obj=new, previous=old)
        self.history.append(change)
        for listener in self._listeners:
            listener(event, kind, new)
        for follower in self._followers:
            follower(change)
        return clone(new)


def _undo(objects: dict[Key, Obj], change: Change) -> None:
    key = key_of(change.kind, change.obj)
    if change.previous is None:
        objects.pop(key, None)
    else:
        objects[key] = change.previous
