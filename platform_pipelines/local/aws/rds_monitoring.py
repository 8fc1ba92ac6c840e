"""How closely RDS watches an instance: enhanced monitoring with its role, Performance Insights, and
which of an engine's logs go to CloudWatch Logs.

https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_Monitoring.OS.Enabling.html
"""

from typing import Any

from platform_pipelines.local.aws import rds_keys
from platform_pipelines.local.aws.role_trust import is_assumable
from platform_pipelines.local.aws.service import Call, Fault, Params

MEMBERS = frozenset(
    {
        *("EnablePerformanceInsights", "MonitoringInterval", "MonitoringRoleArn"),
        *("PerformanceInsightsKMSKeyId", "PerformanceInsightsRetentionPeriod"),
        "DatabaseInsightsMode",
    }
)
_INTERVALS = frozenset({0, 1, 5, 10, 15, 30, 60})  # seconds
_RETENTIONS = frozenset({7, 731, *range(31, 31 * 24, 31)})  # days
_LOGS = {
    "aurora-mysql": frozenset(
        {"audit", "error", "general", "iam-db-auth-error", "instance", "slowquery"}
    ),
    "aurora-postgresql": frozenset({"iam-db-auth-error", "instance", "postgresql"}),
    "postgres": frozenset({"iam-db-auth-error", "postgresql", "upgrade"}),
}


def settings(call: Call, old: dict[str, Any]) -> dict[str, Any]:
    """What an instance has after this call; `old` is empty for a new one. Raises: Fault."""
    return _monitoring(call.params, old) | _insights(call, old)


def resource(record: dict[str, Any]) -> dict[str, str]:
    """Where the measurements of enhanced monitoring go, if it is on."""
    if not record["MonitoringInterval"]:
        return {}
    _, _, _, region, account, *_ = record["DBInstanceArn"].split(":")
    head = f"arn:aws:logs:{region}:{account}:log-group:RDSOSMetrics:log-stream"
    return {"EnhancedMonitoringResourceArn": f"{head}:{record['DbiResourceId']}"}


def check_logs(engine: str, names: list[str]) -> None:
    """Raises: Fault, for logs that an engine does not have."""
    if unknown := sorted(set(names) - _LOGS[engine]):
        text = f"You cannot use the log types '{', '.join(unknown)}' with engine {engine}."
        raise Fault("InvalidParameterCombination", text)


def exported(record: dict[str, Any], params: Params) -> list[str]:
    """The logs that go to CloudWatch Logs after a modification. Raises: Fault."""
    change = params.get("CloudwatchLogsExportConfiguration", {})
    added, removed = change.get("EnableLogTypes", []), change.get("DisableLogTypes", [])
    check_logs(record["Engine"], [*added, *removed])
    return sorted({*record.get("EnabledCloudwatchLogsExports", []), *added} - {*removed})


def _monitoring(params: Params, old: dict[str, Any]) -> dict[str, Any]:
    interval = params.get("MonitoringInterval", old.get("MonitoringInterval", 0))
    role = params.get("MonitoringRoleArn", old.get("MonitoringRoleArn"))
    if interval not in _INTERVALS:
        raise Fault("InvalidParameterValue", f"Invalid monitoring interval: {interval}")
    if interval and not role:
        text = "A MonitoringRoleARN value is required if you specify a MonitoringInterval value"
        raise Fault("InvalidParameterCombination", f"{text} other than 0.")
    if role and not is_assumable(str(role), "monitoring.rds.amazonaws.com"):
        text = "IAM role ARN value is invalid or does not include the required permissions for:"
        raise Fault("InvalidParameterValue", f"{text} ENHANCED_MONITORING")
    return {"MonitoringInterval": interval} | ({"MonitoringRoleArn": role} if role else {})


def _insights(call: Call, old: dict[str, Any]) -> dict[str, Any]:
    params = call.params
    enabled = params.get("EnablePerformanceInsights", old.get("PerformanceInsightsEnabled", False))
    own = {"PerformanceInsightsEnabled": enabled}
    if mode := params.get("DatabaseInsightsMode", old.get("DatabaseInsightsMode")):
        own["DatabaseInsightsMode"] = mode
    if not enabled:
        return own
    days = params.get(
        "PerformanceInsightsRetentionPeriod", old.get("PerformanceInsightsRetentionPeriod", 7)
    )
    if days not in _RETENTIONS:
        text = f"Invalid Performance Insights Retention period: {days}"
        raise Fault("InvalidParameterValue", text)
    given, known = params.get("PerformanceInsightsKMSKeyId"), old.get("PerformanceInsightsKMSKeyId")
    key = rds_keys.find(call, given) if given else known or rds_keys.default(call)
    if known and key != known:
        text = "You can't change the KMS key of Performance Insights."
        raise Fault("InvalidParameterCombination", text)
    return own | {
        "PerformanceInsightsRetentionPeriod": days,
        "PerformanceInsightsKMSKeyId": key,
    }
