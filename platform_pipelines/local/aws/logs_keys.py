"""Which KMS keys a log group may be encrypted with: those that let CloudWatch Logs use them.

Unlike most services, CloudWatch Logs uses a key as itself and not as its caller, so that the key's
own policy has to name it: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
"""

from dataclasses import replace
from fnmatch import fnmatchcase

from platform_pipelines.local.aws import stores
from platform_pipelines.local.aws.kms_keys import enabled
from platform_pipelines.local.aws.policy_documents import allows, listed, statements
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
    if not key.startswith(f"arn:aws:kms:{call.region}:") or ":key/" not in key:
        return False  # CloudWatch Logs takes neither aliases nor ids
    return enabled(call.account, call.region, key) is not None


def _policy(call: Call, key: str) -> str:
    asked = replace(call, service="kms", operation="GetKeyPolicy")
    return str(stores.ask(asked, {"KeyId": key, "PolicyName": "default"})["Policy"])


def _lets_in(policy: str, region: str) -> bool:
    principal = f"logs.{region}.amazonaws.com"
    granted = [
        pattern
        for statement in statements(policy)
        if allows(statement, principal)
        for pattern in listed(statement.get("Action", []))
    ]
    return all(any(fnmatchcase(one, pattern) for pattern in granted) for one in _NEEDED)
