"""The role that CloudFormation acts with for a stack: it must exist, and trust CloudFormation.

A stack keeps the role that it was given last; the local Regions let it do everything.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-iam-servicerole.html
"""

from platform_pipelines.local.aws.cloudformation_engine import Stack
from platform_pipelines.local.aws.role_trust import is_assumable
from platform_pipelines.local.aws.service import Call, Fault

KEY = "RoleARN"
SERVICE = "cloudformation.amazonaws.com"


def expect(call: Call, stack: Stack | None) -> str:
    """The role that a request is carried out with; empty for the caller's own rights.
    Raises: Fault."""
    arn = str(call.params.get(KEY) or (stack or {}).get(KEY) or "")
    if arn and not is_assumable(arn, SERVICE):
        raise Fault("ValidationError", f"Role {arn} is invalid or cannot be assumed")
    return arn


def keep(stack: Stack | None, arn: str) -> None:
    """Remember a stack's role for all that comes."""
    if stack is not None and arn:
        stack[KEY] = arn
