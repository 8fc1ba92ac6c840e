"""How the writer that a global failover left behind comes back as a secondary.

When its Region hears of the new writer, what it held is kept in a snapshot, as nobody has it else;
then it is rebuilt from the new writer. `rds_global_change` begins this.
https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-global-database-disaster-recovery.html
"""

from datetime import UTC, datetime

from platform_pipelines.local.aws import rds_snapshots, stores
from platform_pipelines.local.aws.rds_events import note_cluster
from platform_pipelines.local.aws.rds_global import (
    CONNECTED,
    RESYNC,
    Views,
    forget_backlog,
    member_of,
    writer_of,
)
from platform_pipelines.local.aws.rds_store import (
    GLOBALS,
    LOOK,
    Record,
    cluster_by_arn,
    instances_of,
    name_of,
    region_of,
)
from platform_pipelines.local.aws.stores import frozen
from platform_pipelines.local.world import World

GLOBAL = "global-failover"  # the category of these events
_RETURN, _RESYNCED = "rds_global_return", "rds_global_resynced"


class Returns:
    """The old writers of one world."""

    def __init__(self, world: World, views: Views) -> None:
        self._world = world
        self._views = views
        world.timers.on(_RETURN, self._return)
        world.timers.on(_RESYNCED, self._resynced)

    def await_(self, record: Record, arn: str) -> None:
        """Rebuild a member once it hears of the writer."""
        account, identifier = account_of(record), record["GlobalClusterIdentifier"]
        self._world.timers.after(LOOK, _RETURN, account=account, identifier=identifier, arn=arn)

    def _return(self, account: str, identifier: str, arn: str) -> None:
        """An old writer whose Region is back is kept in a snapshot, and rebuilt as a secondary."""
        record = GLOBALS.get(account, identifier)
        member, cluster = self._resyncing(record, arn)
        if record is None or member is None or cluster is None:
            return
        if self._cut_off(record, arn):
            self.await_(record, arn)
            return
        now = datetime.fromtimestamp(self._world.now(), UTC)
        name = f"rds:unplanned-global-failover-{name_of(arn)}-{now:%Y-%m-%d-%H-%M-%S}"
        rds_snapshots.take(self._world, cluster, name, type_="automated")
        text = f"Started resynchronizing members of DB cluster {name_of(arn)} post global failover."
        note_cluster(self._world, cluster, text, GLOBAL)
        set_status(arn, "failing-over", "rebooting")
        where = {"region": region_of(arn), "resource": name_of(arn)}
        about = {"account": account, "identifier": identifier, "arn": arn}
        self._world.transition("aurora_resync", _RESYNCED, **where, **about)

    def _resynced(self, account: str, identifier: str, arn: str, *, failed: bool = False) -> None:
        record = GLOBALS.get(account, identifier)
        member, cluster = self._resyncing(record, arn)
        if record is None or member is None or cluster is None:
            return
        if self._cut_off(record, arn):
            about = {"account": account, "identifier": identifier, "arn": arn}
            self._world.timers.after(LOOK, _RESYNCED, **about, failed=failed)
            return
        writer = writer_of(record)
        if not failed and writer is not None:
            member["SynchronizationStatus"] = CONNECTED
            forget_backlog(member)
            set_source(arn, writer["DBClusterArn"])
            text = "Finished resynchronizing members of DB cluster"
            note_cluster(
                self._world, cluster, f"{text} {name_of(arn)} post global failover.", GLOBAL
            )
        set_status(arn, "failed" if failed else "available", "available")
        self._views.publish(account, record, region_of(arn))

    def _resyncing(self, record: Record | None, arn: str) -> tuple[Record | None, Record | None]:
        member = member_of(record, arn) if record else None
        waits = member is not None and member["SynchronizationStatus"] == RESYNC
        return (member if waits and member and not member["IsWriter"] else None), cluster_by_arn(
            arn
        )

    def _cut_off(self, record: Record, arn: str) -> bool:
        """Whether a member cannot hear of the writer."""
        writer = writer_of(record)
        here = region_of(arn)
        source = region_of(writer["DBClusterArn"]) if writer else here
        return frozen(self._world, here) or stores.apart(self._world, here, source)


def account_of(record: Record) -> str:
    """The account of a global cluster."""
    return str(record["GlobalClusterArn"].split(":")[4])


def set_status(arn: str, status: str, instances: str = "available") -> None:
    """Give a member of a global cluster and its instances a status."""
    cluster = cluster_by_arn(arn)
    if cluster is None:
        return
    cluster["Status"] = status
    for one in instances_of(cluster):
        if not one.get("_lost") and one["DBInstanceStatus"] in ("available", "rebooting"):
            one["DBInstanceStatus"] = instances


def set_source(arn: str, writer: str | None) -> None:
    """Note whom a member replicates from."""
    cluster = cluster_by_arn(arn)
    if cluster is not None:
        cluster.pop("ReplicationSourceIdentifier", None)
        if writer:
            cluster["ReplicationSourceIdentifier"] = writer
