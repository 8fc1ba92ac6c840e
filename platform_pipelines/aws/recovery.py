"""What brings a stuck stack back: its resources, its last operation, and the calls that go on.

Each call is asked once for each token, and returns as soon as CloudFormation has accepted it.
Called by provisioning's `recover` only.
https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ContinueUpdateRollback.html
"""

import json
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from platform_pipelines.aws import cloudformation
from platform_pipelines.aws.cloudformation import StackEvent
from platform_pipelines.aws.region import AwsError, AwsRegion

STACK = "AWS::CloudFormation::Stack"
# A stack's own events with which an operation begins; what follows belongs to it, rollbacks too.
BEGINNINGS = frozenset(
    {"CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS", "IMPORT_IN_PROGRESS"}
)
GOING_BACK = "UPDATE_ROLLBACK_IN_PROGRESS"
DELETED = "DELETE_COMPLETE"
KEPT = "DELETE_SKIPPED"  # it is there, but no longer the stack's


@dataclass(frozen=True, slots=True, kw_only=True)
class StackResource:
    """One resource of a stack, as CloudFormation knows it."""

    logical_id: str
    physical_id: str  # empty when it was never made
    type: str
    status: str
    reason: str

    @property
    def left(self) -> bool:
        """Whether it exists, the stack's or not."""
        return bool(self.physical_id) and self.status != DELETED

    @property
    def owned(self) -> bool:
        """Whether it exists and is the stack's, so that it goes with it."""
        return self.left and self.status != KEPT

    def __str__(self) -> str:
        physical = f" {self.physical_id}" if self.physical_id else ""
        return f"{self.logical_id} ({self.type}{physical})"


def resources(region: AwsRegion, stack_id: str) -> tuple[StackResource, ...]:
    """Every resource of a stack, with those that it has deleted."""
    pages = region.cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack_id)
    return tuple(
        StackResource(
            logical_id=item["LogicalResourceId"],
            physical_id=item.get("PhysicalResourceId", ""),
            type=item["ResourceType"],
            status=item["ResourceStatus"],
            reason=item.get("ResourceStatusReason", ""),
        )
        for page in pages
        for item in page["StackResourceSummaries"]
    )


def deletion_policies(region: AwsRegion, stack_id: str) -> Mapping[str, str]:
    """The DeletionPolicy of each resource in the template that the stack has now; `Delete` where
    it says nothing. Empty when the template cannot be read as JSON."""
    body: Any = region.cloudformation.get_template(StackName=stack_id)["TemplateBody"]
    if isinstance(body, str):
        try:
            body = json.loads(body)
        except ValueError:
            return {}
    return {
        name: str(resource.get("DeletionPolicy", "Delete"))
        for name, resource in body.get("Resources", {}).items()
    }


def last_operation(region: AwsRegion, stack_id: str) -> tuple[StackEvent, ...]:
    """The events of a stack's last operation and of all attempts to undo it, oldest first. Empty
    when they cannot be read: then only the resources say what is wrong."""
    try:
        events = cloudformation.events_since(region, stack_id, seen="")
    except AwsError:
        return ()
    begun = [at for at, one in enumerate(events) if _of_stack(one) and one.status in BEGINNINGS]
    return tuple(events[begun[-1] if begun else 0 :])


def failed_going_back(events: Sequence[StackEvent]) -> frozenset[str]:
    """The resources that the last rollback of an update failed at: only they can be skipped."""
    back = [at for at, one in enumerate(events) if _of_stack(one) and one.status == GOING_BACK]
    since = events[back[-1] :] if back else ()
    return frozenset(one.logical_id for one in since if one.root_cause and not _of_stack(one))


def outside(
    resources: Iterable[StackResource], events: Iterable[StackEvent]
) -> tuple[StackResource, ...]:
    """What an operation left in the account, no longer the stack's; by its events also where the
    stack's resources do not say so any more."""
    told = (
        StackResource(
            logical_id=one.logical_id,
            physical_id=one.physical_id,
            type=one.type,
            status=one.status,
            reason=one.reason,
        )
        for one in events
        if one.status == KEPT
    )
    listed = (one for one in resources if one.left and not one.owned)
    return tuple({one.logical_id: one for one in (*told, *listed)}.values())


def made(events: Iterable[StackEvent]) -> frozenset[str]:
    """The resources that an operation has made: a rollback deletes them."""
    return frozenset(one.logical_id for one in events if one.status == "CREATE_COMPLETE")


def continue_rollback(region: AwsRegion, stack_id: str, skip: Iterable[str]) -> None:
    """Go on undoing an update, and leave these resources as they are."""
    named = sorted(skip)
    skipped: dict[str, Any] = {"ResourcesToSkip": named} if named else {}
    region.cloudformation.continue_update_rollback(
        StackName=stack_id, ClientRequestToken=_token(), **skipped
    )


def roll_back(region: AwsRegion, stack_id: str) -> None:
    """Undo an operation that failed with its rollback disabled."""
    region.cloudformation.rollback_stack(StackName=stack_id, ClientRequestToken=_token())


def delete(region: AwsRegion, stack_id: str, keep: Iterable[str] = ()) -> None:
    """Delete a stack; `keep` only where a deletion has failed already."""
    named = sorted(keep)
    kept: dict[str, Any] = {"RetainResources": named} if named else {}
    region.cloudformation.delete_stack(StackName=stack_id, ClientRequestToken=_token(), **kept)


def _of_stack(event: StackEvent) -> bool:
    return event.type == STACK


def _token() -> str:
    return uuid.uuid4().hex
