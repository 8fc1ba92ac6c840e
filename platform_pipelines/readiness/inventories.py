"""The inventory assets as data: what each one reads, from which stacks, and how its rows look."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from platform_pipelines.readiness import pages
from platform_pipelines.readiness.pages import Row
from platform_pipelines.readiness.readings import Readings


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """An inventory asset, the same in both Regions."""

    name: str
    description: str
    kinds: frozenset[str]
    stacks: tuple[str, ...]  # what it is read from; lineage
    read: Callable[[Readings, str], Any]
    rows: Callable[[Any], list[Row]]


INVENTORIES = (
    Inventory(
        name="ecr_images",
        description="Images of this Region's registry that pod templates of either Region name.",
        kinds=frozenset({"aws", "ecr"}),
        stacks=("registry", "cluster"),
        read=Readings.ecr_images,
        rows=pages.images,
    ),
    Inventory(
        name="argocd_applications",
        description="Argo CD's Applications of this Region's cluster.",
        kinds=frozenset({"kubernetes", "argocd"}),
        stacks=("cluster",),
        read=Readings.argocd_applications,
        rows=pages.applications,
    ),
    Inventory(
        name="efs_file_systems",
        description="The platform's file systems in this Region, and their replication.",
        kinds=frozenset({"aws", "efs"}),
        stacks=("files",),
        read=Readings.efs_file_systems,
        rows=pages.file_systems,
    ),
    Inventory(
        name="aurora_clusters",
        description="The platform's databases as this Region sees them: members, instances, lag.",
        kinds=frozenset({"aws", "aurora"}),
        stacks=("database",),
        read=Readings.aurora_clusters,
        rows=pages.databases,
    ),
    Inventory(
        name="node_groups",
        description="Node groups of this Region's cluster, and how many of their nodes are ready.",
        kinds=frozenset({"aws", "eks"}),
        stacks=("cluster",),
        read=Readings.node_groups,
        rows=pages.node_groups,
    ),
)
