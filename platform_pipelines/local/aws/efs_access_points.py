"""EFS: access points, an application's view of a file system: its path, its user.

A client token makes one access point; EFS says so instead of making a second one.
https://docs.aws.amazon.com/efs/latest/ug/API_CreateAccessPoint.html
"""

from platform_pipelines.local.aws import efs_records as records
from platform_pipelines.local.aws.efs_lifecycle import Lifecycle, Resource
from platform_pipelines.local.aws.efs_records import Record
from platform_pipelines.local.aws.service import Call, Fault, Result, Service, operation

STORE = "access_points"


def view(item: Record) -> Result:
    """An access point as DescribeAccessPoints has it."""
    empty = [key for key in ("PosixUser", "Name") if key == "Name" or not item.get(key)]
    return records.shown(item, *empty) | records.named(item)


class AccessPoints(Service):
    """The operations of access points."""

    lifecycle: Lifecycle

    @operation(
        raises=(
            "FileSystemNotFound",
            "IncorrectFileSystemLifeCycleState",
            "AccessPointAlreadyExists",
        ),
        states="creating → available | error",
    )
    def CreateAccessPoint(self, call: Call) -> Result:  # noqa: N802
        params = call.params
        files = records.available(params["FileSystemId"])["FileSystemId"]
        for item in records.store(STORE).values():
            if item["ClientToken"] == params["ClientToken"]:
                message = f"Access point {item['AccessPointId']!r} of this client token exists."
                known = {"AccessPointId": item["AccessPointId"]}
                raise Fault("AccessPointAlreadyExists", message, members=known)
        module = records.module()
        before = set(records.store(STORE).keys())
        module._create_access_point({**params, "FileSystemId": files})
        (identifier,) = set(records.store(STORE).keys()) - before
        record = records.access_point(identifier)
        record["RootDirectory"].setdefault("Path", "/")
        self.lifecycle.begin(
            _resource(call, identifier), records.CREATING, "efs_access_point_creating"
        )
        return view(record)

    @operation(raises=("BadRequest", "FileSystemNotFound", "AccessPointNotFound"))
    def DescribeAccessPoints(self, call: Call) -> Result:  # noqa: N802
        params = call.params
        if "AccessPointId" in params and "FileSystemId" in params:
            records.bad("AccessPointId and FileSystemId exclude each other.")
        found = list(records.store(STORE).values())
        if "AccessPointId" in params:
            found = [records.access_point(params["AccessPointId"])]
        elif "FileSystemId" in params:
            files = records.file_system(params["FileSystemId"])["FileSystemId"]
            found = records.of(STORE, files)
        marker = ("NextToken", "NextToken")
        part = records.paged(found, params, "AccessPoints", marker=marker, limit="MaxResults")
        return part | {"AccessPoints": [view(item) for item in part["AccessPoints"]]}

    @operation(raises=("AccessPointNotFound",), states="deleting → gone | error")
    def DeleteAccessPoint(self, call: Call) -> Result:  # noqa: N802
        record = records.access_point(call.params["AccessPointId"])
        if record["LifeCycleState"] != records.DELETING:
            one = _resource(call, record["AccessPointId"])
            self.lifecycle.remove(one, "efs_access_point_deleting")
        return {}


def _resource(call: Call, identifier: str) -> Resource:
    return Resource(account=call.account, region=call.region, store=STORE, id=identifier)
