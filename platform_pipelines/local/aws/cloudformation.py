"""CloudFormation of the local Regions: ministack's engine under stack operations that take time.

ministack parses, diffs and keeps the records; requests become operations that timers carry out
(`cloudformation_execution`), over resource types that ask the services themselves. Everything that a
stack is in the middle of is in its record in ministack's stores, so it is as durable as these.
"""

from datetime import datetime
from typing import Any

from platform_pipelines.local import ministack
from platform_pipelines.local.aws import cloudformation_change_sets as change_sets
from platform_pipelines.local.aws import cloudformation_drift as drift
from platform_pipelines.local.aws import cloudformation_engine as engine
from platform_pipelines.local.aws import stores
from platform_pipelines.local.aws.cloudformation_base import VALIDATION, paged, refuse, stack_of
from platform_pipelines.local.aws.cloudformation_events import operation_events, validation_events
from platform_pipelines.local.aws.cloudformation_stacks import Stacks
from platform_pipelines.local.aws.service import Call, Fault, Result, operation

CHANGE_SET = "cloudformation.change_set"
DRIFT = "cloudformation.drift"


class CloudFormation(Stacks):
    """Stacks, change sets, events, drift."""

    passes = frozenset(
        {
            *("DeleteChangeSet", "DescribeStackDriftDetectionStatus", "DescribeStackResource"),
            *("DescribeStackResourceDrifts", "DescribeStackResources"),
            *("DetectStackResourceDrift", "GetStackPolicy", "GetTemplate", "GetTemplateSummary"),
            *("ListChangeSets", "ListExports", "ListImports", "ListStackResources", "ListStacks"),
            *("UpdateTerminationProtection", "ValidateTemplate"),
        }
    )

    def start(self) -> None:
        super().start()
        self.world.timers.on(CHANGE_SET, self._computed)
        self.world.timers.on(DRIFT, self._detected)

    # Change sets

    @operation(
        raises=("AlreadyExistsException", "InsufficientCapabilitiesException", VALIDATION),
        states="CREATE_IN_PROGRESS → CREATE_COMPLETE | FAILED",
    )
    def CreateChangeSet(self, call: Call) -> Result:  # noqa: N802  # AWS's name
        """Work out what a template would change."""
        refuse(call, "RoleARN", "RollbackConfiguration", "ResourceTypes", "NotificationARNs")
        refuse(call, "IncludeNestedStacks", "ImportExistingResources", "ResourcesToImport")
        again = change_sets.repeated(call.params)
        if again:
            return {"Id": again["ChangeSetId"], "StackId": again["StackId"]}
        change_sets.expect_possible(call.params)
        result = stores.ask(call)
        made = change_sets.compute(result["Id"], call.params, self._types, self._events.now())
        self.world.transition(
            "stack_change_set",
            CHANGE_SET,
            region=call.region,
            resource=f"{made['StackName']}/{made['ChangeSetName']}",
            account=call.account,
            place=call.region,
            id_=result["Id"],
        )
        return result

    def _computed(self, account: str, place: str, id_: str, *, failed: bool = False) -> None:
        if self._parked(place, CHANGE_SET, account=account, place=place, id_=id_):
            return
        with ministack.scope(account, place):
            change_sets.show(id_, failed=failed)

    @operation(raises=("ChangeSetNotFound",))
    def DescribeChangeSet(self, call: Call) -> Result:  # noqa: N802  # AWS's name
        """What a change set would do."""
        return change_sets.described(call)

    @operation(
        raises=(
            "ChangeSetNotFound",
            "InvalidChangeSetStatus",
            VALIDATION,
        ),
        states="EXECUTE_IN_PROGRESS → EXECUTE_COMPLETE | EXECUTE_FAILED",
    )
    def ExecuteChangeSet(self, call: Call) -> Result:  # noqa: N802  # AWS's name
        """Carry a change set out; once for each token."""
        token = call.params.get("ClientRequestToken")
        known = engine.change_set(call.params["ChangeSetName"], call.params.get("StackName", ""))
        if known and token and known.get("_executed_by") == token:
            return {}
        result = stores.ask(call)
        if known:
            known["_executed_by"] = token
        return result

    # Events

    @operation(raises=(VALIDATION,))
    def DescribeStackEvents(self, call: Call) -> Result:  # noqa: N802  # AWS's name
        """What happened to a stack, newest first."""
        stack = stack_of(call)
        events = self._events.newest_first(stack["StackId"])
        return paged("StackEvents", events, call.params.get("NextToken"))

    @operation(raises=("ChangeSetNotFound", VALIDATION))
    def DescribeEvents(self, call: Call) -> Result:  # noqa: N802  # AWS's name
        """What happened in operations, and what validation found."""
        events = self._operation_events(call)
        wanted = call.params.get("OperationId")
        events = [one for one in events if wanted in (None, one.get("OperationId"))]
        if call.params.get("Filters", {}).get("FailedEvents"):
            events = [one for one in events if one["OperationStatus"] == "FAILED"]
        return paged("OperationEvents", events, call.params.get("NextToken"))

    def _operation_events(self, call: Call) -> list[dict[str, Any]]:
        change_set, stack_name = call.params.get("ChangeSetName"), call.params.get("StackName")
        if change_set and (stack_name or change_set.startswith("arn:")):
            found = engine.change_set(change_set, stack_name or "")
            if found is None:
                message = f"ChangeSet [{change_set}] does not exist"
                raise Fault("ChangeSetNotFound", message)
            at = found["_computed_at"]
            events = validation_events(found, found.get("_problems", []), at)
            return [one | {"Timestamp": datetime.fromisoformat(at)} for one in events]
        if stack_name:
            return operation_events(stack_of(call)["StackId"])
        if call.params.get("OperationId"):
            found_in = [one["StackId"] for one in engine.stacks().values()]
            return [event for id_ in found_in for event in operation_events(id_)]
        message = "One of ChangeSetName, OperationId or StackName must be specified"
        raise Fault(VALIDATION, message)

    # Drift

    @operation(
        raises=(VALIDATION,),
        states="DETECTION_IN_PROGRESS → DETECTION_COMPLETE | DETECTION_FAILED",
    )
    def DetectStackDrift(self, call: Call) -> Result:  # noqa: N802  # AWS's name
        """Compare resources with what their template says."""
        wanted = call.params.get("LogicalResourceIds", [])
        stack = drift.expect(call.params["StackName"], wanted)
        id_ = drift.begin(stack, self._events.now())
        self.world.transition(
            "stack_drift",
            DRIFT,
            region=call.region,
            resource=stack["StackName"],
            account=call.account,
            place=call.region,
            stack=stack["StackId"],
            id_=id_,
            wanted=wanted,
        )
        return {"StackDriftDetectionId": id_}

    def _detected(  # a timer's arguments
        self,
        account: str,
        place: str,
        stack: str,
        id_: str,
        wanted: list[str],
        *,
        failed: bool = False,
    ) -> None:
        args = {"account": account, "place": place, "stack": stack, "id_": id_, "wanted": wanted}
        if self._parked(place, DRIFT, **args):
            return
        with ministack.scope(account, place):
            found = engine.stack(stack)
            if found:
                drift.finish(found, id_, wanted, self._events.now(), failed=failed)
