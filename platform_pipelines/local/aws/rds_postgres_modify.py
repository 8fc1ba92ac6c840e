"""What can be changed of a PostgreSQL instance: settings at once; its machine, storage and version at
once if that is asked for, else in its maintenance window.

https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_ModifyInstance.Settings.html
"""

from typing import Any

from platform_pipelines.local.aws import rds_monitoring, rds_postgres_create
from platform_pipelines.local.aws import rds_postgres_versions as versions
from platform_pipelines.local.aws.rds_cluster_create import check_password, security_groups
from platform_pipelines.local.aws.rds_store import Record, refuse_others
from platform_pipelines.local.aws.service import Call, Fault, Params

RAISES = (
    *("DBInstanceNotFound", "DBParameterGroupNotFound", "InvalidDBInstanceState"),
    *("InvalidParameterCombination", "InvalidParameterValue", "KMSKeyNotAccessibleFault"),
    *("NotImplemented", "StorageTypeNotSupported"),
)
_SETTINGS = (
    *("AutoMinorVersionUpgrade", "BackupRetentionPeriod", "CACertificateIdentifier"),
    *("CopyTagsToSnapshot", "DeletionProtection", "EngineLifecycleSupport", "MaxAllocatedStorage"),
    *("PreferredBackupWindow", "PreferredMaintenanceWindow", "PubliclyAccessible"),
)
# What takes the instance's time, and so may wait.
_HEAVY = (
    *("AllocatedStorage", "DBInstanceClass", "EngineVersion", "Iops", "MultiAZ"),
    *("StorageThroughput", "StorageType"),
)
_KNOWN = frozenset(
    {
        *_SETTINGS,
        *_HEAVY,
        *rds_monitoring.MEMBERS,
        *("AllowMajorVersionUpgrade", "ApplyImmediately", "CloudwatchLogsExportConfiguration"),
        *("DBInstanceIdentifier", "DBParameterGroupName", "DBPortNumber"),
        *("EnableIAMDatabaseAuthentication", "MasterUserPassword", "VpcSecurityGroupIds"),
    }
)
_GROWTH = 1.1  # storage grows by a tenth at least, and never shrinks


def apply(call: Call, record: Record) -> bool:
    """Take the settings; whether there is more, which is pending then. Raises: Fault, before
    anything is changed."""
    refuse_others(call, _KNOWN)
    params = call.params
    heavy = _heavy(call, record)
    settings = {name: params[name] for name in _SETTINGS if name in params}
    settings |= rds_monitoring.settings(call, record)
    settings["EnabledCloudwatchLogsExports"] = rds_monitoring.exported(record, params)
    if "MasterUserPassword" in params:
        check_password(params["MasterUserPassword"])
    if "VpcSecurityGroupIds" in params:
        settings["VpcSecurityGroups"] = security_groups(params["VpcSecurityGroupIds"])
    if "EnableIAMDatabaseAuthentication" in params:
        settings["IAMDatabaseAuthenticationEnabled"] = params["EnableIAMDatabaseAuthentication"]
    record |= settings | _parameter_group(call, record)
    record.pop("EnhancedMonitoringResourceArn", None)
    record |= rds_monitoring.resource(record)
    if heavy:
        record["PendingModifiedValues"] = record.get("PendingModifiedValues", {}) | heavy
    return bool(heavy)


def finish(record: Record) -> None:
    """Take what was pending."""
    pending = record.pop("PendingModifiedValues", {})
    port = pending.pop("Port", record["Endpoint"]["Port"])
    record["Endpoint"] = record["Endpoint"] | {"Port": port}
    record |= pending
    others = [one for one in record["_zones"] if one != record["AvailabilityZone"]]
    record.pop("SecondaryAvailabilityZone", None)
    if record["MultiAZ"] and others:
        record["SecondaryAvailabilityZone"] = others[0]


def _heavy(call: Call, record: Record) -> dict[str, Any]:
    params: Params = dict(call.params)
    if "DBInstanceClass" in params:
        rds_postgres_create.check_class(params["DBInstanceClass"])
    if "EngineVersion" in params:
        allowed = bool(params.get("AllowMajorVersionUpgrade"))
        params["EngineVersion"] = versions.check_upgrade(
            record["EngineVersion"], params["EngineVersion"], major_allowed=allowed
        )
    _check_storage(params, record)
    wanted = {name: params[name] for name in _HEAVY if name in params}
    found = {name: value for name, value in wanted.items() if value != record.get(name)}
    port = params.get("DBPortNumber", record["Endpoint"]["Port"])
    return found | ({"Port": port} if port != record["Endpoint"]["Port"] else {})


def _check_storage(params: Params, record: Record) -> None:
    old = int(record["AllocatedStorage"])
    size = int(params.get("AllocatedStorage", old))
    if size != old and size < old * _GROWTH:
        text = "Invalid storage size: storage grows by at least 10 percent, and cannot be reduced."
        raise Fault("InvalidParameterCombination", text)
    kind = str(params.get("StorageType", record["StorageType"]))
    rds_postgres_create.check_storage(params, kind, size)


def _parameter_group(call: Call, record: Record) -> Record:
    """Another parameter group holds at the next restart."""
    name = call.params.get("DBParameterGroupName")
    known = record["DBParameterGroups"][0]["DBParameterGroupName"]
    if name is None or name == known:
        return {}
    version = call.params.get("EngineVersion", record["EngineVersion"])
    rds_postgres_create.check_parameter_group(name, versions.known(version))
    group = {"DBParameterGroupName": name, "ParameterApplyStatus": "pending-reboot"}
    return {"DBParameterGroups": [group]}
