"""The resource type of log groups, through the API of CloudWatch Logs."""

from typing import Any

from platform_pipelines.local.aws.answers import tag_list
from platform_pipelines.local.aws.cloudformation_retag import retag
from platform_pipelines.local.aws.cloudformation_types import (
    Condition,
    Existing,
    Look,
    Made,
    Properties,
    ResourceType,
    changed,
    parameters,
)
from platform_pipelines.local.aws.service import Fault


class LogGroup(ResourceType):
    """AWS::Logs::LogGroup: Ref is its name."""

    name = "AWS::Logs::LogGroup"
    create_only = ("LogGroupName",)
    custom_name = "LogGroupName"
    reads = frozenset(
        {
            *("LogGroupName", "RetentionInDays", "KmsKeyId", "LogGroupClass"),
            *("DeletionProtectionEnabled", "Tags"),
        }
    )

    def create(self, props: Properties) -> Made:
        known = {key: value for key, value in props.items() if key != "RetentionInDays"}
        self.call("logs", "CreateLogGroup", parameters("logs", "CreateLogGroup", known))
        return self._made(props["LogGroupName"])

    def settle(self, one: Existing) -> bool:
        self._retain(one.id, one.properties)
        return True

    def update(self, one: Existing, new: Properties) -> Made:
        names = changed(one.properties, new)
        if "LogGroupClass" in names:
            raise Fault("InvalidRequest", "LogGroupClass cannot be changed.")
        if "RetentionInDays" in names:
            self._retain(one.id, new)
        if "KmsKeyId" in names:
            self._encrypt(one.id, new.get("KmsKeyId"))
        if "DeletionProtectionEnabled" in names:
            wanted = {"deletionProtectionEnabled": bool(new.get("DeletionProtectionEnabled"))}
            protected = {"logGroupIdentifier": one.id} | wanted
            self.call("logs", "PutLogGroupDeletionProtection", protected)
        arn = {"resourceArn": self._found(one.id)["logGroupArn"]}
        retag(self.call, "logs", arn, one.properties.get("Tags"), new.get("Tags"))
        return self._made(one.id)

    def delete(self, one: Existing) -> None:
        self.call("logs", "DeleteLogGroup", {"logGroupName": one.id})

    def look(self, one: Existing) -> Look:
        found = self._found(one.id)
        tags = self.call("logs", "ListTagsForResource", {"resourceArn": found["logGroupArn"]})
        actual = {
            property_: found[member]
            for property_, member in (
                ("LogGroupName", "logGroupName"),
                ("RetentionInDays", "retentionInDays"),
                ("KmsKeyId", "kmsKeyId"),
                ("LogGroupClass", "logGroupClass"),
                ("DeletionProtectionEnabled", "deletionProtectionEnabled"),
            )
            if member in found
        }
        actual["Tags"] = tag_list(tags["tags"])
        return Look(condition=Condition.READY, made=self._made(one.id), actual=actual)

    def _retain(self, name: str, props: Properties) -> None:
        key = {"logGroupName": name}
        if "RetentionInDays" in props:
            days = {"retentionInDays": int(props["RetentionInDays"])}
            self.call("logs", "PutRetentionPolicy", key | days)
        else:
            self.call("logs", "DeleteRetentionPolicy", key)

    def _encrypt(self, name: str, key: str | None) -> None:
        operation = "AssociateKmsKey" if key else "DisassociateKmsKey"
        self.call("logs", operation, {"logGroupName": name} | ({"kmsKeyId": key} if key else {}))

    def _found(self, name: str) -> dict[str, Any]:
        asked = {"logGroupIdentifiers": [name]}
        found = self.call("logs", "DescribeLogGroups", asked)["logGroups"]
        if not found:
            raise Fault("ResourceNotFoundException", "The specified log group does not exist.")
        return dict(found[0])

    def _made(self, name: str) -> Made:
        return Made(id=name, attributes={"Arn": self._found(name)["arn"]})
