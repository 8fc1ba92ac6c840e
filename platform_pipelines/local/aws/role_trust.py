"""Whether a service may assume a role: there is such a role, and its trust policy names the service.

CodePipeline, CodeBuild and FIS try it before they take a role; each says it in words of its own.
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_terms-and-concepts.html
"""

import json
from typing import Any

from platform_pipelines.local import ministack


def is_assumable(arn: str, principal: str) -> bool:
    """Whether `principal`, as codebuild.amazonaws.com, is let into the account's role of this ARN."""
    role = ministack.service("iam")._roles.get(arn.rpartition("/")[2])
    if role is None or role["Arn"] != arn:
        return False
    return any(_lets_in(one, principal) for one in _statements(role["AssumeRolePolicyDocument"]))


def _statements(document: Any) -> list[dict[str, Any]]:
    """ministack keeps a template's policy as it is written there, and a caller's as text."""
    policy = json.loads(document) if isinstance(document, str) else document
    return _listed(policy.get("Statement", []))


def _lets_in(statement: dict[str, Any], principal: str) -> bool:
    trusted = statement.get("Principal", {})
    services = _listed(trusted.get("Service", [])) if isinstance(trusted, dict) else []
    return statement.get("Effect") == "Allow" and principal in services


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
