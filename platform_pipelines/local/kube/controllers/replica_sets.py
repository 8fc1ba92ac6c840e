"""ReplicaSets keep their number of pods: they make what is missing and delete what is too much.

A pod whose node is gone is deleted here as well, as the pod garbage collector does.
"""

from typing import ClassVar

from platform_pipelines.local.kube.controllers.cluster import Controller
from platform_pipelines.local.kube.controllers.objects import (
    Object,
    condition,
    controller_uid,
    counters,
    deleting,
    is_true,
    labels,
    name,
    namespace,
    owner_reference,
    uid,
    unix_of,
)
from platform_pipelines.local.kube.kinds import NODE, POD, REPLICA_SET, Kind
from platform_pipelines.local.kube.objects import clone

OVER = ("Succeeded", "Failed")


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
                self.cluster.delete(POD, pod)

    def _one(self, replica_set: Object) -> None:
        pods = self._pods(replica_set)
        wanted = int(replica_set["spec"].get("replicas", 1))
        for _ in range(wanted - len(pods)):
            self.store.create(POD, _pod(replica_set))
        for pod in sorted(pods, key=_worth)[: max(0, len(pods) - wanted)]:
            self.cluster.delete(POD, pod)
        self._tell(replica_set)

    def _pods(self, replica_set: Object) -> list[Object]:
        return [
            pod
            for pod in self.store.peek_all(POD, namespace(replica_set))
            if controller_uid(pod) == uid(replica_set)
            and not deleting(pod)
            and (pod.get("status") or {}).get("phase") not in OVER
        ]

    def _tell(self, replica_set: Object) -> None:
        pods = self._pods(replica_set)
        ready = [pod for pod in pods if is_true(pod, "Ready")]
        patience = int(replica_set["spec"].get("minReadySeconds", 0))
        available = [pod for pod in ready if self._for(pod) >= patience]
        if len(available) < len(ready):
            self.cluster.wake(self, patience)
        counts = counters(readyReplicas=len(ready), availableReplicas=len(available))
        template = (replica_set["spec"]["template"].get("metadata") or {}).get("labels") or {}
        labelled = sum(1 for pod in pods if template.items() <= labels(pod).items())
        status = {
            "replicas": len(pods),  # the one counter that is never left out
            **counters(fullyLabeledReplicas=labelled),
            **counts,
            "observedGeneration": replica_set["metadata"].get("generation", 1),
        }
        self.cluster.set_status(REPLICA_SET, replica_set, status)

    def _for(self, pod: Object) -> float:
        """Seconds that the pod has been ready."""
        ready = condition(pod, "Ready")
        return 0 if ready is None else self.cluster.now() - unix_of(ready["lastTransitionTime"])


def _worth(pod: Object) -> tuple[bool, bool, str]:
    """What is deleted first sorts first: without a node, not ready, the rest by age."""
    return (
        bool(pod["spec"].get("nodeName")),
        is_true(pod, "Ready"),
        pod["metadata"]["creationTimestamp"],
    )


def _pod(replica_set: Object) -> Object:
    template = clone(replica_set["spec"]["template"])
    metadata = template.get("metadata") or {}
    return {
        "metadata": {
            "generateName": f"{name(replica_set)}-",
            "namespace": namespace(replica_set),
            "labels": metadata.get("labels") or {},
            "annotations": metadata.get("annotations") or {},
            "ownerReferences": [owner_reference(replica_set)],
        },
        "spec": template["spec"],
    }
