import json
from dataclasses import replace
from typing import Any

import pytest
from troposphere import Ref, Template
from troposphere.ec2 import VPC

import cfn
from cfn import Unit
from platform_pipelines.aws import templates
from platform_pipelines.ledger_records import IncidentState
from platform_pipelines.model import Born, Member, Platform, Region
from platform_pipelines.provisioning import apply, plan
from platform_pipelines.provisioning.inputs import TemplateTooLarge
from platform_pipelines.provisioning.outcome import Ending, Outcome
from platform_pipelines.provisioning.planned import Action
from tests.provisioning.world import GLOBAL, World

NETWORK = ("tokyo", "network")


def _with(size: int, name: str) -> Any:
    """The stack's template, with a resource whose text makes it so large."""
    built = next(stack for stack in cfn.STACKS if stack.name == name).build

    def build(platform: Platform, region: Region) -> Template:
        template = built(platform, region)
        template.add_resource(VPC("Large", CidrBlock="x" * size))
        return template

    return build


def _units(world: World, size: int, name: str = "network") -> list[Unit]:
    """All units, those of one stack with a large template."""
    return [
        replace(unit, stack=replace(unit.stack, build=_with(size, name)))
        if unit.stack.name == name
        else unit
        for unit in cfn.units(world.platform)
    ]


def _apply(world: World, units: list[Unit]) -> dict[tuple[str, str], Outcome]:
    ended: list[Outcome] = []
    apply.apply(world.run(), units, ended.append)
    return {one.key: one for one in ended}


@pytest.fixture
def applied() -> World:
    """Both Regions applied."""
    world = World()
    world.apply()
    world.log.clear()
    return world


def test_a_large_template_goes_through_the_bucket_of_its_region(applied: World) -> None:
    """Named by its digest, and stored once."""
    units = _units(applied, templates.INLINE)
    plan.plan(applied.run(), units)
    ended = _apply(applied, units)
    assert ended[NETWORK].ending is Ending.APPLIED
    unit = next(unit for unit in units if unit.key == NETWORK)
    digest = templates.digest(cfn.render(applied.platform, unit))
    request = applied.cloudformation["tokyo"].requests[-1]
    assert "TemplateBody" not in request
    assert request["TemplateURL"] == (
        f"https://{applied.platform.control_bucket(unit.region)}.s3.ap-northeast-1.amazonaws.com"
        f"/templates/{digest}.json"
    )
    assert applied.calls("PutObject").count("tokyo") == 1


def test_without_the_bucket_the_reason_says_what_to_apply(applied: World) -> None:
    """It is part of stack control."""
    bucket = applied.platform.control_bucket(applied.platform.region("tokyo"))
    del applied.s3["tokyo"].buckets[bucket]
    ended = _apply(applied, _units(applied, templates.INLINE))
    assert ended[NETWORK].ending is Ending.FAILED
    assert f"the bucket {bucket}, which does not exist yet" in ended[NETWORK].reason


def test_a_template_that_no_way_can_carry_is_refused_before_any_call(applied: World) -> None:
    """All of them at once, with their sizes; of plan and apply alike."""
    units = _units(applied, templates.LARGEST)
    for act in (lambda: _apply(applied, units), lambda: plan.plan(applied.run(), units)):
        with pytest.raises(TemplateTooLarge, match=r"seoul/network has \d+, tokyo/network has"):
            act()
    assert applied.log == []


def test_a_region_that_must_be_left_alone_keeps_the_values_it_gave(applied: World) -> None:
    """An incident is settled and Seoul dark: what Tokyo took from it stays as it is."""
    parameters = applied.stack("tokyo", "alerts").parameters
    taken = [
        name
        for unit in cfn.units(applied.platform)
        if unit.key == ("tokyo", "alerts")
        for name, output in unit.stack.parameters.items()
        if output.region is cfn.Where.OTHER
    ]
    assert taken
    assert all(parameters[name] for name in taken)
    applied.ledger.say("tokyo", 2, IncidentState.SETTLED)
    applied.wires["seoul"].dark = True
    units = [unit for unit in cfn.units(applied.platform) if unit.key == ("tokyo", "alerts")]
    found = plan.plan(applied.run(), units)
    assert [unit.action for unit in found.units] == [Action.NOTHING]


def test_cloudformation_works_as_its_own_role_once_there_is_one() -> None:
    """Until stack access is applied nothing but the caller's own permissions can be used."""
    world = World()
    world.apply(("seoul", "ledger"), ("seoul", "network"))
    assert all("RoleARN" not in one for one in world.cloudformation["seoul"].requests)
    world.apply()
    world.cloudformation["seoul"].changed("peccy-network", lambda template: template.update(A=1))
    world.apply()
    last = world.cloudformation["seoul"].requests[-1]
    assert last["StackName"] == "peccy-network"
    assert last["RoleARN"] == world.stack("seoul", "access").outputs["StacksRole"]


def _clusters(world: World, alias: str) -> list[dict[str, Any]]:
    template = world.stack(alias, "database").template
    return [
        one["Properties"]
        for one in template["Resources"].values()
        if one["Type"] == "AWS::RDS::DBCluster"
    ]


def test_the_ledger_records_how_each_db_cluster_was_born(applied: World) -> None:
    """Home's was first and has credentials; the other joined."""
    assert applied.ledger.stacks.members() == {
        ("peccy", "seoul"): Member(generation=1, born=Born.FIRST),
        ("peccy", "tokyo"): Member(generation=1, born=Born.JOINED),
    }


def test_a_db_cluster_that_is_built_again_joins_under_a_new_name(applied: World) -> None:
    """Home's stack was deleted, its cluster retained: the next one takes no credentials."""
    stack = applied.cloudformation["seoul"].stacks.pop("peccy-database")
    assert stack.template
    applied.databases.writers[GLOBAL] = applied.platform.region("tokyo").name
    applied.ledger.say("tokyo", 2, IncidentState.CLOSED)
    assert applied.apply()["seoul", "database"].ending is Ending.APPLIED
    (cluster,) = _clusters(applied, "seoul")
    assert cluster["DBClusterIdentifier"] == "peccy-peccy-seoul-g2"
    assert "MasterUsername" not in cluster
    assert applied.ledger.stacks.members()["peccy", "seoul"] == Member(
        generation=2, born=Born.JOINED
    )
    assert set(applied.endings().values()) == {Ending.UNCHANGED}  # and it stays so


def test_references_reach_cloudformation_as_troposphere_wrote_them(applied: World) -> None:
    """Nothing of a template is resolved by us."""
    network = applied.stack("tokyo", "network").template
    assert network["Outputs"]["Vpc"]["Value"] == json.loads(json.dumps(Ref("Vpc").to_dict()))
