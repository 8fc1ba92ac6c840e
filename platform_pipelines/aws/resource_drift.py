"""What one resource of a stack really is, beside what its stack's template said of it.

CloudFormation looks at once and answers in the same call; only properties that stand in the template
are compared. A type that it cannot compare is `UNSUPPORTED`, however AWS says so. Called by
`dangers`, before a resource is modified.
https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DetectStackResourceDrift.html
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from platform_pipelines.aws.region import AwsRegion, error_code

if TYPE_CHECKING:
    from mypy_boto3_cloudformation.type_defs import PropertyDifferenceTypeDef

UNSUPPORTED = "UNSUPPORTED"


class Reality(StrEnum):
    """What a comparison came to."""

    AS_SAID = "as the template said"
    CHANGED = "changed"
    GONE = "gone"
    UNKNOWN = "unknown"
    NOT_COMPARABLE = "not comparable"  # CloudFormation does not know how


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One property that is not as the template said."""

    path: str  # as `/BackupPolicy/Status`
    expected: str | None  # None: the template does not have it
    actual: str | None  # None: it is not there


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceDrift:
    """One resource beside its template."""

    reality: Reality
    differences: tuple[Difference, ...] = ()
    reason: str = ""  # why it is unknown


_STATUSES = {
    "IN_SYNC": Reality.AS_SAID,
    "MODIFIED": Reality.CHANGED,
    "DELETED": Reality.GONE,
    "NOT_CHECKED": Reality.NOT_COMPARABLE,
    UNSUPPORTED: Reality.NOT_COMPARABLE,
}


def detect(region: AwsRegion, stack_id: str, logical_id: str) -> ResourceDrift:
    """Compare one resource with the template that its stack was last given."""
    try:
        found = region.cloudformation.detect_stack_resource_drift(
            StackName=stack_id, LogicalResourceId=logical_id
        )["StackResourceDrift"]
    except ClientError as error:
        if error_code(error) == "ValidationError" and "not supported" in str(error):
            return ResourceDrift(reality=Reality.NOT_COMPARABLE)
        raise
    status = str(found["StackResourceDriftStatus"])
    return ResourceDrift(
        reality=_STATUSES.get(status, Reality.UNKNOWN),
        differences=tuple(difference(one) for one in found.get("PropertyDifferences", [])),
        reason=found.get("DriftStatusReason", "") or status,
    )


def difference(item: "PropertyDifferenceTypeDef") -> Difference:
    """AWS writes a value that is not there as the text `null`."""
    kind = item["DifferenceType"]
    return Difference(
        path=item["PropertyPath"],
        expected=None if kind == "ADD" else item["ExpectedValue"],
        actual=None if kind == "REMOVE" else item["ActualValue"],
    )
