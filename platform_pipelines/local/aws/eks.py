"""EKS: clusters whose endpoint is our own Kubernetes API, with node groups, add-ons and access.

Each group of operations has its own module; all of them keep their records in ministack's stores
(`eks_records`), and nothing here starts Docker. The node controller reads `node_groups` and reports
what came of its launches.
https://docs.aws.amazon.com/eks/latest/APIReference/Welcome.html
"""

from platform_pipelines.local import ministack
from platform_pipelines.local.aws import eks_health, eks_updates
from platform_pipelines.local.aws.eks_access import AccessOperations
from platform_pipelines.local.aws.eks_addons import AddonOperations
from platform_pipelines.local.aws.eks_clusters import ClusterOperations
from platform_pipelines.local.aws.eks_nodegroups import NodegroupOperations
from platform_pipelines.local.aws.eks_pod_identities import PodIdentityOperations
from platform_pipelines.local.aws.eks_records import (
    CLUSTERS,
    NODEGROUPS,
    NOT_FOUND,
    PARAMETER,
    Record,
    addon_of,
    cluster_of,
    key_of,
    missing,
    nodegroup_of,
    of_cluster,
    paged,
    shown,
    store,
)
from platform_pipelines.local.aws.eks_tags import TagOperations
from platform_pipelines.local.aws.service import Call, Result, operation
from platform_pipelines.local.world import World


class Eks(
    ClusterOperations,
    NodegroupOperations,
    AddonOperations,
    AccessOperations,
    PodIdentityOperations,
    TagOperations,
):
    """The EKS of both Regions."""

    @operation(raises=(NOT_FOUND,))
    def DescribeUpdate(self, call: Call) -> Result:  # noqa: N802
        wanted = call.params["updateId"]
        found = (one for one in _updates(call) if one["id"] == wanted)
        update = next(found, None)
        if update is None:
            raise missing(f"No update found for ID: {wanted}")
        return {"update": eks_updates.view(update)}

    @operation(raises=(NOT_FOUND, PARAMETER))
    def ListUpdates(self, call: Call) -> Result:  # noqa: N802
        return paged("updateIds", [one["id"] for one in _updates(call)], call.params)


def has_endpoint(world: World, region_name: str) -> bool:
    """Whether the Kubernetes API of the Region's cluster answers: not before the cluster is ACTIVE,
    and not when it is gone. In a Region that never had a cluster it does, so that it can be used
    without AWS."""
    region = world.region_of(region_name)
    if region is None:
        return False
    with ministack.scope(world.platform.account, region_name):
        name = world.platform.cluster_name(region)
        record = store(CLUSTERS).get(name)
        if record is None:
            return region.alias not in world.gone_clusters
        return record["status"] not in ("CREATING", "FAILED")


def node_groups(world: World, region_name: str) -> list[Record]:
    """The node groups of the Region's cluster (`region_name` is its AWS name), as DescribeNodegroup
    has them: nodegroupName, status, scalingConfig, labels, taints, instanceTypes, subnets, …; while
    one is upgraded, with the version that its nodes get."""
    region = world.region_of(region_name)
    if region is None:
        return []
    with ministack.scope(world.platform.account, region_name):
        name = world.platform.cluster_name(region)
        found = of_cluster(NODEGROUPS, name)
        return [shown(record) | eks_updates.coming(record) for record in found]


def report_health(world: World, region_name: str, group: str, issues: list[Record]) -> None:
    """Note what came of launching a group's nodes; none is that they were launched."""
    region = world.region_of(region_name)
    if region is None:
        return
    with ministack.scope(world.platform.account, region_name):
        key = key_of(world.platform.cluster_name(region), group)
        record = store(NODEGROUPS).get(key)
        if record is not None:
            eks_health.report(record, issues)


def _updates(call: Call) -> list[Record]:
    """The updates of what is named: a node group, an add-on, or the cluster itself."""
    if "nodegroupName" in call.params:
        return eks_updates.all_of(nodegroup_of(call, "name"))
    if "addonName" in call.params:
        return eks_updates.all_of(addon_of(call, "name"))
    return eks_updates.all_of(cluster_of(call, "name"))
