"""The KMS keys that other services are given: each has to be in its Region, and enabled.

By an id, an ARN or an alias; each service says in words of its own that there is none.
"""

from platform_pipelines.local import ministack


def enabled(account: str, region: str, key: str) -> str | None:
    """The ARN of a key that a Region has and can use."""
    with ministack.scope(account, region):
        record = ministack.service("kms")._resolve_key(key)
    return str(record["Arn"]) if record and record["KeyState"] == "Enabled" else None
