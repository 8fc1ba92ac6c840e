from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from platform_pipelines.local import ministack
from platform_pipelines.local.aws.service import Fault
from tests.local.aws.databases import ARN, GLOBAL, make_global
from tests.local.aws.files import make, protect, replicate
from tests.local.aws.regions import Regions

LAG, RPO = "AuroraGlobalDBReplicationLag", "AuroraGlobalDBRPOLag"
CLUSTER = {"DBClusterIdentifier": "peccy-peccy-tokyo"}


def points(
    regions: Regions, alias: str, metric: str, stat: str = "Maximum", **dimensions: str
) -> list[tuple[datetime, float]]:
    """The last quarter of an hour of a metric, newest first."""
    now = regions.world.datetime()
    namespace = "AWS/EFS" if metric == "TimeSinceLastSync" else "AWS/RDS"
    listed = [{"Name": name, "Value": value} for name, value in dimensions.items()]
    asked = {"Namespace": namespace, "MetricName": metric, "Dimensions": listed}
    answer = regions(
        alias,
        "cloudwatch",
        "GetMetricData",
        MetricDataQueries=[
            {"Id": "one", "MetricStat": {"Metric": asked, "Period": 60, "Stat": stat}}
        ],
        StartTime=now - timedelta(minutes=15),
        EndTime=now + timedelta(minutes=1),
    )
    found = answer["MetricDataResults"][0]
    return list(zip(found["Timestamps"], found["Values"], strict=True))


@pytest.fixture
def pair(regions: Regions) -> dict[str, str]:
    """A replicating pair of file systems, as the metric's dimensions."""
    source, destination = make(regions, "seoul"), make(regions, "tokyo")
    protect(regions, "tokyo", destination, "DISABLED")
    replicate(regions, source, destination)
    regions.advance(1200)
    return {"FileSystemId": source, "DestinationFileSystemId": destination}


def test_time_since_the_last_sync_is_a_value_a_minute_in_the_sources_region(
    regions: Regions, pair: dict[str, str]
) -> None:
    """In seconds, never beyond the interval, newest first."""
    found = points(regions, "seoul", "TimeSinceLastSync", **pair)
    assert len(found) >= 15
    assert [moment for moment, _ in found] == sorted((m for m, _ in found), reverse=True)
    assert found[0][0] - found[1][0] == timedelta(minutes=1)
    assert all(0 <= value <= 61 for _, value in found)
    assert points(regions, "tokyo", "TimeSinceLastSync", **pair) == []


def test_a_dark_region_publishes_nothing(regions: Regions, pair: dict[str, str]) -> None:
    """After the outage there is a hole, and before the next sync a large value."""
    regions.black_out("seoul")
    regions.advance(300)
    regions.restore("seoul")
    regions.advance(20)
    found = points(regions, "seoul", "TimeSinceLastSync", **pair)
    assert max(value for _, value in found) > 300
    assert max(one[0] - two[0] for one, two in pairwise(found)) > timedelta(minutes=4)


def test_aurora_lag_is_in_milliseconds_and_of_the_secondary_only(regions: Regions) -> None:
    """Both metrics, in the secondary's Region, with and without the source's Region."""
    make_global(regions)
    regions.advance(300)
    for metric in (LAG, RPO):
        found = points(regions, "tokyo", metric, **CLUSTER)
        assert len(found) >= 5
        assert {value for _, value in found} == {400.0}
        assert points(regions, "tokyo", metric, **CLUSTER, SourceRegion="ap-northeast-2")
    assert points(regions, "seoul", LAG, DBClusterIdentifier="peccy-peccy-seoul") == []


def test_aurora_lag_stops_when_the_writers_region_is_dark(regions: Regions) -> None:
    """The last value stays the last; it does not turn into zero."""
    make_global(regions)
    regions.advance(300)
    before = points(regions, "tokyo", LAG, **CLUSTER)
    regions.black_out("seoul")
    regions.advance(180)
    after = points(regions, "tokyo", LAG, **CLUSTER)
    assert after[0] == before[0]


def test_after_a_failover_the_old_writer_is_the_one_that_lags(regions: Regions) -> None:
    """The metric is emitted for whoever is secondary now."""
    make_global(regions)
    regions(
        "tokyo",
        "rds",
        "SwitchoverGlobalCluster",
        GlobalClusterIdentifier=GLOBAL,
        TargetDbClusterIdentifier=ARN["tokyo"],
    )
    regions.advance(1300)
    assert points(regions, "seoul", LAG, DBClusterIdentifier="peccy-peccy-seoul")
    assert points(regions, "tokyo", LAG, **CLUSTER) == []


def test_statistics_and_lists_know_the_metrics(regions: Regions, pair: dict[str, str]) -> None:
    """GetMetricStatistics and ListMetrics see the same points."""
    now = regions.world.datetime()
    dimensions: list[dict[str, Any]] = [{"Name": k, "Value": v} for k, v in pair.items()]
    answer = regions(
        "seoul",
        "cloudwatch",
        "GetMetricStatistics",
        Namespace="AWS/EFS",
        MetricName="TimeSinceLastSync",
        Dimensions=dimensions,
        StartTime=now - timedelta(minutes=10),
        EndTime=now,
        Period=300,
        Statistics=["Average", "Maximum"],
    )
    assert answer["Datapoints"][0]["Unit"] == "Seconds"
    assert answer["Datapoints"][0]["Maximum"] <= 60
    listed = regions("seoul", "cloudwatch", "ListMetrics", Namespace="AWS/EFS")["Metrics"]
    assert [metric["MetricName"] for metric in listed] == ["TimeSinceLastSync"]


def test_own_metrics_and_alarms_are_kept(regions: Regions) -> None:
    """What a user puts is ministack's business."""
    regions(
        "seoul",
        "cloudwatch",
        "PutMetricAlarm",
        AlarmName="lag",
        Namespace="AWS/EFS",
        MetricName="TimeSinceLastSync",
        Statistic="Maximum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=600.0,
        ComparisonOperator="GreaterThanThreshold",
    )
    found = regions("seoul", "cloudwatch", "DescribeAlarms")["MetricAlarms"]
    assert [alarm["AlarmName"] for alarm in found] == ["lag"]


def test_a_lag_fault_is_seen_in_the_metric(regions: Regions) -> None:
    """It grows while the fault lasts."""
    make_global(regions)
    regions.advance(300)
    regions.world.faults.add({"kind": "lag", "of": "aurora", "region": "tokyo"})
    regions.advance(120)
    newest = points(regions, "tokyo", LAG, **CLUSTER)[0][1]
    assert newest >= 100_000


def test_old_points_are_merged_without_changing_what_is_told(
    regions: Regions, pair: dict[str, str]
) -> None:
    """A minute that is over is one point in the store, with all its statistics."""
    (stored,) = ministack.service("cloudwatch")._metrics._data.values()
    assert len(stored) < 30
    count = points(regions, "seoul", "TimeSinceLastSync", "SampleCount", **pair)[1][1]
    highest = points(regions, "seoul", "TimeSinceLastSync", **pair)[1][1]
    lowest = points(regions, "seoul", "TimeSinceLastSync", "Minimum", **pair)[1][1]
    average = points(regions, "seoul", "TimeSinceLastSync", "Average", **pair)[1][1]
    assert count == 6
    assert lowest < average < highest


def ask(regions: Regions, **changes: Any) -> dict[str, Any]:
    """GetMetricData of two metrics of our own over the last ten minutes."""
    now = regions.world.datetime()
    queries = [
        {
            "Id": name,
            "MetricStat": {
                "Metric": {"Namespace": "Peccy", "MetricName": name},
                "Period": 60,
                "Stat": "Sum",
            },
        }
        for name in ("one", "two")
    ]
    asked = {
        "MetricDataQueries": queries,
        "StartTime": now - timedelta(minutes=10),
        "EndTime": now,
        "ScanBy": "TimestampAscending",
    }
    return regions("seoul", "cloudwatch", "GetMetricData", **asked | changes)


@pytest.fixture
def own(regions: Regions) -> Regions:
    """Three minutes of two metrics; a third one has dimensions and the name of the first."""
    for value in (1.0, 2.0, 3.0):
        moment = regions.world.datetime()
        rows = [
            {"MetricName": name, "Value": value, "Timestamp": moment} for name in ("one", "two")
        ]
        named = {"Dimensions": [{"Name": "n", "Value": "v"}], "MetricName": "one"}
        regions(
            "seoul",
            "cloudwatch",
            "PutMetricData",
            Namespace="Peccy",
            MetricData=[*rows, {**named, "Value": 100.0, "Timestamp": moment}],
        )
        regions.advance(60)
    return regions


def test_a_metric_is_exactly_its_dimensions(own: Regions) -> None:
    """None given means the metric that has none."""
    results = ask(own)["MetricDataResults"]
    assert [one["Values"] for one in results] == [[1.0, 2.0, 3.0], [1.0, 2.0, 3.0]]
    assert [one["Label"] for one in results] == ["one", "two"]


def test_datapoints_come_in_pages(own: Regions) -> None:
    """What is not complete yet says so."""
    first = ask(own, MaxDatapoints=4)
    assert [one["StatusCode"] for one in first["MetricDataResults"]] == ["PartialData"] * 2
    rest = ask(own, MaxDatapoints=4, NextToken=first["NextToken"])
    values = [
        [value for answer in (first, rest) for value in answer["MetricDataResults"][n]["Values"]]
        for n in (0, 1)
    ]
    assert values == [[1.0, 2.0, 3.0], [1.0, 2.0, 3.0]]
    assert "NextToken" not in rest


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"MetricDataQueries": [{"Id": "m", "Expression": "METRICS()"}]}, "NotImplemented"),
        ({"MetricDataQueries": [{"Id": "m", "Expression": "one + two"}]}, "ValidationError"),
        ({"MetricDataQueries": [{"Id": "m"}]}, "ValidationError"),
        ({"EndTime": datetime(2020, 1, 1, tzinfo=UTC)}, "ValidationError"),
        ({"NextToken": "x"}, "InvalidNextToken"),
    ],
)
def test_what_cannot_be_computed_is_refused(
    own: Regions, changes: dict[str, Any], code: str
) -> None:
    """What of metric math is not here says so; the rest in CloudWatch's words."""
    with pytest.raises(Fault) as caught:
        ask(own, **changes)
    assert caught.value.code == code
