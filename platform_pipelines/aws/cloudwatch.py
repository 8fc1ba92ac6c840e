"""CloudWatch: the two lag metrics, each as its newest sample. No sample means unknown.

https://docs.aws.amazon.com/efs/latest/ug/efs-metrics.html
https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/Aurora.AuroraMonitoring.Metrics.html
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from platform_pipelines.aws.region import AwsRegion

WINDOW = timedelta(minutes=15)
PERIOD = 60  # seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One value of a metric."""

    value: float  # seconds of lag
    at: datetime


def efs_lag(region: AwsRegion, source_id: str, destination_id: str, now: datetime) -> Sample | None:
    """Time since the destination was in step with the source, in seconds."""
    dimensions = {"FileSystemId": source_id, "DestinationFileSystemId": destination_id}
    return _newest(region, now, "AWS/EFS", "TimeSinceLastSync", dimensions, unit=1.0)


def aurora_lag(region: AwsRegion, cluster_id: str, now: datetime) -> Sample | None:
    """Lag of a secondary cluster behind the writer, in seconds; asked in the secondary's Region."""
    dimensions = {"DBClusterIdentifier": cluster_id}
    return _newest(region, now, "AWS/RDS", "AuroraGlobalDBReplicationLag", dimensions, unit=1e-3)


def _newest(
    region: AwsRegion,
    now: datetime,
    namespace: str,
    metric: str,
    dimensions: dict[str, str],
    unit: float,
) -> Sample | None:
    """The newest sample of the last quarter of an hour; `unit` is the metric's unit in seconds."""
    answer = region.cloudwatch.get_metric_data(
        MetricDataQueries=[
            {
                "Id": "lag",
                "MetricStat": {
                    "Metric": {
                        "Namespace": namespace,
                        "MetricName": metric,
                        "Dimensions": [{"Name": k, "Value": v} for k, v in dimensions.items()],
                    },
                    "Period": PERIOD,
                    "Stat": "Maximum",
                },
            }
        ],
        StartTime=now - WINDOW,
        EndTime=now + timedelta(seconds=PERIOD),
        ScanBy="TimestampDescending",
    )
    result = answer["MetricDataResults"][0] if answer["MetricDataResults"] else None
    if not result or not result.get("Values") or not result.get("Timestamps"):
        return None
    return Sample(value=result["Values"][0] * unit, at=result["Timestamps"][0])
