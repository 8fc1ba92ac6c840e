"""Changes one stack: drafts a change set or takes the approved one, judges it, executes exactly it.

Called by `one` when the digest does not say that there is nothing to do. What belongs to a stack
but is not in a template (policy, protection, records in the ledger) is done after it, and by each
run until it is done.
"""

import json
import uuid
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass

import cfn
from cfn import Unit
from platform_pipelines.aws import cloudformation
from platform_pipelines.aws.change_sets import ResourceChange
from platform_pipelines.aws.cloudformation import StackState
from platform_pipelines.aws.region import AwsError
from platform_pipelines.ledger_stacks import Applied
from platform_pipelines.provisioning import (
    approval,
    dangers,
    ensure,
    inputs,
    leftover,
    loss,
    members,
    protection,
    statuses,
    virgins,
)
from platform_pipelines.provisioning.dangers import Dangerous
from platform_pipelines.provisioning.ensure import Drafted, Site, StackFailed
from platform_pipelines.provisioning.outcome import Outcome
from platform_pipelines.provisioning.run import Footing, Run
from platform_pipelines.provisioning.standing import Permission
from platform_pipelines.provisioning.statuses import Next


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """A stack that is now as its template says."""

    state: StackState
    executed: bool
    changes: tuple[ResourceChange, ...] = ()


def carry_out(
    run: Run,
    footing: Footing,
    site: Site,
    before: StackState | None,
    parameters: Mapping[str, str],
) -> Changed:
    """Bring the stack to its template through a change set that is judged first.
    Raises: ApprovalNeeded, ChangeSetFailed, Dangerous, DataLoss, PlanOutdated, StackFailed,
    StatefulChange, Stopped, and what a guard does."""
    refuse_dangers(site)
    guard = footing.guard(run)
    with ExitStack() as cleanup:
        guard()
        before = leftover.cleared(site, before, guard)
        drafted = _drafted(footing, site, before, parameters, cleanup)
        changes = drafted.change_set.changes
        if drafted.change_set.empty and before is not None:
            return Changed(state=before, executed=False)
        _judge(run, footing, site, drafted)
        if virgins.may_be_virgin(site.unit, footing.active):
            virgins.expect(run.ledger(), virgins.births(drafted.draft.stack_id, changes))
        guard()
        _set_policy(site, before, loss.allowed_here(site.unit, run.allowed))
        cleanup.pop_all()  # from here on the change set is CloudFormation's
    try:
        state = ensure.carry_out(site, drafted)
    except StackFailed:  # what the run has named was for this operation only
        with suppress(*AwsError):  # the failure is what a person must see; drift shows the policy
            _set_policy(site, before, ())
        raise
    return Changed(state=state, executed=True, changes=changes)


def _drafted(
    footing: Footing,
    site: Site,
    before: StackState | None,
    parameters: Mapping[str, str],
    cleanup: ExitStack,
) -> Drafted:
    """The change set that a person approved, as long as it is there; else one of now."""
    seen = approval.entry(footing.plan, site.unit)
    if footing.plan and seen and seen.change_set:
        name = f"{ensure.PLAN}{footing.plan.id}"
        if found := ensure.planned(site, before, parameters, seen.change_set, name):
            return found
    name = f"{ensure.APPLY}{uuid.uuid4().hex}"
    return ensure.draft(site, before, parameters, name, cleanup, footing.waiting)


def _judge(run: Run, footing: Footing, site: Site, drafted: Drafted) -> None:
    """Raises: ApprovalNeeded, Dangerous, DataLoss, PlanOutdated, StatefulChange."""
    unit, changes = site.unit, drafted.change_set.changes
    if footing.standing.permission(unit) is Permission.NO_STATEFUL_CHANGE:
        names = tuple(change.logical_id for change in changes)
        raise loss.StatefulChange(site.where, names)
    refuse_dangers(site, drafted.draft.stack_id, changes)
    loss.judge(unit, changes, run.allowed)
    seen = approval.entry(footing.plan, unit)
    first = footing.standing.roles is None  # nothing can keep a plan before there is a ledger
    if not first and not (seen and seen.change_set == drafted.draft.id):
        here = loss.allowed_here(unit, run.allowed)
        approval.judge(site.platform, footing.plan, unit, changes, here)


def _set_policy(site: Site, before: StackState | None, named: Iterable[str]) -> None:
    """Let through, for one operation, what the run has named; and nothing that an earlier run, which
    was killed, had let through."""
    if site.unit.stack.stateful and before is not None:
        cloudformation.set_policy(site.region, site.stack_name, protection.policy(named))


def finish(run: Run, footing: Footing, site: Site, state: StackState, digest: str) -> None:
    """What belongs to a stack but is not in a template; repeated by each run until it is done.
    Last of all the digest is recorded, by which the next run knows that nothing is to be done."""
    if site.unit.stack.stateful:
        cloudformation.set_policy(site.region, site.stack_name, protection.policy())
        if not state.protected:
            cloudformation.protect(site.region, site.stack_name)
    if virgins.may_be_virgin(site.unit, footing.active):
        made = virgins.declared(site.platform, site.unit)
        virgins.record(run.ledger(), site.region, state.id, made)
    if footing.standing.roles is not None:
        members.record(run.ledger(), site.platform, footing.members, site.unit)
        run.ledger().stacks.record_applied(site.where, record(state, digest))


def remember(run: Run, units: Sequence[Unit], outcome: Outcome) -> None:
    """Record the ledger's own stack, which was applied before there was a ledger."""
    unit = next(one for one in units if one.key == outcome.key)
    site = run.site(unit)
    state = cloudformation.describe(site.region, site.stack_name)
    if state is not None:
        digest = inputs.digest(run.platform, unit, {})
        run.ledger().stacks.record_applied(site.where, record(state, digest))


def nothing_to_do(footing: Footing, site: Site, state: StackState, digest: str) -> bool:
    """Whether the stack is as an apply of the same inputs left it, and nobody has changed it since:
    known without asking CloudFormation for a change set."""
    quiet = statuses.next_step(state.status) is Next.UPDATE
    guarded = state.protected or not site.unit.stack.stateful
    return quiet and guarded and footing.applied.get(site.where) == record(state, digest)


def record(state: StackState, digest: str) -> Applied:
    """What to remember of a stack that is as its template says."""
    return Applied(digest=digest, stack_id=state.id, updated=state.updated)


def refuse_dangers(site: Site, stack_id: str = "", changes: Sequence[ResourceChange] = ()) -> None:
    """Refuse what would work against a failover: by the template alone before anything is asked,
    and by what it would change. Raises: Dangerous."""
    template = json.loads(cfn.render(site.platform, site.unit))
    reasons = dangers.find(site.platform, site.unit, template, changes)
    if changes and not reasons:
        reasons = dangers.drifted(site.region, stack_id, changes)
    if reasons:
        raise Dangerous(site.where, reasons)
