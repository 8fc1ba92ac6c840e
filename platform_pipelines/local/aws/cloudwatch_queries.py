"""GetMetricData and GetMetricStatistics over our statistics. Metric math is not implemented here."""

from collections import defaultdict
from datetime import UTC, datetime
from typing import Any

from platform_pipelines.local.aws import cloudwatch_statistics as statistics
from platform_pipelines.local.aws.paging import BadToken, page
from platform_pipelines.local.aws.service import Call, Fault, Params, Result

DATAPOINTS = 100_800  # of GetMetricData's answer
MOST = 1440  # of GetMetricStatistics' answer
_Point = tuple[int, float, float]  # which query, when, how much


def metric_data(call: Call) -> Result:
    """What GetMetricData answers. Raises: Fault."""
    params = call.params
    start, end = _range(params, "ValidationError")
    queries = [one for one in params["MetricDataQueries"] if one.get("ReturnData", True)]
    points: list[_Point] = []
    for number, query in enumerate(params["MetricDataQueries"]):
        found = _values(query, start, end)
        if query in queries:
            points += [(number, when, value) for when, value in _ordered(found, params)]
    try:
        limit = min(params.get("MaxDatapoints", DATAPOINTS), DATAPOINTS)
        shown, token = page(points, params.get("NextToken"), limit)
    except BadToken:
        raise Fault("InvalidNextToken", "The token is not valid.") from None
    rows = _grouped(params["MetricDataQueries"], queries, shown, partial=token is not None)
    return {"MetricDataResults": rows, "Messages": []} | ({"NextToken": token} if token else {})


def metric_statistics(call: Call) -> Result:
    """What GetMetricStatistics answers. Raises: Fault."""
    params = call.params
    basic, extended = params.get("Statistics", []), params.get("ExtendedStatistics", [])
    if not basic and not extended:
        message = "Must specify either Statistics or ExtendedStatistics"
        raise Fault("InvalidParameterCombination", message)
    start, end = _range(params, "InvalidParameterValue")
    period = params["Period"]
    statistics.check_period(period)
    if (end - start) / period > MOST:
        message = (
            f"You have requested more than {MOST} datapoints; raise the Period or narrow the time."
        )
        raise Fault("InvalidParameterCombination", message)
    asked = statistics.metric(params, params.get("Unit"))
    rows: dict[float, dict[str, Any]] = defaultdict(dict)
    for stat in [*basic, *extended]:
        statistics.check_statistic(stat)
        for one in statistics.datapoints(asked, stat=stat, period=period, start=start, end=end):
            row = rows[one.start]
            row |= {"Timestamp": datetime.fromtimestamp(one.start, UTC), "Unit": one.unit}
            target = row if stat in basic else row.setdefault("ExtendedStatistics", {})
            target[stat] = one.value
    return {"Label": params["MetricName"], "Datapoints": list(rows.values())}


def _range(params: Params, code: str) -> tuple[float, float]:
    start, end = (_moment(params[name]) for name in ("StartTime", "EndTime"))
    if start >= end:
        message = "The parameter StartTime must be less than the parameter EndTime."
        raise Fault(code, message)
    return start, end


def _moment(value: datetime) -> float:
    """Unix seconds; a time without a zone is UTC, as CBOR has it."""
    return (value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp()


def _values(query: Params, start: float, end: float) -> list[tuple[float, float]]:
    wanted = query.get("MetricStat")
    if "Expression" in query:
        message = "Metric math is not implemented by the local Regions"
        raise Fault("NotImplemented", message, 501)
    if wanted is None:
        message = f"The query {query['Id']} has neither MetricStat nor Expression."
        raise Fault("ValidationError", message)
    statistics.check_period(wanted["Period"])
    statistics.check_statistic(wanted["Stat"])
    found = statistics.datapoints(
        statistics.metric(wanted["Metric"], wanted.get("Unit")),
        stat=wanted["Stat"],
        period=wanted["Period"],
        start=start,
        end=end,
    )
    return [(one.start, one.value) for one in found if one.value is not None]


def _ordered(found: list[tuple[float, float]], params: Params) -> list[tuple[float, float]]:
    return found if params.get("ScanBy") == "TimestampAscending" else found[::-1]


def _grouped(
    every: list[Params], queries: list[Params], shown: list[_Point], *, partial: bool
) -> list[dict[str, Any]]:
    rows = []
    for query in queries:
        number = every.index(query)
        own = [(when, value) for one, when, value in shown if one == number]
        rows.append(
            {
                "Id": query["Id"],
                "Label": query.get("Label") or query["MetricStat"]["Metric"]["MetricName"],
                "Timestamps": [datetime.fromtimestamp(when, UTC) for when, _ in own],
                "Values": [value for _, value in own],
                "StatusCode": "PartialData" if partial else "Complete",
            }
        )
    return rows
