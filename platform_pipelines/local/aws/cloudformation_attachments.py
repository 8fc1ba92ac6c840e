"""What resources of one stack attach to another: no drift of that other one.

Of the stack that is looked at CloudFormation knows who attaches what; of other stacks it does not.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-stack-drift.html
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from platform_pipelines.local.aws.cloudformation_engine import Properties, Stack

_POLICY, _MANAGED, _ROLE = "AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::IAM::Role"
_looking: ContextVar[Stack | None] = ContextVar("looking", default=None)


@contextmanager
def looking_at(stack: Stack) -> Iterator[None]:
    """Read resources as this stack's."""
    token = _looking.set(stack)
    try:
        yield
    finally:
        _looking.reset(token)


def own(kind: str, wanted: Properties, actual: Properties) -> Properties:
    """What a resource is, without what its stack's other resources attach to it."""
    stack = _looking.get()
    if kind != _ROLE or stack is None:
        return actual
    names = {one["Properties"].get("PolicyName") for one in _records(stack, _POLICY)}
    names -= {one["PolicyName"] for one in wanted.get("Policies", [])}
    arns = {one.get("PhysicalResourceId") for one in _records(stack, _MANAGED)}
    arns -= set(wanted.get("ManagedPolicyArns", []))
    return actual | {
        "ManagedPolicyArns": [arn for arn in actual["ManagedPolicyArns"] if arn not in arns],
        "Policies": [one for one in actual["Policies"] if one["PolicyName"] not in names],
    }


def _records(stack: Stack, kind: str) -> list[dict[str, Any]]:
    return [one for one in stack["_resources"].values() if one["ResourceType"] == kind]
