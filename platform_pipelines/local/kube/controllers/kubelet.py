"""The kubelets: a pod that has a node pulls its images, starts after a while, and is Ready.

On a node that is not Ready a pod stays Running and loses its readiness, as the node lifecycle
controller tells it; when the node is back, so is the pod.
"""

import hashlib
from typing import ClassVar

from platform_pipelines.local.kube.controllers.cluster import Cluster, Controller
from platform_pipelines.local.kube.controllers.objects import (
    Object,
    deleting,
    is_true,
    name,
    uid,
    unix_of,
    with_condition,
)
from platform_pipelines.local.kube.kinds import NODE, POD, Kind

# A pull that fails is tried again at every tick; after a moment the pod says that it backs off.
PULL, BACK_OFF = "ErrImagePull", "ImagePullBackOff"
MOMENT = 4.0
NOT_READY = "ContainersNotReady"


class Kubelet(Controller):
    """All kubelets of one cluster."""

    watches: ClassVar[frozenset[Kind]] = frozenset({POD, NODE})
    ticks = True

    def __init__(self, cluster: Cluster) -> None:
        super().__init__(cluster)
        self._failing: dict[str, float] = {}  # by the pod's uid: when its pull failed first

    def reconcile(self) -> None:
        nodes = {name(node): node for node in self.store.peek_all(NODE)}
        for pod in self.store.peek_all(POD):
            node = nodes.get(pod["spec"].get("nodeName", ""))
            if node is None:
                continue
            if deleting(pod):
                self._let_go(pod)
            elif not is_true(node, "Ready"):
                self._silence(pod)
            else:
                self._run(pod, node)

    def _let_go(self, pod: Object) -> None:
        if not pod["metadata"].get("finalizers"):
            self.cluster.delete(POD, pod)

    def _silence(self, pod: Object) -> None:
        if is_true(pod, "Ready"):
            self._tell(pod, {"Ready": ("False", None, None)}, {})

    def _run(self, pod: Object, node: Object) -> None:
        status = pod.get("status") or {}
        if "startTime" not in status:
            self._begin(pod, node)
        elif status.get("phase") == "Running":
            if not is_true(pod, "Ready"):
                self._ready(pod)
        elif self.cluster.now() >= unix_of(status["startTime"]) + self._starting:
            self._start(pod)

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
            "containerStatuses": _containers(pod, waiting, ready=False),
        }
        self._tell(pod, _conditions(ready=False, names=_names(pod)), more)
        self.cluster.wake(self, self._starting)

    def _start(self, pod: Object) -> None:
        for container in pod["spec"]["containers"]:
            why = self.cluster.outside.pull_error(self.cluster.region, container["image"])
            if why is not None:
                self._fail_pull(pod, container["image"], why)
                return
        self._ready(pod)

    def _ready(self, pod: Object) -> None:
        self._failing.pop(uid(pod), None)
        running = {"running": {"startedAt": self.cluster.timestamp()}}
        told = (pod.get("status") or {}).get("containerStatuses") or []
        already = (pod.get("status") or {}).get("phase") == "Running"
        address = _pod_address(pod, self.cluster.region.cidr)
        more = {
            "phase": "Running",
            "podIP": address,
            "podIPs": [{"ip": address}],
            "containerStatuses": told if already else _containers(pod, running, ready=True),
        }
        self._tell(pod, _conditions(ready=True, names=_names(pod)), more)

    def _fail_pull(self, pod: Object, image: str, why: str) -> None:
        now = self.cluster.now()
        waiting = {"reason": PULL, "message": why}
        if now - self._failing.setdefault(uid(pod), now) >= MOMENT:
            waiting = {"reason": BACK_OFF, "message": f'Back-off pulling image "{image}": {why}'}
        containers = _containers(pod, {"waiting": waiting}, ready=False)
        self._tell(pod, {}, {"containerStatuses": containers})

    def _tell(
        self, pod: Object, said: dict[str, tuple[str, str | None, str | None]], more: Object
    ) -> None:
        status = pod.get("status") or {}
        told, now = list(status.get("conditions") or []), self.cluster.timestamp()
        for kind, (value, reason, message) in said.items():
            new = {"type": kind, "status": value, "reason": reason, "message": message}
            told = with_condition(told, {k: v for k, v in new.items() if v is not None}, now)
        self.cluster.set_status(POD, pod, status | {"conditions": told} | more)


def _names(pod: Object) -> str:
    return " ".join(container["name"] for container in pod["spec"]["containers"])


def _conditions(*, ready: bool, names: str) -> dict[str, tuple[str, str | None, str | None]]:
    why = (None, None) if ready else (NOT_READY, f"containers with unready status: [{names}]")
    value = "True" if ready else "False"
    return {
        "PodReadyToStartContainers": (value, None, None),
        "Initialized": ("True", None, None),
        "ContainersReady": (value, *why),
        "Ready": (value, *why),
    }


def _containers(pod: Object, state: Object, *, ready: bool) -> list[Object]:
    return [
        {
            "name": container["name"],
            "image": container["image"],
            "imageID": container["image"] if ready else "",
            "ready": ready,
            "started": ready,
            "restartCount": 0,
            "state": state,
        }
        for container in pod["spec"]["containers"]
    ]


def _pod_address(pod: Object, cidr: str) -> str:
    """An address in the upper half of the Region's range, from the pod's identity."""
    digest = hashlib.sha256(uid(pod).encode()).digest()
    first, second = cidr.split(".")[:2]
    return f"{first}.{second}.{192 + digest[0] % 64}.{1 + digest[1] % 250}"
