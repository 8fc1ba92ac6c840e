"""Which KMS keys a log group may be encrypted with: those that let CloudWatch Logs use them.

Unlike most services, CloudWatch Logs uses a key as itself and not as its caller, so that the key's
own policy has to name it: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
"""

import json
from collections.abc import Iterable
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Any

from platform_pipelines.local.aws import stores
from platform_pipelines.local.aws.service import Call, Fault

_NEEDED = ("kms:Encrypt", "kms:Decrypt", "kms:GenerateDataKey", "kms:DescribeKey")


def check(call: Call, key: str, group_arn: str) -> None:
    """Raises: Fault, for a key that is not there, or that does not let CloudWatch Logs in."""
    if not _is_there(call, key) or not _lets_in(_policy(call, key), call.region):
        message = (
            "The specified KMS key does not exist or is not allowed to be used with Arn "
            f"'{group_arn}'"
        )
        raise Fault("InvalidParameterException", message)


def _is_there(call: Call, key: str) -> bool:
    asked = replace(call, service="kms", operation="DescribeKey")
    if not key.startswith(f"arn:aws:kms:{call.region}:") or ":key/" not in key:
        return False  # CloudWatch Logs takes neither aliases nor ids
    try:
        return bool(stores.ask(asked, {"KeyId": key})["KeyMetadata"]["KeyState"] == "Enabled")
    except Fault:
        return False


def _policy(call: Call, key: str) -> dict[str, Any]:
    asked = replace(call, service="kms", operation="GetKeyPolicy")
    text = stores.ask(asked, {"KeyId": key, "PolicyName": "default"})["Policy"]
    policy: dict[str, Any] = json.loads(text)
    return policy


def _lets_in(policy: dict[str, Any], region: str) -> bool:
    principal = f"logs.{region}.amazonaws.com"
    granted = [
        pattern
        for statement in _list(policy.get("Statement", []))
        if statement.get("Effect") == "Allow" and principal in _services(statement)
        for pattern in _list(statement.get("Action", []))
    ]
    return all(any(fnmatchcase(one, pattern) for pattern in granted) for one in _NEEDED)


def _services(statement: dict[str, Any]) -> Iterable[str]:
    principal = statement.get("Principal", {})
    if principal == "*":
        return ()  # of this account only, as the condition of such a statement should say
    return [str(one) for one in _list(principal.get("Service", []))]


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
