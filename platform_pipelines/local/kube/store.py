"""The objects of one local cluster, with the rules that the real API's registry keeps.

Controllers use it directly, from the event loop's thread only; clients reach it through `api`. What
`get`, `list` and every write return is a copy. A write that changes nothing keeps the
resourceVersion. Objects whose owners are gone are collected at once.
"""

import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

from platform_pipelines.local.kube import (
    admission,
    custom,
    defaults,
    faults,
    grace,
    identity,
    kinds,
    ssa,
)
from platform_pipelines.local.kube.kinds import CUSTOM_RESOURCE_DEFINITION, NAMESPACE, Kind
from platform_pipelines.local.kube.objects import (
    Key,
    Obj,
    clone,
    key_of,
    meta,
    name_of,
    namespace_of,
    timestamp,
    without_metadata,
)
from platform_pipelines.local.kube.shelf import LEAP, Shelf

UNSET = ("deletionTimestamp", "deletionGracePeriodSeconds", "generation", "selfLink")
NAMESPACES = ("default", "kube-system", "kube-public", "kube-node-lease")


class Store(Shelf):
    """One cluster's objects."""

    def __init__(self, now: Callable[[], datetime] | None = None) -> None:
        """`now` gives the time that objects carry, which may run faster than the world's."""
        super().__init__(now or (lambda: datetime.now(UTC)))
        self.begin()

    def begin(self) -> None:
        """Make what a new cluster has."""
        for name in NAMESPACES:
            self.create(NAMESPACE, {"metadata": {"name": name}})
        for definition in custom.definitions():
            self.create(CUSTOM_RESOURCE_DEFINITION, definition)

    def reset(self) -> None:
        """Hold what a new cluster has, and nothing else. Whoever watched has to list again."""
        for kind in (NAMESPACE, *(one for one in self._objects if one is not NAMESPACE)):
            for old in self.peek_all(kind):  # without namespaces, nobody writes an event of it
                self._put("DELETED", kind, old, {**old, "metadata": {**old["metadata"]}})
        self.history.begin(self.version + LEAP)
        self.begin()

    def create(self, kind: Kind, obj: Obj, *, dry_run: bool = False) -> Obj:
        """Store a new object. Raises: KubeFault, when it exists or its namespace does not."""
        new = identity.identified(kind, clone(obj))
        namespace, name = key_of(kind, new)
        if self.peek(kind, namespace, name) is not None:
            raise faults.already_exists(kind, name)
        self._require_namespace(kind, namespace, name)
        metadata = new["metadata"]
        metadata |= {"uid": str(uuid.uuid4()), "creationTimestamp": self.now()}
        for unset in UNSET:
            metadata.pop(unset, None)
        if kind.generation:
            metadata["generation"] = 1
        defaults.apply(kind, new)
        return self._put("ADDED", kind, None, new, dry_run=dry_run)

    def update(self, kind: Kind, obj: Obj, *, dry_run: bool = False) -> Obj:
        """Replace an object, its status too. With a resourceVersion, only that one is replaced.

        Raises: KubeFault, when there is none or it is of another version.
        """
        namespace, name = key_of(kind, obj)
        old = self._require(kind, namespace, name)
        new = clone(obj)
        wanted = new["metadata"].pop("resourceVersion", None)
        if wanted and wanted != meta(old)["resourceVersion"]:
            raise faults.modified(kind, name)
        identity.carry_over(kind, old, new)
        defaults.apply(kind, new)
        new["metadata"]["resourceVersion"] = meta(old)["resourceVersion"]
        if new == old:
            return self._finished(kind, new, dry_run=dry_run)
        if kind.generation and without_metadata(kind, new) != without_metadata(kind, old):
            new["metadata"]["generation"] = meta(old).get("generation", 0) + 1
        committed = self._put("MODIFIED", kind, old, new, dry_run=dry_run)
        return self._finished(kind, committed, dry_run=dry_run)

    def update_status(self, kind: Kind, namespace: str | None, name: str, status: Obj) -> Obj:
        """Replace an object's status. Raises: KubeFault, when there is no such object."""
        old = self._require(kind, namespace, name)
        new = {**old, "metadata": {**old["metadata"]}, "status": status}
        del new["metadata"]["resourceVersion"]
        return self.update(kind, new)

    def apply(
        self,
        obj: Obj,
        manager: str,
        *,
        force: bool = True,
        subresource: str = "",
        dry_run: bool = False,
    ) -> Obj:
        """Server-side apply as `manager`; with `force` every field that `obj` states is taken over.

        Raises: KubeFault, when the kind is unknown, the object invalid, or a field another's.
        """
        kind = kinds.by_kind(str(obj.get("apiVersion")), str(obj.get("kind")))
        if kind is None:
            raise faults.no_such_path()
        config, _ = admission.decode(kind, obj)
        config = identity.identified(kind, identity.stated(kind, config, subresource))
        old = self.peek(kind, *key_of(kind, config))
        new = ssa.applied(
            kind, old, config, manager, self.now(), force=force, subresource=subresource
        )
        admission.check(kind, new, old)
        write = self.create if old is None else self.update
        return write(kind, new, dry_run=dry_run)

    def delete(
        self,
        kind: Kind,
        namespace: str | None,
        name: str,
        *,
        orphan: bool = False,
        dry_run: bool = False,
        grace_seconds: int | None = None,
    ) -> Obj:
        """Delete an object and what it owns; with finalizers, or a kubelet that has to stop it, only
        mark it. `grace_seconds` shortens what a pod is given. The last state returns.

        Raises: KubeFault, when there is no such object.
        """
        old = self._require(kind, namespace, name)
        if dry_run:
            return clone(old)
        marked = self._mark_deleted(kind, old, grace.seconds(kind, old, grace_seconds))
        if kind is NAMESPACE:
            self._empty(name)  # the last object that goes takes the namespace with it
        stored = self.peek(kind, namespace, name)
        if stored is None or self._held(kind, stored):
            return clone(stored or marked)
        return self._remove(kind, stored, orphan=orphan)

    # How

    def _require(self, kind: Kind, namespace: str | None, name: str) -> Obj:
        found = self.peek(kind, namespace, name)
        if found is None:
            raise faults.not_found(kind, name)
        return found

    def _require_namespace(self, kind: Kind, namespace: str, name: str) -> None:
        if not kind.namespaced:
            return
        home = self._require(NAMESPACE, None, namespace)
        if meta(home).get("deletionTimestamp"):
            raise faults.terminating(kind, name, namespace)

    def _mark_deleted(self, kind: Kind, old: Obj, seconds: int) -> Obj:
        marked = bool(meta(old).get("deletionTimestamp"))
        given = int(meta(old).get("deletionGracePeriodSeconds") or 0)
        if (marked and given <= seconds) or not (seconds or marked or self._held(kind, old)):
            return old
        when = timestamp(self.time() + timedelta(seconds=seconds))
        mark = {"deletionTimestamp": when, "deletionGracePeriodSeconds": seconds}
        new = {**old, "metadata": old["metadata"] | mark}
        if kind is NAMESPACE:
            new["status"] = {"phase": "Terminating"}
        if kind.generation:
            new["metadata"]["generation"] = meta(old).get("generation", 0) + 1
        self._put("MODIFIED", kind, old, new)
        return new

    def _held(self, kind: Kind, obj: Obj) -> bool:
        """Whether finalizers, or what lives in a namespace, keep an object from going."""
        if meta(obj).get("finalizers") or grace.stopping(obj):
            return True
        return kind is NAMESPACE and next(self._inside(name_of(obj)), None) is not None

    def _inside(self, namespace: str) -> Iterator[tuple[Kind, Key]]:
        for kind, objects in self._objects.items():
            yield from ((kind, key) for key in list(objects) if key[0] == namespace)

    def _empty(self, namespace: str) -> None:
        for kind, key in list(self._inside(namespace)):
            if key in self._objects[kind]:
                self.delete(kind, *key)

    def _finished(self, kind: Kind, obj: Obj, *, dry_run: bool) -> Obj:
        """Let an object go whose deletion waited for the finalizers that are gone now."""
        marked = meta(obj).get("deletionTimestamp")
        stored = self.peek(kind, namespace_of(obj), name_of(obj))
        if marked and stored is not None and not dry_run and not self._held(kind, obj):
            return self._remove(kind, stored)
        return clone(obj)

    def _remove(self, kind: Kind, old: Obj, *, orphan: bool = False) -> Obj:
        gone = {**old, "metadata": {**old["metadata"]}}
        removed = self._put("DELETED", kind, old, gone)
        for owned_kind, key in self._dependents.take(meta(old)["uid"]):
            self._lose_owner(owned_kind, key, meta(old)["uid"], orphan=orphan)
        self._finish_namespace(namespace_of(old))
        return removed

    def _lose_owner(self, kind: Kind, key: Key, uid: str, *, orphan: bool) -> None:
        owned = self.get(kind, *key)
        if owned is None:
            return
        others = [owner for owner in meta(owned).get("ownerReferences", []) if owner["uid"] != uid]
        if others or orphan:
            owned["metadata"]["ownerReferences"] = others
            self.update(kind, owned)
        else:
            self.delete(kind, *key)

    def _finish_namespace(self, namespace: str) -> None:
        home = self.peek(NAMESPACE, None, namespace) if namespace else None
        if home and meta(home).get("deletionTimestamp") and not self._held(NAMESPACE, home):
            self._remove(NAMESPACE, home)
