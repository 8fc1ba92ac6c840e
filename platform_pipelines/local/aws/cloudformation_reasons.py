"""Why something could not be done, as CloudFormation says it; and what is only not possible yet."""

from platform_pipelines.local.aws.cloudformation_engine import Stack
from platform_pipelines.local.aws.cloudformation_records import of
from platform_pipelines.local.aws.service import Fault

# What a service says while it is still at something else: CloudFormation asks again.
BUSY = frozenset(
    {
        "ConcurrentModificationException",
        "DependencyViolation",
        "IncorrectFileSystemLifeCycleState",
        "InvalidDBClusterStateFault",
        "InvalidDBInstanceState",
        "PriorRequestNotComplete",
        "ResourceInUseException",
    }
)
NOT_STABILIZED = "Exceeded attempts to wait"
# What ministack's handlers raise for properties that they cannot take.
HANDLER_ERRORS = (ValueError, LookupError, TypeError, AttributeError)
_CODES = {
    "AlreadyExists": "AlreadyExists",
    "NotFound": "NotFound",
    "Throttling": "Throttling",
    "AccessDenied": "AccessDenied",
    "LimitExceeded": "ServiceLimitExceeded",
    "QuotaExceeded": "ServiceLimitExceeded",
}


def is_busy(fault: Fault) -> bool:
    """Whether a service is still at something else, so that asking again helps."""
    return fault.code in BUSY and not _is_taken(fault)


def told(stack: Stack, message: str, code: str) -> str:
    """A reason as CloudFormation gives it."""
    token = of(stack)["id"]
    return (
        f'Resource handler returned message: "{message}" '
        f"(RequestToken: {token}, HandlerErrorCode: {code})"
    )


def handler_code(fault: Fault) -> str:
    """CloudFormation's own code for a service's error."""
    found = (code for word, code in _CODES.items() if word in fault.code)
    return next(found, "InvalidRequest" if fault.status < 500 else "ServiceInternalError")


def _is_taken(fault: Fault) -> bool:
    """Whether a service is not busy, but has one of this name already."""
    return "already exists" in fault.message.lower() or "already in use" in fault.message.lower()
