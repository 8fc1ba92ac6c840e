"""How an Aurora global cluster changes its writer, over time.

A change is accepted (`pending`), runs (`failing-over` or `switching-over`) and ends with one writer;
one that goes wrong is `cancelling` for a while. A failover with data loss needs only the target's
Region; a switchover needs both, and stays pending while they are apart.
https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-global-database-disaster-recovery.html
"""

from typing import Any

from platform_pipelines.local.aws import stores
from platform_pipelines.local.aws.rds_events import note_cluster
from platform_pipelines.local.aws.rds_failover import Failovers
from platform_pipelines.local.aws.rds_global import (
    CONNECTED,
    RESYNC,
    Views,
    forget_backlog,
    writer_of,
)
from platform_pipelines.local.aws.rds_global_return import (
    GLOBAL,
    Returns,
    account_of,
    set_source,
    set_status,
)
from platform_pipelines.local.aws.rds_store import (
    GLOBALS,
    LOOK,
    Record,
    cluster_by_arn,
    dark,
    instances_of,
    region_of,
)
from platform_pipelines.local.world import World

_BEGIN, _END, _CANCELLED = "rds_global_begin", "rds_global_end", "rds_global_cancelled"
_PENDING = 0.1  # the part of a change that is spent in `pending`


class Changes:
    """The changes of writer of one world."""

    def __init__(self, world: World, views: Views, failovers: Failovers) -> None:
        self._world = world
        self._views = views
        self._failovers = failovers
        world.timers.on(_BEGIN, self._begin)
        world.timers.on(_END, self._end)
        world.timers.on(_CANCELLED, self._cancelled)
        self._returns = Returns(world, views)

    def accept(self, record: Record, target: Record, *, data_loss: bool, asked_in: str) -> None:
        """Begin a failover (`data_loss`) or a switchover to a member, which was checked."""
        writer = writer_of(record)
        record["FailoverState"] = {
            "Status": "pending",
            "FromDbClusterArn": writer["DBClusterArn"] if writer else "",
            "ToDbClusterArn": target["DBClusterArn"],
            "IsDataLossAllowed": data_loss,
        }
        record["Status"] = "failing-over" if data_loss else "switching-over"
        record |= {"_change": record["_change"] + 1, "_asked_in": asked_in, "_late": False}
        name = _duration(record)
        about = _about(record)
        self._world.timers.after(_PENDING * getattr(self._world.durations, name), _BEGIN, **about)
        self._transition(record, name, _END, target["DBClusterArn"])
        self._views.publish(about["account"], record, asked_in)

    def cancel(self, record: Record) -> None:
        """End a change that has lost a member."""
        record |= {"FailoverState": None, "Status": "available", "_change": record["_change"] + 1}
        for one in record["GlobalClusterMembers"]:
            set_status(one["DBClusterArn"], "available")

    def _begin(self, account: str, identifier: str, change: int) -> None:
        """From `pending` to the change itself, once the Regions that it needs are there."""
        record = _current(account, identifier, change)
        if record is None:
            return
        state = record["FailoverState"]
        if self._blocked(record):
            self._world.timers.after(LOOK, _BEGIN, **_about(record))
            return
        state["Status"] = record["Status"]
        for arn in (state["FromDbClusterArn"], state["ToDbClusterArn"]):
            if not stores.apart(self._world, record["_asked_in"], region_of(arn)):
                set_status(arn, record["Status"], "rebooting")
        self._note(record, "started")
        if record["_late"]:
            self._transition(record, _duration(record), _END, state["ToDbClusterArn"])
        self._publish(record)

    def _end(self, account: str, identifier: str, change: int, *, failed: bool = False) -> None:
        """The target is the only writer; the old one follows, or does when its Region is back."""
        record = _current(account, identifier, change)
        if record is None:
            return
        state = record["FailoverState"]
        target = cluster_by_arn(state["ToDbClusterArn"])
        if state["Status"] == "pending":
            record["_late"] = True  # the change takes its time from when it begins
        elif failed:
            self._fail(record)
        elif self._blocked(record) or target is None or not self._elect(target):
            self._world.timers.after(LOOK, _END, **_about(record))
        else:
            self._hand_over(record, state)

    def _hand_over(self, record: Record, state: Record) -> None:
        for one in record["GlobalClusterMembers"]:
            arn = one["DBClusterArn"]
            one["IsWriter"] = arn == state["ToDbClusterArn"]
            forget_backlog(one)
            if state["IsDataLossAllowed"] and not one["IsWriter"]:
                one["SynchronizationStatus"] = RESYNC
                self._returns.await_(record, arn)
            else:
                one["SynchronizationStatus"] = CONNECTED
                set_status(arn, "available")
                set_source(arn, None if one["IsWriter"] else state["ToDbClusterArn"])
        self._note(record, "completed" if state["IsDataLossAllowed"] else "finished")
        record["FailoverState"], record["Status"] = None, "available"
        self._views.publish(account_of(record), record, region_of(state["ToDbClusterArn"]))

    def _fail(self, record: Record) -> None:
        state = record["FailoverState"]
        state["Status"] = "cancelling"
        self._note(record, "failed")
        self._transition(record, "aurora_cancelling", _CANCELLED, state["ToDbClusterArn"])
        self._publish(record)

    def _cancelled(
        self, account: str, identifier: str, change: int, *, failed: bool = False
    ) -> None:
        """The members are what they were; `failed`: the global cluster needs a person."""
        record = _current(account, identifier, change)
        if record is None:
            return
        target = record["FailoverState"]["ToDbClusterArn"]
        self.cancel(record)
        if failed:
            record["Status"] = "failed"
        self._views.publish(account, record, region_of(target))

    def _blocked(self, record: Record) -> bool:
        """Whether a Region that the change needs is not there."""
        state = record["FailoverState"]
        target = region_of(state["ToDbClusterArn"])
        needed = {target}
        if state["Status"] == "pending":
            needed.add(record["_asked_in"])
        if not state["IsDataLossAllowed"]:
            needed.add(region_of(state["FromDbClusterArn"]))
        return any(
            stores.frozen(self._world, one) or dark(self._world, one) or self._apart(one, target)
            for one in needed
        )

    def _apart(self, one: str, other: str) -> bool:
        return one != other and stores.apart(self._world, one, other)

    def _elect(self, target: Record) -> bool:
        """Choose the instance that will write; False while none could."""
        running = [one for one in instances_of(target) if not one.get("_lost")]
        chosen = min(running, key=lambda one: one["PromotionTier"], default=None)
        target["_writer"] = chosen["DBInstanceIdentifier"] if chosen else None
        return chosen is not None

    def _publish(self, record: Record) -> None:
        target = record["FailoverState"]["ToDbClusterArn"]
        self._views.publish(account_of(record), record, region_of(target))

    def _transition(self, record: Record, name: str, kind: str, about: str, **more: Any) -> None:
        where = {"region": region_of(about), "resource": record["GlobalClusterIdentifier"]}
        self._world.transition(name, kind, **where, **_about(record), **more)

    def _note(self, record: Record, what: str) -> None:
        state = record["FailoverState"]
        target = cluster_by_arn(state["ToDbClusterArn"])
        if target is not None:
            kind = "failover" if state["IsDataLossAllowed"] else "switchover"
            region = region_of(target["DBClusterArn"])
            text = f"Global {kind} to DB cluster {target['DBClusterIdentifier']} in Region {region}"
            note_cluster(self._world, target, f"{text} {what}.", GLOBAL)


def _duration(record: Record) -> str:
    loss = record["FailoverState"]["IsDataLossAllowed"]
    return "aurora_failover" if loss else "aurora_switchover"


def _about(record: Record) -> dict[str, Any]:
    return {
        "account": account_of(record),
        "identifier": record["GlobalClusterIdentifier"],
        "change": record["_change"],
    }


def _current(account: str, identifier: str, change: int) -> Record | None:
    """The global cluster, if this change of it is still under way."""
    record = GLOBALS.get(account, identifier)
    return record if record and record["_change"] == change and record["FailoverState"] else None
