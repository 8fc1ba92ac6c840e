"""Aurora global clusters over time: who is the writer, and how that changes.

A change of roles is accepted (`pending`), runs (`failing-over`) and ends with one writer. With data
loss allowed only the target's Region is needed. Without, it is a switchover: it needs both Regions
and stays pending while one is dark. The record is ministack's; our notes in it begin with `_`.
https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-global-database-disaster-recovery.html
"""

from typing import Any

from platform_pipelines.local import ministack
from platform_pipelines.local.aws import stores
from platform_pipelines.local.aws.service import Fault
from platform_pipelines.local.world import World

Record = dict[str, Any]

_BEGIN, _END, _RESYNC = "rds_global_begin", "rds_global_end", "rds_global_resync"
_LOOK = 5.0  # seconds between two looks at a Region that is dark
_PENDING = 0.1  # the part of a change that is spent in `pending`


class GlobalClusters:
    """The changes of roles of one world."""

    def __init__(self, world: World) -> None:
        self.world = world
        world.timers.on(_BEGIN, self._begin)
        world.timers.on(_END, self._end)
        world.timers.on(_RESYNC, self._resync)

    def change(self, account: str, identifier: str, target_id: str, *, data_loss: bool) -> Record:
        """Accept a failover (`data_loss`) or a switchover to a member. Raises: Fault."""
        record = find(account, identifier)
        if record["Status"] != "available":
            message = (
                f"Global cluster {identifier} is {record['Status']}; wait until it is available."
            )
            raise Fault("InvalidGlobalClusterStateFault", message)
        target = _target(account, record, target_id)
        writer = writer_of(record)
        record["FailoverState"] = {
            "Status": "pending",
            "FromDbClusterArn": writer["DBClusterArn"] if writer else "",
            "ToDbClusterArn": target["DBClusterArn"],
            "IsDataLossAllowed": data_loss,
        }
        record["Status"] = "failing-over" if data_loss else "switching-over"
        self._after(_PENDING * self._length, _BEGIN, account, identifier)
        return record

    @property
    def _length(self) -> float:
        return self.world.durations.aurora_failover

    def _after(self, delay: float, kind: str, account: str, identifier: str, **more: Any) -> None:
        self.world.timers.after(delay, kind, account=account, identifier=identifier, **more)

    def _begin(self, account: str, identifier: str) -> None:
        """From `pending` to `failing-over`, once the Regions that it needs are up."""
        record = _global_clusters().get_scoped(account, "", identifier)
        if record is None:
            return
        if self._blocked(record["FailoverState"]):
            self._after(_LOOK, _BEGIN, account, identifier)
            return
        state = record["FailoverState"]
        state["Status"] = "failing-over"
        for arn in (state["FromDbClusterArn"], state["ToDbClusterArn"]):
            if not self._dark(arn):
                _set_status(account, arn, record["Status"], "rebooting")
        self._after((1 - _PENDING) * self._length, _END, account, identifier)

    def _end(self, account: str, identifier: str) -> None:
        """The target is the only writer; the old one follows, or does when its Region is back."""
        record = _global_clusters().get_scoped(account, "", identifier)
        if record is None:
            return
        state = record["FailoverState"]
        if self._blocked(state):
            self._after(_LOOK, _END, account, identifier)
            return
        for member in record["GlobalClusterMembers"]:
            member["IsWriter"] = member["DBClusterArn"] == state["ToDbClusterArn"]
            if state["IsDataLossAllowed"] and not member["IsWriter"]:
                member["SynchronizationStatus"] = "pending-resync"
                arn = member["DBClusterArn"]
                self._after(_LOOK, _RESYNC, account, identifier, arn=arn, waited=False)
            else:
                member["SynchronizationStatus"] = "connected"
                _set_status(account, member["DBClusterArn"], "available", "available")
        record["FailoverState"], record["Status"] = None, "available"

    def _resync(self, account: str, identifier: str, arn: str, waited: bool) -> None:
        """An old writer is rebuilt as a secondary after its Region is back."""
        record = _global_clusters().get_scoped(account, "", identifier)
        members = record["GlobalClusterMembers"] if record else []
        member = next((item for item in members if item["DBClusterArn"] == arn), None)
        if member is None or member["IsWriter"]:
            return
        if self._dark(arn):
            self._after(_LOOK, _RESYNC, account, identifier, arn=arn, waited=False)
        elif not waited:
            self._after(self._length, _RESYNC, account, identifier, arn=arn, waited=True)
        else:
            member["SynchronizationStatus"] = "connected"
            _set_status(account, arn, "available", "available")

    def _blocked(self, state: Record) -> bool:
        needed = [state["ToDbClusterArn"]]
        if not state["IsDataLossAllowed"]:
            needed.append(state["FromDbClusterArn"])
        return any(self._dark(arn) for arn in needed)

    def _dark(self, arn: str) -> bool:
        return stores.dark(self.world, region_of(arn))


def find(account: str, identifier: str) -> Record:
    """A global cluster. Raises: Fault."""
    record: Record | None = _global_clusters().get_scoped(account, "", identifier)
    if record is None:
        raise Fault("GlobalClusterNotFoundFault", f"Global cluster {identifier} not found.", 404)
    return record


def all_of(account: str) -> list[Record]:
    """Every global cluster of an account."""
    return [record for (owner, _), record in _global_clusters()._data.items() if owner == account]


def writer_of(record: Record) -> Record | None:
    """The member that takes writes."""
    return next((item for item in record["GlobalClusterMembers"] if item["IsWriter"]), None)


def secondaries(record: Record) -> list[str]:
    """The ARNs of the members that only read."""
    members = record["GlobalClusterMembers"]
    return [item["DBClusterArn"] for item in members if not item["IsWriter"]]


def is_secondary(account: str, arn: str) -> bool:
    """Whether a DB cluster only reads, because another member of its global cluster writes."""
    return any(arn in secondaries(record) for record in all_of(account))


def endpoint_of(record: Record) -> str:
    """The global writer endpoint, which follows the writer."""
    mark = str(record["GlobalClusterResourceId"])[-12:]
    return f"{record['GlobalClusterIdentifier']}.global-{mark}.global.rds.amazonaws.com"


def region_of(arn: str) -> str:
    """The Region (AWS name) in an ARN."""
    return arn.split(":")[3]


def _global_clusters() -> Any:
    return ministack.service("rds")._global_clusters


def _cluster(account: str, arn: str) -> Record | None:
    stored = ministack.service("rds")._clusters
    found: Record | None = stored.get_scoped(account, region_of(arn), arn.split(":")[-1])
    return found


def _target(account: str, record: Record, target_id: str) -> Record:
    members = record["GlobalClusterMembers"]
    arns = [item["DBClusterArn"] for item in members]
    arn = next((item for item in arns if target_id in (item, item.split(":")[-1])), None)
    cluster = _cluster(account, arn) if arn else None
    if arn is None or cluster is None:
        message = f"DBCluster {target_id} is not a member of this global cluster."
        raise Fault("DBClusterNotFoundFault", message, 404)
    if not is_secondary(account, arn):
        message = f"DBCluster {target_id} is the primary already; name a secondary."
        raise Fault("InvalidGlobalClusterStateFault", message)
    if cluster["Status"] != "available" or not cluster["DBClusterMembers"]:
        message = f"DBCluster {target_id} must be available and have an instance to be promoted."
        raise Fault("InvalidDBClusterStateFault", message)
    return cluster


def _set_status(account: str, arn: str, status: str, instances: str) -> None:
    cluster = _cluster(account, arn)
    if cluster is None:
        return
    cluster["Status"] = status
    stored = ministack.service("rds")._instances
    for member in cluster["DBClusterMembers"]:
        name = member["DBInstanceIdentifier"]
        if instance := stored.get_scoped(account, region_of(arn), name):
            instance["DBInstanceStatus"] = instances
