"""The asset check `drift` of every stack: whether it is what its template says.

Job `detect_drift` runs all of them, the UI any. Unexpected drift fails a check as an error, what
could not be looked at as a warning; what an incident explains passes, and is named.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing

from dagster import (
    AssetCheckExecutionContext,
    AssetCheckKey,
    AssetCheckResult,
    AssetChecksDefinition,
    AssetCheckSeverity,
    AssetCheckSpec,
    AssetKey,
    Failure,
    MetadataValue,
    multi_asset_check,
)

import cfn
from cfn import Unit
from platform_pipelines.aws.region import AwsError
from platform_pipelines.errors import PlatformError
from platform_pipelines.model import Platform
from platform_pipelines.provisioning import drift
from platform_pipelines.provisioning.assets import POOL
from platform_pipelines.provisioning.drift import Finding, State, UnitDrift
from platform_pipelines.provisioning.run import Run
from platform_pipelines.provisioning.stream import Stream
from platform_pipelines.resources import LedgerResource, RegionsResource

DRIFT = "drift"  # the check's name
LISTED = 20  # findings in a check's text


def stack_checks(platform: Platform) -> AssetChecksDefinition:
    """The check `drift` of every stack in every Region."""
    units = cfn.units(platform)

    @multi_asset_check(
        name="stack_drift",
        specs=[_spec(unit) for unit in units],
        can_subset=True,
        pool=POOL,  # a stack that is being changed cannot be compared
    )
    def _stack_drift(
        context: AssetCheckExecutionContext, regions: RegionsResource, ledger: LedgerResource
    ) -> Iterator[AssetCheckResult]:
        """Compare the selected stacks with their templates; change nothing."""
        wanted = context.selected_asset_check_keys
        chosen = [unit for unit in units if AssetCheckKey(_key(unit), DRIFT) in wanted]

        def work(emit: Callable[[UnitDrift | str], None], stop: threading.Event) -> None:
            run = Run(
                platform=platform,
                regions=regions.aws,
                ledger=lambda: ledger.ledger,
                clock=regions.clock,
                stop=stop,
                tell=emit,
            )
            drift.detect(run, chosen, emit)

        yield from _shown(context, regions.ends(Stream(work, regions.clock)))

    return _stack_drift


def _shown(
    context: AssetCheckExecutionContext, stream: Stream[UnitDrift | str]
) -> Iterator[AssetCheckResult]:
    try:
        with closing(stream) as told:
            for heard in told:
                context.log.info(str(heard))
                if isinstance(heard, UnitDrift):
                    yield result(heard)
    except (PlatformError, *AwsError) as error:
        raise Failure(str(error), allow_retries=False) from error


def result(found: UnitDrift) -> AssetCheckResult:
    """One stack's answer."""
    return AssetCheckResult(
        asset_key=list(found.key),
        check_name=DRIFT,
        passed=found.state in (State.IN_SYNC, State.EXPECTED),
        severity=AssetCheckSeverity.WARN
        if found.state is State.UNKNOWN
        else AssetCheckSeverity.ERROR,
        description=_said(found),
        metadata=_metadata(found),
    )


def _said(found: UnitDrift) -> str:
    if not found.findings:
        return f"{found.compared} resources are as the template says"
    lines = [f"{one.state}: {one}" for one in found.findings]
    more = [f"and {len(lines) - LISTED} more"] if len(lines) > LISTED else []
    return "\n".join([*lines[:LISTED], *more])


def _metadata(found: UnitDrift) -> dict[str, MetadataValue]:
    counts = {state: [one for one in found.findings if one.state is state] for state in State}
    metadata: dict[str, MetadataValue] = {
        "result": MetadataValue.text(str(found.state)),
        "compared": MetadataValue.int(found.compared),
        "drifted": MetadataValue.int(len(counts[State.DRIFTED])),
        "expected": MetadataValue.int(len(counts[State.EXPECTED])),
        "unknown": MetadataValue.int(len(counts[State.UNKNOWN])),
    }
    if found.uncompared:
        lines = "\n".join(f"- {one}" for one in found.uncompared)
        metadata["cannot_be_compared"] = MetadataValue.md(lines)
    if any(one.differences for one in found.findings):
        metadata["differences"] = MetadataValue.md(_table(found.findings))
    return metadata


def _table(findings: Sequence[Finding]) -> str:
    rows = [
        "| Resource | Type | Property | Template | Reality | Result |",
        "|---|---|---|---|---|---|",
    ]
    for one in findings:
        for difference in one.differences:
            cells = (
                *(one.subject, one.type, difference.path),
                *(difference.expected or "(none)", difference.actual or "(none)", str(one.state)),
            )
            rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(rows)


def _spec(unit: Unit) -> AssetCheckSpec:
    return AssetCheckSpec(
        DRIFT, asset=_key(unit), description="The stack is what its template says, and protected."
    )


def _key(unit: Unit) -> AssetKey:
    return AssetKey(list(unit.key))
