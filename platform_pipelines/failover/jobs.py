"""The jobs of the failover domain. The lease in the ledger keeps two runs apart, not a pool."""

from dagster import JobDefinition, graph

from platform_pipelines.failover.ops import STEP_OPS, approve, open_incident, settle_incident


@graph(name="failover_steps")
def _steps() -> None:
    """Fail the platform over to its standby Region."""
    before = open_incident()
    for step_op in STEP_OPS:
        before = step_op(before)
    settle_incident(before)


@graph(name="approval")
def _approval() -> None:
    """Approve an incident that waits for a person."""
    approve()


region_failover: JobDefinition = _steps.to_job(
    name="region_failover",
    description="Fail over to the standby Region: EFS, Aurora, node groups, verify, move traffic. "
    "Started by region_outage_sensor; by hand, give a reason in open_incident. "
    "Safe to launch again after any crash.",
)
approve_failover: JobDefinition = _approval.to_job(
    name="approve_failover",
    description="Record the approval of a proposed incident; the sensor then starts the failover.",
)
