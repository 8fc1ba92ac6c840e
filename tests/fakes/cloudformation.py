# ruff: noqa: N803, ARG002  # arguments are AWS's, and so are their names
"""A CloudFormation that behaves: change sets with diffs, operations that take time, events.

It knows nothing of AWS resources but what a template says, and which properties cannot be changed
in place. Stacks of one Region; shapes as botocore returns them.
"""

import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from platform_pipelines.aws.change_sets import KNOWN_AFTER_APPLY
from tests.fakes.calls import Paginator, Wire, client_error
from tests.fakes.clock import FakeClock

Json = dict[str, Any]
NO_CHANGES = "The submitted information didn't contain changes. Submit different information."
CREATE_ONLY = {"AWS::EFS::FileSystem": {"Encrypted", "KmsKeyId"}, "AWS::EC2::VPC": {"CidrBlock"}}
EVENTS_A_PAGE = 3


@dataclass
class Stack:
    """One stack."""

    name: str
    id: str
    status: str
    template: Json = field(default_factory=lambda: {"Resources": {}})
    parameters: dict[str, str] = field(default_factory=dict)
    resources: dict[str, str] = field(default_factory=dict)  # logical id: physical id
    outputs: dict[str, str] = field(default_factory=dict)
    events: list[Json] = field(default_factory=list)
    protected: bool = False
    reason: str = ""
    change_set: "ChangeSet | None" = None  # that is being executed
    ends: float = 0.0


@dataclass
class ChangeSet:
    """One change set."""

    id: str
    stack: Stack
    kind: str
    template: Json
    parameters: dict[str, str]
    ready: float
    status: str
    reason: str
    changes: list[Json]
    execution: str = "AVAILABLE"
    on_failure: str | None = None
    failed_events: list[Json] = field(default_factory=list)


class FakeCloudFormation:
    """The client of one Region."""

    def __init__(self, wire: Wire, clock: FakeClock, region: str) -> None:
        self.wire = wire
        self.clock = clock
        self.region = region
        self.stacks: dict[str, Stack] = {}
        self.gone: dict[str, Stack] = {}  # deleted ones, by id
        self.change_sets: dict[str, ChangeSet] = {}
        self.durations: dict[str, float] = {}  # of an operation, by the stack's name
        self.failing: dict[str, tuple[str, str]] = {}  # stack: (logical id, reason)
        self.refusing: dict[str, str] = {}  # stack: why validation fails its change sets
        self.mute = False  # events cannot be read
        self.created: Callable[[str, str, Json], None] = lambda *_: None
        self.requests: list[Json] = []  # of CreateChangeSet
        self._numbers = itertools.count(1)

    # What tests say

    def changed(self, stack: str, change: Callable[[Json], None]) -> None:
        """Change a stack's template as if an older version had been applied."""
        change(self.stacks[stack].template)

    # What the product calls

    def describe_stacks(self, *, StackName: str) -> Json:
        self._arrive("DescribeStacks")
        stack = self._stack(StackName)
        if stack is None:
            raise self._missing(StackName, "DescribeStacks")
        return {"Stacks": [_described(stack)]}

    def create_change_set(self, **request: Any) -> Json:
        self._arrive("CreateChangeSet")
        self.requests.append(request)
        name = request["StackName"]
        stack = self.stacks.get(name)
        if request["ChangeSetType"] == "CREATE":
            if stack is not None and stack.status != "REVIEW_IN_PROGRESS":
                raise client_error("AlreadyExistsException", name, "CreateChangeSet")
            stack = stack or self._shell(name)
        if stack is None:
            raise self._missing(name, "CreateChangeSet")
        change_set = self._change_set(stack, request)
        self.change_sets[change_set.id] = change_set
        return {"Id": change_set.id, "StackId": stack.id}

    def describe_change_set(
        self,
        *,
        ChangeSetName: str,
        IncludePropertyValues: bool = False,
        NextToken: str = "0",
    ) -> Json:
        self._arrive("DescribeChangeSet")
        found = self._find(ChangeSetName, "DescribeChangeSet")
        if self.clock.monotonic() < found.ready:
            return {"Status": "CREATE_IN_PROGRESS", "ExecutionStatus": "UNAVAILABLE"}
        start = int(NextToken)
        page = {"Changes": found.changes[start : start + 5], "ExecutionStatus": found.execution}
        page |= {"Status": found.status, "StatusReason": found.reason}
        return page | ({"NextToken": str(start + 5)} if len(found.changes) > start + 5 else {})

    def execute_change_set(
        self,
        *,
        ChangeSetName: str,
        ClientRequestToken: str,
        RetainExceptOnCreate: bool,
    ) -> Json:
        self._arrive("ExecuteChangeSet")
        found = self._find(ChangeSetName, "ExecuteChangeSet")
        if found.execution != "AVAILABLE":
            raise client_error("InvalidChangeSetStatus", found.execution, "ExecuteChangeSet")
        stack = found.stack
        found.execution = "EXECUTE_IN_PROGRESS"
        stack.change_set = found
        stack.status = f"{found.kind}_IN_PROGRESS"
        stack.ends = self.clock.monotonic() + self.durations.get(stack.name, 30.0)
        self._event(stack, stack.name, "AWS::CloudFormation::Stack", stack.status, "User Initiated")
        return {}

    def delete_change_set(self, *, ChangeSetName: str) -> Json:
        self._arrive("DeleteChangeSet")
        self.change_sets.pop(ChangeSetName, None)
        return {}

    def delete_stack(self, *, StackName: str) -> Json:
        self._arrive("DeleteStack")
        if stack := self._stack(StackName):
            self._remove(stack)
        return {}

    def update_termination_protection(
        self,
        *,
        StackName: str,
        EnableTerminationProtection: bool,
    ) -> Json:
        self._arrive("UpdateTerminationProtection")
        self.stacks[StackName].protected = EnableTerminationProtection
        return {}

    def describe_stack_events(self, *, StackName: str) -> Json:
        return self._event_pages(StackName)[0]

    def get_paginator(self, operation: str) -> Paginator:
        pages: dict[str, Callable[..., list[Json]]] = {
            "describe_stack_events": self._event_pages,
            "list_stack_resources": self._resource_pages,
            "describe_events": self._failure_pages,
        }
        return Paginator(pages[operation])

    # How it works

    def _arrive(self, operation: str) -> None:
        self.wire.call(operation)
        for stack in list(self.stacks.values()):
            if stack.change_set and self.clock.monotonic() >= stack.ends:
                self._finish(stack, stack.change_set)

    def _stack(self, name_or_id: str) -> Stack | None:
        everyone = [*self.stacks.values(), *self.gone.values()]
        by_id = next((one for one in everyone if one.id == name_or_id), None)
        return by_id or self.stacks.get(name_or_id)

    def _missing(self, name: str, operation: str) -> Exception:
        return client_error("ValidationError", f"Stack with id {name} does not exist", operation)

    def _find(self, identifier: str, operation: str) -> ChangeSet:
        if identifier not in self.change_sets:
            raise client_error("ChangeSetNotFound", identifier, operation, 404)
        return self.change_sets[identifier]

    def _shell(self, name: str) -> Stack:
        number = next(self._numbers)
        identifier = f"arn:aws:cloudformation:{self.region}:111122223333:stack/{name}/{number:04d}"
        stack = Stack(name=name, id=identifier, status="REVIEW_IN_PROGRESS")
        self.stacks[name] = stack
        self._event(stack, name, "AWS::CloudFormation::Stack", stack.status, "User Initiated")
        return stack

    def _change_set(self, stack: Stack, request: Json) -> ChangeSet:
        template = json.loads(request["TemplateBody"])
        given = request.get("Parameters", [])
        parameters = {one["ParameterKey"]: one["ParameterValue"] for one in given}
        changes = _changes(stack, template, parameters)
        status, reason = ("CREATE_COMPLETE", "") if changes else ("FAILED", NO_CHANGES)
        failed: list[Json] = []
        if refusal := self.refusing.get(stack.name):
            status, reason, changes = "FAILED", "The following validation failed.", []
            failed = [{"LogicalResourceId": "Vpc", "ValidationStatusReason": refusal}]
        return ChangeSet(
            id=f"arn:aws:cloudformation:{self.region}:111122223333:changeSet/{request['ChangeSetName']}/1",
            stack=stack,
            kind=request["ChangeSetType"],
            template=template,
            parameters=parameters,
            ready=self.clock.monotonic() + 3,
            status=status,
            reason=reason,
            changes=changes,
            execution="AVAILABLE" if status == "CREATE_COMPLETE" else "UNAVAILABLE",
            on_failure=request.get("OnStackFailure"),
            failed_events=failed,
        )

    def _finish(self, stack: Stack, change_set: ChangeSet) -> None:
        stack.change_set = None
        if stack.name in self.failing:
            self._fail(stack, change_set, *self.failing[stack.name])
            return
        for logical_id, resource in change_set.template["Resources"].items():
            if logical_id not in stack.resources:
                self._make(stack, logical_id, resource)
        stack.template, stack.parameters = change_set.template, change_set.parameters
        stack.outputs = _outputs(stack)
        stack.status = f"{change_set.kind}_COMPLETE"
        change_set.execution = "EXECUTE_COMPLETE"
        self._event(stack, stack.name, "AWS::CloudFormation::Stack", stack.status)

    def _make(self, stack: Stack, logical_id: str, resource: Json) -> None:
        kind = resource["Type"]
        prefix = "fs" if kind == "AWS::EFS::FileSystem" else logical_id.lower()
        physical = f"{prefix}-{self.region[-1]}{next(self._numbers):04d}"
        stack.resources[logical_id] = physical
        self._event(stack, logical_id, kind, "CREATE_COMPLETE")
        self.created(kind, physical, resource.get("Properties", {}))

    def _fail(self, stack: Stack, change_set: ChangeSet, logical_id: str, reason: str) -> None:
        change_set.execution = "EXECUTE_FAILED"
        rollback = "ROLLBACK" if change_set.kind == "CREATE" else "UPDATE_ROLLBACK"
        kind = change_set.template["Resources"][logical_id]["Type"]
        other = next(one for one in change_set.template["Resources"] if one != logical_id)
        self._event(stack, logical_id, kind, f"{change_set.kind}_FAILED", reason)
        self._event(stack, other, "X", f"{change_set.kind}_FAILED", "Resource creation cancelled")
        why = f"The following resource(s) failed: [{logical_id}]"
        self._event(stack, stack.name, "AWS::CloudFormation::Stack", f"{rollback}_IN_PROGRESS", why)
        stack.status = f"{rollback}_COMPLETE"
        if change_set.on_failure == "DELETE":
            self._remove(stack)

    def _remove(self, stack: Stack) -> None:
        stack.status = "DELETE_COMPLETE"
        self.stacks.pop(stack.name, None)
        self.gone[stack.id] = stack
        for one in [one for one in self.change_sets.values() if one.stack is stack]:
            del self.change_sets[one.id]

    def _event(self, stack: Stack, logical: str, kind: str, status: str, reason: str = "") -> None:
        stack.events.append(
            {
                "StackId": stack.id,
                "StackName": stack.name,
                "EventId": f"event-{next(self._numbers)}",
                "LogicalResourceId": logical,
                "PhysicalResourceId": stack.resources.get(logical, ""),
                "ResourceType": kind,
                "ResourceStatus": status,
                "ResourceStatusReason": reason,
                "Timestamp": self.clock.now(),
            }
        )

    def _event_pages(self, StackName: str) -> list[Json]:
        self._arrive("DescribeStackEvents")
        if self.mute:
            raise client_error("Throttling", "Rate exceeded", "DescribeStackEvents")
        stack = self._stack(StackName)
        if stack is None:
            raise self._missing(StackName, "DescribeStackEvents")
        newest = stack.events[::-1]
        starts = range(0, len(newest), EVENTS_A_PAGE)
        return [{"StackEvents": newest[i : i + EVENTS_A_PAGE]} for i in starts]

    def _resource_pages(self, StackName: str) -> list[Json]:
        self._arrive("ListStackResources")
        stack = self._stack(StackName)
        resources = stack.resources if stack else {}
        return [
            {
                "StackResourceSummaries": [
                    {"LogicalResourceId": logical, "PhysicalResourceId": physical}
                    for logical, physical in resources.items()
                ]
            }
        ]

    def _failure_pages(self, ChangeSetName: str, Filters: Json) -> list[Json]:
        self._arrive("DescribeEvents")
        return [{"OperationEvents": self._find(ChangeSetName, "DescribeEvents").failed_events}]


def _described(stack: Stack) -> Json:
    return {
        "StackName": stack.name,
        "StackId": stack.id,
        "StackStatus": stack.status,
        "StackStatusReason": stack.reason,
        "EnableTerminationProtection": stack.protected,
        "Outputs": [{"OutputKey": k, "OutputValue": v} for k, v in stack.outputs.items()],
        "Parameters": [
            {"ParameterKey": k, "ParameterValue": v} for k, v in stack.parameters.items()
        ],
    }


def _changes(stack: Stack, template: Json, parameters: dict[str, str]) -> list[Json]:
    old, new = stack.template["Resources"], template["Resources"]
    found = []
    for name in sorted(old.keys() | new.keys()):
        if name not in old:
            found.append(_change("Add", name, new[name]))
        elif name not in new:
            removed = _change("Remove", name, old[name])
            removed["ResourceChange"]["PolicyAction"] = _policy(
                old[name], "DeletionPolicy", "Delete"
            )
            found.append(removed)
        else:
            before = _filled(old[name].get("Properties", {}), stack.parameters)
            after = _filled(new[name].get("Properties", {}), parameters)
            if before != after:
                found.append(_modified(name, old[name], before, after))
    return found


def _change(action: str, name: str, resource: Json) -> Json:
    change: Json = {"Action": action, "LogicalResourceId": name, "ResourceType": resource["Type"]}
    context = json.dumps({"Properties": resource.get("Properties", {})})
    if action in ("Add", "Remove"):
        change["AfterContext" if action == "Add" else "BeforeContext"] = context
    return {"Type": "Resource", "ResourceChange": change}


def _policy(resource: Json, key: str, default: str) -> str:
    policy = str(resource.get(key, default))
    return "Retain" if policy.startswith("Retain") else policy


def _modified(name: str, resource: Json, before: Json, after: Json) -> Json:
    fixed = CREATE_ONLY.get(resource["Type"], set())
    names = [
        one for one in sorted(before.keys() | after.keys()) if before.get(one) != after.get(one)
    ]
    replaced = any(one in fixed for one in names)
    change = _change("Modify", name, resource)
    change["ResourceChange"] |= {
        "Replacement": str(replaced),
        "Details": [
            {
                "Target": {
                    "Attribute": "Properties",
                    "Name": one,
                    "Path": f"/Properties/{one}",
                    "RequiresRecreation": "Always" if one in fixed else "Never",
                    "BeforeValue": _text(before.get(one)),
                    "AfterValue": _text(after.get(one)),
                }
            }
            for one in names
        ],
    }
    if replaced:
        policy = _policy(resource, "UpdateReplacePolicy", "Delete")
        change["ResourceChange"]["PolicyAction"] = f"ReplaceAnd{policy}"
    return change


def _text(value: Any) -> str:
    if isinstance(value, dict) and ("Ref" in value or "Fn::GetAtt" in value):
        return KNOWN_AFTER_APPLY
    return value if isinstance(value, str) else json.dumps(value)


def _filled(value: Any, parameters: dict[str, str]) -> Any:
    match value:
        case {"Ref": str(name)} if name in parameters:
            return parameters[name]
        case dict():
            return {key: _filled(one, parameters) for key, one in value.items()}
        case list():
            return [_filled(one, parameters) for one in value]
    return value


def _outputs(stack: Stack) -> dict[str, str]:
    return {
        key: _value(output["Value"], stack)
        for key, output in stack.template.get("Outputs", {}).items()
    }


def _value(value: Any, stack: Stack) -> str:
    match value:
        case {"Ref": str(name)}:
            return stack.resources.get(name, stack.parameters.get(name, name))
        case {"Fn::GetAtt": [str(name), str(attribute)]}:
            return f"{stack.resources[name]}.{attribute}"
        case {"Fn::Join": [str(separator), list(parts)]}:
            return separator.join(_value(part, stack) for part in parts)
    return str(value)
