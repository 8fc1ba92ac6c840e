"""The operations on stacks: make, change, delete, roll back, protect.

ministack checks a request and writes the stack's record; the operation begins in
`cloudformation_requests`.
"""

from platform_pipelines.local.aws import cloudformation_change_sets as change_sets
from platform_pipelines.local.aws import cloudformation_engine as engine
from platform_pipelines.local.aws import stores
from platform_pipelines.local.aws.cloudformation_base import (
    VALIDATION,
    Base,
    check_policy,
    once,
    refuse,
    stack_of,
)
from platform_pipelines.local.aws.cloudformation_events import USER_INITIATED
from platform_pipelines.local.aws.service import Call, Fault, Result, operation

# A stack that is updated, or rolls an update back, is not deleted.
UNDELETABLE = (
    "UPDATE_IN_PROGRESS",
    "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
    "UPDATE_ROLLBACK_IN_PROGRESS",
    "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
)


class Stacks(Base):
    """Operations on stacks."""

    @operation(
        raises=(
            "AlreadyExistsException",
            "InsufficientCapabilitiesException",
            "TokenAlreadyExistsException",
            VALIDATION,
        ),
        states="CREATE_IN_PROGRESS → CREATE_COMPLETE | CREATE_FAILED | "
        "ROLLBACK_IN_PROGRESS → ROLLBACK_COMPLETE | ROLLBACK_FAILED; OnFailure=DELETE: "
        "DELETE_IN_PROGRESS → DELETE_COMPLETE | DELETE_FAILED",
    )
    def CreateStack(self, call: Call) -> Result:  # noqa: N802  # AWS's name
        """Make a stack."""
        refuse(call, "RoleARN", "RollbackConfiguration", "TimeoutInMinutes", "NotificationARNs")
        check_policy(call.params.get("StackPolicyBody"))
        return once(call)

    @operation(
        raises=("InsufficientCapabilitiesException", "TokenAlreadyExistsException", VALIDATION),
        states="UPDATE_IN_PROGRESS → UPDATE_COMPLETE_CLEANUP_IN_PROGRESS → UPDATE_COMPLETE | "
        "UPDATE_FAILED | UPDATE_ROLLBACK_IN_PROGRESS → "
        "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS → UPDATE_ROLLBACK_COMPLETE | "
        "UPDATE_ROLLBACK_FAILED",
    )
    def UpdateStack(self, call: Call) -> Result:  # noqa: N802  # AWS's name
        """Change a stack to another template, or other values."""
        refuse(call, "RoleARN", "RollbackConfiguration", "NotificationARNs")
        refuse(call, "StackPolicyDuringUpdateURL", "StackPolicyURL")
        during = call.params.get("StackPolicyDuringUpdateBody", "")
        for policy in (during, call.params.get("StackPolicyBody")):
            check_policy(policy)
        self._requests.policy_during_update = during
        try:
            return once(call, change_sets.expect_updatable)
        finally:
            self._requests.policy_during_update = ""

    @operation(
        raises=("TokenAlreadyExistsException", VALIDATION),
        states="DELETE_IN_PROGRESS → DELETE_COMPLETE | DELETE_FAILED",
    )
    def DeleteStack(self, call: Call) -> Result:  # noqa: N802  # AWS's name
        """Delete a stack; one that is gone is no error."""
        refuse(call, "RoleARN")
        stack = engine.stack(call.params["StackName"])
        status = stack["StackStatus"] if stack else "DELETE_COMPLETE"
        if stack and status in UNDELETABLE:
            message = f"Stack [{stack['StackName']}] cannot be deleted while in status {status}"
            raise Fault(VALIDATION, message)
        if status in ("DELETE_IN_PROGRESS", "DELETE_COMPLETE"):
            return {}
        return once(call)

    @operation(
        raises=("TokenAlreadyExistsException", VALIDATION),
        states="UPDATE_IN_PROGRESS → UPDATE_ROLLBACK_IN_PROGRESS",
    )
    def CancelUpdateStack(self, call: Call) -> Result:  # noqa: N802  # AWS's name
        """End an update by going back."""
        result = once(call)
        stack = stack_of(call)
        if stack.pop("_cancel_requested", False):
            token = call.params.get("ClientRequestToken", "")
            self._execution.cancel(stack, token, USER_INITIATED)
        return result

    @operation(
        raises=("TokenAlreadyExistsException", VALIDATION),
        states="UPDATE_ROLLBACK_IN_PROGRESS → UPDATE_ROLLBACK_COMPLETE | UPDATE_ROLLBACK_FAILED",
    )
    def ContinueUpdateRollback(self, call: Call) -> Result:  # noqa: N802  # AWS's name
        """Try again to undo an update, without some resources."""
        refuse(call, "RoleARN")
        return once(call)

    @operation(
        raises=("TokenAlreadyExistsException", VALIDATION),
        states="ROLLBACK_IN_PROGRESS → ROLLBACK_COMPLETE | ROLLBACK_FAILED, or as an update's",
    )
    def RollbackStack(self, call: Call) -> Result:  # noqa: N802  # AWS's name
        """Undo what failed without a rollback."""
        refuse(call, "RoleARN")
        return once(call)

    @operation(raises=(VALIDATION,))
    def SetStackPolicy(self, call: Call) -> Result:  # noqa: N802  # AWS's name
        """Say which updates a stack allows."""
        refuse(call, "StackPolicyURL")
        check_policy(call.params.get("StackPolicyBody"))
        return stores.ask(call)
