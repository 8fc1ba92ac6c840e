"""The resource types of Aurora global databases, through the RDS API, so that a cluster joins the
global cluster that its template names, and leaves it when the template names it no longer."""

from typing import Any
from uuid import uuid4

from platform_pipelines.local.aws.cloudformation_retag import retag
from platform_pipelines.local.aws.cloudformation_types import (
    Existing,
    Look,
    Made,
    Properties,
    ResourceType,
    changed,
    judge,
    parameters,
)
from platform_pipelines.local.aws.service import Fault


class RdsType(ResourceType):
    """Changes by the Modify operation of the type; tags by ARN."""

    def modify(self, operation: str, key: dict[str, str], new: Properties, names: set[str]) -> None:
        """Send the properties that differ. Raises: Fault, for one that cannot be changed."""
        differing = {name: new[name] for name in names - {"Tags"} if name in new}
        if differing:
            self.call("rds", operation, parameters("rds", operation, differing) | key)

    def retag(self, arn: str, old: Properties, new: Properties) -> None:
        before, after = old.get("Tags"), new.get("Tags")
        words = ("AddTagsToResource", "RemoveTagsFromResource")
        retag(self.call, "rds", {"ResourceName": arn}, before, after, words=words)


FAILED = (
    *("failed", "inaccessible-encryption-credentials", "incompatible-parameters"),
    *("incompatible-network", "incompatible-restore", "restore-error", "storage-full"),
)


LOGS, LOGS_CHANGE = "EnableCloudwatchLogsExports", "CloudwatchLogsExportConfiguration"


def logs_change(old: Properties, new: Properties) -> Properties:
    """The logs that are exported from now on, and those that no longer are, as Modify takes them."""
    before, after = set(old.get(LOGS, [])), set(new.get(LOGS, []))
    change = {"EnableLogTypes": sorted(after - before), "DisableLogTypes": sorted(before - after)}
    return {LOGS_CHANGE: {name: logs for name, logs in change.items() if logs}}


def read_back(found: dict[str, Any], names: frozenset[str]) -> Properties:
    """The properties that the API calls by the same name."""
    return {name: found[name] for name in names if name in found}


class GlobalCluster(RdsType):
    """AWS::RDS::GlobalCluster. Its source is create-only: a change of it is a replacement."""

    name = "AWS::RDS::GlobalCluster"
    create_only = (
        "GlobalClusterIdentifier",
        "SourceDBClusterIdentifier",
        "StorageEncrypted",
        "Engine",
    )
    custom_name = "GlobalClusterIdentifier"
    reads = frozenset(
        {
            *("GlobalClusterIdentifier", "Engine", "EngineVersion", "StorageEncrypted"),
            *("DeletionProtection",),
        }
    )

    def create(self, props: Properties) -> Made:
        params = parameters("rds", "CreateGlobalCluster", props)
        return self._made(self.call("rds", "CreateGlobalCluster", params)["GlobalCluster"])

    def update(self, one: Existing, new: Properties) -> Made:
        key = {"GlobalClusterIdentifier": one.id}
        self.modify("ModifyGlobalCluster", key, new, changed(one.properties, new))
        found = self.call("rds", "DescribeGlobalClusters", key)["GlobalClusters"][0]
        self.retag(found["GlobalClusterArn"], one.properties, new)
        return self._made(found)

    def delete(self, one: Existing) -> None:
        self.call("rds", "DeleteGlobalCluster", {"GlobalClusterIdentifier": one.id})

    def look(self, one: Existing) -> Look:
        key = {"GlobalClusterIdentifier": one.id}
        found = self.call("rds", "DescribeGlobalClusters", key)["GlobalClusters"][0]
        condition = judge(found["Status"], ready=("available",), failed=FAILED)
        actual = read_back(found, self.reads)
        return Look(condition=condition, made=self._made(found), actual=actual)

    @staticmethod
    def _made(found: dict[str, Any]) -> Made:
        endpoint = {"GlobalEndpoint.Address": found.get("Endpoint", "")}
        return Made(id=found["GlobalClusterIdentifier"], attributes=endpoint)


class DbCluster(RdsType):
    """AWS::RDS::DBCluster. One that joins a global cluster takes no credentials."""

    name = "AWS::RDS::DBCluster"
    create_only = (
        *("ClusterScalabilityType", "DBClusterIdentifier", "DBSubnetGroupName", "DBSystemId"),
        *("DatabaseName", "EngineMode", "KmsKeyId", "PubliclyAccessible", "RestoreToTime"),
        *("RestoreType", "SnapshotIdentifier", "SourceDBClusterIdentifier", "SourceRegion"),
        *("SourceDbClusterResourceId", "StorageEncrypted", "UseLatestRestorableTime"),
    )
    conditional = ("AvailabilityZones", "Engine", "GlobalClusterIdentifier", "MasterUsername")
    custom_name = "DBClusterIdentifier"
    reads = frozenset(
        {
            *("BackupRetentionPeriod", "CopyTagsToSnapshot", "DBClusterIdentifier", LOGS),
            *("DBClusterParameterGroupName", "DBSubnetGroupName", "DeletionProtection", "Engine"),
            *("EngineVersion", "GlobalClusterIdentifier", "KmsKeyId", "MasterUsername"),
            *("StorageEncrypted", "VpcSecurityGroupIds"),
        }
    )

    def create(self, props: Properties) -> Made:
        params = parameters("rds", "CreateDBCluster", props)
        self._refuse_credentials_of_a_joiner(params)
        return self._made(self.call("rds", "CreateDBCluster", params)["DBCluster"])

    def update(self, one: Existing, new: Properties) -> Made:
        names = changed(one.properties, new)
        if "GlobalClusterIdentifier" in names:
            self._leave(one.id, one.properties, new)
            names -= {"GlobalClusterIdentifier"}
        key = {"DBClusterIdentifier": one.id}
        if LOGS in names:
            names = names - {LOGS} | {LOGS_CHANGE}
        if names - {"Tags"}:
            wanted = {"ApplyImmediately": True} | new | logs_change(one.properties, new)
            self.modify("ModifyDBCluster", key, wanted, names | {"ApplyImmediately"})
        found = self.call("rds", "DescribeDBClusters", key)["DBClusters"][0]
        self.retag(found["DBClusterArn"], one.properties, new)
        return self._made(found)

    def delete(self, one: Existing) -> None:
        if global_id := self._global_cluster(one.id):
            self._remove(one.id, global_id)
        final = {"FinalDBSnapshotIdentifier": f"{one.id}-snapshot-{uuid4().hex[:12]}"}
        ending = final if one.snapshot else {"SkipFinalSnapshot": True}
        self.call("rds", "DeleteDBCluster", {"DBClusterIdentifier": one.id} | ending)

    def look(self, one: Existing) -> Look:
        asked = {"DBClusterIdentifier": one.id}
        found = self.call("rds", "DescribeDBClusters", asked)["DBClusters"][0]
        return Look(
            condition=judge(found["Status"], ready=("available",), failed=FAILED),
            reason=f"{one.id} is {found['Status']}",
            made=self._made(found),
            actual=self._actual(found),
        )

    def _actual(self, found: dict[str, Any]) -> Properties:
        actual = read_back(found, self.reads)
        renamed = {"DBClusterParameterGroup": "DBClusterParameterGroupName"}
        renamed |= {"DBSubnetGroup": "DBSubnetGroupName", "EnabledCloudwatchLogsExports": LOGS}
        actual |= {name: found[key] for key, name in renamed.items() if key in found}
        groups = found.get("VpcSecurityGroups", [])
        actual["VpcSecurityGroupIds"] = [one["VpcSecurityGroupId"] for one in groups]
        if member_of := self._global_cluster(found["DBClusterIdentifier"]):
            actual["GlobalClusterIdentifier"] = member_of
        return actual

    def _global_cluster(self, id_: str) -> str | None:
        """The global cluster that it is a member of now."""
        asked = {"DBClusterIdentifier": id_}
        arn = self.call("rds", "DescribeDBClusters", asked)["DBClusters"][0]["DBClusterArn"]
        for one in self.call("rds", "DescribeGlobalClusters", {})["GlobalClusters"]:
            if arn in {member["DBClusterArn"] for member in one.get("GlobalClusterMembers", [])}:
                return str(one["GlobalClusterIdentifier"])
        return None

    def _leave(self, id_: str, old: Properties, new: Properties) -> None:
        """What AWS does when a template drops the global cluster: detach, and so promote."""
        if new.get("GlobalClusterIdentifier"):
            raise Fault("ValidationException", "A DB cluster cannot join a global cluster later.")
        self._remove(id_, old["GlobalClusterIdentifier"])

    def _remove(self, id_: str, global_id: str) -> None:
        found = self.call("rds", "DescribeDBClusters", {"DBClusterIdentifier": id_})
        arn = found["DBClusters"][0]["DBClusterArn"]
        params = {"GlobalClusterIdentifier": global_id, "DbClusterIdentifier": arn}
        self.call("rds", "RemoveFromGlobalCluster", params)

    def _refuse_credentials_of_a_joiner(self, params: dict[str, Any]) -> None:
        given = params.keys() & {"MasterUsername", "MasterUserPassword"}
        key = {"GlobalClusterIdentifier": params.get("GlobalClusterIdentifier", "")}
        if not key["GlobalClusterIdentifier"]:
            return
        found = self.call("rds", "DescribeGlobalClusters", key)["GlobalClusters"][0]
        if found.get("GlobalClusterMembers") and given:
            message = f"Cannot specify {sorted(given)} for a cluster that joins a global cluster."
            raise Fault("InvalidParameterCombination", message)

    @staticmethod
    def _made(found: dict[str, Any]) -> Made:
        return Made(
            id=found["DBClusterIdentifier"],
            attributes={
                "Arn": found["DBClusterArn"],
                "DBClusterArn": found["DBClusterArn"],
                "DBClusterResourceId": found["DbClusterResourceId"],
                "Endpoint.Address": found["Endpoint"],
                "Endpoint.Port": str(found["Port"]),
                "ReadEndpoint.Address": found["ReaderEndpoint"],
            },
        )
