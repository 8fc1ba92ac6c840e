"""IAM roles that an AWS service takes for one thing of ours, and the statements of their policies.

No role has a name: IAM knows no Regions, and CloudFormation's own names never collide. Each can be
taken only for the resources named (`sources`), so that no other account's thing can borrow it.
"""

from collections.abc import Sequence
from typing import Any

from troposphere.iam import Policy, Role

from platform_pipelines.model import Platform

Statement = dict[str, Any]


def service_role(
    platform: Platform,
    title: str,
    service: str,
    statements: Sequence[Statement],
    sources: Sequence[str] = (),
) -> Role:
    """The role of `<service>.amazonaws.com` with these statements; `sources` are ARNs or patterns of
    what the service works for. Without any, the service sends none (Chatbot)."""
    trust = trusting(service)
    if sources:
        trust["Condition"] = {
            "StringEquals": {"aws:SourceAccount": platform.account},
            "ArnLike": {"aws:SourceArn": list(sources)},
        }
    return Role(
        title,
        AssumeRolePolicyDocument=document([trust]),
        Policies=[Policy(PolicyName="work", PolicyDocument=document(statements))],
    )


def trusting(service: str) -> Statement:
    """The statement of a trust policy by which `<service>.amazonaws.com` takes a role."""
    return {
        "Effect": "Allow",
        "Principal": {"Service": f"{service}.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }


def document(statements: Sequence[Statement]) -> dict[str, Any]:
    """A policy document."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


def allow(
    actions: Sequence[str], resources: Any, condition: dict[str, Any] | None = None
) -> Statement:
    """One statement that allows `actions` (of one service or of several) on `resources`."""
    found: Statement = {"Effect": "Allow", "Action": list(actions), "Resource": resources}
    return found | ({"Condition": condition} if condition else {})
