"""A world whose time a test moves by hand, with one or both clusters and an AWS of plain values."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from platform_pipelines import model
from platform_pipelines.local.kube import controllers
from platform_pipelines.local.kube.controllers.cluster import (
    NodeGroup,
    Outside,
    Refusal,
    Taint,
)
from platform_pipelines.local.kube.controllers.loop import Loop
from platform_pipelines.local.kube.kinds import NODE, POD, Kind
from platform_pipelines.local.kube.store import Store
from platform_pipelines.local.world import Outage, Ports, World
from platform_pipelines.local.worldclock import Standing
from platform_pipelines.model import Region

ROOT = Path(__file__).parents[3]
PLATFORM = model.load(ROOT / "platform.yaml")
SEOUL, TOKYO = PLATFORM.regions
START = 1_795_000_000.0
Object = dict[str, Any]


@dataclass
class PlainAws:
    """What the controllers touch of AWS, as values that a test sets and reads."""

    groups: dict[str, list[NodeGroup]] = field(default_factory=dict)  # by alias
    missing_images: set[str] = field(default_factory=set)
    balancers: dict[str, Callable[[], bool]] = field(default_factory=dict)
    records: dict[str, str] = field(default_factory=dict)
    zone_exists: bool = True
    refusals: dict[str, Refusal] = field(default_factory=dict)  # by zone
    reports: dict[str, tuple[Refusal, ...]] = field(default_factory=dict)  # by node group

    def outside(self) -> Outside:
        """For `controllers.start`."""
        return Outside(
            node_groups=lambda region: self.groups.get(region.alias, []),
            pull_error=lambda _, image: "not found" if image in self.missing_images else None,
            register=self._register,
            unregister=self._unregister,
            upsert_cname=self._upsert,
            refusal=lambda _region, _group, zone, _joining: self.refusals.get(zone),
            report=lambda _region, group, refusals: self.reports.update({group: refusals}),
        )

    def _register(
        self, _region: Region, name: str, _hosts: Iterable[str], ready: Callable[[], bool]
    ) -> None:
        self.balancers[name] = ready

    def _unregister(self, name: str) -> None:
        del self.balancers[name]

    def _upsert(self, host: str, target: str) -> bool:
        if self.zone_exists:
            self.records[host] = target
        return self.zone_exists


class Clusters:
    """Both clusters with their controllers running, and the hands to drive them."""

    def __init__(self, state: Path, at: float = START) -> None:
        self.clock = Standing(at)
        self.loops: dict[str, Loop] = {}
        self.world = World(
            platform=PLATFORM,
            state=state,
            ports=Ports(kube={"seoul": 0, "tokyo": 0}),
            clock=self.clock,
        )
        self.world.stores = {
            region.alias: Store(now=self.world.datetime) for region in PLATFORM.regions
        }
        self.aws = PlainAws()

    @property
    def seoul(self) -> Store:
        """Seoul's objects."""
        return self.world.stores["seoul"]

    def start(self) -> None:
        """Begin the controllers."""
        self.loops = controllers.start(self.world, self.aws.outside())
        self.settle()

    def settle(self) -> None:
        """Run what is due now."""
        self.world.timers.run_due()

    def pass_time(self, seconds: float) -> None:
        """Let time pass, and run what is due on the way."""
        for _ in self.world.timers.passing(self.clock, self.clock.now() + seconds):
            pass

    def black_out(self, alias: str) -> None:
        """The Region goes dark."""
        self.world.outages[alias] = Outage.HANG

    def bring_back(self, alias: str) -> None:
        """The outage ends."""
        del self.world.outages[alias]

    def lose_zone(self, zone: str) -> None:
        """A zone of Seoul is lost."""
        self.world.zones.add(("seoul", zone))
        self.world.changed()

    def regain_zone(self, zone: str) -> None:
        """It is back."""
        self.world.zones.discard(("seoul", zone))
        self.world.changed()

    def scale(self, version: str = "", **counts: int) -> None:
        """What Seoul's node groups want from now on, and let it settle."""
        taints = {
            name: (Taint(key="role", value=name, effect="NoSchedule"),) if name != "manage" else ()
            for name in counts
        }
        self.aws.groups["seoul"] = [
            NodeGroup(
                name=name,
                desired=count,
                since=self.clock.now(),
                instance_type="t3.medium",
                taints=taints[name],
                version=version,
            )
            for name, count in counts.items()
        ]
        self.pass_time(4)

    def nodes(self) -> list[Object]:
        """Seoul's nodes."""
        return self.seoul.list(NODE)

    def pods(self) -> list[Object]:
        """Seoul's pods."""
        return self.seoul.list(POD)

    def running(self) -> list[Object]:
        """Seoul's pods that nobody asked to stop."""
        return [pod for pod in self.pods() if "deletionTimestamp" not in pod["metadata"]]

    def the(self, kind: Kind, name: str, namespace: str = "default") -> Object:
        """An object of Seoul that must be there."""
        found = self.seoul.get(kind, namespace if kind.namespaced else None, name)
        assert found is not None, f"{kind.kind} {name} is not there"
        return found


def conditions(obj: Object) -> dict[str, tuple[str, str]]:
    """An object's conditions: (status, reason) by type."""
    told = (obj.get("status") or {}).get("conditions") or []
    return {one["type"]: (one["status"], one.get("reason", "")) for one in told}


def deployment(name: str = "web", replicas: int = 3, image: str = "web:1", **spec: Any) -> Object:
    """A Deployment on the node group `web`."""
    labels = {"app": name}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {
                    "nodeSelector": {"role": "web"},
                    "tolerations": [{"key": "role", "value": "web", "effect": "NoSchedule"}],
                    "containers": [{"name": "main", "image": image}],
                },
            },
            **spec,
        },
    }


MINUTE = timedelta(minutes=1).total_seconds()
