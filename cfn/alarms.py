"""CloudWatch's alarms: what is measured, and when it is wrong; part of stack `alerts`.

`cfn.watched` says what a Region watches; here it becomes alarms, in `cfn.dashboard` pictures.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from troposphere import Template
from troposphere.cloudwatch import (
    Alarm,
    Metric,
    MetricDataQuery,
    MetricDimension,
    MetricStat,
)

from cfn.names import logical
from platform_pipelines.model import Platform, Region

ABSENT_IN_A_ROLE = "notBreaching"
ALWAYS_THERE = "breaching"  # no data is itself the trouble


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """A metric with exactly its dimensions."""

    namespace: str
    name: str
    dimensions: Mapping[str, Any]  # a text, or a function of CloudFormation
    statistic: str = "Maximum"
    period: int = 60  # seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """An alarm: what is measured, beyond which value it is wrong, and what to do then."""

    words: tuple[str, ...]  # of its name and its logical id
    group: str  # of the dashboard
    about: str
    measures: tuple[Measure, ...]
    threshold: float
    below: bool = False  # wrong below the threshold, else above
    periods: int = 5
    missing: str = ABSENT_IN_A_ROLE
    expression: str | None = field(default=None)  # over m0, m1, …; else the one measure

    @property
    def title(self) -> str:
        """The logical id."""
        return logical("Alarm", *self.words)

    def name(self, platform: Platform) -> str:
        """Equal in both Regions: CloudWatch's alarms are of a Region."""
        return "-".join((platform.platform, *self.words))


def add(template: Template, platform: Platform, watched: Iterable[Watched], topic: Any) -> None:
    """An alarm for each, which tells the topic of its beginning and its end."""
    for one in watched:
        template.add_resource(_alarm(platform, one, topic))


def arn(platform: Platform, region: Region, one: Watched) -> str:
    """The ARN of an alarm."""
    return f"arn:aws:cloudwatch:{region.name}:{platform.account}:alarm:{one.name(platform)}"


def _alarm(platform: Platform, one: Watched, topic: Any) -> Alarm:
    return Alarm(
        one.title,
        AlarmName=one.name(platform),
        AlarmDescription=one.about,
        AlarmActions=[topic],
        OKActions=[topic],
        Threshold=one.threshold,
        ComparisonOperator="LessThanThreshold" if one.below else "GreaterThanThreshold",
        EvaluationPeriods=one.periods,
        DatapointsToAlarm=one.periods,
        TreatMissingData=one.missing,
        **(_computed(one) if one.expression else _measured(one.measures[0])),
    )


def _measured(measure: Measure) -> dict[str, Any]:
    return {
        "Namespace": measure.namespace,
        "MetricName": measure.name,
        "Dimensions": _dimensions(measure),
        "Statistic": measure.statistic,
        "Period": measure.period,
    }


def _computed(one: Watched) -> dict[str, Any]:
    inputs = [
        MetricDataQuery(
            Id=f"m{number}",
            MetricStat=MetricStat(
                Metric=Metric(
                    Namespace=measure.namespace,
                    MetricName=measure.name,
                    Dimensions=_dimensions(measure),
                ),
                Period=measure.period,
                Stat=measure.statistic,
            ),
            ReturnData=False,
        )
        for number, measure in enumerate(one.measures)
    ]
    found = MetricDataQuery(Id="found", Expression=one.expression, ReturnData=True)
    return {"Metrics": [found, *inputs]}


def _dimensions(measure: Measure) -> list[MetricDimension]:
    return [MetricDimension(Name=k, Value=v) for k, v in measure.dimensions.items()]
