"""The resource types of CloudWatch, through its API: alarms and dashboards."""

from typing import Any

from platform_pipelines.local.aws.cloudformation_retag import retag
from platform_pipelines.local.aws.cloudformation_types import (
    Condition,
    Existing,
    Look,
    Made,
    Properties,
    ResourceType,
    parameters,
)
from platform_pipelines.local.aws.service import Fault

_ACTIONS = ("ActionsEnabled", "AlarmActions", "OKActions", "InsufficientDataActions")


class CloudWatchType(ResourceType):
    """A type of CloudWatch; names keep their case."""

    lowercase = False
    longest_name = 255

    def expect_new(self, known: bool, name: str) -> None:
        """A put overwrites what somebody else has made: CloudFormation looks first. Raises: Fault."""
        if known:
            message = f"Resource of type '{self.name}' with identifier '{name}' already exists."
            raise Fault("AlreadyExistsException", message)

    def retag(self, arn: str, old: Properties, new: Properties) -> None:
        """Set tags that differ. Raises: Fault."""
        retag(self.call, "cloudwatch", {"ResourceARN": arn}, old.get("Tags"), new.get("Tags"))

    def tags(self, arn: str) -> list[dict[str, str]]:
        """What a resource is tagged with. Raises: Fault."""
        answer = self.call("cloudwatch", "ListTagsForResource", {"ResourceARN": arn})
        found: list[dict[str, str]] = answer.get("Tags", [])
        return found


class _Alarm(CloudWatchType):
    """What both kinds of alarms have in common: one operation makes and changes them."""

    create_only = ("AlarmName",)
    custom_name = "AlarmName"
    kind: str
    put: str

    def create(self, props: Properties) -> Made:
        self.expect_new(bool(self._alarms(props["AlarmName"])), props["AlarmName"])
        self._put(props)
        return self._made(self._found(props["AlarmName"]))

    def settle(self, one: Existing) -> bool:
        self.retag(self._found(one.id)["AlarmArn"], {}, one.properties)
        return True

    def update(self, one: Existing, new: Properties) -> Made:
        self._put({"AlarmName": one.id} | new)
        made = self._made(self._found(one.id))
        self.retag(made.attributes["Arn"], one.properties, new)
        return made

    def delete(self, one: Existing) -> None:
        self.call("cloudwatch", "DeleteAlarms", {"AlarmNames": [one.id]})

    def look(self, one: Existing) -> Look:
        found = self._found(one.id)
        actual = {
            name: _like(one.properties.get(name), found[name]) for name in self.reads & found.keys()
        }
        actual |= {"Tags": self.tags(found["AlarmArn"])}
        return Look(condition=Condition.READY, made=self._made(found), actual=actual)

    def _put(self, props: Properties) -> None:
        """Tags go their own way: a put ignores those of an alarm that there is."""
        rest = {name: value for name, value in props.items() if name != "Tags"}
        self.call("cloudwatch", self.put, parameters("cloudwatch", self.put, rest))

    def _alarms(self, name: str) -> list[dict[str, Any]]:
        asked = {"AlarmNames": [name], "AlarmTypes": [self.kind]}
        found: list[dict[str, Any]] = self.call("cloudwatch", "DescribeAlarms", asked)[
            f"{self.kind}s"
        ]
        return found

    def _found(self, name: str) -> dict[str, Any]:
        found = self._alarms(name)
        if not found:
            raise Fault("ResourceNotFound", f"Alarm {name} does not exist", 404)
        return found[0]

    @staticmethod
    def _made(alarm: dict[str, Any]) -> Made:
        return Made(id=alarm["AlarmName"], attributes={"Arn": alarm["AlarmArn"]})


class Alarm(_Alarm):
    """AWS::CloudWatch::Alarm: Ref is its name."""

    name = "AWS::CloudWatch::Alarm"
    kind, put = "MetricAlarm", "PutMetricAlarm"
    reads = frozenset(
        {
            *_ACTIONS,
            *("AlarmDescription", "AlarmName", "ComparisonOperator", "DatapointsToAlarm"),
            *("Dimensions", "EvaluateLowSampleCountPercentile", "EvaluationPeriods"),
            *("ExtendedStatistic", "MetricName", "Metrics", "Namespace", "Period", "Statistic"),
            *("Tags", "Threshold", "ThresholdMetricId", "TreatMissingData", "Unit"),
        }
    )


class CompositeAlarm(_Alarm):
    """AWS::CloudWatch::CompositeAlarm: Ref is its name."""

    name = "AWS::CloudWatch::CompositeAlarm"
    kind, put = "CompositeAlarm", "PutCompositeAlarm"
    reads = frozenset({*_ACTIONS, "AlarmDescription", "AlarmName", "AlarmRule", "Tags"})


class Dashboard(CloudWatchType):
    """AWS::CloudWatch::Dashboard: Ref is its name. Dashboards belong to no Region."""

    name = "AWS::CloudWatch::Dashboard"
    create_only = ("DashboardName",)
    custom_name = "DashboardName"
    reads = frozenset({"DashboardBody", "DashboardName", "Tags"})

    def create(self, props: Properties) -> Made:
        name = props["DashboardName"]
        asked = {"DashboardNamePrefix": name}
        entries = self.call("cloudwatch", "ListDashboards", asked)["DashboardEntries"]
        self.expect_new(any(one["DashboardName"] == name for one in entries), name)
        self._put(name, props)
        return Made(id=name)

    def settle(self, one: Existing) -> bool:
        self.retag(self._found(one.id)["DashboardArn"], {}, one.properties)
        return True

    def update(self, one: Existing, new: Properties) -> Made:
        self._put(one.id, new)
        self.retag(self._found(one.id)["DashboardArn"], one.properties, new)
        return Made(id=one.id)

    def delete(self, one: Existing) -> None:
        self.call("cloudwatch", "DeleteDashboards", {"DashboardNames": [one.id]})

    def look(self, one: Existing) -> Look:
        found = self._found(one.id)
        actual = {name: found[name] for name in ("DashboardBody", "DashboardName")}
        actual["Tags"] = self.tags(found["DashboardArn"])
        return Look(condition=Condition.READY, made=Made(id=one.id), actual=actual)

    def _put(self, name: str, props: Properties) -> None:
        put = {"DashboardName": name, "DashboardBody": props["DashboardBody"]}
        self.call("cloudwatch", "PutDashboard", put)

    def _found(self, name: str) -> dict[str, Any]:
        return self.call("cloudwatch", "GetDashboard", {"DashboardName": name})


def _like(wanted: Any, found: Any) -> Any:
    """A number as the template writes it: 60 and 60.0 are the same threshold."""
    if isinstance(found, float) and isinstance(wanted, int | float | str):
        try:
            return wanted if float(wanted) == found else found
        except ValueError:
            return found
    return found
