"""Metric math: alarms and queries over expressions, computed at each time that all series have."""

from datetime import timedelta
from typing import Any

import pytest

from platform_pipelines.local.aws.service import Fault
from tests.local.aws.regions import Regions

QUOTA = {"Id": "found", "Expression": "100 * m0 / SERVICE_QUOTA(m0)", "ReturnData": True}
USAGE: dict[str, Any] = {
    "Id": "m0",
    "MetricStat": {
        "Metric": {
            "Namespace": "AWS/Usage",
            "MetricName": "ResourceCount",
            "Dimensions": [{"Name": "Resource", "Value": "vCPU"}],
        },
        "Period": 300,
        "Stat": "Maximum",
    },
    "ReturnData": False,
}
ALARM: dict[str, Any] = {
    "AlarmName": "quota",
    "Metrics": [QUOTA, USAGE],
    "EvaluationPeriods": 3,
    "Threshold": 80.0,
    "ComparisonOperator": "GreaterThanThreshold",
}


def put(regions: Regions, **changes: Any) -> None:
    """Make or change the alarm."""
    regions("seoul", "cloudwatch", "PutMetricAlarm", **{**ALARM, **changes})


def alarm(regions: Regions) -> dict[str, Any]:
    """The alarm as it is described."""
    (found,) = regions("seoul", "cloudwatch", "DescribeAlarms")["MetricAlarms"]
    return dict(found)


def stat(id_: str, name: str) -> dict[str, Any]:
    """A query of a metric of our own, minute by minute."""
    metric = {"Namespace": "shop", "MetricName": name}
    found = {"Metric": metric, "Period": 60, "Stat": "Maximum"}
    return {"Id": id_, "MetricStat": found, "ReturnData": False}


def computed(expression: str) -> dict[str, Any]:
    """A query of an expression."""
    return {"Id": "found", "Expression": expression, "ReturnData": True}


def observe(regions: Regions, **values: float) -> None:
    """Put a point of each metric, now."""
    now = regions.world.datetime()
    data = [{"MetricName": key, "Value": one, "Timestamp": now} for key, one in values.items()]
    regions("seoul", "cloudwatch", "PutMetricData", Namespace="shop", MetricData=data)


def test_an_alarm_is_shown_as_it_was_put(regions: Regions) -> None:
    """With its queries, and without the words of an alarm of one metric."""
    put(regions)
    found = alarm(regions)
    assert found["Metrics"] == ALARM["Metrics"]
    assert not {"MetricName", "Namespace", "Period", "Statistic", "Dimensions"} & found.keys()


@pytest.mark.parametrize(
    ("treatment", "state"),
    [("notBreaching", "OK"), ("breaching", "ALARM"), ("missing", "INSUFFICIENT_DATA")],
)
def test_without_data_it_is_what_its_treatment_says(
    regions: Regions, treatment: str, state: str
) -> None:
    """An expression over nothing is nothing: no service here counts its usage."""
    put(regions, TreatMissingData=treatment)
    regions.advance(120)
    assert alarm(regions)["StateValue"] == state


def test_an_alarm_judges_what_its_expression_gives(regions: Regions) -> None:
    """It goes off with the rate, and is OK again with it; nothing of nothing is no trouble."""
    rate = computed("IF(m1 > 0, 100 * m0 / m1, 0)")
    put(
        regions,
        Metrics=[rate, stat("m0", "Errors"), stat("m1", "Requests")],
        EvaluationPeriods=1,
        Threshold=5.0,
    )
    for errors, requests, state in ((10, 100, "ALARM"), (1, 100, "OK"), (7, 0, "OK")):
        observe(regions, Errors=errors, Requests=requests)
        regions.advance(60)
        assert alarm(regions)["StateValue"] == state


@pytest.mark.parametrize(
    ("expression", "values"),
    [
        ("m0 + m1 / 2", [8.0]),
        ("-m0 ^ 2", [-9.0]),
        ("m0 / (m1 - 10)", []),
        ("ABS(m0 - m1) > 5 AND m0 != 0", [1.0]),
        ("m0 > 5 || m1 > 5", [1.0]),
        ("IF(m0 > m1, 1)", []),
        ("IF(m0 < m1, m0, m1)", [3.0]),
        ("FILL(m0, 0)", [3.0]),
        ("FLOOR(m1 / m0) * CEIL(m0 / m1)", [3.0]),
        ("m0 + nowhere", []),
    ],
)
def test_an_expression_is_computed_at_each_time(
    regions: Regions, expression: str, values: list[float]
) -> None:
    """Where a series has no point, or something is divided by zero, the result has none."""
    observe(regions, Three=3, Ten=10)
    start = regions.world.datetime() - timedelta(minutes=2)
    asked = [stat("m0", "Three"), stat("m1", "Ten"), stat("nowhere", "Nothing")]
    found = regions(
        "seoul",
        "cloudwatch",
        "GetMetricData",
        MetricDataQueries=[computed(expression), *asked],
        StartTime=start,
        EndTime=start + timedelta(minutes=4),
    )
    (row,) = found["MetricDataResults"]
    assert (row["Id"], row["Values"]) == ("found", values)


@pytest.mark.parametrize(
    "changes",
    [
        {"MetricName": "ResourceCount"},
        {"Metrics": [computed("m0 +"), USAGE]},
        {"Metrics": [computed("m0 + m1"), USAGE]},
        {"Metrics": [computed("IF(m0)"), USAGE]},
        {"Metrics": [QUOTA, {**USAGE, "Id": "found"}]},
        {"Metrics": [QUOTA, {**USAGE, "ReturnData": True}]},
        {"Metrics": [QUOTA, {**USAGE, "Id": "M0"}]},
        {"Metrics": [{**QUOTA, "MetricStat": USAGE["MetricStat"]}, USAGE]},
    ],
)
def test_queries_that_do_not_fit_together_are_refused(
    regions: Regions, changes: dict[str, Any]
) -> None:
    """As CloudWatch refuses them; no alarm is made."""
    with pytest.raises(Fault) as refused:
        put(regions, **changes)
    assert refused.value.code == "ValidationError"
    assert regions("seoul", "cloudwatch", "DescribeAlarms")["MetricAlarms"] == []
