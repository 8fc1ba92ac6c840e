"""What Dagster loads of readiness."""

from dagster import Definitions

from platform_pipelines.model import Platform
from platform_pipelines.readiness.assets import assets
from platform_pipelines.readiness.jobs import readiness_check
from platform_pipelines.readiness.resources import ReadingsResource
from platform_pipelines.readiness.schedules import nightly_readiness


def build(platform: Platform) -> Definitions:
    """The assets, the job and the schedule; `regions` and `ledger` come from the root."""
    return Definitions(
        assets=assets(platform),
        jobs=[readiness_check(platform)],
        schedules=[nightly_readiness(platform)],
        resources={"readings": ReadingsResource()},
    )
