"""EFS: file systems, their throughput and their replication overwrite protection.

A file system is `creating` when CreateFileSystem returns. A DISABLED protection is read-only for
clients, as REPLICATING is.
https://docs.aws.amazon.com/efs/latest/ug/API_FileSystemDescription.html
"""

from typing import Any

from platform_pipelines.local.aws import efs_records as records
from platform_pipelines.local.aws import efs_replication as replication
from platform_pipelines.local.aws.answers import moment, taken
from platform_pipelines.local.aws.efs_lifecycle import Lifecycle, Resource
from platform_pipelines.local.aws.efs_records import Record
from platform_pipelines.local.aws.service import Call, Fault, Params, Result, Service, operation

STORE = "file_systems"
_THROUGHPUT_REST = 86_400.0  # seconds until throughput may be lowered, or its mode changed, again


def view(item: Record) -> Result:
    """A file system as DescribeFileSystems has it."""
    hidden = ["FileSystemPolicy", "Name"] + ([] if item.get("KmsKeyId") else ["KmsKeyId"])
    size = {**item["SizeInBytes"], "Timestamp": moment(item["SizeInBytes"]["Timestamp"])}
    return records.shown(item, *hidden) | {
        **records.named(item),
        "CreationTime": moment(item["CreationTime"]),
        "SizeInBytes": size,
        "FileSystemProtection": {"ReplicationOverwriteProtection": protection(item)},
    }


def protection(item: Record) -> str:
    """Its overwrite protection: ENABLED, DISABLED or REPLICATING."""
    return str(
        item.get("FileSystemProtection", {}).get("ReplicationOverwriteProtection", "ENABLED")
    )


class FileSystems(Service):
    """The operations of file systems."""

    lifecycle: Lifecycle

    def start(self) -> None:
        super().start()
        self.lifecycle = Lifecycle(self.world)

    @operation(
        raises=("BadRequest", "FileSystemAlreadyExists", "UnsupportedAvailabilityZone"),
        states="creating → available | error",
    )
    def CreateFileSystem(self, call: Call) -> Result:  # noqa: N802
        token = call.params["CreationToken"]
        for item in records.store(STORE).values():
            if item["CreationToken"] == token:
                message = (
                    f"File system {item['FileSystemId']!r} of creation token {token!r} exists."
                )
                known = {"FileSystemId": item["FileSystemId"]}
                raise Fault("FileSystemAlreadyExists", message, members=known)
        _check(call.params)
        self._check_zone(call)
        return view(self.create(call.account, call.region, call.params))

    @operation(raises=("BadRequest", "FileSystemNotFound"))
    def DescribeFileSystems(self, call: Call) -> Result:  # noqa: N802
        wanted, token = call.params.get("FileSystemId"), call.params.get("CreationToken")
        if wanted and token:
            records.bad("FileSystemId and CreationToken exclude each other.")
        found = [records.file_system(wanted)] if wanted else list(records.store(STORE).values())
        if token:
            found = [item for item in found if item["CreationToken"] == token]
        marker = ("Marker", "NextMarker")
        part = records.paged(found, call.params, "FileSystems", marker=marker, limit="MaxItems")
        return part | {"FileSystems": [view(item) for item in part["FileSystems"]]}

    @operation(raises=("FileSystemNotFound", "FileSystemInUse"), states="deleting → gone | error")
    def DeleteFileSystem(self, call: Call) -> Result:  # noqa: N802
        """An access point does not keep its file system."""
        record = records.file_system(call.params["FileSystemId"])
        identifier = record["FileSystemId"]
        if record["NumberOfMountTargets"]:
            raise Fault("FileSystemInUse", f"File system {identifier!r} has mount targets.")
        if replication.of(call.account, identifier) is not None:
            message = f"File system {identifier!r} is part of a replication configuration."
            raise Fault("FileSystemInUse", message)
        if record["LifeCycleState"] != records.DELETING:
            self.lifecycle.remove(_resource(call, identifier), "efs_file_system_deleting")
        return {}

    @operation(
        raises=(
            *("BadRequest", "FileSystemNotFound", "IncorrectFileSystemLifeCycleState"),
            "TooManyRequests",
        ),
        states="updating → available | error",
    )
    def UpdateFileSystem(self, call: Call) -> Result:  # noqa: N802
        record = records.available(call.params["FileSystemId"])
        wanted = {**taken(record, "ThroughputMode", "PerformanceMode"), **call.params}
        if wanted["ThroughputMode"] == "provisioned":
            wanted = {**taken(record, "ProvisionedThroughputInMibps"), **wanted}
        _check(wanted)
        self._check_rest(record, wanted)
        record["ThroughputMode"] = wanted["ThroughputMode"]
        record.pop("ProvisionedThroughputInMibps", None)
        record |= taken(wanted, "ProvisionedThroughputInMibps")
        identifier = record["FileSystemId"]
        transition = "efs_file_system_updating"
        self.lifecycle.begin(_resource(call, identifier), records.UPDATING, transition)
        return view(record)

    @operation(
        raises=(
            *("BadRequest", "FileSystemNotFound", "IncorrectFileSystemLifeCycleState"),
            "ReplicationAlreadyExists",
        )
    )
    def UpdateFileSystemProtection(self, call: Call) -> Result:  # noqa: N802
        """Only replication itself sets REPLICATING, and only its end takes that away."""
        record = records.available(call.params["FileSystemId"])
        value = call.params.get("ReplicationOverwriteProtection", protection(record))
        if replication.of(call.account, record["FileSystemId"]) is not None:
            message = f"File system {record['FileSystemId']!r} is part of a replication."
            raise Fault("ReplicationAlreadyExists", message)
        if value not in ("ENABLED", "DISABLED"):
            records.bad("ReplicationOverwriteProtection must be ENABLED or DISABLED.")
        record["FileSystemProtection"] = {"ReplicationOverwriteProtection": value}
        return {"ReplicationOverwriteProtection": value}

    def create(self, account: str, region: str, params: Params) -> Record:
        """A new file system in the Region in scope, `creating`."""
        module = records.module()
        before = set(module._file_systems.keys())
        module._create_file_system(dict(params))
        (identifier,) = set(module._file_systems.keys()) - before
        record: Record = module._file_systems[identifier]
        now = self.world.now()
        record |= {"CreationTime": now, "SizeInBytes": {"Value": 0, "Timestamp": now}}
        if params.get("Backup", "AvailabilityZoneName" in params):
            module._backup_policies[identifier] = {"Status": "ENABLED"}
        one = Resource(account=account, region=region, store=STORE, id=identifier)
        self.lifecycle.begin(one, records.CREATING, "efs_file_system_creating")
        return record

    def _check_zone(self, call: Call) -> None:
        zone = call.params.get("AvailabilityZoneName")
        known = self.world.region_of(call.region)
        if zone and (known is None or zone not in known.zones):
            message = f"The Availability Zone {zone!r} does not have One Zone storage."
            raise Fault("UnsupportedAvailabilityZone", message)

    def _check_rest(self, record: Record, wanted: Params) -> None:
        """A change is accepted once in 24 hours, but for raising what is provisioned."""
        before, after = (_provisioned(one) for one in (record, wanted))
        raised = before is not None and after is not None and after >= before
        if raised or _same_throughput(record, wanted):
            return
        now = self.world.now()
        if now - record.get("_throughput_at", now - _THROUGHPUT_REST) < _THROUGHPUT_REST:
            message = "Throughput can be lowered, or its mode changed, once in 24 hours."
            raise Fault("TooManyRequests", message)
        record["_throughput_at"] = now


def _resource(call: Call, identifier: str) -> Resource:
    return Resource(account=call.account, region=call.region, store=STORE, id=identifier)


def _provisioned(one: dict[str, Any]) -> float | None:
    value = one.get("ProvisionedThroughputInMibps")
    return None if one["ThroughputMode"] != "provisioned" or value is None else float(value)


def _same_throughput(one: dict[str, Any], other: dict[str, Any]) -> bool:
    keys = ("ThroughputMode", "ProvisionedThroughputInMibps")
    return all(one.get(key) == other.get(key) for key in keys)


def _check(params: Params) -> None:
    """What cannot be combined. Raises: Fault."""
    mode = params.get("ThroughputMode", "bursting")
    if (mode == "provisioned") != ("ProvisionedThroughputInMibps" in params):
        records.bad("ProvisionedThroughputInMibps goes with ThroughputMode provisioned only.")
    if params.get("PerformanceMode") == "maxIO":
        if mode == "elastic":
            records.bad("PerformanceMode maxIO is not supported with elastic throughput.")
        if "AvailabilityZoneName" in params:
            records.bad("PerformanceMode maxIO is not supported for One Zone file systems.")
    if params.get("KmsKeyId") and not params.get("Encrypted"):
        records.bad("A KmsKeyId needs Encrypted to be true.")
