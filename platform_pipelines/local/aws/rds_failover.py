"""Who writes in a DB cluster: failover from one instance to another inside a Region.

Somebody asks for it, the writer's instance is deleted, or the writer's zone is lost. It belongs to
the data plane: a Region whose APIs are silent does it all the same, one that is dark does not.
https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/Concepts.AuroraHighAvailability.html
"""

from typing import Any

from platform_pipelines.local.aws import rds_global
from platform_pipelines.local.aws.rds_events import note_cluster, note_instance
from platform_pipelines.local.aws.rds_postgres_standby import has_standby
from platform_pipelines.local.aws.rds_store import (
    CLUSTERS,
    INSTANCES,
    LOOK,
    Record,
    dark,
    instances_of,
    region_of,
    zone_down,
)
from platform_pipelines.local.world import World

_END, _UP = "rds_failover_end", "rds_instance_up"
_RUNNING = frozenset({"available", "backing-up", "modifying", "rebooting"})


class Failovers:
    """The failovers and restarts of one world's instances."""

    def __init__(self, world: World) -> None:
        self._world = world
        world.timers.on(_END, self._end)
        world.timers.on(_UP, self._up)
        world.on_change(self.look)

    def begin(self, cluster: Record, target: str | None = None) -> None:
        """Make `target`, or else the best reader, the writer of a cluster."""
        if "_failover" in cluster:
            return
        cluster["_failover"] = {"target": target, "from": cluster["_writer"]}
        if cluster["Status"] == "available":
            cluster["Status"] = "failing-over"
        text = f"Started cross AZ failover to DB instance: {target or 'a reader'}"
        note_cluster(self._world, cluster, text, "failover")
        where = _where(cluster["DBClusterArn"])
        about = {"region": where["place"], "resource": cluster["DBClusterIdentifier"]}
        self._world.transition("aurora_instance_failover", _END, **about, **where)

    def restart(self, instance: Record) -> None:
        """Restart an instance; it keeps its role."""
        instance["DBInstanceStatus"] = "rebooting"
        where = _where(instance["DBInstanceArn"])
        about = {"region": where["place"], "resource": instance["DBInstanceIdentifier"]}
        self._world.transition("db_instance_rebooting", _UP, **about, **where)

    def look(self) -> None:
        """See which instances have lost their zone, and which have it back."""
        for _, region, instance in INSTANCES.everywhere():
            if has_standby(instance):  # which takes over instead
                continue
            lost = zone_down(self._world, region, instance["AvailabilityZone"])
            if lost and not instance.get("_lost") and instance["DBInstanceStatus"] in _RUNNING:
                instance |= {"_lost": True, "DBInstanceStatus": "rebooting"}
                note_instance(self._world, instance, "DB instance shutdown", "availability")
            elif instance.get("_lost") and not lost:
                del instance["_lost"]
                self.restart(instance)
        for account, region, cluster in CLUSTERS.everywhere():
            if self._headless(account, region, cluster):
                self.begin(cluster)

    def best(self, cluster: Record) -> Record | None:
        """The reader that Aurora would promote: available, of the first tier, then the oldest."""
        readers = [
            one
            for one in instances_of(cluster)
            if one["DBInstanceIdentifier"] != cluster["_writer"] and self.runs(one)
        ]
        return min(readers, key=lambda one: one["PromotionTier"], default=None)

    def runs(self, instance: Record) -> bool:
        """Whether an instance is up, as far as its zone is."""
        return instance["DBInstanceStatus"] == "available" and not instance.get("_lost")

    def _headless(self, account: str, region: str, cluster: Record) -> bool:
        """Whether a cluster should have a writer and has lost it."""
        writer = INSTANCES.get(account, region, cluster["_writer"] or "")
        return (
            writer is not None
            and bool(writer.get("_lost"))
            and not rds_global.is_secondary(account, cluster["DBClusterArn"])
        )

    def _end(self, account: str, place: str, identifier: str, *, failed: bool = False) -> None:
        cluster = CLUSTERS.get(account, place, identifier)
        if cluster is None or "_failover" not in cluster:
            return
        if dark(self._world, place):
            self._again(account, place, identifier, failed=failed)
        elif failed:
            text = (
                "Cluster failover failed, check the health of your cluster instances and try again"
            )
            note_cluster(self._world, cluster, text, "failover", "failure")
            self._finish(cluster)
            self.look()
        else:
            self._switch(cluster, account, place)

    def _switch(self, cluster: Record, account: str, place: str) -> None:
        asked = INSTANCES.get(account, place, cluster["_failover"]["target"] or "")
        chosen = asked if asked and self.runs(asked) else self.best(cluster)
        old = INSTANCES.get(account, place, cluster["_writer"] or "")
        if chosen is None and (old is None or old.get("_lost")):
            self._again(account, place, cluster["DBClusterIdentifier"])
            return
        if chosen:
            cluster["_writer"] = chosen["DBInstanceIdentifier"]
            text = f"Completed failover to DB instance: {chosen['DBInstanceIdentifier']}"
            note_cluster(self._world, cluster, text, "failover")
            if old and self.runs(old):
                self.restart(old)
        self._finish(cluster)

    def _finish(self, cluster: Record) -> None:
        del cluster["_failover"]
        if cluster["Status"] == "failing-over":
            cluster["Status"] = "available"

    def _again(self, account: str, place: str, identifier: str, *, failed: bool = False) -> None:
        about = {"account": account, "place": place, "identifier": identifier, "failed": failed}
        self._world.timers.after(LOOK, _END, **about)

    def _up(self, account: str, place: str, identifier: str, *, failed: bool = False) -> None:
        instance = INSTANCES.get(account, place, identifier)
        if instance is None or instance["DBInstanceStatus"] != "rebooting":
            return
        if instance.get("_lost"):
            return  # the next restart begins when its zone is back
        if dark(self._world, place):
            about = {"account": account, "place": place, "identifier": identifier}
            self._world.timers.after(LOOK, _UP, **about, failed=failed)
            return
        instance["DBInstanceStatus"] = "failed" if failed else "available"
        if not failed:
            note_instance(self._world, instance, "DB instance restarted", "availability")


def _where(arn: str) -> dict[str, Any]:
    return {
        "account": arn.split(":")[4],
        "place": region_of(arn),
        "identifier": arn.rpartition(":")[2],
    }
