"""The ops of `region_failover` and `approve_failover`: Dagster's side of the failover domain.

Each op takes up the incident from the ledger, runs one step of the plan, and attaches what the step
found. The `finally` of the work's step ends its threads, also when the run is cancelled. No op has
a RetryPolicy: retries are inside the calls, and cancelling would run such an op again.
"""

from collections.abc import Iterator
from pathlib import Path

from dagster import (
    AssetMaterialization,
    Config,
    In,
    MetadataValue,
    Nothing,
    OpDefinition,
    OpExecutionContext,
    Out,
    Output,
    op,
)
from pydantic import Field

from platform_pipelines.failover import incident as incidents
from platform_pipelines.failover import opening, plan, report
from platform_pipelines.failover.opening import NotSettled, Request
from platform_pipelines.failover.work import resume
from platform_pipelines.ledger_records import Incident, Outcome
from platform_pipelines.resources import LedgerResource, RegionsResource

REPORT_KEY = ["failover", "report"]
ATTEMPT_TAG = "attempt"
INCIDENT_TAG = "incident"


class OpenIncident(Config):
    """How to fail over. The sensor fills this in; by hand only a reason is needed."""

    target: str | None = Field(
        default=None, description="alias of the Region to activate; the standby by default"
    )
    reason: str = Field(default="", description="why; required when launched by hand")
    strategy: str | None = Field(default=None, description="sequence")
    accept_age_s: float | None = Field(
        default=None,
        ge=0,
        description="age in seconds of the data that a person accepts, for a Region whose last "
        "incident is not closed",
    )


class Approve(Config):
    """A person's word on a proposed incident."""

    incident: str = Field(description="id of the proposed incident, as inc-1-20261122T140000Z")
    approver: str = Field(min_length=1, description="who approves")
    reason: str = Field(min_length=1, description="why")
    accept_data_loss_s: float | None = Field(
        default=None, ge=0, description="seconds of data whose loss is accepted"
    )


@op(out=Out(Nothing))
def open_incident(
    context: OpExecutionContext,
    config: OpenIncident,
    regions: RegionsResource,
    ledger: LedgerResource,
) -> None:
    """Take up the incident as the only run that works on it."""
    attempt = context.run.tags.get(ATTEMPT_TAG)
    request = Request(
        target=config.target,
        reason=config.reason,
        strategy=config.strategy,
        accept_age_s=config.accept_age_s,
        attempt=int(attempt) if attempt else None,
    )
    work = opening.open_(regions.aws, ledger.ledger, context.run_id, request)
    context.instance.add_run_tags(context.run_id, {INCIDENT_TAG: work.incident.id})
    context.add_output_metadata(
        {
            "incident": work.incident.id,
            "target": work.incident.target,
            "t0": str(work.incident.t0),
            "attempt": work.incident.attempt,
        }
    )
    context.log.info(f"Incident {work.incident.id}: {work.incident.reason}")


def _step_op(planned: plan.PlannedStep) -> OpDefinition:
    @op(
        name=planned.name,
        description=planned.description,
        ins={"before": In(Nothing)},
        out=Out(Nothing),
    )
    def run(context: OpExecutionContext, regions: RegionsResource, ledger: LedgerResource) -> None:
        work = resume(regions.aws, ledger.ledger, context.run_id)
        plan.execute(work, planned)
        step = next(one for one in work.ledger.steps(work.incident.id) if one.name == planned.name)
        log = context.log.error if step.outcome is Outcome.FAILED else context.log.info
        log(f"{planned.name}: {step.outcome} {step.detail}".strip())
        context.add_output_metadata(
            {
                "outcome": str(step.outcome),
                "detail": step.detail,
                "resources": MetadataValue.json(list(step.resources)),
                "calls": MetadataValue.json(list(step.calls)),
            }
        )

    return run


STEP_OPS: tuple[OpDefinition, ...] = tuple(_step_op(planned) for planned in plan.STEPS)


@op(ins={"before": In(Nothing)}, out=Out(Nothing))
def settle_incident(
    context: OpExecutionContext, regions: RegionsResource, ledger: LedgerResource
) -> Iterator[AssetMaterialization | Output[None]]:
    """Change the roles if everything is done, and leave the report either way."""
    work = resume(regions.aws, ledger.ledger, context.run_id)
    problem: NotSettled | None = None
    try:
        opening.settle(work)
    except NotSettled as error:
        problem = error
    yield _reported(regions, ledger, work.incident)
    if problem:
        raise problem
    yield Output(None)


def _reported(
    regions: RegionsResource, ledger: LedgerResource, incident: Incident
) -> AssetMaterialization:
    steps = ledger.ledger.steps(incident.id)
    made = report.build(incident, steps, regions.platform, regions.clock.speed)
    folder = Path(regions.platform_file).parent / ".local" / "reports"
    try:
        written = report.write(made, folder)
        where: dict[str, MetadataValue] = {
            "page": MetadataValue.path(str(written.html)),
            "json": MetadataValue.path(str(written.json)),
        }
    except OSError as error:  # the ledger has it all; what was failed over stays failed over
        where = {"not_written": MetadataValue.text(f"{folder}: {error}")}
    numbers = {key: made[key] for key in ("rto_s", "rpo_efs_s", "rpo_aurora_s")}
    return AssetMaterialization(
        asset_key=REPORT_KEY,
        description=f"{incident.id}: {incident.state}",
        metadata={
            **{key: value for key, value in numbers.items() if value is not None},
            "incident": incident.id,
            "state": str(incident.state),
            "met": MetadataValue.json(made["met"]),
            "report": MetadataValue.json(made),
            **where,
        },
    )


@op(out=Out(Nothing))
def approve(context: OpExecutionContext, config: Approve, ledger: LedgerResource) -> None:
    """Record a person's approval of a proposed incident; the sensor then starts the failover."""
    approved = incidents.approve(
        ledger.ledger,
        config.incident,
        config.approver,
        config.reason,
        config.accept_data_loss_s,
    )
    context.log.info(f"{config.approver} approved {approved.id}: {config.reason}")
