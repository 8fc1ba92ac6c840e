"""CloudWatch's statistics: from the points of a metric to a value a period.

A metric is its namespace, its name and exactly its dimensions. The alarms and GetMetricData look at
the same values.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html
"""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from platform_pipelines.local import ministack
from platform_pipelines.local.aws.service import Fault, not_implemented

Point = dict[str, Any]

BASIC = ("SampleCount", "Average", "Sum", "Minimum", "Maximum")
_PERCENTILE = re.compile(r"p(\d{1,2}(\.\d{0,10})?|100)")
HIGH_RESOLUTION = (1, 5, 10, 20, 30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """Which points, of the account and Region in scope."""

    namespace: str
    name: str
    dimensions: dict[str, str]
    unit: str | None = None  # only points of this unit


@dataclass(frozen=True, slots=True, kw_only=True)
class Datapoint:
    """A period's points as one."""

    start: float  # AWS-like Unix seconds
    statistics: dict[str, float]
    unit: str
    value: float | None = None  # of the statistic that was asked for


def metric(row: dict[str, Any], unit: str | None = None) -> Metric:
    """A metric as a request or an alarm names it."""
    return Metric(
        namespace=row.get("Namespace") or "",
        name=row.get("MetricName") or "",
        dimensions={one["Name"]: one["Value"] for one in row.get("Dimensions") or ()},
        unit=unit,
    )


def datapoints(
    asked: Metric, *, stat: str, period: int, start: float, end: float, origin: float = 0.0
) -> list[Datapoint]:
    """The periods from `start` up to `end` that have points, oldest first; periods begin at `origin`
    and each `period` seconds after it."""
    buckets: dict[int, list[Point]] = defaultdict(list)
    first = origin + (start - origin) // period * period
    for point in _points(asked):
        if first <= point["Timestamp"] < end:
            buckets[int((point["Timestamp"] - origin) // period)].append(point)
    found = [_datapoint(origin + n * period, buckets[n], stat) for n in sorted(buckets)]
    return [one for one in found if one.value is not None]


def check_statistic(stat: str) -> None:
    """Whether we compute this statistic. Raises: Fault."""
    if stat in BASIC or _PERCENTILE.fullmatch(stat):
        return
    if re.fullmatch(r"(tm|wm|tc|ts|pr|TM|WM|TC|TS|PR|IQM).*", stat):
        raise not_implemented(f"The statistic {stat}")
    raise Fault("ValidationError", f"The value {stat} for parameter Stat is not supported.")


def check_period(period: int, name: str = "Period") -> None:
    """Whether CloudWatch has such periods. Raises: Fault."""
    if period not in HIGH_RESOLUTION and (period < 1 or period % 60):
        message = (
            f"The value {period} for parameter {name} must be 1, 5, 10, 20, 30 or a multiple of 60."
        )
        raise Fault("ValidationError", message)


def _points(asked: Metric) -> Iterable[Point]:
    module = ministack.service("cloudwatch")
    key = (asked.namespace, asked.name, module._dims_key(asked.dimensions))
    points: list[Point] = module._metrics.get(key) or []
    return [one for one in points if asked.unit in (None, one["Unit"])]


def _datapoint(start: float, points: list[Point], stat: str) -> Datapoint:
    module = ministack.service("cloudwatch")
    statistics = module._calc_stats(points)
    value = module._stat_value(statistics, stat, points) if statistics else None
    return Datapoint(start=start, statistics=statistics, unit=points[0]["Unit"], value=value)
