"""Applies the units in both Regions, along their dependencies, and never against a failover.

One failure stops only what depends on it, and each unit's outcome is emitted as it ends. The first
apply ever makes the ledger's stack before anything else, and writes that home is active. Called by
the asset `stacks`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cfn
from cfn import Unit
from platform_pipelines.errors import Refused
from platform_pipelines.provisioning import approval, change, inputs, keeping, one, reality
from platform_pipelines.provisioning import run as runs
from platform_pipelines.provisioning import standing as standings
from platform_pipelines.provisioning.outcome import Ending, Outcome
from platform_pipelines.provisioning.run import LEDGER, Footing, Run
from platform_pipelines.provisioning.walk import Key, Walk

Emit = Callable[[Outcome], None]


@dataclass
class LedgerNotApplied(Refused):
    """There are no roles yet, and the stack that would hold them is not part of the run."""

    home: str

    def __str__(self) -> str:
        return (
            f"The ledger does not exist yet. Select [{self.home}, {LEDGER}] as well: the first "
            f"apply makes it before anything else."
        )


def apply(run: Run, units: Sequence[Unit], emit: Emit) -> list[Outcome]:
    """Apply `units`; returns their outcomes, all of which were emitted before.
    Raises: IncidentOpen, LedgerNotApplied, PlanOutdated, PlanUnknown, RealityContradictsLedger,
    Stopped, TableUnavailable, TemplateTooLarge."""
    inputs.refuse_too_large(run.platform, units)
    run, footing = runs.started(run)
    standings.refuse_open(footing.standing)
    if footing.plan:
        approval.refuse_other_templates(run.platform, footing.members, footing.plan, units)
    outcomes: dict[Key, Outcome] = {}

    def end(outcome: Outcome) -> None:
        outcomes[outcome.key] = outcome
        emit(outcome)

    if footing.standing.roles is None:
        end(_ledger_first(run, footing, units))
        if outcomes[run.platform.home, LEDGER].ending.good:
            _bootstrap(run)
            run, footing = runs.started(run)
            change.remember(run, units, outcomes[run.platform.home, LEDGER])
    _walk(run, footing, units, outcomes, end)
    keeping.note_applied(run, footing, outcomes)
    return [outcomes[unit.key] for unit in units]


def _ledger_first(run: Run, footing: Footing, units: Sequence[Unit]) -> Outcome:
    """The ledger's stack, alone. Raises: LedgerNotApplied."""
    key = (run.platform.home, LEDGER)
    unit = next((unit for unit in units if unit.key == key), None)
    if unit is None:
        raise LedgerNotApplied(run.platform.home)
    return one.bring(run, footing, unit, {})


def _bootstrap(run: Run) -> None:
    """Write that home is active, unless the databases say otherwise."""
    reality.refuse_bootstrap(run.platform, run.regions)
    roles = run.ledger().bootstrap(run.platform.home)
    run.tell(f"The ledger says: {roles.active} is active, epoch {roles.epoch}")


def _walk(
    run: Run, footing: Footing, units: Sequence[Unit], outcomes: dict[Key, Outcome], end: Emit
) -> None:
    rest = {unit.key: unit for unit in units if unit.key not in outcomes}
    needs = {key: [need.key for need in cfn.dependencies(run.platform, rest[key])] for key in rest}
    ledger = outcomes.get((run.platform.home, LEDGER))

    def visit(key: Key) -> None:
        if ledger and not ledger.ending.good:  # without roles nothing else may be applied
            reason = f"it needs {run.platform.home}/{LEDGER}: {ledger.ending}"
            end(one.ended(rest[key], Ending.BLOCKED, reason))
        else:
            end(one.bring(run, footing, rest[key], outcomes))

    Walk(needs, visit, run.clock).run()
