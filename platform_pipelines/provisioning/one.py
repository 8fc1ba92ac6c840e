"""Brings one unit to its end: applied, nothing to do, failed, or left alone, and why.

A failure becomes an outcome, because it must stop only what depends on it; only `Stopped` ends the
whole run. Called by the walk of `apply`, in parallel for whatever may run at once.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import cfn
from cfn import Unit
from platform_pipelines.aws import cloudformation
from platform_pipelines.aws.change_sets import ResourceChange
from platform_pipelines.aws.cloudformation import StackState
from platform_pipelines.aws.region import AwsError
from platform_pipelines.clock import Stopped
from platform_pipelines.errors import PlatformError, Refused
from platform_pipelines.provisioning import change, ensure, inputs, members, statuses
from platform_pipelines.provisioning.ensure import Site
from platform_pipelines.provisioning.inputs import Inputs, Outputs
from platform_pipelines.provisioning.outcome import Ending, Outcome
from platform_pipelines.provisioning.regions import reaching
from platform_pipelines.provisioning.run import Footing, Run
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
        with reaching(site.region):
            return _brought(run, footing, site, before)
    except Stopped:
        raise
    except (PlatformError, *AwsError) as error:
        return ended(unit, Ending.FAILED, str(error))


def _brought(run: Run, footing: Footing, site: Site, before: Outcomes) -> Outcome:
    """Nothing is written, and one call made, as long as nothing is to be done."""
    state = ensure.quiet_state(site)
    site = replace(
        site, platform=members.expected(site.platform, footing.members, site.unit, state)
    )
    found = _inputs(run, footing, site.unit, before, state.parameters if state else {})
    parameters = inputs.complete(site.unit, found)
    digest = inputs.digest(site.platform, site.unit, parameters)
    if state is not None and change.nothing_to_do(footing, site, state, digest):
        return _done(site.unit, Ending.UNCHANGED, state, ())
    changed = change.carry_out(run, footing, site, state, parameters)
    change.finish(run, footing, site, changed.state, digest)
    ending = Ending.APPLIED if changed.executed else Ending.UNCHANGED
    return _done(site.unit, ending, changed.state, changed.changes)


def _inputs(
    run: Run, footing: Footing, unit: Unit, before: Outcomes, previous: Mapping[str, str]
) -> Inputs:
    """A unit's parameters; what this run does not apply is observed, what an incident keeps us
    from is as the stack has it."""
    outputs: dict[Key, Outputs] = {}
    needed = {inputs.source(run.platform, unit, value) for value in unit.stack.parameters.values()}
    for other in cfn.dependencies(run.platform, unit):
        earlier = before.get(other.key)
        if earlier and earlier.ending.good:
            outputs[other.key] = earlier.outputs
        elif footing.left_alone(other) and (previous or other.key not in needed):
            continue
        else:
            outputs[other.key] = _observed(run, unit, other).outputs
    return inputs.resolve(run.platform, unit, outputs, previous)


def _observed(run: Run, unit: Unit, other: Unit) -> StackState:
    """A unit that this run does not apply, as it is."""
    site = run.site(other)
    with reaching(site.region):
        state = cloudformation.describe(site.region, site.stack_name)
    status = state.status if state else "not applied"
    if state is None or statuses.next_step(status) is not Next.UPDATE:
        raise DependencyNotApplied("/".join(unit.key), site.where, status)
    return state


def _done(
    unit: Unit, ending: Ending, state: StackState, changes: tuple[ResourceChange, ...]
) -> Outcome:
    return replace(
        ended(unit, ending), stack_id=state.id, changes=changes, outputs=dict(state.outputs)
    )
