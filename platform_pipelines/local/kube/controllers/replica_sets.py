"""ReplicaSets keep their number of pods: they make what is missing and delete what is too much.

A pod whose node is gone is deleted here as well, as the pod garbage collector does.
"""

from typing import ClassVar

from platform_pipelines.local.kube.controllers import pods
from platform_pipelines.local.kube.controllers.cluster import Controller
from platform_pipelines.local.kube.controllers.objects import (
    Object,
    counters,
    deleting,
    is_true,
    labels,
    name,
    namespace,
)
from platform_pipelines.local.kube.kinds import NODE, POD, REPLICA_SET, Kind


class ReplicaSets(Controller):
    """The ReplicaSets of one cluster."""

    watches: ClassVar[frozenset[Kind]] = frozenset({REPLICA_SET, POD, NODE})

    def reconcile(self) -> None:
        self._collect_lost()
        for replica_set in self.store.peek_all(REPLICA_SET):
            if not deleting(replica_set):
                self._one(replica_set)

    def _collect_lost(self) -> None:
        nodes = {name(node) for node in self.store.peek_all(NODE)}
        for pod in self.store.peek_all(POD):
            if pod["spec"].get("nodeName") not in (None, *nodes):
                self.store.delete(POD, namespace(pod), name(pod), grace_seconds=0)

    def _one(self, replica_set: Object) -> None:
        there = pods.active(pods.owned(self.store, replica_set))
        wanted = int(replica_set["spec"].get("replicas", 1))
        for _ in range(wanted - len(there)):
            made = pods.from_template(replica_set, replica_set["spec"]["template"])
            self.store.create(POD, made)
        for pod in sorted(there, key=_worth)[: max(0, len(there) - wanted)]:
            self.cluster.delete(POD, pod)
        self._tell(replica_set)

    def _tell(self, replica_set: Object) -> None:
        there = pods.active(pods.owned(self.store, replica_set))
        now = self.cluster.now()
        patience = int(replica_set["spec"].get("minReadySeconds", 0))
        ready = [pod for pod in there if pods.ready_for(pod, now) >= 0]
        available = [pod for pod in ready if pods.ready_for(pod, now) >= patience]
        if len(available) < len(ready):
            self.cluster.wake(self, patience)
        counts = counters(readyReplicas=len(ready), availableReplicas=len(available))
        template = (replica_set["spec"]["template"].get("metadata") or {}).get("labels") or {}
        labelled = sum(1 for pod in there if template.items() <= labels(pod).items())
        status = {
            "replicas": len(there),  # the one counter that is never left out
            **counters(fullyLabeledReplicas=labelled),
            **counts,
            "observedGeneration": replica_set["metadata"].get("generation", 1),
        }
        self.cluster.set_status(REPLICA_SET, replica_set, status)


def _worth(pod: Object) -> tuple[bool, bool, str]:
    """What is deleted first sorts first: without a node, not ready, the rest by age."""
    return (
        bool(pod["spec"].get("nodeName")),
        is_true(pod, "Ready"),
        pod["metadata"]["creationTimestamp"],
    )
