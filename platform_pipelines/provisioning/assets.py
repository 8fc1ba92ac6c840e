"""The stacks as assets: `[<alias>, <stack>]`, applied together by one subsettable multi-asset.

A stack that was applied, or that has nothing to do, is materialised as it ends. One that failed or
was left alone is observed, with the reason; a failure fails the run once all the others have ended.
"""

import inspect
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing

from dagster import (
    AssetExecutionContext,
    AssetKey,
    AssetObservation,
    AssetsDefinition,
    AssetSpec,
    Config,
    Failure,
    MaterializeResult,
    MetadataValue,
    multi_asset,
)
from pydantic import Field

import cfn
from cfn import Scope, Unit
from platform_pipelines.aws.region import AwsError
from platform_pipelines.errors import PlatformError
from platform_pipelines.model import Platform
from platform_pipelines.provisioning import apply, loss, text
from platform_pipelines.provisioning.outcome import Ending, Outcome
from platform_pipelines.provisioning.run import Run
from platform_pipelines.provisioning.stream import Stream
from platform_pipelines.resources import LedgerResource, RegionsResource

POOL = "infrastructure"  # one run at a time changes stacks
Result = MaterializeResult[None] | AssetObservation


class StacksConfig(Config):
    """What a run of `stacks` may do."""

    allow_replace: list[str] = Field(
        default=[],
        description="resources whose data may be lost, as <alias>/<stack>/<LogicalId>",
    )
    plan: str = Field(
        default="", description="the id of a kept plan: exactly its change sets are executed"
    )


def stacks(platform: Platform) -> AssetsDefinition:
    """The multi-asset of every stack in every Region."""
    units = cfn.units(platform)

    @multi_asset(
        name="stacks", specs=[_spec(platform, unit) for unit in units], can_subset=True, pool=POOL
    )
    def _stacks(
        context: AssetExecutionContext,
        config: StacksConfig,
        regions: RegionsResource,
        ledger: LedgerResource,
    ) -> Iterator[Result]:
        """Apply the selected stacks through change sets."""
        chosen = [u for u in units if AssetKey(list(u.key)) in context.selected_asset_keys]
        allowed = _allowed(platform, config)

        def work(emit: Callable[[Outcome | str], None], stop: threading.Event) -> None:
            run = Run(
                platform=platform,
                regions=regions.aws,
                ledger=lambda: ledger.ledger,
                clock=regions.clock,
                stop=stop,
                tell=emit,
                allowed=allowed,
                plan=config.plan or None,
            )
            apply.apply(run, chosen, emit)

        yield from _shown(context, regions.ends(Stream(work, regions.clock)))

    return _stacks


def _allowed(platform: Platform, config: StacksConfig) -> frozenset[str]:
    try:
        return loss.allowances(platform, config.allow_replace)
    except loss.InvalidAllowance as error:
        raise Failure(str(error), allow_retries=False) from error


def _shown(context: AssetExecutionContext, stream: Stream[Outcome | str]) -> Iterator[Result]:
    """What a run's outcomes are in Dagster. Raises: Failure, naming what failed and what waits."""
    outcomes: list[Outcome] = []
    try:
        with closing(stream) as told:
            for heard in told:
                context.log.info(str(heard))
                if isinstance(heard, Outcome):
                    outcomes.append(heard)
                    yield _event(heard)
    except (PlatformError, *AwsError) as error:
        raise Failure(str(error), allow_retries=False) from error
    failed = [one for one in outcomes if one.ending is Ending.FAILED]
    if failed:
        raise Failure(_why(failed, outcomes), allow_retries=False)


def _event(outcome: Outcome) -> Result:
    metadata = _metadata(outcome)
    if outcome.ending.good:
        return MaterializeResult(asset_key=list(outcome.key), metadata=metadata)
    return AssetObservation(list(outcome.key), metadata=metadata)


def _why(failed: list[Outcome], outcomes: list[Outcome]) -> str:
    lines = text.reasons(failed)
    blocked = ["/".join(one.key) for one in outcomes if one.ending is Ending.BLOCKED]
    if blocked:
        lines.append(f"Not applied, because they need what failed: {', '.join(blocked)}.")
    return "\n".join(lines)


def _metadata(outcome: Outcome) -> Mapping[str, MetadataValue]:
    found: dict[str, MetadataValue] = {
        "result": MetadataValue.text(str(outcome.ending)),
        "seconds": MetadataValue.float(outcome.seconds),
        "changes": MetadataValue.int(len(outcome.changes)),
    }
    if outcome.reason:
        found["reason"] = MetadataValue.text(outcome.reason)
    if outcome.stack_id:
        found["stack"] = MetadataValue.text(outcome.stack_id)
    if outcome.changes:
        found["change_set"] = MetadataValue.md(text.changes_table(outcome.key, outcome.changes))
    if outcome.outputs:
        found["outputs"] = MetadataValue.json(dict(outcome.outputs))
    return found


def _spec(platform: Platform, unit: Unit) -> AssetSpec:
    return AssetSpec(
        list(unit.key),
        deps=[list(other.key) for other in cfn.dependencies(platform, unit)],
        skippable=True,
        group_name=f"{unit.region.alias.replace('-', '_')}_stacks",
        kinds={"aws", "cloudformation"},
        description=_description(unit),
        metadata={
            "stack": platform.stack_name(unit.stack.name),
            "region": unit.region.name,
            "scope": str(unit.stack.scope),
            "stateful": unit.stack.stateful,
        },
    )


def _description(unit: Unit) -> str:
    """What the module says of its template; to build it would slow down every process of Dagster."""
    once = " It exists once, in home." if unit.stack.scope is Scope.ONCE else ""
    return f"{inspect.getdoc(unit.stack.build)}{once}"
