"""What is wrong with a stack that apply cannot go on with, and what going on would do to it.

Read from CloudFormation alone: the status says which way leads back, the events of the last
operation say why, and the resources say what would be skipped, deleted and kept. Called by
`recover`, which shows it, and goes on only when a person has confirmed it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from platform_pipelines.aws import cloudformation, recovery
from platform_pipelines.aws.cloudformation import StackEvent, StackState
from platform_pipelines.aws.recovery import StackResource
from platform_pipelines.provisioning import statuses
from platform_pipelines.provisioning.ensure import Site
from platform_pipelines.provisioning.stateful import STATEFUL
from platform_pipelines.provisioning.statuses import Next, StackStuck, Way


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """What is wrong with a stack, and what confirming would do."""

    where: str
    stack_id: str
    status: str
    way: Way | None  # None: there is nothing to recover
    causes: tuple[str, ...] = ()  # what failed by itself, in order
    stuck: tuple[StackResource, ...] = ()  # what may be skipped, or kept
    deleted: tuple[StackResource, ...] = ()  # if nothing is skipped
    kept: tuple[StackResource, ...] = ()  # outside of the stack, by its policies

    @property
    def skip(self) -> tuple[str, ...]:
        """The exact list of what is stuck, as a run names it."""
        return tuple(sorted(one.logical_id for one in self.stuck))

    @property
    def losing(self) -> tuple[StackResource, ...]:
        """What holds data and would be deleted: it has to be skipped, or named."""
        return tuple(one for one in self.deleted if one.type in STATEFUL)


def look(site: Site) -> Recovery:
    """A stack that may be stuck. Raises: StackStuck, if only a person can help; Stopped."""
    state = _quiet(site)
    way = statuses.way(state.status) if state else None
    if state is None or way is None:
        status = state.status if state else "not there"
        return Recovery(
            where=site.where, stack_id=state.id if state else "", status=status, way=None
        )
    resources = recovery.resources(site.region, state.id)
    events = recovery.last_operation(site.region, state.id)
    deleted, kept = _going(site, state, way, resources, events)
    return Recovery(
        where=site.where,
        stack_id=state.id,
        status=state.status,
        way=way,
        causes=tuple(str(one) for one in events if one.root_cause) or (state.reason,),
        stuck=_stuck(state, way, resources, events),
        deleted=deleted,
        kept=kept,
    )


def _quiet(site: Site) -> StackState | None:
    """The stack, when no operation runs on it. Raises: StackStuck, if only a person can help."""
    state = cloudformation.describe(site.region, site.stack_name)
    while state is not None and statuses.next_step(state.status) is Next.WAIT:
        site.tell(f"{site.where} is {state.status}: waiting for that operation")
        site.clock.sleep(cloudformation.POLL, site.stop)
        state = cloudformation.describe(site.region, site.stack_name)
    if state is not None and statuses.next_step(state.status) is Next.PERSON:
        raise StackStuck(site.where, state.status, statuses.advice(state.status), state.reason)
    return state


def _stuck(
    state: StackState, way: Way, resources: Sequence[StackResource], events: Sequence[StackEvent]
) -> tuple[StackResource, ...]:
    """What CloudFormation lets us skip: where a rollback failed, or keep: where a deletion did."""
    if way is Way.CONTINUE:
        failed = recovery.failed_going_back(events)
        return tuple(
            one
            for one in resources
            if one.status == "UPDATE_FAILED" and (one.logical_id in failed or not events)
        )
    if state.status == "DELETE_FAILED":
        return tuple(one for one in resources if one.status == "DELETE_FAILED")
    return ()


def _going(
    site: Site,
    state: StackState,
    way: Way,
    resources: Sequence[StackResource],
    events: Sequence[StackEvent],
) -> tuple[tuple[StackResource, ...], tuple[StackResource, ...]]:
    """What goes with a deletion, or with a rollback that undoes a creation; and what stays."""
    owned = [one for one in resources if one.owned]
    if way is Way.CONTINUE:
        return (), ()
    if way is Way.ROLL_BACK:
        made = recovery.made(events)
        return tuple(one for one in owned if one.logical_id in made or not events), ()
    policies = recovery.deletion_policies(site.region, state.id)
    keeps = [one for one in owned if policies.get(one.logical_id, "").startswith("Retain")]
    outside = recovery.outside(resources, events)
    return tuple(one for one in owned if one not in keeps), (*keeps, *outside)
