"""RDS for PostgreSQL: instances that are in no DB cluster, over time.

A new one is backed up once before it is available. `rds_instances` has the operations, which are the
same as for the instances of clusters, and hands over to this.
https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/accessing-monitoring.html
"""

from typing import Any

from platform_pipelines.local.aws import (
    rds_db_snapshots,
    rds_postgres_create,
    rds_postgres_modify,
)
from platform_pipelines.local.aws.rds_events import note_instance
from platform_pipelines.local.aws.rds_postgres_standby import Standbys, has_standby
from platform_pipelines.local.aws.rds_store import INSTANCES, Record, set_tags
from platform_pipelines.local.aws.service import Call, Fault
from platform_pipelines.local.aws.stores import parked
from platform_pipelines.local.world import World

_CREATED, _BACKED_UP, _MODIFIED, _DELETED, _RESTARTED = (
    "rds_postgres_created",
    "rds_postgres_backed_up",
    "rds_postgres_modified",
    "rds_postgres_deleted",
    "rds_postgres_restarted",
)
_STATE = "InvalidDBInstanceState"


def stands_alone(instance: Record) -> bool:
    """Whether an instance is in no DB cluster."""
    return "DBClusterIdentifier" not in instance


class Postgres:
    """The PostgreSQL instances of one world."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._standbys = Standbys(world)
        world.timers.on(_CREATED, self._created)
        world.timers.on(_BACKED_UP, self._backed_up)
        world.timers.on(_MODIFIED, self._modified)
        world.timers.on(_DELETED, self._deleted)
        world.timers.on(_RESTARTED, self._restarted)

    def create(self, call: Call) -> Record:
        """Begin an instance. Raises: Fault."""
        record = rds_postgres_create.checked(self._world, call)
        INSTANCES.put(call.account, call.region, record["DBInstanceIdentifier"], record)
        set_tags(call.account, record["DBInstanceArn"], call.params.get("Tags", []))
        self._later("db_instance_creating", _CREATED, record)
        return record

    def modify(self, call: Call, record: Record) -> None:
        """Change an instance, at once or in its maintenance window. Raises: Fault."""
        _check_available(record)
        if rds_postgres_modify.apply(call, record) and call.params.get("ApplyImmediately"):
            record["DBInstanceStatus"] = "modifying"
            self._later("db_instance_modifying", _MODIFIED, record)

    def delete(self, call: Call, record: Record) -> None:
        """Delete an instance, with a last snapshot unless it is skipped. Raises: Fault."""
        if record["DeletionProtection"]:
            text = "Cannot delete protected DB Instance, please disable deletion protection and"
            raise Fault("InvalidParameterCombination", f"{text} try again.")
        if record["DBInstanceStatus"] == "deleting":
            raise Fault(_STATE, f"{record['DBInstanceIdentifier']} is being deleted already.")
        if name := rds_db_snapshots.final_name(call):
            rds_db_snapshots.take(self._world, record, name)
        record["DBInstanceStatus"] = "deleting"
        self._later("db_instance_deleting", _DELETED, record)

    def restart(self, call: Call, record: Record) -> None:
        """Restart an instance, or have its standby take over. Raises: Fault."""
        _check_available(record)
        forced = call.params.get("ForceFailover")
        if forced and not has_standby(record):
            text = "Cannot force a failover of an instance that is not Multi-AZ."
            raise Fault("InvalidParameterCombination", text)
        if forced:
            self._standbys.begin(record)
        else:
            record["DBInstanceStatus"] = "rebooting"
            self._later("db_instance_rebooting", _RESTARTED, record)
        for group in record["DBParameterGroups"]:
            group["ParameterApplyStatus"] = "in-sync"

    def _created(self, *, failed: bool = False, **about: Any) -> None:
        record = self._at(_CREATED, "creating", failed=failed, **about)
        if record is None:
            return
        if failed:
            record["DBInstanceStatus"] = "failed"
            note_instance(self._world, record, "DB instance creation failed", "failure")
            return
        note_instance(self._world, record, "DB instance created", "creation")
        self._available(record)
        if record["BackupRetentionPeriod"]:
            record["DBInstanceStatus"] = "backing-up"
            rds_db_snapshots.automated(self._world, record)
            self._later("db_snapshot_creating", _BACKED_UP, record)

    def _backed_up(self, *, failed: bool = False, **about: Any) -> None:
        record = self._at(_BACKED_UP, "backing-up", failed=failed, **about)
        if record is not None:
            self._available(record)

    def _modified(self, *, failed: bool = False, **about: Any) -> None:
        record = self._at(_MODIFIED, "modifying", failed=failed, **about)
        if record is None:
            return
        if failed:
            record["DBInstanceStatus"] = "failed"
            return
        rds_postgres_modify.finish(record)
        self._available(record)
        text = "Finished applying modification to DB instance"
        note_instance(self._world, record, text, "configuration change")

    def _restarted(self, *, failed: bool = False, **about: Any) -> None:
        record = self._at(_RESTARTED, "rebooting", failed=failed, **about)
        if record is not None:
            record["DBInstanceStatus"] = "failed" if failed else "available"
            note_instance(self._world, record, "DB instance restarted", "availability")

    def _deleted(self, *, failed: bool = False, **about: Any) -> None:
        record = self._at(_DELETED, "deleting", failed=failed, **about)
        if record is None:
            return
        if failed:
            record["DBInstanceStatus"] = "available"
            return
        note_instance(self._world, record, "DB instance deleted", "deletion")
        INSTANCES.drop(about["account"], about["place"], about["identifier"])
        set_tags(about["account"], record["DBInstanceArn"], [])

    def _available(self, record: Record) -> None:
        record["DBInstanceStatus"] = "available"
        self._standbys.look()  # its zone may have gone meanwhile

    def _at(
        self, kind: str, status: str, account: str, place: str, identifier: str, **more: Any
    ) -> Record | None:
        """The instance whose transition ends; None if it is not in it, or its Region stands still."""
        record = INSTANCES.get(account, place, identifier)
        if record is None or not stands_alone(record) or record["DBInstanceStatus"] != status:
            return None
        about = {"account": account, "place": place, "identifier": identifier}
        return None if parked(self._world, place, kind, **about, **more) else record

    def _later(self, name: str, kind: str, record: Record) -> None:
        _, _, _, place, account, *_, identifier = record["DBInstanceArn"].split(":")
        about = {"account": account, "place": place, "identifier": identifier}
        self._world.transition(name, kind, region=place, resource=identifier, **about)


def _check_available(record: Record) -> None:
    if record["DBInstanceStatus"] != "available":
        text = f"Instance {record['DBInstanceIdentifier']} is not in available state."
        raise Fault(_STATE, text)
