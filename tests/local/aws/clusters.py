"""EKS as tests use it: Seoul's cluster and its node groups, in a network of their own."""

from typing import Any

from tests.local.aws.networks import Network, make_network
from tests.local.aws.regions import Regions

CLUSTER = "peccy-seoul"
NAME = {"name": CLUSTER}
WEB = {"clusterName": CLUSTER, "nodegroupName": "web"}
SIX = {"minSize": 6, "maxSize": 12, "desiredSize": 6}
NONE = {"minSize": 0, "maxSize": 12, "desiredSize": 0}
ROLE = "arn:aws:iam::111122223333:role/node"


def seoul(regions: Regions, operation: str, **params: Any) -> dict[str, Any]:
    """What EKS answers in Seoul."""
    return regions("seoul", "eks", operation, **params)


def ask_for_cluster(regions: Regions, network: Network, **more: Any) -> dict[str, Any]:
    """Seoul's cluster, CREATING."""
    params: dict[str, Any] = {
        "roleArn": "arn:aws:iam::111122223333:role/cluster",
        "resourcesVpcConfig": {"subnetIds": list(network.subnets)},
        "accessConfig": {"authenticationMode": "API"},
        "tags": {"team": "peccy"},
    }
    cluster: dict[str, Any] = seoul(regions, "CreateCluster", **NAME | params | more)["cluster"]
    return cluster


def make_cluster(regions: Regions, **more: Any) -> Network:
    """Seoul's cluster, ACTIVE, and its network."""
    network = make_network(regions.world, "seoul")
    ask_for_cluster(regions, network, **more)
    regions.advance(480)
    return network


def ask_for_group(
    regions: Regions, network: Network, name: str = "web", **more: Any
) -> dict[str, Any]:
    """A node group of Seoul's cluster, CREATING."""
    answer = seoul(
        regions,
        "CreateNodegroup",
        clusterName=CLUSTER,
        nodegroupName=name,
        **{"subnets": list(network.subnets), "nodeRole": ROLE, "labels": {"role": name}} | more,
    )
    group: dict[str, Any] = answer["nodegroup"]
    return group


def make_group(regions: Regions, network: Network, name: str = "web", **more: Any) -> None:
    """A node group of Seoul's cluster, ACTIVE."""
    ask_for_group(regions, network, name, **more)
    regions.advance(160)


def describe_group(regions: Regions) -> dict[str, Any]:
    """The node group `web`."""
    group: dict[str, Any] = seoul(regions, "DescribeNodegroup", **WEB)["nodegroup"]
    return group


def describe_cluster(regions: Regions) -> dict[str, Any]:
    """Seoul's cluster."""
    cluster: dict[str, Any] = seoul(regions, "DescribeCluster", **NAME)["cluster"]
    return cluster


def scale(regions: Regions, counts: dict[str, int], **more: Any) -> dict[str, Any]:
    """Change the counts of `web`; the update."""
    answer = seoul(regions, "UpdateNodegroupConfig", **WEB, scalingConfig=counts, **more)
    update: dict[str, Any] = answer["update"]
    return update


def update_of(regions: Regions, update: str, **of: str) -> dict[str, Any]:
    """An update of the cluster, or of what `of` names in it."""
    found: dict[str, Any] = seoul(regions, "DescribeUpdate", **NAME, **of, updateId=update)[
        "update"
    ]
    return found
