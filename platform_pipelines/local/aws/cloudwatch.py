"""CloudWatch: the lag metrics of EFS and Aurora, observed every few seconds, over ministack's points.

An observation is a raw point in ministack's store, which makes statistics of any period from them.
What is observed:

- AWS/EFS TimeSinceLastSync, in seconds, in the source's Region: like every AWS/EFS metric it belongs
  to the file system of its FileSystemId. None while that Region is dark.
- AWS/RDS AuroraGlobalDBReplicationLag and AuroraGlobalDBRPOLag, in milliseconds, in a secondary's
  Region, measured on what arrives from the writer. While the writer's Region is dark nothing arrives,
  so there are no values: what is lost is the last lag and its age. None for the writer.

https://docs.aws.amazon.com/efs/latest/ug/efs-metrics.html
https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/Aurora.AuroraMonitoring.Metrics.html
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from platform_pipelines.local import ministack
from platform_pipelines.local.aws import efs_replication, rds_global, stores
from platform_pipelines.local.aws.paging import BadToken, page
from platform_pipelines.local.aws.service import Call, Fault, Result, Service, operation

OBSERVED = "cloudwatch_observe"
INTERVAL = 10.0  # AWS-like seconds between two observations
KEPT = 3 * 3600.0  # how long raw points are kept
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


class CloudWatch(Service):
    """Observes, and orders and pages what ministack computes."""

    name = "cloudwatch"
    passes = frozenset(
        {
            *("PutMetricData", "PutMetricAlarm", "PutCompositeAlarm", "DescribeAlarms"),
            *("DescribeAlarmsForMetric", "DescribeAlarmHistory", "DeleteAlarms"),
            *("EnableAlarmActions", "DisableAlarmActions", "SetAlarmState"),
            *("TagResource", "UntagResource", "ListTagsForResource"),
            *("PutDashboard", "GetDashboard", "DeleteDashboards", "ListDashboards"),
        }
    )

    def start(self) -> None:
        self.world.timers.on(OBSERVED, self._observe)
        self.world.timers.after(INTERVAL, OBSERVED)

    @operation
    def GetMetricData(self, call: Call) -> Result:  # noqa: N802
        result = stores.ask(call)
        descending = call.params.get("ScanBy", "TimestampDescending") == "TimestampDescending"
        for item in result["MetricDataResults"]:
            points = sorted(
                zip(item["Timestamps"], item["Values"], strict=True), reverse=descending
            )
            item["Timestamps"] = [moment for moment, _ in points]
            item["Values"] = [value for _, value in points]
        return result

    @operation
    def GetMetricStatistics(self, call: Call) -> Result:  # noqa: N802
        return stores.ask(call)

    @operation
    def ListMetrics(self, call: Call) -> Result:  # noqa: N802
        params = {key: value for key, value in call.params.items() if key != "NextToken"}
        found = stores.ask(call, params)["Metrics"]
        try:
            shown, token = page(found, call.params.get("NextToken"), 500)
        except BadToken:
            raise Fault("InvalidParameterValue", "The token is not valid.") from None
        return {"Metrics": shown} | ({"NextToken": token} if token else {})

    def _observe(self) -> None:
        now = self.world.now()
        for item in [*self._efs(now), *self._aurora()]:
            if not stores.dark(self.world, item.region):
                _store(item, now)
        self.world.timers.after(INTERVAL, OBSERVED)

    def _efs(self, now: float) -> Iterator[Observation]:
        account = self.world.platform.account
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
                value=now - last,
                unit="Seconds",
            )

    def _aurora(self) -> Iterator[Observation]:
        account = self.world.platform.account
        for record in rds_global.all_of(account):
            writer = rds_global.writer_of(record)
            if writer is None:
                continue
            source = rds_global.region_of(writer["DBClusterArn"])
            if stores.dark(self.world, source):
                continue
            for arn in rds_global.secondaries(record):
                yield from _lag(account, arn, source, self.world.durations.aurora_lag)


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
