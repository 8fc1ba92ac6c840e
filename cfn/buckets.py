"""What all buckets have in common: closed to the public, owned by the account, spoken to over TLS."""

from typing import Any

from troposphere.s3 import (
    BucketEncryption,
    OwnershipControls,
    OwnershipControlsRule,
    PublicAccessBlockConfiguration,
    ServerSideEncryptionByDefault,
    ServerSideEncryptionRule,
)


def closed(encryption: ServerSideEncryptionByDefault) -> dict[str, Any]:
    """Properties of a bucket that nobody can open to the public, with its default encryption."""
    return {
        "BucketEncryption": BucketEncryption(
            ServerSideEncryptionConfiguration=[
                ServerSideEncryptionRule(ServerSideEncryptionByDefault=encryption)
            ]
        ),
        "OwnershipControls": OwnershipControls(
            Rules=[OwnershipControlsRule(ObjectOwnership="BucketOwnerEnforced")]
        ),
        "PublicAccessBlockConfiguration": PublicAccessBlockConfiguration(
            BlockPublicAcls=True,
            BlockPublicPolicy=True,
            IgnorePublicAcls=True,
            RestrictPublicBuckets=True,
        ),
    }


def by_s3() -> ServerSideEncryptionByDefault:
    """SSE-S3: whoever may read the object needs no right to a key."""
    return ServerSideEncryptionByDefault(SSEAlgorithm="AES256")


def tls_only(bucket: str) -> dict[str, Any]:
    """The statement of a bucket's policy that refuses all other ways to speak to it."""
    arn = f"arn:aws:s3:::{bucket}"
    return {
        "Sid": "TlsOnly",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [arn, f"{arn}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
