"""The KMS keys of secrets and their replicas, each looked up in its own Region."""

from platform_pipelines.local.aws.kms_keys import enabled

_AWS = "alias/aws/secretsmanager"  # AWS's own, which is always there


def is_usable(account: str, region: str, key: str | None) -> bool:
    """Whether a Region has this key, enabled; without one it is AWS's own."""
    if not key or key.endswith(_AWS):
        return True
    return enabled(account, region, key) is not None
