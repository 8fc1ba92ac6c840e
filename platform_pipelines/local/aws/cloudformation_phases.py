"""What follows in a stack operation when all resources of a phase have ended.

The phase is the stack's status: forward, its cleanup, a rollback and the cleanup of that, or the
deletion. https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html
"""

from platform_pipelines.local.aws.cloudformation_engine import RETAINING, Stack
from platform_pipelines.local.aws.cloudformation_events import Events
from platform_pipelines.local.aws.cloudformation_exports import in_the_way, publish, withdraw
from platform_pipelines.local.aws.cloudformation_records import (
    REPLACE,
    Tasks,
    design,
    design_before,
    of,
)
from platform_pipelines.local.aws.cloudformation_removal import (
    after_dependents,
    drop_change_sets,
    removal,
)
from platform_pipelines.local.aws.cloudformation_resources import Resources
from platform_pipelines.local.aws.cloudformation_rollback import Rollback

FORWARD = ("CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS")


class Phases(Rollback):
    """The phases of all stacks of one world."""

    def __init__(self, events: Events, resources: Resources) -> None:
        super().__init__(events, resources)
        self._follow = {
            "CREATE_IN_PROGRESS": self._created,
            "UPDATE_IN_PROGRESS": self._updated,
            "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS": self._cleaned_up,
            "ROLLBACK_IN_PROGRESS": self._rolled_back,
            "UPDATE_ROLLBACK_IN_PROGRESS": self._reverted,
            "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS": self._cleaned_up_after_rollback,
            "DELETE_IN_PROGRESS": self._deleted,
        }

    def follow(self, stack: Stack) -> None:
        """Go on to the next phase, or end the operation."""
        self._follow[stack["StackStatus"]](stack)

    # Forward

    def _created(self, stack: Stack) -> None:
        operation = of(stack)
        reason, operation["reason"] = operation["reason"], ""
        reason = reason or self._unfinished(stack, "create") or self._publish(stack)
        if not reason:
            self._succeed(stack, "CREATE_COMPLETE")
        elif operation["on_failure"] == "DO_NOTHING":
            self._fail(stack, "CREATE_FAILED", reason)
        elif operation["on_failure"] == "DELETE":
            reason = f"{reason} Delete requested by user."
            self._events.of_stack(stack, "DELETE_IN_PROGRESS", reason)
            self.remove(stack, design(stack), list(stack["_resources"]), undoing=True)
        else:
            self.roll_back(stack, f"{reason} Rollback requested by user.")

    def _updated(self, stack: Stack) -> None:
        operation = of(stack)
        reason, operation["reason"] = operation["reason"], ""
        reason = reason or self._unfinished(stack, "update") or self._publish(stack)
        if not reason:
            self._events.of_stack(stack, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
            operation["tasks"] = self._leftovers(stack, operation["tasks"])
        elif operation["on_failure"] == "DO_NOTHING":
            self._fail(stack, "UPDATE_FAILED", reason)
        else:
            self.roll_back(stack, reason)

    def _publish(self, stack: Stack) -> str:
        """Set outputs and exports; why that cannot be, if so."""
        plan = design(stack)
        known = {n: one for n, one in stack["_resources"].items() if n in plan.resources}
        try:
            outputs, exports = plan.outputs(known)
        except ValueError as error:
            return str(error)
        reason = in_the_way(stack, exports)
        if not reason:
            publish(stack, outputs, exports)
        return reason

    def _leftovers(self, stack: Stack, done: Tasks) -> Tasks:
        """What an update has replaced or dropped."""
        before, previous = design_before(stack), (of(stack)["previous"] or {})["_resources"]
        tasks: Tasks = {}
        for name, record in previous.items():
            replaced = name in done and done[name]["does"] == REPLACE
            if name in done and not replaced:
                continue
            plan = design(stack) if replaced else before
            attribute = "UpdateReplacePolicy" if replaced else "DeletionPolicy"
            policy = plan.policy(name, attribute, stack["_resources"])
            one = removal(record, name, policy)
            if policy in RETAINING:
                self._resources.skip(stack, one, "DELETE_SKIPPED")
                if not replaced:
                    stack["_resources"].pop(name, None)
            else:
                tasks[name] = one
        after_dependents(tasks, before)
        return tasks

    def _cleaned_up(self, stack: Stack) -> None:
        """A cleanup that fails does not fail the update; the resource stays, as DELETE_FAILED."""
        self._succeed(stack, "UPDATE_COMPLETE")

    # The end

    def _deleted(self, stack: Stack) -> None:
        self._executed(stack, "EXECUTE_FAILED")
        if reason := of(stack)["reason"] or self._unfinished(stack, "delete"):
            self._events.of_stack(stack, "DELETE_FAILED", reason)
            return
        withdraw(stack)
        stack["DeletionTime"] = self._events.now()
        drop_change_sets(stack)
        self._end(stack, "DELETE_COMPLETE")
