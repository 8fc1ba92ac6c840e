"""The resource type of DB instances."""

from typing import Any
from uuid import uuid4

from platform_pipelines.local.aws.cloudformation_rds import (
    FAILED,
    LOGS_CHANGE,
    RdsType,
    logs_change,
    read_back,
)
from platform_pipelines.local.aws.cloudformation_types import (
    Existing,
    Look,
    Made,
    Properties,
    changed,
    judge,
    parameters,
)

_AT_ONCE, _LOGS = "ApplyImmediately", "EnableCloudwatchLogsExports"
_BACKUPS = "DeleteAutomatedBackups"
_ENDINGS = (_AT_ONCE, _BACKUPS)  # of an update and a deletion; a creation does not know them
_READ = frozenset(
    {
        *("AllocatedStorage", "AutoMinorVersionUpgrade", "AvailabilityZone"),
        *("BackupRetentionPeriod", "CACertificateIdentifier", "CopyTagsToSnapshot"),
        *("DBClusterIdentifier", "DBInstanceClass", "DBInstanceIdentifier", "DBName"),
        *("DeletionProtection", "Engine", "EngineVersion", "Iops", "KmsKeyId", "MasterUsername"),
        *("MaxAllocatedStorage", "MonitoringInterval", "MonitoringRoleArn", "MultiAZ"),
        *("PerformanceInsightsKMSKeyId", "PerformanceInsightsRetentionPeriod"),
        *("PreferredBackupWindow", "PreferredMaintenanceWindow", "PromotionTier"),
        *("PubliclyAccessible", "StorageEncrypted", "StorageThroughput", "StorageType"),
    }
)
# What the API calls otherwise than a template, when it is asked and when it answers.
_API = {"VPCSecurityGroups": "VpcSecurityGroupIds"}
_API_OF_UPDATE = _API | {"Port": "DBPortNumber", _LOGS: LOGS_CHANGE}
_RENAMED = {
    "EnabledCloudwatchLogsExports": _LOGS,
    "IAMDatabaseAuthenticationEnabled": "EnableIAMDatabaseAuthentication",
    "PerformanceInsightsEnabled": "EnablePerformanceInsights",
    "TagList": "Tags",
}
_NESTED = ("DBParameterGroupName", "DBSubnetGroupName", "Port", "VPCSecurityGroups")


class DbInstance(RdsType):
    """AWS::RDS::DBInstance: a member of a DB cluster, or PostgreSQL by itself. Changes apply at once,
    unless the template says otherwise."""

    name = "AWS::RDS::DBInstance"
    create_only = (
        *("BackupTarget", "CharacterSetName", "CustomIAMInstanceProfile", "DBClusterIdentifier"),
        *("DBInstanceIdentifier", "DBName", "DBSubnetGroupName", "DBSystemId", "KmsKeyId"),
        *("MasterUsername", "NcharCharacterSetName", "SourceRegion", "StorageEncrypted"),
        *("Timezone",),
    )
    conditional = ("AutoMinorVersionUpgrade", "AvailabilityZone", "Engine", "MultiAZ")
    custom_name = "DBInstanceIdentifier"
    reads = frozenset({*_READ, *_RENAMED.values(), *_NESTED})

    def create(self, props: Properties) -> Made:
        rest = {_API.get(name, name): props[name] for name in props.keys() - {*_ENDINGS}}
        params = parameters("rds", "CreateDBInstance", rest)
        return self._made(self.call("rds", "CreateDBInstance", params)["DBInstance"])

    def update(self, one: Existing, new: Properties) -> Made:
        key = {"DBInstanceIdentifier": one.id}
        if names := changed(one.properties, new) - {*_ENDINGS, "Tags"}:
            told = {_API_OF_UPDATE.get(name, name): value for name, value in new.items()}
            wanted = {_AT_ONCE: True} | told | logs_change(one.properties, new)
            asked = {_API_OF_UPDATE.get(name, name) for name in names} | {_AT_ONCE}
            self.modify("ModifyDBInstance", key, wanted, asked)
        found = self.call("rds", "DescribeDBInstances", key)["DBInstances"][0]
        self.retag(found["DBInstanceArn"], one.properties, new)
        return self._made(found)

    def delete(self, one: Existing) -> None:
        final = {"FinalDBSnapshotIdentifier": f"{one.id}-snapshot-{uuid4().hex[:12]}"}
        kept = one.snapshot and "DBClusterIdentifier" not in one.properties
        ending: Properties = final if kept else {"SkipFinalSnapshot": True}
        if _BACKUPS in one.properties:
            ending |= parameters("rds", "DeleteDBInstance", {_BACKUPS: one.properties[_BACKUPS]})
        self.call("rds", "DeleteDBInstance", {"DBInstanceIdentifier": one.id} | ending)

    def look(self, one: Existing) -> Look:
        asked = {"DBInstanceIdentifier": one.id}
        found = self.call("rds", "DescribeDBInstances", asked)["DBInstances"][0]
        return Look(
            condition=judge(found["DBInstanceStatus"], ready=("available",), failed=FAILED),
            reason=f"{one.id} is {found['DBInstanceStatus']}",
            made=self._made(found),
            actual=_actual(found),
        )

    @staticmethod
    def _made(found: dict[str, Any]) -> Made:
        endpoint = found.get("Endpoint", {})
        return Made(
            id=found["DBInstanceIdentifier"],
            attributes={
                "DBInstanceArn": found["DBInstanceArn"],
                "DbiResourceId": found.get("DbiResourceId", ""),
                "Endpoint.Address": endpoint.get("Address", ""),
                "Endpoint.Port": str(endpoint.get("Port", "")),
            },
        )


def _actual(found: dict[str, Any]) -> Properties:
    """An instance as a template has it."""
    actual = read_back(found, _READ)
    actual |= {name: found[member] for member, name in _RENAMED.items() if member in found}
    for group in found["DBParameterGroups"]:
        actual["DBParameterGroupName"] = group["DBParameterGroupName"]
    actual["DBSubnetGroupName"] = found["DBSubnetGroup"]["DBSubnetGroupName"]
    groups = found.get("VpcSecurityGroups", [])
    actual["VPCSecurityGroups"] = [one["VpcSecurityGroupId"] for one in groups]
    if "Endpoint" in found:
        actual["Port"] = found["Endpoint"]["Port"]
    return actual
