"""The resource type of EKS clusters, whose endpoint is the real local one.

EKS changes one thing at a time: an update of several properties is several updates in a row, each
asked for when what the cluster is shows that it is still to come.
"""

from collections.abc import Iterator
from typing import Any

from platform_pipelines.local.aws.cloudformation_eks import EksType, is_there
from platform_pipelines.local.aws.cloudformation_types import (
    Existing,
    Look,
    Made,
    Properties,
    changed,
    judge,
    parameters,
)
from platform_pipelines.local.aws.service import Params

_CONFIGS = (
    *("AccessConfig", "ControlPlaneScalingConfig", "DeletionProtection", "Logging"),
    *("RemoteNetworkConfig", "UpgradePolicy", "ZonalShiftConfig"),
)
_ENDPOINT = ("EndpointPublicAccess", "EndpointPrivateAccess", "PublicAccessCidrs")
_PLACES = ("SubnetIds", "SecurityGroupIds")
_LOGS = ("api", "audit", "authenticator", "controllerManager", "scheduler")
# Parts of properties that a cluster keeps for its life.
_FOR_LIFE = (
    ("AccessConfig", "BootstrapClusterCreatorAdminPermissions"),
    ("KubernetesNetworkConfig", "IpFamily"),
    ("KubernetesNetworkConfig", "ServiceIpv4Cidr"),
)


class Cluster(EksType):
    """AWS::EKS::Cluster."""

    name = "AWS::EKS::Cluster"
    create_only = (
        *("OutpostConfig", "EncryptionConfig", "Name", "RoleArn", "BootstrapSelfManagedAddons"),
    )
    conditional = ("AccessConfig", "KubernetesNetworkConfig")
    custom_name = "Name"
    reads = frozenset(
        {
            *("AccessConfig", "DeletionProtection", "EncryptionConfig", "Logging", "Name"),
            *("ResourcesVpcConfig", "RoleArn", "Tags", "UpgradePolicy", "Version"),
        }
    )

    def create(self, props: Properties) -> Made:
        params = parameters("eks", "CreateCluster", _with_logs(props))
        self.call("eks", "CreateCluster", params)
        return self._made(params["name"])

    def update(self, one: Existing, new: Properties) -> Made:
        _expect_same_life(one, new)
        self._next(one, new)
        made = self._made(one.id)
        self.retag(made.attributes["Arn"], one.properties, new)
        return made

    def go_on(self, one: Existing, new: Properties) -> bool:
        return not self._next(one, new)

    def delete(self, one: Existing) -> None:
        self.call("eks", "DeleteCluster", {"name": one.id})

    def look(self, one: Existing) -> Look:
        found = self._found(one.id)
        issues = found.get("health", {}).get("issues", [])
        return Look(
            condition=judge(found["status"], ready=("ACTIVE",), failed=("FAILED",)),
            reason="; ".join(issue.get("message", "") for issue in issues),
            made=self._made(one.id),
            actual=_actual(found, one.properties),
        )

    def _found(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self.call("eks", "DescribeCluster", {"name": name})["cluster"]
        return found

    def _next(self, one: Existing, new: Properties) -> bool:
        """Ask for the first change that is still to come; False if none is. Raises: Fault."""
        found = self._found(one.id)
        for operation, params in _steps(one.properties, new):
            if not is_there(params, found):
                self.call("eks", operation, params | {"name": one.id})
                return True
        return False

    def _made(self, name: str) -> Made:
        cluster = self._found(name)
        network, identity = cluster.get("resourcesVpcConfig", {}), cluster.get("identity", {})
        return Made(
            id=name,
            attributes={
                "Arn": cluster["arn"],
                "Endpoint": cluster.get("endpoint", ""),
                "CertificateAuthorityData": cluster.get("certificateAuthority", {}).get("data", ""),
                "ClusterSecurityGroupId": network.get("clusterSecurityGroupId", ""),
                "OpenIdConnectIssuerUrl": identity.get("oidc", {}).get("issuer", ""),
            },
        )


def _steps(old: Properties, new: Properties) -> Iterator[tuple[str, Params]]:
    """The updates that make a cluster of `old` one of `new`; what a template drops stays."""
    names = changed(old, new) & new.keys()
    if "Version" in names:
        yield "UpdateClusterVersion", {"version": str(new["Version"])}
    for name in sorted(names & {*_CONFIGS}):
        yield "UpdateClusterConfig", _config(name, new[name])
    if "ResourcesVpcConfig" in names:
        for part in (_ENDPOINT, _PLACES):
            wanted = {key: one for key, one in new["ResourcesVpcConfig"].items() if key in part}
            if wanted:
                yield "UpdateClusterConfig", _config("ResourcesVpcConfig", wanted)


def _config(name: str, value: Any) -> Params:
    if name == "AccessConfig":
        value = {key: one for key, one in value.items() if key == "AuthenticationMode"}
    return parameters("eks", "UpdateClusterConfig", _with_logs({name: value}))


def _with_logs(props: Properties) -> Properties:
    """CloudFormation lists the logs that are on; EKS wants to hear of the others as well."""
    if "Logging" not in props:
        return props
    listed = props["Logging"].get("ClusterLogging", {}).get("EnabledTypes", [])
    on = [name for name in _LOGS if {"Type": name} in listed]
    off = [name for name in _LOGS if name not in on]
    setup = [{"types": kinds, "enabled": kinds is on} for kinds in (on, off) if kinds]
    return props | {"Logging": {"ClusterLogging": setup}}


def _expect_same_life(one: Existing, new: Properties) -> None:
    """Raises: ValueError, in CloudFormation's words, for what would need another cluster."""
    for name, part in _FOR_LIFE:
        if one.properties.get(name, {}).get(part) != new.get(name, {}).get(part):
            message = (
                "CloudFormation cannot update a stack when a custom-named resource requires "
                f"replacing. Rename {one.id} and update the stack again."
            )
            raise ValueError(message)


def _actual(found: dict[str, Any], wanted: Properties) -> Properties:
    """A cluster as a template would have it; of its network and access what the template says."""
    network = {key[:1].upper() + key[1:]: one for key, one in found["resourcesVpcConfig"].items()}
    mode = {"AuthenticationMode": found["accessConfig"]["authenticationMode"]}
    encryption = [
        {"Resources": one["resources"], "Provider": {"KeyArn": one["provider"]["keyArn"]}}
        for one in found.get("encryptionConfig", [])
    ]
    return {
        "Name": found["name"],
        "RoleArn": found["roleArn"],
        "Version": found["version"],
        "AccessConfig": wanted.get("AccessConfig", {}) | mode,
        "DeletionProtection": found.get("deletionProtection", False),
        "EncryptionConfig": encryption,
        "Logging": {"ClusterLogging": {"EnabledTypes": _enabled(found)}},
        "ResourcesVpcConfig": {
            key: network[key] for key in wanted.get("ResourcesVpcConfig", {}) if key in network
        },
        "Tags": found.get("tags", {}),
        "UpgradePolicy": {"SupportType": found["upgradePolicy"]["supportType"]},
    }


def _enabled(found: dict[str, Any]) -> list[dict[str, str]]:
    setup = found["logging"].get("clusterLogging", [])
    on = {kind for one in setup if one.get("enabled") for kind in one["types"]}
    return [{"Type": kind} for kind in _LOGS if kind in on]
