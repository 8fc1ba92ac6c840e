"""Launching the nodes of node groups, as their Auto Scaling groups do: each into its emptiest zone.

A zone that is lost is left out; one that refuses is passed over. What was refused is told to EKS and
tried again, until everything was launched.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from platform_pipelines.local.kube.controllers.cluster import (
    Cluster,
    Joining,
    NodeGroup,
    Refusal,
)

RETRY = 30.0  # AWS-like seconds until a launch that was refused is tried again
LOST = Refusal(
    code="AsgInstanceLaunchFailures",
    message="Could not launch On-Demand Instances. Unavailable - The requested Availability Zone "
    "is currently unavailable. Launching EC2 instance failed.",
)


class Launches:
    """The instances of one cluster that are on their way."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._joining: list[Joining] = []
        self._retry: dict[str, float] = {}  # by node group: when to try again what was refused

    @property
    def groups(self) -> set[str]:
        """The groups that have instances on their way."""
        return {one.group for one in self._joining}

    def waiting(self, group: str) -> int:
        """How many of a group are on their way."""
        return sum(1 for one in self._joining if one.group == group)

    def launch(self, group: NodeGroup, count: int, zones: Iterable[str], joined_at: float) -> bool:
        """Launch instances, beside those in `zones`; whether anything was tried."""
        if self._cluster.now() < self._retry.get(group.name, 0.0):
            return False
        used = Counter(zones)
        used.update(one.zone for one in self._joining if one.group == group.name)
        refusals: dict[str, Refusal] = {}
        launched = 0
        while launched < count and (zone := self._place(group, used, refusals)):
            self._joining.append(
                Joining(
                    group=group.name,
                    zone=zone,
                    instance_type=group.instance_type,
                    due=joined_at,
                )
            )
            used[zone] += 1
            launched += 1
        self._tell(group, () if launched == count else tuple(refusals.values()))
        return True

    def cancel(self, group: str, kept: int) -> None:
        """Take back what is on its way, but `kept`."""
        ours = [one for one in self._joining if one.group == group]
        others = [one for one in self._joining if one.group != group]
        self._joining = others + ours[: max(0, kept)]
        self._retry.pop(group, None)

    def due(self) -> list[Joining]:
        """Those that join now; one whose zone stands still joins when that is back."""
        now, cluster = self._cluster.now(), self._cluster
        joined = [one for one in self._joining if one.due <= now and not cluster.silent(one.zone)]
        self._joining = [one for one in self._joining if one not in joined]
        return joined

    def at_once(self) -> None:
        """Something changed: try again now what was refused."""
        self._retry.clear()

    def _place(
        self, group: NodeGroup, used: Counter[str], refusals: dict[str, Refusal]
    ) -> str | None:
        """The zone for the next instance; None when each of them refuses."""
        region = self._cluster.region
        zones = [zone for zone in group.zones if zone in region.zones] or list(region.zones)
        for zone in sorted(zones, key=lambda one: (used[one], region.zones.index(one))):
            if self._cluster.world.zone_down(region, zone):
                refusals.setdefault(zone, LOST)
                continue
            refusal = self._cluster.outside.refusal(region, group, zone, self._joining)
            if refusal is None:
                return zone
            refusals[zone] = refusal
        return None

    def _tell(self, group: NodeGroup, refusals: tuple[Refusal, ...]) -> None:
        self._cluster.outside.report(
            self._cluster.region, group.name, tuple(dict.fromkeys(refusals))
        )
        self._retry.pop(group.name, None)
        if refusals:
            self._retry[group.name] = self._cluster.now() + RETRY

    def dump(self) -> Any:
        """What is on its way, as JSON values."""
        return {"joining": [asdict(one) for one in self._joining], "retry": self._retry}

    def load(self, state: Any) -> None:
        """Go on with what `dump` gave."""
        self._joining = [Joining(**one) for one in state["joining"]]
        self._retry = dict(state["retry"])
