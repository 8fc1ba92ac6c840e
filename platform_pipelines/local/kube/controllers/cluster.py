"""What the controllers of one cluster share: its store, its time, and what lies outside of it.

The world outside (node groups, registries, load balancers, DNS) is reached through `Outside`, four
functions, so that a test can drive the controllers without AWS.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from platform_pipelines.local.kube.controllers.objects import Object, name, namespace, text_of
from platform_pipelines.local.kube.kinds import Kind
from platform_pipelines.local.kube.store import Store
from platform_pipelines.local.world import World
from platform_pipelines.model import Region

MOMENT = 0.001  # seconds that do not count


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
    zones: tuple[str, ...] = ()  # of its subnets; none is every zone of the Region
    subnets: tuple[str, ...] = ()
    version: str = ""  # of Kubernetes, on its nodes; none is the platform's


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why an instance was not launched."""

    code: str  # of EKS's health issues
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Joining:
    """An instance that was launched and is not a node yet."""

    group: str
    zone: str
    instance_type: str
    due: float  # when it joins, AWS-like Unix seconds


def _granted(
    _region: Region, _group: NodeGroup, _zone: str, _joining: Sequence[Joining]
) -> Refusal | None:
    return None


def _untold(_region: Region, _group: str, _refusals: tuple[Refusal, ...]) -> None:
    return None


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
    # Why EC2 launches no instance of a node group in a zone, beside those that are joining; None if
    # it does.
    refusal: Callable[[Region, NodeGroup, str, Sequence[Joining]], Refusal | None] = _granted
    # (Region, node group, refusals) after a launch; none is that it went well.
    report: Callable[[Region, str, tuple[Refusal, ...]], None] = _untold


@dataclass
class Cluster:
    """One cluster, as its controllers see it."""

    world: World
    region: Region
    store: Store
    outside: Outside
    _wakes: set[tuple[str, float]] = field(default_factory=set)  # controller and time

    def now(self) -> float:
        """AWS-like Unix seconds."""
        return self.world.now()

    def timestamp(self) -> str:
        """The time as the API writes it."""
        return text_of(self.now())

    @property
    def frozen(self) -> bool:
        """Whether the cluster's control plane stands still."""
        return self.world.frozen(self.region)

    def silent(self, zone: str | None) -> bool:
        """Whether the machines of a zone stand still."""
        return self.world.dark(self.region) or self.world.zone_down(self.region, zone or "")

    def wake(self, controller: "Controller", seconds: float) -> None:
        """Reconcile this controller again, `seconds` from now."""
        wait = max(0.0, seconds)
        wake = (str(controller), round(self.now() + wait, 3))
        if wake not in self._wakes:
            self._wakes.add(wake)
            args = {"alias": self.region.alias, "controller": str(controller)}
            self.world.timers.after(wait, "kube.wake", **args)

    def woken(self) -> None:
        """Forget what was asked for until now."""
        now = self.now()
        self._wakes = {wake for wake in self._wakes if wake[1] > now + MOMENT}

    def restored(self) -> None:
        """The timers are others now: any wake may be asked for again."""
        self._wakes.clear()

    def set_status(self, kind: Kind, obj: Object, status: dict[str, Any]) -> None:
        """Write the status if it says something new."""
        if status != (obj.get("status") or {}):
            self.store.update_status(kind, namespace(obj), name(obj), status)

    def delete(self, kind: Kind, obj: Object) -> None:
        """Ask the store to delete it; a pod that runs is left to its kubelet."""
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

    def notice(self) -> None:
        """Something went wrong in the world, or is right again, or time has passed. Nothing may be
        written here: the cluster may be frozen."""

    def dump(self) -> Any:
        """What it knows that no object tells, as JSON values; None if that is nothing."""
        return None

    def load(self, state: Any) -> None:
        """Go on with what `dump` gave, in place of what it knows. The world was restored: what is
        outside of the store may have to be said again."""
