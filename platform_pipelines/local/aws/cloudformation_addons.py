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

# What an update does not say: tags have operations of their own, a namespace stays.
_FOR_LIFE = ("NamespaceConfig", "Tags")


class Addon(EksType):
    """AWS::EKS::Addon: Ref is `<cluster>|<add-on>`."""

    name = "AWS::EKS::Addon"
    create_only = ("ClusterName", "AddonName", "NamespaceConfig")
    reads = frozenset(
        {
            *("AddonName", "AddonVersion", "ClusterName", "ConfigurationValues", "NamespaceConfig"),
            *("ServiceAccountRoleArn", "Tags"),
        }
    )

    def create(self, props: Properties) -> Made:
        return self._made(self.call("eks", "CreateAddon", _addon("CreateAddon", props))["addon"])

    def update(self, one: Existing, new: Properties) -> Made:
        key = self._key(one.id)
        if changed(one.properties, new) - {"PreserveOnDelete", "Tags"}:
            rest = {name: value for name, value in new.items() if name not in _FOR_LIFE}
            if "PodIdentityAssociations" in one.properties:
                rest = {"PodIdentityAssociations": []} | rest
            self.call("eks", "UpdateAddon", _addon("UpdateAddon", rest))
        addon = self.call("eks", "DescribeAddon", key)["addon"]
        self.retag(addon["addonArn"], one.properties, new)
        return self._made(addon)

    def delete(self, one: Existing) -> None:
        preserve = str(one.properties.get("PreserveOnDelete", False)).lower() == "true"
        self.call("eks", "DeleteAddon", self._key(one.id) | {"preserve": preserve})

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
            actual=_actual(found),
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


def _actual(found: dict[str, Any]) -> Properties:
    """An add-on as a template would have it."""
    names = ("AddonName", "AddonVersion", "ClusterName", "ConfigurationValues")
    known = {name: found.get(name[:1].lower() + name[1:]) for name in names}
    known["ServiceAccountRoleArn"] = found.get("serviceAccountRoleArn")
    return {name: value for name, value in known.items() if value is not None} | {
        "NamespaceConfig": {"Namespace": found.get("namespaceConfig", {}).get("namespace")},
        "Tags": found.get("tags", {}),
    }


def _addon(operation: str, props: Properties) -> dict[str, Any]:
    """CloudFormation's own names: PreserveOnDelete belongs to the delete."""
    known = {name: value for name, value in props.items() if name != "PreserveOnDelete"}
    return parameters("eks", operation, known)
