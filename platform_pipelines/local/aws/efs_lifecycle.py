"""The states through which EFS's resources go: creating → available | error, deleting → gone | error.

One resource is a store's name and an id; the ends are timers, so a killed server goes on with them.
What is made in a lost zone stays `creating` until the zone is back.
"""

from dataclasses import asdict, dataclass

from platform_pipelines.local import ministack
from platform_pipelines.local.aws import efs_records as records
from platform_pipelines.local.aws.efs_records import Record
from platform_pipelines.local.world import World

_SETTLED, _GONE = "efs_settled", "efs_gone"
_LATER = 5.0  # AWS-like seconds until the next look at a lost zone


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """A file system, mount target or access point, wherever it is."""

    account: str
    region: str  # AWS name
    store: str  # file_systems, mount_targets, access_points
    id: str

    def record(self) -> Record | None:
        """What is known of it; None if it is gone."""
        found: Record | None = records.store(self.store).get_scoped(
            self.account, self.region, self.id
        )
        return found


class Lifecycle:
    """Begins and ends the states of one world's resources."""

    def __init__(self, world: World) -> None:
        self.world = world
        world.timers.on(_SETTLED, self._settled)
        world.timers.on(_GONE, self._gone)

    def begin(self, one: Resource, state: str, transition: str) -> None:
        """Enter `state`; after the transition it is available, or in error."""
        self._enter(one, state)
        self.world.transition(
            transition, _SETTLED, region=one.region, resource=one.id, one=asdict(one)
        )

    def remove(self, one: Resource, transition: str) -> None:
        """Enter `deleting`; after the transition it is gone, or in error."""
        self._enter(one, records.DELETING)
        self.world.transition(
            transition, _GONE, region=one.region, resource=one.id, one=asdict(one)
        )

    def _enter(self, one: Resource, state: str) -> None:
        record = one.record()
        assert record is not None, f"{one.id} is gone"
        record["LifeCycleState"] = state

    def _settled(self, one: dict[str, str], failed: bool = False) -> None:
        resource = Resource(**one)
        record = resource.record()
        if record is None or record["LifeCycleState"] == records.DELETING:
            return
        if self._zone_lost(resource, record):
            self.world.timers.after(_LATER, _SETTLED, one=one, failed=failed)
            return
        record["LifeCycleState"] = records.ERROR if failed else records.AVAILABLE

    def _gone(self, one: dict[str, str], failed: bool = False) -> None:
        resource = Resource(**one)
        record = resource.record()
        if record is None:
            return
        if failed:
            record["LifeCycleState"] = records.ERROR
            return
        with ministack.scope(resource.account, resource.region):
            del records.store(resource.store)[resource.id]
            _forget(resource, record)

    def _zone_lost(self, resource: Resource, record: Record) -> bool:
        region, zone = self.world.region_of(resource.region), record.get("AvailabilityZoneName")
        return region is not None and zone is not None and self.world.zone_down(region, zone)


def _forget(resource: Resource, record: Record) -> None:
    """What goes with a resource of the Region in scope."""
    if resource.store == "mount_targets":
        files = records.store("file_systems").get(record["FileSystemId"])
        if files is not None:
            files["NumberOfMountTargets"] -= 1
    if resource.store == "file_systems":
        for point in records.of("access_points", resource.id):
            del records.store("access_points")[point["AccessPointId"]]
        records.module()._lifecycle_configs.pop(resource.id, None)
        records.module()._backup_policies.pop(resource.id, None)
