"""The resource types of EKS, through its API: clusters whose endpoint is the real local one, and
node groups without a count."""

from typing import Any

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


def _first_word(name: str) -> str:
    return name[:1].lower() + name[1:]


class EksType(ResourceType):
    """A type whose tags change by ARN."""

    def retag(self, arn: str, old: Properties, new: Properties) -> None:
        before, after = _tags(old), _tags(new)
        removed = sorted(before.keys() - after.keys())
        if removed:
            self.call("eks", "UntagResource", {"resourceArn": arn, "tagKeys": removed})
        if after and after != before:
            self.call("eks", "TagResource", {"resourceArn": arn, "tags": after})


def _tags(props: Properties) -> dict[str, str]:
    tags = props.get("Tags") or {}
    return tags if isinstance(tags, dict) else {tag["Key"]: tag["Value"] for tag in tags}


class Cluster(EksType):
    """AWS::EKS::Cluster."""

    name = "AWS::EKS::Cluster"
    create_only = (
        *("OutpostConfig", "EncryptionConfig", "Name", "RoleArn", "BootstrapSelfManagedAddons"),
    )
    custom_name = "Name"
    reads = frozenset({"Name", "RoleArn", "Version", "AccessConfig"})

    def create(self, props: Properties) -> Made:
        params = parameters("eks", "CreateCluster", props)
        self.call("eks", "CreateCluster", params)
        return self._made(params["name"])

    def update(self, one: Existing, new: Properties) -> Made:
        names = changed(one.properties, new) - {"Tags"}
        if "Version" in names:
            params = {"name": one.id, "version": str(new["Version"])}
            self.call("eks", "UpdateClusterVersion", params)
        for name in sorted(names - {"Version"}):
            config = parameters("eks", "UpdateClusterConfig", {name: new[name]})
            self.call("eks", "UpdateClusterConfig", config | {"name": one.id})
        made = self._made(one.id)
        self.retag(made.attributes["Arn"], one.properties, new)
        return made

    def delete(self, one: Existing) -> None:
        self.call("eks", "DeleteCluster", {"name": one.id})

    def look(self, one: Existing) -> Look:
        found = self.call("eks", "DescribeCluster", {"name": one.id})["cluster"]
        issues = found.get("health", {}).get("issues", [])
        actual = {
            "Name": found["name"],
            "RoleArn": found["roleArn"],
            "Version": found["version"],
        }
        if modes := found.get("accessConfig", {}).get("authenticationMode"):
            actual["AccessConfig"] = one.properties.get("AccessConfig", {}) | {
                "AuthenticationMode": modes
            }
        return Look(
            condition=judge(found["status"], ready=("ACTIVE",), failed=("FAILED",)),
            reason="; ".join(issue.get("message", "") for issue in issues),
            made=self._made(one.id),
            actual=actual,
        )

    def _made(self, name: str) -> Made:
        cluster = self.call("eks", "DescribeCluster", {"name": name})["cluster"]
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


class NodeGroup(EksType):
    """AWS::EKS::Nodegroup. Without a ScalingConfig EKS's own default counts; an update of anything
    else leaves the counts alone."""

    name = "AWS::EKS::Nodegroup"
    create_only = (
        *("CapacityType", "NodegroupName", "RemoteAccess", "NodeRole", "ClusterName"),
        *("InstanceTypes", "DiskSize", "AmiType", "Subnets"),
    )
    custom_name = "NodegroupName"
    reads = frozenset(
        {
            *("ClusterName", "NodegroupName", "NodeRole", "InstanceTypes", "AmiType", "Labels"),
            *("ScalingConfig", "Subnets", "Taints"),
        }
    )

    def create(self, props: Properties) -> Made:
        params = parameters("eks", "CreateNodegroup", props)
        group = self.call("eks", "CreateNodegroup", params)["nodegroup"]
        return self._made(group)

    def update(self, one: Existing, new: Properties) -> Made:
        cluster, _, name = one.id.partition("/")
        key = {"clusterName": cluster, "nodegroupName": name}
        names = changed(one.properties, new) - {"Tags"}
        if names & {"Version", "ReleaseVersion", "LaunchTemplate"}:
            self._upgrade(key, new)
        config = names & {"ScalingConfig", "UpdateConfig", "Labels", "Taints"}
        if config:
            self._configure(key, one.properties, new, config)
        group = self.call("eks", "DescribeNodegroup", key)["nodegroup"]
        self.retag(group["nodegroupArn"], one.properties, new)
        return self._made(group)

    def delete(self, one: Existing) -> None:
        cluster, _, name = one.id.partition("/")
        self.call("eks", "DeleteNodegroup", {"clusterName": cluster, "nodegroupName": name})

    def look(self, one: Existing) -> Look:
        cluster, _, name = one.id.partition("/")
        key = {"clusterName": cluster, "nodegroupName": name}
        found = self.call("eks", "DescribeNodegroup", key)["nodegroup"]
        issues = found.get("health", {}).get("issues", [])
        return Look(
            condition=judge(
                found["status"],
                ready=("ACTIVE", "DEGRADED"),
                failed=("CREATE_FAILED", "DELETE_FAILED"),
            ),
            reason="; ".join(issue.get("message", "") for issue in issues),
            made=self._made(found),
            actual=_actual(found),
        )

    def identify(self, props: Properties) -> str | None:
        cluster, name = props.get("ClusterName"), props.get("NodegroupName")
        return f"{cluster}/{name}" if cluster and name else None

    def _upgrade(self, key: dict[str, str], new: Properties) -> None:
        names = {"Version", "ReleaseVersion", "LaunchTemplate"} & new.keys()
        props = {name: new[name] for name in names}
        params = parameters("eks", "UpdateNodegroupVersion", props)
        self.call("eks", "UpdateNodegroupVersion", params | key)

    def _configure(
        self, key: dict[str, str], old: Properties, new: Properties, names: set[str]
    ) -> None:
        params: dict[str, Any] = dict(key)
        for name in names & {"ScalingConfig", "UpdateConfig"} & new.keys():
            params |= parameters("eks", "UpdateNodegroupConfig", {name: new[name]})
        before, after = old.get("Labels", {}), new.get("Labels", {})
        if before != after:
            removed = sorted(before.keys() - after.keys())
            params["labels"] = {"addOrUpdateLabels": after, "removeLabels": removed}
        if old.get("Taints") != new.get("Taints"):
            params["taints"] = {
                "addOrUpdateTaints": _lower(new.get("Taints", [])),
                "removeTaints": _lower(
                    [taint for taint in old.get("Taints", []) if taint not in new.get("Taints", [])]
                ),
            }
        self.call("eks", "UpdateNodegroupConfig", params)

    @staticmethod
    def _made(group: dict[str, Any]) -> Made:
        """Ref is `<cluster>/<node group>`."""
        cluster, name = group["clusterName"], group["nodegroupName"]
        return Made(
            id=f"{cluster}/{name}",
            attributes={
                "Arn": group["nodegroupArn"],
                "ClusterName": cluster,
                "NodegroupName": name,
                "Id": f"{cluster}/{name}",
            },
        )


def _actual(group: dict[str, Any]) -> Properties:
    """A node group as a template would have it."""
    scaling = group.get("scalingConfig", {})
    return {
        "ClusterName": group["clusterName"],
        "NodegroupName": group["nodegroupName"],
        "NodeRole": group["nodeRole"],
        "Subnets": group["subnets"],
        "InstanceTypes": group.get("instanceTypes", []),
        "AmiType": group.get("amiType"),
        "Labels": group.get("labels", {}),
        "ScalingConfig": {key[:1].upper() + key[1:]: value for key, value in scaling.items()},
        "Taints": [
            {key[:1].upper() + key[1:]: value for key, value in taint.items()}
            for taint in group.get("taints", [])
        ],
    }


def _lower(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{_first_word(key): value for key, value in record.items()} for record in records]
