"""The resource types of ECR, through its API."""

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
from platform_pipelines.local.aws.service import Fault


class ReplicationConfiguration(ResourceType):
    """AWS::ECR::ReplicationConfiguration: the whole registry's; Ref is the account."""

    name = "AWS::ECR::ReplicationConfiguration"
    create_only = ()
    reads = frozenset({"ReplicationConfiguration"})

    def create(self, props: Properties) -> Made:
        return self._put(props["ReplicationConfiguration"])

    def update(self, _one: Existing, new: Properties) -> Made:
        return self._put(new["ReplicationConfiguration"])

    def delete(self, _one: Existing) -> None:
        self._put({"Rules": []})

    def look(self, _one: Existing) -> Look:
        found = self.call("ecr", "DescribeRegistry", {})
        rules = found.get("replicationConfiguration", {}).get("rules", [])
        condition = Condition.READY if rules else Condition.GONE
        made = Made(id=found["registryId"], attributes={"RegistryId": found["registryId"]})
        actual = {"ReplicationConfiguration": {"Rules": _upper(rules)}}
        return Look(condition=condition, made=made, actual=actual)

    def _put(self, configuration: Properties) -> Made:
        props = {"ReplicationConfiguration": configuration}
        operation = "PutReplicationConfiguration"
        self.call("ecr", operation, parameters("ecr", operation, props))
        registry = self.call("ecr", "DescribeRegistry", {})["registryId"]
        return Made(id=registry, attributes={"RegistryId": registry})


class Repository(ResourceType):
    """AWS::ECR::Repository."""

    name = "AWS::ECR::Repository"
    create_only = ("RepositoryName", "EncryptionConfiguration")
    custom_name = "RepositoryName"
    reads = frozenset(
        {
            *("ImageScanningConfiguration", "ImageTagMutability", "LifecyclePolicy"),
            *("RepositoryName", "Tags"),
        }
    )

    _OF_THE_API = (
        *("RepositoryName", "ImageTagMutability", "ImageScanningConfiguration"),
        *("EncryptionConfiguration", "Tags"),
    )
    _KNOWN = frozenset({*_OF_THE_API, "EmptyOnDelete", "LifecyclePolicy", "RepositoryPolicyText"})

    def create(self, props: Properties) -> Made:
        if unknown := props.keys() - self._KNOWN:
            raise Fault("ValidationException", f"{self.name}: {sorted(unknown)} is not supported")
        rest = {name: props[name] for name in self._OF_THE_API if name in props}
        params = parameters("ecr", "CreateRepository", rest | {"Tags": []})
        params["tags"] = props.get("Tags", [])
        return self._made(self.call("ecr", "CreateRepository", params)["repository"])

    def settle(self, one: Existing) -> bool:
        self._apply(one.id, {}, one.properties)
        return True

    def update(self, one: Existing, new: Properties) -> Made:
        self._apply(one.id, one.properties, new)
        found = self._found(one.id)
        key = {"resourceArn": found["repositoryArn"]}
        retag(self.call, "ecr", key, one.properties.get("Tags"), new.get("Tags"))
        return self._made(found)

    def delete(self, one: Existing) -> None:
        force = str(one.properties.get("EmptyOnDelete", False)).lower() == "true"
        self.call("ecr", "DeleteRepository", {"repositoryName": one.id, "force": force})

    def look(self, one: Existing) -> Look:
        found = self._found(one.id)
        scans = found.get("imageScanningConfiguration", {}).get("scanOnPush", False)
        actual = {
            "RepositoryName": found["repositoryName"],
            "ImageTagMutability": found["imageTagMutability"],
            "ImageScanningConfiguration": {"ScanOnPush": scans},
            "Tags": self.call(
                "ecr", "ListTagsForResource", {"resourceArn": found["repositoryArn"]}
            )["tags"],
        }
        try:
            policy = self.call("ecr", "GetLifecyclePolicy", {"repositoryName": one.id})
        except Fault as fault:
            if fault.code != "LifecyclePolicyNotFoundException":
                raise
        else:
            actual["LifecyclePolicy"] = {"LifecyclePolicyText": policy["lifecyclePolicyText"]}
        return Look(condition=Condition.READY, made=self._made(found), actual=actual)

    def _apply(self, name: str, old: Properties, new: Properties) -> None:
        """What has operations of its own."""
        differing, key = changed(old, new), {"repositoryName": name}
        if "LifecyclePolicy" in differing:
            text = new.get("LifecyclePolicy", {}).get("LifecyclePolicyText")
            self._put(key, "LifecyclePolicy", "lifecyclePolicyText", text)
        if "RepositoryPolicyText" in differing:
            policy = new.get("RepositoryPolicyText")
            text = policy if isinstance(policy, str | None) else json.dumps(policy)
            self._put(key, "RepositoryPolicy", "policyText", text)
        if old and "ImageTagMutability" in differing:
            mutability = {"imageTagMutability": new.get("ImageTagMutability", "MUTABLE")}
            self.call("ecr", "PutImageTagMutability", key | mutability)
        if old and "ImageScanningConfiguration" in differing:
            scanning = new.get("ImageScanningConfiguration", {"ScanOnPush": False})
            props = {"ImageScanningConfiguration": scanning}
            params = parameters("ecr", "PutImageScanningConfiguration", props)
            self.call("ecr", "PutImageScanningConfiguration", key | params)

    def _put(self, key: dict[str, str], what: str, member: str, text: str | None) -> None:
        if text is None:
            self.call("ecr", f"Delete{what}", key)
        else:
            verb = "Set" if what == "RepositoryPolicy" else "Put"
            self.call("ecr", f"{verb}{what}", key | {member: text})

    def _found(self, name: str) -> dict[str, Any]:
        asked = {"repositoryNames": [name]}
        return dict(self.call("ecr", "DescribeRepositories", asked)["repositories"][0])

    @staticmethod
    def _made(found: dict[str, Any]) -> Made:
        attributes = {"Arn": found["repositoryArn"], "RepositoryUri": found["repositoryUri"]}
        return Made(id=found["repositoryName"], attributes=attributes)


def _upper(value: Any) -> Any:
    """As a template has it: names begin with a capital."""
    if isinstance(value, list):
        return [_upper(item) for item in value]
    if isinstance(value, dict):
        return {key[:1].upper() + key[1:]: _upper(item) for key, item in value.items()}
    return value
