"""A stack's tags reach everything that can carry them, as the schemas of AWS say."""

import functools
import json
from pathlib import Path
from typing import Any

import cfnlint
import pytest

from platform_pipelines.local.aws import cloudformation_seams as seams
from platform_pipelines.local.aws import cloudformation_tags as tags
from platform_pipelines.local.world import World
from tests.local.aws.stacks import Stacks, files, in_still_world, network, resource, template

SCHEMAS = Path(cfnlint.__file__).parent / "data/schemas"
# Of these the schemas say nothing about tags, although they have a property for them.
UNSAID = {"AWS::CodeBuild::Project": "Tags"}


@functools.cache
def kinds() -> dict[str, str]:
    """The file of each type's schema in Seoul's Region."""
    text = (SCHEMAS / "providers/ap-northeast-2.json").read_text()
    found: dict[str, str] = json.loads(text)
    return found


def schema(kind: str) -> dict[str, Any]:
    """A type as AWS has it."""
    text = (SCHEMAS / f"resources/{kinds()[kind]}.json").read_text()
    found: dict[str, Any] = json.loads(text)
    return found


@pytest.mark.parametrize("kind", sorted(seams.SUPPORTED))
def test_the_property_with_the_tags_is_the_schemas(kind: str) -> None:
    """Its name and its form; and whether CloudFormation adds its own tags."""
    found = schema(kind)
    tagging = found.get("tagging", {})
    name = tagging.get("tagProperty", "").rpartition("/")[2] if tagging.get("taggable") else ""
    name = name or UNSAID.get(kind, "")
    form = {"array": tags.LIST, "object": tags.MAP}
    wanted = (name, form[found["properties"][name]["type"]]) if name else None
    assert tags.property_of(kind) == wanted
    own = tagging.get("cloudFormationSystemTags", True)
    assert (kind in tags.WITHOUT_OWN) == (wanted is not None and not own)


def test_tags_of_a_stack_come_and_go_with_an_update(world: World) -> None:
    """On types of several services; a role does not get CloudFormation's own."""
    stacks = in_still_world(world)
    trust = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}}
    body = template(
        **network(),
        Address=resource("AWS::EC2::EIP", Domain="vpc"),
        Files=files(),
        Zone=resource("AWS::Route53::HostedZone", Name="tags.example.com"),
        Role=resource(
            "AWS::IAM::Role",
            AssumeRolePolicyDocument={"Statement": [trust | {"Action": "sts:AssumeRole"}]},
        ),
    )

    def apply(value: str) -> str:
        return stacks.apply("seoul", "tags", body, Tags=[{"Key": "team", "Value": value}])

    assert apply("one") == "CREATE_COMPLETE"
    assert found(stacks) == {"address": "one", "files": "one", "zone": "one", "role": "one"}
    role = stacks.world.aws("iam").list_roles()["Roles"][0]["RoleName"]
    names = [one["Key"] for one in stacks.world.aws("iam").list_role_tags(RoleName=role)["Tags"]]
    assert names == ["team"]
    assert apply("two") == "UPDATE_COMPLETE"
    assert found(stacks) == {"address": "two", "files": "two", "zone": "two", "role": "two"}


def found(stacks: Stacks) -> dict[str, str]:
    """The value of the tag `team`, asked of each service."""
    ec2, efs, iam, route53 = (stacks.world.aws(name) for name in ("ec2", "efs", "iam", "route53"))
    zone = route53.list_hosted_zones()["HostedZones"][0]["Id"].rpartition("/")[2]
    role = iam.list_roles()["Roles"][0]["RoleName"]
    asked = {"ResourceType": "hostedzone", "ResourceId": zone}
    lists = {
        "address": ec2.describe_addresses()["Addresses"][0]["Tags"],
        "files": efs.describe_file_systems()["FileSystems"][0]["Tags"],
        "zone": route53.list_tags_for_resource(**asked)["ResourceTagSet"]["Tags"],
        "role": iam.list_role_tags(RoleName=role)["Tags"],
    }
    return {
        name: next(one["Value"] for one in listed if one["Key"] == "team")
        for name, listed in lists.items()
    }
