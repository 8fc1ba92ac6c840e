"""Snapshots of instances that are in no DB cluster: by hand, after creation, at the end.

https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_CreateSnapshot.html
"""

import time

from platform_pipelines.local.aws import rds_views
from platform_pipelines.local.aws.rds_store import (
    DB_SNAPSHOTS,
    Record,
    check_name,
    find_instance,
    name_of,
    refuse_others,
    set_tags,
    tags_of,
)
from platform_pipelines.local.aws.rds_views import shown
from platform_pipelines.local.aws.service import Call, Fault, Result, Service, operation
from platform_pipelines.local.aws.stores import parked
from platform_pipelines.local.world import World

READY = "rds_db_snapshot_ready"
EXISTS, _MISSING, _STATE = "DBSnapshotAlreadyExists", "DBSnapshotNotFound", "InvalidDBSnapshotState"
_COPIED = (
    *("AllocatedStorage", "AvailabilityZone", "DBInstanceIdentifier", "DbiResourceId", "Engine"),
    *("EngineVersion", "IAMDatabaseAuthenticationEnabled", "InstanceCreateTime", "Iops"),
    *("KmsKeyId", "LicenseModel", "MasterUsername", "StorageThroughput", "StorageType"),
)
_FILTERS: rds_views.Filters = {
    "db-instance-id": lambda one: {one["DBInstanceIdentifier"]},
    "db-snapshot-id": lambda one: {one["DBSnapshotIdentifier"]},
    "dbi-resource-id": lambda one: {one["DbiResourceId"]},
    "snapshot-type": lambda one: {one["SnapshotType"]},
    "engine": lambda one: {one["Engine"]},
}
_ASKED = frozenset(
    {
        *("DBInstanceIdentifier", "DBSnapshotIdentifier", "DbiResourceId", "Filters"),
        *("Marker", "MaxRecords", "SnapshotType"),
    }
)


def take(world: World, instance: Record, name: str, *, type_: str = "manual") -> Record:
    """Begin a snapshot of an instance."""
    _, _, _, region, account, *_ = instance["DBInstanceArn"].split(":")
    record = {key: instance[key] for key in _COPIED if key in instance}
    record |= {
        "DBSnapshotIdentifier": name,
        "DBSnapshotArn": f"arn:aws:rds:{region}:{account}:snapshot:{name}",
        "Encrypted": instance["StorageEncrypted"],
        "PercentProgress": 0,
        "Port": instance["Endpoint"]["Port"],
        "SnapshotCreateTime": world.now(),
        "SnapshotTarget": "region",
        "SnapshotType": type_,
        "Status": "creating",
    }
    DB_SNAPSHOTS.put(account, region, name, record)
    if instance["CopyTagsToSnapshot"]:
        set_tags(
            account, record["DBSnapshotArn"], list(tags_of(account, instance["DBInstanceArn"]))
        )
    about = {"account": account, "place": region, "identifier": name}
    world.transition("db_snapshot_creating", READY, region=region, resource=name, **about)
    return record


def automated(world: World, instance: Record) -> Record:
    """Begin the backup that RDS makes of a new instance."""
    stamp = time.strftime("%Y-%m-%d-%H-%M", time.gmtime(world.now()))
    name = f"rds:{instance['DBInstanceIdentifier']}-{stamp}"
    return take(world, instance, name, type_="automated")


def final_name(call: Call) -> str | None:
    """The name of the snapshot that a deletion leaves, if it leaves one. Raises: Fault."""
    given, skip = call.params.get("FinalDBSnapshotIdentifier"), call.params.get("SkipFinalSnapshot")
    if bool(given) == bool(skip):
        text = (
            "FinalDBSnapshotIdentifier can not be specified when deleting with SkipFinalSnapshot."
            if given
            else "FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified."
        )
        raise Fault("InvalidParameterCombination", text)
    return _free(call, "FinalDBSnapshotIdentifier") if given else None


class DbSnapshots(Service):
    """The operations of DB snapshots."""

    def start(self) -> None:
        super().start()
        self.world.timers.on(READY, self._ready_snapshot)

    @operation(
        raises=(
            *(EXISTS, "DBInstanceNotFound", "InvalidDBInstanceState"),
            *("InvalidParameterCombination", "InvalidParameterValue"),
        ),
        states="creating → available | failed",
    )
    def CreateDBSnapshot(self, call: Call) -> Result:  # noqa: N802
        instance = find_instance(call, call.params["DBInstanceIdentifier"])
        name = instance["DBInstanceIdentifier"]
        if "DBClusterIdentifier" in instance:
            text = f"{name} is a member of a cluster. Please use CreateDBClusterSnapshot instead."
            raise Fault("InvalidParameterCombination", text)
        if instance["DBInstanceStatus"] != "available":
            raise Fault("InvalidDBInstanceState", f"Instance {name} is not currently available.")
        record = take(self.world, instance, _free(call, "DBSnapshotIdentifier"))
        if tags := call.params.get("Tags"):
            set_tags(call.account, record["DBSnapshotArn"], tags)
        return {"DBSnapshot": _view(call, record)}

    @operation(raises=(_MISSING, "InvalidParameterValue", "NotImplemented"))
    def DescribeDBSnapshots(self, call: Call) -> Result:  # noqa: N802
        refuse_others(call, _ASKED)
        found = [one for one in DB_SNAPSHOTS.of(call.account, call.region) if _asked(call, one)]
        if "DBSnapshotIdentifier" in call.params and not found:
            raise Fault(_MISSING, f"DBSnapshot {call.params['DBSnapshotIdentifier']} not found.")
        found = rds_views.select(found, call.params, _FILTERS)
        return rds_views.paged("DBSnapshots", [_view(call, one) for one in found], call.params)

    @operation(raises=(_MISSING, _STATE))
    def DeleteDBSnapshot(self, call: Call) -> Result:  # noqa: N802
        identifier = call.params["DBSnapshotIdentifier"]
        record = DB_SNAPSHOTS.get(call.account, call.region, identifier.lower())
        if record is None:
            raise Fault(_MISSING, f"DBSnapshot {identifier} not found.")
        if record["Status"] not in ("available", "failed") or record["SnapshotType"] != "manual":
            text = "Only a manual snapshot that is available or failed can be deleted."
            raise Fault(_STATE, text)
        DB_SNAPSHOTS.drop(call.account, call.region, record["DBSnapshotIdentifier"])
        set_tags(call.account, record["DBSnapshotArn"], [])
        return {"DBSnapshot": _view(call, record) | {"Status": "deleted"}}

    def _ready_snapshot(
        self, account: str, place: str, identifier: str, *, failed: bool = False
    ) -> None:
        record = DB_SNAPSHOTS.get(account, place, identifier)
        if record is None or record["Status"] != "creating":
            return
        about = {"account": account, "place": place, "identifier": identifier}
        if parked(self.world, place, READY, **about, failed=failed):
            return
        record["Status"] = "failed" if failed else "available"
        record["PercentProgress"] = 0 if failed else 100


def _free(call: Call, parameter: str) -> str:
    name = check_name(parameter, call.params[parameter])
    if DB_SNAPSHOTS.get(call.account, call.region, name):
        raise Fault(EXISTS, f"Cannot create the snapshot because {name} already exists.")
    return name


def _asked(call: Call, one: Record) -> bool:
    wanted = call.params
    name = wanted.get("DBSnapshotIdentifier", one["DBSnapshotIdentifier"])
    instance = name_of(str(wanted.get("DBInstanceIdentifier") or one["DBInstanceIdentifier"]))
    return (
        name in (one["DBSnapshotIdentifier"], one["DBSnapshotArn"])
        and instance == one["DBInstanceIdentifier"]
        and wanted.get("SnapshotType", one["SnapshotType"]) == one["SnapshotType"]
        and wanted.get("DbiResourceId", one["DbiResourceId"]) == one["DbiResourceId"]
    )


def _view(call: Call, record: Record) -> Result:
    return shown(record) | {"TagList": tags_of(call.account, record["DBSnapshotArn"])}
