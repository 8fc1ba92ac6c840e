"""Gives every pod a node that takes it, or says why none does.

Filters: node selector and affinity, taints, cordons, cpu, memory, pods per node, spread constraints
and pod affinity as far as they are required. Among the nodes that are left
the pod goes where fewest of its own kind are: first by zone, then by node.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import ClassVar

from platform_pipelines.local.kube.controllers import placement
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
from platform_pipelines.local.kube.kinds import NODE, PERSISTENT_VOLUME_CLAIM, POD, Kind
from platform_pipelines.local.kube.objects import clone

NONE_AVAILABLE = "no nodes available to schedule pods"
CORDONED = "node(s) were unschedulable"
UNBOUND = "pod has unbound immediate PersistentVolumeClaims"


@dataclass(slots=True, kw_only=True)
class Room:
    """What a node still has for pods, and who is there."""

    node: Object
    cpu: float
    memory: float
    pods: int
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

    def refusal(self, pod: Object) -> str | None:
        """Why this node does not take the pod; None if it does."""
        if not placement.matches(pod["spec"], self.node):
            return placement.MISMATCH
        if self.node["spec"].get("unschedulable") and not _tolerates_cordon(pod):
            return CORDONED
        taint = placement.untolerated(pod, self.node)
        if taint is not None:
            return f"node(s) had untolerated taint {{{taint['key']}: {taint.get('value', '')}}}"
        cpu, memory = requests(pod)
        if self.pods < 1:
            return "Too many pods"
        if cpu > self.cpu:
            return "Insufficient cpu"
        return "Insufficient memory" if memory > self.memory else None


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
            )
        for pod in self.store.peek_all(POD):
            if pod["spec"].get("nodeName") in rooms and not over(pod):
                rooms[pod["spec"]["nodeName"]].take(pod)
        return rooms

    def _place(self, pod: Object, rooms: dict[str, Room]) -> None:
        if not self._volumes_bound(pod):
            self._refuse(pod, f"0/{len(rooms)} nodes are available: {UNBOUND}.")
            return
        nodes = {key: room.node for key, room in rooms.items()}
        placed = {key: room.guests for key, room in rooms.items()}
        refusals = {
            key: room.refusal(pod) or placement.unmet(pod, room.node, nodes, placed)
            for key, room in rooms.items()
        }
        fits = [rooms[key] for key, refusal in refusals.items() if refusal is None]
        if not fits:
            self._refuse(pod, _sentence(Counter(refusals.values())))
            return
        self._bind(pod, _emptiest(pod, fits, list(rooms.values())))

    def _volumes_bound(self, pod: Object) -> bool:
        for volume in pod["spec"].get("volumes") or []:
            claim = (volume.get("persistentVolumeClaim") or {}).get("claimName")
            if claim is None:
                continue
            space = pod["metadata"]["namespace"]
            found = self.store.peek(PERSISTENT_VOLUME_CLAIM, space, claim)
            if found is None or (found.get("status") or {}).get("phase") != "Bound":
                return False
        return True

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


def _sentence(refusals: Counter[str | None]) -> str:
    total = sum(refusals.values())
    if not total:
        return NONE_AVAILABLE
    reasons = ", ".join(sorted(f"{count} {reason}" for reason, count in refusals.items()))
    return (
        f"0/{total} nodes are available: {reasons}. preemption: 0/{total} nodes are available: "
        f"{total} Preemption is not helpful for scheduling."
    )
