"""The way back: what a stack operation has done is undone.

An update's changes are sent back first; then what it had made is deleted, and a resource that it had
replaced is itself again.
"""

from platform_pipelines.local.aws.cloudformation_endings import Endings
from platform_pipelines.local.aws.cloudformation_engine import Stack
from platform_pipelines.local.aws.cloudformation_records import (
    DELETE,
    FAILED,
    REVERT,
    UPDATE,
    Tasks,
    design,
    of,
)
from platform_pipelines.local.aws.cloudformation_removal import after_dependents, newly_made

SKIPPED = "Resource rollback skipped by user"
RESTORED = ("_template", "_template_body", "_resolved_params", "_conditions", "Parameters", "Tags")


class Rollback(Endings):
    """The phases of a rollback."""

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
