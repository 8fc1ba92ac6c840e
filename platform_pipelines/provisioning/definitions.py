"""What provisioning adds to the code location; the root merges it with the other domains."""

from dagster import Definitions

from platform_pipelines.model import Platform
from platform_pipelines.provisioning import assets, checks, jobs, schedules


def build(platform: Platform) -> Definitions:
    """The assets, checks, jobs and the schedule; resources and executor come from the root."""
    stacks = assets.stacks(platform)
    drift = checks.stack_checks(platform)
    return Definitions(
        assets=[stacks],
        asset_checks=[drift],
        jobs=[
            jobs.plan_infrastructure(platform),
            jobs.apply_infrastructure(stacks),
            jobs.converge_roles(platform),
            jobs.detect_drift(drift),
            jobs.recover_stack(platform),
        ],
        schedules=[schedules.nightly_drift(platform)],
    )
