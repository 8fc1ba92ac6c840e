"""Stack `traffic` (each): the bucket whose one object says that the non-home Region serves.

Route 53's checkers read it without credentials, from their published addresses only, so the bucket
is not public and Block Public Access stays on. SSE-S3: a checker could not use a KMS key.
"""

from troposphere import Output, Ref, Template
from troposphere.s3 import Bucket, BucketPolicy

from cfn import buckets
from cfn.names import KEPT
from platform_pipelines.model import Platform, Region

OBJECT = "serving"

# `aws route53 get-checker-ip-ranges`, November 2026; the same for all accounts.
# https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/route-53-ip-addresses.html
CHECKERS = (
    "107.23.255.0/26",
    "15.177.0.0/18",
    "176.34.159.192/26",
    "177.71.207.128/26",
    "54.183.255.128/26",
    "54.228.16.0/26",
    "54.232.40.64/26",
    "54.241.32.64/26",
    "54.243.31.192/26",
    "54.244.52.192/26",
    "54.245.168.0/26",
    "54.248.220.0/26",
    "54.250.253.192/26",
    "54.251.31.128/26",
    "54.252.254.192/26",
    "54.252.79.128/26",
    "54.255.254.192/26",
)


def build(platform: Platform, region: Region) -> Template:
    """The Region's traffic bucket. Outputs: Bucket."""
    template = Template(Description=f"{platform.platform}: the traffic object of {region.name}")
    bucket = template.add_resource(_bucket(platform, region))
    template.add_resource(
        BucketPolicy(
            "Checkers",
            Bucket=Ref(bucket),
            PolicyDocument=_policy(platform.traffic_bucket(region)),
        )
    )
    template.add_output(Output("Bucket", Value=Ref(bucket)))
    return template


def _bucket(platform: Platform, region: Region) -> Bucket:
    return Bucket(
        "Bucket",
        BucketName=platform.traffic_bucket(region),
        **buckets.closed(buckets.by_s3()),
        **KEPT,
    )


def _policy(bucket: str) -> dict[str, object]:
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "Checkers",
                "Effect": "Allow",
                "Principal": "*",
                "Action": "s3:GetObject",
                "Resource": f"arn:aws:s3:::{bucket}/{OBJECT}",
                "Condition": {"IpAddress": {"aws:SourceIp": list(CHECKERS)}},
            },
            buckets.tls_only(bucket),
        ],
    }
