"""EKS: the cluster of a Region and its managed node groups.

`Successful` of an update means that the setting is applied, not that nodes are Ready.
https://docs.aws.amazon.com/eks/latest/APIReference/API_UpdateNodegroupConfig.html
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from platform_pipelines.aws.region import AwsRegion

if TYPE_CHECKING:
    from mypy_boto3_eks.type_defs import NodegroupTypeDef


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterState:
    """How to reach a cluster's Kubernetes API."""

    name: str
    status: str
    endpoint: str | None
    ca: str | None  # base64 of PEM, as EKS sends it
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeGroupState:
    """A managed node group and its scaling configuration."""

    name: str
    status: str
    minimum: int
    desired: int
    maximum: int
    instance_types: tuple[str, ...]
    issues: tuple[str, ...]  # `<code>: <message>`


def describe_cluster(region: AwsRegion, name: str) -> ClusterState | None:
    """A cluster; None if there is none."""
    try:
        item = region.eks.describe_cluster(name=name)["cluster"]
    except region.eks.exceptions.ResourceNotFoundException:
        return None
    return ClusterState(
        name=name,
        status=item.get("status", ""),
        endpoint=item.get("endpoint"),
        ca=item.get("certificateAuthority", {}).get("data"),
        version=item.get("version", ""),
    )


def node_groups(region: AwsRegion, cluster: str) -> list[NodeGroupState]:
    """Every node group of a cluster."""
    pages = region.eks.get_paginator("list_nodegroups").paginate(clusterName=cluster)
    names = [name for page in pages for name in page["nodegroups"]]
    return [node_group(region, cluster, name) for name in names]


def node_group(region: AwsRegion, cluster: str, name: str) -> NodeGroupState:
    """One node group. Raises: ClientError, ResourceNotFoundException among them."""
    found = region.eks.describe_nodegroup(clusterName=cluster, nodegroupName=name)
    return _node_group(found["nodegroup"])


def scale(
    region: AwsRegion,
    cluster: str,
    name: str,
    *,
    minimum: int,
    desired: int,
    maximum: int,
    token: str,
) -> str:
    """Ask for all three counts in one call; returns the update's id. With the same `token` EKS
    answers with the same update. Raises: ClientError, ResourceInUseException while one runs."""
    answer = region.eks.update_nodegroup_config(
        clusterName=cluster,
        nodegroupName=name,
        scalingConfig={"minSize": minimum, "desiredSize": desired, "maxSize": maximum},
        clientRequestToken=token,
    )
    return answer["update"].get("id", "")


def update_status(region: AwsRegion, cluster: str, name: str, update_id: str) -> str:
    """`InProgress`, `Successful`, `Failed` or `Cancelled`."""
    answer = region.eks.describe_update(name=cluster, nodegroupName=name, updateId=update_id)
    return answer["update"].get("status", "InProgress")


def _node_group(item: "NodegroupTypeDef") -> NodeGroupState:
    scaling = item.get("scalingConfig", {})
    issues = item.get("health", {}).get("issues", [])
    return NodeGroupState(
        name=item.get("nodegroupName", ""),
        status=item.get("status", ""),
        minimum=scaling.get("minSize", 0),
        desired=scaling.get("desiredSize", 0),
        maximum=scaling.get("maxSize", 0),
        instance_types=tuple(item.get("instanceTypes", [])),
        issues=tuple(f"{one.get('code')}: {one.get('message')}" for one in issues),
    )
