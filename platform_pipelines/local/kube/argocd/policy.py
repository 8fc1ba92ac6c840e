"""Whether an Application is due for a sync: asked for by somebody, automated, or self-healing.

https://argo-cd.readthedocs.io/en/stable/user-guide/auto_sync/#automated-sync-semantics
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from platform_pipelines.local.kube.argocd.compare import Resource
from platform_pipelines.local.kube.objects import parse_timestamp

Object = dict[str, Any]

SKIP = "argocd.argoproj.io/skip-reconcile"
_YES = ("1", "t", "T", "TRUE", "true", "True")  # as Go reads a truth value
HEAL_AFTER = 5.0  # seconds between the end of a sync and self-heal


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """A sync is due, but not yet."""

    seconds: float


def is_skipped(application: Object) -> bool:
    """Whether the Application asks to be left alone: no refresh, no sync, no status, no deletion of
    what it owns. https://argo-cd.readthedocs.io/en/stable/user-guide/skip_reconcile/"""
    return (application["metadata"].get("annotations") or {}).get(SKIP) in _YES


def has_expired(application: Object, now: float, rhythm: float) -> bool:
    """Whether the last refresh is longer ago than a poll takes to come."""
    told = (application.get("status") or {}).get("reconciledAt")
    return told is not None and now - parse_timestamp(told).timestamp() >= rhythm


def due_sync(
    application: Object, found: Sequence[Resource], revision: str, now: float, *, refreshed: bool
) -> Object | Wait | None:
    """The operation to run now, how long to wait for it, or None. `refreshed`: git was read anew."""
    if "operation" in application:
        asked: Object = application["operation"]
        return asked
    policy = (application["spec"].get("syncPolicy") or {}).get("automated")
    if policy is None or policy.get("enabled") is False or _nothing_to_do(found, policy):
        return None
    state = (application.get("status") or {}).get("operationState") or {}
    if (state.get("syncResult") or {}).get("revision") == revision:
        rest = _rest(state, policy, now, refreshed=refreshed)
        if rest is None or rest > 0:
            return None if rest is None else Wait(seconds=rest)
    prune = {"prune": True} if policy.get("prune") else {}
    return {"initiatedBy": {"automated": True}, "sync": prune | {"revision": revision}}


def _nothing_to_do(found: Sequence[Resource], policy: Object) -> bool:
    return all(one.synced or (one.target is None and not policy.get("prune")) for one in found)


def _rest(state: Object, policy: Object, now: float, *, refreshed: bool) -> float | None:
    """Seconds until a revision may be synced to once more: what failed waits for a refresh, drift
    for a pause. None: not at all for now."""
    if state["phase"] == "Failed":
        return 0 if refreshed else None
    if not policy.get("selfHeal"):
        return None
    return parse_timestamp(state["finishedAt"]).timestamp() + HEAL_AFTER - now
