"""Stack `keys` (each): the Region's own KMS key: for databases, files, secrets, topics, artifacts.

One key per Region: a standby that needed a key of the other Region could not be promoted.
"""

from troposphere import GetAtt, Output, Ref, Template
from troposphere.kms import Alias, Key

from cfn.names import KEPT, key_alias, named
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
            KeyPolicy=_policy(platform, region),
            Tags=named(platform.platform),
            **KEPT,
        )
    )
    template.add_resource(Alias("KeyAlias", AliasName=key_alias(platform), TargetKeyId=Ref(key)))
    template.add_output(Output("KeyArn", Value=GetAtt(key, "Arn")))
    return template


def _policy(platform: Platform, region: Region) -> dict[str, object]:
    """The account decides by IAM who may use the key; AWS's own senders have no IAM role."""
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "Account",
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:aws:iam::{platform.account}:root"},
                "Action": "kms:*",
                "Resource": "*",
            },
            _sender("Alarms", "cloudwatch", {"aws:SourceAccount": platform.account}),
            _sender(
                "Pipelines",
                "codestar-notifications",
                {"kms:ViaService": f"sns.{region.name}.amazonaws.com"},
            ),
        ],
    }


def _sender(sid: str, service: str, condition: dict[str, str]) -> dict[str, object]:
    """A service that publishes to an encrypted topic.
    https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html#compatibility-with-aws-services
    """
    return {
        "Sid": sid,
        "Effect": "Allow",
        "Principal": {"Service": f"{service}.amazonaws.com"},
        "Action": ["kms:Decrypt", "kms:GenerateDataKey*"],
        "Resource": "*",
        "Condition": {"StringEquals": condition},
    }
