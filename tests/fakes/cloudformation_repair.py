# ruff: noqa: N803  # arguments are AWS's, and so are their names
"""The fake CloudFormation beside change sets: drift, stack policies, rollbacks that are continued."""

import json
from typing import Any

from tests.fakes.calls import Wire, client_error
from tests.fakes.clock import FakeClock
from tests.fakes.cloudformation_changes import filled
from tests.fakes.cloudformation_records import Json, Stack

DETECTABLE = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE")
DETECTION = 20.0
REPAIR = 30.0


class Repair:
    """What `FakeCloudFormation` answers about stacks that exist."""

    wire: Wire
    clock: FakeClock
    stacks: dict[str, Stack]

    def __init__(self) -> None:
        self.incomparable: set[str] = set()  # types without drift detection
        self.detections: dict[str, tuple[float, Stack]] = {}

    # Drift

    def detect_stack_resource_drift(self, *, StackName: str, LogicalResourceId: str) -> Json:
        self._arrive("DetectStackResourceDrift")
        name = "DetectStackResourceDrift"
        stack = self._detectable(StackName, name)
        resource = stack.template["Resources"].get(LogicalResourceId)
        if resource is None or LogicalResourceId not in stack.resources:
            raise client_error("ValidationError", f"{LogicalResourceId} does not exist", name)
        if resource["Type"] in self.incomparable:
            what = f"Drift detection is not supported for resource type [{resource['Type']}]"
            raise client_error("ValidationError", what, name)
        return {"StackResourceDrift": self._drift(stack, LogicalResourceId)}

    def detect_stack_drift(self, *, StackName: str, **_filter: Any) -> Json:
        self._arrive("DetectStackDrift")
        stack = self._detectable(StackName, "DetectStackDrift")
        identifier = f"detection-{len(self.detections) + 1}"
        self.detections[identifier] = (self.clock.monotonic() + DETECTION, stack)
        return {"StackDriftDetectionId": identifier}

    def describe_stack_drift_detection_status(self, *, StackDriftDetectionId: str) -> Json:
        self._arrive("DescribeStackDriftDetectionStatus")
        ends, stack = self.detections[StackDriftDetectionId]
        found: Json = {"StackId": stack.id, "StackDriftDetectionId": StackDriftDetectionId}
        found["Timestamp"] = self.clock.now()
        if self.clock.monotonic() < ends:
            return found | {"DetectionStatus": "DETECTION_IN_PROGRESS"}
        drifts = self._drifts(stack)
        drifted = [
            one for one in drifts if one["StackResourceDriftStatus"] in ("MODIFIED", "DELETED")
        ]
        found["StackDriftStatus"] = "DRIFTED" if drifted else "IN_SYNC"
        found["DriftedStackResourceCount"] = len(drifted)
        if stack.unreadable:
            found["DetectionStatusReason"] = "; ".join(stack.unreadable.values())
            return found | {"DetectionStatus": "DETECTION_FAILED"}
        return found | {"DetectionStatus": "DETECTION_COMPLETE"}

    def describe_stack_resource_drifts(
        self, *, StackName: str, NextToken: str = "0", **_filter: Any
    ) -> Json:
        self._arrive("DescribeStackResourceDrifts")
        stack = self._existing(StackName, "DescribeStackResourceDrifts")
        drifts, start = self._drifts(stack), int(NextToken)
        page: Json = {"StackResourceDrifts": drifts[start : start + 5]}
        return page | ({"NextToken": str(start + 5)} if len(drifts) > start + 5 else {})

    def _drifts(self, stack: Stack) -> list[Json]:
        resources = stack.template["Resources"]
        return [
            self._drift(stack, name)
            for name in stack.resources
            if name in resources and resources[name]["Type"] not in self.incomparable
        ]

    def _drift(self, stack: Stack, name: str) -> Json:
        resource = stack.template["Resources"][name]
        found: Json = {
            "StackId": stack.id,
            "LogicalResourceId": name,
            "PhysicalResourceId": stack.resources[name],
            "ResourceType": resource["Type"],
            "Timestamp": self.clock.now(),
        }
        if name in stack.unreadable:
            why = stack.unreadable[name]
            return found | {"StackResourceDriftStatus": "UNKNOWN", "DriftStatusReason": why}
        if name in stack.lost:
            return found | {"StackResourceDriftStatus": "DELETED"}
        expected = filled(resource.get("Properties", {}), stack.parameters)
        differences = list(_differences(expected, stack.reality.get(name, {})))
        found["ExpectedProperties"] = json.dumps(expected)
        found["ActualProperties"] = json.dumps(expected | stack.reality.get(name, {}))
        if not differences:
            return found | {"StackResourceDriftStatus": "IN_SYNC", "PropertyDifferences": []}
        return found | {
            "StackResourceDriftStatus": "MODIFIED",
            "PropertyDifferences": differences,
        }

    # Policies

    def set_stack_policy(self, *, StackName: str, StackPolicyBody: str) -> Json:
        self._arrive("SetStackPolicy")
        self._existing(StackName, "SetStackPolicy").policy = StackPolicyBody
        return {}

    def get_stack_policy(self, *, StackName: str) -> Json:
        self._arrive("GetStackPolicy")
        policy = self._existing(StackName, "GetStackPolicy").policy
        return {"StackPolicyBody": policy} if policy else {}

    # Rollbacks

    def continue_update_rollback(
        self, *, StackName: str, ResourcesToSkip: tuple[str, ...] = (), **_more: Any
    ) -> Json:
        name = "ContinueUpdateRollback"
        self._arrive(name)
        stack = self._existing(StackName, name)
        if stack.status != "UPDATE_ROLLBACK_FAILED":
            raise client_error("ValidationError", f"{StackName} is in {stack.status} state", name)
        left = {one: why for one, why in stack.stuck.items() if one not in ResourcesToSkip}
        self._repair(stack, "UPDATE_ROLLBACK", left)
        return {}

    def rollback_stack(self, *, StackName: str, **_more: Any) -> Json:
        self._arrive("RollbackStack")
        stack = self._existing(StackName, "RollbackStack")
        kinds = {"CREATE_FAILED": "ROLLBACK", "UPDATE_FAILED": "UPDATE_ROLLBACK"}
        if stack.status not in kinds:
            text = f"{StackName} is in {stack.status} state"
            raise client_error("ValidationError", text, "RollbackStack")
        self._repair(stack, kinds[stack.status], stack.stuck)
        return {"StackId": stack.id}

    def _repair(self, stack: Stack, kind: str, left: dict[str, str]) -> None:
        def end() -> None:
            for name, why in left.items():
                self._event(stack, name, "X", "UPDATE_FAILED", why)
            stack.stuck = dict(left)
            stack.status = f"{kind}_FAILED" if left else f"{kind}_COMPLETE"
            self._event(stack, stack.name, "AWS::CloudFormation::Stack", stack.status)

        stack.status = f"{kind}_IN_PROGRESS"
        self._event(stack, stack.name, "AWS::CloudFormation::Stack", stack.status)
        stack.then, stack.ends = end, self.clock.monotonic() + REPAIR

    def _detectable(self, name: str, operation: str) -> Stack:
        stack = self._existing(name, operation)
        if stack.status not in (*DETECTABLE, "UPDATE_ROLLBACK_FAILED"):
            text = f"Drift detection cannot be performed on stack [{name}] while in {stack.status}"
            raise client_error("ValidationError", text, operation)
        return stack

    def _existing(self, name: str, operation: str) -> Stack:
        if stack := self._stack(name):
            return stack
        raise client_error("ValidationError", f"Stack [{name}] does not exist", operation)

    def _arrive(self, operation: str) -> None:
        raise NotImplementedError

    def _stack(self, name_or_id: str) -> Stack | None:
        raise NotImplementedError

    def _event(self, stack: Stack, logical: str, kind: str, status: str, reason: str = "") -> None:
        raise NotImplementedError


def denied(stack: Stack, change: Json) -> bool:
    """Whether the stack policy refuses a change, as far as our policies say anything."""
    action = _action(change)
    if not stack.policy or action is None:
        return False
    return any(
        statement["Effect"] == "Deny"
        and action in statement["Action"]
        and change["ResourceType"] in statement["Condition"]["StringEquals"]["ResourceType"]
        and f"LogicalResourceId/{change['LogicalResourceId']}"
        not in statement.get("NotResource", [])
        for statement in json.loads(stack.policy)["Statement"]
    )


def _action(change: Json) -> str | None:
    if change["Action"] == "Remove":
        return "Update:Delete"
    return "Update:Replace" if change.get("Replacement") == "True" else None


def _differences(expected: Json, reality: Json) -> list[Json]:
    """By whole property, as AWS writes values: as text."""
    return [
        {
            "PropertyPath": f"/{name}",
            "ExpectedValue": _written(expected.get(name)),
            "ActualValue": _written(actual),
            "DifferenceType": (
                "REMOVE" if actual is None else "NOT_EQUAL" if name in expected else "ADD"
            ),
        }
        for name, actual in reality.items()
        if expected.get(name) != actual
    ]


def _written(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
