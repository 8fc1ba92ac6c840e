"""The resource type of EKS add-ons."""

from typing import Any

from platform_pipelines.local.aws.cloudformation_eks import EksType
from platform_pipelines.local.aws.cloudformation_types import (
    Existing,
    Look,
    Made,
    Properties,
    changed,
    judge,
    parameters,
)


class Addon(EksType):
    """AWS::EKS::Addon: Ref is `<cluster>|<add-on>`."""

    name = "AWS::EKS::Addon"
    create_only = ("ClusterName", "AddonName", "NamespaceConfig")
    reads = frozenset({"ClusterName", "AddonName", "AddonVersion"})

    def create(self, props: Properties) -> Made:
        return self._made(self.call("eks", "CreateAddon", _addon("CreateAddon", props))["addon"])

    def update(self, one: Existing, new: Properties) -> Made:
        key = self._key(one.id)
        if changed(one.properties, new) - {"Tags"}:
            rest = {name: value for name, value in new.items() if name != "Tags"}
            self.call("eks", "UpdateAddon", _addon("UpdateAddon", rest))
        addon = self.call("eks", "DescribeAddon", key)["addon"]
        self.retag(addon["addonArn"], one.properties, new)
        return self._made(addon)

    def delete(self, one: Existing) -> None:
        self.call("eks", "DeleteAddon", self._key(one.id))

    def look(self, one: Existing) -> Look:
        found = self.call("eks", "DescribeAddon", self._key(one.id))["addon"]
        issues = found.get("health", {}).get("issues", [])
        return Look(
            condition=judge(
                found["status"],
                ready=("ACTIVE",),
                failed=("CREATE_FAILED", "UPDATE_FAILED", "DELETE_FAILED", "DEGRADED"),
            ),
            reason="; ".join(issue.get("message", "") for issue in issues),
            made=self._made(found),
            actual={
                "AddonName": found["addonName"],
                "ClusterName": found["clusterName"],
                "AddonVersion": found.get("addonVersion"),
            },
        )

    @staticmethod
    def _key(id_: str) -> dict[str, str]:
        cluster, _, name = id_.partition("|")
        return {"clusterName": cluster, "addonName": name}

    @staticmethod
    def _made(addon: dict[str, Any]) -> Made:
        return Made(
            id=f"{addon['clusterName']}|{addon['addonName']}",
            attributes={"Arn": addon["addonArn"]},
        )


def _addon(operation: str, props: Properties) -> dict[str, Any]:
    """CloudFormation's own names: PreserveOnDelete belongs to the delete."""
    known = {name: value for name, value in props.items() if name != "PreserveOnDelete"}
    return parameters("eks", operation, known)
