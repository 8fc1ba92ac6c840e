"""CloudFormation of the local Regions: ministack's engine under stack operations that take time.

ministack parses, diffs and keeps the records; requests become operations that timers carry out
(`cloudformation_execution`), over resource types that ask the services themselves. Everything that a
stack is in the middle of is in its record in ministack's stores, so it is as durable as these.
"""

from datetime import datetime
from typing import Any

from platform_pipelines.local import ministack
from platform_pipelines.local.aws import cloudformation_drift as drift
from platform_pipelines.local.aws import cloudformation_engine as engine
from platform_pipelines.local.aws import stores
from platform_pipelines.local.aws.cloudformation_base import VALIDATION, paged, stack_of
from platform_pipelines.local.aws.cloudformation_change_set_operations import ChangeSets
from platform_pipelines.local.aws.cloudformation_events import operation_events, validation_events
from platform_pipelines.local.aws.service import Call, Fault, Result, operation

DRIFT = "cloudformation.drift"


class CloudFormation(ChangeSets):
    """Stacks, change sets, events, drift."""

    passes = frozenset(
        {
            *("DeleteChangeSet", "DescribeStackDriftDetectionStatus", "DescribeStackResource"),
            *("DescribeStackResourceDrifts", "DescribeStackResources"),
            *("GetStackPolicy", "GetTemplate"),
            *("ListExports", "ListImports", "ListStackResources"),
            "UpdateTerminationProtection",
        }
    )

    def start(self) -> None:
        super().start()
        self.world.timers.on(DRIFT, self._detected)

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

    @operation(raises=(VALIDATION,))
    def DetectStackResourceDrift(self, call: Call) -> Result:  # noqa: N802  # AWS's name
        """Compare one resource with what its template says, at once."""
        name = call.params["LogicalResourceId"]
        stack = drift.expect(call.params["StackName"], [name])
        return {"StackResourceDrift": drift.of_resource(stack, name, self._events.now())}

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
        if stores.parked(self.world, place, DRIFT, **args):
            return
        with ministack.scope(account, place):
            found = engine.stack(stack)
            if found:
                drift.finish(found, id_, wanted, self._events.now(), failed=failed)
