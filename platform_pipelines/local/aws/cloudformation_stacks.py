"""The operations on stacks: make, change, delete, roll back, protect.

ministack checks a request and writes the stack's record; the operation begins in
`cloudformation_requests`.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from platform_pipelines.local.aws import cloudformation_change_sets as change_sets
from platform_pipelines.local.aws import cloudformation_engine as engine
from platform_pipelines.local.aws import cloudformation_roles as roles
from platform_pipelines.local.aws import cloudformation_shells as shells
from platform_pipelines.local.aws import cloudformation_templates as templates
from platform_pipelines.local.aws import stores
from platform_pipelines.local.aws.cloudformation_base import (
    VALIDATION,
    Base,
    check_policy,
    once,
    refuse,
    stack_of,
)
from platform_pipelines.local.aws.cloudformation_engine import Stack
from platform_pipelines.local.aws.cloudformation_events import USER_INITIATED
from platform_pipelines.local.aws.cloudformation_records import UPDATED
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
        refuse(call, "RollbackConfiguration", "TimeoutInMinutes", "NotificationARNs")
        check_policy(call.params.get("StackPolicyBody"))
        return self._with_role(templates.located(call, self.world), shells.expect_none)

    @operation(raises=(VALIDATION,))
    def ListStacks(self, call: Call) -> Result:  # noqa: N802  # AWS's name
        """All stacks in short, those that were deleted too."""
        result = stores.ask(call)
        return result | {
            "StackSummaries": [_dated(_given(one)) for one in result["StackSummaries"]]
        }

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
        refuse(call, "RollbackConfiguration", "NotificationARNs")
        refuse(call, "StackPolicyDuringUpdateURL", "StackPolicyURL")
        during = call.params.get("StackPolicyDuringUpdateBody", "")
        for policy in (during, call.params.get("StackPolicyBody")):
            check_policy(policy)
        self._requests.policy_during_update = during
        try:
            located = templates.located(call, self.world)
            return self._with_role(located, change_sets.expect_updatable)
        finally:
            self._requests.policy_during_update = ""

    @operation(
        raises=("TokenAlreadyExistsException", VALIDATION),
        states="DELETE_IN_PROGRESS → DELETE_COMPLETE | DELETE_FAILED",
    )
    def DeleteStack(self, call: Call) -> Result:  # noqa: N802  # AWS's name
        """Delete a stack; one that is gone is no error."""
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
        return self._with_role(call)

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
        return self._with_role(call)

    @operation(
        raises=("TokenAlreadyExistsException", VALIDATION),
        states="ROLLBACK_IN_PROGRESS → ROLLBACK_COMPLETE | ROLLBACK_FAILED, or as an update's",
    )
    def RollbackStack(self, call: Call) -> Result:  # noqa: N802  # AWS's name
        """Undo what failed without a rollback."""
        return self._with_role(call)

    @operation(raises=(VALIDATION,))
    def SetStackPolicy(self, call: Call) -> Result:  # noqa: N802  # AWS's name
        """Say which updates a stack allows."""
        refuse(call, "StackPolicyURL")
        check_policy(call.params.get("StackPolicyBody"))
        return stores.ask(call)

    @operation(raises=(VALIDATION, "InternalFailure"))
    def ValidateTemplate(self, call: Call) -> Result:  # noqa: N802  # AWS's name
        """Whether a template can be read."""
        return stores.ask(templates.located(call, self.world))

    @operation(raises=(VALIDATION, "InternalFailure"))
    def GetTemplateSummary(self, call: Call) -> Result:  # noqa: N802  # AWS's name
        """What a template has."""
        return stores.ask(templates.located(call, self.world))

    @staticmethod
    def _with_role(call: Call, expect: Callable[[Stack | None], None] = lambda _: None) -> Result:
        """Carry a request out with the role that it, or its stack, names. Raises: Fault."""
        name = call.params["StackName"]
        role = roles.expect(call, engine.stack(name))
        result = once(call, expect)
        roles.keep(engine.stack(name), role)
        return result


def _as_told(stack: dict[str, Any]) -> dict[str, Any]:
    """A stack without what ministack tells of things that there are not, and with what it keeps to
    itself."""
    outputs = [_given(one) for one in stack.get("Outputs", [])]
    told = _dated(_given(stack | {"Outputs": outputs}))
    record = engine.stack(stack["StackId"]) or {}
    told |= {key: record[key] for key in (roles.KEY,) if record.get(key)}
    return {key: value for key, value in told.items() if value != [] or key not in _LEFT_OUT}


def _dated(stack: dict[str, Any]) -> dict[str, Any]:
    """A stack with the time of its last update only if it ever was updated: a change set that
    creates one counts, CreateStack does not; and with the time of its deletion."""
    record = engine.stack(stack["StackId"]) or {}
    shell = stack["StackStatus"] == shells.SHELL
    told = dict(stack)
    if shell or not record.get(UPDATED, True):
        told.pop("LastUpdatedTime", None)
    if record.get("DeletionTime"):
        told["DeletionTime"] = datetime.fromisoformat(record["DeletionTime"])
    return told


def _given(record: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in record.items() if value != "" or key in _MAY_BE_EMPTY}
