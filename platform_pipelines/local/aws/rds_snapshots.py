"""Snapshots of DB clusters: taken by hand, at the end of a cluster, or of a writer that lost its role.

https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/USER_CreateSnapshotCluster.html
"""

import uuid

from platform_pipelines.local.aws import rds_keys, rds_views, stores
from platform_pipelines.local.aws.rds_store import (
    LOOK,
    SNAPSHOTS,
    Record,
    check_name,
    find_cluster,
    name_of,
    refuse_others,
    region_of,
    set_tags,
    tags_of,
)
from platform_pipelines.local.aws.rds_views import shown
from platform_pipelines.local.aws.service import Call, Fault, Result, Service, operation
from platform_pipelines.local.aws.stores import frozen
from platform_pipelines.local.world import World

READY = "rds_snapshot_ready"
_EXISTS, _MISSING = "DBClusterSnapshotAlreadyExistsFault", "DBClusterSnapshotNotFoundFault"
_STATE = "InvalidDBClusterSnapshotStateFault"
_COPIED = (
    *("AvailabilityZones", "DBClusterIdentifier", "Engine", "EngineMode", "EngineVersion", "Port"),
    *("ClusterCreateTime", "MasterUsername", "StorageEncrypted", "DbClusterResourceId"),
    *("IAMDatabaseAuthenticationEnabled", "StorageType"),
)
_FILTERS: rds_views.Filters = {
    "db-cluster-id": lambda one: {one["DBClusterIdentifier"], one["_cluster"]},
    "db-cluster-snapshot-id": lambda one: {one["DBClusterSnapshotIdentifier"]},
    "snapshot-type": lambda one: {one["SnapshotType"]},
    "engine": lambda one: {one["Engine"]},
}


def take(world: World, cluster: Record, name: str, *, type_: str = "manual") -> Record:
    """Begin a snapshot of a cluster, in the cluster's Region."""
    account, region = cluster["DBClusterArn"].split(":")[4], region_of(cluster["DBClusterArn"])
    record = {key: cluster[key] for key in _COPIED if key in cluster}
    kms = {"KmsKeyId": cluster["KmsKeyId"]} if "KmsKeyId" in cluster else {}
    record |= kms | {"_cluster": cluster["DBClusterArn"]}
    return _begin(world, account, region, name, record | {"SnapshotType": type_})


def _begin(world: World, account: str, region: str, name: str, record: Record) -> Record:
    record |= {
        "DBClusterSnapshotIdentifier": name,
        "DBClusterSnapshotArn": f"arn:aws:rds:{region}:{account}:cluster-snapshot:{name}",
        "Status": record.get("Status", "creating"),
        "SnapshotCreateTime": world.now(),
        "PercentProgress": 0,
        "AllocatedStorage": 1,
        "LicenseModel": "general-public-license",
        "_id": uuid.uuid4().hex,
    }
    SNAPSHOTS.put(account, region, name, record)
    about = {"account": account, "place": region, "identifier": name}
    world.transition("db_snapshot_creating", READY, region=region, resource=name, **about)
    return record


class Snapshots(Service):
    """The operations of DB cluster snapshots."""

    def start(self) -> None:
        super().start()
        self.world.timers.on(READY, self._ready)

    @operation(
        raises=(_EXISTS, "DBClusterNotFoundFault", "InvalidDBClusterStateFault", "NotImplemented"),
        states="creating → available | failed",
    )
    def CreateDBClusterSnapshot(self, call: Call) -> Result:  # noqa: N802
        cluster = find_cluster(call, call.params["DBClusterIdentifier"])
        if cluster["Status"] != "available":
            message = f"Cluster {cluster['DBClusterIdentifier']} is {cluster['Status']}."
            raise Fault("InvalidDBClusterStateFault", message)
        name = _free_name(call, "DBClusterSnapshotIdentifier")
        record = take(self.world, cluster, name)
        set_tags(call.account, record["DBClusterSnapshotArn"], call.params.get("Tags", []))
        return {"DBClusterSnapshot": _view(call, record)}

    @operation(
        raises=(
            _EXISTS,
            _MISSING,
            _STATE,
            "InvalidParameterCombination",
            "KMSKeyNotAccessibleFault",
        ),
        states="copying → available | failed",
    )
    def CopyDBClusterSnapshot(self, call: Call) -> Result:  # noqa: N802
        """Also of another Region's, which must be reached."""
        source = _source(self.world, call)
        if source["Status"] != "available":
            raise Fault(_STATE, f"{source['DBClusterSnapshotIdentifier']} is {source['Status']}.")
        name = _free_name(call, "TargetDBClusterSnapshotIdentifier")
        record = {key: value for key, value in source.items() if key != "Status"}
        record |= {"Status": "copying", "SnapshotType": "manual"}
        record["SourceDBClusterSnapshotArn"] = source["DBClusterSnapshotArn"]
        record |= _key_of_copy(call, source)
        made = _begin(self.world, call.account, call.region, name, record)
        copied = tags_of(call.account, source["DBClusterSnapshotArn"])
        tags = call.params.get("Tags") or (copied if call.params.get("CopyTags") else [])
        set_tags(call.account, made["DBClusterSnapshotArn"], list(tags))
        return {"DBClusterSnapshot": _view(call, made)}

    @operation(raises=(_MISSING, "InvalidParameterValue", "NotImplemented"))
    def DescribeDBClusterSnapshots(self, call: Call) -> Result:  # noqa: N802
        refuse_others(
            call,
            frozenset({"DBClusterIdentifier", "DBClusterSnapshotIdentifier", "SnapshotType"})
            | {"Filters", "MaxRecords", "Marker"},
        )
        found = [one for one in SNAPSHOTS.of(call.account, call.region) if _asked(call, one)]
        if "DBClusterSnapshotIdentifier" in call.params and not found:
            name = call.params["DBClusterSnapshotIdentifier"]
            raise Fault(_MISSING, f"DBClusterSnapshot {name} not found.")
        found = rds_views.select(found, call.params, _FILTERS)
        return rds_views.paged(
            "DBClusterSnapshots", [_view(call, one) for one in found], call.params
        )

    @operation(raises=(_MISSING, _STATE))
    def DeleteDBClusterSnapshot(self, call: Call) -> Result:  # noqa: N802
        record = _find(call, call.region, call.params["DBClusterSnapshotIdentifier"])
        if record["Status"] not in ("available", "failed") or record["SnapshotType"] != "manual":
            message = "Only a manual snapshot that is available or failed can be deleted."
            raise Fault(_STATE, message)
        name = record["DBClusterSnapshotIdentifier"]
        SNAPSHOTS.drop(call.account, call.region, name)
        set_tags(call.account, record["DBClusterSnapshotArn"], [])
        return {"DBClusterSnapshot": _view(call, record) | {"Status": "deleted"}}

    def _ready(self, account: str, place: str, identifier: str, *, failed: bool = False) -> None:
        record = SNAPSHOTS.get(account, place, identifier)
        if record is None or record["Status"] not in ("creating", "copying"):
            return
        copied = record.get("SourceDBClusterSnapshotArn") or record["DBClusterSnapshotArn"]
        source = region_of(str(copied))
        if frozen(self.world, place) or stores.apart(self.world, place, source):
            about = {"account": account, "place": place, "identifier": identifier}
            self.world.timers.after(LOOK, READY, **about, failed=failed)
            return
        record["Status"] = "failed" if failed else "available"
        record["PercentProgress"] = 0 if failed else 100


def _free_name(call: Call, parameter: str) -> str:
    name = check_name(parameter, call.params[parameter])
    if SNAPSHOTS.get(call.account, call.region, name):
        raise Fault(_EXISTS, f"Cannot create the cluster snapshot {name}: it exists.")
    return name


def _source(world: World, call: Call) -> Record:
    identifier = call.params["SourceDBClusterSnapshotIdentifier"]
    region = region_of(identifier) if identifier.startswith("arn:") else call.region
    if region != call.region and stores.apart(world, region, call.region):
        raise Fault(_MISSING, f"DBClusterSnapshot {identifier} cannot be reached.")
    return _find(call, region, identifier)


def _find(call: Call, region: str, identifier: str) -> Record:
    name = identifier.partition(":cluster-snapshot:")[2] or identifier
    found = SNAPSHOTS.get(call.account, region, name) or SNAPSHOTS.get(
        call.account, region, name.lower()
    )
    if found is None:
        raise Fault(_MISSING, f"DBClusterSnapshot {identifier} not found.")
    return found


def _key_of_copy(call: Call, source: Record) -> Record:
    if not source["StorageEncrypted"]:
        return {}
    given = call.params.get("KmsKeyId")
    if given is None and region_of(source["DBClusterSnapshotArn"]) != call.region:
        message = "KmsKeyId is required to copy an encrypted snapshot from another Region."
        raise Fault("InvalidParameterCombination", message)
    return {"KmsKeyId": rds_keys.find(call, given)} if given else {}


def _asked(call: Call, one: Record) -> bool:
    wanted = call.params
    name = wanted.get("DBClusterSnapshotIdentifier", one["DBClusterSnapshotIdentifier"])
    cluster = name_of(str(wanted.get("DBClusterIdentifier") or one["DBClusterIdentifier"]))
    type_ = wanted.get("SnapshotType", one["SnapshotType"])
    return (
        name in (one["DBClusterSnapshotIdentifier"], one["DBClusterSnapshotArn"])
        and cluster == one["DBClusterIdentifier"]
        and type_ == one["SnapshotType"]
    )


def _view(call: Call, record: Record) -> Result:
    return shown(record) | {"TagList": tags_of(call.account, record["DBClusterSnapshotArn"])}
