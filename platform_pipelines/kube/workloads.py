"""What runs in a cluster: pod templates, Deployments, nodes and pods, as small frozen records.

Objects are read as plain JSON, because the official client's models refuse what they do not know.
Used by readiness (parity, standby health) and by failover (fence, nodes Ready, pods Ready).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from platform_pipelines.kube.cluster import Cluster

ROLE_LABEL = "role"
NODE_GROUP_LABEL = "eks.amazonaws.com/nodegroup"
ZONE_LABEL = "topology.kubernetes.io/zone"
# What makes pods: path of the collection, kind, and the way to the pod template.
TEMPLATES: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("/apis/apps/v1/deployments", "Deployment", ("spec", "template")),
    ("/apis/apps/v1/daemonsets", "DaemonSet", ("spec", "template")),
    ("/apis/apps/v1/statefulsets", "StatefulSet", ("spec", "template")),
    ("/apis/batch/v1/jobs", "Job", ("spec", "template")),
    ("/apis/batch/v1/cronjobs", "CronJob", ("spec", "jobTemplate", "spec", "template")),
)

Object = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One line of an object's status."""

    type: str
    status: str  # True, False or Unknown
    reason: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentState:
    """A Deployment and how far it is."""

    namespace: str
    name: str
    replicas: int  # wanted
    ready: int
    images: tuple[str, ...]
    node_group: str | None  # from the pod template's nodeSelector
    conditions: tuple[Condition, ...]

    @property
    def is_ready(self) -> bool:
        """Whether every wanted pod is ready."""
        return self.ready >= self.replicas


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeState:
    """A node of the cluster."""

    name: str
    node_group: str | None
    ready: bool
    zone: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PodState:
    """A pod, and why it does not run if it does not."""

    namespace: str
    name: str
    owner: str | None  # `<kind>/<name>`; the Deployment, where a ReplicaSet owns the pod
    node_group: str | None
    node: str | None
    phase: str
    ready: bool
    unschedulable: bool  # no node takes it: the expected state of a standby without nodes


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateState:
    """The pod template of anything that may start a pod on a new node."""

    namespace: str
    kind: str
    name: str
    images: tuple[str, ...]  # of containers and init containers

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}"


def deployments(cluster: Cluster) -> list[DeploymentState]:
    """Every Deployment. Raises: KubeError."""
    return [_deployment(item) for item in cluster.list("/apis/apps/v1/deployments")]


def nodes(cluster: Cluster) -> list[NodeState]:
    """Every node. Raises: KubeError."""
    return [_node(item) for item in cluster.list("/api/v1/nodes")]


def pods(cluster: Cluster) -> list[PodState]:
    """Every pod that has not ended. Raises: KubeError."""
    found = (_pod(item) for item in cluster.list("/api/v1/pods"))
    return [pod for pod in found if pod.phase not in ("Succeeded", "Failed")]


def templates(cluster: Cluster) -> list[TemplateState]:
    """Every pod template that can land on a node from now on; Jobs that have ended cannot.
    Raises: KubeError."""
    return [
        _template(item, kind, path)
        for collection, kind, path in TEMPLATES
        for item in cluster.list(collection)
        if not (kind == "Job" and _ended(item))
    ]


def scale_deployments(cluster: Cluster, role: str, replicas: int) -> list[str]:
    """Set the replicas of every Deployment on the node group `role`; returns those it changed.
    Raises: KubeError."""
    changed = []
    for one in deployments(cluster):
        if one.node_group == role and one.replicas != replicas:
            path = f"/apis/apps/v1/namespaces/{one.namespace}/deployments/{one.name}/scale"
            cluster.patch(path, {"spec": {"replicas": replicas}})
            changed.append(f"{one.namespace}/{one.name}")
    return changed


def _at(item: Object, *keys: str) -> Object:
    """The object below a path of keys; empty where any of them is absent or null."""
    for key in keys:
        item = item.get(key) or {}
    return item


def _name(item: Object) -> tuple[str, str]:
    metadata = _at(item, "metadata")
    return metadata.get("namespace", ""), metadata.get("name", "")


def _images(template: Object) -> tuple[str, ...]:
    spec = _at(template, "spec")
    containers = [*(spec.get("initContainers") or []), *(spec.get("containers") or [])]
    return tuple(container["image"] for container in containers if container.get("image"))


def _node_group(spec: Object) -> str | None:
    selector = _at(spec, "nodeSelector")
    return selector.get(ROLE_LABEL) or selector.get(NODE_GROUP_LABEL)


def _conditions(item: Object) -> Iterator[Condition]:
    for one in _at(item, "status").get("conditions") or []:
        yield Condition(
            type=one.get("type", ""),
            status=one.get("status", "Unknown"),
            reason=one.get("reason") or "",
            message=one.get("message") or "",
        )


def _holds(item: Object, kind: str, status: str = "True") -> bool:
    return any(one.type == kind and one.status == status for one in _conditions(item))


def _ended(job: Object) -> bool:
    return _holds(job, "Complete") or _holds(job, "Failed")


def _deployment(item: Object) -> DeploymentState:
    namespace, name = _name(item)
    template = _at(item, "spec", "template")
    replicas = _at(item, "spec").get("replicas")
    return DeploymentState(
        namespace=namespace,
        name=name,
        replicas=1 if replicas is None else replicas,
        ready=_at(item, "status").get("readyReplicas") or 0,  # absent when it is zero
        images=_images(template),
        node_group=_node_group(_at(template, "spec")),
        conditions=tuple(_conditions(item)),
    )


def _node(item: Object) -> NodeState:
    labels = _at(item, "metadata", "labels")
    return NodeState(
        name=_name(item)[1],
        node_group=labels.get(NODE_GROUP_LABEL) or labels.get(ROLE_LABEL),
        ready=_holds(item, "Ready"),
        zone=labels.get(ZONE_LABEL),
    )


def _pod(item: Object) -> PodState:
    namespace, name = _name(item)
    spec = _at(item, "spec")
    return PodState(
        namespace=namespace,
        name=name,
        owner=_owner(item),
        node_group=_node_group(spec),
        node=spec.get("nodeName"),
        phase=_at(item, "status").get("phase", "Unknown"),
        ready=_holds(item, "Ready"),
        unschedulable=any(
            one.type == "PodScheduled" and one.status == "False" and one.reason == "Unschedulable"
            for one in _conditions(item)
        ),
    )


def _owner(pod: Object) -> str | None:
    for owner in _at(pod, "metadata").get("ownerReferences") or []:
        if owner.get("controller"):
            kind, name = owner["kind"], owner["name"]
            if kind == "ReplicaSet" and "-" in name:  # `<deployment>-<hash of the template>`
                return f"Deployment/{name.rpartition('-')[0]}"
            return f"{kind}/{name}"
    return None


def _template(item: Object, kind: str, path: tuple[str, ...]) -> TemplateState:
    namespace, name = _name(item)
    return TemplateState(
        namespace=namespace, kind=kind, name=name, images=_images(_at(item, *path))
    )
