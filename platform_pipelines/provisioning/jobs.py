"""The jobs of provisioning; their names are fixed."""

from typing import TYPE_CHECKING

from dagster import (
    AssetChecksDefinition,
    AssetsDefinition,
    AssetSelection,
    JobDefinition,
    define_asset_job,
    job,
)

from platform_pipelines.model import Platform
from platform_pipelines.provisioning import ops

if TYPE_CHECKING:
    from dagster._core.definitions.unresolved_asset_job_definition import (
        UnresolvedAssetJobDefinition,
    )

DETECT_DRIFT = "detect_drift"


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
        selection=AssetSelection.assets(stacks).without_checks(),
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


def detect_drift(checks: AssetChecksDefinition) -> "UnresolvedAssetJobDefinition":
    """Compares every stack with its template."""
    return define_asset_job(
        DETECT_DRIFT,
        selection=AssetSelection.checks(checks),
        description="Compares all stacks of both Regions with their templates; changes nothing.",
    )


def recover_stack(platform: Platform) -> JobDefinition:
    """Brings one stack back that apply cannot go on with."""
    bring = ops.recover_one(platform)

    @job(
        name="recover_stack",
        description="Shows what a stack is stuck at; goes on with it only if the run confirms.",
    )
    def _recover() -> None:
        bring()

    return _recover
