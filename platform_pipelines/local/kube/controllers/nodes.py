"""Nodes follow node groups: they join after a while, leave after a while, and fall silent.

EKS's managed node groups, the kubelet's registration and heartbeat, and the node lifecycle
controller, as far as the API shows them. A node whose zone is lost for long is replaced elsewhere.
"""

from collections import Counter
from typing import Any, ClassVar

from platform_pipelines.local.kube.controllers import leases, node_conditions
from platform_pipelines.local.kube.controllers.cluster import (
    Cluster,
    Controller,
    Joining,
    NodeGroup,
)
from platform_pipelines.local.kube.controllers.launches import Launches
from platform_pipelines.local.kube.controllers.node_objects import (
    GROUP_LABEL,
    NUMBER,
    RELEASE,
    new_node,
    number_of,
    zone_of,
)
from platform_pipelines.local.kube.controllers.objects import Object, annotations, labels, name
from platform_pipelines.local.kube.controllers.silence import Silence
from platform_pipelines.local.kube.kinds import NODE, Kind
from platform_pipelines.local.kube.objects import clone

LEAVES_AT = "local-regions/leaves-at"  # AWS-like Unix seconds, on a node that goes
RECENT = 30.0  # a change of a group that is older than this does not explain a missing node


class Nodes(Controller):
    """The nodes of one cluster."""

    watches: ClassVar[frozenset[Kind]] = frozenset({NODE})
    ticks = True

    def __init__(self, cluster: Cluster) -> None:
        super().__init__(cluster)
        self._launches = Launches(cluster)
        self._silence = Silence()
        self._number = max(map(number_of, self.store.peek_all(NODE)), default=0)
        self._wrong: tuple[object, ...] = ()

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
        self._hear()

    def notice(self) -> None:
        """Heartbeats come or do not come, whether anybody listens or not."""
        silent = {name(node): self.cluster.silent(zone_of(node)) for node in self._ours()}
        self._silence.notice(silent, self.cluster.now())
        wrong = (*sorted(self.cluster.world.zones), *(one.id for one in self.cluster.world.faults))
        if wrong != self._wrong:
            self._wrong = wrong
            self._launches.at_once()

    def dump(self) -> Any:
        """Instances on their way, silent nodes, and the last number that a node got."""
        return {
            "launches": self._launches.dump(),
            "silence": self._silence.dump(),
            "number": self._number,
        }

    def load(self, state: Any) -> None:
        """Go on with what `dump` gave."""
        self._launches.load(state["launches"])
        self._silence.load(state["silence"])
        self._number = state["number"]

    # Following the groups

    def _follow(self, group: NodeGroup) -> None:
        staying = self._staying(group.name)
        waiting = self._launches.waiting(group.name)
        missing = group.desired + self._surge(group, staying) - len(staying) - waiting
        if missing < 0:
            self._shrink(group.name, group.desired)
        elif missing > 0:
            joined_at = self._launched_at(group) + self.cluster.world.durations.nodes_joining
            zones = [zone_of(node) or "" for node in staying]
            if self._launches.launch(group, missing, zones, joined_at):
                self.cluster.wake(self, joined_at - self.cluster.now())
        for node in staying:
            if self._lost(node):
                self.cluster.delete(NODE, node)

    def _surge(self, group: NodeGroup, staying: list[Object]) -> int:
        """One node more while others are of another release than the group; when it is there, the
        oldest of them goes."""
        outdated = [node for node in staying if annotations(node).get(RELEASE) != group.version]
        outdated.sort(key=number_of)
        if outdated and len(staying) > group.desired and all(map(node_conditions.ready, staying)):
            staying.remove(outdated[0])
            self._drain(outdated.pop(0))
        return 1 if outdated else 0

    def _lost(self, node: Object) -> bool:
        """Whether the node's zone is lost for so long that its group replaces it."""
        since = self._silence.since(name(node))
        if since is None or not self.cluster.world.zone_down(
            self.cluster.region, zone_of(node) or ""
        ):
            return False
        return self.cluster.now() - since >= self.cluster.world.durations.nodes_replacing

    def _launched_at(self, group: NodeGroup) -> float:
        """When the scaling was accepted, if that is why nodes are missing; else now."""
        now = self.cluster.now()
        return group.since if now - RECENT <= group.since <= now else now

    def _shrink(self, group: str, desired: int) -> None:
        """Take back launches first, then drain nodes of the fullest zone, the newest first."""
        staying = self._staying(group)
        self._launches.cancel(group, desired - len(staying))
        while len(staying) > desired:
            zones = Counter(zone_of(node) for node in staying)
            node = max(staying, key=lambda one: (zones[zone_of(one)], number_of(one)))
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
        for one in self._launches.due():
            if one.group in groups:
                self._add(groups[one.group], one)

    def _leave(self) -> None:
        now = self.cluster.now()
        for node in self._ours():
            if float(annotations(node).get(LEAVES_AT, "inf")) <= now:
                self.cluster.delete(NODE, node)
                self._silence.forget(name(node))

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
        return (of_nodes | self._launches.groups) - {""}

    def _add(self, group: NodeGroup, joining: Joining) -> None:
        """Register a node; it is ready at once, as its launch took the time."""
        self._number += 1
        version = group.version or self.cluster.world.platform.kubernetes_version
        made = new_node(group, self.cluster.region, joining.zone, self._number, version)
        self._tell(self.store.create(NODE, made), silent=False)

    # Heartbeats

    def _hear(self) -> None:
        now = self.cluster.now()
        self.notice()
        for node in self._ours():
            self._tell(node, silent=self._silence.unknown(name(node), now))
            if not self.cluster.silent(zone_of(node)):
                leases.renew(self.cluster, node)
        next_look = self._silence.next_look(now)
        if next_look is not None:
            self.cluster.wake(self, next_look)

    def _tell(self, node: Object, *, silent: bool) -> None:
        now = self.cluster.timestamp()
        status = node.get("status") or {}
        known = status.get("conditions") or []
        back = not silent and not node_conditions.ready(node)
        heartbeat = back or leases.report_due(node, self.cluster.now())
        heartbeat = heartbeat and not self.cluster.silent(zone_of(node))
        told = node_conditions.told(known, silent=silent, now=now, heartbeat=heartbeat)
        self.cluster.set_status(NODE, node, status | {"conditions": told})
        self._taint(name(node), silent=silent)

    def _taint(self, key: str, *, silent: bool) -> None:
        node = self.store.get(NODE, None, key)
        if node is None:
            return
        known = node["spec"].get("taints") or []
        taints = node_conditions.taints(known, silent=silent, now=self.cluster.timestamp())
        if taints != known:
            node["spec"]["taints"] = taints
            self.store.update(NODE, node)
