"""The resource type of the ledger's table, which ministack makes in one Region only."""

from typing import Any

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

_NO_RECOVERY = {"PointInTimeRecoveryEnabled": False}


class GlobalTable(ResourceType):
    """AWS::DynamoDB::GlobalTable with strong consistency: two replicas and a witness, or three."""

    name = "AWS::DynamoDB::GlobalTable"
    create_only = ("TableName",)
    conditional = ("LocalSecondaryIndexes", "GlobalTableSourceArn", "KeySchema")
    custom_name = "TableName"
    reads = frozenset(
        {
            *("AttributeDefinitions", "BillingMode", "GlobalTableWitnesses", "KeySchema"),
            *("MultiRegionConsistency", "Replicas", "TableName"),
        }
    )

    _OF_THE_TABLE = ("TableName", "AttributeDefinitions", "KeySchema", "BillingMode")
    _OF_THE_WHOLE = (*_OF_THE_TABLE, "Replicas", "GlobalTableWitnesses", "MultiRegionConsistency")

    def create(self, props: Properties) -> Made:
        self._check(props)
        name = props["TableName"]
        table = {key: props[key] for key in self._OF_THE_TABLE if key in props}
        self.call("dynamodb", "CreateTable", parameters("dynamodb", "CreateTable", table))
        return self._made(name)

    def settle(self, one: Existing) -> bool:
        """The table first, then its replicas, then what each of them has for itself."""
        if self._missing(one):
            members = {"TableName": one.id} | self._members(one.properties)
            self.call("dynamodb", "UpdateTable", members)
            return False
        for replica in one.properties["Replicas"]:
            self._settle(one.id, {"Region": replica["Region"]}, replica)
        return True

    def look(self, one: Existing) -> Look:
        table = self.call("dynamodb", "DescribeTable", {"TableName": one.id})["Table"]
        replicas = table.get("Replicas", [])
        busy = [
            status
            for status in (
                table["TableStatus"],
                *(replica.get("ReplicaStatus", "ACTIVE") for replica in replicas),
            )
            if status != "ACTIVE"
        ]
        condition = judge(busy[0] if busy else "ACTIVE", ready=("ACTIVE",))
        actual = self._actual(table) | {"Replicas": self._replicas(one, table)}
        return Look(condition=condition, made=self._made(one.id), actual=actual)

    @staticmethod
    def _actual(table: dict[str, Any]) -> Properties:
        billing = table.get("BillingModeSummary", {}).get("BillingMode", "PROVISIONED")
        return {
            "TableName": table["TableName"],
            "KeySchema": table["KeySchema"],
            "AttributeDefinitions": table["AttributeDefinitions"],
            "BillingMode": billing,
            "GlobalTableWitnesses": [
                {"Region": one["RegionName"]} for one in table.get("GlobalTableWitnesses", [])
            ],
            "MultiRegionConsistency": table.get("MultiRegionConsistency", "EVENTUAL"),
        }

    def _replicas(self, one: Existing, table: dict[str, Any]) -> list[Properties]:
        """Each replica, with what the template says of it."""
        wanted = {replica["Region"]: replica for replica in one.properties.get("Replicas", [])}
        there = {replica["RegionName"] for replica in table.get("Replicas", [])}
        return [
            {"Region": region, **self._settings(one.id, region, wanted.get(region, {}))}
            for region in sorted({*there, self.call.region})
        ]

    def _settings(self, name: str, region: str, wanted: Properties) -> Properties:
        key = {"TableName": name}
        table = self.call("dynamodb", "DescribeTable", key, region)["Table"]
        backups = self.call("dynamodb", "DescribeContinuousBackups", key, region)
        recovery = backups["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]
        asked = {"ResourceArn": table["TableArn"]}
        found = {
            "DeletionProtectionEnabled": table.get("DeletionProtectionEnabled", False),
            "PointInTimeRecoverySpecification": {
                "PointInTimeRecoveryEnabled": recovery["PointInTimeRecoveryStatus"] == "ENABLED"
            },
            "Tags": self.call("dynamodb", "ListTagsOfResource", asked, region).get("Tags", []),
        }
        return {name: value for name, value in found.items() if name in wanted}

    def _missing(self, one: Existing) -> set[str]:
        table = self.call("dynamodb", "DescribeTable", {"TableName": one.id})["Table"]
        there = {replica["RegionName"] for replica in table.get("Replicas", [])}
        wanted = {replica["Region"] for replica in one.properties["Replicas"]}
        return wanted - there - {self.call.region}

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
        """All other members together, since none goes alone; and the ordinary table that is left.
        Until it is one, its service is busy with it, and the stack asks again."""
        table = self.call("dynamodb", "DescribeTable", {"TableName": one.id})["Table"]
        if table.get("Replicas") and not table.get("DeletionProtectionEnabled"):
            self.call(
                "dynamodb", "UpdateTable", {"TableName": one.id} | self._without_others(table)
            )
        self.call("dynamodb", "DeleteTable", {"TableName": one.id})

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

    def _without_others(self, table: dict[str, Any]) -> dict[str, Any]:
        others = {one["RegionName"] for one in table["Replicas"]} - {self.call.region}
        witnesses = [one["RegionName"] for one in table.get("GlobalTableWitnesses", [])]
        return {
            "ReplicaUpdates": [{"Delete": {"RegionName": name}} for name in sorted(others)],
            "GlobalTableWitnessUpdates": [{"Delete": {"RegionName": name}} for name in witnesses],
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
        if "Tags" in differing:
            table = self.call("dynamodb", "DescribeTable", {"TableName": name}, region)["Table"]
            before, after = old.get("Tags"), replica.get("Tags")
            arn = {"ResourceArn": table["TableArn"]}
            retag(self.call, "dynamodb", arn, before, after, region=region)

    def _made(self, name: str) -> Made:
        table = self.call("dynamodb", "DescribeTable", {"TableName": name})["Table"]
        attributes = {"Arn": table["TableArn"], "TableId": table.get("TableId", "")}
        return Made(id=name, attributes=attributes)
