"""The assets of readiness: inventories of both Regions on the left, one verdict on the right.

`deps` are lineage only. Data comes from the run's `readings`, so that each asset can be launched
alone and one read serves all checks.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dagster import (
    AssetExecutionContext,
    AssetKey,
    AssetsDefinition,
    MaterializeResult,
    MetadataValue,
    asset,
)

from platform_pipelines.clock import seconds
from platform_pipelines.errors import PlatformError
from platform_pipelines.ledger import Ledger
from platform_pipelines.ledger_records import Colour
from platform_pipelines.model import Platform, Region
from platform_pipelines.readiness import checks, checkup, pages, replication
from platform_pipelines.readiness.finding import Finding, Unknown, errors, warnings
from platform_pipelines.readiness.inventories import INVENTORIES, Inventory
from platform_pipelines.readiness.readings import Readings
from platform_pipelines.readiness.resources import ReadingsResource
from platform_pipelines.readiness.verdict import Verdict
from platform_pipelines.resources import LedgerResource, RegionsResource

if TYPE_CHECKING:
    Materialized = MaterializeResult[None]
else:  # Dagster reads the annotation when it runs, and knows only the plain class
    Materialized = MaterializeResult

PREFIX = "readiness"
VERDICT = "dr_readiness"
OWNERS = ["team:platform"]
SCORES = {Colour.RED: 0, Colour.AMBER: 1, Colour.GREEN: 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What a check found, and what else its asset shows."""

    findings: list[Finding]
    metadata: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parity:
    """A check of the two Regions against each other, as an asset."""

    name: str
    description: str
    kinds: frozenset[str]
    inventories: tuple[str, ...]  # what it compares; lineage
    checks: tuple[checks.Check, ...]
    look: Callable[[Readings], Look]


def _lag(readings: Readings) -> Look:
    lags = checkup.lags(readings)
    plots = {f"{one.kind}_{one.name}_s": seconds(one.lag) for one in lags if one.lag is not None}
    table = checks.table(pages.lags(lags))
    return Look(findings=replication.findings(lags), metadata={"lags": table, **plots})


PARITIES = (
    Parity(
        name="ecr_image_parity",
        description="Can each Region pull, from its own registry, every image that either names?",
        kinds=frozenset({"ecr"}),
        inventories=("ecr_images",),
        checks=checks.IMAGES,
        look=lambda readings: Look(findings=checkup.image_parity(readings)),
    ),
    Parity(
        name="argocd_sync_parity",
        description="Do both Regions' Argo CDs have the same Applications in the same state?",
        kinds=frozenset({"argocd"}),
        inventories=("argocd_applications", "node_groups"),
        checks=checks.APPLICATIONS,
        look=lambda readings: Look(findings=checkup.gitops_parity(readings)),
    ),
    Parity(
        name="replication_lag",
        description="How far is the standby behind, for each file system and each database?",
        kinds=frozenset({"efs", "aurora"}),
        inventories=("efs_file_systems", "aurora_clusters"),
        checks=checks.LAGS,
        look=_lag,
    ),
)


def key(name: str) -> AssetKey:
    """The key of a check's asset."""
    return AssetKey([PREFIX, name])


def assets(platform: Platform) -> list[AssetsDefinition]:
    """Every asset of readiness."""
    inventories = [_inventory(region, one) for region in platform.regions for one in INVENTORIES]
    return [*inventories, *(_parity(platform, one) for one in PARITIES), _verdict()]


def _inventory(region: Region, one: Inventory) -> AssetsDefinition:
    mine = AssetKey([region.alias, one.name])

    @asset(
        key=mine,
        deps=[AssetKey([region.alias, stack]) for stack in one.stacks],
        group_name=f"{region.alias.replace('-', '_')}_inventory",
        description=one.description,
        kinds=set(one.kinds),
        owners=OWNERS,
        check_specs=[checks.could_read_spec(mine)],
    )
    def inventory(
        regions: RegionsResource, ledger: LedgerResource, readings: ReadingsResource
    ) -> Materialized:
        found = one.read(readings.of(regions, ledger), region.alias)
        if isinstance(found, Unknown):
            metadata: dict[str, Any] = {"state": "unknown", "reason": str(found)}
            return MaterializeResult(metadata=metadata, check_results=[checks.could_read(found)])
        rows = one.rows(found)
        metadata = {"state": "known", "count": len(rows), "items": checks.table(rows)}
        return MaterializeResult(metadata=metadata, check_results=[checks.could_read(None)])

    return inventory


def _parity(platform: Platform, one: Parity) -> AssetsDefinition:
    @asset(
        key=key(one.name),
        deps=[
            AssetKey([region.alias, name])
            for name in one.inventories
            for region in platform.regions
        ],
        group_name=PREFIX,
        description=one.description,
        kinds=set(one.kinds),
        owners=OWNERS,
        check_specs=checks.specs(key(one.name), one.checks),
    )
    def parity(
        regions: RegionsResource, ledger: LedgerResource, readings: ReadingsResource
    ) -> Materialized:
        look = one.look(readings.of(regions, ledger))
        return MaterializeResult(
            metadata={
                "errors": len(errors(look.findings)),
                "warnings": len(warnings(look.findings)),
                "looked at": len(look.findings),
                "findings": checks.table(pages.findings(look.findings)),
                **look.metadata,
            },
            check_results=checks.results(one.checks, look.findings),
        )

    return parity


def _verdict() -> AssetsDefinition:
    @asset(
        key=key(VERDICT),
        deps=[key(one.name) for one in PARITIES],
        group_name=PREFIX,
        description="Would tonight's failover work? Green, amber or red, with the reasons in order.",
        kinds={"dynamodb"},
        owners=OWNERS,
        check_specs=checks.verdict_specs(key(VERDICT)),
    )
    def dr_readiness(
        context: AssetExecutionContext,
        regions: RegionsResource,
        ledger: LedgerResource,
        readings: ReadingsResource,
    ) -> Materialized:
        verdict = checkup.judge(readings.of(regions, ledger))
        failure = _record(lambda: ledger.ledger, verdict)
        context.log.info(f"{verdict.colour}: {'; '.join(verdict.reasons) or 'no reason against'}")
        return MaterializeResult(
            metadata=_of_verdict(verdict),
            check_results=[
                checks.is_green(verdict.colour, verdict.reasons),
                checks.is_recorded(failure),
            ],
        )

    return dr_readiness


def _record(ledger: Callable[[], Ledger], verdict: Verdict) -> PlatformError | None:
    """Write the verdict into the ledger; a ledger that is dark must not hide the verdict."""
    try:
        ledger().record_verdict(verdict.colour, verdict.reasons, verdict.at)
    except PlatformError as error:
        return error
    return None


def _of_verdict(verdict: Verdict) -> dict[str, Any]:
    plots = {f"rpo_{kind}_s": seconds(lag) for kind, lag in verdict.rpo.items() if lag is not None}
    return {
        "verdict": str(verdict.colour),
        "score": SCORES[verdict.colour],
        "errors": len(errors(verdict.findings)),
        "warnings": len(warnings(verdict.findings)),
        "page": MetadataValue.md(pages.verdict(verdict)),
        **plots,
    }
