"""What the API itself decides of an object's metadata, on every way into the store."""

import secrets
from typing import Any

from platform_pipelines.local.kube import defaults
from platform_pipelines.local.kube.kinds import Kind
from platform_pipelines.local.kube.objects import Key, Obj, meta

_KEPT = (
    *("name", "namespace", "uid", "creationTimestamp", "generation"),
    *("deletionTimestamp", "deletionGracePeriodSeconds"),
)
_SUFFIX = "bcdfghjklmnpqrstvwxz2456789"


def identified(kind: Kind, obj: Obj) -> Obj:
    """An object with its kind, its namespace, and a name if it only has the beginning of one."""
    new: Obj = {"apiVersion": kind.api_version, "kind": kind.kind} | obj
    metadata: dict[str, Any] = new.setdefault("metadata", {})
    if kind.namespaced:
        metadata.setdefault("namespace", "default")
    else:
        metadata.pop("namespace", None)
    if not metadata.get("name"):
        suffix = "".join(secrets.choice(_SUFFIX) for _ in range(5))
        metadata["name"] = metadata.get("generateName", "") + suffix
    return new


def stated(kind: Kind, config: Obj, subresource: str) -> Obj:
    """What an apply to this (sub)resource may state."""
    if subresource == "status":
        metadata = {key: meta(config)[key] for key in ("name", "namespace") if key in meta(config)}
        return {"metadata": metadata, "status": config.get("status", {})}
    return {key: value for key, value in config.items() if key != "status" or not kind.status}


def owners(obj: Obj | None) -> list[str]:
    """The uids of those that own an object."""
    return [owner["uid"] for owner in meta(obj or {}).get("ownerReferences") or []]


def carry_over(kind: Kind, old: Obj, new: Obj) -> None:
    """Keep what no write may change."""
    new |= {"apiVersion": kind.api_version, "kind": kind.kind}
    for name in _KEPT:
        if name in meta(old):
            new["metadata"][name] = meta(old)[name]
        else:
            new["metadata"].pop(name, None)
    for owner in ("labels", "annotations", "finalizers", "ownerReferences", "managedFields"):
        if not new["metadata"].get(owner, True):
            del new["metadata"][owner]
    defaults.retain(kind, old, new)


class Dependents:
    """Who is owned by whom, so that what an object owns goes with it."""

    def __init__(self) -> None:
        self._of: dict[str, set[tuple[Kind, Key]]] = {}  # by the owner's uid

    def changed(self, kind: Kind, key: Key, old: Obj | None, new: Obj | None) -> None:
        """Follow an object's change; None is an object that is not there."""
        for uid in owners(old):
            left = self._of.get(uid, set())
            left.discard((kind, key))
            if not left:
                self._of.pop(uid, None)
        for uid in owners(new):
            self._of.setdefault(uid, set()).add((kind, key))

    def of(self, uid: str) -> list[tuple[Kind, Key]]:
        """What an owner has, in a stable order."""
        return sorted(self._of.get(uid, ()), key=lambda item: (item[0].kind, item[1]))

    def take(self, uid: str) -> list[tuple[Kind, Key]]:
        """What an owner that is gone has left, in a stable order."""
        left = self.of(uid)
        self._of.pop(uid, None)
        return left
