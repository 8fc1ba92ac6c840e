"""Stack `registry` (each): the ECR repositories, copied to the other Region at each push.

Replication goes both ways, so that a build may push to either Region; images are referenced by
digest, and a tag never moves.
"""

import json

from troposphere import Template
from troposphere.ecr import (
    ImageScanningConfiguration,
    LifecyclePolicy,
    ReplicationConfiguration,
    ReplicationConfigurationProperty,
    ReplicationDestination,
    ReplicationRule,
    Repository,
)

from cfn.names import KEPT, logical
from platform_pipelines.model import Platform, Region

# An image of an index counts as untagged; ECR spares it as long as the index is there.
UNTAGGED_DAYS = 14


def build(platform: Platform, region: Region) -> Template:
    """The Region's repositories and where they are copied to."""
    template = Template(Description=f"{platform.platform}: the images in {region.name}")
    for name in sorted({service.repository for service in platform.services}):
        template.add_resource(_repository(name))
    destination = ReplicationDestination(
        Region=platform.other(region.alias).name, RegistryId=platform.account
    )
    template.add_resource(
        ReplicationConfiguration(
            "Replication",
            ReplicationConfiguration=ReplicationConfigurationProperty(
                Rules=[ReplicationRule(Destinations=[destination])]
            ),
        )
    )
    return template


def _repository(name: str) -> Repository:
    words = name.replace("/", "-").replace(".", "-")
    return Repository(
        logical("Repository", words),
        RepositoryName=name,
        ImageTagMutability="IMMUTABLE",
        ImageScanningConfiguration=ImageScanningConfiguration(ScanOnPush=True),
        LifecyclePolicy=LifecyclePolicy(LifecyclePolicyText=_lifecycle()),
        **KEPT,
    )


def _lifecycle() -> str:
    rule = {
        "rulePriority": 1,
        "description": f"untagged for {UNTAGGED_DAYS} days",
        "selection": {
            "tagStatus": "untagged",
            "countType": "sinceImagePushed",
            "countUnit": "days",
            "countNumber": UNTAGGED_DAYS,
        },
        "action": {"type": "expire"},
    }
    return json.dumps({"rules": [rule]}, separators=(",", ":"))
