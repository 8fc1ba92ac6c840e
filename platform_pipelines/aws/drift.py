"""CloudFormation's drift detection: what a stack's resources are, beside what its template says.

It compares only properties that the template sets, of types that support it. A stack has one
detection at a time, so somebody else's is awaited. Detecting changes nothing. One resource alone is
`resource_drift`'s. Called by provisioning only.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-stack-drift.html
"""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from botocore.exceptions import ClientError

from platform_pipelines.aws.region import AwsRegion, error_code
from platform_pipelines.aws.resource_drift import Difference, difference
from platform_pipelines.clock import Clock
from platform_pipelines.errors import Failed

if TYPE_CHECKING:
    from mypy_boto3_cloudformation.type_defs import (
        DescribeStackDriftDetectionStatusOutputTypeDef,
        StackResourceDriftTypeDef,
    )

T = TypeVar("T")

POLL = 5.0  # AWS-like seconds
PATIENCE = 1800.0  # AWS-like seconds for one stack
RUNNING = "DETECTION_IN_PROGRESS"
IN_PROGRESS = "already in progress"  # somebody else detects drift of the same stack
THROTTLED = frozenset({"Throttling", "ThrottlingException", "RequestLimitExceeded"})


@dataclass
class DetectionTooSlow(Failed):
    """A drift detection did not end."""

    stack: str

    def __str__(self) -> str:
        return (
            f"The drift detection of {self.stack} has not ended within {PATIENCE / 60:.0f} minutes. "
            f"Run detect_drift again."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One resource that was compared, or could not be."""

    logical_id: str
    physical_id: str
    type: str
    status: str  # IN_SYNC, MODIFIED, DELETED, UNKNOWN; AWS may add some
    reason: str
    differences: tuple[Difference, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Detection:
    """What a detection found."""

    failed: bool  # at least one resource could not be compared
    reason: str
    resources: tuple[Compared, ...]  # every one that was compared


def detect(region: AwsRegion, stack_id: str, clock: Clock, stop: threading.Event) -> Detection:
    """Compare a stack with its template, now. Raises: DetectionTooSlow, Stopped."""
    deadline = clock.monotonic() + PATIENCE

    def wait() -> None:
        if clock.monotonic() >= deadline:
            raise DetectionTooSlow(stack_id)
        clock.sleep(POLL, stop)

    started = _patient(lambda: _started(region, stack_id), wait)
    ended = _ended(region, started, wait)
    compared = _patient(lambda: list(_drifts(region, stack_id)), wait)
    return Detection(
        failed=ended["DetectionStatus"] != "DETECTION_COMPLETE",
        reason=ended.get("DetectionStatusReason", ""),
        resources=tuple(_drift(item) for item in compared),
    )


def stack_policy(region: AwsRegion, stack_id: str) -> str:
    """The body of a stack's policy; empty if it has none."""
    return region.cloudformation.get_stack_policy(StackName=stack_id).get("StackPolicyBody", "")


def _started(region: AwsRegion, stack_id: str) -> str:
    return region.cloudformation.detect_stack_drift(StackName=stack_id)["StackDriftDetectionId"]


def _ended(
    region: AwsRegion, detection: str, wait: Callable[[], None]
) -> "DescribeStackDriftDetectionStatusOutputTypeDef":
    def look() -> "DescribeStackDriftDetectionStatusOutputTypeDef":
        return region.cloudformation.describe_stack_drift_detection_status(
            StackDriftDetectionId=detection
        )

    while (found := _patient(look, wait))["DetectionStatus"] == RUNNING:
        wait()
    return found


def _drifts(region: AwsRegion, stack_id: str) -> Iterator["StackResourceDriftTypeDef"]:
    """Every page; botocore has no paginator for it."""
    page = region.cloudformation.describe_stack_resource_drifts(StackName=stack_id)
    yield from page["StackResourceDrifts"]
    while token := page.get("NextToken"):
        page = region.cloudformation.describe_stack_resource_drifts(
            StackName=stack_id, NextToken=token
        )
        yield from page["StackResourceDrifts"]


def _patient(call: Callable[[], T], wait: Callable[[], None]) -> T:
    """The call's answer, asked again while AWS says that it is too early."""
    while True:
        try:
            return call()
        except ClientError as error:
            if not _early(error):
                raise
        wait()


def _early(error: ClientError) -> bool:
    return error_code(error) in THROTTLED or IN_PROGRESS in str(error)


def _drift(item: "StackResourceDriftTypeDef") -> Compared:
    return Compared(
        logical_id=item["LogicalResourceId"],
        physical_id=item.get("PhysicalResourceId", ""),
        type=item["ResourceType"],
        status=item["StackResourceDriftStatus"],
        reason=item.get("DriftStatusReason", ""),
        differences=tuple(difference(one) for one in item.get("PropertyDifferences", [])),
    )
