"""The job that looks at both Regions and gives the verdict: nightly, and on demand."""

from typing import TYPE_CHECKING

from dagster import AssetKey, AssetSelection, define_asset_job

from platform_pipelines.model import Platform
from platform_pipelines.readiness.assets import PARITIES, VERDICT, key
from platform_pipelines.readiness.inventories import INVENTORIES

if TYPE_CHECKING:  # Dagster has no public name for what define_asset_job returns
    from dagster._core.definitions.unresolved_asset_job_definition import (
        UnresolvedAssetJobDefinition,
    )

READINESS_CHECK = "readiness_check"


def readiness_check(platform: Platform) -> "UnresolvedAssetJobDefinition":
    """All inventories, all checks, the verdict."""
    inventories = [
        AssetKey([region.alias, one.name]) for region in platform.regions for one in INVENTORIES
    ]
    checks = [key(name) for name in (*(one.name for one in PARITIES), VERDICT)]
    return define_asset_job(
        READINESS_CHECK,
        selection=AssetSelection.assets(*inventories, *checks),
        description="Look at both Regions and say whether tonight's failover would work.",
    )
