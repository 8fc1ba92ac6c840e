"""CloudWatch: lag metrics that are observed, statistics, and alarms that call on SNS as time goes on.

Points, alarms and their history are in ministack's stores. `cloudwatch_lag` observes,
`cloudwatch_statistics` computes, `cloudwatch_alarms` judges.
"""

from datetime import UTC, datetime
from typing import Any

from platform_pipelines.local import ministack
from platform_pipelines.local.aws import cloudwatch_lag, cloudwatch_queries, protocol, stores
from platform_pipelines.local.aws import cloudwatch_math as metric_math
from platform_pipelines.local.aws import cloudwatch_requests as requests
from platform_pipelines.local.aws.cloudwatch_alarms import Alarms
from platform_pipelines.local.aws.cloudwatch_dashboards import Dashboards
from platform_pipelines.local.aws.cloudwatch_evaluation import Alarm
from platform_pipelines.local.aws.paging import BadToken, page, paged
from platform_pipelines.local.aws.service import (
    Call,
    Fault,
    Params,
    Result,
    not_implemented,
    operation,
)

OBSERVED = "cloudwatch_observe"
INTERVAL = 10.0  # AWS-like seconds between two observations
METRICS_PAGE, ALARMS_PAGE = 500, 50
_ABSENT = "NotImplemented"
_INVALID = requests.INVALID
_TOKEN = "InvalidNextToken"


class CloudWatch(Dashboards):
    """Metrics and alarms of both Regions."""

    name = "cloudwatch"
    passes = frozenset(
        {
            *("PutMetricData", "DescribeAlarmHistory", "SetAlarmState"),
            *("EnableAlarmActions", "DisableAlarmActions"),
        }
    )

    def start(self) -> None:
        self._alarms = Alarms(self.world)
        self._alarms.install()
        self.world.timers.on(OBSERVED, self._observe)
        self.world.timers.every(INTERVAL, OBSERVED)

    @operation(raises=(_ABSENT, _TOKEN, _INVALID))
    def GetMetricData(self, call: Call) -> Result:  # noqa: N802
        return cloudwatch_queries.metric_data(call)

    @operation(raises=(_ABSENT, _INVALID, "InvalidParameterCombination", "InvalidParameterValue"))
    def GetMetricStatistics(self, call: Call) -> Result:  # noqa: N802
        return cloudwatch_queries.metric_statistics(call)

    @operation(raises=("InvalidParameterValue",))
    def ListMetrics(self, call: Call) -> Result:  # noqa: N802
        params = {key: value for key, value in call.params.items() if key != "NextToken"}
        found = stores.ask(call, params)["Metrics"]
        wrong = Fault("InvalidParameterValue", "The token is not valid.")
        return paged("Metrics", found, call.params, wrong=wrong, limit=METRICS_PAGE)

    @operation(raises=(_ABSENT, _INVALID), states="INSUFFICIENT_DATA → OK | ALARM")
    def PutMetricAlarm(self, call: Call) -> Result:  # noqa: N802
        requests.check_metric_alarm(call)
        name, module = call.params["AlarmName"], ministack.service("cloudwatch")
        verb = "updated" if name in module._alarms else "created"
        stores.ask(call)
        record = module._alarms[name]
        record.setdefault("StateTransitionedTimestamp", self.world.now())
        if "ExtendedStatistic" in call.params:
            del record["Statistic"]
        if queries := call.params.get("Metrics"):
            record |= {"Metrics": queries, "Period": metric_math.period(queries)}
        if low := call.params.get("EvaluateLowSampleCountPercentile"):
            record["EvaluateLowSampleCountPercentile"] = low
        self._alarms.configured(name, False, verb)
        return {}

    @operation(raises=(_ABSENT, _INVALID), states="INSUFFICIENT_DATA → OK | ALARM")
    def PutCompositeAlarm(self, call: Call) -> Result:  # noqa: N802
        requests.check_implemented(call.params)
        requests.check_actions(call)
        name = call.params["AlarmName"]
        known = name in ministack.service("cloudwatch")._composite_alarms
        self._alarms.configured(name, True, "updated" if known else "created")
        stores.ask(call)
        return {}

    @operation(raises=("ResourceNotFound", _INVALID))
    def DeleteAlarms(self, call: Call) -> Result:  # noqa: N802
        known = {alarm["AlarmName"] for alarm in _every()}
        if unknown := [name for name in call.params["AlarmNames"] if name not in known]:
            message = f"Alarm {unknown[0]} does not exist"
            raise Fault("ResourceNotFound", message, 404)
        stores.ask(call)
        return {}

    @operation(raises=(_ABSENT, _TOKEN))
    def DescribeAlarms(self, call: Call) -> Result:  # noqa: N802
        for name in ("ChildrenOfAlarmName", "ParentsOfAlarmName"):
            if name in call.params:
                raise not_implemented(name)
        found = [alarm for alarm in _every() if _fits(alarm, call.params)]
        limit = call.params.get("MaxRecords", ALARMS_PAGE)
        try:
            shown, token = page(found, call.params.get("NextToken"), limit)
        except BadToken:
            raise Fault(_TOKEN, "The token is not valid.") from None
        result: Result = {"MetricAlarms": [], "CompositeAlarms": []}
        for alarm in shown:
            kind = _kind(alarm)
            result[f"{kind}s"].append(_shown(alarm, kind))
        return result | ({"NextToken": token} if token else {})

    @operation
    def DescribeAlarmsForMetric(self, call: Call) -> Result:  # noqa: N802
        params = call.params
        names = ("Namespace", "MetricName", "Statistic", "ExtendedStatistic", "Period", "Unit")
        found = [
            alarm
            for alarm in ministack.service("cloudwatch")._alarms.values()
            if all(alarm.get(name) == params[name] for name in names if name in params)
            and _dimensions(alarm) == _dimensions(params)
        ]
        return {"MetricAlarms": [_shown(alarm, "MetricAlarm") for alarm in found]}

    def _observe(self) -> None:
        self.world.timers.after(INTERVAL, OBSERVED)
        cloudwatch_lag.observe(self.world)
        self._alarms.judge_all(since=self.world.now() - INTERVAL)


def _every() -> list[Alarm]:
    """All alarms of the account and Region in scope, by name."""
    module = ministack.service("cloudwatch")
    found = [*module._alarms.values(), *module._composite_alarms.values()]
    return sorted(found, key=lambda alarm: str(alarm["AlarmName"]))


def _kind(alarm: Alarm) -> str:
    return "CompositeAlarm" if "AlarmRule" in alarm else "MetricAlarm"


def _fits(alarm: Alarm, params: Params) -> bool:
    name, action = alarm["AlarmName"], params.get("ActionPrefix", "")
    actions = [one for kind in requests.ACTIONS for one in alarm.get(kind) or ()]
    return (
        _kind(alarm) in params.get("AlarmTypes", ["MetricAlarm"])
        and ("AlarmNames" not in params or name in params["AlarmNames"])
        and name.startswith(params.get("AlarmNamePrefix", ""))
        and params.get("StateValue") in (None, alarm["StateValue"])
        and (not action or any(one.startswith(action) for one in actions))
    )


def _shown(alarm: Alarm, kind: str) -> dict[str, Any]:
    """An alarm as the API has it: without what is not set, and with times."""
    model = protocol.model("cloudwatch")
    assert model is not None
    members = model.shape_for(kind).members  # type: ignore[attr-defined]  # a structure has them
    row = {name: value for name, value in alarm.items() if name in members}
    for name in [name for name in row if name.endswith("Timestamp")]:
        row[name] = datetime.fromtimestamp(row[name], UTC)
    if row.get("ExtendedStatistic"):
        row.pop("Statistic", None)
    if "Metrics" in row:
        row = {name: value for name, value in row.items() if name not in requests.OF_ONE_METRIC}
    return {name: value for name, value in row.items() if value is not None and value != ""}


def _dimensions(row: dict[str, Any]) -> dict[str, str]:
    return {one["Name"]: one["Value"] for one in row.get("Dimensions") or ()}
