"""What provisioning adds to the code location; the root merges it with the other domains."""

from dagster import Definitions

from platform_pipelines.model import Platform
from platform_pipelines.provisioning import assets, jobs


def build(platform: Platform) -> Definitions:
    """The assets and jobs of provisioning; resources and executor come from the root."""
    stacks = assets.stacks(platform)
    return Definitions(
        assets=[stacks],
        jobs=[
            jobs.plan_infrastructure(platform),
            jobs.apply_infrastructure(stacks),
            jobs.converge_roles(platform),
        ],
    )
