"""What follows in a stack operation when all resources of a phase have ended.

The phase is the stack's status: forward, its cleanup, a rollback and the cleanup of that, or the
deletion. https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html
"""

from platform_pipelines.local.aws import cloudformation_engine as engine
from platform_pipelines.local.aws.cloudformation_engine import RETAINING, Design, Stack
from platform_pipelines.local.aws.cloudformation_events import Events
from platform_pipelines.local.aws.cloudformation_exports import in_the_way, publish, withdraw
from platform_pipelines.local.aws.cloudformation_records import (
    DELETE,
    FAILED,
    KEY,
    REPLACE,
    REVERT,
    UPDATE,
    Tasks,
    design,
    design_before,
    named,
    of,
)
from platform_pipelines.local.aws.cloudformation_removal import (
    after_dependents,
    drop_change_sets,
    newly_made,
    removal,
)
from platform_pipelines.local.aws.cloudformation_resources import Resources

FORWARD = ("CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS")
SKIPPED = "Resource rollback skipped by user"
RESTORED = ("_template", "_template_body", "_resolved_params", "_conditions", "Parameters", "Tags")


class Phases:
    """The phases of all stacks of one world."""

    def __init__(self, events: Events, resources: Resources) -> None:
        self._events = events
        self._resources = resources
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

    def roll_back(self, stack: Stack, reason: str) -> None:
        """Begin to undo what an operation did."""
        if of(stack)["previous"] is not None:
            self._events.of_stack(stack, "UPDATE_ROLLBACK_IN_PROGRESS", reason)
            of(stack)["tasks"] = self._reverts(stack)
            return
        self._events.of_stack(stack, "ROLLBACK_IN_PROGRESS", reason)
        self.remove(stack, design(stack), list(stack["_resources"]), undoing=True)

    def skip(self, stack: Stack, name: str) -> None:
        """Leave a resource as it is, and go on with the rollback."""
        one = of(stack)["tasks"][name]
        stack["_resources"][name] = (of(stack)["previous"] or {})["_resources"][name]
        self._resources.skip(stack, one, "UPDATE_COMPLETE", SKIPPED)

    def remove(
        self,
        stack: Stack,
        plan: Design,
        names: list[str],
        *,
        undoing: bool = False,
        retained: frozenset[str] = frozenset(),
    ) -> None:
        """Make tasks that delete these resources, dependents first; what is to be kept leaves the
        stack at once. `undoing`: of the operation that made them."""
        of(stack)["tasks"] = tasks = {}
        for name in reversed(names):
            policy = plan.policy(name, "DeletionPolicy", stack["_resources"])
            one = removal(stack["_resources"][name], name, "" if undoing else policy)
            if name in retained or self._keeps(stack, policy, undoing=undoing):
                self._resources.skip(stack, one, "DELETE_SKIPPED")
                del stack["_resources"][name]
            elif one["id"]:
                tasks[name] = one
            else:
                del stack["_resources"][name]  # it was never made
        after_dependents(tasks, plan)

    @staticmethod
    def _keeps(stack: Stack, policy: str, *, undoing: bool) -> bool:
        if not undoing:
            return policy in RETAINING
        return policy == "Retain" and not of(stack)["retain_except_on_create"]

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

    def _unfinished(self, stack: Stack, verb: str) -> str:
        failed = named(of(stack)["tasks"], FAILED)
        if not failed:
            return ""
        return f"The following resource(s) failed to {verb}: [{', '.join(failed)}]."

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

    # Back

    def _reverts(self, stack: Stack) -> Tasks:
        """Send back what was updated in place."""
        previous = (of(stack)["previous"] or {})["_resources"]
        tasks: Tasks = {}
        for name, one in of(stack)["tasks"].items():
            if one["does"] != UPDATE or not one["announced"]:
                continue
            back = one | {"does": REVERT, "state": "waiting", "announced": False, "since": 0.0}
            if one["accepted"]:
                tasks[name] = back | {"accepted": False, "needs": []}
            else:
                stack["_resources"][name] = previous[name]
                self._resources.skip(stack, back, "UPDATE_COMPLETE")
        of(stack)["made"] = newly_made(of(stack)["tasks"])
        return tasks

    def _reverted(self, stack: Stack) -> None:
        failed = {n: one for n, one in of(stack)["tasks"].items() if one["state"] == FAILED}
        if failed:
            reason = f"The following resource(s) failed to update: [{', '.join(sorted(failed))}]."
            stack["_rollback_failed"] = {name: one["reason"] for name, one in failed.items()}
            self._fail(stack, "UPDATE_ROLLBACK_FAILED", reason)
            return
        stack.pop("_rollback_failed", None)
        self._events.of_stack(stack, "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS")
        self._remove_new(stack)
        previous = of(stack)["previous"] or {}
        stack.update({key: previous[key] for key in RESTORED if key in previous})

    def _remove_new(self, stack: Stack) -> None:
        """Delete what the update had made; replaced resources are themselves again."""
        previous, plan = (of(stack)["previous"] or {})["_resources"], design(stack)
        of(stack)["tasks"] = tasks = {}
        for name, one in of(stack)["made"].items():
            undone = one | {"does": DELETE, "state": "waiting", "announced": False, "needs": []}
            policy = plan.policy(name, "DeletionPolicy", stack["_resources"])
            if name not in previous and self._keeps(stack, policy, undoing=True):
                self._resources.skip(stack, undone, "DELETE_SKIPPED")
            else:
                tasks[name] = undone | {"accepted": False, "since": 0.0}
        for name in list(stack["_resources"]):
            if name in previous and of(stack)["made"].get(name):
                stack["_resources"][name] = previous[name]
            elif name not in previous and name not in tasks:
                del stack["_resources"][name]
        after_dependents(tasks, plan)

    def _cleaned_up_after_rollback(self, stack: Stack) -> None:
        previous = (of(stack)["previous"] or {})["_resources"]
        for name in [one for one in stack["_resources"] if one not in previous]:
            del stack["_resources"][name]  # it could not be deleted, and is nobody's now
        self._executed(stack, "EXECUTE_FAILED")
        self._end(stack, "UPDATE_ROLLBACK_COMPLETE")

    def _rolled_back(self, stack: Stack) -> None:
        self._executed(stack, "EXECUTE_FAILED")
        if reason := self._unfinished(stack, "delete"):
            self._events.of_stack(stack, "ROLLBACK_FAILED", reason)
        else:
            self._end(stack, "ROLLBACK_COMPLETE")

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

    def _fail(self, stack: Stack, status: str, reason: str) -> None:
        """End without going on; the operation stays, for a person to roll back or continue."""
        self._executed(stack, "EXECUTE_FAILED")
        self._events.of_stack(stack, status, reason)

    def _succeed(self, stack: Stack, status: str) -> None:
        self._executed(stack, "EXECUTE_COMPLETE")
        self._end(stack, status)

    def _end(self, stack: Stack, status: str) -> None:
        self._events.of_stack(stack, status)
        del stack[KEY]

    @staticmethod
    def _executed(stack: Stack, status: str) -> None:
        change_set = engine.change_sets().get(of(stack)["change_set"])
        if change_set:
            change_set["ExecutionStatus"] = status
