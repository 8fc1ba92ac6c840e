"""Sets the node counts of a Region by its role: minimum, desired and maximum always together.

`Successful` of an update only means that the setting is applied, so the node group's own health is
awaited, and in the active Region its nodes too. An autoscaler may run more nodes than the minimum
in the active Region; that is no difference. Called by `converge`.
"""

import uuid
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

from botocore.exceptions import ClientError

from platform_pipelines.aws import eks
from platform_pipelines.aws.eks import NodeGroupState
from platform_pipelines.aws.region import AwsRegion, error_code
from platform_pipelines.errors import Failed, Refused
from platform_pipelines.kube import workloads
from platform_pipelines.kube.cluster import KubeError, connect
from platform_pipelines.model import NodeGroup
from platform_pipelines.provisioning.run import Run
from platform_pipelines.provisioning.standing import Guard

POLL = 5.0  # AWS-like seconds
PATIENCE = timedelta(minutes=30)
CHANGING = ("CREATING", "UPDATING")
# Ready nodes of a Region's cluster by node group. Raises: KubeError.
ReadyNodes = Callable[[AwsRegion], Mapping[str, int]]


@dataclass
class NodeGroupMissing(Refused):
    """A node group of `platform.yaml` is not in its cluster."""

    where: str

    def __str__(self) -> str:
        return f"There is no node group {self.where}. Run apply_infrastructure first."


@dataclass
class NodeGroupUnhealthy(Failed):
    """A node group does not become what it was asked to be."""

    where: str
    what: str
    issues: tuple[str, ...]

    def __str__(self) -> str:
        issues = f" ({'; '.join(self.issues)})" if self.issues else ""
        return (
            f"Node group {self.where} {self.what}{issues}. Look at its health issues in the EKS "
            f"console, correct them, then run converge_roles again."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """A Region in its role."""

    region: AwsRegion
    cluster: str
    active: bool
    run: Run = field(repr=False)
    guard: Guard = field(repr=False)
    ready: ReadyNodes = field(repr=False)

    def where(self, group: NodeGroup) -> str:
        return f"{group.name} in {self.region.alias}"

    def count(self, group: NodeGroup) -> int:
        """How many nodes the role asks for."""
        return group.active if self.active else group.standby


def ensure(side: Side) -> list[str]:
    """Bring every node group to its counts; returns what was changed.
    Raises: NodeGroupMissing, NodeGroupUnhealthy, Stopped, and what a guard does."""
    groups = side.run.platform.node_groups
    changed = side.run.clock.gather([partial(_ensure_group, side, group) for group in groups])
    return [text for text in changed if text is not None]


def differs(side: Side) -> bool:
    """Whether a node group has other counts than its role asks for. Raises: NodeGroupMissing."""
    groups = side.run.platform.node_groups
    return any(_differs(side, group, _described(side, group)) for group in groups)


def ready_nodes(run: Run, region: AwsRegion) -> Mapping[str, int]:
    """Ready nodes by node group, as the Region's Kubernetes API says. Raises: KubeError."""
    cluster = connect(region, run.platform.cluster_name(region.region))
    return Counter(node.node_group or "" for node in workloads.nodes(cluster) if node.ready)


def _ensure_group(side: Side, group: NodeGroup) -> str | None:
    before = _steady(side, group)
    changes = _differs(side, group, before)
    if changes:
        _scale(side, group)
        _healthy(side, group, _steady(side, group))
    if side.active:
        _await_ready(side, group)
    text = f"{side.where(group)}: {before.desired} → {side.count(group)} nodes"
    return text if changes else None


def _differs(side: Side, group: NodeGroup, state: NodeGroupState) -> bool:
    count = side.count(group)
    if (state.minimum, state.maximum) != (count, group.maximum):
        return True
    return state.desired < count or (state.desired > count and not side.active)


def _steady(side: Side, group: NodeGroup) -> NodeGroupState:
    """The node group when no change of it runs."""
    clock = side.run.clock
    deadline = clock.monotonic() + PATIENCE.total_seconds()
    while (state := _described(side, group)).status in CHANGING:
        if clock.monotonic() > deadline:
            raise NodeGroupUnhealthy(side.where(group), f"stays {state.status}", state.issues)
        clock.sleep(POLL, side.run.stop)
    return state


def _described(side: Side, group: NodeGroup) -> NodeGroupState:
    try:
        return eks.node_group(side.region, side.cluster, group.name)
    except ClientError as error:
        if error_code(error) == "ResourceNotFoundException":
            raise NodeGroupMissing(side.where(group)) from error
        raise


def _healthy(side: Side, group: NodeGroup, state: NodeGroupState) -> None:
    if state.status != "ACTIVE" or state.issues:
        raise NodeGroupUnhealthy(side.where(group), f"is {state.status}", state.issues)


def _scale(side: Side, group: NodeGroup) -> None:
    """Ask for the counts, once nobody else's update runs, and await the update."""
    clock = side.run.clock
    deadline = clock.monotonic() + PATIENCE.total_seconds()
    while (update := _asked(side, group)) is None:
        if clock.monotonic() > deadline:
            raise NodeGroupUnhealthy(side.where(group), "stays in use by another update", ())
        clock.sleep(POLL, side.run.stop)
    while (status := _status(side, group, update)) == "InProgress":
        clock.sleep(POLL, side.run.stop)
    if status != "Successful":
        issues = _described(side, group).issues
        raise NodeGroupUnhealthy(side.where(group), f"ended its update {status}", issues)


def _asked(side: Side, group: NodeGroup) -> str | None:
    """The update's id; None while another one runs."""
    side.guard()
    count = side.count(group)
    side.run.tell(f"{side.where(group)}: asking for {count} nodes")
    try:
        return eks.scale(
            side.region,
            side.cluster,
            group.name,
            minimum=count,
            desired=count,
            maximum=group.maximum,
            token=uuid.uuid4().hex,
        )
    except ClientError as error:
        if error_code(error) == "ResourceInUseException":
            return None
        raise


def _status(side: Side, group: NodeGroup, update: str) -> str:
    return eks.update_status(side.region, side.cluster, group.name, update)


def _await_ready(side: Side, group: NodeGroup) -> None:
    """Wait until as many nodes are Ready as the role asks for."""
    clock, count = side.run.clock, side.count(group)
    deadline = clock.monotonic() + PATIENCE.total_seconds()
    what = ""
    while clock.monotonic() < deadline:
        try:
            ready = side.ready(side.region).get(group.name, 0)
        except KubeError as error:  # a cluster that does not answer now may do so soon
            what = f"cannot be seen: {error}"
        else:
            if ready >= count:
                return
            what = f"has {ready} of {count} nodes Ready"
        clock.sleep(POLL, side.run.stop)
    raise NodeGroupUnhealthy(side.where(group), what, _described(side, group).issues)
