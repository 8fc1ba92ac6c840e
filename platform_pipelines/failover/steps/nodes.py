"""Node groups: the target Region's get the counts of an active Region, and their nodes join.

`Successful` of an EKS update means that the setting is applied; done is the wanted number of Ready
nodes. Counts are absolute, so that repeated failovers never compound.
"""

from botocore.exceptions import ClientError

from platform_pipelines.aws import eks
from platform_pipelines.aws.region import error_code
from platform_pipelines.failover.steps.each import for_each
from platform_pipelines.failover.steps.polling import await_
from platform_pipelines.failover.work import StepFailed, StepRecord, Work
from platform_pipelines.kube import cluster as clusters
from platform_pipelines.kube import workloads
from platform_pipelines.kube.cluster import Cluster
from platform_pipelines.model import NodeGroup

READY_WITHIN = 900.0  # AWS-like seconds
BUSY = "ResourceInUseException"
LOOK = (
    "Look at the node group's health issues in the EKS console, then start region_failover again."
)


def scale(work: Work, step: StepRecord) -> None:
    """Scale every node group, all at once, and await its nodes. Raises: StepFailed."""
    name = work.platform.cluster_name(work.target.region)
    cluster = clusters.connect(work.target, name)
    for_each(
        work,
        step,
        "nodes",
        work.platform.node_groups,
        lambda one: _scale(work, step, cluster, one),
        next_=LOOK,
    )


def _scale(work: Work, step: StepRecord, cluster: Cluster, group: NodeGroup) -> None:
    await_(
        work,
        lambda: _accepted(work, step, cluster, group),
        within=READY_WITHIN,
        what=f"{group.active} wanted nodes of {group.name}",
        next_=LOOK,
    )
    ready = await_(
        work,
        lambda: _ready(work, cluster, group),
        within=READY_WITHIN,
        what=f"{group.active} Ready nodes of {group.name}",
        next_=LOOK,
    )
    step.note("nodes", group.name, ready=ready, ready_at=work.clock.now())


def _accepted(work: Work, step: StepRecord, cluster: Cluster, group: NodeGroup) -> bool | None:
    """True once the node group wants at least the active count; asks EKS if it does not yet."""
    state = eks.node_group(work.target, cluster.name, group.name)
    if state.desired >= group.active and state.minimum >= group.active:
        return True
    token = f"{work.incident.id}-{work.incident.attempt}-{group.name}"
    try:
        step.change(
            "UpdateNodegroupConfig",
            f"{cluster.name}/{group.name}",
            lambda: eks.scale(
                work.target,
                cluster.name,
                group.name,
                minimum=group.active,
                desired=max(group.active, state.desired),
                maximum=max(group.maximum, state.maximum),
                token=token,
            ),
        )
    except ClientError as error:
        if error_code(error) != BUSY:
            raise
    return None  # accepted, or another update runs: look again


def _ready(work: Work, cluster: Cluster, group: NodeGroup) -> int | None:
    nodes = [node for node in workloads.nodes(cluster) if node.node_group == group.name]
    ready = sum(node.ready for node in nodes)
    if ready >= group.active:
        return ready
    issues = eks.node_group(work.target, cluster.name, group.name).issues
    if issues:
        raise StepFailed(f"{group.name} gets no nodes: {'; '.join(issues)}.", LOOK)
    return None
