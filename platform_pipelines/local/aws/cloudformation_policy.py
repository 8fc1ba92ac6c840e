"""Stack policies: which updates of which resources a stack allows.

Once a stack has a policy, everything that no statement allows is refused, and a Deny wins.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/protect-stack-resources.html
"""

import fnmatch
import json
from typing import Any

MODIFY, REPLACE, DELETE = "Update:Modify", "Update:Replace", "Update:Delete"
_ACTIONS = (MODIFY, REPLACE, DELETE, "Update:*")


def denial(policy: str, action: str, name: str, kind: str) -> str | None:
    """Why a policy does not let this be done to a resource; None if it does."""
    if not policy:
        return None
    allowed = False
    for number, statement in enumerate(_list(json.loads(policy).get("Statement", [])), 1):
        if not _meets(statement, action, name, kind):
            continue
        if statement.get("Effect") == "Deny":
            return _denied(number, statement, name)
        allowed = True
    return None if allowed else "Action not allowed by stack policy"


def is_policy(text: str) -> bool:
    """Whether a text has the form of a stack policy."""
    try:
        body = json.loads(text)
    except ValueError:
        return False
    if not isinstance(body, dict) or not isinstance(body.get("Statement"), list | dict):
        return False
    return all(map(_is_statement, _list(body["Statement"])))


def _is_statement(one: Any) -> bool:
    if not isinstance(one, dict) or one.get("Effect") not in ("Allow", "Deny"):
        return False
    if one.get("Principal") != "*" or not {"Resource", "NotResource"} & one.keys():
        return False
    actions = _list(one.get("Action") or one.get("NotAction"))
    return bool(actions) and all(action in _ACTIONS for action in actions)


def _denied(number: int, statement: dict[str, Any], name: str) -> str:
    actions = ", ".join(_list(statement.get("Action") or statement.get("NotAction")))
    return (
        f"Action denied by stack policy: Statement [#{number}] does not allow [{actions}] "
        f"for resource [LogicalResourceId/{name}]"
    )


def _meets(statement: dict[str, Any], action: str, name: str, kind: str) -> bool:
    resource = f"LogicalResourceId/{name}"
    return (
        _among(statement, "Action", action)
        and _among(statement, "Resource", resource)
        and _condition(statement.get("Condition") or {}, kind)
    )


def _among(statement: dict[str, Any], key: str, value: str) -> bool:
    if f"Not{key}" in statement:
        return not _any(statement[f"Not{key}"], value)
    return _any(statement.get(key, []), value)


def _any(patterns: Any, value: str) -> bool:
    return any(fnmatch.fnmatchcase(value, pattern) for pattern in _list(patterns))


def _condition(condition: dict[str, Any], kind: str) -> bool:
    """ResourceType is the one key that there is."""
    equals = condition.get("StringEquals", {}).get("ResourceType")
    like = condition.get("StringLike", {}).get("ResourceType")
    if equals is not None and kind not in _list(equals):
        return False
    return like is None or _any(like, kind)


def _list(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
