"""EKS's transitions, for `test_transitions_in_trouble`."""

from tests.local.rehearsals.building import ROLE
from tests.local.rehearsals.cases import DURATIONS, GONE, MARGIN, Case
from tests.local.rehearsals.rehearsal import Rehearsal, gone


def made_eks_cluster(stage: Rehearsal) -> str:
    """The Region's only cluster goes, and is made again."""
    eks, place = stage.aws("eks"), stage.places["seoul"]
    for name in eks.list_nodegroups(clusterName=place.cluster)["nodegroups"]:
        eks.delete_nodegroup(clusterName=place.cluster, nodegroupName=name)
    stage.wait(DURATIONS.eks_nodegroup_deleting + MARGIN)
    eks.delete_cluster(name=place.cluster)
    stage.wait(DURATIONS.eks_cluster_deleting + MARGIN)
    subnets = list(place.subnets.values())
    eks.create_cluster(name=place.cluster, roleArn=ROLE, resourcesVpcConfig={"subnetIds": subnets})
    return place.cluster


def eks_cluster(stage: Rehearsal, name: str) -> str:
    """The status of a cluster."""
    return str(stage.aws("eks").describe_cluster(name=name)["cluster"]["status"])


def updated_eks_cluster(stage: Rehearsal) -> str:
    """The cluster's logging is changed."""
    cluster = stage.places["seoul"].cluster
    wanted = {"clusterLogging": [{"types": ["api"], "enabled": True}]}
    stage.aws("eks").update_cluster_config(name=cluster, logging=wanted)
    return cluster


def last_update(stage: Rehearsal, cluster: str) -> str:
    """The status of the cluster's only update."""
    eks = stage.aws("eks")
    [update] = eks.list_updates(name=cluster)["updateIds"]
    return str(eks.describe_update(name=cluster, updateId=update)["update"]["status"])


def made_group(stage: Rehearsal) -> str:
    """Another node group."""
    place = stage.places["seoul"]
    stage.aws("eks").create_nodegroup(
        clusterName=place.cluster,
        nodegroupName="new",
        nodeRole=ROLE,
        subnets=list(place.subnets.values()),
        scalingConfig={"minSize": 0, "maxSize": 3, "desiredSize": 1},
    )
    return "new"


def deleted_group(stage: Rehearsal) -> str:
    """The node group is deleted."""
    about = {"clusterName": stage.places["seoul"].cluster, "nodegroupName": "web"}
    stage.aws("eks").delete_nodegroup(**about)
    return "web"


def node_group(stage: Rehearsal, name: str) -> str:
    """The status of a node group."""
    about = {"clusterName": stage.places["seoul"].cluster, "nodegroupName": name}
    if gone(stage.aws("eks").describe_nodegroup, **about):
        return GONE
    return str(stage.node_group("seoul", name)["status"])


def scaled_group(stage: Rehearsal) -> str:
    """The node group grows."""
    stage.scale(4)
    return "web"


def group_update(stage: Rehearsal, name: str) -> str:
    """The status of the node group's only update."""
    eks, cluster = stage.aws("eks"), stage.places["seoul"].cluster
    [update] = eks.list_updates(name=cluster, nodegroupName=name)["updateIds"]
    about = {"name": cluster, "nodegroupName": name, "updateId": update}
    return str(eks.describe_update(**about)["update"]["status"])


def made_addon(stage: Rehearsal) -> str:
    """An add-on."""
    cluster = stage.places["seoul"].cluster
    stage.aws("eks").create_addon(clusterName=cluster, addonName="vpc-cni")
    return "vpc-cni"


def addon(stage: Rehearsal, name: str) -> str:
    """The status of an add-on."""
    cluster = stage.places["seoul"].cluster
    found = stage.aws("eks").describe_addon(clusterName=cluster, addonName=name)
    return str(found["addon"]["status"])


CASES = (
    Case(
        transition="eks_cluster_creating",
        begin=made_eks_cluster,
        look=eks_cluster,
        running="CREATING",
        failed="FAILED",
        done="ACTIVE",
    ),
    Case(
        transition="eks_cluster_update",
        begin=updated_eks_cluster,
        look=last_update,
        running="InProgress",
        failed="Failed",
        done="Successful",
    ),
    Case(
        transition="eks_nodegroup_creating",
        begin=made_group,
        look=node_group,
        running="CREATING",
        failed="CREATE_FAILED",
        done="ACTIVE",
    ),
    Case(
        transition="eks_nodegroup_deleting",
        begin=deleted_group,
        look=node_group,
        running="DELETING",
        failed="DELETE_FAILED",
        done=GONE,
    ),
    Case(
        transition="nodegroup_update",
        begin=scaled_group,
        look=group_update,
        running="InProgress",
        failed="Failed",
        done="Successful",
    ),
    Case(
        transition="eks_addon_creating",
        begin=made_addon,
        look=addon,
        running="CREATING",
        failed="CREATE_FAILED",
        done="ACTIVE",
    ),
)
