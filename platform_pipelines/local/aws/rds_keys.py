"""The KMS keys that encrypt clusters and snapshots, as RDS looks them up in their Region."""

import uuid

from platform_pipelines.local.aws.kms_keys import enabled
from platform_pipelines.local.aws.service import Call, Fault


def find(call: Call, identifier: str) -> str:
    """The ARN of a key that the call's Region has. Raises: Fault."""
    arn = enabled(call.account, call.region, identifier)
    if arn is None:
        message = (
            f"The specified KMS key [{identifier}] does not exist, is not enabled or you do not "
            "have permissions to access it."
        )
        raise Fault("KMSKeyNotAccessibleFault", message)
    return arn


def default(call: Call) -> str:
    """The ARN of the key that AWS manages for RDS in this Region: one for each account."""
    name = f"{call.account}/{call.region}/aws/rds"
    return f"arn:aws:kms:{call.region}:{call.account}:key/{uuid.uuid5(uuid.NAMESPACE_URL, name)}"
