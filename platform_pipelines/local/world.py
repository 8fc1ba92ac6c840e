"""The world of the local Regions: one object that every part of the server shares.

It holds time, the timers, what goes wrong, and where each part can be found; it knows no HTTP. Made
by `server`, passed as a value to every service, so two worlds can run side by side.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from platform_pipelines.local.aws.ecr_records import Repositories
from platform_pipelines.local.balancer import Balancers
from platform_pipelines.local.durations import Durations
from platform_pipelines.local.faults import Ending, Faults
from platform_pipelines.local.notifications import Notifications
from platform_pipelines.local.quotas import Quotas
from platform_pipelines.local.timers import Timers
from platform_pipelines.local.vault import Value, Vault
from platform_pipelines.local.worldclock import WorldClock
from platform_pipelines.model import Platform, Region

if TYPE_CHECKING:
    from platform_pipelines.local.kube.store import Store

TRANSITION = "transition"  # the timer that ends one
# Transitions of services whose control plane does all the work.
CONTROL_PLANE = ("efs_", "ecr_image_", "ecr_lifecycle_preview", "nat_gateway_", "dynamodb_table_")
PARKED = 5.0  # AWS-like seconds between two looks at a transition that cannot end
CONTROLLER = "controller"  # where the product runs, if that is in neither Region
GLOBAL_REGION = "us-east-1"  # the control planes of Route 53 and IAM


class Outage(StrEnum):
    """What a Region has lost, and how its APIs treat a call."""

    HANG = "hang"  # everything; accepts the connection and never answers
    REFUSE = "refuse"  # everything; drops the connection
    ERROR = "5xx"  # everything; answers 503 in the service's own protocol
    CONTROL_PLANE = "control_plane"  # its APIs hang; what runs goes on
    DATA_PLANE = "data_plane"  # what runs stands still; its APIs answer


_WHOLE = frozenset({Outage.HANG, Outage.REFUSE, Outage.ERROR})


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Where the world listens, always on 127.0.0.1."""

    aws: int = 4566
    kube: dict[str, int]  # by the Region's alias
    dns: int = 10053
    service: int = 8080


@dataclass
class World:
    """Everything that is not a service's own state."""

    platform: Platform
    state: Path
    ports: Ports
    clock: WorldClock
    durations: Durations = field(default_factory=Durations)
    checkout: Path = field(default_factory=Path.cwd)  # the git folder that Argo CD follows
    strict: bool = False  # whether every answer is checked against botocore's model
    outages: dict[str, Outage] = field(default_factory=dict)  # by alias, or us-east-1
    zones: set[tuple[str, str]] = field(default_factory=set)  # lost ones: (alias, zone)
    partitions: set[frozenset[str]] = field(default_factory=set)  # pairs of places that are cut off
    gone_clusters: set[str] = field(
        default_factory=set
    )  # aliases of Regions whose EKS cluster went
    ca_pem: bytes = b""  # the CA of the clusters' certificates
    stores: dict[str, "Store"] = field(default_factory=dict)  # Kubernetes, by the Region's alias
    timers: Timers = field(init=False)
    balancers: Balancers = field(init=False)
    repositories: Repositories = field(init=False, default_factory=Repositories)  # ECR's
    notifications: Notifications = field(init=False, default_factory=Notifications)
    quotas: Quotas = field(init=False, default_factory=Quotas)
    faults: Faults = field(init=False)
    vault: Vault = field(init=False)
    _listeners: list[Callable[[], None]] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        self.vault = Vault(
            self.state,
            kind={
                "account": self.platform.account,
                "regions": {one.alias: one.name for one in self.platform.regions},
                "virtual": self.clock.virtual,
            },
        )
        self.timers = Timers(self.clock, self.vault.soon)
        self.timers.on(TRANSITION, self._end_transition)
        self.balancers = Balancers([region.alias for region in self.platform.regions])
        self.faults = Faults(self.now, self._same, self.changed)
        self.vault.add("clock", Value(self.clock.dump, self.clock.load))
        self.vault.add("timers", Value(self.timers.dump, self.timers.load))
        self.vault.add("faults", Value(self.faults.dump, self.faults.load))
        self.vault.add("world", Value(self._dump, self._load))
        self.vault.add("balancers", Value(self.balancers.dump, self.balancers.load))
        self.vault.add("repositories", self.repositories)
        self.vault.add("notifications", Value(self.notifications.dump, self.notifications.load))
        self.vault.add("quotas", Value(self.quotas.dump, self.quotas.load))

    # Time

    def now(self) -> float:
        """AWS-like Unix seconds."""
        return self.clock.now()

    def datetime(self) -> datetime:
        """AWS-like time in UTC."""
        return datetime.fromtimestamp(self.now(), UTC)

    def transition(self, name: str, kind: str, *, region: str, resource: str, **args: Any) -> None:
        """Have the timer `kind` end a transition of the duration `name`, unless a fault is in its
        way. The handler gets `failed=True` when it has to fail; `region` is an AWS name."""
        about = {"name": name, "region": region, "resource": resource}
        seconds = float(getattr(self.durations, name))
        self.timers.after(seconds, TRANSITION, then=kind, args=args, **about)

    def _end_transition(
        self, then: str, args: dict[str, Any], name: str, region: str, resource: str
    ) -> None:
        ending = self.faults.transition(name, region, resource)
        if ending is Ending.NEVER or self._stands_still(name, region):
            about = {"name": name, "region": region, "resource": resource}
            self.timers.after(PARKED, TRANSITION, then=then, args=args, **about)
        else:
            failed = {"failed": True} if ending is Ending.FAILED else {}
            self.timers.handle(then, **args, **failed)

    def _stands_still(self, name: str, region: str) -> bool:
        """Whether a transition needs a control plane that is silent. Services with more of a rule
        than this, as Aurora's, look at the outage themselves."""
        place = self.region_of(region)
        return place is not None and name.startswith(CONTROL_PLANE) and self.frozen(place)

    # Outages

    def outage(self, region: Region) -> Outage | None:
        """What this Region has lost, if anything."""
        return self.outages.get(region.alias)

    def dark(self, region: Region) -> bool:
        """Whether what runs there stands still: nodes, load balancers, databases, replication."""
        return self.outage(region) in {*_WHOLE, Outage.DATA_PLANE}

    def frozen(self, region: Region) -> bool:
        """Whether its control plane stands still: nothing that was asked of it makes progress."""
        return self.outage(region) in {*_WHOLE, Outage.CONTROL_PLANE}

    def apart(self, one: str, other: str) -> bool:
        """Whether two places cannot reach each other: aliases or AWS names, or `controller`."""
        first, second = self.place(one), self.place(other)
        regions = [self._region(place) for place in (first, second)]
        if any(region is not None and self.dark(region) for region in regions):
            return True
        return frozenset({first, second}) in self.partitions

    def zone_down(self, region: Region, zone: str) -> bool:
        """Whether a zone is lost."""
        return (region.alias, zone) in self.zones

    def place(self, name: str) -> str:
        """A place by its short name: a Region of the platform by its alias."""
        region = self.region_of(name)
        return region.alias if region else name

    @property
    def places(self) -> tuple[str, ...]:
        """Everything that a partition can cut off."""
        aliases = [region.alias for region in self.platform.regions]
        return (*aliases, self.platform.witness, CONTROLLER)

    def region_of(self, aws_name: str) -> Region | None:
        """The platform's Region of an AWS name; None for any other, as the witness or us-east-1."""
        return next((region for region in self.platform.regions if region.name == aws_name), None)

    def on_change(self, listener: Callable[[], None]) -> None:
        """Call `listener` after something went wrong, or is right again."""
        self._listeners.append(listener)

    def changed(self) -> None:
        """Tell everyone that something went wrong, or is right again."""
        for listener in self._listeners:
            listener()

    def _region(self, place: str) -> Region | None:
        return next((region for region in self.platform.regions if region.alias == place), None)

    def _same(self, one: str, other: str) -> bool:
        return self.place(one) == self.place(other)

    def _dump(self) -> dict[str, Any]:
        return {
            "outages": dict(self.outages),
            "zones": sorted(map(list, self.zones)),
            "partitions": sorted(sorted(pair) for pair in self.partitions),
            "gone_clusters": sorted(self.gone_clusters),
        }

    def _load(self, state: dict[str, Any]) -> None:
        self.outages.clear()
        self.outages |= {place: Outage(mode) for place, mode in state["outages"].items()}
        self.zones = {(alias, zone) for alias, zone in state["zones"]}
        self.partitions = {frozenset(pair) for pair in state["partitions"]}
        self.gone_clusters = set(state.get("gone_clusters", []))
