"""What EKS sees of a node group's nodes, and the issues that its health tells.

A group whose launches fail is DEGRADED, and stays so until a launch succeeds: even scaled to zero,
as in AWS. https://docs.aws.amazon.com/eks/latest/APIReference/API_Issue.html
"""

from typing import TYPE_CHECKING

from platform_pipelines.local.aws.eks_records import Record
from platform_pipelines.local.world import World

if TYPE_CHECKING:
    from platform_pipelines.local.kube.objects import Obj

GROUP_LABEL = "eks.amazonaws.com/nodegroup"


def issue(code: str, message: str, *resources: str) -> Record:
    """One issue of a node group's health."""
    return {"code": code, "message": message, "resourceIds": list(resources)}


def not_joined() -> Record:
    """The issue of a group whose nodes did not come."""
    return issue("NodeCreationFailure", "Instances failed to join the kubernetes cluster")


def not_terminated() -> Record:
    """The issue of a group whose nodes did not go."""
    return issue("NodeTerminationFailure", "Instances failed to terminate")


def report(record: Record, issues: list[Record]) -> None:
    """Note what is wrong with a group, or that nothing is any longer."""
    if record["health"]["issues"] == issues:
        return
    record["health"] = {"issues": issues}
    if record["status"] in ("ACTIVE", "DEGRADED"):
        record["status"] = "DEGRADED" if issues else "ACTIVE"


def nodes_of(world: World, region_name: str, group: str) -> "list[Obj]":
    """The nodes of a group; none where no Kubernetes runs."""
    from platform_pipelines.local.kube.kinds import NODE  # EKS is there without Kubernetes

    region = world.region_of(region_name)
    cluster = world.stores.get(region.alias) if region else None
    if cluster is None:
        return []
    return [
        node
        for node in cluster.peek_all(NODE)
        if (node["metadata"].get("labels") or {}).get(GROUP_LABEL) == group
    ]


def ready(node: "Obj") -> bool:
    """Whether a node's kubelet says that it is ready."""
    conditions = (node.get("status") or {}).get("conditions") or []
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


def all_joined(world: World, region_name: str, record: Record) -> bool:
    """Whether as many nodes are ready as the group wants; a world without Kubernetes has none."""
    region = world.region_of(region_name)
    if region is None or region.alias not in world.stores:
        return True
    nodes = nodes_of(world, region_name, record["nodegroupName"])
    return sum(map(ready, nodes)) >= int(record["scalingConfig"]["desiredSize"])


def ready_for_all(world: World, region_name: str) -> bool:
    """Whether a node is ready that takes any pod; a world without Kubernetes has no say."""
    from platform_pipelines.local.kube.kinds import NODE

    region = world.region_of(region_name)
    if region is None or region.alias not in world.stores:
        return True
    nodes = world.stores[region.alias].peek_all(NODE)
    return any(ready(node) and not (node.get("spec") or {}).get("taints") for node in nodes)


def rolling(world: World, region_name: str, record: Record, version: str) -> bool:
    """Whether a group still has nodes of another version than this."""
    nodes = nodes_of(world, region_name, record.get("nodegroupName", ""))
    wanted = f"v{version}."
    versions = [node["status"].get("nodeInfo", {}).get("kubeletVersion", "") for node in nodes]
    return any(not version.startswith(wanted) for version in versions)
