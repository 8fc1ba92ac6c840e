"""Everything that can carry tags says whose it is, which stack made it, and where."""

from collections.abc import Iterator
from typing import Any

import pytest
from cfnlint.schema import PROVIDER_SCHEMA_MANAGER
from troposphere import Tags, Template
from troposphere.eks import Nodegroup
from troposphere.kms import Alias
from troposphere.sns import Topic

from cfn import Unit, tags
from tests.cfn import templates
from tests.cfn.templates import PLATFORM, UNITS

# Types that the schemas call untaggable, though their properties have places for tags.
ELSEWHERE = {"AWS::DynamoDB::GlobalTable", "AWS::EC2::LaunchTemplate"}


def _schema(unit: Unit, kind: str) -> Any:
    return PROVIDER_SCHEMA_MANAGER.get_resource_schema(unit.region.name, kind).schema


def _place(schema: Any) -> str | None:
    """The property that CloudFormation's schema names for tags."""
    tagging = schema.get("tagging", {})
    place: str = tagging.get("tagProperty", "/properties/Tags")
    name = place.rpartition("/")[2]
    return name if tagging.get("taggable", True) and name in schema["properties"] else None


def _carried(value: Any) -> dict[str, str]:
    """A list of keys and values, or a map: as a map."""
    if isinstance(value, dict):
        return value
    return {tag["Key"]: tag["Value"] for tag in value or ()}


def _resources() -> Iterator[tuple[Unit, str, Any]]:
    for unit in UNITS:
        for title, resource in templates.template(unit)["Resources"].items():
            yield unit, title, resource


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: "-".join(unit.key))
def test_every_resource_that_can_be_tagged_is(unit: Unit) -> None:
    """The schema of its type says where."""
    wanted = {
        "platform": "peccy",
        "stack": unit.stack.name,
        "region": unit.region.alias,
    }.items()
    for title, resource in templates.template(unit)["Resources"].items():
        place = _place(_schema(unit, resource["Type"]))
        if place is not None:
            assert wanted <= _carried(resource["Properties"].get(place)).items(), title


def test_no_other_type_has_a_place_for_tags() -> None:
    """But for two, whose places the schema does not name."""
    untagged = {
        (unit, resource["Type"])
        for unit, _, resource in _resources()
        if _place(_schema(unit, resource["Type"])) is None
    }
    for unit, kind in untagged:
        places = [name for name in _schema(unit, kind)["properties"] if "Tag" in name]
        assert not places or kind in ELSEWHERE, (kind, places)


def test_the_ledgers_replicas_carry_the_tags_of_their_own_region() -> None:
    """The table itself has none."""
    table = templates.properties("seoul", "ledger", "Ledger")
    found = {one["Region"]: _carried(one["Tags"])["region"] for one in table["Replicas"]}
    assert found == {"ap-northeast-2": "seoul", "ap-northeast-1": "tokyo"}


def test_nodes_and_their_disks_are_tagged_with_their_launch_template() -> None:
    """An instance keeps its name as well."""
    node = templates.properties("tokyo", "cluster", "NodeTemplate")
    specifications = node["LaunchTemplateData"]["TagSpecifications"] + node["TagSpecifications"]
    found = {one["ResourceType"]: _carried(one["Tags"]) for one in specifications}
    assert found.keys() == {"instance", "volume", "launch-template"}
    assert {one["region"] for one in found.values()} == {"tokyo"}
    assert found["instance"]["Name"] == "peccy-node"


def test_no_tag_stands_twice() -> None:
    """CloudFormation refuses two values of a key."""
    for _, title, resource in _resources():
        for name in tags.NAMES:
            found = resource.get("Properties", {}).get(name, [])
            assert len(_carried(found)) == len(found), title


def test_a_map_a_list_and_a_type_without_tags_are_told_apart() -> None:
    """What a resource already says stays."""
    template = Template()
    template.add_resource(
        Nodegroup("Group", ClusterName="c", NodeRole="r", Subnets=["s"], Tags={"own": "1"})
    )
    template.add_resource(Topic("Topic", Tags=Tags(own="1")))
    template.add_resource(Alias("Alias", AliasName="alias/a", TargetKeyId="k"))
    data = tags.tagged(template, PLATFORM, "some", PLATFORM.home_region)
    found = {title: one["Properties"] for title, one in data["Resources"].items()}
    wanted = {"platform": "peccy", "stack": "some", "region": "seoul", "own": "1"}
    assert found["Group"]["Tags"] == wanted
    assert _carried(found["Topic"]["Tags"]) == wanted
    assert "Tags" not in found["Alias"]
