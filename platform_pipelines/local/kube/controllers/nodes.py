"""Nodes follow node groups: they join after a while, leave after a while, and fall silent.

EKS's managed node groups, the kubelet's registration and heartbeat, and the node lifecycle
controller, as far as the API shows them. What waits to join is in memory only; after a restart of
the server it waits again from the start.
"""

from collections import Counter
from dataclasses import dataclass
from typing import ClassVar

from platform_pipelines.local.kube.controllers.cluster import Cluster, Controller, NodeGroup
from platform_pipelines.local.kube.controllers.node_objects import (
    GROUP_LABEL,
    NUMBER,
    ZONE_LABEL,
    new_node,
)
from platform_pipelines.local.kube.controllers.objects import (
    Object,
    annotations,
    labels,
    name,
    with_condition,
)
from platform_pipelines.local.kube.kinds import NODE, Kind
from platform_pipelines.local.kube.objects import clone

LEAVES_AT = "local-regions/leaves-at"  # AWS-like Unix seconds, on a node that goes
UNREACHABLE = "node.kubernetes.io/unreachable"
SILENCE = 50.0  # seconds without a heartbeat until a node is Unknown
HEARTBEAT = 10.0  # seconds until a kubelet that is back has told so
# The conditions of a node: (status, reason) by type.
HEALTHY = {
    "MemoryPressure": ("False", "KubeletHasSufficientMemory"),
    "DiskPressure": ("False", "KubeletHasNoDiskPressure"),
    "PIDPressure": ("False", "KubeletHasSufficientPID"),
    "Ready": ("True", "KubeletReady"),
}
SILENT = dict.fromkeys(HEALTHY, ("Unknown", "NodeStatusUnknown"))
RECENT = 30.0  # a change of a group that is older than this does not explain a missing node


@dataclass(frozen=True, slots=True, kw_only=True)
class Joining:
    """An instance that was launched and is not a node yet."""

    group: str
    due: float


class Nodes(Controller):
    """The nodes of one cluster."""

    watches: ClassVar[frozenset[Kind]] = frozenset({NODE})
    ticks = True

    def __init__(self, cluster: Cluster) -> None:
        super().__init__(cluster)
        self._joining: list[Joining] = []
        self._silent_until = 0.0
        self._number = max((_number(node) for node in self.store.peek_all(NODE)), default=0)

    def reconcile(self) -> None:
        groups = {
            group.name: group for group in self.cluster.outside.node_groups(self.cluster.region)
        }
        for group in groups.values():
            self._follow(group)
        for orphan in self._groups_in_use() - groups.keys():
            self._shrink(orphan, 0)
        self._join(groups)
        self._leave()
        if self.cluster.now() >= self._silent_until:
            self._set_ready(self._ours())

    def resumed(self, dark_for: float) -> None:
        """The control plane is back first, and sees how long it heard nothing."""
        if dark_for < SILENCE:
            return
        self._silent_until = self.cluster.now() + HEARTBEAT
        self.cluster.wake(self, HEARTBEAT)
        for node in self._ours():
            self._set_unknown(node)

    # Following the groups

    def _follow(self, group: NodeGroup) -> None:
        waiting = sum(1 for one in self._joining if one.group == group.name)
        missing = group.desired - len(self._staying(group.name)) - waiting
        if missing < 0:
            self._shrink(group.name, group.desired)
        elif missing > 0:
            due = self._launched_at(group) + self.cluster.world.durations.nodes_joining
            self._joining += [Joining(group=group.name, due=due)] * missing
            self.cluster.wake(self, due - self.cluster.now())

    def _launched_at(self, group: NodeGroup) -> float:
        """When the scaling was accepted, if that is why nodes are missing; else now."""
        now = self.cluster.now()
        return group.since if now - RECENT <= group.since <= now else now

    def _shrink(self, group: str, desired: int) -> None:
        """Take back launches first, then drain nodes of the fullest zone, the newest first."""
        staying = self._staying(group)
        launches = [one for one in self._joining if one.group == group]
        others = [one for one in self._joining if one.group != group]
        self._joining = others + launches[: max(0, desired - len(staying))]
        while len(staying) > desired:
            zones = Counter(labels(node).get(ZONE_LABEL) for node in staying)
            node = max(staying, key=lambda one: (zones[labels(one).get(ZONE_LABEL)], _number(one)))
            staying.remove(node)
            self._drain(node)

    def _drain(self, node: Object) -> None:
        seconds = self.cluster.world.durations.nodes_leaving
        cordoned = clone(node)
        cordoned.setdefault("spec", {})["unschedulable"] = True
        marks = cordoned["metadata"].setdefault("annotations", {})
        marks[LEAVES_AT] = str(self.cluster.now() + seconds)
        self.store.update(NODE, cordoned)
        self.cluster.wake(self, seconds)

    def _join(self, groups: dict[str, NodeGroup]) -> None:
        now = self.cluster.now()
        due = [one for one in self._joining if one.due <= now]
        self._joining = [one for one in self._joining if one.due > now]
        for one in due:
            if one.group in groups:
                self._add(groups[one.group])

    def _leave(self) -> None:
        now = self.cluster.now()
        for node in self._ours():
            if float(annotations(node).get(LEAVES_AT, "inf")) <= now:
                self.cluster.delete(NODE, node)

    def _staying(self, group: str) -> list[Object]:
        return [
            node
            for node in self._ours()
            if labels(node).get(GROUP_LABEL) == group and LEAVES_AT not in annotations(node)
        ]

    def _ours(self) -> list[Object]:
        """The nodes that have a kubelet of ours: not one that somebody only wrote down."""
        return [node for node in self.store.peek_all(NODE) if NUMBER in annotations(node)]

    def _groups_in_use(self) -> set[str]:
        of_nodes = {labels(node).get(GROUP_LABEL, "") for node in self._ours()}
        return (of_nodes | {one.group for one in self._joining}) - {""}

    # Registering and heartbeats

    def _add(self, group: NodeGroup) -> None:
        """Register a node in the group's emptiest zone."""
        self._number += 1
        region = self.cluster.region
        used = Counter(labels(node).get(ZONE_LABEL) for node in self._staying(group.name))
        zone = min(region.zones, key=lambda one: (used[one], region.zones.index(one)))
        version = self.cluster.world.platform.kubernetes_version
        made = new_node(group, region, zone, self._number, version)
        self._set_ready([self.store.create(NODE, made)])

    def _set_ready(self, nodes: list[Object]) -> None:
        for node in nodes:
            self._tell(node, HEALTHY, "kubelet is posting ready status")
            self._taint_unreachable(node, wanted=False)

    def _set_unknown(self, node: Object) -> None:
        self._tell(node, SILENT, "Kubelet stopped posting node status.")
        self._taint_unreachable(node, wanted=True)

    def _tell(self, node: Object, conditions: dict[str, tuple[str, str]], message: str) -> None:
        now = self.cluster.timestamp()
        status = clone(node.get("status") or {})
        told: list[Object] = status.get("conditions") or []
        for kind, (value, reason) in conditions.items():
            new = {"type": kind, "status": value, "reason": reason, "message": message}
            told = with_condition(told, new, now)
        self.cluster.set_status(NODE, node, status | {"conditions": told})

    def _taint_unreachable(self, node: Object, *, wanted: bool) -> None:
        current = self.store.get(NODE, None, name(node))
        if current is None:
            return
        taints = current["spec"].get("taints") or []
        kept = [taint for taint in taints if taint["key"] != UNREACHABLE]
        if wanted:
            kept += [{"key": UNREACHABLE, "effect": one} for one in ("NoSchedule", "NoExecute")]
        if kept != taints:
            current["spec"]["taints"] = kept
            self.store.update(NODE, current)


def _number(node: Object) -> int:
    return int(annotations(node).get(NUMBER, "0"))
