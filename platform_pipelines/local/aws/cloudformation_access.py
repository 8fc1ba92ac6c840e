"""The resource types of who may enter an EKS cluster, and which pods take which role."""

from typing import Any

from platform_pipelines.local.aws.cloudformation_eks import EksType
from platform_pipelines.local.aws.cloudformation_types import (
    Condition,
    Existing,
    Look,
    Made,
    Properties,
    changed,
    parameters,
)
from platform_pipelines.local.aws.service import Fault


class AccessEntry(EksType):
    """AWS::EKS::AccessEntry: Ref is `<principal>|<cluster>`."""

    name = "AWS::EKS::AccessEntry"
    create_only = ("PrincipalArn", "ClusterName", "Type")
    reads = frozenset(
        {
            *("AccessPolicies", "ClusterName", "KubernetesGroups", "PrincipalArn", "Tags", "Type"),
            "Username",
        }
    )

    def create(self, props: Properties) -> Made:
        rest = {name: value for name, value in props.items() if name != "AccessPolicies"}
        params = parameters("eks", "CreateAccessEntry", rest)
        return self._made(self.call("eks", "CreateAccessEntry", params)["accessEntry"])

    def settle(self, one: Existing) -> bool:
        for policy in one.properties.get("AccessPolicies", []):
            self._associate(one.id, policy)
        return True

    def update(self, one: Existing, new: Properties) -> Made:
        key = self._key(one.id)
        names = changed(one.properties, new)
        rest = {name: new[name] for name in names & {"KubernetesGroups", "Username"} & new.keys()}
        if rest:
            params = parameters("eks", "UpdateAccessEntry", rest)
            self.call("eks", "UpdateAccessEntry", params | key)
        if "AccessPolicies" in names:
            self._change_policies(one, new.get("AccessPolicies", []))
        entry = self.call("eks", "DescribeAccessEntry", key)["accessEntry"]
        self.retag(entry["accessEntryArn"], one.properties, new)
        return self._made(entry)

    def _change_policies(self, one: Existing, wanted: list[dict[str, Any]]) -> None:
        """Associating a policy again changes its scope."""
        kept = {policy["PolicyArn"] for policy in wanted}
        for policy in one.properties.get("AccessPolicies", []):
            arn = policy["PolicyArn"]
            if arn not in kept and arn in [found["PolicyArn"] for found in self._policies(one.id)]:
                params = self._key(one.id) | {"policyArn": arn}
                self.call("eks", "DisassociateAccessPolicy", params)
        for policy in wanted:
            self._associate(one.id, policy)

    def delete(self, one: Existing) -> None:
        self.call("eks", "DeleteAccessEntry", self._key(one.id))

    def look(self, one: Existing) -> Look:
        entry = self.call("eks", "DescribeAccessEntry", self._key(one.id))["accessEntry"]
        actual = {
            "PrincipalArn": entry["principalArn"],
            "ClusterName": entry["clusterName"],
            "KubernetesGroups": entry.get("kubernetesGroups", []),
            "AccessPolicies": self._policies(one.id),
            "Tags": entry.get("tags", {}),
            "Type": entry["type"],
            "Username": entry["username"],
        }
        return Look(condition=Condition.READY, made=self._made(entry), actual=actual)

    def _policies(self, id_: str) -> list[dict[str, Any]]:
        asked = self.call("eks", "ListAssociatedAccessPolicies", self._key(id_))
        return [
            {"PolicyArn": one["policyArn"], "AccessScope": _scope(one["accessScope"])}
            for one in asked["associatedAccessPolicies"]
        ]

    def _associate(self, id_: str, policy: dict[str, Any]) -> None:
        params = parameters("eks", "AssociateAccessPolicy", policy)
        self.call("eks", "AssociateAccessPolicy", params | self._key(id_))

    @staticmethod
    def _key(id_: str) -> dict[str, str]:
        principal, _, cluster = id_.partition("|")
        return {"principalArn": principal, "clusterName": cluster}

    @staticmethod
    def _made(entry: dict[str, Any]) -> Made:
        return Made(
            id=f"{entry['principalArn']}|{entry['clusterName']}",
            attributes={"AccessEntryArn": entry["accessEntryArn"]},
        )


class PodIdentityAssociation(EksType):
    """AWS::EKS::PodIdentityAssociation: Ref is the association's ARN."""

    name = "AWS::EKS::PodIdentityAssociation"
    create_only = ("ClusterName", "Namespace", "ServiceAccount")
    reads = frozenset(
        {
            *("DisableSessionTags", "Namespace", "Policy", "RoleArn", "ServiceAccount", "Tags"),
            "TargetRoleArn",
        }
    )

    def create(self, props: Properties) -> Made:
        params = parameters("eks", "CreatePodIdentityAssociation", props)
        return self._made(self.call("eks", "CreatePodIdentityAssociation", params)["association"])

    def update(self, one: Existing, new: Properties) -> Made:
        key = self._key(one.id, new)
        names = changed(one.properties, new) - {"Tags"}
        if unknown := names - new.keys():
            raise Fault("ValidationException", f"{self.name}: {sorted(unknown)} cannot be unset")
        if names:
            wanted = {name: new[name] for name in names}
            params = parameters("eks", "UpdatePodIdentityAssociation", wanted)
            self.call("eks", "UpdatePodIdentityAssociation", params | key)
        self.retag(one.id, one.properties, new)
        return self._made(self.call("eks", "DescribePodIdentityAssociation", key)["association"])

    def delete(self, one: Existing) -> None:
        self.call("eks", "DeletePodIdentityAssociation", self._key(one.id, one.properties))

    def look(self, one: Existing) -> Look:
        key = self._key(one.id, one.properties)
        found = self.call("eks", "DescribePodIdentityAssociation", key)["association"]
        known = {name: found.get(name[:1].lower() + name[1:]) for name in self.reads}
        actual = {name: value for name, value in known.items() if value is not None}
        return Look(condition=Condition.READY, made=self._made(found), actual=actual)

    @staticmethod
    def _key(arn: str, props: Properties) -> dict[str, str]:
        return {"clusterName": props["ClusterName"], "associationId": arn.rpartition("/")[2]}

    @staticmethod
    def _made(found: dict[str, Any]) -> Made:
        arn = found["associationArn"]
        attributes = {"AssociationArn": arn, "AssociationId": found["associationId"]}
        return Made(id=arn, attributes=attributes)


def _scope(scope: dict[str, Any]) -> dict[str, Any]:
    """An access scope as a template has it."""
    named = {"Namespaces": scope["namespaces"]} if scope.get("namespaces") else {}
    return {"Type": scope["type"]} | named
