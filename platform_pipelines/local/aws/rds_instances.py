"""The operations of DB instances: of those in DB clusters here, of the others in `rds_postgres`.

An instance runs in one zone; the first of a cluster becomes its writer.
https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/accessing-monitoring.html#Overview.DBInstance.Status
"""

from typing import Any

from platform_pipelines.local.aws import (
    rds_global,
    rds_instance_create,
    rds_monitoring,
    rds_postgres_create,
    rds_postgres_modify,
    rds_views,
)
from platform_pipelines.local.aws.rds_events import note_instance
from platform_pipelines.local.aws.rds_failover import Failovers
from platform_pipelines.local.aws.rds_instance_create import check_class, view
from platform_pipelines.local.aws.rds_postgres import Postgres, stands_alone
from platform_pipelines.local.aws.rds_store import (
    CLUSTERS,
    INSTANCES,
    LOOK,
    Record,
    find_instance,
    name_of,
    refuse_others,
    set_tags,
    zone_down,
)
from platform_pipelines.local.aws.service import Call, Fault, Result, Service, operation
from platform_pipelines.local.aws.stores import parked

_CREATED, _DELETED, _MODIFIED = (
    "rds_instance_created",
    "rds_instance_deleted",
    "rds_instance_modified",
)
_STATE = "InvalidDBInstanceState"
_MODIFY = frozenset(
    {
        *rds_instance_create.SETTINGS,
        *rds_monitoring.MEMBERS,
        *("ApplyImmediately", "DBInstanceClass", "DBInstanceIdentifier", "DBParameterGroupName"),
        "EngineVersion",
    }
)
_FILTERS: rds_views.Filters = {
    "db-cluster-id": lambda one: {one.get("DBClusterIdentifier", ""), one["_cluster"]},
    "db-instance-id": lambda one: {one["DBInstanceIdentifier"], one["DBInstanceArn"]},
    "dbi-resource-id": lambda one: {one["DbiResourceId"]},
    "domain": lambda _: set(),
    "engine": lambda one: {one["Engine"]},
}


class Instances(Service):
    """The operations of DB instances."""

    failovers: Failovers
    postgres: Postgres

    def start(self) -> None:
        super().start()
        self.world.timers.on(_CREATED, self._instance_created)
        self.world.timers.on(_DELETED, self._instance_deleted)
        self.world.timers.on(_MODIFIED, self._instance_modified)

    @operation(
        raises=(*rds_instance_create.RAISES, *rds_postgres_create.RAISES),
        states="creating → backing-up → available | failed",
    )
    def CreateDBInstance(self, call: Call) -> Result:  # noqa: N802
        if "DBClusterIdentifier" not in call.params:
            return {"DBInstance": view(call, self.postgres.create(call))}
        cluster, record = rds_instance_create.checked(self.world, call)
        INSTANCES.put(call.account, call.region, record["DBInstanceIdentifier"], record)
        set_tags(call.account, record["DBInstanceArn"], call.params.get("Tags", []))
        secondary = rds_global.is_secondary(call.account, cluster["DBClusterArn"])
        if cluster["_writer"] is None and not secondary:
            cluster["_writer"] = record["DBInstanceIdentifier"]
        self._transit("db_instance_creating", _CREATED, record)
        return {"DBInstance": view(call, record)}

    @operation(raises=("DBInstanceNotFound", "InvalidParameterValue"))
    def DescribeDBInstances(self, call: Call) -> Result:  # noqa: N802
        asked = call.params.get("DBInstanceIdentifier")
        found = [find_instance(call, asked)] if asked else INSTANCES.of(call.account, call.region)
        found = rds_views.select(found, call.params, _FILTERS)
        return rds_views.paged("DBInstances", [view(call, one) for one in found], call.params)

    @operation(raises=rds_postgres_modify.RAISES, states="modifying → available | failed")
    def ModifyDBInstance(self, call: Call) -> Result:  # noqa: N802
        """Another class waits for the maintenance window unless it is to apply immediately."""
        record = find_instance(call, call.params["DBInstanceIdentifier"])
        if stands_alone(record):
            self.postgres.modify(call, record)
            return {"DBInstance": view(call, record)}
        refuse_others(call, _MODIFY)
        _check_available(record)
        self._check_change(call, record)
        rds_instance_create.change(call, record)
        wanted = call.params.get("DBInstanceClass", record["DBInstanceClass"])
        if wanted != record["DBInstanceClass"]:
            record["PendingModifiedValues"] = {"DBInstanceClass": wanted}
            if call.params.get("ApplyImmediately"):
                record["DBInstanceStatus"] = "modifying"
                self._transit("db_instance_modifying", _MODIFIED, record)
        return {"DBInstance": view(call, record)}

    @operation(
        raises=(
            *("DBInstanceNotFound", "DBSnapshotAlreadyExists", _STATE),
            *("InvalidParameterCombination", "InvalidParameterValue"),
        ),
        states="deleting → gone",
    )
    def DeleteDBInstance(self, call: Call) -> Result:  # noqa: N802
        """Aurora keeps the data in the cluster, so an instance has no final snapshot."""
        record = find_instance(call, call.params["DBInstanceIdentifier"])
        if stands_alone(record):
            self.postgres.delete(call, record)
            return {"DBInstance": view(call, record)}
        if call.params.get("FinalDBSnapshotIdentifier"):
            text = "FinalDBSnapshotIdentifier cannot be specified for an instance of a DB cluster."
            raise Fault("InvalidParameterCombination", text)
        if record["DBInstanceStatus"] == "deleting":
            raise Fault(_STATE, f"{record['DBInstanceIdentifier']} is being deleted already.")
        record["DBInstanceStatus"] = "deleting"
        self._give_up_writing(call, record)
        self._transit("db_instance_deleting", _DELETED, record)
        return {"DBInstance": view(call, record)}

    @operation(
        raises=("DBInstanceNotFound", _STATE, "InvalidParameterCombination"),
        states="rebooting → available | failed",
    )
    def RebootDBInstance(self, call: Call) -> Result:  # noqa: N802
        record = find_instance(call, call.params["DBInstanceIdentifier"])
        if stands_alone(record):
            self.postgres.restart(call, record)
            return {"DBInstance": view(call, record)}
        if call.params.get("ForceFailover"):
            text = "ForceFailover cannot be specified for an instance of a DB cluster."
            raise Fault("InvalidParameterCombination", text)
        _check_available(record)
        self.failovers.restart(record)
        return {"DBInstance": view(call, record)}

    def _check_change(self, call: Call, record: Record) -> None:
        if call.params.get("EngineVersion", record["EngineVersion"]) != record["EngineVersion"]:
            text = "The specified DB Instance is a member of a cluster. Modify database engine"
            raise Fault(
                "InvalidParameterCombination", f"{text} version for the DB Cluster using it."
            )
        if "DBInstanceClass" in call.params:
            cluster = CLUSTERS.get(call.account, call.region, record["DBClusterIdentifier"])
            assert cluster is not None
            check_class(call, cluster)

    def _give_up_writing(self, call: Call, record: Record) -> None:
        """A reader takes over from a writer that is deleted."""
        cluster = CLUSTERS.get(call.account, call.region, record["DBClusterIdentifier"])
        if cluster is None or cluster["_writer"] != record["DBInstanceIdentifier"]:
            return
        if rds_global.is_secondary(call.account, cluster["DBClusterArn"]):
            cluster["_writer"] = None
        elif best := self.failovers.best(cluster):
            self.failovers.begin(cluster, best["DBInstanceIdentifier"])

    def _transit(self, name: str, kind: str, record: Record) -> None:
        about = _about(record)
        resource = record["DBInstanceIdentifier"]
        self.world.transition(name, kind, region=about["place"], resource=resource, **about)

    def _instance(
        self, kind: str, account: str, place: str, identifier: str, **more: Any
    ) -> Record | None:
        """The instance whose transition ends; None if it is gone, or its Region stands still."""
        record = INSTANCES.get(account, place, identifier)
        if record is None or parked(self.world, place, kind, **_about(record), **more):
            return None
        return record

    def _instance_created(self, *, failed: bool = False, **about: Any) -> None:
        record = self._instance(_CREATED, **about, failed=failed)
        if record is None or record["DBInstanceStatus"] != "creating":
            return
        cluster = CLUSTERS.get(about["account"], about["place"], record["DBClusterIdentifier"])
        lost = zone_down(self.world, about["place"], record["AvailabilityZone"])
        if cluster is not None and (cluster["Status"] == "creating" or lost) and not failed:
            self.world.timers.after(LOOK, _CREATED, **about)
            return
        record["DBInstanceStatus"] = "failed" if failed else "available"
        text, category = ("DB instance creation failed", "failure") if failed else _BORN
        note_instance(self.world, record, text, category)

    def _instance_modified(self, *, failed: bool = False, **about: Any) -> None:
        record = self._instance(_MODIFIED, **about, failed=failed)
        if record is None or record["DBInstanceStatus"] != "modifying":
            return
        pending = record.pop("PendingModifiedValues", {})
        record["DBInstanceStatus"] = "failed" if failed else "available"
        if not failed:
            record |= pending
            text = "Finished applying modification to DB instance class"
            note_instance(self.world, record, text, "configuration change")

    def _instance_deleted(self, *, failed: bool = False, **about: Any) -> None:
        record = self._instance(_DELETED, **about, failed=failed)
        if record is None or record["DBInstanceStatus"] != "deleting":
            return
        if failed:
            record["DBInstanceStatus"] = "available"
            return
        note_instance(self.world, record, "DB instance deleted", "deletion")
        INSTANCES.drop(about["account"], about["place"], about["identifier"])
        set_tags(about["account"], record["DBInstanceArn"], [])
        cluster = CLUSTERS.get(about["account"], about["place"], record["DBClusterIdentifier"])
        if cluster is not None and cluster["_writer"] == name_of(about["identifier"]):
            cluster["_writer"] = None


_BORN = ("DB instance created", "creation")


def _check_available(record: Record) -> None:
    if record["DBInstanceStatus"] != "available":
        text = f"Instance {record['DBInstanceIdentifier']} is not in available state."
        raise Fault(_STATE, text)


def _about(record: Record) -> dict[str, Any]:
    parts = record["DBInstanceArn"].split(":")
    return {"account": parts[4], "place": parts[3], "identifier": parts[-1]}
