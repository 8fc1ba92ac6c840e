"""Gives every pod a node that takes it, or says why none does.

Filters: node selector and affinity, taints, cordons, cpu, memory, pods per node, spread constraints
and pod affinity as far as they are required. Among the nodes that are left
the pod goes where fewest of its own kind are: first by zone, then by node.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from platform_pipelines.local.kube.controllers import placement, unfit
from platform_pipelines.local.kube.controllers.cluster import Controller
from platform_pipelines.local.kube.controllers.node_objects import ZONE_LABEL
from platform_pipelines.local.kube.controllers.objects import (
    Object,
    controller_uid,
    deleting,
    labels,
    name,
    quantity,
    uid,
    with_condition,
)
from platform_pipelines.local.kube.controllers.unfit import Unfit
from platform_pipelines.local.kube.kinds import NODE, PERSISTENT_VOLUME_CLAIM, POD, Kind
from platform_pipelines.local.kube.objects import clone

CORDONED = "node(s) were unschedulable"
TAINTED = "node(s) had untolerated taint(s)"
UNBOUND = "pod has unbound immediate PersistentVolumeClaims"


@dataclass(slots=True, kw_only=True)
class Room:
    """What a node still has for pods, and who is there."""

    node: Object
    cpu: float
    memory: float
    pods: int
    all_cpu: float  # with no pod there
    all_memory: float
    owners: Counter[str | None] = field(default_factory=Counter)
    guests: list[Object] = field(default_factory=list)

    def take(self, pod: Object) -> None:
        """Count a pod in."""
        cpu, memory = requests(pod)
        self.cpu -= cpu
        self.memory -= memory
        self.pods -= 1
        self.owners[controller_uid(pod)] += 1
        self.guests.append(pod)

    def refusal(self, pod: Object) -> Unfit | None:
        """Why this node does not take the pod; None if it does. In the order of the scheduler's
        plugins, of which the first that refuses is heard."""
        if self.node["spec"].get("unschedulable") and not _tolerates_cordon(pod):
            return Unfit(reasons=(CORDONED,))
        if placement.untolerated(pod, self.node) is not None:
            return Unfit(reasons=(TAINTED,))
        if not placement.matches(pod["spec"], self.node):
            return Unfit(reasons=(placement.MISMATCH,))
        return self._too_small(pod)

    def _too_small(self, pod: Object) -> Unfit | None:
        cpu, memory = requests(pod)
        short = {
            "Too many pods": self.pods < 1,
            "Insufficient cpu": cpu > self.cpu,
            "Insufficient memory": memory > self.memory,
        }
        reasons = tuple(reason for reason, holds in short.items() if holds)
        never = cpu > self.all_cpu or memory > self.all_memory
        return Unfit(reasons=reasons, passing=not never) if reasons else None


class Scheduler(Controller):
    """The scheduler of one cluster."""

    watches: ClassVar[frozenset[Kind]] = frozenset({POD, NODE, PERSISTENT_VOLUME_CLAIM})

    def reconcile(self) -> None:
        waiting = [pod for pod in self.store.peek_all(POD) if _waits(pod)]
        if not waiting:
            return
        rooms = self._rooms()
        for pod in sorted(waiting, key=lambda one: one["metadata"]["creationTimestamp"]):
            self._place(pod, rooms)

    def _rooms(self) -> dict[str, Room]:
        rooms = {}
        for node in self.store.peek_all(NODE):
            offer = (node.get("status") or {}).get("allocatable") or {}
            if not {"cpu", "memory", "pods"} <= offer.keys():
                continue  # nothing was ever registered there
            rooms[name(node)] = Room(
                node=node,
                cpu=quantity(offer["cpu"]),
                memory=quantity(offer["memory"]),
                pods=int(offer["pods"]),
                all_cpu=quantity(offer["cpu"]),
                all_memory=quantity(offer["memory"]),
            )
        for pod in self.store.peek_all(POD):
            if pod["spec"].get("nodeName") in rooms and not over(pod):
                rooms[pod["spec"]["nodeName"]].take(pod)
        return rooms

    def _place(self, pod: Object, rooms: dict[str, Room]) -> None:
        if not rooms:
            self._refuse(pod, unfit.NONE_AVAILABLE)
            return
        unbound = self._unbound(pod)
        if unbound is not None:
            self._refuse(pod, unfit.all_unfit(unbound, len(rooms)))
            return
        nodes = {key: room.node for key, room in rooms.items()}
        placed = {key: room.guests for key, room in rooms.items()}
        refusals = {
            key: room.refusal(pod) or _unmet(pod, room.node, nodes, placed)
            for key, room in rooms.items()
        }
        fits = [rooms[key] for key, refusal in refusals.items() if refusal is None]
        if not fits:
            self._refuse(pod, unfit.sentence([one for one in refusals.values() if one]))
            return
        self._bind(pod, _emptiest(pod, fits, list(rooms.values())))

    def _unbound(self, pod: Object) -> str | None:
        """What keeps the pod's volumes from it; None if nothing does."""
        for volume in pod["spec"].get("volumes") or []:
            claim = (volume.get("persistentVolumeClaim") or {}).get("claimName")
            if claim is None:
                continue
            space = pod["metadata"]["namespace"]
            found = self.store.peek(PERSISTENT_VOLUME_CLAIM, space, claim)
            if found is None:
                return f'persistentvolumeclaim "{claim}" not found'
            if (found.get("status") or {}).get("phase") != "Bound":
                return UNBOUND
        return None

    def _bind(self, pod: Object, room: Room) -> None:
        bound = clone(pod)
        bound["spec"]["nodeName"] = name(room.node)
        self._tell(self.store.update(POD, bound), {"status": "True"})
        room.take(pod)

    def _refuse(self, pod: Object, why: str) -> None:
        self._tell(pod, {"status": "False", "reason": "Unschedulable", "message": why})

    def _tell(self, pod: Object, said: Object) -> None:
        status = pod.get("status") or {}
        new = {"type": "PodScheduled"} | said
        told = with_condition(status.get("conditions") or [], new, self.cluster.timestamp())
        self.cluster.set_status(POD, pod, {"phase": "Pending"} | status | {"conditions": told})


def requests(pod: Object) -> tuple[float, float]:
    """The cpu and memory that the pod's containers ask for."""
    cpu = memory = 0.0
    for container in pod["spec"]["containers"]:
        asked = (container.get("resources") or {}).get("requests") or {}
        cpu += quantity(asked.get("cpu", "0"))
        memory += quantity(asked.get("memory", "0"))
    return cpu, memory


def over(pod: Object) -> bool:
    """Whether a pod has ended for good."""
    return (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed")


def _tolerates_cordon(pod: Object) -> bool:
    cordon = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}
    tolerations = pod["spec"].get("tolerations") or []
    return any(placement.tolerates(one, cordon) for one in tolerations)


def _waits(pod: Object) -> bool:
    phase = (pod.get("status") or {}).get("phase", "Pending")
    return not pod["spec"].get("nodeName") and not deleting(pod) and phase == "Pending"


def _emptiest(pod: Object, fits: list[Room], rooms: list[Room]) -> Room:
    owner = controller_uid(pod) or uid(pod)
    zones: Counter[str | None] = Counter()
    for room in rooms:
        zones[labels(room.node).get(ZONE_LABEL)] += room.owners[owner]
    return min(
        fits,
        key=lambda room: (
            zones[labels(room.node).get(ZONE_LABEL)],
            room.owners[owner],
            room.cpu * -1,
            name(room.node),
        ),
    )


def _unmet(
    pod: Object, node: Object, nodes: Mapping[str, Object], placed: placement.Placed
) -> Unfit | None:
    """The rule about other pods that the node would break; it may not when they have gone."""
    reason = placement.unmet(pod, node, nodes, placed)
    return Unfit(reasons=(reason,), passing=True) if reason else None
