"""Makes one stack as its template says: observe, draft a change set, judge it, execute, await.

Everything is read from CloudFormation first, so a run that was killed anywhere is continued by the
next one: an operation that still runs is awaited, a shell is filled, a finished stack is left alone.
"""

import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial

from cfn import Unit
from platform_pipelines.aws import change_sets, cloudformation
from platform_pipelines.aws.change_sets import ChangeSet, Draft, Kind
from platform_pipelines.aws.cloudformation import StackEvent, StackState
from platform_pipelines.aws.region import AwsRegion
from platform_pipelines.clock import Clock
from platform_pipelines.errors import Failed
from platform_pipelines.model import Platform
from platform_pipelines.provisioning import inputs, statuses
from platform_pipelines.provisioning.statuses import Next, StackStuck

Tell = Callable[[str], None]
PLAN, APPLY = "plan-", "apply-"  # how our change sets are named
PURPOSES = (PLAN, APPLY)
ACCESS, SERVICE_ROLE = "access", "StacksRole"  # the stack that makes the role, and its output


@dataclass
class ChangeSetFailed(Failed):
    """CloudFormation did not accept a change set."""

    where: str
    reasons: tuple[str, ...]

    def __str__(self) -> str:
        return (
            f"CloudFormation refused the change set of {self.where}: {'; '.join(self.reasons)}. "
            f"Nothing of this stack was changed. Correct cfn/ or platform.yaml, then run again."
        )


@dataclass
class StackFailed(Failed):
    """An operation on a stack ended badly."""

    where: str
    status: str
    cause: str

    def __str__(self) -> str:
        then = "Correct the cause, then run again: what is applied already is not touched."
        if statuses.stuck(self.status):
            then = statuses.advice(self.status)
        return f"{self.cause}. {self.where} is now {self.status}. {then}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Where and how one unit is worked on."""

    platform: Platform
    unit: Unit
    region: AwsRegion
    clock: Clock
    stop: threading.Event
    tell: Tell

    @property
    def where(self) -> str:
        return "/".join(self.unit.key)

    @property
    def stack_name(self) -> str:
        return self.platform.stack_name(self.unit.stack.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Drafted:
    """A change set, and the stack as it was before."""

    draft: Draft
    change_set: ChangeSet
    before: StackState | None
    new: bool  # the stack is created, not updated


def quiet_state(site: Site) -> StackState | None:
    """The stack, when no operation runs on it. Raises: StackStuck, Stopped."""
    state = cloudformation.describe(site.region, site.stack_name)
    while state is not None and statuses.next_step(state.status) is Next.WAIT:
        site.tell(f"{site.where} is {state.status}: waiting for that operation")
        site.clock.sleep(cloudformation.POLL, site.stop)
        state = cloudformation.describe(site.region, site.stack_name)
    if state is not None and statuses.stuck(state.status):
        raise _stuck(site, state)
    return state


def _stuck(site: Site, state: StackState) -> StackStuck:
    return StackStuck(site.where, state.status, statuses.advice(state.status), state.reason)


def draft(
    site: Site,
    before: StackState | None,
    parameters: Mapping[str, str],
    name: str,
    cleanup: ExitStack,
    waiting: frozenset[str],
) -> Drafted:
    """A computed change set, discarded by `cleanup`. What killed runs left of theirs is removed,
    unless its name is `waiting` for a person's word.
    Raises: ChangeSetFailed, NoBucketForTemplate."""
    new = before is None or statuses.next_step(before.status) is Next.CREATE
    kind = Kind.CREATE if new else Kind.UPDATE
    request = inputs.request(site, kind, name, parameters, service_role(site))
    if before is not None and before.status != cloudformation.GONE:
        change_sets.discard_stale(
            site.region, before.id, partial(_stale, waiting), site.clock, site.stop
        )
    shell = before is None or before.status in (cloudformation.SHELL, cloudformation.GONE)
    made = change_sets.create(site.region, request, new_stack=shell)
    cleanup.callback(change_sets.discard, site.region, made)
    found = change_sets.computed(site.region, made, site.clock, site.stop)
    if found.failed and not found.empty:
        reasons = change_sets.failures(site.region, made.id)
        raise ChangeSetFailed(site.where, (*reasons, found.reason) if found.reason else reasons)
    return Drafted(draft=made, change_set=found, before=before, new=new)


def _stale(waiting: frozenset[str], name: str) -> bool:
    """Whether a change set is of a run of ours that is over, and waits for nobody."""
    return name.startswith(PURPOSES) and name not in waiting


def planned(
    site: Site, before: StackState | None, parameters: Mapping[str, str], arn: str, name: str
) -> Drafted | None:
    """The change set of a kept plan; None if it is gone, its stack has changed since, or other
    stacks have: it would give the values that they had then."""
    found = change_sets.kept(site.region, arn)
    if found is None or not found.waits:
        return None
    if any(found.parameters.get(key) != value for key, value in parameters.items()):
        return None
    new = before is None or statuses.next_step(before.status) is Next.CREATE
    stack_id = before.id if before else site.stack_name
    token = f"{name}-{site.stack_name}"
    made = Draft(id=arn, stack_id=stack_id, token=token, new_stack=False)
    return Drafted(draft=made, change_set=found, before=before, new=new)


def service_role(site: Site) -> str | None:
    """What CloudFormation works as in this Region; None until stack `access` has made the role."""
    name = site.platform.stack_name(ACCESS)
    state = cloudformation.describe(site.region, name)
    return state.outputs.get(SERVICE_ROLE) if state else None


def carry_out(site: Site, drafted: Drafted) -> StackState:
    """Execute exactly this change set and await its end. Raises: StackFailed, Stopped."""
    made = drafted.draft
    seen = cloudformation.last_event(site.region, made.stack_id)
    change_sets.execute(site.region, made)
    state, events = cloudformation.follow(
        site.region,
        made.stack_id,
        seen,
        partial(_show, site),
        site.clock,
        site.stop,
        partial(change_sets.executed, site.region, made),
    )
    return _succeeded(site, state, events)


def _succeeded(site: Site, state: StackState | None, events: tuple[StackEvent, ...]) -> StackState:
    if state is not None and state.status in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
        return state
    status = state.status if state is not None else cloudformation.GONE
    cause = cloudformation.root_cause(events)
    reason = state.reason if state is not None else ""
    raise StackFailed(site.where, status, str(cause) if cause else reason or "No event says why")


def _show(site: Site, event: StackEvent) -> None:
    site.tell(f"{site.where} {event}")
