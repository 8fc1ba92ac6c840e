"""One thing that happened to an object, as its event tells it, and how rules see that it did."""

from dataclasses import dataclass
from typing import Any

from platform_pipelines.local.kube import kinds
from platform_pipelines.local.kube.objects import Obj, meta
from platform_pipelines.local.kube.store import Store

KUBELET = "kubelet"
NODE_CONTROLLER = "node-controller"


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """What is told, of what, by whom."""

    about: Obj
    component: str  # who tells it: kubelet, default-scheduler, deployment-controller, …
    reason: str  # as scripts compare it: Scheduled, FailedScheduling, …
    message: str
    warning: bool = False
    host: str = ""  # the node, if a kubelet tells it
    field: str = ""  # the part of the object that it is about, as spec.containers{main}


def conditions(obj: Obj | None) -> dict[str, Obj]:
    """The conditions of an object's status, by type."""
    return {one["type"]: one for one in status(obj).get("conditions") or []}


def status(obj: Obj | None) -> dict[str, Any]:
    """An object's status; empty if it has none."""
    return (obj or {}).get("status") or {}


def state_of(obj: Obj | None, kind: str) -> str:
    """The status of a condition: True, False, Unknown, or "" for none."""
    return str(conditions(obj).get(kind, {}).get("status", ""))


def owner(store: Store, obj: Obj) -> Obj | None:
    """The object that controls this one, if it is still there."""
    for reference in meta(obj).get("ownerReferences") or []:
        kind = kinds.by_kind(reference["apiVersion"], reference["kind"])
        if reference.get("controller") and kind is not None:
            return store.peek(kind, meta(obj).get("namespace"), reference["name"])
    return None
