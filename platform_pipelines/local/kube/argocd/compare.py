"""An Application's target objects against the live ones: what is Synced, OutOfSync, or too much.

The difference is the server's: a dry run of the server-side apply that a sync would do. So defaults
and fields of other managers are no difference, and a field that left git is one.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from platform_pipelines.local.kube import kinds
from platform_pipelines.local.kube.faults import KubeFault
from platform_pipelines.local.kube.kinds import KINDS, Kind
from platform_pipelines.local.kube.objects import clone
from platform_pipelines.local.kube.store import Store

Object = dict[str, Any]

MANAGER = "argocd-controller"
TRACKING = "argocd.argoproj.io/tracking-id"
_BOOKKEEPING = ("managedFields", "resourceVersion", "generation")


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """One object that an Application has, should have, or should have no more."""

    kind: Kind | None  # None: the cluster does not know it
    group: str
    version: str
    kind_name: str
    namespace: str
    name: str
    target: Object | None  # None: not in git any more
    live: Object | None
    synced: bool
    wave: int = 0

    def reference(self) -> Object:
        """How a status names it; what is empty is left out."""
        told = {
            "group": self.group,
            "version": self.version,
            "kind": self.kind_name,
            "namespace": self.namespace,
            "name": self.name,
        }
        return {key: value for key, value in told.items() if value}


def compared(store: Store, application: Object, objects: tuple[Object, ...]) -> list[Resource]:
    """Every resource of the Application, those to be pruned last."""
    targets = [_target(store, application, one) for one in objects]
    known = {(one.kind, one.namespace, one.name) for one in targets}
    return targets + [
        one
        for one in tracked(store, application)
        if (one.kind, one.namespace, one.name) not in known
    ]


def tracked(store: Store, application: Object) -> Iterator[Resource]:
    """What is live and carries the Application's tracking id."""
    for kind in KINDS:
        for live in store.peek_all(kind):
            told = (live["metadata"].get("annotations") or {}).get(TRACKING, "")
            if told == _tracking(application, kind, live):
                yield Resource(
                    kind=kind,
                    group=kind.group,
                    version=kind.version,
                    kind_name=kind.kind,
                    namespace=live["metadata"].get("namespace", ""),
                    name=live["metadata"]["name"],
                    target=None,
                    live=live,
                    synced=False,
                )


def _target(store: Store, application: Object, rendered: Object) -> Resource:
    group, _, version = rendered["apiVersion"].rpartition("/")
    kind = kinds.by_kind(rendered["apiVersion"], rendered["kind"])
    target = clone(rendered)
    metadata = target["metadata"]
    if kind is not None and kind.namespaced:
        metadata.setdefault("namespace", application["spec"]["destination"].get("namespace", ""))
    live = None
    if kind is not None:
        live = store.peek(kind, metadata.get("namespace"), metadata["name"])
        identity = _tracking(application, kind, target)
        metadata["annotations"] = (metadata.get("annotations") or {}) | {TRACKING: identity}
    pointers = _ignored(application, group, rendered["kind"], metadata)
    return Resource(
        kind=kind,
        group=group,
        version=version,
        kind_name=rendered["kind"],
        namespace=metadata.get("namespace", "") if kind is None or kind.namespaced else "",
        name=metadata["name"],
        target=_respected(application, target, live, pointers),
        live=live,
        synced=live is not None and _same(store, target, live, pointers),
        wave=_wave(metadata),
    )


def _wave(metadata: Object) -> int:
    """The sync wave; a text that is no number counts as none."""
    text = str((metadata.get("annotations") or {}).get("argocd.argoproj.io/sync-wave", "0"))
    return int(text) if text.removeprefix("-").isdecimal() else 0


def _tracking(application: Object, kind: Kind, obj: Object) -> str:
    metadata = obj["metadata"]
    space = metadata.get("namespace") or application["spec"]["destination"].get("namespace", "")
    name = application["metadata"]["name"]
    return f"{name}:{kind.group}/{kind.kind}:{space}/{metadata['name']}"


def _same(store: Store, target: Object, live: Object, pointers: list[str]) -> bool:
    try:
        after = store.apply(target, MANAGER, dry_run=True)
    except KubeFault:  # the sync will tell why
        return False
    return _without(after, pointers) == _without(live, pointers)


def _without(obj: Object, pointers: list[str]) -> Object:
    left: Object = clone(obj)
    for key in _BOOKKEEPING:
        left["metadata"].pop(key, None)
    for pointer in pointers:
        _drop(left, pointer)
    return left


def _ignored(application: Object, group: str, kind: str, metadata: Object) -> list[str]:
    """The JSON pointers of `ignoreDifferences` that are for this object."""
    return [
        pointer
        for rule in application["spec"].get("ignoreDifferences") or []
        if rule["kind"] in ("*", kind)
        and rule.get("group", "") in ("*", group)
        and rule.get("name", metadata["name"]) == metadata["name"]
        and rule.get("namespace", metadata.get("namespace")) == metadata.get("namespace")
        for pointer in rule.get("jsonPointers") or []
    ]


def _respected(
    application: Object, target: Object, live: Object | None, pointers: list[str]
) -> Object:
    """What a sync applies: the live values of the ignored fields, if the Application says to respect
    them. Leaving a field out would take it back from the server-side apply that set it."""
    options = (application["spec"].get("syncPolicy") or {}).get("syncOptions") or []
    if live is None or "RespectIgnoreDifferences=true" not in options:
        return target
    applied: Object = clone(target)
    for pointer in pointers:
        _copy(live, applied, pointer)
    return applied


def _copy(live: Object, target: Object, pointer: str) -> None:
    """Make a field of the target what it is in the live object, absent if it is absent there."""
    *path, last = _parts(pointer)
    found, where = _inside(live, path), _inside(target, path)
    if where is None:
        return
    where.pop(last, None)
    if found is not None and last in found:
        where[last] = clone(found[last])


def _parts(pointer: str) -> list[str]:
    return [part.replace("~1", "/").replace("~0", "~") for part in pointer.strip("/").split("/")]


def _inside(obj: Object, path: list[str]) -> Object | None:
    where: Any = obj
    for part in path:
        if not isinstance(where, dict) or part not in where:
            return None
        where = where[part]
    return where if isinstance(where, dict) else None


def _drop(obj: Object, pointer: str) -> None:
    *path, last = _parts(pointer)
    where = _inside(obj, path)
    if where is not None:
        where.pop(last, None)
