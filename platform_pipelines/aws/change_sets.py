"""CloudFormation change sets: made, read with every value, executed by ARN, and cleaned up.

A change set that ends FAILED may only mean that there is nothing to do; and since pre-deployment
validation, the reason of a real failure stands in other events than the stack's. Called by
provisioning only.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-updating-stacks-changesets.html
"""

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from platform_pipelines.aws.cloudformation import delete_shell
from platform_pipelines.aws.region import AwsError, AwsRegion, error_code
from platform_pipelines.aws.templates import Template
from platform_pipelines.clock import Clock

if TYPE_CHECKING:
    from mypy_boto3_cloudformation.type_defs import (
        ChangeSetSummaryTypeDef,
        ChangeTypeDef,
        DescribeChangeSetOutputTypeDef,
        ResourceChangeDetailTypeDef,
        ResourceChangeTypeDef,
    )

POLL = 2.0  # AWS-like seconds
PENDING = ("CREATE_PENDING", "CREATE_IN_PROGRESS")
GOING = ("DELETE_PENDING", "DELETE_IN_PROGRESS")
NO_CHANGES = ("didn't contain changes", "No updates are to be performed")
KNOWN_AFTER_APPLY = "{{changeSet:KNOWN_AFTER_APPLY}}"


class Kind(StrEnum):
    """What a change set does to its stack."""

    CREATE = "CREATE"
    UPDATE = "UPDATE"


@dataclass(frozen=True, slots=True, kw_only=True)
class PropertyChange:
    """One property of one resource, before and after."""

    path: str
    before: str | None
    after: str | None
    recreation: str  # Never, Conditionally, Always


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceChange:
    """What happens to one resource."""

    action: str  # Add, Modify, Remove, Import, Dynamic
    logical_id: str
    physical_id: str | None
    type: str
    replacement: str | None  # True, False, Conditional; None when it is not modified
    policy_action: str | None  # Delete, Retain, Snapshot, ReplaceAndDelete, …
    properties: tuple[PropertyChange, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a change set is made from."""

    stack_name: str
    kind: Kind
    name: str  # of the change set; also its idempotency token
    template: Template
    parameters: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    role: str | None = None  # ARN of what CloudFormation works as; None: as whoever asks


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A change set that AWS has accepted and that nobody has executed."""

    id: str
    stack_id: str
    token: str
    new_stack: bool  # there was no stack before: a shell was made for it


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeSet:
    """A change set that has been computed."""

    id: str
    status: str
    reason: str
    changes: tuple[ResourceChange, ...]
    execution: str = "UNAVAILABLE"
    parameters: Mapping[str, str] = field(default_factory=dict)

    @property
    def waits(self) -> bool:
        """Whether it can be executed: it is computed, and its stack has not changed since."""
        return self.execution == "AVAILABLE"

    @property
    def empty(self) -> bool:
        """Whether it FAILED only because there is nothing to do."""
        return self.failed and any(text in self.reason for text in NO_CHANGES)

    @property
    def failed(self) -> bool:
        return self.status == "FAILED"


def create(region: AwsRegion, request: Request, *, new_stack: bool) -> Draft:
    """Ask for a change set. A first create that fails leaves nothing behind."""
    common = {
        "StackName": request.stack_name,
        "ChangeSetName": request.name,
        "ClientToken": request.name,
        **request.template.argument,
        "Parameters": [
            {"ParameterKey": key, "ParameterValue": value}
            for key, value in request.parameters.items()
        ],
        "Tags": [{"Key": key, "Value": value} for key, value in request.tags.items()],
        "Capabilities": ["CAPABILITY_NAMED_IAM"],
        "ChangeSetType": str(request.kind),
    }
    if request.kind is Kind.CREATE:
        common["OnStackFailure"] = "DELETE"
    if request.role:
        common["RoleARN"] = request.role
    answer = region.cloudformation.create_change_set(**common)  # type: ignore[arg-type]  # one dict
    return Draft(
        id=answer["Id"], stack_id=answer["StackId"], token=request.name, new_stack=new_stack
    )


def computed(region: AwsRegion, draft: Draft, clock: Clock, stop: threading.Event) -> ChangeSet:
    """Wait until the change set is computed, or has failed to be. Raises: Stopped."""
    while True:
        page = region.cloudformation.describe_change_set(
            ChangeSetName=draft.id, IncludePropertyValues=True
        )
        if page["Status"] not in PENDING:
            return _read(region, draft.id, page)
        clock.sleep(POLL, stop)


def execute(region: AwsRegion, draft: Draft) -> None:
    """Start exactly this change set; with its token, asking twice starts it once. What it makes
    and then fails is removed again, even resources with a Retain policy."""
    region.cloudformation.execute_change_set(
        ChangeSetName=draft.id, ClientRequestToken=draft.token, RetainExceptOnCreate=True
    )


def executed(region: AwsRegion, draft: Draft) -> bool:
    """Whether the execution has ended, well or not. A change set that is gone went with its stack.
    The stack's own status may still be the old one right after `execute`."""
    try:
        answer = region.cloudformation.describe_change_set(ChangeSetName=draft.id)
    except ClientError as error:
        if error_code(error) == "ChangeSetNotFound":
            return True
        raise
    return answer["ExecutionStatus"] not in ("AVAILABLE", "EXECUTE_IN_PROGRESS")


def kept(region: AwsRegion, arn: str) -> ChangeSet | None:
    """A change set that was made earlier; None when it is gone."""
    try:
        page = region.cloudformation.describe_change_set(
            ChangeSetName=arn, IncludePropertyValues=True
        )
    except ClientError as error:
        if error_code(error) == "ChangeSetNotFound":
            return None
        raise
    return _read(region, arn, page)


def discard_stale(
    region: AwsRegion,
    stack_id: str,
    stale: Callable[[str], bool],
    clock: Clock,
    stop: threading.Event,
) -> None:
    """Remove the change sets whose names are `stale` and that nobody has executed. One that is still
    being computed is awaited, because AWS refuses to delete it. Raises: Stopped."""
    while True:
        left = [
            one
            for one in _summaries(region, stack_id)
            if stale(one.get("ChangeSetName", "")) and _deletable(one)
        ]
        ready = [one for one in left if one.get("Status") not in PENDING]
        for one in ready:
            region.cloudformation.delete_change_set(ChangeSetName=one.get("ChangeSetId", ""))
        if len(ready) == len(left):
            return
        clock.sleep(POLL, stop)


def _deletable(item: "ChangeSetSummaryTypeDef") -> bool:
    """Whether nobody has executed it, nor deletes it already."""
    waits = item.get("ExecutionStatus") in ("AVAILABLE", "UNAVAILABLE", "OBSOLETE")
    return waits and item.get("Status") not in GOING


def _summaries(region: AwsRegion, stack_id: str) -> "list[ChangeSetSummaryTypeDef]":
    pages = region.cloudformation.get_paginator("list_change_sets").paginate(StackName=stack_id)
    return [item for page in pages for item in page["Summaries"]]


def discard(region: AwsRegion, draft: Draft) -> None:
    """Remove a change set that was not executed, and the shell that was made for it. Soft: what
    remains costs nothing, and the next change set of this stack replaces it."""
    try:
        region.cloudformation.delete_change_set(ChangeSetName=draft.id)
        if draft.new_stack and not _summaries(region, draft.stack_id):
            delete_shell(region, draft.stack_id)
    except AwsError:
        return


def failures(region: AwsRegion, change_set_id: str) -> tuple[str, ...]:
    """Why pre-deployment validation failed a change set; empty when AWS does not say.
    https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeEvents.html"""
    asked = region.cloudformation.get_paginator("describe_events")
    reasons: list[str] = []
    try:
        for page in asked.paginate(ChangeSetName=change_set_id, Filters={"FailedEvents": True}):
            for item in page["OperationEvents"]:
                reason = item.get("ValidationStatusReason") or item.get("HookStatusReason")
                reason = reason or item.get("ResourceStatusReason")
                if reason:
                    reasons.append(f"{item.get('LogicalResourceId', 'template')}: {reason}")
    except AwsError as error:
        # Older permissions lack DescribeEvents: the general reason must do.
        return (f"(details could not be read: {error_code(error)})",)
    return tuple(dict.fromkeys(reasons))


def _read(
    region: AwsRegion, change_set_id: str, page: "DescribeChangeSetOutputTypeDef"
) -> ChangeSet:
    changes = [_change(item) for item in page.get("Changes", [])]
    status, reason = page["Status"], page.get("StatusReason", "")
    execution = page["ExecutionStatus"]
    parameters = {
        one.get("ParameterKey", ""): one.get("ParameterValue", "")
        for one in page.get("Parameters", [])
    }
    while token := page.get("NextToken"):
        page = region.cloudformation.describe_change_set(
            ChangeSetName=change_set_id, IncludePropertyValues=True, NextToken=token
        )
        changes.extend(_change(item) for item in page.get("Changes", []))
    return ChangeSet(
        id=change_set_id,
        status=status,
        reason=reason,
        changes=tuple(changes),
        execution=execution,
        parameters=parameters,
    )


def _change(item: "ChangeTypeDef") -> ResourceChange:
    change = item.get("ResourceChange", {})
    details = [_property(detail) for detail in change.get("Details", [])]
    return ResourceChange(
        action=change.get("Action", ""),
        logical_id=change.get("LogicalResourceId", ""),
        physical_id=change.get("PhysicalResourceId") or None,
        type=change.get("ResourceType", ""),
        replacement=change.get("Replacement"),
        policy_action=change.get("PolicyAction"),
        properties=tuple(dict.fromkeys(details)) or _whole(change),
    )


def _property(detail: "ResourceChangeDetailTypeDef") -> PropertyChange:
    target = detail.get("Target", {})
    name = target.get("Path", "").removeprefix("/Properties/").replace("/", ".")
    return PropertyChange(
        path=name or target.get("Name") or target.get("Attribute", ""),
        before=target.get("BeforeValue"),
        after=target.get("AfterValue"),
        recreation=target.get("RequiresRecreation", "Never"),
    )


def _whole(change: "ResourceChangeTypeDef") -> tuple[PropertyChange, ...]:
    """The properties of a resource that appears or goes: AWS sends them in one piece."""
    before = _properties(change.get("BeforeContext"))
    after = _properties(change.get("AfterContext"))
    return tuple(
        PropertyChange(
            path=name, before=before.get(name), after=after.get(name), recreation="Never"
        )
        for name in dict.fromkeys((*before, *after))
    )


def _properties(context: str | None) -> dict[str, str]:
    try:
        found = json.loads(context or "{}").get("Properties", {})
    except ValueError:  # for people only: a context that is cut short is left out
        return {}
    return {
        name: value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
        for name, value in found.items()
    }
