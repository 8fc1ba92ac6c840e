"""What the failover domain gives to the code location."""

from dagster import AssetSpec, Definitions

from platform_pipelines.failover import sensors
from platform_pipelines.failover.jobs import approve_failover, region_failover
from platform_pipelines.failover.ops import REPORT_KEY
from platform_pipelines.model import Platform


def build(platform: Platform) -> Definitions:
    """Jobs, sensor, and the report as an asset of the lineage."""
    report = AssetSpec(
        REPORT_KEY,
        deps=[["readiness", "dr_readiness"]],
        group_name="failover",
        description="The evidence of the last failover: achieved RTO and RPO beside the objectives.",
        kinds={"html", "json"},
    )
    return Definitions(
        assets=[report],
        jobs=[region_failover, approve_failover],
        sensors=[sensors.build(platform)],
    )
