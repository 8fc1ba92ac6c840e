"""The operations on stacks: make, change, delete, roll back, protect.

ministack checks a request and writes the stack's record; the operation begins in
`cloudformation_requests`.
"""

from typing import Any

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
# Lists that AWS leaves out when they are empty; it writes Tags and NotificationARNs all the same.
_LEFT_OUT = ("Capabilities", "Outputs", "Parameters")
_MAY_BE_EMPTY = ("OutputValue",)


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

    @operation(raises=(VALIDATION,))
    def DescribeStacks(self, call: Call) -> Result:  # noqa: N802  # AWS's name
        """How stacks are; what one does not have is left out."""
        result = stores.ask(call)
        return result | {"Stacks": [_as_told(stack) for stack in result["Stacks"]]}

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
        if stack and stack.get("EnableTerminationProtection"):
            given = call.params["StackName"]
            message = f"Stack [{given}] cannot be deleted while TerminationProtection is enabled"
            raise Fault(VALIDATION, message)
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


def _as_told(stack: dict[str, Any]) -> dict[str, Any]:
    """A stack without what ministack tells of things that there are not."""
    outputs = [_given(one) for one in stack.get("Outputs", [])]
    told = _given(stack | {"Outputs": outputs})
    return {key: value for key, value in told.items() if value != [] or key not in _LEFT_OUT}


def _given(record: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in record.items() if value != "" or key in _MAY_BE_EMPTY}
