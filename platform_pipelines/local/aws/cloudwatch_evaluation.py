"""How CloudWatch judges a metric alarm: M of the last N periods, and what missing ones count as.

More periods are looked at than are judged, so that a late point does not count as missing; the
newest ones that have a value are taken.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html
"""

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from platform_pipelines.local.aws import cloudwatch_math as metric_math
from platform_pipelines.local.aws import cloudwatch_statistics as statistics
from platform_pipelines.local.aws.cloudwatch_statistics import Datapoint

Alarm = dict[str, Any]

SPARE = 2  # periods that are looked at beyond those that are judged
COMPARISONS: dict[str, tuple[Callable[[float, float], bool], str]] = {
    "GreaterThanOrEqualToThreshold": (operator.ge, "greater than or equal to"),
    "GreaterThanThreshold": (operator.gt, "greater than"),
    "LessThanThreshold": (operator.lt, "less than"),
    "LessThanOrEqualToThreshold": (operator.le, "less than or equal to"),
}
MISSING, IGNORE, BREACHING, NOT_BREACHING = TREATMENTS = (
    "missing",
    "ignore",
    "breaching",
    "notBreaching",
)


class State(StrEnum):
    """Of an alarm."""

    OK = "OK"
    ALARM = "ALARM"
    INSUFFICIENT_DATA = "INSUFFICIENT_DATA"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What an alarm sees now."""

    state: State | None  # None: it stays as it is
    points: tuple[Datapoint, ...]  # the judged ones, newest first
    missing: int  # how many more would have been judged


def judge(
    breaching: Sequence[bool | None], judged: int, needed: int, treatment: str
) -> State | None:
    """The state of an alarm over its periods, oldest first; None is a missing one."""
    known = [one for one in breaching if one is not None][-judged:]
    bad, missing = sum(known), judged - len(known)
    if not known:
        return _of_nothing(treatment)
    if treatment == BREACHING:
        bad += missing
    if bad >= needed:
        return State.ALARM
    if missing == 0 or treatment in (BREACHING, NOT_BREACHING) or not all(known):
        return State.OK
    # Of what is there, all is bad: enough, if it began long enough ago.
    oldest = max(n for n, one in enumerate(reversed(breaching), 1) if one is not None)
    return State.ALARM if treatment == MISSING and oldest >= needed else None


def evaluate(alarm: Alarm, now: float) -> Judgement:
    """Judge an alarm of the account and Region in scope."""
    period, judged = alarm["Period"], alarm["EvaluationPeriods"]
    needed = alarm.get("DatapointsToAlarm") or judged
    step = min(period, 60)
    end = now // step * step
    found = _points(alarm, end - (judged + SPARE) * period, end)
    compare, _ = COMPARISONS[alarm["ComparisonOperator"]]
    by_start = {one.start: one for one in found}
    starts = [end - n * period for n in range(judged + SPARE, 0, -1)]
    seen = [by_start.get(start) for start in starts]
    breaching = [
        None if one is None or one.value is None else compare(one.value, alarm["Threshold"])
        for one in seen
    ]
    treatment = alarm.get("TreatMissingData") or MISSING
    points = tuple(reversed([one for one in seen if one is not None][-judged:]))
    return Judgement(
        state=judge(breaching, judged, needed, treatment),
        points=points,
        missing=judged - len(points),
    )


def _points(alarm: Alarm, start: float, end: float) -> list[Datapoint]:
    """What an alarm judges: the values of its metric, or of its expression."""
    period = alarm["Period"]
    if queries := alarm.get("Metrics"):
        wanted = next(query["Id"] for query in queries if query.get("ReturnData", True))
        values = metric_math.series(queries, wanted, start, end, end % period)
        return [
            Datapoint(start=at, statistics={}, unit="None", value=value)
            for at, value in sorted(values.items())
        ]
    return statistics.datapoints(
        statistics.metric(alarm, alarm.get("Unit")),
        stat=alarm.get("ExtendedStatistic") or alarm["Statistic"],
        period=period,
        start=start,
        end=end,
        origin=end % period,
    )


def _of_nothing(treatment: str) -> State | None:
    return {
        IGNORE: None,
        BREACHING: State.ALARM,
        NOT_BREACHING: State.OK,
    }.get(treatment, State.INSUFFICIENT_DATA)
