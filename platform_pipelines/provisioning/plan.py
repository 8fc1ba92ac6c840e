"""What `apply` would do, as data: a change set per unit, read and thrown away again.

Nothing is changed, and nothing is left behind, unless the plan is kept: then its change sets wait
for `apply_infrastructure` with the plan's id. A stack that needs values from one that does not
exist yet cannot be asked about; what it would make is then read from its template, and the values
are named as not known yet. Called by job `plan_infrastructure`; `text` renders it.
"""

import uuid
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial

import cfn
from cfn import Unit
from platform_pipelines.aws import cloudformation, templates
from platform_pipelines.aws.change_sets import ResourceChange
from platform_pipelines.aws.cloudformation import StackState
from platform_pipelines.aws.region import AwsError
from platform_pipelines.clock import Stopped
from platform_pipelines.errors import PlatformError, Refused
from platform_pipelines.model import Platform
from platform_pipelines.provisioning import (
    change,
    ensure,
    foreseen,
    inputs,
    keeping,
    loss,
    members,
    statuses,
)
from platform_pipelines.provisioning import run as runs
from platform_pipelines.provisioning.dangers import Dangerous
from platform_pipelines.provisioning.ensure import Site
from platform_pipelines.provisioning.inputs import Inputs
from platform_pipelines.provisioning.outcome import Ending
from platform_pipelines.provisioning.planned import Action, Plan, UnitPlan
from platform_pipelines.provisioning.regions import reaching
from platform_pipelines.provisioning.run import Footing, Run
from platform_pipelines.provisioning.statuses import Next
from platform_pipelines.provisioning.walk import Key


@dataclass
class NothingToKeepIn(Refused):
    """A plan is to be kept, and there is no ledger yet that could."""

    home: str

    def __str__(self) -> str:
        return (
            f"A plan is kept in the ledger, which does not exist yet. Run apply_infrastructure with "
            f"[{self.home}, ledger] selected first, then plan again. Nothing was changed."
        )


def plan(run: Run, units: Sequence[Unit], *, keep: bool = False) -> Plan:
    """Ask CloudFormation what applying `units` would change. With `keep` the change sets stay,
    unless something could not be planned.
    Raises: NothingToKeepIn, Stopped, TableUnavailable, TemplateTooLarge."""
    inputs.refuse_too_large(run.platform, units)
    run, footing = runs.started(run)
    if keep and footing.standing.roles is None:
        raise NothingToKeepIn(run.platform.home)
    identifier = f"{run.clock.now():%Y%m%dT%H%M%SZ}-{uuid.uuid4().hex[:6]}"
    sources = _all_with_sources(run, units)
    states = dict(run.clock.gather([partial(_state, run, footing, unit) for unit in sources]))
    with ExitStack() as cleanup:
        asking = Asking(run=run, footing=footing, states=states, name=f"{ensure.PLAN}{identifier}")
        looks = [partial(_named, asking, unit, cleanup if keep else None) for unit in units]
        found = Plan(units=tuple(run.clock.gather(looks)), id=identifier, epoch=footing.epoch)
        if keep and not found.failed and found.changes:
            keeping.keep(run, found)
            cleanup.pop_all()
            keeping.forget_older(run, footing)
            found = replace(found, kept=True)
    return found


State = StackState | Exception | None
States = Mapping[Key, State]


def _all_with_sources(run: Run, units: Sequence[Unit]) -> list[Unit]:
    """The units, and those outside of the selection from which their values come."""
    needed = [need for unit in units for need in cfn.dependencies(run.platform, unit)]
    return list({unit.key: unit for unit in (*units, *needed)}.values())


def _state(run: Run, footing: Footing, unit: Unit) -> tuple[Key, State]:
    """A stack as it is, or why it cannot be seen."""
    site = run.site(unit)
    if footing.left_alone(unit):
        return unit.key, None
    try:
        with reaching(site.region):
            return unit.key, cloudformation.describe(site.region, site.stack_name)
    except (PlatformError, *AwsError) as error:
        return unit.key, error


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """What every unit's look is made with."""

    run: Run
    footing: Footing
    states: States
    name: str  # of the change sets


def _named(asking: Asking, unit: Unit, holding: ExitStack | None) -> UnitPlan:
    """What apply would do, with the template's digest: apply compares it with the one it renders."""
    digest = templates.digest(cfn.render(asking.run.platform, unit))
    return replace(_planned(asking, unit, holding), digest=digest)


def _planned(asking: Asking, unit: Unit, holding: ExitStack | None) -> UnitPlan:
    run = asking.run
    if ending := asking.footing.left_alone(unit):
        settled = Action.SETTLED if ending is Ending.SETTLED else Action.UNREACHABLE
        return _plan(unit, settled)
    state = asking.states[unit.key]
    if isinstance(state, Exception):
        return _plan(unit, Action.FAILED, reason=str(state))
    site = run.site(unit)
    site = replace(
        site, platform=members.expected(run.platform, asking.footing.members, unit, state)
    )
    return _looked(asking, site, state, holding)


def _looked(
    asking: Asking, site: Site, state: StackState | None, holding: ExitStack | None
) -> UnitPlan:
    unit, platform = site.unit, site.platform
    outputs = {
        key: one.outputs for key, one in asking.states.items() if isinstance(one, StackState)
    }
    previous = state.parameters if state else {}
    values = inputs.resolve(platform, unit, outputs, previous)
    try:
        change.refuse_dangers(site)
        again = state is not None and statuses.next_step(state.status) is Next.RECREATE
        if values.unknown or again:  # a leftover of a first creation takes no change set
            return _unasked(platform, unit, values, None if again else state)
        digest = inputs.digest(platform, unit, values.known)
        if state and change.nothing_to_do(asking.footing, site, state, digest):
            return _plan(unit, Action.NOTHING)
        return _asked(asking, site, values, holding)
    except Stopped:
        raise
    except Dangerous as error:
        return _plan(unit, Action.REFUSED, reason=str(error))
    except (PlatformError, *AwsError) as error:
        return _plan(unit, Action.FAILED, reason=str(error))


def _asked(asking: Asking, site: Site, values: Inputs, holding: ExitStack | None) -> UnitPlan:
    """What CloudFormation says. `holding` takes the change set, if it is to be kept."""
    with reaching(site.region), ExitStack() as cleanup:
        before = ensure.quiet_state(site)
        found = ensure.draft(
            site, before, values.known, asking.name, cleanup, asking.footing.waiting
        )
        if found.change_set.empty:
            return _plan(site.unit, Action.NOTHING)
        changes = found.change_set.changes
        try:
            change.refuse_dangers(site, found.draft.stack_id, changes)
        except Dangerous as error:
            return _plan(site.unit, Action.REFUSED, changes, reason=str(error))
        if holding is not None:
            holding.push(cleanup.pop_all())
    action = Action.CREATE if found.new else Action.UPDATE
    planned = _plan(site.unit, action, changes)
    return planned if holding is None else replace(planned, change_set=found.draft.id)


def _unasked(platform: Platform, unit: Unit, values: Inputs, state: StackState | None) -> UnitPlan:
    """What is known of a unit that waits for values."""
    unknown = tuple(f"{name} ({origin})" for name, origin in values.unknown.items())
    if state is not None:
        return _plan(unit, Action.LATER, unknown=unknown)
    return _plan(unit, Action.CREATE, foreseen.changes(platform, unit, values), unknown)


def _plan(
    unit: Unit,
    action: Action,
    changes: tuple[ResourceChange, ...] = (),
    unknown: tuple[str, ...] = (),
    reason: str = "",
) -> UnitPlan:
    alias, stack = unit.key
    return UnitPlan(
        alias=alias,
        stack=stack,
        action=action,
        changes=changes,
        unknown=unknown,
        losses=loss.losses(unit, changes),
        to_allow=loss.to_allow(unit, changes),
        reason=reason,
    )
