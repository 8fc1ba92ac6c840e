"""DaemonSets keep one pod on every node that takes it.

https://kubernetes.io/docs/concepts/workloads/controllers/daemonset/
"""

from typing import ClassVar

from platform_pipelines.local.kube.controllers import placement, pods
from platform_pipelines.local.kube.controllers.cluster import Controller
from platform_pipelines.local.kube.controllers.deployments import template_hash
from platform_pipelines.local.kube.controllers.objects import (
    Object,
    counters,
    deleting,
    labels,
    name,
    percent,
)
from platform_pipelines.local.kube.kinds import DAEMON_SET, NODE, POD, Kind

HASH = "controller-revision-hash"
# What every pod of a DaemonSet bears on top of its own tolerations.
BORNE = (
    ("node.kubernetes.io/not-ready", "NoExecute"),
    ("node.kubernetes.io/unreachable", "NoExecute"),
    ("node.kubernetes.io/disk-pressure", "NoSchedule"),
    ("node.kubernetes.io/memory-pressure", "NoSchedule"),
    ("node.kubernetes.io/pid-pressure", "NoSchedule"),
    ("node.kubernetes.io/unschedulable", "NoSchedule"),
)


class DaemonSets(Controller):
    """The DaemonSets of one cluster."""

    watches: ClassVar[frozenset[Kind]] = frozenset({DAEMON_SET, POD, NODE})

    def reconcile(self) -> None:
        for daemon_set in self.store.peek_all(DAEMON_SET):
            if not deleting(daemon_set):
                self._one(daemon_set)

    def _one(self, daemon_set: Object) -> None:
        nodes = self.store.peek_all(NODE)
        wanted = {name(node) for node in nodes if _takes(node, daemon_set)}
        borne = {name(node) for node in nodes if _takes(node, daemon_set, running=True)}
        there = self._there(daemon_set)
        for node, pod in there.items():
            if node not in borne:
                self.cluster.delete(POD, pod)
        for node in sorted(wanted - there.keys()):
            self.store.create(POD, _pod(daemon_set, node))
        self._roll(daemon_set, len(wanted))
        self._tell(daemon_set, wanted)

    def _there(self, daemon_set: Object) -> dict[str, Object]:
        """The pods that stay, by the node that they are for; one that goes still has its place."""
        found = pods.owned(self.store, daemon_set)
        for pod in found:
            if pods.phase(pod) in pods.OVER and not deleting(pod):
                self.cluster.delete(POD, pod)
        return {_node_of(pod): pod for pod in pods.active(found)} | {
            _node_of(pod): pod for pod in found if deleting(pod)
        }

    def _roll(self, daemon_set: Object, count: int) -> None:
        """Delete pods of an older template, as many at a time as may be unavailable."""
        strategy = daemon_set["spec"].get("updateStrategy") or {}
        if strategy.get("type") == "OnDelete":
            return
        limit = (strategy.get("rollingUpdate") or {}).get("maxUnavailable", 1)
        room = max(1, percent(limit, count, up=True))
        there = pods.active(pods.owned(self.store, daemon_set))
        room -= count - sum(pods.ready_for(pod, self.cluster.now()) >= 0 for pod in there)
        old = [pod for pod in there if labels(pod).get(HASH) != _revision(daemon_set)]
        for pod in old[: max(0, room)]:
            self.cluster.delete(POD, pod)

    def _tell(self, daemon_set: Object, wanted: set[str]) -> None:
        there = pods.active(pods.owned(self.store, daemon_set))
        ready = [pod for pod in there if pods.ready_for(pod, self.cluster.now()) >= 0]
        new = [pod for pod in there if labels(pod).get(HASH) == _revision(daemon_set)]
        on_nodes = [pod for pod in there if pod["spec"].get("nodeName")]
        status = {
            "currentNumberScheduled": sum(_node_of(pod) in wanted for pod in on_nodes),
            "desiredNumberScheduled": len(wanted),
            "numberMisscheduled": sum(_node_of(pod) not in wanted for pod in on_nodes),
            "numberReady": len(ready),
            **counters(
                updatedNumberScheduled=len(new),
                numberAvailable=len(ready),
                numberUnavailable=len(wanted) - len(ready),
            ),
            "observedGeneration": daemon_set["metadata"].get("generation", 1),
        }
        self.cluster.set_status(DAEMON_SET, daemon_set, status)


def _takes(node: Object, daemon_set: Object, *, running: bool = False) -> bool:
    """Whether a DaemonSet has a pod on this node; one that is running minds NoExecute only."""
    spec = _bearing(daemon_set["spec"]["template"]["spec"])
    effects = ("NoExecute",) if running else ("NoExecute", "NoSchedule")
    fits = placement.matches(spec, node)
    return fits and placement.untolerated({"spec": spec}, node, effects) is None


def _bearing(spec: Object) -> Object:
    ours = [{"key": key, "operator": "Exists", "effect": effect} for key, effect in BORNE]
    return spec | {"tolerations": [*(spec.get("tolerations") or []), *ours]}


def _pod(daemon_set: Object, node: str) -> Object:
    """The pod for a node, which the scheduler can put nowhere else."""
    pod = pods.from_template(daemon_set, daemon_set["spec"]["template"])
    pod["metadata"]["labels"] = pod["metadata"]["labels"] | {HASH: _revision(daemon_set)}
    here = {"key": "metadata.name", "operator": "In", "values": [node]}
    only = {"nodeSelectorTerms": [{"matchFields": [here]}]}
    affinity = pod["spec"].get("affinity") or {}
    own = (affinity.get("nodeAffinity") or {}) | {
        "requiredDuringSchedulingIgnoredDuringExecution": only
    }
    pod["spec"] = _bearing(pod["spec"]) | {"affinity": affinity | {"nodeAffinity": own}}
    return pod


def _node_of(pod: Object) -> str:
    affinity = pod["spec"]["affinity"]["nodeAffinity"]
    terms = affinity["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]
    node: str = terms[0]["matchFields"][0]["values"][0]
    return node


def _revision(daemon_set: Object) -> str:
    return template_hash(daemon_set["spec"]["template"])
