"""The operations of DB clusters: created, changed, failed over and deleted over time.

https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/accessing-monitoring.html#Aurora.Status
"""

from typing import Any

from platform_pipelines.local.aws import (
    rds_cluster_create,
    rds_cluster_delete,
    rds_cluster_modify,
    rds_global,
    rds_snapshots,
    rds_views,
)
from platform_pipelines.local.aws.rds_cluster_view import (
    ENDPOINT_FILTERS,
    FILTERS,
    endpoints,
    view,
)
from platform_pipelines.local.aws.rds_events import note_cluster
from platform_pipelines.local.aws.rds_failover import Failovers
from platform_pipelines.local.aws.rds_global import Views
from platform_pipelines.local.aws.rds_store import (
    CLUSTERS,
    INSTANCES,
    LOOK,
    Record,
    find_cluster,
    instances_of,
    name_of,
    set_tags,
)
from platform_pipelines.local.aws.service import Call, Fault, Result, Service, operation
from platform_pipelines.local.aws.stores import parked

_CREATED, _DELETED = "rds_cluster_created", "rds_cluster_deleted"
_MODIFIED, _UPGRADED = "rds_cluster_modified", "rds_cluster_upgraded"
_STATE = "InvalidDBClusterStateFault"


class Clusters(Service):
    """The operations of DB clusters."""

    failovers: Failovers
    views: Views

    def start(self) -> None:
        super().start()
        timers = self.world.timers
        timers.on(_CREATED, self._created)
        timers.on(_DELETED, self._deleted)
        timers.on(_MODIFIED, self._modified)
        timers.on(_UPGRADED, self._upgraded)

    @operation(raises=rds_cluster_create.RAISES, states="creating → available | failed")
    def CreateDBCluster(self, call: Call) -> Result:  # noqa: N802
        record = rds_cluster_create.checked(self.world, call)
        CLUSTERS.put(call.account, call.region, record["DBClusterIdentifier"], record)
        set_tags(call.account, record["DBClusterArn"], call.params.get("Tags", []))
        if wanted := call.params.get("GlobalClusterIdentifier"):
            joins = rds_global.find(call.account, wanted)
            first = not joins["GlobalClusterMembers"]
            entry = rds_global.member(record["DBClusterArn"], writer=first)
            joins["GlobalClusterMembers"].append(entry)
            self.views.publish(call.account, joins, call.region)
        self._later("db_cluster_creating", _CREATED, record)
        return {"DBCluster": view(call, record)}

    @operation(raises=("DBClusterNotFoundFault", "InvalidParameterValue"))
    def DescribeDBClusters(self, call: Call) -> Result:  # noqa: N802
        asked = call.params.get("DBClusterIdentifier")
        found = [find_cluster(call, asked)] if asked else CLUSTERS.of(call.account, call.region)
        found = rds_views.select(found, call.params, FILTERS)
        return rds_views.paged("DBClusters", [view(call, one) for one in found], call.params)

    @operation(
        raises=rds_cluster_modify.RAISES, states="modifying | upgrading → available | failed"
    )
    def ModifyDBCluster(self, call: Call) -> Result:  # noqa: N802
        """Settings apply at once; a new engine version takes the instances down for a while."""
        record = find_cluster(call, call.params["DBClusterIdentifier"])
        _check_available(record)
        version = rds_cluster_modify.checked(call, record)
        rds_cluster_modify.apply(call, record)
        if version is not None:
            record |= {"Status": "upgrading", "_version": version}
            for one in instances_of(record):
                one["DBInstanceStatus"] = "upgrading"
            self._later("db_cluster_upgrading", _UPGRADED, record)
        else:
            record["Status"] = "modifying"
            self._later("db_cluster_modifying", _MODIFIED, record)
        return {"DBCluster": view(call, record)}

    @operation(
        raises=(
            *("DBClusterNotFoundFault", "DBClusterSnapshotAlreadyExistsFault", _STATE),
            *("InvalidParameterCombination", "InvalidParameterValue"),
        ),
        states="deleting → gone",
    )
    def DeleteDBCluster(self, call: Call) -> Result:  # noqa: N802
        record = find_cluster(call, call.params["DBClusterIdentifier"])
        rds_cluster_delete.check(call, record)
        if name := rds_cluster_delete.final_snapshot(call):
            rds_snapshots.take(self.world, record, name)
        record["Status"] = "deleting"
        self._later("db_cluster_deleting", _DELETED, record)
        return {"DBCluster": view(call, record)}

    @operation(
        raises=("DBClusterNotFoundFault", _STATE, "InvalidDBInstanceState"),
        states="failing-over → available",
    )
    def FailoverDBCluster(self, call: Call) -> Result:  # noqa: N802
        record = find_cluster(call, call.params["DBClusterIdentifier"])
        _check_available(record)
        target = self._target(call, record)
        self.failovers.begin(record, target)
        return {"DBCluster": view(call, record)}

    @operation(raises=("DBClusterNotFoundFault", "InvalidParameterValue"))
    def DescribeDBClusterEndpoints(self, call: Call) -> Result:  # noqa: N802
        """The writer's endpoint of a secondary is inactive."""
        asked = call.params.get("DBClusterIdentifier")
        found = [find_cluster(call, asked)] if asked else CLUSTERS.of(call.account, call.region)
        shown_ = [one for cluster in found for one in endpoints(call, cluster)]
        shown_ = rds_views.select(shown_, call.params, ENDPOINT_FILTERS)
        return rds_views.paged("DBClusterEndpoints", shown_, call.params)

    def _target(self, call: Call, record: Record) -> str:
        if rds_global.is_secondary(call.account, record["DBClusterArn"]):
            text = f"{record['DBClusterIdentifier']} is a secondary cluster of a global cluster."
            raise Fault(_STATE, text)
        best = self.failovers.best(record)
        if best is None:
            text = f"DB cluster {record['DBClusterIdentifier']} has no reader to fail over to."
            raise Fault(_STATE, text)
        asked = call.params.get("TargetDBInstanceIdentifier")
        if asked is None:
            return str(best["DBInstanceIdentifier"])
        readers = {one["DBInstanceIdentifier"] for one in instances_of(record)} - {
            record["_writer"]
        }
        target = INSTANCES.get(call.account, call.region, name_of(asked))
        if target is None or name_of(asked) not in readers or not self.failovers.runs(target):
            text = f"{asked} is not an available reader of this DB cluster."
            raise Fault("InvalidDBInstanceState", text)
        return name_of(asked)

    def _later(self, name: str, kind: str, record: Record) -> None:
        about = _about(record)
        resource = record["DBClusterIdentifier"]
        self.world.transition(name, kind, region=about["place"], resource=resource, **about)

    def _due(
        self, kind: str, account: str, place: str, identifier: str, **more: Any
    ) -> Record | None:
        """The cluster whose transition ends; None if it is gone, or its Region stands still."""
        record = CLUSTERS.get(account, place, identifier)
        if record is None or parked(self.world, place, kind, **_about(record), **more):
            return None
        return record

    def _created(self, *, failed: bool = False, **about: Any) -> None:
        record = self._due(_CREATED, **about, failed=failed)
        if record is not None and record["Status"] == "creating":
            record["Status"] = "failed" if failed else "available"
            text, category = ("DB cluster creation failed", "failure") if failed else _BORN
            note_cluster(self.world, record, text, category)

    def _modified(self, *, failed: bool = False, **about: Any) -> None:
        record = self._due(_MODIFIED, **about, failed=failed)
        if record is not None and record["Status"] == "modifying":
            record["Status"] = "failed" if failed else "available"

    def _upgraded(self, *, failed: bool = False, **about: Any) -> None:
        record = self._due(_UPGRADED, **about, failed=failed)
        if record is None or "_version" not in record:
            return
        version = record.pop("_version")
        if not failed:
            record["EngineVersion"] = version
            text = f"Database cluster engine version upgraded to {version}."
            note_cluster(self.world, record, text, "maintenance")
            self._tell_global(about["account"], record)
        record["Status"] = "available"
        for one in instances_of(record):
            one |= {"DBInstanceStatus": "available", "EngineVersion": record["EngineVersion"]}

    def _tell_global(self, account: str, record: Record) -> None:
        """A global cluster has the version of its writer."""
        joined = rds_global.joined(account, record["DBClusterArn"])
        writer = rds_global.writer_of(joined) if joined else None
        if joined and writer and writer["DBClusterArn"] == record["DBClusterArn"]:
            joined["EngineVersion"] = record["EngineVersion"]
            self.views.publish(account, joined, rds_global.region_of(record["DBClusterArn"]))

    def _deleted(self, *, failed: bool = False, **about: Any) -> None:
        record = self._due(_DELETED, **about, failed=failed)
        if record is None or record["Status"] != "deleting":
            return
        if failed:
            record["Status"] = "available"
        elif instances_of(record):
            self.world.timers.after(LOOK, _DELETED, **about)
        else:
            note_cluster(self.world, record, "DB cluster deleted", "deletion")
            CLUSTERS.drop(about["account"], about["place"], about["identifier"])
            set_tags(about["account"], record["DBClusterArn"], [])


_BORN = ("DB cluster created", "creation")


def _check_available(record: Record) -> None:
    if record["Status"] != "available":
        text = f"DB cluster {record['DBClusterIdentifier']} is not in available state"
        raise Fault(_STATE, f"{text}: it is {record['Status']}.")


def _about(record: Record) -> dict[str, Any]:
    parts = record["DBClusterArn"].split(":")
    return {"account": parts[4], "place": parts[3], "identifier": parts[-1]}
