# ruff: noqa: N803, ARG002  # arguments are AWS's, and so are their names
"""A CloudFormation that behaves: change sets with diffs, operations that take time, events.

It knows nothing of AWS resources but what a template says, and which properties cannot be changed
in place. Stacks of one Region; shapes as botocore returns them.
"""

import itertools
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from tests.fakes.calls import Paginator, Wire, client_error
from tests.fakes.clock import FakeClock
from tests.fakes.cloudformation_changes import changes, described, outputs, summary
from tests.fakes.cloudformation_records import ChangeSet, Json, Stack
from tests.fakes.cloudformation_repair import Repair, denied

NO_CHANGES = "The submitted information didn't contain changes. Submit different information."
COMPUTING: Json = {"Status": "CREATE_IN_PROGRESS", "ExecutionStatus": "UNAVAILABLE"}
EVENTS_A_PAGE = 3
LARGEST = 51_200  # of a template in a call


class FakeCloudFormation(Repair):
    """The client of one Region."""

    def __init__(self, wire: Wire, clock: FakeClock, region: str) -> None:
        super().__init__()
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
        self.stored: Callable[[str, str], bytes | None] = lambda *_: None  # (bucket, key)
        self.requests: list[Json] = []  # of CreateChangeSet
        self.executions: list[str] = []  # names of the stacks whose change sets were executed
        self._numbers = itertools.count(1)

    # What tests say

    def changed(self, stack: str, change: Callable[[Json], None]) -> None:
        """Change a stack's template as if somebody had applied an older version since."""
        found = self.stacks[stack]
        change(found.template)
        found.updated = (found.updated or found.created) + timedelta(seconds=1)

    def drifts(self, stack: str, logical_id: str, **properties: Any) -> None:
        """Somebody sets properties of a resource outside of CloudFormation; None removes one."""
        self.stacks[stack].reality.setdefault(logical_id, {}).update(properties)

    # What the product calls

    def describe_stacks(self, *, StackName: str) -> Json:
        self._arrive("DescribeStacks")
        stack = self._stack(StackName)
        if stack is None:
            raise self._missing(StackName, "DescribeStacks")
        return {"Stacks": [described(stack)]}

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
        if self._computing(found):
            return COMPUTING
        start = int(NextToken)
        page = {"Changes": found.changes[start : start + 5], "ExecutionStatus": found.execution}
        page |= {"Status": found.status, "StatusReason": found.reason}
        page["Parameters"] = [
            {"ParameterKey": key, "ParameterValue": value}
            for key, value in found.parameters.items()
        ]
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
        if found.token == ClientRequestToken:  # asked twice, started once
            return {}
        if found.execution != "AVAILABLE":
            raise client_error("InvalidChangeSetStatus", found.execution, "ExecuteChangeSet")
        stack = found.stack
        self.executions.append(stack.name)
        for other in self.change_sets.values():
            if other.stack is stack and other.execution == "AVAILABLE":
                other.execution = "OBSOLETE"
        found.execution, found.token = "EXECUTE_IN_PROGRESS", ClientRequestToken
        stack.updated = self.clock.now()
        stack.change_set = found
        stack.status = f"{found.kind}_IN_PROGRESS"
        stack.ends = self.clock.monotonic() + self.durations.get(stack.name, 30.0)
        self._event(stack, stack.name, "AWS::CloudFormation::Stack", stack.status, "User Initiated")
        return {}

    def delete_change_set(self, *, ChangeSetName: str) -> Json:
        self._arrive("DeleteChangeSet")
        found = self.change_sets.get(ChangeSetName)
        if found and (found.execution == "EXECUTE_IN_PROGRESS" or self._computing(found)):
            raise client_error("InvalidChangeSetStatus", found.execution, "DeleteChangeSet")
        self.change_sets.pop(ChangeSetName, None)
        return {}

    def delete_stack(
        self, *, StackName: str, RetainResources: tuple[str, ...] = (), **_more: Any
    ) -> Json:
        self._arrive("DeleteStack")
        stack = self._stack(StackName)
        if stack is None:
            return {}
        if stack.protected:
            text = f"Stack [{StackName}] cannot be deleted while TerminationProtection is enabled"
            raise client_error("ValidationError", text, "DeleteStack")
        if RetainResources and stack.status != "DELETE_FAILED":
            text = "RetainResources is for stacks in DELETE_FAILED state"
            raise client_error("ValidationError", text, "DeleteStack")
        if left := {one: why for one, why in stack.stuck.items() if one not in RetainResources}:
            stack.status = "DELETE_FAILED"
            for name, why in left.items():
                self._event(stack, name, "X", "DELETE_FAILED", why)
            return {}
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
            "list_change_sets": self._change_set_pages,
        }
        return Paginator(pages[operation])

    # How it works

    def _arrive(self, operation: str) -> None:
        with self.wire.lock:  # two callers must not end one operation
            self.wire.call(operation)
            now = self.clock.monotonic()
            for stack in list(self.stacks.values()):
                if stack.change_set and now >= stack.ends:
                    self._finish(stack, stack.change_set)
                elif stack.then and now >= stack.ends:
                    then, stack.then = stack.then, None
                    then()

    def _stack(self, name_or_id: str) -> Stack | None:
        everyone = [*self.stacks.values(), *self.gone.values()]
        by_id = next((one for one in everyone if one.id == name_or_id), None)
        return by_id or self.stacks.get(name_or_id)

    def _computing(self, change_set: ChangeSet) -> bool:
        return self.clock.monotonic() < change_set.ready

    def _missing(self, name: str, operation: str) -> Exception:
        return client_error("ValidationError", f"Stack with id {name} does not exist", operation)

    def _find(self, identifier: str, operation: str) -> ChangeSet:
        if identifier not in self.change_sets:
            raise client_error("ChangeSetNotFound", identifier, operation, 404)
        return self.change_sets[identifier]

    def _shell(self, name: str) -> Stack:
        number = next(self._numbers)
        identifier = f"arn:aws:cloudformation:{self.region}:111122223333:stack/{name}/{number:04d}"
        stack = Stack(
            name=name, id=identifier, status="REVIEW_IN_PROGRESS", created=self.clock.now()
        )
        self.stacks[name] = stack
        self._event(stack, name, "AWS::CloudFormation::Stack", stack.status, "User Initiated")
        return stack

    def _change_set(self, stack: Stack, request: Json) -> ChangeSet:
        template = json.loads(self._template(request))
        given = request.get("Parameters", [])
        parameters = {one["ParameterKey"]: one["ParameterValue"] for one in given}
        found = changes(stack, template, parameters)
        status, reason = ("CREATE_COMPLETE", "") if found else ("FAILED", NO_CHANGES)
        failed: list[Json] = []
        if refusal := self.refusing.get(stack.name):
            status, reason, found = "FAILED", "The following validation failed.", []
            failed = [{"LogicalResourceId": "Vpc", "ValidationStatusReason": refusal}]
        arn = f"arn:aws:cloudformation:{self.region}:111122223333:changeSet"
        return ChangeSet(
            id=f"{arn}/{request['ChangeSetName']}/{next(self._numbers)}",
            stack=stack,
            kind=request["ChangeSetType"],
            template=template,
            parameters=parameters,
            ready=self.clock.monotonic() + 3,
            status=status,
            reason=reason,
            changes=found,
            name=request["ChangeSetName"],
            role=request.get("RoleARN"),
            tags=request.get("Tags", []),
            execution="AVAILABLE" if status == "CREATE_COMPLETE" else "UNAVAILABLE",
            on_failure=request.get("OnStackFailure"),
            failed_events=failed,
        )

    def _template(self, request: Json) -> str:
        """The template's text, from the call or from where it says that it is."""
        if body := request.get("TemplateBody"):
            if len(body.encode()) > LARGEST:
                text = f"Member must have length less than or equal to {LARGEST}"
                raise client_error("ValidationError", text, "CreateChangeSet")
            return str(body)
        url = urlsplit(request["TemplateURL"])
        bucket = (url.hostname or "").partition(".")[0]
        found = self.stored(bucket, url.path.removeprefix("/"))
        if found is None:
            raise client_error("ValidationError", "S3 error: Access Denied", "CreateChangeSet")
        return found.decode()

    def _finish(self, stack: Stack, change_set: ChangeSet) -> None:
        stack.change_set = None
        if stack.name in self.failing:
            self._fail(stack, change_set, *self.failing[stack.name])
            return
        for item in change_set.changes:
            if denied(stack, item["ResourceChange"]):
                name = item["ResourceChange"]["LogicalResourceId"]
                self._fail(stack, change_set, name, "Action denied by stack policy")
                return
        for logical_id, resource in change_set.template["Resources"].items():
            if logical_id not in stack.resources:
                self._make(stack, logical_id, resource)
        for item in change_set.changes:  # the template wins over what somebody has set
            stack.reality.pop(item["ResourceChange"]["LogicalResourceId"], None)
        for name in stack.resources.keys() - change_set.template["Resources"].keys():
            del stack.resources[name]
        stack.template, stack.parameters = change_set.template, change_set.parameters
        stack.role, stack.tags = change_set.role or stack.role, change_set.tags
        stack.outputs = outputs(stack)
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
        resources = stack.template["Resources"] | change_set.template["Resources"]
        kind = resources[logical_id]["Type"]
        other = next((one for one in resources if one != logical_id), logical_id)
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
                    {
                        "LogicalResourceId": logical,
                        "PhysicalResourceId": physical,
                        "ResourceType": stack.template["Resources"][logical]["Type"],
                        "ResourceStatus": "CREATE_COMPLETE",
                    }
                    for logical, physical in resources.items()
                    if stack and logical in stack.template["Resources"]
                ]
            }
        ]

    def _change_set_pages(self, StackName: str) -> list[Json]:
        self._arrive("ListChangeSets")
        if self._stack(StackName) is None:
            raise self._missing(StackName, "ListChangeSets")
        stack = self._stack(StackName)
        mine = [one for one in self.change_sets.values() if one.stack is stack]
        found = [summary(one) | (COMPUTING if self._computing(one) else {}) for one in mine]
        return [{"Summaries": [one]} for one in found] or [{"Summaries": []}]

    def _failure_pages(self, ChangeSetName: str, Filters: Json) -> list[Json]:
        self._arrive("DescribeEvents")
        return [{"OperationEvents": self._find(ChangeSetName, "DescribeEvents").failed_events}]
