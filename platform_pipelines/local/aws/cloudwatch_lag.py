"""The lag metrics of EFS and Aurora, observed every few seconds, as points in ministack's store.

- AWS/EFS TimeSinceLastSync, in seconds, in the source's Region: like every AWS/EFS metric it belongs
  to the file system of its FileSystemId. None while that Region is dark.
- AWS/RDS AuroraGlobalDBReplicationLag and AuroraGlobalDBRPOLag, in milliseconds, in a secondary's
  Region, measured on what arrives from the writer. While nothing arrives there are no values: what
  is lost is the last lag and its age. None for the writer.

Points of a minute that is over are one statistic set, which keeps the world small.
https://docs.aws.amazon.com/efs/latest/ug/efs-metrics.html
https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/Aurora.AuroraMonitoring.Metrics.html
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from platform_pipelines.local import ministack
from platform_pipelines.local.aws import efs_replication, rds_global, stores
from platform_pipelines.local.world import World

MINUTE = 60
KEPT = 3 * 3600.0  # how long points are kept
_AURORA = ("AuroraGlobalDBReplicationLag", "AuroraGlobalDBRPOLag")


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One value of a metric, in the Region (AWS name) where AWS emits it."""

    account: str
    region: str
    namespace: str
    metric: str
    dimensions: dict[str, str]
    value: float
    unit: str


def observe(world: World) -> None:
    """Store what can be measured now."""
    for item in [*_efs(world), *_aurora(world)]:
        if not stores.dark(world, item.region):
            _store(item, world.now())


def _efs(world: World) -> Iterator[Observation]:
    account = world.platform.account
    for record in efs_replication.all_of(account):
        last = efs_replication.last_synced(record)
        if last is None or not efs_replication.active(record):
            continue
        source, destination = efs_replication.members(record)
        yield Observation(
            account=account,
            region=efs_replication.regions(record)[0],
            namespace="AWS/EFS",
            metric="TimeSinceLastSync",
            dimensions={"FileSystemId": source, "DestinationFileSystemId": destination},
            value=world.now() - last,
            unit="Seconds",
        )


def _aurora(world: World) -> Iterator[Observation]:
    account = world.platform.account
    for record in rds_global.all_of(account):
        writer = rds_global.writer_of(record)
        for arn in rds_global.secondaries(record):
            lag = rds_global.lag(world, account, arn)
            if writer is not None and lag is not None:
                source = rds_global.region_of(writer["DBClusterArn"])
                yield from _lag(account, arn, source, lag)


def _lag(account: str, arn: str, source: str, lag: float) -> Iterator[Observation]:
    """Both metrics, under both sets of dimensions that AWS offers."""
    cluster = {"DBClusterIdentifier": arn.split(":")[-1]}
    for metric in _AURORA:
        for dimensions in (cluster, cluster | {"SourceRegion": source}):
            yield Observation(
                account=account,
                region=rds_global.region_of(arn),
                namespace="AWS/RDS",
                metric=metric,
                dimensions=dimensions,
                value=lag * 1000,
                unit="Milliseconds",
            )


def _store(item: Observation, now: float) -> None:
    module = ministack.service("cloudwatch")
    with ministack.scope(item.account, item.region):
        key = (item.namespace, item.metric, module._dims_key(item.dimensions))
        points: list[dict[str, Any]] = module._metric_bucket(key)
    if points and points[-1]["Timestamp"] // MINUTE != now // MINUTE:
        _merge_last_minute(points)
    points.append(
        {
            "Timestamp": now,
            "Value": item.value,
            "Unit": item.unit,
            "Dimensions": item.dimensions,
        }
    )
    while points[0]["Timestamp"] < now - KEPT:
        points.pop(0)


def _merge_last_minute(points: list[dict[str, Any]]) -> None:
    minute = points[-1]["Timestamp"] // MINUTE
    parts = [one for one in points[-MINUTE:] if one["Timestamp"] // MINUTE == minute]
    if len(parts) > 1:
        statistics = ministack.service("cloudwatch")._calc_stats(parts)
        points[-len(parts) :] = [parts[0] | {"_stat": statistics}]
