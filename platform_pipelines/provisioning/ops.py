"""The ops that show a plan and that bring both Regions to the ledger's roles."""

import threading
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from dagster import Failure, MetadataValue, OpDefinition, OpExecutionContext, op

import cfn
from platform_pipelines.aws.region import AwsError
from platform_pipelines.errors import PlatformError
from platform_pipelines.model import Platform
from platform_pipelines.provisioning import converge, node_counts, plan, serving, text
from platform_pipelines.provisioning.assets import POOL
from platform_pipelines.provisioning.converge import Converged
from platform_pipelines.provisioning.plan import Plan
from platform_pipelines.provisioning.run import Run
from platform_pipelines.provisioning.stream import Stream
from platform_pipelines.resources import LedgerResource, RegionsResource

T = TypeVar("T")


def plan_stacks(platform: Platform) -> OpDefinition:
    """The op of job `plan_infrastructure`."""

    @op(name="plan_stacks", pool=POOL)
    def _plan_stacks(
        context: OpExecutionContext, regions: RegionsResource, ledger: LedgerResource
    ) -> None:
        """Show what apply_infrastructure would change; change nothing."""
        units = cfn.units(platform)
        found = _heard(context, regions, ledger, lambda run: plan.plan(run, units))
        _show_plan(context, found)

    return _plan_stacks


def converge_regions(platform: Platform) -> OpDefinition:
    """The op of job `converge_roles`."""

    @op(name="converge_regions", pool=POOL)
    def _converge_regions(
        context: OpExecutionContext, regions: RegionsResource, ledger: LedgerResource
    ) -> None:
        """Bring replication and node counts of both Regions to what the ledger says."""
        why_not = partial(serving.why_not, platform, regions.settings)
        found = _heard(
            context,
            regions,
            ledger,
            lambda run: converge.converge(run, partial(node_counts.ready_nodes, run), why_not),
        )
        _show_converged(context, found)

    return _converge_regions


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
        for line in Stream(work, regions.clock):
            context.log.info(line)
    except (PlatformError, *AwsError) as error:
        raise Failure(str(error), allow_retries=False) from error
    return results[0]


def _show_plan(context: OpExecutionContext, found: Plan) -> None:
    context.log.info(text.text(found))
    context.add_output_metadata(
        {
            "plan": MetadataValue.md(text.markdown(found)),
            "summary": text.summary(found),
            "changes": found.changes,
        }
    )
    if found.failed:
        lines = [f"{'/'.join(unit.key)}: {unit.reason}" for unit in found.failed]
        raise Failure("\n".join(["The plan is not complete.", *lines]), allow_retries=False)


def _show_converged(context: OpExecutionContext, found: Converged) -> None:
    changed = list(found.changed) or ["nothing to do"]
    context.add_output_metadata(
        {
            "active": found.roles.active,
            "epoch": found.roles.epoch,
            "changed": MetadataValue.md("\n".join(f"- {line}" for line in changed)),
        }
    )
    wrong = [reason for reason in dict.fromkeys((found.traffic, found.withheld)) if reason]
    if wrong:
        left = "The standby's node counts were left alone." if found.withheld else ""
        raise Failure(" ".join([*wrong, left]).strip(), allow_retries=False)
