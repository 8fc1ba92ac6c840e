"""Deployments make ReplicaSets, roll from one to the next, and tell how far they are.

One that has all it wants is left alone until it or its ReplicaSets change, so that a cluster with
hundreds of them is not looked through for each pod that moves.
The steps and the conditions follow the deployment controller of Kubernetes:
https://github.com/kubernetes/kubernetes/tree/master/pkg/controller/deployment
"""

import hashlib
import json
from typing import Any, ClassVar

from platform_pipelines.local.kube.controllers import pods
from platform_pipelines.local.kube.controllers.cluster import Cluster, Controller
from platform_pipelines.local.kube.controllers.objects import (
    Object,
    annotations,
    controller_uid,
    deleting,
    labels,
    name,
    namespace,
    owner_reference,
    uid,
)
from platform_pipelines.local.kube.controllers.rollout import Rollout, status_of
from platform_pipelines.local.kube.controllers.strategy import Plan, actual, wanted
from platform_pipelines.local.kube.kinds import DEPLOYMENT, POD, REPLICA_SET, Kind
from platform_pipelines.local.kube.objects import clone

REVISION = "deployment.kubernetes.io/revision"
HASH = "pod-template-hash"
Versions = tuple[str, ...]
_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"


class Deployments(Controller):
    """The Deployments of one cluster."""

    watches: ClassVar[frozenset[Kind]] = frozenset({DEPLOYMENT, REPLICA_SET, POD})
    ticks = True  # the progress deadline passes without a change

    def __init__(self, cluster: Cluster) -> None:
        super().__init__(cluster)
        self._done: dict[str, Versions] = {}  # those that have all they want, by uid

    def reconcile(self) -> None:
        done = {}
        for deployment in self.store.peek_all(DEPLOYMENT):
            if deleting(deployment):
                continue
            if self._done.get(uid(deployment)) != self._versions(deployment):
                self._one(deployment)
            current = self.store.peek(DEPLOYMENT, namespace(deployment), name(deployment))
            if current is not None and _complete(current):
                done[uid(current)] = self._versions(current)
        self._done = done

    def _versions(self, deployment: Object) -> Versions:
        """What tells whether it or one of its ReplicaSets has changed."""
        parts = (deployment, *self._owned(deployment))
        return tuple(one["metadata"]["resourceVersion"] for one in parts)

    def _one(self, deployment: Object) -> None:
        known = {uid(one) for one in self._owned(deployment)}
        new = self._new_set(deployment)
        created = uid(new) not in known
        if not deployment["spec"].get("paused"):
            self._roll(deployment, name(new))
            self._forget_old(deployment, name(new))
        new, old = self._sets(deployment, name(new))
        deployment = self._revised(deployment, annotations(new).get(REVISION, "1"))
        rollout = Rollout(
            deployment=deployment, new=new, old=old, created=created, now=self.cluster.now()
        )
        self.cluster.set_status(DEPLOYMENT, deployment, status_of(rollout))

    def _sets(self, deployment: Object, new: str) -> tuple[Object, list[Object]]:
        owned = self._owned(deployment)
        return (
            next(one for one in owned if name(one) == new),
            [one for one in owned if name(one) != new],
        )

    def _owned(self, deployment: Object) -> list[Object]:
        found = self.store.peek_owned(REPLICA_SET, uid(deployment))
        return [one for one in found if controller_uid(one) == uid(deployment)]

    def _new_set(self, deployment: Object) -> Object:
        """The ReplicaSet of the template as it is now; made if there is none."""
        digest = template_hash(deployment["spec"]["template"])
        owned = self._owned(deployment)
        last = max((int(annotations(one).get(REVISION, "0")) for one in owned), default=0)
        found = next((one for one in owned if labels(one).get(HASH) == digest), None)
        if found is None:
            return self.store.create(REPLICA_SET, _replica_set(deployment, digest, last + 1))
        if int(annotations(found).get(REVISION, "0")) < last:  # rolled back to
            found = clone(found)
            found["metadata"]["annotations"][REVISION] = str(last + 1)
            return self.store.update(REPLICA_SET, found)
        return found

    def _roll(self, deployment: Object, new_name: str) -> None:
        new, old = self._sets(deployment, new_name)
        plan = Plan.of(deployment)
        if plan.recreate:
            self._scale_all(old, 0)
            if not any(pods.owned(self.store, one) for one in old):  # those that stop count, too
                self._scale(new, plan.replicas)
            return
        self._scale(new, plan.grown(new, old))
        new, old = self._sets(deployment, new_name)
        for one, replicas in plan.shrunk(new, old):
            self._scale(one, replicas)

    def _scale_all(self, sets: list[Object], replicas: int) -> None:
        for one in sets:
            self._scale(one, replicas)

    def _scale(self, replica_set: Object, replicas: int) -> None:
        if replica_set["spec"]["replicas"] != replicas:
            changed = clone(replica_set)
            changed["spec"]["replicas"] = replicas
            self.store.update(REPLICA_SET, changed)

    def _forget_old(self, deployment: Object, new_name: str) -> None:
        _, old = self._sets(deployment, new_name)
        idle = [one for one in old if not wanted(one) and not actual(one)]
        idle.sort(key=lambda one: int(annotations(one).get(REVISION, "0")))
        excess = len(idle) - int(deployment["spec"].get("revisionHistoryLimit", 10))
        for one in idle[: max(0, excess)]:
            self.cluster.delete(REPLICA_SET, one)

    def _revised(self, deployment: Object, revision: str) -> Object:
        if annotations(deployment).get(REVISION) == revision:
            return deployment
        changed = clone(deployment)
        changed["metadata"].setdefault("annotations", {})[REVISION] = revision
        return self.store.update(DEPLOYMENT, changed)


def _complete(deployment: Object) -> bool:
    """Whether all its pods are there, of the newest template, and available; and its status says so."""
    wanted, status = int(deployment["spec"]["replicas"]), deployment.get("status") or {}
    counts = ("replicas", "updatedReplicas", "availableReplicas")
    seen = status.get("observedGeneration") == deployment["metadata"].get("generation", 1)
    return seen and all(int(status.get(count, 0)) == wanted for count in counts)


def template_hash(template: dict[str, Any]) -> str:
    """A short name for what a pod template says."""
    text = json.dumps(template, sort_keys=True).encode()
    digest = hashlib.sha256(text).digest()[:10]
    return "".join(_ALPHABET[byte % len(_ALPHABET)] for byte in digest)


def _replica_set(deployment: Object, digest: str, revision: int) -> Object:
    spec = deployment["spec"]
    template, selector = clone(spec["template"]), clone(spec["selector"])
    metadata = template.setdefault("metadata", {})
    metadata["labels"] = (metadata.get("labels") or {}) | {HASH: digest}
    selector["matchLabels"] = (selector.get("matchLabels") or {}) | {HASH: digest}
    return {
        "metadata": {
            "name": f"{name(deployment)}-{digest}",
            "namespace": namespace(deployment),
            "labels": metadata["labels"],
            "annotations": {REVISION: str(revision)},
            "ownerReferences": [owner_reference(deployment)],
        },
        "spec": {
            "replicas": 0,
            "minReadySeconds": spec.get("minReadySeconds", 0),
            "selector": selector,
            "template": template,
        },
    }
