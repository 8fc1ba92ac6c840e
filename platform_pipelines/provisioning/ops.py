"""The ops that show a plan and that bring both Regions to the ledger's roles."""

import threading
from collections.abc import Callable, Mapping
from contextlib import closing
from functools import partial
from typing import TypeVar

from dagster import (
    Config,
    Failure,
    MetadataValue,
    OpDefinition,
    OpExecutionContext,
    op,
)
from pydantic import Field

import cfn
from platform_pipelines.aws.region import AwsError
from platform_pipelines.errors import PlatformError
from platform_pipelines.model import Platform
from platform_pipelines.provisioning import (
    converge,
    node_counts,
    plan,
    recover,
    recovery_text,
    serving,
    text,
)
from platform_pipelines.provisioning.assets import POOL
from platform_pipelines.provisioning.converge import Converged
from platform_pipelines.provisioning.planned import Plan
from platform_pipelines.provisioning.run import Run
from platform_pipelines.provisioning.stream import Stream
from platform_pipelines.resources import LedgerResource, RegionsResource

T = TypeVar("T")


class PlanConfig(Config):
    """What a run of `plan_infrastructure` leaves."""

    keep: bool = Field(
        default=False,
        description="keep the change sets, for apply_infrastructure with this plan's id",
    )


class RecoverConfig(Config):
    """Which stack `recover_stack` looks at, and whether it goes on."""

    stack: str = Field(description="<alias>/<stack>, as seoul/database")
    skip: list[str] = Field(
        default=[], description="logical ids to leave as they are; a look lists what is stuck"
    )
    delete: list[str] = Field(
        default=[], description="logical ids of what holds data and may be deleted"
    )
    confirm: bool = Field(default=False, description="go on; without it nothing is changed")


def plan_stacks(platform: Platform) -> OpDefinition:
    """The op of job `plan_infrastructure`."""

    @op(name="plan_stacks", pool=POOL)
    def _plan_stacks(
        context: OpExecutionContext,
        config: PlanConfig,
        regions: RegionsResource,
        ledger: LedgerResource,
    ) -> None:
        """Show what apply_infrastructure would change; change nothing."""
        units = cfn.units(platform)
        found = _heard(
            context, regions, ledger, lambda run: plan.plan(run, units, keep=config.keep)
        )
        _show_plan(context, found)

    return _plan_stacks


def converge_regions(platform: Platform) -> OpDefinition:
    """The op of job `converge_roles`."""

    @op(name="converge_regions", pool=POOL)
    def _converge_regions(
        context: OpExecutionContext, regions: RegionsResource, ledger: LedgerResource
    ) -> None:
        """Bring replication, node counts and pipelines of both Regions to what the ledger says."""
        why_not = partial(serving.why_not, platform, regions.settings)
        found = _heard(
            context,
            regions,
            ledger,
            lambda run: converge.converge(run, partial(node_counts.ready_nodes, run), why_not),
        )
        _show_converged(context, found)

    return _converge_regions


def recover_one(platform: Platform) -> OpDefinition:
    """The op of job `recover_stack`."""

    @op(name="recover_one", pool=POOL)
    def _recover_one(
        context: OpExecutionContext,
        config: RecoverConfig,
        regions: RegionsResource,
        ledger: LedgerResource,
    ) -> None:
        """Show what a stack is stuck at; go on with it only if the run confirms."""

        def work(run: Run) -> tuple[str, dict[str, object]]:
            unit = recover.unit_of(platform, config.stack)
            if config.confirm:
                done = recover.recover(run, unit, config.skip, config.delete)
                return recovery_text.done(done), {}
            found = recover.look(run, unit)
            return recovery_text.shown(found), recovery_text.config(found) if found.way else {}

        shown, config_to_go_on = _heard(context, regions, ledger, work)
        context.log.info(shown)
        context.add_output_metadata(
            {"result": MetadataValue.md(shown), "go_on": MetadataValue.json(config_to_go_on)}
        )

    return _recover_one


def _heard(
    context: OpExecutionContext,
    regions: RegionsResource,
    ledger: LedgerResource,
    call: Callable[[Run], T],
) -> T:
    """Do a work in its thread and log what it tells. Raises: Failure."""
    results: list[T] = []

    def work(emit: Callable[[str], None], stop: threading.Event) -> None:
        run = Run(
            platform=regions.platform,
            regions=regions.aws,
            ledger=lambda: ledger.ledger,
            clock=regions.clock,
            stop=stop,
            tell=emit,
        )
        results.append(call(run))

    try:
        with closing(regions.ends(Stream(work, regions.clock))) as told:
            for line in told:
                context.log.info(line)
    except (PlatformError, *AwsError) as error:
        raise Failure(str(error), allow_retries=False) from error
    return results[0]


def _show_plan(context: OpExecutionContext, found: Plan) -> None:
    context.log.info(text.text(found))
    lines = ["The plan is not complete.", *text.reasons(found.failed)] if found.failed else []
    metadata: dict[str, MetadataValue] = {
        "plan": MetadataValue.md(text.markdown(found)),
        "json": MetadataValue.json(text.document(found)),
        "summary": MetadataValue.text(text.summary(found)),
        "id": MetadataValue.text(found.id),
        "kept": MetadataValue.bool(found.kept),
        "changes": MetadataValue.bool(found.changes),
    }
    _show(context, metadata, "\n".join(lines))


def _show_converged(context: OpExecutionContext, found: Converged) -> None:
    changed = list(found.changed) or ["nothing to do"]
    wrong = [reason for reason in dict.fromkeys((found.traffic, found.withheld)) if reason]
    left = ["The standby's node counts were left alone."] if found.withheld else []
    metadata: dict[str, MetadataValue] = {
        "active": MetadataValue.text(found.roles.active),
        "epoch": MetadataValue.int(found.roles.epoch),
        "changed": MetadataValue.md("\n".join(f"- {line}" for line in changed)),
    }
    _show(context, metadata, " ".join(wrong + left))


def _show(context: OpExecutionContext, metadata: Mapping[str, MetadataValue], wrong: str) -> None:
    """What an op came to; an op that fails has no output, so its failure carries it.
    Raises: Failure, if something is wrong."""
    if wrong:
        raise Failure(wrong, metadata=metadata, allow_retries=False)
    context.add_output_metadata(metadata)
