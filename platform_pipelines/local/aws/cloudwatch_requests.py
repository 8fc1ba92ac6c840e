"""What a request to put an alarm must hold, and what of CloudWatch's alarms is not here.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
"""

from platform_pipelines.local.aws import cloudwatch_math as metric_math
from platform_pipelines.local.aws import cloudwatch_statistics as statistics
from platform_pipelines.local.aws.cloudwatch_evaluation import COMPARISONS, TREATMENTS
from platform_pipelines.local.aws.service import Call, Fault, Params, not_implemented

DAY, WEEK = 86400, 7 * 86400
ACTIONS = ("OKActions", "AlarmActions", "InsufficientDataActions")
INVALID = "ValidationError"
_REQUIRED = ("Threshold", "EvaluationPeriods", "ComparisonOperator")
# What says which metric is meant, if no expression does.
_OF_ONE_METRIC = ("MetricName", "Namespace", "Period")
OF_ONE_METRIC = (*_OF_ONE_METRIC, "Dimensions", "ExtendedStatistic", "Statistic", "Unit")
_ABSENT = (
    *("ThresholdMetricId", "EvaluationCriteria", "EvaluationInterval"),
    *("ActionsSuppressor", "ActionsSuppressorWaitPeriod", "ActionsSuppressorExtensionPeriod"),
)


def check_metric_alarm(call: Call) -> None:
    """Whether a metric alarm can be put. Raises: Fault."""
    params = call.params
    check_implemented(params)
    for name in _REQUIRED:
        if name not in params:
            raise Fault(INVALID, f"The parameter {name} is required.")
    if params["ComparisonOperator"] not in COMPARISONS:
        raise not_implemented(f"ComparisonOperator {params['ComparisonOperator']}")
    if "Metrics" in params:
        _check_computed(params)
    else:
        _check_one_metric(params)
    _check_periods(params)
    if params.get("TreatMissingData", TREATMENTS[0]) not in TREATMENTS:
        message = f"TreatMissingData must be one of {', '.join(TREATMENTS)}."
        raise Fault(INVALID, message)
    check_actions(call)


def _check_one_metric(params: Params) -> None:
    for name in _OF_ONE_METRIC:
        if name not in params:
            raise Fault(INVALID, f"The parameter {name} is required.")
    if ("Statistic" in params) == ("ExtendedStatistic" in params):
        message = "Exactly one of Statistic and ExtendedStatistic must be specified."
        raise Fault(INVALID, message)
    statistics.check_statistic(params.get("Statistic") or params["ExtendedStatistic"])
    statistics.check_period(params["Period"])


def _check_computed(params: Params) -> None:
    """An alarm of an expression: exactly one of its queries gives what it judges."""
    queries = params["Metrics"]
    if given := [name for name in OF_ONE_METRIC if params.get(name)]:
        message = f"{given[0]} must not be set if Metrics list is provided."
        raise Fault(INVALID, message)
    if sum(query.get("ReturnData", True) for query in queries) != 1:
        message = "Exactly one element of the metrics list should return data"
        raise Fault(INVALID, message)
    metric_math.check(queries)


def check_implemented(params: Params) -> None:
    """Whether a request asks for nothing that is not here. Raises: Fault."""
    for name in _ABSENT:
        if name in params:
            raise not_implemented(name)


def check_actions(call: Call) -> None:
    """Whether an alarm's actions are SNS topics of its Region. Raises: Fault."""
    for action in (one for name in ACTIONS for one in call.params.get(name, ())):
        parts = action.split(":")
        if len(parts) < 6 or parts[0] != "arn":
            raise Fault(INVALID, f"Invalid arn syntax: {action}")
        if parts[2] != "sns":
            raise not_implemented(f"the alarm action {parts[2]}")
        if parts[3] != call.region:
            message = f"Invalid region {parts[3]} specified. Only {call.region} is supported."
            raise Fault(INVALID, message)


def _check_periods(params: Params) -> None:
    period = metric_math.period(params["Metrics"]) if "Metrics" in params else int(params["Period"])
    judged = int(params["EvaluationPeriods"])
    needed = int(params.get("DatapointsToAlarm") or judged)
    if not 1 <= needed <= judged:
        message = "DatapointsToAlarm must be at least 1 and at most EvaluationPeriods."
        raise Fault(INVALID, message)
    if period * judged > (WEEK if period >= 3600 else DAY):
        message = "Metrics cannot be checked across more than a day (EvaluationPeriods * Period must be <= 86400)."
        raise Fault(INVALID, message)
