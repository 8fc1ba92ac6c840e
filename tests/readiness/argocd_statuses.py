"""Applications as Argo CD reports them, in the shapes that public issues and release notes show.

Values are made up; the moment is 2026-11-22T14:00:30Z. Each is a resource as the API sends it.
"""

from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

Json = dict[str, Any]

NOW = datetime(2026, 11, 22, 14, 0, 30, tzinfo=UTC)
NEW = "c91dc91dc91dc91dc91dc91dc91dc91dc91dc91d"
OLD = "7e427e427e427e427e427e427e427e427e427e42"
ROLLED_OUT = "a3f0a3f0a3f0a3f0a3f0a3f0a3f0a3f0a3f0a3f0"  # the last commit that changed anything
GIT = "https://git.example/platform.git"
SERVER = "https://kubernetes.default.svc"


def source(alias: str) -> Json:
    """The overlay of a Region."""
    return {"repoURL": GIT, "path": f"apps/web/overlays/{alias}", "targetRevision": "main"}


def _application(name: str, spec: Json, status: Json) -> Json:
    return {"metadata": {"name": name, "namespace": "argocd"}, "spec": spec, "status": status}


def primary() -> Json:
    """Single source, kustomize overlay, auto-sync: what the active Region shows."""
    destination = {"server": SERVER, "namespace": "web"}
    rolled_out: Json = {"revision": ROLLED_OUT, "source": source("seoul")}
    return _application(
        "web",
        {
            "project": "default",
            "destination": destination,
            "source": source("seoul"),
            "syncPolicy": {"automated": {"prune": True, "selfHeal": True}},
        },
        {
            "reconciledAt": "2026-11-22T14:00:10Z",
            "controllerNamespace": "argocd",
            "sourceType": "Kustomize",
            "resourceHealthSource": "appTree",
            "health": {"status": "Healthy", "lastTransitionTime": "2026-11-22T13:10:00Z"},
            "sync": {
                "status": "Synced",
                "revision": NEW,
                "comparedTo": {"destination": destination, "source": source("seoul")},
            },
            "summary": {
                "images": ["111122223333.dkr.ecr.ap-northeast-2.amazonaws.com/web:1.4.2"],
                "externalURLs": ["https://www.example.com"],
            },
            "resources": [
                {
                    "group": "apps",
                    "version": "v1",
                    "kind": "Deployment",
                    "namespace": "web",
                    "name": "web",
                    "status": "Synced",
                }
            ],
            "operationState": {
                "phase": "Succeeded",
                "message": "successfully synced (all tasks run)",
                "startedAt": "2026-11-22T13:09:02Z",
                "finishedAt": "2026-11-22T13:09:05Z",
                "operation": {"sync": {"prune": True, "revision": ROLLED_OUT}},
                "syncResult": rolled_out,
            },
            "history": [{"id": 7, "deployedAt": "2026-11-22T13:09:05Z", **rolled_out}],
        },
    )


def synced_degraded() -> Json:
    """A standby whose node groups are at 0 for longer than the progress deadline."""
    return _application(
        "web",
        {
            "project": "default",
            "destination": {"server": SERVER, "namespace": "web"},
            "source": source("tokyo"),
        },
        {
            "reconciledAt": "2026-11-22T13:59:41Z",
            "sourceType": "Kustomize",
            "resourceHealthSource": "appTree",
            "health": {
                "status": "Degraded",
                "message": 'Deployment "web" exceeded its progress deadline',
                "lastTransitionTime": "2026-11-20T00:10:00Z",
            },
            "sync": {
                "status": "Synced",
                "revision": NEW,
                "comparedTo": {
                    "destination": {"server": SERVER, "namespace": "web"},
                    "source": source("tokyo"),
                },
            },
            "summary": {"images": ["111122223333.dkr.ecr.ap-northeast-1.amazonaws.com/web:1.4.2"]},
        },
    )


def standby_behind() -> Json:
    """Its controller has not looked at Git for forty minutes: Synced, to an old commit."""
    return _application(
        "web",
        {"project": "default", "destination": {"namespace": "web"}, "source": source("tokyo")},
        {
            "reconciledAt": "2026-11-22T13:20:00Z",
            "sourceType": "Kustomize",
            "health": {"status": "Healthy"},
            "sync": {
                "status": "Synced",
                "revision": OLD,
                "comparedTo": {"destination": {"namespace": "web"}, "source": source("tokyo")},
            },
        },
    )


def comparison_error() -> Json:
    """Its repo server cannot reach Git: sync Unknown, no revision."""
    return _application(
        "web",
        {"project": "default", "destination": {"namespace": "web"}, "source": source("tokyo")},
        {
            "reconciledAt": "2026-11-22T13:20:00Z",
            "conditions": [
                {
                    "type": "ComparisonError",
                    "message": "Failed to load target state: failed to generate manifest for "
                    "source 1 of 1: rpc error: code = Unavailable",
                    "lastTransitionTime": "2026-11-22T13:20:00Z",
                }
            ],
            "health": {"status": "Healthy"},
            "sync": {"status": "Unknown", "comparedTo": {"destination": {"namespace": "web"}}},
        },
    )


def _chart(alias: str) -> Json:
    sources: list[Json] = [
        {
            "repoURL": "https://aws.github.io/eks-charts",
            "chart": "aws-load-balancer-controller",
            "targetRevision": "3.5.0",
            "helm": {"valueFiles": [f"$values/addons/lbc/{alias}.yaml"]},
        },
        {"repoURL": GIT, "targetRevision": "main", "ref": "values"},
    ]
    destination = {"namespace": "kube-system"}
    return _application(
        "aws-load-balancer-controller",
        {"project": "default", "destination": destination, "sources": sources},
        {
            "reconciledAt": "2026-11-22T13:59:41Z",
            "sourceTypes": ["Helm", "Directory"],
            "health": {"status": "Healthy"},
            "sync": {
                "status": "Synced",
                "revisions": ["3.5.0", NEW],
                "comparedTo": {"destination": destination, "sources": sources},
            },
            "operationState": {"phase": "Succeeded"},
        },
    )


def chart_in_sync() -> Json:
    """Several sources: revisions position by position, a chart's is its version."""
    return _chart("seoul")


def multi_source_helm() -> Json:
    """The same chart, whose last sync failed."""
    application = _chart("tokyo")
    status = application["status"]
    status["sync"]["status"] = "OutOfSync"
    status["operationState"] = {
        "phase": "Failed",
        "message": "one or more objects failed to apply",
        "startedAt": "2026-11-22T13:59:00Z",
        "finishedAt": "2026-11-22T13:59:30Z",
        "retryCount": 2,
        "operation": {"sync": {}},
        "syncResult": {
            "revision": "",
            "revisions": ["3.5.0", NEW],
            "resources": [
                {
                    "group": "apps",
                    "version": "v1",
                    "kind": "Deployment",
                    "namespace": "kube-system",
                    "name": "aws-load-balancer-controller",
                    "status": "SyncFailed",
                    "message": "forbidden",
                    "syncPhase": "Sync",
                }
            ],
        },
    }
    return application


def standby() -> Json:
    """The primary's twin in Tokyo, in perfect parity."""
    application = deepcopy(primary())
    application["spec"]["source"] = source("tokyo")
    application["status"]["sync"]["comparedTo"]["source"] = source("tokyo")
    application["status"]["summary"]["images"] = [
        "111122223333.dkr.ecr.ap-northeast-1.amazonaws.com/web:1.4.2"
    ]
    return application
