"""What `apply` would do, as data: a change set per unit, read and thrown away again.

Nothing is changed, and nothing is left behind. A stack that needs values from one that does not
exist yet cannot be asked about; what it would make is then read from its template, and the values
are named as not known yet. Called by job `plan_infrastructure`; `text` renders it.
"""

import json
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Any

import cfn
from cfn import Unit
from platform_pipelines.aws import cloudformation
from platform_pipelines.aws.change_sets import PropertyChange, ResourceChange
from platform_pipelines.aws.cloudformation import StackState
from platform_pipelines.aws.region import AwsError
from platform_pipelines.clock import Stopped
from platform_pipelines.errors import PlatformError
from platform_pipelines.provisioning import ensure, inputs, loss
from platform_pipelines.provisioning import run as runs
from platform_pipelines.provisioning.inputs import Inputs
from platform_pipelines.provisioning.outcome import Ending
from platform_pipelines.provisioning.regions import reaching
from platform_pipelines.provisioning.run import Footing, Run
from platform_pipelines.provisioning.walk import Key


class Action(StrEnum):
    """What apply would do with a stack."""

    CREATE = "create"
    UPDATE = "update"
    NOTHING = "nothing to do"
    LATER = "not known yet"  # it exists, and waits for a value that does not
    FAILED = "cannot be planned"
    SETTLED = "skipped: incident settled"
    UNREACHABLE = "unreachable"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitPlan:
    """What apply would do with one unit."""

    alias: str
    stack: str
    action: Action
    changes: tuple[ResourceChange, ...] = ()
    unknown: tuple[str, ...] = ()  # `<parameter> (output <key> of <alias>/<stack>)`
    losses: tuple[str, ...] = ()  # as `allow_replace` names them
    reason: str = ""

    @property
    def key(self) -> tuple[str, str]:
        return self.alias, self.stack


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What apply would do, in the order in which it would."""

    units: tuple[UnitPlan, ...]

    @property
    def failed(self) -> tuple[UnitPlan, ...]:
        """The units about which nothing is known."""
        return tuple(unit for unit in self.units if unit.action is Action.FAILED)

    @property
    def changes(self) -> bool:
        """Whether apply would do anything."""
        doing = (Action.CREATE, Action.UPDATE, Action.LATER)
        return any(unit.action in doing for unit in self.units)


def plan(run: Run, units: Sequence[Unit]) -> Plan:
    """Ask CloudFormation what applying `units` would change. Raises: Stopped, TableUnavailable."""
    footing = runs.footing(run)
    sources = _all_with_sources(run, units)
    states = dict(run.clock.gather([partial(_state, run, footing, unit) for unit in sources]))
    looks = [partial(_planned, run, footing, unit, states) for unit in units]
    return Plan(units=tuple(run.clock.gather(looks)))


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


def _planned(run: Run, footing: Footing, unit: Unit, states: States) -> UnitPlan:
    if ending := footing.left_alone(unit):
        settled = Action.SETTLED if ending is Ending.SETTLED else Action.UNREACHABLE
        return _plan(unit, settled)
    state = states[unit.key]
    if isinstance(state, Exception):
        return _plan(unit, Action.FAILED, reason=str(state))
    outputs = {key: one.outputs for key, one in states.items() if isinstance(one, StackState)}
    values = inputs.resolve(run.platform, unit, outputs)
    if values.unknown:
        return _from_template(run, unit, values, state)
    return _asked(run, unit, values)


def _asked(run: Run, unit: Unit, values: Inputs) -> UnitPlan:
    """What CloudFormation says."""
    site = run.site(unit)
    try:
        with reaching(site.region), ExitStack() as cleanup:
            before = ensure.quiet_state(site)
            found = ensure.draft(site, before, values.known, "plan", cleanup)
    except Stopped:
        raise
    except (PlatformError, *AwsError) as error:
        return _plan(unit, Action.FAILED, reason=str(error))
    if found.change_set.empty:
        return _plan(unit, Action.NOTHING)
    action = Action.CREATE if found.new else Action.UPDATE
    return _plan(unit, action, found.change_set.changes)


def _from_template(run: Run, unit: Unit, values: Inputs, state: State) -> UnitPlan:
    """What the template says, with the values that do not exist named as such."""
    unknown = tuple(f"{name} ({origin})" for name, origin in values.unknown.items())
    if state is not None:
        return _plan(unit, Action.LATER, unknown=unknown)
    template = json.loads(cfn.render(run.platform, unit))
    changes = tuple(
        ResourceChange(
            action="Add",
            logical_id=name,
            physical_id=None,
            type=resource["Type"],
            replacement=None,
            policy_action=None,
            properties=_properties(resource.get("Properties", {}), values),
        )
        for name, resource in template["Resources"].items()
    )
    return _plan(unit, Action.CREATE, changes, unknown)


def _properties(properties: Mapping[str, Any], values: Inputs) -> tuple[PropertyChange, ...]:
    return tuple(
        PropertyChange(path=name, before=None, after=_text(value, values), recreation="Never")
        for name, value in properties.items()
    )


def _text(value: Any, values: Inputs) -> str:
    filled = _filled(value, values)
    return filled if isinstance(filled, str) else json.dumps(filled, separators=(",", ":"))


def _filled(value: Any, values: Inputs) -> Any:
    """A template's value with its parameters filled in."""
    match value:
        case {"Ref": str(name)} if name in values.unknown:
            return f"not known yet: {values.unknown[name]}"
        case {"Ref": str(name)} if name in values.known:
            return values.known[name]
        case dict():
            return {key: _filled(one, values) for key, one in value.items()}
        case list():
            return [_filled(one, values) for one in value]
    return value


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
        reason=reason,
    )
