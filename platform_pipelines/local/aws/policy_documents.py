"""Policies as IAM writes them: a statement or a list of them, and so with services and actions.

Read by the services that look into a policy before they do what they are asked for.
"""

import json
from typing import Any

Statement = dict[str, Any]


def statements(document: Any) -> list[Statement]:
    """The statements of a policy, as text or as the values that ministack keeps of a template's."""
    policy = json.loads(document) if isinstance(document, str) else document
    return listed(policy.get("Statement", []))


def allows(statement: Statement, service: str) -> bool:
    """Whether a statement lets a service in by its name, as sns.amazonaws.com; `*` names none."""
    trusted = statement.get("Principal", {})
    services = listed(trusted.get("Service", [])) if isinstance(trusted, dict) else []
    return statement.get("Effect") == "Allow" and service in services


def listed(value: Any) -> list[Any]:
    """A list, for one that may be written without it."""
    return value if isinstance(value, list) else [value]
