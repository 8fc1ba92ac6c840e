"""What the controllers of one cluster share: its store, its time, and what lies outside of it.

The world outside (node groups, registries, load balancers, DNS) is reached through `Outside`, four
functions, so that a test can drive the controllers without AWS.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, ClassVar

from platform_pipelines.local.kube.controllers.objects import Object, name, namespace, text_of
from platform_pipelines.local.kube.kinds import Kind
from platform_pipelines.local.kube.store import Store
from platform_pipelines.local.world import World
from platform_pipelines.model import Region


@dataclass(frozen=True, slots=True, kw_only=True)
class Taint:
    """Keeps pods away that do not tolerate it."""

    key: str
    value: str
    effect: str  # NoSchedule, PreferNoSchedule or NoExecute


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeGroup:
    """A managed node group as EKS wants it now."""

    name: str
    desired: int
    since: float  # when it was changed last, AWS-like Unix seconds
    instance_type: str
    labels: dict[str, str] = field(default_factory=dict)
    taints: tuple[Taint, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """Where the cluster touches AWS; each function takes the Region."""

    node_groups: Callable[[Region], Iterable[NodeGroup]]
    # Why an image cannot be pulled from this Region; None if it can.
    pull_error: Callable[[Region, str], str | None]
    # (Region, DNS name, hosts, ready) of a load balancer that answers from now on.
    register: Callable[[Region, str, tuple[str, ...], Callable[[], bool]], None]
    unregister: Callable[[str], None]
    # (host, target): a CNAME; False while the hosted zone is not there.
    upsert_cname: Callable[[str, str], bool]


@dataclass
class Cluster:
    """One cluster, as its controllers see it."""

    world: World
    region: Region
    store: Store
    outside: Outside

    def now(self) -> float:
        """AWS-like Unix seconds."""
        return self.world.now()

    def timestamp(self) -> str:
        """The time as the API writes it."""
        return text_of(self.now())

    @property
    def dark(self) -> bool:
        """Whether everything in this Region stands still."""
        return self.world.outage(self.region) is not None

    def wake(self, controller: "Controller", seconds: float) -> None:
        """Reconcile this controller again, `seconds` from now."""
        args = {"alias": self.region.alias, "controller": str(controller)}
        self.world.timers.after(max(0.0, seconds), "kube.wake", **args)

    def set_status(self, kind: Kind, obj: Object, status: dict[str, Any]) -> None:
        """Write the status if it says something new."""
        if status != (obj.get("status") or {}):
            self.store.update_status(kind, namespace(obj), name(obj), status)

    def delete(self, kind: Kind, obj: Object) -> None:
        """Ask the store to delete it."""
        self.store.delete(kind, namespace(obj), name(obj))


class Controller:
    """Brings one part of a cluster to what its objects say. Level-triggered: `reconcile` looks at
    everything it is for, acts where reality differs, and may run at any time and any number of
    times."""

    watches: ClassVar[frozenset[Kind]]  # a change of one of these is a reason to reconcile
    ticks: ClassVar[bool] = False  # whether every tick is one, too

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.store = cluster.store

    def __str__(self) -> str:
        return type(self).__name__

    def reconcile(self) -> None:
        """Look, and act."""
        raise NotImplementedError

    def resumed(self, dark_for: float) -> None:
        """The Region is back after `dark_for` seconds."""
