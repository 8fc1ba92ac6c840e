"""How findings become Dagster's asset checks, and rows become its tables."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dagster import (
    AssetCheckResult,
    AssetCheckSeverity,
    AssetCheckSpec,
    AssetKey,
    MetadataValue,
    TableRecord,
)

from platform_pipelines.ledger_records import Colour
from platform_pipelines.readiness.finding import Finding, Severity, errors
from platform_pipelines.readiness.gitops_pair import State as Gitops
from platform_pipelines.readiness.image_case import State as Image
from platform_pipelines.readiness.pages import Row
from platform_pipelines.readiness.replication import State as Lag

ROWS = 500  # a table of the UI; the counts beside it are complete
LISTED = 20  # reasons in a check's text


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A question that an asset's findings answer: none of these states may be found."""

    name: str
    question: str
    states: tuple[str, ...]

    def spec(self, asset: AssetKey) -> AssetCheckSpec:
        """How the check shows in the lineage before it ever ran."""
        return AssetCheckSpec(self.name, asset=asset, description=self.question)

    def result(self, findings: Iterable[Finding]) -> AssetCheckResult:
        """The check's answer: passed if no finding in any of the states is bad."""
        bad = [
            one for one in findings if one.state in self.states and one.severity is not Severity.OK
        ]
        return AssetCheckResult(
            check_name=self.name,
            passed=not bad,
            severity=AssetCheckSeverity.ERROR if errors(bad) else AssetCheckSeverity.WARN,
            description=_said([str(one) for one in bad]) or "nothing found",
            metadata={"found": len(bad)},
        )


IMAGES = (
    Check(
        name="present_in_both",
        question="Both Regions hold every image that pod templates name, with its children.",
        states=(
            Image.MISSING,
            Image.PENDING,
            Image.COPY_FAILED,
            Image.NOT_REPLICATED,
            Image.INCOMPLETE,
            Image.UNKNOWN,
        ),
    ),
    Check(
        name="same_tags",
        question="A tag names the same digest in both Regions.",
        states=(Image.DIVERGED, Image.UNTAGGED),
    ),
    Check(
        name="own_registry",
        question="Each Region pulls from its own registry.",
        states=(Image.WRONG_REGISTRY, Image.FOREIGN),
    ),
)
APPLICATIONS = (
    Check(
        name="in_parity",
        question="Both Argo CDs have the same Applications at the same revision.",
        states=(Gitops.DRIFTED, Gitops.CONVERGING),
    ),
    Check(
        name="known",
        question="Both Argo CDs can say what they compare, and said it lately.",
        states=(Gitops.UNKNOWN,),
    ),
)
LAGS = (
    Check(
        name="lag_known",
        question="The lag of every replicated resource is known.",
        states=(Lag.UNKNOWN,),
    ),
    Check(
        name="replicating",
        question="Every resource replicates from the active Region to a usable standby.",
        states=(Lag.BROKEN,),
    ),
    Check(
        name="within_limits",
        question="The lag is within the objective, and within what needs no approval.",
        states=(Lag.OVER_OBJECTIVE, Lag.OVER_APPROVAL),
    ),
)


def specs(asset: AssetKey, checks: Sequence[Check]) -> list[AssetCheckSpec]:
    """The specs of an asset's checks."""
    return [check.spec(asset) for check in checks]


def results(checks: Sequence[Check], findings: Sequence[Finding]) -> list[AssetCheckResult]:
    """The answers of an asset's checks."""
    return [check.result(findings) for check in checks]


def could_read_spec(asset: AssetKey) -> AssetCheckSpec:
    """The check of an inventory."""
    return AssetCheckSpec("could_read", asset=asset, description="The inventory could be read.")


def verdict_specs(asset: AssetKey) -> list[AssetCheckSpec]:
    """The checks of the verdict."""
    return [
        AssetCheckSpec("is_green", asset=asset, description="Nothing stands against a failover."),
        AssetCheckSpec("is_recorded", asset=asset, description="The ledger holds the verdict."),
    ]


def could_read(failure: object | None) -> AssetCheckResult:
    """Whether an inventory could be read; a dark Region is a warning here, a verdict later."""
    return AssetCheckResult(
        check_name="could_read",
        passed=failure is None,
        severity=AssetCheckSeverity.WARN,
        description=str(failure) if failure else "it could be read",
    )


def is_green(colour: Colour, reasons: Sequence[str]) -> AssetCheckResult:
    """The verdict as a check."""
    red = colour is Colour.RED
    return AssetCheckResult(
        check_name="is_green",
        passed=colour is Colour.GREEN,
        severity=AssetCheckSeverity.ERROR if red else AssetCheckSeverity.WARN,
        description=_said(reasons) or "nothing stands against a failover tonight",
        metadata={"colour": str(colour)},
    )


def is_recorded(failure: object | None) -> AssetCheckResult:
    """Whether the ledger holds the verdict; without it a failover asks for approval."""
    return AssetCheckResult(
        check_name="is_recorded",
        passed=failure is None,
        description=str(failure) if failure else "the ledger holds the verdict",
    )


def table(rows: Sequence[Row]) -> MetadataValue:
    """Rows as a table of the UI."""
    if not rows:
        return MetadataValue.text("none")
    return MetadataValue.table([TableRecord(row) for row in rows[:ROWS]])


def _said(reasons: Sequence[str]) -> str:
    more = [f"and {len(reasons) - LISTED} more"] if len(reasons) > LISTED else []
    return "\n".join([*reasons[:LISTED], *more])
