"""Alarms as time goes on: what they make of points and of missing ones, and whom they tell."""

import json
from typing import Any

import pytest

from platform_pipelines.local.aws.cloudwatch_evaluation import State, judge
from platform_pipelines.local.aws.service import Fault
from platform_pipelines.local.world import Outage
from tests.local.aws.regions import Regions

SEOUL = "arn:aws:sns:ap-northeast-2:111122223333"
ALARM: dict[str, Any] = {
    "AlarmName": "lag",
    "Namespace": "Peccy",
    "MetricName": "Lag",
    "Dimensions": [{"Name": "Database", "Value": "peccy"}],
    "Statistic": "Maximum",
    "Period": 60,
    "EvaluationPeriods": 3,
    "DatapointsToAlarm": 2,
    "Threshold": 60.0,
    "ComparisonOperator": "GreaterThanThreshold",
}


@pytest.fixture
def topic(regions: Regions) -> str:
    """A topic with a subscriber whose mail is kept."""
    arn: str = regions("seoul", "sns", "CreateTopic", Name="alarms")["TopicArn"]
    regions("seoul", "sns", "Subscribe", TopicArn=arn, Protocol="email", Endpoint="on@call.example")
    (asked,) = regions.world.notifications
    token = json.loads(asked.deliveries[0].body)["Token"]
    regions("seoul", "sns", "ConfirmSubscription", TopicArn=arn, Token=token)
    return arn


def put(regions: Regions, **changes: Any) -> None:
    """Make or change the alarm."""
    regions("seoul", "cloudwatch", "PutMetricAlarm", **{**ALARM, **changes})


def minute(regions: Regions, value: float | None) -> None:
    """Let a minute pass, with a value in it."""
    if value is not None:
        datum = {
            "MetricName": "Lag",
            "Dimensions": ALARM["Dimensions"],
            "Value": value,
            "Timestamp": regions.world.datetime(),
        }
        regions("seoul", "cloudwatch", "PutMetricData", Namespace="Peccy", MetricData=[datum])
    regions.advance(60)


def alarm(regions: Regions) -> dict[str, Any]:
    """The alarm as it is described."""
    (found,) = regions("seoul", "cloudwatch", "DescribeAlarms")["MetricAlarms"]
    return dict(found)


def mail(regions: Regions) -> list[dict[str, Any]]:
    """What the subscribers got since, oldest first."""
    return [
        json.loads(one.message) for one in regions.world.notifications if one.type == "Notification"
    ]


# AWS's own tables: evaluation periods 3; X breaching, 0 not, - missing.
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
OK, BAD, NONE, SAME = State.OK, State.ALARM, State.INSUFFICIENT_DATA, None
TREATMENTS = ("missing", "ignore", "breaching", "notBreaching")


@pytest.mark.parametrize(
    ("points", "needed", "expected"),
    [
        ("0-X-X", 3, (OK, OK, OK, OK)),
        ("----0", 3, (OK, OK, OK, OK)),
        ("-----", 3, (NONE, SAME, BAD, OK)),
        ("0XX-X", 3, (BAD, BAD, BAD, BAD)),
        ("--X--", 3, (BAD, SAME, BAD, OK)),
        ("0-X-X", 2, (BAD, BAD, BAD, BAD)),
        ("00X0X", 2, (BAD, BAD, BAD, BAD)),
        ("0-X--", 2, (OK, OK, BAD, OK)),
        ("----0", 2, (OK, OK, BAD, OK)),
        ("---X-", 2, (BAD, SAME, BAD, OK)),
    ],
)
def test_missing_points_count_as_the_user_says(
    points: str, needed: int, expected: tuple[State | None, ...]
) -> None:
    """As in the tables of AWS's guide."""
    breaching = [{"X": True, "0": False, "-": None}[one] for one in points]
    assert tuple(judge(breaching, 3, needed, one) for one in TREATMENTS) == expected


def test_an_alarm_turns_and_tells_its_topic(regions: Regions, topic: str) -> None:
    """Once, when it turns; the message is the one that Chatbot and people read."""
    put(regions, AlarmActions=[topic], AlarmDescription="the database lags")
    assert alarm(regions)["StateValue"] == "INSUFFICIENT_DATA"
    for value in (10.0, 20.0, 30.0, 100.0, 120.0, 130.0):
        minute(regions, value)
    found = alarm(regions)
    assert found["StateValue"] == "ALARM"
    assert found["StateReason"].startswith("Threshold Crossed: 3 out of the last 3 datapoints [")
    (told,) = mail(regions)
    assert told["NewStateValue"] == "ALARM"
    assert told["OldStateValue"] == "OK"
    assert told["Region"] == "Asia Pacific (Seoul)"
    assert told["Trigger"]["Dimensions"] == [{"value": "peccy", "name": "Database"}]
    assert told["AlarmDescription"] == "the database lags"
    subjects = [one.subject for one in regions.world.notifications]
    assert subjects[-1] == 'ALARM: "lag" in Asia Pacific (Seoul)'


def test_it_comes_back_and_says_so(regions: Regions, topic: str) -> None:
    """OK actions and insufficient data each have their own."""
    put(regions, OKActions=[topic], InsufficientDataActions=[topic])
    for value in (100.0, 100.0, 10.0, 10.0):
        minute(regions, value)
    regions.advance(600)
    assert [one["NewStateValue"] for one in mail(regions)] == ["OK", "INSUFFICIENT_DATA"]
    assert alarm(regions)["StateReason"] == "Insufficient Data: 3 datapoints were unknown."


def test_the_history_tells_of_changes_states_and_actions(regions: Regions, topic: str) -> None:
    """Newest first."""
    put(regions, AlarmActions=[topic, f"{SEOUL}:gone"])
    minute(regions, 100.0)
    minute(regions, 100.0)
    put(regions, Threshold=50.0)
    rows = regions("seoul", "cloudwatch", "DescribeAlarmHistory", AlarmName="lag")
    told = [(one["HistoryItemType"], one["HistorySummary"]) for one in rows["AlarmHistoryItems"]]
    assert told == [
        ("ConfigurationUpdate", 'Alarm "lag" updated'),
        ("Action", f"Failed to execute action {SEOUL}:gone"),
        ("Action", f"Successfully executed action {topic}"),
        ("StateUpdate", "Alarm updated from INSUFFICIENT_DATA to ALARM"),
        ("ConfigurationUpdate", 'Alarm "lag" created'),
    ]


def test_a_dark_region_judges_nothing(regions: Regions, topic: str) -> None:
    """Nobody is told by it that it is gone."""
    put(regions, AlarmActions=[topic], TreatMissingData="breaching")
    regions.world.outages["seoul"] = Outage.REFUSE
    regions.advance(600)
    assert mail(regions) == []
    regions.world.outages.clear()
    regions.advance(60)
    assert [one["NewStateValue"] for one in mail(regions)] == ["ALARM"]


def test_actions_can_be_switched_off(regions: Regions, topic: str) -> None:
    """The state changes all the same."""
    put(regions, AlarmActions=[topic], TreatMissingData="breaching")
    regions("seoul", "cloudwatch", "DisableAlarmActions", AlarmNames=["lag"])
    regions.advance(60)
    assert alarm(regions)["StateValue"] == "ALARM"
    assert mail(regions) == []


def test_a_composite_alarm_follows_its_children(regions: Regions, topic: str) -> None:
    """And says which of them it was."""
    put(regions, TreatMissingData="breaching")
    regions(
        "seoul",
        "cloudwatch",
        "PutCompositeAlarm",
        AlarmName="any",
        AlarmRule='ALARM("lag")',
        AlarmActions=[topic],
    )
    regions.advance(60)
    described = regions("seoul", "cloudwatch", "DescribeAlarms", AlarmTypes=["CompositeAlarm"])
    assert [one["StateValue"] for one in described["CompositeAlarms"]] == ["ALARM"]
    (told,) = mail(regions)
    assert told["AlarmRule"] == 'ALARM("lag")'
    assert [one["Arn"].split(":")[-1] for one in told["TriggeringAlarms"]] == ["lag"]


def test_setting_a_state_by_hand_calls_the_actions(regions: Regions, topic: str) -> None:
    """Until the next look, which puts it right."""
    put(regions, AlarmActions=[topic])
    state = {"AlarmName": "lag", "StateValue": "ALARM", "StateReason": "a drill"}
    regions("seoul", "cloudwatch", "SetAlarmState", **state)
    assert [one["NewStateReason"] for one in mail(regions)] == ["a drill"]
    regions.advance(60)
    assert alarm(regions)["StateValue"] == "INSUFFICIENT_DATA"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"Period": 45}, "ValidationError"),
        ({"DatapointsToAlarm": 4}, "ValidationError"),
        ({"ExtendedStatistic": "p90"}, "ValidationError"),
        ({"TreatMissingData": "well"}, "ValidationError"),
        ({"EvaluationPeriods": 2000}, "ValidationError"),
        ({"AlarmActions": ["nobody"]}, "ValidationError"),
        ({"AlarmActions": ["arn:aws:sns:us-east-1:111122223333:x"]}, "ValidationError"),
        ({"AlarmActions": ["arn:aws:ssm:ap-northeast-2:111122223333:x"]}, "NotImplemented"),
        ({"ComparisonOperator": "GreaterThanUpperThreshold"}, "NotImplemented"),
    ],
)
def test_what_cannot_be_an_alarm_is_refused(
    regions: Regions, changes: dict[str, Any], code: str
) -> None:
    """In CloudWatch's words, or because it is not here."""
    with pytest.raises(Fault) as caught:
        put(regions, **changes)
    assert caught.value.code == code


def test_alarms_are_found_by_name_state_action_and_metric(regions: Regions, topic: str) -> None:
    """And in pages."""
    put(regions, AlarmActions=[topic])
    put(regions, AlarmName="other", Dimensions=[])

    def names(**filters: Any) -> list[str]:
        found = regions("seoul", "cloudwatch", "DescribeAlarms", **filters)["MetricAlarms"]
        return [one["AlarmName"] for one in found]

    assert names() == ["lag", "other"]
    assert names(AlarmNamePrefix="o") == ["other"]
    assert names(ActionPrefix="arn:aws:sns") == ["lag"]
    assert names(StateValue="ALARM") == []
    first = regions("seoul", "cloudwatch", "DescribeAlarms", MaxRecords=1)
    assert names(NextToken=first["NextToken"]) == ["other"]
    wanted = {name: ALARM[name] for name in ("Namespace", "MetricName", "Dimensions")}
    found = regions("seoul", "cloudwatch", "DescribeAlarmsForMetric", **wanted)["MetricAlarms"]
    assert [one["AlarmName"] for one in found] == ["lag"]
    regions("seoul", "cloudwatch", "DeleteAlarms", AlarmNames=["lag"])
    with pytest.raises(Fault, match="ResourceNotFound"):
        regions("seoul", "cloudwatch", "DeleteAlarms", AlarmNames=["lag"])
