"""The resource type of secrets, through Secrets Manager's API: Ref is the ARN.

A generated value is generated once, and again only if the template generates it differently. A
deleted secret goes at once, its replicas first.
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-secretsmanager-secret.html
"""

import json
from typing import Any

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
from platform_pipelines.local.aws.service import Fault, Params

_VALUE = ("SecretString", "GenerateSecretString")
_TEMPLATE = ("SecretStringTemplate", "GenerateStringKey")


class Secret(ResourceType):
    """AWS::SecretsManager::Secret."""

    name = "AWS::SecretsManager::Secret"
    create_only = ("Name",)
    custom_name = "Name"
    reads = frozenset({"Name", "Description", "KmsKeyId", "ReplicaRegions", "Tags"})

    def create(self, props: Properties) -> Made:
        named = ("Name", "Description", "KmsKeyId", "Tags")
        rest = {key: props[key] for key in named if key in props}
        params = parameters("secretsmanager", "CreateSecret", rest) | self._value(props)
        if props.get("ReplicaRegions"):
            params["AddReplicaRegions"] = props["ReplicaRegions"]
        return self._made(self.call("secretsmanager", "CreateSecret", params)["ARN"])

    def update(self, one: Existing, new: Properties) -> Made:
        names = changed(one.properties, new)
        if "Type" in names:
            raise Fault("ValidationException", f"{self.name}: Type cannot be changed")
        wanted = {key: new.get(key, "") for key in names & {"Description", "KmsKeyId"}}
        if names & {*_VALUE}:
            wanted |= self._value(new)
        if wanted:
            self.call("secretsmanager", "UpdateSecret", {"SecretId": one.id} | wanted)
        if "ReplicaRegions" in names:
            self._replicate(one.id, _replicas(one.properties), _replicas(new))
        before, after = one.properties.get("Tags"), new.get("Tags")
        retag(self.call, "secretsmanager", {"SecretId": one.id}, before, after)
        return self._made(one.id)

    def delete(self, one: Existing) -> None:
        found = self.call("secretsmanager", "DescribeSecret", {"SecretId": one.id})
        if regions := [each["Region"] for each in found.get("ReplicationStatus", [])]:
            self._remove(one.id, regions)
        gone = {"SecretId": one.id, "ForceDeleteWithoutRecovery": True}
        self.call("secretsmanager", "DeleteSecret", gone)

    def look(self, one: Existing) -> Look:
        found = self.call("secretsmanager", "DescribeSecret", {"SecretId": one.id})
        if "DeletedDate" in found:
            return Look(condition=Condition.GONE)
        statuses = found.get("ReplicationStatus", [])
        failed = [each["StatusMessage"] for each in statuses if each["Status"] == "Failed"]
        actual = {name: found[name] for name in self.reads & found.keys()}
        actual["ReplicaRegions"] = [
            {key: each[key] for key in ("Region", "KmsKeyId") if key in each} for each in statuses
        ]
        return Look(
            condition=Condition.FAILED if failed else Condition.READY,
            reason="; ".join(failed),
            made=self._made(one.id),
            actual=actual,
        )

    def identify(self, props: Properties) -> str | None:
        """Its name says whether there is one; Ref is the ARN, whose end Secrets Manager makes up."""
        return props.get("Name")

    def _value(self, props: Properties) -> Params:
        """The value that a template gives, or one that is generated as it says."""
        if "SecretString" in props:
            return {"SecretString": props["SecretString"]}
        wanted = props.get("GenerateSecretString")
        if wanted is None:
            return {}
        rest = {key: value for key, value in wanted.items() if key not in _TEMPLATE}
        params = parameters("secretsmanager", "GetRandomPassword", rest)
        random = self.call("secretsmanager", "GetRandomPassword", params)["RandomPassword"]
        if "SecretStringTemplate" not in wanted:
            return {"SecretString": random}
        filled = json.loads(wanted["SecretStringTemplate"]) | {wanted["GenerateStringKey"]: random}
        return {"SecretString": json.dumps(filled)}

    def _replicate(self, id_: str, old: dict[str, Any], new: dict[str, Any]) -> None:
        """A replica with another key is made anew."""
        gone = [region for region in old if old[region] != new.get(region)]
        added = [new[region] for region in new if old.get(region) != new[region]]
        if gone:
            self._remove(id_, gone)
        if added:
            asked = {"SecretId": id_, "AddReplicaRegions": added}
            self.call("secretsmanager", "ReplicateSecretToRegions", asked)

    def _remove(self, id_: str, regions: list[str]) -> None:
        asked = {"SecretId": id_, "RemoveReplicaRegions": regions}
        self.call("secretsmanager", "RemoveRegionsFromReplication", asked)

    @staticmethod
    def _made(arn: str) -> Made:
        return Made(id=arn, attributes={"Id": arn})


def _replicas(props: Properties) -> dict[str, Any]:
    return {one["Region"]: one for one in props.get("ReplicaRegions", [])}
