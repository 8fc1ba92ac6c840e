"""The kubelets: a pod that has a node pulls its images, starts after a while, and is Ready; one that
is to be deleted stops after a while.

On a silent node nothing happens. On one that is not Ready a pod stays Running and loses its
readiness, as the node lifecycle controller tells it; when the node is back, so is the pod.
"""

from typing import Any, ClassVar

from platform_pipelines.local.kube.controllers.cluster import Cluster, Controller
from platform_pipelines.local.kube.controllers.node_objects import zone_of
from platform_pipelines.local.kube.controllers.objects import (
    Object,
    condition,
    deleting,
    is_true,
    name,
    namespace,
    uid,
    unix_of,
    with_condition,
)
from platform_pipelines.local.kube.controllers.pod_status import (
    Said,
    conditions,
    containers,
    ended,
    pod_address,
    stopping_seconds,
)
from platform_pipelines.local.kube.controllers.pulls import Pulls
from platform_pipelines.local.kube.kinds import NODE, POD, Kind

OVER = ("Succeeded", "Failed")


class Kubelet(Controller):
    """All kubelets of one cluster."""

    watches: ClassVar[frozenset[Kind]] = frozenset({POD, NODE})
    ticks = True

    def __init__(self, cluster: Cluster) -> None:
        super().__init__(cluster)
        self._pulls = Pulls()

    def reconcile(self) -> None:
        nodes = {name(node): node for node in self.store.peek_all(NODE)}
        for pod in self.store.peek_all(POD):
            node = nodes.get(pod["spec"].get("nodeName", ""))
            if node is not None:
                self._one(pod, node)

    def dump(self) -> Any:
        """Which images could not be pulled, and when they are tried again."""
        return self._pulls.dump()

    def load(self, state: Any) -> None:
        """Go on with what `dump` gave."""
        self._pulls.load(state)

    def _one(self, pod: Object, node: Object) -> None:
        heard = is_true(node, "Ready")
        if not heard and is_true(pod, "Ready"):
            self._tell(pod, {"Ready": ("False", None, None)}, {})
        if not heard or self.cluster.silent(zone_of(node)):
            return
        if deleting(pod):
            self._stop(pod)
        else:
            self._run(pod, node)

    def _stop(self, pod: Object) -> None:
        """Delete it for good once its containers have stopped."""
        metadata = pod["metadata"]
        given = int(metadata.get("deletionGracePeriodSeconds") or 0)
        asked = unix_of(metadata["deletionTimestamp"]) - given
        takes = stopping_seconds(pod, self.cluster.world.durations.pod_stopping)
        left = asked + min(given, takes) - self.cluster.now()
        if left > 0:
            self.cluster.wake(self, left)
        elif given or not metadata.get("finalizers"):
            self._pulls.forget(uid(pod))
            self.store.delete(POD, namespace(pod), name(pod), grace_seconds=0)

    def _run(self, pod: Object, node: Object) -> None:
        status = pod.get("status") or {}
        if status.get("phase") in OVER:
            return
        if "startTime" not in status:
            self._begin(pod, node)
        elif status.get("phase") != "Running":
            if self.cluster.now() >= unix_of(status["startTime"]) + self._starting:
                self._start(pod)
        elif not is_true(pod, "Ready"):
            self._ready(pod)
        elif pod["spec"].get("restartPolicy") != "Always":
            self._finish(pod)

    @property
    def _starting(self) -> float:
        return self.cluster.world.durations.pod_starting

    def _begin(self, pod: Object, node: Object) -> None:
        waiting = {"waiting": {"reason": "ContainerCreating"}}
        told = node["status"].get("addresses") or []
        address = next((one["address"] for one in told if one["type"] == "InternalIP"), "0.0.0.0")
        more = {
            "startTime": self.cluster.timestamp(),
            "hostIP": address,
            "hostIPs": [{"ip": address}],
            "containerStatuses": containers(pod, waiting, ready=False),
        }
        self._tell(pod, conditions(pod, ready=False), more)
        self.cluster.wake(self, self._starting)

    def _start(self, pod: Object) -> None:
        now = self.cluster.now()
        wait = self._pulls.wait(uid(pod), now)
        if wait > 0:
            self._back_off(pod, wait)
            return
        for container in pod["spec"]["containers"]:
            why = self.cluster.outside.pull_error(self.cluster.region, container["image"])
            if why is not None:
                self._pulls.failed(uid(pod), now)
                self._waiting(pod, {"reason": "ErrImagePull", "message": why})
                self.cluster.wake(self, self._pulls.wait(uid(pod), now))
                return
        self._ready(pod)

    def _back_off(self, pod: Object, wait: float) -> None:
        """Say so, a moment after the error was told."""
        told = (pod.get("status") or {}).get("containerStatuses") or [{}]
        waiting = (told[0].get("state") or {}).get("waiting") or {}
        if waiting.get("reason") == "ErrImagePull" and self._pulls.settled(uid(pod), wait):
            image = pod["spec"]["containers"][0]["image"]
            message = f'Back-off pulling image "{image}": ErrImagePull: {waiting["message"]}'
            self._waiting(pod, {"reason": "ImagePullBackOff", "message": message})

    def _waiting(self, pod: Object, why: Object) -> None:
        told = containers(pod, {"waiting": why}, ready=False)
        self._tell(pod, {}, {"containerStatuses": told})

    def _ready(self, pod: Object) -> None:
        self._pulls.forget(uid(pod))
        running = {"running": {"startedAt": self.cluster.timestamp()}}
        told = (pod.get("status") or {}).get("containerStatuses") or []
        already = (pod.get("status") or {}).get("phase") == "Running"
        address = pod_address(pod, self.cluster.region.cidr)
        more = {
            "phase": "Running",
            "podIP": address,
            "podIPs": [{"ip": address}],
            "containerStatuses": told if already else containers(pod, running, ready=True),
        }
        self._tell(pod, conditions(pod, ready=True), more)

    def _finish(self, pod: Object) -> None:
        """A pod that is not to run for ever has done its work after a while."""
        ready = condition(pod, "Ready") or {}
        done = unix_of(ready["lastTransitionTime"]) + self.cluster.world.durations.pod_finishing
        if self.cluster.now() < done:
            self.cluster.wake(self, done - self.cluster.now())
            return
        said, more = ended(pod, self.cluster.timestamp())
        self._tell(pod, said, more)

    def _tell(self, pod: Object, said: Said, more: Object) -> None:
        status = pod.get("status") or {}
        told, now = list(status.get("conditions") or []), self.cluster.timestamp()
        for kind, (value, reason, message) in said.items():
            new = {"type": kind, "status": value, "reason": reason, "message": message}
            told = with_condition(told, {k: v for k, v in new.items() if v is not None}, now)
        self.cluster.set_status(POD, pod, status | {"conditions": told} | more)
