"""Whether a person has to see a change before it is made, and whether this is what they saw.

`plan_infrastructure` can keep its change sets; `apply_infrastructure` with the plan's id executes
exactly those. A plan holds for the epoch and the templates that it was made from. Without a plan,
the policy `infrastructure.approval` decides. Called by `apply` and `one`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import cfn
from cfn import Unit
from platform_pipelines.aws import templates
from platform_pipelines.aws.change_sets import ResourceChange
from platform_pipelines.errors import Refused
from platform_pipelines.ledger_stacks import KeptPlan, KeptUnit
from platform_pipelines.model import Approval, Platform
from platform_pipelines.provisioning import members
from platform_pipelines.provisioning.members import Members
from platform_pipelines.provisioning.standing import Standing

HOW = (
    "Launch plan_infrastructure with keep: true, read its plan, then launch apply_infrastructure "
    "with its id as plan"
)


@dataclass
class PlanUnknown(Refused):
    """A run names a plan that nobody kept."""

    id: str

    def __str__(self) -> str:
        return f"There is no kept plan {self.id!r}; it may have been applied. {HOW}."


@dataclass
class PlanOutdated(Refused):
    """What a person approved is no longer what would happen."""

    id: str
    reasons: tuple[str, ...]

    def __str__(self) -> str:
        return (
            f"Plan {self.id} no longer holds: {'; '.join(self.reasons)}. Nothing of this was "
            f"changed. {HOW}."
        )


@dataclass
class ApprovalNeeded(Refused):
    """The policy wants a person's word on a change."""

    where: str
    what: str

    def __str__(self) -> str:
        return (
            f"{self.where} {self.what}, and nobody has approved that "
            f"(infrastructure.approval). Nothing of this stack was changed. {HOW}."
        )


def fetch(plans: Mapping[str, KeptPlan], standing: Standing, identifier: str) -> KeptPlan:
    """The plan of this id, of those that wait. Raises: PlanUnknown, PlanOutdated."""
    found = plans.get(identifier)
    if found is None or standing.roles is None:
        raise PlanUnknown(identifier)
    if found.epoch != standing.roles.epoch:
        moved = f"it was made at epoch {found.epoch}, and the ledger is at {standing.roles.epoch}"
        raise PlanOutdated(identifier, (moved,))
    return found


def refuse_other_templates(
    platform: Platform, recorded: Members, plan: KeptPlan, units: Iterable[Unit]
) -> None:
    """Every stack's template must be the one that was planned. Raises: PlanOutdated, naming all."""
    found = (_moved(members.renderings(platform, recorded, unit), plan, unit) for unit in units)
    reasons = tuple(filter(None, found))
    if reasons:
        raise PlanOutdated(plan.id, reasons)


def entry(plan: KeptPlan | None, unit: Unit) -> KeptUnit | None:
    """What the plan said of a unit."""
    return plan.units.get("/".join(unit.key)) if plan else None


def judge(
    platform: Platform,
    plan: KeptPlan | None,
    unit: Unit,
    changes: Sequence[ResourceChange],
    allowed: frozenset[str],
) -> None:
    """Whether a change set that nobody has seen may be executed. `allowed`: logical ids that the
    run names. Raises: ApprovalNeeded, PlanOutdated."""
    where, seen = "/".join(unit.key), entry(plan, unit)
    if plan and seen and seen.action not in UNSEEN:
        raise PlanOutdated(plan.id, (_otherwise(where, seen),))
    unsafe = [one.logical_id for one in changes if _unsafe(one) and one.logical_id not in allowed]
    policy = platform.infrastructure.approval
    if policy is Approval.ALWAYS and not plan:
        raise ApprovalNeeded(where, f"would change ({len(changes)} resources)")
    if unsafe and policy is not Approval.NEVER:
        raise ApprovalNeeded(where, f"would remove or replace {', '.join(unsafe)}")


# A plan could not ask about these: values were missing. What they create was seen as the template.
UNSEEN = ("create", "not known yet")


def _otherwise(where: str, seen: KeptUnit) -> str:
    """Why the plan does not cover what a stack would do now."""
    if seen.change_set is None:
        return f"{where} would now change, and had nothing to do in it"
    return f"the change set of {where} was executed, or that stack or its values changed since"


def _unsafe(change: ResourceChange) -> bool:
    """Whether something goes, be it for good or to make room."""
    return change.action == "Remove" or change.replacement in ("True", "Conditional")


def _moved(renderings: Iterable[Platform], plan: KeptPlan, unit: Unit) -> str | None:
    seen, where = entry(plan, unit), "/".join(unit.key)
    if seen is None:
        return f"{where} is not in it"
    digests = {templates.digest(cfn.render(platform, unit)) for platform in renderings}
    return None if seen.digest in digests else f"the template of {where} is another one now"
