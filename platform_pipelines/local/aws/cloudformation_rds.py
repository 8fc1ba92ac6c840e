"""The resource types of Aurora global databases, through the RDS API, so that a cluster joins the
global cluster that its template names, and leaves it when the template names it no longer."""

from typing import Any

from platform_pipelines.local.aws.cloudformation_types import (
    Existing,
    Made,
    Properties,
    ResourceType,
    changed,
    parameters,
)
from platform_pipelines.local.aws.service import Fault


class _Rds(ResourceType):
    """Changes by the Modify operation of the type; tags by ARN."""

    def _modify(
        self, operation: str, key: dict[str, str], new: Properties, names: set[str]
    ) -> None:
        """Send the properties that differ. Raises: Fault, for one that cannot be changed."""
        differing = {name: new[name] for name in names - {"Tags"} if name in new}
        if differing:
            self.call("rds", operation, parameters("rds", operation, differing) | key)

    def _retag(self, arn: str, old: Properties, new: Properties) -> None:
        before, after = old.get("Tags", []), new.get("Tags", [])
        removed = {tag["Key"] for tag in before} - {tag["Key"] for tag in after}
        if removed:
            params = {"ResourceName": arn, "TagKeys": sorted(removed)}
            self.call("rds", "RemoveTagsFromResource", params)
        if after and after != before:
            self.call("rds", "AddTagsToResource", {"ResourceName": arn, "Tags": after})


class GlobalCluster(_Rds):
    """AWS::RDS::GlobalCluster. Its source is create-only: a change of it is a replacement."""

    name = "AWS::RDS::GlobalCluster"
    create_only = (
        "GlobalClusterIdentifier",
        "SourceDBClusterIdentifier",
        "StorageEncrypted",
        "Engine",
    )
    custom_name = "GlobalClusterIdentifier"

    def create(self, props: Properties) -> Made:
        params = parameters("rds", "CreateGlobalCluster", props)
        return self._made(self.call("rds", "CreateGlobalCluster", params)["GlobalCluster"])

    def update(self, one: Existing, new: Properties) -> Made:
        key = {"GlobalClusterIdentifier": one.id}
        self._modify("ModifyGlobalCluster", key, new, changed(one.properties, new))
        found = self.call("rds", "DescribeGlobalClusters", key)["GlobalClusters"][0]
        self._retag(found["GlobalClusterArn"], one.properties, new)
        return self._made(found)

    def delete(self, one: Existing) -> None:
        self.call("rds", "DeleteGlobalCluster", {"GlobalClusterIdentifier": one.id})

    @staticmethod
    def _made(found: dict[str, Any]) -> Made:
        endpoint = {"GlobalEndpoint.Address": found.get("Endpoint", "")}
        return Made(id=found["GlobalClusterIdentifier"], attributes=endpoint)


class DbCluster(_Rds):
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
        self._modify("ModifyDBCluster", key, new, names)
        found = self.call("rds", "DescribeDBClusters", key)["DBClusters"][0]
        self._retag(found["DBClusterArn"], one.properties, new)
        return self._made(found)

    def delete(self, one: Existing) -> None:
        global_id = one.properties.get("GlobalClusterIdentifier")
        if global_id:
            self._remove(one.id, global_id)
        self.call(
            "rds", "DeleteDBCluster", {"DBClusterIdentifier": one.id, "SkipFinalSnapshot": True}
        )

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


class DbInstance(_Rds):
    """AWS::RDS::DBInstance, as a member of a DB cluster."""

    name = "AWS::RDS::DBInstance"
    create_only = (
        *("BackupTarget", "CharacterSetName", "CustomIAMInstanceProfile", "DBClusterIdentifier"),
        *("DBInstanceIdentifier", "DBName", "DBSubnetGroupName", "DBSystemId", "KmsKeyId"),
        *("MasterUsername", "NcharCharacterSetName", "SourceRegion", "StorageEncrypted"),
        *("Timezone",),
    )
    conditional = ("AutoMinorVersionUpgrade", "AvailabilityZone", "Engine", "MultiAZ")
    custom_name = "DBInstanceIdentifier"

    def create(self, props: Properties) -> Made:
        params = parameters("rds", "CreateDBInstance", props)
        return self._made(self.call("rds", "CreateDBInstance", params)["DBInstance"])

    def update(self, one: Existing, new: Properties) -> Made:
        key = {"DBInstanceIdentifier": one.id}
        self._modify("ModifyDBInstance", key, new, changed(one.properties, new))
        found = self.call("rds", "DescribeDBInstances", key)["DBInstances"][0]
        self._retag(found["DBInstanceArn"], one.properties, new)
        return self._made(found)

    def delete(self, one: Existing) -> None:
        params = {"DBInstanceIdentifier": one.id, "SkipFinalSnapshot": True}
        self.call("rds", "DeleteDBInstance", params)

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
