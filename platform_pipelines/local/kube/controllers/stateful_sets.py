"""StatefulSets: pods with names that stay, made and taken away one after the other.

A pod that is to go is waited for, so one on a silent node is replaced by no other until its node is
back or gone: that is what keeps two of a name from running at once.
https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/
"""

from typing import ClassVar

from platform_pipelines.local.kube.controllers import claims, pods, revisions
from platform_pipelines.local.kube.controllers.cluster import Controller
from platform_pipelines.local.kube.controllers.objects import (
    Object,
    counters,
    deleting,
    labels,
    name,
    namespace,
)
from platform_pipelines.local.kube.kinds import (
    CONTROLLER_REVISION,
    PERSISTENT_VOLUME_CLAIM,
    POD,
    STATEFUL_SET,
    Kind,
)

POD_NAME, POD_INDEX = "statefulset.kubernetes.io/pod-name", "apps.kubernetes.io/pod-index"


class StatefulSets(Controller):
    """The StatefulSets of one cluster."""

    watches: ClassVar[frozenset[Kind]] = frozenset(
        {STATEFUL_SET, POD, CONTROLLER_REVISION, PERSISTENT_VOLUME_CLAIM}
    )

    def reconcile(self) -> None:
        for stateful_set in self.store.peek_all(STATEFUL_SET):
            if not deleting(stateful_set):
                self._one(stateful_set)

    def _one(self, stateful_set: Object) -> None:
        new = revisions.newest(self.store, stateful_set)
        known = (stateful_set.get("status") or {}).get("currentRevision") or name(new)
        old = revisions.named(self.store, stateful_set, known) or new
        if self._keep(stateful_set, name(old), name(new)) and self._shrink(stateful_set):
            self._roll(stateful_set, name(new))
        claims.forget(self.store, stateful_set)
        self._tell(stateful_set, name(old), name(new))
        revisions.forget(self.store, stateful_set, {name(old), name(new)})

    def _keep(self, stateful_set: Object, old: str, new: str) -> bool:
        """Have every ordinal's pod there; whether all are, and healthy where that is waited for."""
        for ordinal in ordinals(stateful_set):
            pod = self._pod(stateful_set, ordinal)
            if pod is not None and pods.phase(pod) in pods.OVER and not deleting(pod):
                self.cluster.delete(POD, pod)
                pod = self._pod(stateful_set, ordinal)
            if pod is None:
                revision = new if ordinal >= _partition(stateful_set) else old
                self._make(stateful_set, ordinal, revision)
            if _ordered(stateful_set) and not self._healthy(stateful_set, ordinal):
                return False
        return True

    def _shrink(self, stateful_set: Object) -> bool:
        """Take away what is too much, the highest first; whether nothing is."""
        wanted = ordinals(stateful_set)
        excess = [pod for pod in self._there(stateful_set) if index(pod) not in wanted]
        for pod in sorted(excess, key=index, reverse=True):
            if not deleting(pod):
                self.cluster.delete(POD, pod)
            if _ordered(stateful_set):
                return False
        return not excess

    def _roll(self, stateful_set: Object, new: str) -> None:
        """Replace the pods of an older template down to the partition, one at a time."""
        strategy = stateful_set["spec"].get("updateStrategy") or {}
        if strategy.get("type") == "OnDelete":
            return
        for ordinal in reversed(ordinals(stateful_set)):
            if ordinal < _partition(stateful_set):
                return
            pod = self._pod(stateful_set, ordinal)
            if pod is not None and revision_of(pod) != new and not deleting(pod):
                self.cluster.delete(POD, pod)
                return
            if not self._healthy(stateful_set, ordinal):
                return

    def _make(self, stateful_set: Object, ordinal: int, revision: str) -> None:
        found = revisions.named(self.store, stateful_set, revision)
        template = found["data"]["spec"]["template"] if found else stateful_set["spec"]["template"]
        pod = pods.from_template(stateful_set, template)
        own = f"{name(stateful_set)}-{ordinal}"
        pod["metadata"] |= {"name": own}
        pod["metadata"]["labels"] = pod["metadata"]["labels"] | {
            revisions.HASH: revision,
            POD_NAME: own,
            POD_INDEX: str(ordinal),
        }
        pod["spec"] |= {"hostname": own}
        if stateful_set["spec"].get("serviceName"):
            pod["spec"]["subdomain"] = stateful_set["spec"]["serviceName"]
        claims.claim(self.store, stateful_set, pod)
        self.store.create(POD, pod)

    def _healthy(self, stateful_set: Object, ordinal: int) -> bool:
        """Whether an ordinal's pod is there to stay, and has been ready for long enough."""
        pod = self._pod(stateful_set, ordinal)
        return pod is not None and not deleting(pod) and self._available(stateful_set, pod)

    def _available(self, stateful_set: Object, pod: Object) -> bool:
        patience = int(stateful_set["spec"].get("minReadySeconds", 0))
        ready = pods.ready_for(pod, self.cluster.now())
        if 0 <= ready < patience:
            self.cluster.wake(self, patience - ready)
        return ready >= patience

    def _pod(self, stateful_set: Object, ordinal: int) -> Object | None:
        named = f"{name(stateful_set)}-{ordinal}"
        return next((pod for pod in self._there(stateful_set) if name(pod) == named), None)

    def _there(self, stateful_set: Object) -> list[Object]:
        return pods.owned(self.store, stateful_set)

    def _tell(self, stateful_set: Object, old: str, new: str) -> None:
        there = self._there(stateful_set)
        staying = [pod for pod in there if not deleting(pod)]
        ready = [pod for pod in staying if pods.ready_for(pod, self.cluster.now()) >= 0]
        available = [pod for pod in staying if self._available(stateful_set, pod)]
        updated = sum(revision_of(pod) == new for pod in staying)
        wanted = len(ordinals(stateful_set))
        done = updated == len(ready) == len(there) == wanted and not _partition(stateful_set)
        if done:
            old = new
        status = {
            "observedGeneration": stateful_set["metadata"].get("generation", 1),
            "replicas": len(there),
            "availableReplicas": len(available),
            **counters(
                readyReplicas=len(ready),
                updatedReplicas=updated,
                currentReplicas=sum(revision_of(pod) == old for pod in staying),
            ),
            "currentRevision": old,
            "updateRevision": new,
            "collisionCount": 0,
        }
        current = self.store.peek(STATEFUL_SET, namespace(stateful_set), name(stateful_set))
        if current is not None:
            self.cluster.set_status(STATEFUL_SET, current, status)


def ordinals(stateful_set: Object) -> range:
    """The numbers of the pods that are wanted."""
    spec = stateful_set["spec"]
    first = int((spec.get("ordinals") or {}).get("start", 0))
    return range(first, first + int(spec.get("replicas", 1)))


def index(pod: Object) -> int:
    """A pod's number."""
    return int(labels(pod)[POD_INDEX])


def revision_of(pod: Object) -> str | None:
    """The name of the revision that a pod was made from."""
    return labels(pod).get(revisions.HASH)


def _ordered(stateful_set: Object) -> bool:
    return bool(stateful_set["spec"].get("podManagementPolicy") != "Parallel")


def _partition(stateful_set: Object) -> int:
    """The first number that is updated."""
    strategy = stateful_set["spec"].get("updateStrategy") or {}
    return int((strategy.get("rollingUpdate") or {}).get("partition", 0))
