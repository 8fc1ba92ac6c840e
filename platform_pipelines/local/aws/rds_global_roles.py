"""The operations that change what the members of a global cluster are to each other.

https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-global-database-disaster-recovery.html
"""

from platform_pipelines.local.aws import rds_global
from platform_pipelines.local.aws.rds_events import note_cluster
from platform_pipelines.local.aws.rds_global import Views, find
from platform_pipelines.local.aws.rds_global_change import Changes
from platform_pipelines.local.aws.rds_global_clusters import check_available
from platform_pipelines.local.aws.rds_store import (
    GLOBALS,
    Record,
    cluster_by_arn,
    instances_of,
    name_of,
    region_of,
)
from platform_pipelines.local.aws.service import Call, Fault, Result, Service, operation
from platform_pipelines.local.aws.stores import parked

_DETACHED = "rds_global_detached"
_STATE = "InvalidGlobalClusterStateFault"
_FAILOVER = (
    *("DBClusterNotFoundFault", "GlobalClusterNotFoundFault"),
    *("InvalidDBClusterStateFault", _STATE),
)


class GlobalRoles(Service):
    """Failover, switchover, and detaching a member."""

    changes: Changes
    views: Views

    def start(self) -> None:
        super().start()
        self.world.timers.on(_DETACHED, self._detached)

    @operation(raises=_FAILOVER, states="promoting → available, outside of the global cluster")
    def RemoveFromGlobalCluster(self, call: Call) -> Result:  # noqa: N802
        """Detach a member; a secondary is promoted to stand alone, whatever became of the writer."""
        record = find(call.account, call.params["GlobalClusterIdentifier"])
        member, cluster = _member(call, record, call.params["DbClusterIdentifier"])
        if member["IsWriter"] and len(record["GlobalClusterMembers"]) > 1:
            text = f"Cannot remove the writer {member['DBClusterArn']} while there are secondaries."
            raise Fault(_STATE, text)
        if cluster["Status"] in ("creating", "deleting", "promoting"):
            text = f"{cluster['DBClusterIdentifier']} is {cluster['Status']}."
            raise Fault("InvalidDBClusterStateFault", text)
        if record["FailoverState"]:
            self.changes.cancel(record)
        cluster["Status"] = "modifying" if member["IsWriter"] else "promoting"
        about = {"account": call.account, "identifier": record["GlobalClusterIdentifier"]}
        arn = member["DBClusterArn"]
        where = {"region": region_of(arn), "resource": name_of(arn)}
        self.world.transition("aurora_detaching", _DETACHED, **where, **about, arn=arn)
        self.views.publish(call.account, record, call.region)
        return {"GlobalCluster": rds_global.view(call.account, record, call.region)}

    @operation(
        raises=(*_FAILOVER, "InvalidParameterCombination"),
        states="failing-over | switching-over → available",
    )
    def FailoverGlobalCluster(self, call: Call) -> Result:  # noqa: N802
        """Without AllowDataLoss it is a switchover, which waits for a writer that is cut off."""
        if call.params.get("AllowDataLoss") and call.params.get("Switchover"):
            text = "AllowDataLoss and Switchover cannot be given together."
            raise Fault("InvalidParameterCombination", text)
        return self._change(call, data_loss=bool(call.params.get("AllowDataLoss")))

    @operation(raises=_FAILOVER, states="switching-over → available")
    def SwitchoverGlobalCluster(self, call: Call) -> Result:  # noqa: N802
        return self._change(call, data_loss=False)

    def _change(self, call: Call, *, data_loss: bool) -> Result:
        record = find(call.account, call.params["GlobalClusterIdentifier"])
        check_available(record)
        _, target = _member(call, record, call.params["TargetDbClusterIdentifier"])
        _check_target(record, target)
        self.changes.accept(record, target, data_loss=data_loss, asked_in=call.region)
        return {"GlobalCluster": rds_global.view(call.account, record, call.region)}

    def _detached(self, account: str, identifier: str, arn: str, *, failed: bool = False) -> None:
        record, cluster = GLOBALS.get(account, identifier), cluster_by_arn(arn)
        if record is None or cluster is None or cluster["Status"] not in ("promoting", "modifying"):
            return
        about = {"account": account, "identifier": identifier, "arn": arn}
        if parked(self.world, region_of(arn), _DETACHED, **about, failed=failed):
            return
        cluster["Status"] = "available"
        if failed:
            return
        members = record["GlobalClusterMembers"]
        record["GlobalClusterMembers"] = [one for one in members if one["DBClusterArn"] != arn]
        cluster.pop("ReplicationSourceIdentifier", None)
        if cluster["_writer"] is None:
            first = min(instances_of(cluster), key=lambda one: one["PromotionTier"], default=None)
            cluster["_writer"] = first["DBInstanceIdentifier"] if first else None
        note_cluster(
            self.world, cluster, "DB cluster promoted to a standalone cluster.", "notification"
        )
        self.views.publish(account, record, region_of(arn))


def _member(call: Call, record: Record, identifier: str) -> tuple[Record, Record]:
    """A member given by its ARN, or by its name in the call's Region."""
    local = f"arn:aws:rds:{call.region}:{call.account}:cluster:{identifier.lower()}"
    arn = identifier if identifier.startswith("arn:") else local
    member, cluster = rds_global.member_of(record, arn), cluster_by_arn(arn)
    if member is None or cluster is None:
        text = f"DBCluster {identifier} is not a member of {record['GlobalClusterIdentifier']}."
        raise Fault("DBClusterNotFoundFault", text)
    return member, cluster


def _check_target(record: Record, target: Record) -> None:
    name, arn = target["DBClusterIdentifier"], target["DBClusterArn"]
    writer = rds_global.writer_of(record)
    if arn not in rds_global.secondaries(record):
        raise Fault(_STATE, f"DBCluster {name} is the primary already; name a secondary.")
    if target["Status"] != "available" or not instances_of(target):
        text = f"DBCluster {name} must be available and have an instance to be promoted."
        raise Fault("InvalidDBClusterStateFault", text)
    source = cluster_by_arn(writer["DBClusterArn"]) if writer else None
    if source and source["EngineVersion"] != target["EngineVersion"]:
        text = f"Target cluster {name} must have the same engine version as the current primary"
        raise Fault("InvalidDBClusterStateFault", f"{text} cluster.")
