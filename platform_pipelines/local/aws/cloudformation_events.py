"""The events of stacks: one list a stack, read by DescribeStackEvents and DescribeEvents.

An event is kept as DescribeStackEvents shows it, with the operation that it belongs to, so that
DescribeEvents can tell one operation from the next: a rollback is an operation of its own.
"""

from datetime import datetime
from typing import Any
from uuid import uuid4

from platform_pipelines.local.aws import cloudformation_engine as engine
from platform_pipelines.local.aws.cloudformation_engine import Stack
from platform_pipelines.local.aws.cloudformation_records import KEY, Task
from platform_pipelines.local.world import World

STACK = "AWS::CloudFormation::Stack"
USER_INITIATED = "User Initiated"
_BEGINNINGS = ("REVIEW_IN_PROGRESS", "CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS")
_OF_THE_STORE = ("OperationType",)  # kept with an event, but no part of DescribeStackEvents


class Events:
    """Writes and reads the events of one world."""

    def __init__(self, world: World) -> None:
        self._world = world

    def of_stack(self, stack: Stack, status: str, reason: str = "", detailed: str = "") -> None:
        """The stack itself has a new status."""
        stack["StackStatus"], stack["StackStatusReason"] = status, reason
        self._add(stack, stack["StackName"], STACK, stack["StackId"], status, reason, detailed)

    def of_resource(self, stack: Stack, one: Task, status: str, reason: str = "") -> None:
        """One of its resources has."""
        self._add(stack, one["name"], one["kind"], one["id"], status, reason)

    def of_request(
        self,
        stack_id: str,
        stack_name: str,
        name: str,
        kind: str,
        status: str,
        reason: str = "",
        physical_id: str = "",
        detailed_status: str = "",
    ) -> None:
        """What ministack writes while it takes a request; its own signature. It forgets who began."""
        stack = engine.stack(stack_id) or {"StackId": stack_id, "StackName": stack_name}
        if kind == STACK and status in _BEGINNINGS:
            stack["StackStatusReason"] = reason = reason or USER_INITIATED
        self._add(stack, name, kind, physical_id, status, reason, detailed_status)

    def claim(self, stack: Stack) -> None:
        """The last event, which ministack wrote while it took the request, is of the operation that
        begins with it."""
        last, operation = engine.stack_events(stack["StackId"])[-1], stack[KEY]
        last |= {"OperationId": operation["id"], "OperationType": operation["type"]}

    def newest_first(self, stack_id: str) -> list[dict[str, Any]]:
        """As DescribeStackEvents shows them."""
        return [
            {key: value for key, value in event.items() if key not in _OF_THE_STORE}
            | {"Timestamp": datetime.fromisoformat(event["Timestamp"])}
            for event in reversed(engine.stack_events(stack_id))
        ]

    def now(self) -> str:
        """The time as ministack keeps it."""
        return self._world.datetime().strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"

    def _add(
        self,
        stack: Stack,
        name: str,
        kind: str,
        id_: str,
        status: str,
        reason: str,
        detailed: str = "",
    ) -> None:
        operation = stack.get(KEY) or {}
        event = {
            "StackId": stack["StackId"],
            "StackName": stack["StackName"],
            "EventId": str(uuid4()),
            "OperationId": operation.get("id", ""),
            "OperationType": operation.get("type", ""),
            "LogicalResourceId": name,
            "PhysicalResourceId": id_,
            "ResourceType": kind,
            "ResourceStatus": status,
            "ResourceStatusReason": reason,
            "DetailedStatus": detailed,
            "ClientRequestToken": operation.get("token", "") or _token(),
        }
        given = {key: value for key, value in event.items() if value or key.startswith("Physical")}
        engine.stack_events(stack["StackId"]).append(given | {"Timestamp": self.now()})


def _token() -> str:
    """The client's token of the request that is being taken."""
    return str(engine.module("stacks").CLIENT_REQUEST_TOKEN.get())


def operation_events(stack_id: str) -> list[dict[str, Any]]:
    """A stack's events as DescribeEvents shows them, newest first."""
    return [_operation_event(one) for one in reversed(engine.stack_events(stack_id))]


def _operation_event(event: dict[str, Any]) -> dict[str, Any]:
    status, of_the_stack = event["ResourceStatus"], event["ResourceType"] == STACK
    kind = "STACK_EVENT" if of_the_stack else "PROGRESS_EVENT"
    shown = {
        key: event[key]
        for key in (
            *("EventId", "StackId", "OperationId", "OperationType", "LogicalResourceId"),
            *("PhysicalResourceId", "ResourceType", "ResourceStatus", "ResourceStatusReason"),
            *("DetailedStatus", "ClientRequestToken"),
        )
        if event.get(key)
    }
    return shown | {
        "EventType": "PROVISIONING_ERROR" if status.endswith("_FAILED") else kind,
        "OperationStatus": _outcome(status),
        "Timestamp": datetime.fromisoformat(event["Timestamp"]),
    }


def _outcome(status: str) -> str:
    if status.endswith("_FAILED"):
        return "FAILED"
    return "SUCCEEDED" if status.endswith(("_COMPLETE", "_SKIPPED")) else "IN_PROGRESS"


def validation_events(
    change_set: dict[str, Any], problems: list[dict[str, str]], at: str
) -> list[dict[str, Any]]:
    """What pre-deployment validation has against a change set, to be kept with it."""
    return [
        {
            "EventId": str(uuid4()),
            "StackId": change_set["StackId"],
            "OperationId": change_set["ChangeSetId"].rpartition("/")[2],
            "OperationType": "CREATE_CHANGESET",
            "OperationStatus": "FAILED",
            "EventType": "VALIDATION_ERROR",
            "ValidationFailureMode": "FAIL",
            "ValidationStatus": "FAILED",
            "Timestamp": at,
            **problem,
        }
        for problem in problems
    ]
