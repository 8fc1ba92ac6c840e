"""Whether EFS may replicate: its role must be there, and the keys of both file systems usable.

Where it may not, EFS pauses a replication, and goes on with it as soon as it may again.
https://docs.aws.amazon.com/efs/latest/ug/monitoring-replication-status.html
"""

from typing import Any

from platform_pipelines.local import ministack
from platform_pipelines.local.aws import efs_records as records
from platform_pipelines.local.aws import stores
from platform_pipelines.local.aws.efs_records import Record
from platform_pipelines.local.aws.efs_replication import members, regions
from platform_pipelines.local.aws.kms_keys import enabled
from platform_pipelines.local.aws.service import Call, Fault, Result


def why_not(account: str, record: Record) -> str | None:
    """Why EFS may not replicate now; None if it may."""
    role = record["Destinations"][0].get("RoleArn")
    if role and _asked(account, regions(record)[0], "iam", "GetRole", RoleName=_last(role)) is None:
        return f"Authorization error: EFS cannot assume the role {role}."
    for region, identifier in zip(regions(record), members(record), strict=True):
        key = _key(account, region, identifier)
        if key and enabled(account, region, key) is None:
            return f"Authorization error: EFS cannot use the KMS key {key} in {region}."
    return None


def _key(account: str, region: str, identifier: str) -> str | None:
    found = records.store("file_systems").get_scoped(account, region, identifier)
    return str(found["KmsKeyId"]) if found and found.get("KmsKeyId") else None


def _asked(account: str, region: str, service: str, operation: str, **params: Any) -> Result | None:
    """What another service answers; None if it refuses."""
    call = Call(
        service=service,
        operation=operation,
        params=params,
        region=region,
        account=account,
        request_id="efs",
    )
    with ministack.scope(account, region):
        try:
            return stores.ask(call)
        except Fault:
            return None


def _last(arn: str) -> str:
    return arn.rpartition("/")[2]
