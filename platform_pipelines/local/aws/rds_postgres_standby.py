"""The standby of a Multi-AZ instance: in another zone, it takes over when the instance's zone is lost
or somebody restarts the instance with a failover. The endpoint stays; nothing is lost.

https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Concepts.MultiAZSingleStandby.html
"""

from typing import Any

from platform_pipelines.local.aws.rds_events import note_instance
from platform_pipelines.local.aws.rds_store import INSTANCES, LOOK, Record, dark, zone_down
from platform_pipelines.local.world import World

_END = "rds_standby_serves"
_RUNNING = frozenset({"available", "backing-up", "modifying"})


def has_standby(instance: Record) -> bool:
    """Whether there is another zone to go on in."""
    return "SecondaryAvailabilityZone" in instance


class Standbys:
    """The failovers of one world's Multi-AZ instances."""

    def __init__(self, world: World) -> None:
        self._world = world
        world.timers.on(_END, self._end)
        world.on_change(self.look)

    def look(self) -> None:
        """See which instances have lost their zone."""
        for _, region, instance in INSTANCES.everywhere():
            lost = zone_down(self._world, region, instance["AvailabilityZone"])
            if lost and has_standby(instance) and instance["DBInstanceStatus"] in _RUNNING:
                self.begin(instance)

    def begin(self, instance: Record) -> None:
        """Have the standby take over; the instance is rebooting meanwhile."""
        instance["DBInstanceStatus"] = "rebooting"
        note_instance(self._world, instance, "Multi-AZ instance failover started.", "failover")
        _, _, _, place, account, *_, identifier = instance["DBInstanceArn"].split(":")
        about = {"account": account, "place": place, "identifier": identifier}
        where = {"region": place, "resource": identifier}
        self._world.transition("db_instance_failover", _END, **where, **about)

    def _end(self, account: str, place: str, identifier: str, *, failed: bool = False) -> None:
        instance = INSTANCES.get(account, place, identifier)
        if instance is None or instance["DBInstanceStatus"] != "rebooting":
            return
        there = instance.get("SecondaryAvailabilityZone")
        if there is None or dark(self._world, place) or zone_down(self._world, place, there):
            about: dict[str, Any] = {"account": account, "place": place, "identifier": identifier}
            self._world.timers.after(LOOK, _END, **about)
            return
        instance["DBInstanceStatus"] = "available"
        if not failed:
            here = instance["AvailabilityZone"]
            instance |= {"AvailabilityZone": there, "SecondaryAvailabilityZone": here}
        told = "failed" if failed else "completed"
        note_instance(self._world, instance, f"Multi-AZ instance failover {told}", "failover")
