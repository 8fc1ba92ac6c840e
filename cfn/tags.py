"""Tags on everything that can carry them: whose it is, which stack made it, and where it lives.

CloudFormation gives the tags of a stack to most of its resources, but not to all, and a change of
them is in no template. So `cfn.render` writes them into each resource; no stack does it by hand.
"""

from collections.abc import Mapping
from typing import Any

from troposphere import BaseAWSObject, Template
from troposphere.dynamodb import GlobalTable
from troposphere.ec2 import LaunchTemplate

from platform_pipelines.model import Platform, Region

Texts = Mapping[str, str]
# What the property is called; the type of a resource has one of them, or none.
NAMES = ("Tags", "FileSystemTags", "AccessPointTags", "HostedZoneTags", "HealthCheckTags")
# What a node group's instances are made of; they carry the tags of their launch template.
LAUNCHED = ("instance", "volume")


def of(platform: Platform, stack: str, region: Region) -> Texts:
    """The tags of all that a stack makes in a Region."""
    return {"platform": platform.platform, "region": region.alias, "stack": stack}


def tagged(template: Template, platform: Platform, stack: str, region: Region) -> dict[str, Any]:
    """A template as plain data, with the tags of its stack; a resource's own tags stay."""
    data: dict[str, Any] = template.to_dict()
    tags = of(platform, stack, region)
    for title, resource in template.resources.items():
        properties = data["Resources"][title].setdefault("Properties", {})
        if isinstance(resource, LaunchTemplate):
            _launched(properties, tags)
        elif isinstance(resource, GlobalTable):
            for replica in properties["Replicas"]:
                there = of(platform, stack, platform.region(replica["Region"]))
                replica["Tags"] = _list(there)
        else:
            _put(resource, properties, tags)
    return data


def _put(resource: BaseAWSObject, properties: dict[str, Any], tags: Texts) -> None:
    """Tags are a list of keys and values, but for a few types, where they are a map."""
    name = next((name for name in NAMES if name in resource.props), None)
    if name is None:
        return
    if resource.props[name][0] is dict:
        properties[name] = {**tags, **properties.get(name, {})}
    else:
        properties[name] = _list(tags) + properties.get(name, [])


def _list(tags: Texts) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def _launched(properties: dict[str, Any], tags: Texts) -> None:
    """The launch template itself, and each kind of thing that is launched from it."""
    data = properties["LaunchTemplateData"]
    own = {one["ResourceType"]: one["Tags"] for one in data.get("TagSpecifications", [])}
    data["TagSpecifications"] = [
        {"ResourceType": kind, "Tags": _list(tags) + own.get(kind, [])} for kind in LAUNCHED
    ]
    properties["TagSpecifications"] = [{"ResourceType": "launch-template", "Tags": _list(tags)}]
