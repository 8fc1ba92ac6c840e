"""CloudFormation stacks of one Region: their state, their events, and how they are protected.

Change sets are in `change_sets`. A stack that may vanish (a failed first create is deleted) is
followed by its id, because a name no longer finds it. Called by provisioning only.
https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStacks.html
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from platform_pipelines.aws.region import AwsError, AwsRegion, error_code
from platform_pipelines.clock import Clock

if TYPE_CHECKING:
    from mypy_boto3_cloudformation.type_defs import StackEventTypeDef, StackTypeDef

POLL = 5.0  # AWS-like seconds; DescribeStackEvents throttles
SLOWEST = 15.0  # AWS-like seconds between two looks at an operation that has run for long
PATIENCE = 0.05  # of the time that an operation has taken so far, until the next look
SHELL = "REVIEW_IN_PROGRESS"  # a stack that has change sets and nothing else
GONE = "DELETE_COMPLETE"

# Reasons that only say that something else failed.
_CONSEQUENCES = (
    "Resource creation cancelled",
    "Resource update cancelled",
    "The following resource(s)",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StackState:
    """A stack as its Region describes it."""

    name: str
    id: str
    status: str
    reason: str = ""
    outputs: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)
    protected: bool = False  # termination protection
    updated: str = ""  # when it was made or changed last, ISO UTC

    @property
    def busy(self) -> bool:
        """Whether an operation runs; a shell only waits for a person."""
        return self.status.endswith("_IN_PROGRESS") and self.status != SHELL


@dataclass(frozen=True, slots=True, kw_only=True)
class StackEvent:
    """One line of a stack's history."""

    id: str
    logical_id: str
    physical_id: str
    type: str
    status: str
    reason: str
    at: datetime

    @property
    def root_cause(self) -> bool:
        """Whether this failed by itself, and not because something else did."""
        return self.status.endswith("_FAILED") and not self.reason.startswith(_CONSEQUENCES)

    def __str__(self) -> str:
        reason = f": {self.reason}" if self.reason else ""
        return f"{self.logical_id} ({self.type}) {self.status}{reason}"


def describe(region: AwsRegion, name_or_id: str) -> StackState | None:
    """A stack; None if there is none. A deleted one is found by its id only."""
    try:
        found = region.cloudformation.describe_stacks(StackName=name_or_id)["Stacks"]
    except ClientError as error:
        if error_code(error) == "ValidationError" and "does not exist" in str(error):
            return None
        raise
    return _state(found[0]) if found else None


def physical_ids(region: AwsRegion, stack_id: str) -> dict[str, str]:
    """The physical id of each resource of a stack, by its logical id."""
    pages = region.cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack_id)
    return {
        item["LogicalResourceId"]: item.get("PhysicalResourceId", "")
        for page in pages
        for item in page["StackResourceSummaries"]
    }


def protect(region: AwsRegion, name: str) -> None:
    """Refuse the deletion of this stack until a person lifts the protection."""
    region.cloudformation.update_termination_protection(
        StackName=name, EnableTerminationProtection=True
    )


def set_policy(region: AwsRegion, name: str, policy: str) -> None:
    """Say which updates of a stack's resources are refused, whoever asks for them.
    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/protect-stack-resources.html"""
    region.cloudformation.set_stack_policy(StackName=name, StackPolicyBody=policy)


def delete_shell(region: AwsRegion, stack_id: str) -> None:
    """Delete a stack that has never had a resource; anything else is left alone."""
    state = describe(region, stack_id)
    if state is not None and state.status == SHELL:
        region.cloudformation.delete_stack(StackName=stack_id)


def last_event(region: AwsRegion, stack_id: str) -> str | None:
    """The id of the newest event: what is newer belongs to the next operation. None when events
    cannot be read: then an operation is followed without them."""
    try:
        found = region.cloudformation.describe_stack_events(StackName=stack_id)["StackEvents"]
    except AwsError:
        return None
    return found[0]["EventId"] if found else None


def events_since(region: AwsRegion, stack_id: str, seen: str) -> list[StackEvent]:
    """What happened after the event `seen`, oldest first. Pages back only as far as needed."""
    found: list[StackEvent] = []
    pages = region.cloudformation.get_paginator("describe_stack_events").paginate(
        StackName=stack_id
    )
    for page in pages:
        for item in page["StackEvents"]:
            if item["EventId"] == seen:
                return found[::-1]
            found.append(_event(item))
    return found[::-1]


def follow(
    region: AwsRegion,
    stack_id: str,
    seen: str | None,
    tell: Callable[[StackEvent], None],
    clock: Clock,
    stop: threading.Event,
    ended: Callable[[], bool] = lambda: True,
) -> tuple[StackState | None, tuple[StackEvent, ...]]:
    """Wait until the stack's operation has ended; returns its last state and its events. `ended`
    says whether the operation that we mean is over, since the status may still be the one before.
    Events are for people: not being able to read them is no failure. Raises: Stopped."""
    events: list[StackEvent] = []
    waited = 0.0
    while True:
        state = describe(region, stack_id)
        for event in _readable_events(region, stack_id, events[-1].id if events else seen):
            events.append(event)
            tell(event)
        if (state is None or not state.busy) and ended():
            return state, tuple(events)
        pause = min(max(POLL, waited * PATIENCE), SLOWEST)
        clock.sleep(pause, stop)
        waited += pause


def root_cause(events: tuple[StackEvent, ...]) -> StackEvent | None:
    """The first event that failed by itself."""
    return next((event for event in events if event.root_cause), None)


def _readable_events(region: AwsRegion, stack_id: str, seen: str | None) -> list[StackEvent]:
    try:
        return events_since(region, stack_id, seen) if seen else []
    except AwsError:
        return []  # the next look reads them; the state of the stack decides, not its history


def _state(item: "StackTypeDef") -> StackState:
    return StackState(
        name=item["StackName"],
        id=item.get("StackId", item["StackName"]),
        status=item["StackStatus"],
        reason=item.get("StackStatusReason", ""),
        outputs={
            one.get("OutputKey", ""): one.get("OutputValue", "") for one in item.get("Outputs", [])
        },
        parameters={
            one.get("ParameterKey", ""): one.get("ParameterValue", "")
            for one in item.get("Parameters", [])
        },
        protected=item.get("EnableTerminationProtection", False),
        updated=_iso(item.get("LastUpdatedTime") or item.get("CreationTime")),
    )


def _iso(time: datetime | None) -> str:
    return time.astimezone(UTC).isoformat() if time else ""


def _event(item: "StackEventTypeDef") -> StackEvent:
    return StackEvent(
        id=item["EventId"],
        logical_id=item.get("LogicalResourceId", ""),
        physical_id=item.get("PhysicalResourceId", ""),
        type=item.get("ResourceType", ""),
        status=item.get("ResourceStatus", ""),
        reason=item.get("ResourceStatusReason", ""),
        at=item["Timestamp"],
    )
