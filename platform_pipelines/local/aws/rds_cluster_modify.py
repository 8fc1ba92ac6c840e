"""What can be changed of a DB cluster, and how far.

The members of a global cluster are upgraded one by one to a minor version, the secondaries first,
and all at once to a major one (ModifyGlobalCluster).
https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-global-database-upgrade.html
"""

from platform_pipelines.local.aws import (
    rds_cluster_create,
    rds_global,
    rds_monitoring,
    rds_versions,
)
from platform_pipelines.local.aws.rds_store import Record, cluster_by_arn, refuse_others
from platform_pipelines.local.aws.service import Call, Fault

RAISES = (
    *("DBClusterNotFoundFault", "DBClusterParameterGroupNotFound", "InvalidDBClusterStateFault"),
    *("InvalidParameterCombination", "InvalidParameterValue", "NotImplemented"),
)
_SETTINGS = (
    *("BackupRetentionPeriod", "CopyTagsToSnapshot", "DeletionProtection"),
    *("PreferredBackupWindow", "PreferredMaintenanceWindow", "Port", "NetworkType", "StorageType"),
)
_KNOWN = frozenset(
    {
        *_SETTINGS,
        *("AllowMajorVersionUpgrade", "ApplyImmediately", "CloudwatchLogsExportConfiguration"),
        *("DBClusterIdentifier", "DBClusterParameterGroupName", "EnableIAMDatabaseAuthentication"),
        *("EngineVersion", "MasterUserPassword", "VpcSecurityGroupIds"),
    }
)


def checked(call: Call, record: Record) -> str | None:
    """The engine version to upgrade to, if there is another. Raises: Fault."""
    refuse_others(call, _KNOWN)
    rds_monitoring.exported(record, call.params)  # refuses logs that the engine does not have
    if "MasterUserPassword" in call.params:
        if rds_global.is_secondary(call.account, record["DBClusterArn"]):
            text = "The master password of a secondary cluster is that of its global cluster."
            raise Fault("InvalidDBClusterStateFault", text)
        rds_cluster_create.check_password(call.params["MasterUserPassword"])
    if "DBClusterParameterGroupName" in call.params:
        rds_cluster_create.check_parameter_group(call.params["DBClusterParameterGroupName"])
    return _upgrade(call, record)


def apply(call: Call, record: Record) -> None:
    """Take the settings that were checked."""
    params = call.params
    record |= {name: params[name] for name in _SETTINGS if name in params}
    if "VpcSecurityGroupIds" in params:
        record["VpcSecurityGroups"] = rds_cluster_create.security_groups(
            params["VpcSecurityGroupIds"]
        )
    if "DBClusterParameterGroupName" in params:
        record["DBClusterParameterGroup"] = params["DBClusterParameterGroupName"]
    if "EnableIAMDatabaseAuthentication" in params:
        record["IAMDatabaseAuthenticationEnabled"] = params["EnableIAMDatabaseAuthentication"]
    record["EnabledCloudwatchLogsExports"] = rds_monitoring.exported(record, params)


def _upgrade(call: Call, record: Record) -> str | None:
    wanted = call.params.get("EngineVersion")
    old = record["EngineVersion"]
    if wanted is None or wanted == old:
        return None
    allowed = bool(call.params.get("AllowMajorVersionUpgrade"))
    new = rds_versions.check_path(record["Engine"], old, wanted, major_allowed=allowed)
    joined = rds_global.joined(call.account, record["DBClusterArn"])
    if joined and rds_versions.major(new) != rds_versions.major(old):
        text = "Major Version Upgrade isn't supported in a single member of a global cluster."
        raise Fault("InvalidParameterCombination", text)
    if joined and not rds_global.is_secondary(call.account, record["DBClusterArn"]):
        _check_secondaries(joined, new)
    return new


def _check_secondaries(joined: Record, new: str) -> None:
    for arn in rds_global.secondaries(joined):
        cluster = cluster_by_arn(arn)
        if cluster is not None and rds_versions.order(
            cluster["EngineVersion"]
        ) < rds_versions.order(new):
            text = f"Upgrade the secondary cluster {arn} to {new} before the primary cluster."
            raise Fault("InvalidDBClusterStateFault", text)
