"""The jobs of provisioning; their names are fixed."""

from typing import TYPE_CHECKING

from dagster import AssetsDefinition, AssetSelection, JobDefinition, define_asset_job, job

from platform_pipelines.model import Platform
from platform_pipelines.provisioning import ops

if TYPE_CHECKING:
    from dagster._core.definitions.unresolved_asset_job_definition import (
        UnresolvedAssetJobDefinition,
    )


def plan_infrastructure(platform: Platform) -> JobDefinition:
    """Shows what apply_infrastructure would change."""
    show = ops.plan_stacks(platform)

    @job(
        name="plan_infrastructure",
        description="What apply_infrastructure would change in both Regions; changes nothing.",
    )
    def _plan() -> None:
        show()

    return _plan


def apply_infrastructure(stacks: AssetsDefinition) -> "UnresolvedAssetJobDefinition":
    """Applies every stack."""
    return define_asset_job(
        "apply_infrastructure",
        selection=AssetSelection.assets(stacks),
        description="Applies all stacks to both Regions; respects an incident that is not closed.",
    )


def converge_roles(platform: Platform) -> JobDefinition:
    """Brings both Regions to the ledger's roles."""
    bring = ops.converge_regions(platform)

    @job(
        name="converge_roles",
        description="Starts replication and sets node counts as the ledger's roles say.",
    )
    def _converge() -> None:
        bring()

    return _converge
