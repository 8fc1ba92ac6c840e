"""The resource types of the ledger's table and of ECR's replication: what ministack refuses, or
makes in one Region only."""

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

_NO_RECOVERY = {"PointInTimeRecoveryEnabled": False}


class GlobalTable(ResourceType):
    """AWS::DynamoDB::GlobalTable with strong consistency: two replicas and a witness, or three."""

    name = "AWS::DynamoDB::GlobalTable"
    create_only = ("TableName",)
    conditional = ("LocalSecondaryIndexes", "GlobalTableSourceArn", "KeySchema")
    custom_name = "TableName"

    _OF_THE_TABLE = ("TableName", "AttributeDefinitions", "KeySchema", "BillingMode")
    _OF_THE_WHOLE = (*_OF_THE_TABLE, "Replicas", "GlobalTableWitnesses", "MultiRegionConsistency")

    def create(self, props: Properties) -> Made:
        self._check(props)
        name = props["TableName"]
        table = {key: props[key] for key in self._OF_THE_TABLE if key in props}
        self.call("dynamodb", "CreateTable", parameters("dynamodb", "CreateTable", table))
        self.call("dynamodb", "UpdateTable", {"TableName": name} | self._members(props))
        for replica in props["Replicas"]:
            self._settle(name, {}, replica)
        return self._made(name)

    def update(self, one: Existing, new: Properties) -> Made:
        self._check(new)
        if unknown := changed(one.properties, new) - {"Replicas"}:
            raise Fault("ValidationException", f"{self.name}: {sorted(unknown)} cannot be changed")
        before = {replica["Region"]: replica for replica in one.properties["Replicas"]}
        if before.keys() != {replica["Region"] for replica in new["Replicas"]}:
            raise Fault("ValidationException", f"{self.name}: the Regions cannot be changed here")
        for replica in new["Replicas"]:
            self._settle(one.id, before[replica["Region"]], replica)
        return self._made(one.id)

    def delete(self, one: Existing) -> None:
        for replica in one.properties["Replicas"]:
            self.call("dynamodb", "DeleteTable", {"TableName": one.id}, replica["Region"])

    def _check(self, props: Properties) -> None:
        if props.get("MultiRegionConsistency") != "STRONG":
            raise Fault("ValidationException", f"{self.name}: only STRONG is supported locally")
        if unknown := props.keys() - {*self._OF_THE_WHOLE}:
            raise Fault("ValidationException", f"{self.name}: {sorted(unknown)} is not supported")

    def _members(self, props: Properties) -> dict[str, Any]:
        others = [one["Region"] for one in props["Replicas"] if one["Region"] != self.call.region]
        witnesses = [witness["Region"] for witness in props.get("GlobalTableWitnesses", [])]
        return {
            "MultiRegionConsistency": "STRONG",
            "ReplicaUpdates": [{"Create": {"RegionName": name}} for name in others],
            "GlobalTableWitnessUpdates": [{"Create": {"RegionName": name}} for name in witnesses],
        }

    def _settle(self, name: str, old: Properties, replica: Properties) -> None:
        """What each replica has for itself."""
        region, differing = replica["Region"], changed(old, replica) - {"Region"}
        for operation, key, default in (
            ("UpdateContinuousBackups", "PointInTimeRecoverySpecification", _NO_RECOVERY),
            ("UpdateTable", "DeletionProtectionEnabled", False),
        ):
            if key in differing:
                props = {"TableName": name, key: replica.get(key, default)}
                self.call("dynamodb", operation, parameters("dynamodb", operation, props), region)

    def _made(self, name: str) -> Made:
        table = self.call("dynamodb", "DescribeTable", {"TableName": name})["Table"]
        attributes = {"Arn": table["TableArn"], "TableId": table.get("TableId", "")}
        return Made(id=name, attributes=attributes)


class ReplicationConfiguration(ResourceType):
    """AWS::ECR::ReplicationConfiguration: the whole registry's; Ref is the account."""

    name = "AWS::ECR::ReplicationConfiguration"
    create_only = ()

    def create(self, props: Properties) -> Made:
        return self._put(props["ReplicationConfiguration"])

    def update(self, _one: Existing, new: Properties) -> Made:
        return self._put(new["ReplicationConfiguration"])

    def delete(self, _one: Existing) -> None:
        self._put({"Rules": []})

    def _put(self, configuration: Properties) -> Made:
        props = {"ReplicationConfiguration": configuration}
        operation = "PutReplicationConfiguration"
        self.call("ecr", operation, parameters("ecr", operation, props))
        registry = self.call("ecr", "DescribeRegistry", {})["registryId"]
        return Made(id=registry, attributes={"RegistryId": registry})
