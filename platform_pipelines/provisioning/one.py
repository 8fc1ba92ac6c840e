"""Brings one unit to its end: applied, nothing to do, failed, or left alone, and why.

A failure becomes an outcome, because it must stop only what depends on it; only `Stopped` ends the
whole run. Called by the walk of `apply`, in parallel for whatever may run at once.
"""

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace

import cfn
from cfn import Unit
from platform_pipelines.aws import cloudformation
from platform_pipelines.aws.change_sets import ResourceChange
from platform_pipelines.aws.cloudformation import StackState
from platform_pipelines.aws.region import AwsError
from platform_pipelines.clock import Stopped
from platform_pipelines.errors import PlatformError, Refused
from platform_pipelines.provisioning import ensure, inputs, loss, statuses, virgins
from platform_pipelines.provisioning.ensure import Site
from platform_pipelines.provisioning.inputs import Outputs
from platform_pipelines.provisioning.outcome import Ending, Outcome
from platform_pipelines.provisioning.regions import reaching
from platform_pipelines.provisioning.run import Footing, Run
from platform_pipelines.provisioning.standing import Permission
from platform_pipelines.provisioning.statuses import Next
from platform_pipelines.provisioning.walk import Key

Outcomes = Mapping[Key, Outcome]


@dataclass
class DependencyNotApplied(Refused):
    """A unit outside of the selection is needed and is not there."""

    where: str
    needs: str
    status: str

    def __str__(self) -> str:
        return f"{self.where} needs {self.needs}, which is {self.status}. Select it as well."


def bring(run: Run, footing: Footing, unit: Unit, before: Outcomes) -> Outcome:
    """One unit's outcome; `before` holds those of the units that ended earlier. Raises: Stopped."""
    started = run.clock.monotonic()
    outcome = _left_alone(run, footing, unit, before) or _tried(run, footing, unit, before)
    return replace(outcome, seconds=round(run.clock.monotonic() - started, 3))


def ended(unit: Unit, ending: Ending, reason: str = "") -> Outcome:
    """The outcome of a unit that was not applied."""
    alias, stack = unit.key
    return Outcome(alias=alias, stack=stack, ending=ending, reason=reason)


def _left_alone(run: Run, footing: Footing, unit: Unit, before: Outcomes) -> Outcome | None:
    if ending := footing.left_alone(unit):
        return ended(unit, ending)
    for other in cfn.dependencies(run.platform, unit):
        earlier = before.get(other.key)
        ending = earlier.ending if earlier else footing.left_alone(other)
        if ending in (Ending.FAILED, Ending.BLOCKED, Ending.UNREACHABLE):
            return ended(unit, Ending.BLOCKED, f"it needs {'/'.join(other.key)}: {ending}")
    return None


def _tried(run: Run, footing: Footing, unit: Unit, before: Outcomes) -> Outcome:
    site = run.site(unit)
    try:
        parameters = inputs.complete(unit, _inputs(run, footing, unit, before))
        with reaching(site.region):
            return _applied(run, footing, site, parameters)
    except Stopped:
        raise
    except (PlatformError, *AwsError) as error:
        return ended(unit, Ending.FAILED, str(error))


def _inputs(run: Run, footing: Footing, unit: Unit, before: Outcomes) -> inputs.Inputs:
    outputs: dict[Key, Outputs] = {}
    needed = {inputs.source(run.platform, unit, value) for value in unit.stack.parameters.values()}
    for other in cfn.dependencies(run.platform, unit):
        earlier = before.get(other.key)
        if earlier and earlier.ending.good:
            outputs[other.key] = earlier.outputs
        elif other.key in needed or not (earlier or footing.left_alone(other)):
            outputs[other.key] = _observed(run, unit, other).outputs
    return inputs.resolve(run.platform, unit, outputs)


def _observed(run: Run, unit: Unit, other: Unit) -> StackState:
    """A unit that this run does not apply, as it is."""
    site = run.site(other)
    with reaching(site.region):
        state = cloudformation.describe(site.region, site.stack_name)
    status = state.status if state else "not applied"
    if state is None or statuses.next_step(status) is not Next.UPDATE:
        raise DependencyNotApplied("/".join(unit.key), site.where, status)
    return state


def _applied(run: Run, footing: Footing, site: Site, parameters: Mapping[str, str]) -> Outcome:
    before = ensure.quiet_state(site)
    guard = footing.guard(run)
    with ExitStack() as cleanup:
        guard()
        drafted = ensure.draft(site, before, parameters, "apply", cleanup)
        if drafted.change_set.empty and before is not None:
            _finish(run, footing, site, before)
            return _done(site.unit, Ending.UNCHANGED, before, ())
        changes = drafted.change_set.changes
        _judge(run, footing, site.unit, changes)
        if virgins.may_be_virgin(site.unit, footing.active):
            virgins.expect(run.ledger(), virgins.births(drafted.draft.stack_id, changes))
        guard()
        cleanup.pop_all()  # from here on the change set is CloudFormation's
    state = ensure.carry_out(site, drafted)
    _finish(run, footing, site, state)
    return _done(site.unit, Ending.APPLIED, state, changes)


def _judge(run: Run, footing: Footing, unit: Unit, changes: tuple[ResourceChange, ...]) -> None:
    """Raises: DataLoss, StatefulChange."""
    if footing.standing.permission(unit) is Permission.NO_STATEFUL_CHANGE:
        names = tuple(change.logical_id for change in changes)
        raise loss.StatefulChange("/".join(unit.key), names)
    loss.judge(unit, changes, run.allowed)


def _finish(run: Run, footing: Footing, site: Site, state: StackState) -> None:
    """What belongs to a stack but is not in a template; repeated by each run until it is done."""
    if site.unit.stack.stateful and not state.protected:
        cloudformation.protect(site.region, site.stack_name)
    if virgins.may_be_virgin(site.unit, footing.active):
        made = virgins.declared(run.platform, site.unit)
        virgins.record(run.ledger(), site.region, state.id, made)


def _done(
    unit: Unit, ending: Ending, state: StackState, changes: tuple[ResourceChange, ...]
) -> Outcome:
    return replace(
        ended(unit, ending), stack_id=state.id, changes=changes, outputs=dict(state.outputs)
    )
