"""Clears away what a failed first creation left, if that is nothing: an empty, unusable stack.

Such a stack can only be deleted, and holds nothing that could be lost. Anything that is left in one
is a person's. Called by `one`, before a stack is created.
"""

from platform_pipelines.aws import cloudformation, recovery
from platform_pipelines.aws.cloudformation import StackState
from platform_pipelines.provisioning import statuses
from platform_pipelines.provisioning.ensure import Site
from platform_pipelines.provisioning.standing import Guard
from platform_pipelines.provisioning.statuses import Next, StackStuck


def cleared(site: Site, state: StackState | None, guard: Guard) -> StackState | None:
    """The stack as it is; None once an empty leftover of it is gone. Raises: StackStuck, Stopped,
    and what the guard does."""
    if state is None or statuses.next_step(state.status) is not Next.RECREATE:
        return state
    resources = recovery.resources(site.region, state.id)
    events = recovery.last_operation(site.region, state.id)
    owned = (one for one in resources if one.owned)
    left = [str(one) for one in (*owned, *recovery.outside(resources, events))]
    if left:
        advice = statuses.advice(state.status)
        raise StackStuck(site.where, state.status, advice, f"left: {', '.join(left)}")
    guard()
    site.tell(f"{site.where} is {state.status} and empty: deleting it, to create it anew")
    recovery.delete(site.region, state.id)
    _await_end(site, state)
    return None


def _await_end(site: Site, state: StackState) -> None:
    """The deletion may not show in the first looks."""
    while (now := cloudformation.describe(site.region, state.id)) is not None:
        if now.status == cloudformation.GONE:
            return
        if statuses.stuck(now.status):
            raise StackStuck(site.where, now.status, statuses.advice(now.status), now.reason)
        site.clock.sleep(cloudformation.POLL, site.stop)
