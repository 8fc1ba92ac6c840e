"""The resource type of DB instances."""

from typing import Any

from platform_pipelines.local.aws.cloudformation_rds import FAILED, RdsType, read_back
from platform_pipelines.local.aws.cloudformation_types import (
    Existing,
    Look,
    Made,
    Properties,
    changed,
    judge,
    parameters,
)


class DbInstance(RdsType):
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
    reads = frozenset(
        {
            *("AvailabilityZone", "DBClusterIdentifier", "DBInstanceClass", "Engine"),
            *("DBInstanceIdentifier", "PubliclyAccessible"),
        }
    )

    def create(self, props: Properties) -> Made:
        params = parameters("rds", "CreateDBInstance", props)
        return self._made(self.call("rds", "CreateDBInstance", params)["DBInstance"])

    def update(self, one: Existing, new: Properties) -> Made:
        key = {"DBInstanceIdentifier": one.id}
        self.modify("ModifyDBInstance", key, new, changed(one.properties, new))
        found = self.call("rds", "DescribeDBInstances", key)["DBInstances"][0]
        self.retag(found["DBInstanceArn"], one.properties, new)
        return self._made(found)

    def delete(self, one: Existing) -> None:
        params = {"DBInstanceIdentifier": one.id, "SkipFinalSnapshot": True}
        self.call("rds", "DeleteDBInstance", params)

    def look(self, one: Existing) -> Look:
        asked = {"DBInstanceIdentifier": one.id}
        found = self.call("rds", "DescribeDBInstances", asked)["DBInstances"][0]
        return Look(
            condition=judge(found["DBInstanceStatus"], ready=("available",), failed=FAILED),
            reason=f"{one.id} is {found['DBInstanceStatus']}",
            made=self._made(found),
            actual=read_back(found, self.reads),
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
