"""Stack `keys` (each): the Region's own KMS key, which encrypts its databases and file systems.

One key per Region: a standby that needed a key of the other Region could not be promoted.
"""

from troposphere import GetAtt, Output, Ref, Template
from troposphere.kms import Alias, Key

from cfn.names import KEPT, named
from platform_pipelines.model import Platform, Region


def build(platform: Platform, region: Region) -> Template:
    """The Region's key. Outputs: KeyArn."""
    template = Template(Description=f"{platform.platform}: the key of {region.name}")
    key = template.add_resource(
        Key(
            "Key",
            Description=f"Data of {platform.platform} in {region.name}",
            EnableKeyRotation=True,
            PendingWindowInDays=30,
            KeyPolicy=_policy(platform),
            Tags=named(platform.platform),
            **KEPT,
        )
    )
    template.add_resource(
        Alias("KeyAlias", AliasName=f"alias/{platform.platform}", TargetKeyId=Ref(key))
    )
    template.add_output(Output("KeyArn", Value=GetAtt(key, "Arn")))
    return template


def _policy(platform: Platform) -> dict[str, object]:
    """The account decides by IAM who may use the key."""
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "Account",
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:aws:iam::{platform.account}:root"},
                "Action": "kms:*",
                "Resource": "*",
            }
        ],
    }
