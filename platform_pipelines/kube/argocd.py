"""Argo CD's Applications of one cluster, as records that parity can be judged from.

Only `status.sync` says which commit is compared; `operationState.syncResult` names the last commit
that changed something, and differs normally. The metrics carry no revision at all.
https://argo-cd.readthedocs.io/en/stable/operator-manual/declarative-setup/#applications
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from platform_pipelines.kube.cluster import Cluster

APPLICATIONS = "/apis/argoproj.io/v1alpha1/applications"
SKIP_RECONCILE = "argocd.argoproj.io/skip-reconcile"

Object = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where an Application's manifests come from."""

    repository: str
    path: str
    chart: str
    target: str  # a branch, a tag, a commit, or a chart's version
    ref: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployed:
    """A commit that an Application once rolled out."""

    revisions: tuple[str, ...]
    at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationState:
    """One Application: what it wants, what it compared, and how it is."""

    namespace: str
    name: str
    destination: str  # namespace that it deploys to
    sources: tuple[Source, ...]
    compared: tuple[Source, ...]  # `status.sync.comparedTo`
    sync: str  # Synced, OutOfSync, Unknown; empty before the first comparison
    revisions: tuple[str, ...]  # position by position as `sources`; empty when unknown
    health: str
    health_message: str
    reconciled: datetime | None
    phase: str  # of the last operation; empty when there was none
    phase_message: str
    errors: tuple[str, ...]  # `<condition>: <message>`
    images: tuple[str, ...]
    workloads: tuple[str, ...]  # `<kind>/<name>` of what it manages in `destination`
    history: tuple[Deployed, ...]  # oldest first
    notes: tuple[str, ...]  # on purpose, so no drift: auto-sync off, reconciliation skipped


def applications(cluster: Cluster) -> list[ApplicationState]:
    """Every Application of the cluster. Raises: KubeError."""
    return [parse(item) for item in cluster.list(APPLICATIONS)]


def parse(item: Object) -> ApplicationState:
    """The record of an Application resource; absent fields are empty, never invented."""
    metadata, spec, status = (item.get(key) or {} for key in ("metadata", "spec", "status"))
    sync, health = status.get("sync") or {}, status.get("health") or {}
    operation = status.get("operationState") or {}
    destination = (spec.get("destination") or {}).get("namespace", "")
    return ApplicationState(
        namespace=metadata.get("namespace", ""),
        name=metadata.get("name", ""),
        destination=destination,
        sources=_sources(spec),
        compared=_sources(sync.get("comparedTo") or {}),
        sync=sync.get("status", ""),
        revisions=_revisions(sync),
        health=health.get("status", ""),
        health_message=health.get("message", ""),
        reconciled=_time(status.get("reconciledAt")),
        phase=operation.get("phase", ""),
        phase_message=operation.get("message", ""),
        errors=_errors(status),
        images=tuple((status.get("summary") or {}).get("images") or ()),
        workloads=_workloads(status, destination),
        history=_history(status),
        notes=_notes(metadata, spec),
    )


def _sources(holder: Object) -> tuple[Source, ...]:
    found = holder.get("sources") or ([holder["source"]] if holder.get("source") else [])
    return tuple(
        Source(
            repository=one.get("repoURL", ""),
            path=one.get("path", ""),
            chart=one.get("chart", ""),
            target=str(one.get("targetRevision", "")),
            ref=one.get("ref", ""),
        )
        for one in found
    )


def _revisions(holder: Object) -> tuple[str, ...]:
    found = holder.get("revisions") or ([holder["revision"]] if holder.get("revision") else [])
    return tuple(str(one) for one in found)


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _errors(status: Object) -> tuple[str, ...]:
    found = status.get("conditions") or []
    return tuple(
        f"{one['type']}: {one.get('message', '')}"
        for one in found
        if str(one.get("type", "")).endswith("Error")
    )


def _workloads(status: Object, destination: str) -> tuple[str, ...]:
    return tuple(
        f"{one.get('kind')}/{one.get('name')}"
        for one in status.get("resources") or []
        if one.get("namespace", destination) == destination
    )


def _history(status: Object) -> tuple[Deployed, ...]:
    return tuple(
        Deployed(revisions=_revisions(one), at=_time(one.get("deployedAt")))
        for one in status.get("history") or []
    )


def _notes(metadata: Object, spec: Object) -> tuple[str, ...]:
    notes = []
    if not (spec.get("syncPolicy") or {}).get("automated"):
        notes.append("auto-sync is off")
    if (metadata.get("annotations") or {}).get(SKIP_RECONCILE) == "true":
        notes.append("reconciliation is skipped by annotation")
    return tuple(notes)
