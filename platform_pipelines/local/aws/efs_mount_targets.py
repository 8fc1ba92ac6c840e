"""EFS: mount targets, one a zone, each with a network interface in a subnet.

A mount target of a lost zone is still described as `available`, as on AWS, but answers no client:
`serving` tells which ones do.
https://docs.aws.amazon.com/efs/latest/ug/API_CreateMountTarget.html
"""

from platform_pipelines.local.aws import efs_records as records
from platform_pipelines.local.aws import stores
from platform_pipelines.local.aws.efs_lifecycle import Lifecycle, Resource
from platform_pipelines.local.aws.efs_records import Record
from platform_pipelines.local.aws.service import Call, Fault, Result, Service, operation
from platform_pipelines.local.world import World

STORE = "mount_targets"
_GROUPS = 5  # security groups of a mount target
_CREATE = (
    *("BadRequest", "FileSystemNotFound", "IncorrectFileSystemLifeCycleState"),
    *("SubnetNotFound", "SecurityGroupNotFound", "SecurityGroupLimitExceeded"),
    *("MountTargetConflict", "IpAddressInUse", "NoFreeAddressesInSubnet"),
    "AvailabilityZonesMismatch",
)


def view(item: Record) -> Result:
    """A mount target as DescribeMountTargets has it."""
    return records.shown(item, "SecurityGroups", "IpAddressType", "MountTargetArn")


def serving(world: World, account: str, region: str, file_system: str) -> list[str]:
    """The zones of a Region (AWS name) in which clients reach a file system now."""
    known = world.region_of(region)
    if known is None or world.dark(known):
        return []
    found = [
        item
        for item in records.store(STORE).values_scoped(account, region)
        if item["FileSystemId"] == file_system and item["LifeCycleState"] == records.AVAILABLE
    ]
    zones = [str(item["AvailabilityZoneName"]) for item in found]
    return [zone for zone in zones if not world.zone_down(known, zone)]


class MountTargets(Service):
    """The operations of mount targets."""

    lifecycle: Lifecycle

    @operation(raises=_CREATE, states="creating → available | error")
    def CreateMountTarget(self, call: Call) -> Result:  # noqa: N802
        records.available(call.params["FileSystemId"])
        _check_groups(call.params.get("SecurityGroups", []))
        identifier = stores.ask(call)["MountTargetId"]
        one = _resource(call, identifier)
        self.lifecycle.begin(one, records.CREATING, "efs_mount_target_creating")
        return view(records.mount_target(identifier))

    @operation(
        raises=("BadRequest", "FileSystemNotFound", "MountTargetNotFound", "AccessPointNotFound")
    )
    def DescribeMountTargets(self, call: Call) -> Result:  # noqa: N802
        marker = ("Marker", "NextMarker")
        found = _wanted(call)
        part = records.paged(found, call.params, "MountTargets", marker=marker, limit="MaxItems")
        sent = {"Marker": call.params["Marker"]} if "Marker" in call.params else {}
        return part | sent | {"MountTargets": [view(item) for item in part["MountTargets"]]}

    @operation(raises=("MountTargetNotFound",), states="deleting → gone | error")
    def DeleteMountTarget(self, call: Call) -> Result:  # noqa: N802
        record = records.mount_target(call.params["MountTargetId"])
        if record["LifeCycleState"] != records.DELETING:
            one = _resource(call, record["MountTargetId"])
            self.lifecycle.remove(one, "efs_mount_target_deleting")
        return {}

    @operation(raises=("MountTargetNotFound", "IncorrectMountTargetState"))
    def DescribeMountTargetSecurityGroups(self, call: Call) -> Result:  # noqa: N802
        return {"SecurityGroups": list(_usable(call.params["MountTargetId"])["SecurityGroups"])}

    @operation(
        raises=(
            *("MountTargetNotFound", "IncorrectMountTargetState", "SecurityGroupNotFound"),
            "SecurityGroupLimitExceeded",
        )
    )
    def ModifyMountTargetSecurityGroups(self, call: Call) -> Result:  # noqa: N802
        _usable(call.params["MountTargetId"])
        _check_groups(call.params.get("SecurityGroups", []))
        stores.ask(call)
        return {}


def _wanted(call: Call) -> list[Record]:
    """The mount targets that one of three ids names; exactly one must be given. Raises: Fault."""
    params = call.params
    if len(params.keys() & {"FileSystemId", "MountTargetId", "AccessPointId"}) != 1:
        records.bad("Exactly one of FileSystemId, MountTargetId and AccessPointId is needed.")
    if "MountTargetId" in params:
        return [records.mount_target(params["MountTargetId"])]
    if "AccessPointId" in params:
        return records.of(STORE, records.access_point(params["AccessPointId"])["FileSystemId"])
    return records.of(STORE, records.file_system(params["FileSystemId"])["FileSystemId"])


def _usable(identifier: str) -> Record:
    record = records.mount_target(identifier)
    if record["LifeCycleState"] != records.AVAILABLE:
        message = f"Mount target {identifier!r} is {record['LifeCycleState']}, not available."
        raise Fault("IncorrectMountTargetState", message)
    return record


def _check_groups(groups: list[str]) -> None:
    if len(groups) > _GROUPS:
        raise Fault("SecurityGroupLimitExceeded", f"A mount target has at most {_GROUPS} groups.")


def _resource(call: Call, identifier: str) -> Resource:
    return Resource(account=call.account, region=call.region, store=STORE, id=identifier)
