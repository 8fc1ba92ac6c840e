"""The operations on change sets: make, show, list, execute.

ministack computes them and writes them down; what is in the way of a request is judged here, in
AWS's words. One that is executed makes the stack's others OBSOLETE, and they are gone when it ends.
https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ExecuteChangeSet.html
"""

from datetime import datetime
from typing import Any

from platform_pipelines.local import ministack
from platform_pipelines.local.aws import cloudformation_change_sets as change_sets
from platform_pipelines.local.aws import cloudformation_engine as engine
from platform_pipelines.local.aws import cloudformation_roles as roles
from platform_pipelines.local.aws import cloudformation_shells as shells
from platform_pipelines.local.aws import cloudformation_templates as templates
from platform_pipelines.local.aws import stores
from platform_pipelines.local.aws.cloudformation_base import VALIDATION, paged, refuse, stack_of
from platform_pipelines.local.aws.cloudformation_changes import ChangeSet
from platform_pipelines.local.aws.cloudformation_stacks import Stacks
from platform_pipelines.local.aws.service import Call, Fault, Result, operation

CHANGE_SET = "cloudformation.change_set"
_ROLE = "_role"  # where a change set keeps the role that it is executed with
_BUSY = "InvalidChangeSetStatus"
_SUMMARY = (
    *("StackId", "StackName", "ChangeSetId", "ChangeSetName", "ExecutionStatus", "Status"),
    *("StatusReason", "Description"),
)


class ChangeSets(Stacks):
    """Operations on change sets."""

    def start(self) -> None:
        super().start()
        self.world.timers.on(CHANGE_SET, self._computed)

    @operation(
        raises=(
            "AlreadyExistsException",
            "InsufficientCapabilitiesException",
            "InternalFailure",
            VALIDATION,
        ),
        states="CREATE_IN_PROGRESS → CREATE_COMPLETE | FAILED",
    )
    def CreateChangeSet(self, call: Call) -> Result:  # noqa: N802  # AWS's name
        """Work out what a template would change."""
        refuse(call, "RollbackConfiguration", "ResourceTypes", "NotificationARNs")
        refuse(call, "IncludeNestedStacks", "ImportExistingResources", "ResourcesToImport")
        again = change_sets.repeated(call.params)
        if again:
            return {"Id": again["ChangeSetId"], "StackId": again["StackId"]}
        change_sets.expect_possible(call.params)
        role = roles.expect(call, engine.stack(call.params["StackName"]))
        result = shells.filled(templates.located(call, self.world))
        engine.change_sets()[result["Id"]][_ROLE] = role
        self._compute(call, result["Id"])
        return result

    def _compute(self, call: Call, id_: str) -> None:
        made = change_sets.compute(id_, call.params, self._types, self._events.now())
        self.world.transition(
            "stack_change_set",
            CHANGE_SET,
            region=call.region,
            resource=f"{made['StackName']}/{made['ChangeSetName']}",
            account=call.account,
            place=call.region,
            id_=id_,
        )

    def _computed(self, account: str, place: str, id_: str, *, failed: bool = False) -> None:
        if stores.parked(self.world, place, CHANGE_SET, account=account, place=place, id_=id_):
            return
        with ministack.scope(account, place):
            change_sets.show(id_, failed=failed)

    @operation(raises=("ChangeSetNotFound",))
    def DescribeChangeSet(self, call: Call) -> Result:  # noqa: N802  # AWS's name
        """What a change set would do."""
        return change_sets.described(call)

    @operation(raises=(VALIDATION,))
    def ListChangeSets(self, call: Call) -> Result:  # noqa: N802  # AWS's name
        """The change sets that a stack has."""
        stack = stack_of(call)
        found = [one for one in engine.change_sets().values() if one["StackId"] == stack["StackId"]]
        return paged("Summaries", [_summary(one) for one in found], call.params.get("NextToken"))

    @operation(
        raises=("ChangeSetNotFound", _BUSY, VALIDATION),
        states="EXECUTE_IN_PROGRESS → EXECUTE_COMPLETE | EXECUTE_FAILED",
    )
    def ExecuteChangeSet(self, call: Call) -> Result:  # noqa: N802  # AWS's name
        """Carry a change set out; once for each token."""
        token = call.params.get("ClientRequestToken")
        known = engine.change_set(call.params["ChangeSetName"], call.params.get("StackName", ""))
        if known and token and known.get("_executed_by") == token:
            return {}
        if known:
            _expect_executable(known)
        result = stores.ask(call)
        if known:
            known["_executed_by"] = token
            roles.keep(engine.stack(known["StackId"]), known.get(_ROLE, ""))
        return result


def _expect_executable(found: ChangeSet) -> None:
    """Raises: Fault."""
    status, execution = found["Status"], found["ExecutionStatus"]
    id_ = found["ChangeSetId"]
    if status != "CREATE_COMPLETE":
        message = f"ChangeSet [{id_}] cannot be executed in its current status of [{status}]"
        raise Fault(_BUSY, message)
    if execution != "AVAILABLE":
        words = f"cannot be executed in its current execution status of [{execution}]"
        raise Fault(_BUSY, f"ChangeSet [{id_}] {words}")


def _summary(found: ChangeSet) -> dict[str, Any]:
    told = {key: found[key] for key in _SUMMARY if found.get(key)}
    return told | {"CreationTime": datetime.fromisoformat(found["CreationTime"])}
