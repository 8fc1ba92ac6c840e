"""The status that an Argo CD writes on an Application.

Shapes and words are those of Argo CD 3.5; the CRD has no status subresource.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from platform_pipelines.local.kube.argocd.compare import Resource
from platform_pipelines.local.kube.argocd.health import Health, of_resource
from platform_pipelines.local.kube.argocd.sync import Outcome
from platform_pipelines.local.kube.kinds import POD, REPLICA_SET
from platform_pipelines.local.kube.store import Store

Object = dict[str, Any]

HISTORY = 10  # syncs that are remembered, unless the Application says otherwise
SYNCED, OUT_OF_SYNC, UNKNOWN = "Synced", "OutOfSync", "Unknown"


def compared_to(application: Object) -> Object:
    """What of the spec was compared."""
    spec = application["spec"]
    keys = ("source", "sources", "destination", "ignoreDifferences")
    return {key: spec[key] for key in keys if key in spec}


def sync_part(application: Object, resources: list[Resource], revision: str) -> Object:
    """`status.sync` after a comparison that worked."""
    synced = all(one.synced for one in resources)
    return {
        "status": SYNCED if synced else OUT_OF_SYNC,
        "revision": revision,
        "comparedTo": compared_to(application),
    }


def resource_part(resources: Iterable[Resource]) -> list[Object]:
    """`status.resources`."""
    told = []
    for one in resources:
        entry = one.reference() | {"status": SYNCED if one.synced else OUT_OF_SYNC}
        if one.target is None:
            entry["requiresPruning"] = True
        if one.wave:
            entry["syncWave"] = one.wave
        told.append(entry)
    return told


def health_part(before: Object, health: Health, now: str) -> Object:
    """`status.health`; its time moves with the status only."""
    moved = before.get("status") != health.status
    since = now if moved else before.get("lastTransitionTime", now)
    told = {"status": health.status, "lastTransitionTime": since}
    return told | ({"message": health.message} if health.message else {})


def healths(resources: Iterable[Resource]) -> list[Health]:
    """The health of all that git wants; what waits to be pruned does not count."""
    return [of_resource(one.live) for one in resources if one.target is not None]


def conditions_part(before: Iterable[Object], told: dict[str, str], now: str) -> list[Object]:
    """`status.conditions` of these messages by type; one that says the same keeps its time."""
    times = {(one["type"], one["message"]): one.get("lastTransitionTime", now) for one in before}
    return [
        {"type": kind, "message": message, "lastTransitionTime": times.get((kind, message), now)}
        for kind, message in told.items()
    ]


def summary_part(store: Store, resources: list[Resource]) -> Object:
    """`status.summary`: the images of the pods, and the addresses of the Ingresses."""
    images = sorted(set(_images(store, resources)))
    urls = [
        f"http://{rule['host']}/"
        for one in resources
        if one.kind_name == "Ingress" and one.live is not None
        for rule in one.live["spec"].get("rules") or []
        if rule.get("host")
    ]
    return ({"externalURLs": urls} if urls else {}) | ({"images": images} if images else {})


def _images(store: Store, resources: list[Resource]) -> Iterator[str]:
    owners = {one.live["metadata"]["uid"] for one in resources if one.live is not None}
    spaces = {one.namespace for one in resources if one.namespace}
    for space in spaces:
        sets = {
            one["metadata"]["uid"]
            for one in store.peek_all(REPLICA_SET, space)
            if owners & set(_owners(one))
        }
        for pod in store.peek_all(POD, space):
            if (owners | sets) & set(_owners(pod)):
                for group in ("initContainers", "containers"):
                    yield from (one["image"] for one in pod["spec"].get(group) or [])


def _owners(obj: Object) -> Iterator[str]:
    yield from (one["uid"] for one in obj["metadata"].get("ownerReferences") or [])


def operation_part(
    application: Object, operation: Object, outcome: Outcome, revision: str, started: str, now: str
) -> Object:
    """`status.operationState` of a sync that has ended."""
    return {
        "operation": operation,
        "phase": "Failed" if outcome.failed else "Succeeded",
        "message": outcome.message,
        "startedAt": started,
        "finishedAt": now,
        "syncResult": {
            "revision": revision,
            "source": application["spec"]["source"],
            "resources": outcome.results,
        },
    }


def operation_error(operation: Object, message: str, now: str) -> Object:
    """`status.operationState` of a sync that could not begin."""
    return {
        "operation": operation,
        "phase": "Error",
        "message": message,
        "startedAt": now,
        "finishedAt": now,
    }


def history_part(application: Object, state: Object) -> list[Object]:
    """`status.history` with a sync that succeeded."""
    history = (application.get("status") or {}).get("history") or []
    entry = {
        "id": history[-1]["id"] + 1 if history else 0,
        "revision": state["syncResult"]["revision"],
        "deployStartedAt": state["startedAt"],
        "deployedAt": state["finishedAt"],
        "initiatedBy": state["operation"].get("initiatedBy") or {},
        "source": state["syncResult"]["source"],
    }
    kept = int(application["spec"].get("revisionHistoryLimit", HISTORY))
    return [*history, entry][-kept:] if kept else []
