"""The bucket through which the stages of the pipelines hand over; part of stack `delivery`.

What lies there is made again by a push, so it goes after some days; the bucket itself is kept.
"""

from troposphere import Ref, Template
from troposphere.s3 import (
    AbortIncompleteMultipartUpload,
    Bucket,
    BucketPolicy,
    LifecycleConfiguration,
    LifecycleRule,
    NoncurrentVersionExpiration,
    ServerSideEncryptionByDefault,
    VersioningConfiguration,
)

from cfn import buckets
from cfn.names import KEPT
from cfn.service_role import document
from platform_pipelines.model import Platform, Region

BUCKET = "Artifacts"
DAYS = 30


def add(template: Template, platform: Platform, region: Region) -> None:
    """The Region's artifacts bucket: encrypted with the Region's key, TLS only, never public."""
    name = platform.artifacts_bucket(region)
    template.add_resource(_bucket(name))
    template.add_resource(
        BucketPolicy(
            "ArtifactsPolicy",
            Bucket=Ref(BUCKET),
            PolicyDocument=document([buckets.tls_only(name)]),
        )
    )


def _bucket(name: str) -> Bucket:
    key = ServerSideEncryptionByDefault(SSEAlgorithm="aws:kms", KMSMasterKeyID=Ref("Key"))
    return Bucket(
        BUCKET,
        BucketName=name,
        LifecycleConfiguration=LifecycleConfiguration(Rules=[_expiry()]),
        VersioningConfiguration=VersioningConfiguration(Status="Enabled"),
        **buckets.closed(key),
        **KEPT,
    )


def _expiry() -> LifecycleRule:
    return LifecycleRule(
        Id="artifacts",
        Status="Enabled",
        ExpirationInDays=DAYS,
        NoncurrentVersionExpiration=NoncurrentVersionExpiration(NoncurrentDays=1),
        AbortIncompleteMultipartUpload=AbortIncompleteMultipartUpload(DaysAfterInitiation=1),
    )
