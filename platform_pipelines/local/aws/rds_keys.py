"""The KMS keys that encrypt clusters and snapshots, as RDS looks them up in their Region."""

import uuid
from dataclasses import replace

from platform_pipelines.local.aws import stores
from platform_pipelines.local.aws.service import Call, Fault


def find(call: Call, identifier: str) -> str:
    """The ARN of a key that the call's Region has. Raises: Fault."""
    asked = replace(call, service="kms", operation="DescribeKey")
    try:
        found = stores.ask(asked, {"KeyId": identifier})["KeyMetadata"]
    except Fault:
        raise _not_accessible(identifier) from None
    if found["KeyState"] != "Enabled":
        raise _not_accessible(identifier)
    arn: str = found["Arn"]
    return arn


def default(call: Call) -> str:
    """The ARN of the key that AWS manages for RDS in this Region: one for each account."""
    name = f"{call.account}/{call.region}/aws/rds"
    return f"arn:aws:kms:{call.region}:{call.account}:key/{uuid.uuid5(uuid.NAMESPACE_URL, name)}"


def _not_accessible(identifier: str) -> Fault:
    message = (
        f"The specified KMS key [{identifier}] does not exist, is not enabled or you do not have "
        "permissions to access it."
    )
    return Fault("KMSKeyNotAccessibleFault", message)
