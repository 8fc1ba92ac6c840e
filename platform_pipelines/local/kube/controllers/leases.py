"""Heartbeats: the Lease that each kubelet renews, and the time that a node's conditions carry.

A kubelet renews its Lease every ten seconds, and reports a status in which nothing has changed every
five minutes. https://kubernetes.io/docs/concepts/architecture/nodes/#node-heartbeats
"""

from datetime import UTC, datetime

from platform_pipelines.local.kube.controllers.cluster import Cluster
from platform_pipelines.local.kube.controllers.objects import Object, condition, name, uid, unix_of
from platform_pipelines.local.kube.kinds import LEASE
from platform_pipelines.local.kube.objects import clone

NAMESPACE = "kube-node-lease"
RENEWED = 10.0  # AWS-like seconds
REPORTED = 300.0
LASTS = 40  # seconds for which a Lease is good


def renew(cluster: Cluster, node: Object) -> None:
    """Renew a node's Lease, if it is time to."""
    found = cluster.store.peek(LEASE, NAMESPACE, name(node))
    if found is None:
        cluster.store.create(LEASE, _lease(node, _micro(cluster.now())))
    elif cluster.now() - unix_of(found["spec"]["renewTime"]) >= RENEWED:
        renewed = clone(found)
        renewed["spec"]["renewTime"] = _micro(cluster.now())
        cluster.store.update(LEASE, renewed)


def report_due(node: Object, now: float) -> bool:
    """Whether a kubelet tells its status again, though nothing has changed."""
    ready = condition(node, "Ready") or {}
    told = ready.get("lastHeartbeatTime")
    return told is None or now - unix_of(told) >= REPORTED


def _lease(node: Object, now: str) -> Object:
    owner = {"apiVersion": "v1", "kind": "Node", "name": name(node), "uid": uid(node)}
    return {
        "metadata": {"name": name(node), "namespace": NAMESPACE, "ownerReferences": [owner]},
        "spec": {"holderIdentity": name(node), "leaseDurationSeconds": LASTS, "renewTime": now},
    }


def _micro(unix: float) -> str:
    """A time as Leases write it."""
    return datetime.fromtimestamp(unix, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
