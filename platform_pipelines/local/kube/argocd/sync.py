"""One sync: apply what git has, prune what it has no more, and tell about each object."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from platform_pipelines.local.kube.argocd import projects
from platform_pipelines.local.kube.argocd.compare import MANAGER, Resource
from platform_pipelines.local.kube.faults import KubeFault
from platform_pipelines.local.kube.kinds import NAMESPACE
from platform_pipelines.local.kube.store import Store

Object = dict[str, Any]

# What must be there before the rest, in this order; kinds that are not named come last.
FIRST = (
    "Namespace",
    "NetworkPolicy",
    "ServiceAccount",
    "Secret",
    "ConfigMap",
    "StorageClass",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "CustomResourceDefinition",
    "ClusterRole",
    "ClusterRoleBinding",
    "Role",
    "RoleBinding",
    "Service",
    "DaemonSet",
    "Pod",
    "ReplicaSet",
    "Deployment",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a sync."""

    results: list[Object]  # `syncResult.resources`

    @property
    def failed(self) -> bool:
        return any(one["status"] in ("SyncFailed", "PruneFailed") for one in self.results)

    @property
    def message(self) -> str:
        """As `operationState.message` says it."""
        if not self.failed:
            return "successfully synced (all tasks run)"
        reasons = [one["message"] for one in self.results if one["status"].endswith("Failed")]
        return f"one or more objects failed to apply, reason: {'; '.join(reasons)}"


def sync(
    store: Store, application: Object, project: Object, found: Iterable[Resource], *, prune: bool
) -> Outcome:
    """Apply and prune; an object that fails does not stop the others."""
    resources = sorted(found, key=lambda one: (one.target is None, one.wave, _rank(one.kind_name)))
    results = []
    for resource in resources:
        if resource.target is not None:
            results.append(_apply(store, application, project, resource))
        elif prune:
            results.append(_prune(store, resource))
        else:
            results.append(_told(resource, "PruneSkipped", "ignored (requires pruning)"))
    return Outcome(results=results)


def _rank(kind: str) -> int:
    return FIRST.index(kind) if kind in FIRST else len(FIRST)


def _apply(store: Store, application: Object, project: Object, resource: Resource) -> Object:
    if resource.kind is None or resource.target is None:
        text = f"The Kubernetes API could not find {resource.group}/{resource.kind_name}"
        return _told(resource, "SyncFailed", text)
    if not projects.permits(project, resource.kind):
        text = (
            f"resource {resource.group}:{resource.kind_name} is not permitted in project "
            f"{application['spec']['project']}"
        )
        return _told(resource, "SyncFailed", text)
    try:
        _make_namespace(store, application, resource)
        store.apply(resource.target, MANAGER)
    except KubeFault as fault:
        return _told(resource, "SyncFailed", fault.message)
    label = f"{resource.kind.singular}{'.' if resource.group else ''}{resource.group}"
    return _told(resource, "Synced", f"{label}/{resource.name} serverside-applied")


def _make_namespace(store: Store, application: Object, resource: Resource) -> None:
    options = (application["spec"].get("syncPolicy") or {}).get("syncOptions") or []
    if "CreateNamespace=true" not in options or not resource.namespace:
        return
    if store.peek(NAMESPACE, None, resource.namespace) is None:
        store.create(NAMESPACE, {"metadata": {"name": resource.namespace}})


def _prune(store: Store, resource: Resource) -> Object:
    if resource.kind is None:
        return _told(resource, "PruneFailed", "unknown kind")
    try:
        store.delete(resource.kind, resource.namespace or None, resource.name)
    except KubeFault as fault:
        return _told(resource, "PruneFailed", fault.message)
    return _told(resource, "Pruned", "pruned")


def _told(resource: Resource, status: str, message: str) -> Object:
    phase = "Failed" if status.endswith("Failed") else "Running"
    said = {"status": status, "message": message, "hookPhase": phase, "syncPhase": "Sync"}
    required = {"group": "", "version": "v1", "namespace": ""}
    return required | resource.reference() | said
