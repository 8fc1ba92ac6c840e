"""GetMetricData and GetMetricStatistics over our statistics, with metric math."""

from collections import defaultdict
from datetime import UTC, datetime
from typing import Any

from platform_pipelines.local.aws import cloudwatch_math as metric_math
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
    every = params["MetricDataQueries"]
    metric_math.check(every)
    queries = [one for one in params["MetricDataQueries"] if one.get("ReturnData", True)]
    points: list[_Point] = []
    for number, query in enumerate(params["MetricDataQueries"]):
        if query in queries:
            found = sorted(metric_math.series(every, query["Id"], start, end).items())
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


def _ordered(found: list[tuple[float, float]], params: Params) -> list[tuple[float, float]]:
    return found if params.get("ScanBy") == "TimestampAscending" else found[::-1]


def _label(query: Params) -> str:
    stat = query.get("MetricStat")
    return str(stat["Metric"]["MetricName"] if stat else query["Id"])


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
                "Label": query.get("Label") or _label(query),
                "Timestamps": [datetime.fromtimestamp(when, UTC) for when, _ in own],
                "Values": [value for _, value in own],
                "StatusCode": "PartialData" if partial else "Complete",
            }
        )
    return rows
