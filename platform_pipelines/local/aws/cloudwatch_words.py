"""What CloudWatch says when an alarm changes: its reason, its data, and the message to SNS.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html
"""

import functools
import json
from datetime import UTC, datetime
from typing import Any

import botocore.loaders

from platform_pipelines.local.aws.cloudwatch_evaluation import (
    BREACHING,
    COMPARISONS,
    NOT_BREACHING,
    Alarm,
    Judgement,
    State,
)

_TREATED = {BREACHING: "Breaching", NOT_BREACHING: "NonBreaching"}


def reason(alarm: Alarm, seen: Judgement, before: str) -> str:
    """Why an alarm has its new state, in CloudWatch's words."""
    judged = alarm["EvaluationPeriods"]
    if not seen.points:
        return _of_nothing(alarm, seen.state, judged)
    _, word = COMPARISONS[alarm["ComparisonOperator"]]
    turns = seen.state is State.ALARM
    values = ", ".join(f"{one.value} ({_day(one.start)})" for one in seen.points)
    count = len(seen.points)
    needed = alarm.get("DatapointsToAlarm") or judged
    least = needed if turns else judged - needed + 1
    text = (
        f"{count} out of the last {judged} datapoints [{values}] "
        f"{'was' if count == 1 else 'were'} {'' if turns else 'not '}{word} the threshold "
        f"({alarm['Threshold']}) (minimum {least} datapoint{'s' if least > 1 else ''} for "
        f"{before} -> {seen.state} transition)."
    )
    return f"Threshold Crossed: {text}"


def reason_data(alarm: Alarm, seen: Judgement, now: float) -> str:
    """The same as JSON."""
    data: dict[str, Any] = {
        "version": "1.0",
        "queryDate": _stamp(now),
        "period": alarm["Period"],
        "recentDatapoints": [one.value for one in reversed(seen.points)],
        "threshold": alarm["Threshold"],
        "evaluatedDatapoints": [
            {"timestamp": _stamp(one.start)}
            | ({"sampleCount": one.statistics["SampleCount"]} if one.statistics else {})
            | {"value": one.value}
            for one in seen.points
        ],
    }
    if alarm.get("Statistic"):
        data["statistic"] = alarm["Statistic"]
    if seen.points:
        data["startDate"] = _stamp(seen.points[-1].start)
    return json.dumps(data)


def message(alarm: Alarm, before: str, account: str, region: str, now: float) -> str:
    """What the subscribers of an alarm's topic get."""
    content = {
        "AlarmName": alarm["AlarmName"],
        "AlarmDescription": alarm.get("AlarmDescription") or None,
        "AWSAccountId": account,
        "AlarmConfigurationUpdatedTimestamp": _stamp(alarm["AlarmConfigurationUpdatedTimestamp"]),
        "NewStateValue": alarm["StateValue"],
        "NewStateReason": alarm["StateReason"],
        "StateChangeTime": _stamp(now),
        "Region": region_name(region),
        "AlarmArn": alarm["AlarmArn"],
        "OldStateValue": before,
        "OKActions": alarm.get("OKActions") or [],
        "AlarmActions": alarm.get("AlarmActions") or [],
        "InsufficientDataActions": alarm.get("InsufficientDataActions") or [],
    }
    return json.dumps(content | (_composite(alarm) if "AlarmRule" in alarm else _metric(alarm)))


def subject(alarm: Alarm, region: str) -> str:
    """Of the message, in SNS's 100 characters."""
    return f'{alarm["StateValue"]}: "{alarm["AlarmName"]}" in {region_name(region)}'[:100]


@functools.cache
def region_name(region: str) -> str:
    """As people call a Region: Asia Pacific (Seoul)."""
    partitions = botocore.loaders.create_loader().load_data("endpoints")["partitions"]
    names = {key: one["description"] for part in partitions for key, one in part["regions"].items()}
    return str(names.get(region, region))


def _of_nothing(alarm: Alarm, state: State | None, judged: int) -> str:
    periods = f"{judged} period{'s' if judged > 1 else ''}"
    treated = _TREATED.get(alarm.get("TreatMissingData") or "")
    if state is State.INSUFFICIENT_DATA or treated is None:
        points = "datapoint was" if judged == 1 else "datapoints were"
        return f"Insufficient Data: {judged} {points} unknown."
    points = "datapoint was" if judged == 1 else "datapoints were"
    return (
        f"Threshold Crossed: no datapoints were received for {periods} and {judged} missing "
        f"{points} treated as [{treated}]."
    )


def _metric(alarm: Alarm) -> dict[str, Any]:
    trigger = {
        **(_queries(alarm) if "Metrics" in alarm else _one(alarm)),
        "Period": alarm["Period"],
        "EvaluationPeriods": alarm["EvaluationPeriods"],
        "DatapointsToAlarm": alarm.get("DatapointsToAlarm") or alarm["EvaluationPeriods"],
        "ComparisonOperator": alarm["ComparisonOperator"],
        "Threshold": alarm["Threshold"],
        "TreatMissingData": alarm.get("TreatMissingData") or "missing",
        "EvaluateLowSampleCountPercentile": alarm.get("EvaluateLowSampleCountPercentile") or "",
    }
    return {"Trigger": trigger}


def _queries(alarm: Alarm) -> dict[str, Any]:
    return {"Metrics": alarm["Metrics"]}


def _one(alarm: Alarm) -> dict[str, Any]:
    extended = alarm.get("ExtendedStatistic")
    kind = "ExtendedStatistic" if extended else "Statistic"
    return {
        "MetricName": alarm["MetricName"],
        "Namespace": alarm["Namespace"],
        "StatisticType": kind,
        kind: extended or alarm["Statistic"].upper(),
        "Unit": alarm.get("Unit"),
        "Dimensions": [
            {"value": one["Value"], "name": one["Name"]} for one in alarm.get("Dimensions") or ()
        ],
    }


def _composite(alarm: Alarm) -> dict[str, Any]:
    rows = json.loads(alarm.get("StateReasonData") or "{}").get("triggeringAlarms", [])
    triggering = [
        {
            "Arn": one["arn"],
            "State": {"Value": one["state"]["value"], "Timestamp": one["state"]["timestamp"]},
        }
        for one in rows
    ]
    return {"AlarmRule": alarm["AlarmRule"], "TriggeringAlarms": triggering}


def _stamp(moment: float) -> str:
    at = datetime.fromtimestamp(moment, UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}+0000"


def _day(moment: float) -> str:
    return f"{datetime.fromtimestamp(moment, UTC):%d/%m/%y %H:%M:%S}"
