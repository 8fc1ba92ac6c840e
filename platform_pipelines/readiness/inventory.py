"""What is there, per Region: one frozen record for each inventory asset, and how it is read.

Each function reads one Region and raises what AWS or the cluster raises; `readings` turns that into
`Unknown`, keeps what was read for the run, and is what the assets call.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from platform_pipelines.aws import cloudwatch, ecr, efs, eks, rds
from platform_pipelines.aws.cloudwatch import Sample
from platform_pipelines.aws.ecr import RepositoryState
from platform_pipelines.aws.efs import FileSystemState
from platform_pipelines.aws.eks import NodeGroupState
from platform_pipelines.aws.rds import DbClusterState, GlobalClusterState
from platform_pipelines.aws.region import AwsRegion
from platform_pipelines.clock import Clock
from platform_pipelines.kube import workloads
from platform_pipelines.kube.cluster import Cluster
from platform_pipelines.kube.workloads import NodeState, PodState
from platform_pipelines.model import Platform
from platform_pipelines.readiness.references import ImageName, Reference


@dataclass(frozen=True, slots=True, kw_only=True)
class Images:
    """The images of a Region's registry, in the repositories that pod templates name."""

    region: str  # alias
    references: tuple[Reference, ...]  # of this Region's own pod templates
    repositories: Mapping[str, RepositoryState | None]  # None: there is no such repository
    children: Mapping[str, tuple[str, ...]]  # of each index, by its digest

    @property
    def count(self) -> int:
        """How many manifests can be pulled."""
        return sum(len(one.images) for one in self.repositories.values() if one)


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeGroups:
    """The node groups of a Region, and what the cluster makes of them."""

    groups: tuple[NodeGroupState, ...]
    nodes: tuple[NodeState, ...]
    pods: tuple[PodState, ...]

    def at_zero(self, name: str | None) -> bool:
        """Whether a node group is scaled to zero on purpose and has no node left."""
        wanted = next((group.desired for group in self.groups if group.name == name), None)
        return wanted == 0 and not any(node.node_group == name for node in self.nodes)

    def ready(self, name: str) -> int:
        """The nodes of a node group that are ready."""
        return sum(node.ready for node in self.nodes if node.node_group == name)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSystem:
    """A file system, and the lag that CloudWatch has of its replication."""

    state: FileSystemState
    lag: Sample | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """A database as one Region sees it."""

    name: str  # as platform.yaml names it
    world: GlobalClusterState | None  # the global cluster
    cluster: DbClusterState | None  # this Region's member
    lag: Sample | None  # a secondary's; None for the writer, and when nothing is known


def images(
    region: AwsRegion, clock: Clock, own: Iterable[Reference], wanted: Iterable[ImageName]
) -> Images:
    """The Region's images in the repositories of `wanted`; `own` are the Region's references."""
    names: dict[str, list[ImageName]] = {}
    for name in sorted(wanted):
        names.setdefault(name.repository, []).append(name)
    found = clock.gather([partial(ecr.repository, region, repository) for repository in names])
    listed = clock.gather(
        [partial(_children, region, one, names[one.name]) for one in found if one is not None]
    )
    return Images(
        region=region.alias,
        references=tuple(own),
        repositories=dict(zip(names, found, strict=True)),
        children={digest: below for part in listed for digest, below in part.items()},
    )


def node_groups(region: AwsRegion, cluster: Cluster) -> NodeGroups:
    """The Region's node groups with their nodes, and the pods that should be on them."""
    return NodeGroups(
        groups=tuple(eks.node_groups(region, cluster.name)),
        nodes=tuple(workloads.nodes(cluster)),
        pods=tuple(workloads.pods(cluster)),
    )


def file_systems(region: AwsRegion, platform: Platform, now: datetime) -> tuple[FileSystem, ...]:
    """The platform's file systems in this Region."""
    names = {platform.file_system_name(one) for one in platform.file_systems}
    return tuple(
        FileSystem(state=state, lag=_efs_lag(region, state, now))
        for state in efs.describe(region)
        if state.name in names
    )


def databases(region: AwsRegion, platform: Platform, now: datetime) -> tuple[Database, ...]:
    """The platform's databases as this Region sees them."""
    return tuple(_database(region, platform, one.name, now) for one in platform.databases)


def _children(
    region: AwsRegion, repository: RepositoryState, wanted: Iterable[ImageName]
) -> dict[str, tuple[str, ...]]:
    """What the wanted indexes list; other indexes of the repository are nobody's concern."""
    found = (repository.find(name.tag, name.digest) for name in wanted)
    indexes = {image.digest for image in found if image and image.is_index}
    return ecr.children(region, repository.name, sorted(indexes))


def _efs_lag(region: AwsRegion, state: FileSystemState, now: datetime) -> Sample | None:
    one = state.replication
    return cloudwatch.efs_lag(region, one.source_id, one.destination_id, now) if one else None


def _database(region: AwsRegion, platform: Platform, name: str, now: datetime) -> Database:
    declared = next(one for one in platform.databases if one.name == name)
    identifier = platform.db_cluster_id(declared, region.region)
    world = rds.describe_global(region, platform.global_cluster_id(declared))
    member = world.member_in(region.name) if world else None
    secondary = member is not None and not member.writer
    return Database(
        name=name,
        world=world,
        cluster=rds.describe_cluster(region, identifier),
        lag=cloudwatch.aurora_lag(region, identifier, now) if secondary else None,
    )
