from typing import Any

import pytest

from platform_pipelines.ledger_records import IncidentState
from platform_pipelines.provisioning import text
from platform_pipelines.provisioning.planned import Action, Plan, UnitPlan
from tests.provisioning.world import World


@pytest.fixture
def world() -> World:
    """Two empty Regions."""
    return World()


@pytest.fixture
def applied(world: World) -> World:
    """Two Regions in which everything has been applied."""
    world.apply()
    world.log.clear()
    return world


def _unit(plan: Plan, alias: str, stack: str) -> UnitPlan:
    return next(one for one in plan.units if one.key == (alias, stack))


def test_planning_from_nothing_leaves_nothing_behind(world: World) -> None:
    """Change sets and the shells made for them are gone; no ledger is needed."""
    plan = world.plan()
    assert {one.action for one in plan.units} == {Action.CREATE}
    assert world.open_change_sets() == []
    assert not any(one.stacks for one in world.cloudformation.values())
    assert world.calls("ExecuteChangeSet") == []


def test_values_of_stacks_that_do_not_exist_are_not_known_yet(world: World) -> None:
    """They are named, at the unit and at each property; the others are shown."""
    files = _unit(world.plan(), "tokyo", "files")
    assert "Vpc (output Vpc of tokyo/network)" in files.unknown
    group = next(one for one in files.changes if one.logical_id == "MountTargets")
    values = {one.path: one.after for one in group.properties}
    assert values["VpcId"] == "not known yet: output Vpc of tokyo/network"
    assert values["GroupDescription"] == "NFS from the cluster"


def test_nothing_to_do_is_said_for_each_stack(applied: World) -> None:
    """A plan of what is there has no changes."""
    plan = applied.plan()
    assert {one.action for one in plan.units} == {Action.NOTHING}
    assert not plan.changes
    assert text.summary(plan) == f"Stacks: {len(plan.units)} nothing to do."
    assert applied.open_change_sets() == []


def _older_network(template: dict[str, Any]) -> None:
    template["Resources"]["Vpc"]["Properties"]["EnableDnsSupport"] = False
    template["Resources"]["Gone"] = {"Type": "AWS::EC2::Subnet", "Properties": {}}
    del template["Resources"]["S3Endpoint"]


def test_each_property_is_shown_before_and_after(applied: World) -> None:
    """Added, changed and removed resources have their signs."""
    applied.cloudformation["tokyo"].changed("peccy-network", _older_network)
    plan = applied.plan()
    assert [one.key for one in plan.units if one.action is Action.UPDATE] == [("tokyo", "network")]
    lines = text.text(plan).splitlines()
    start = lines.index("tokyo/network: update")
    assert lines[start + 1] == "  - Gone  AWS::EC2::Subnet"
    assert lines[start + 2] == "  + S3Endpoint  AWS::EC2::VPCEndpoint"
    change = lines.index("  ~ Vpc  AWS::EC2::VPC")
    assert lines[change + 1] == "      EnableDnsSupport: false → true"


def test_the_table_counts_the_changes_of_a_stack(applied: World) -> None:
    """One row a stack, one a property."""
    applied.cloudformation["tokyo"].changed("peccy-network", _older_network)
    table = text.markdown(applied.plan())
    assert "| tokyo/network | update | 1 | 1 |  | 1 |  |  |" in table
    row = "| tokyo/network/Vpc | AWS::EC2::VPC | Modify | EnableDnsSupport | false | true |"
    assert row in table


def test_a_loss_of_data_is_named(applied: World) -> None:
    """With the words that would allow it."""

    def edit(template: dict[str, Any]) -> None:
        resource = template["Resources"]["FileSystemPictures"]
        resource["Properties"]["Encrypted"] = False
        resource["UpdateReplacePolicy"] = "Delete"

    applied.cloudformation["tokyo"].changed("peccy-files", edit)
    plan = applied.plan()
    assert _unit(plan, "tokyo", "files").losses == ("tokyo/files/FileSystemPictures",)
    assert text.summary(plan).endswith("Data would be lost: tokyo/files/FileSystemPictures.")
    assert "is replaced  LOSES DATA" in text.text(plan)


def test_an_output_that_is_still_to_come_is_not_known_yet(applied: World) -> None:
    """The stack exists, but waits for a value that another one does not give yet."""
    del applied.stack("tokyo", "network").outputs["Vpc"]
    files = _unit(applied.plan(), "tokyo", "files")
    assert files.action is Action.LATER
    assert files.unknown == ("Vpc (output Vpc of tokyo/network)",)


def test_a_refused_change_set_is_shown_with_its_reason(world: World) -> None:
    """The others are planned all the same."""
    world.cloudformation["seoul"].refusing["peccy-network"] = "the limit of VPCs is reached"
    plan = world.plan()
    (failed,) = plan.failed
    assert failed.key == ("seoul", "network")
    assert "the limit of VPCs is reached" in failed.reason
    assert not any(one.stacks for one in world.cloudformation.values())


def test_a_dark_region_is_shown_as_such(applied: World) -> None:
    """In quiet times its stacks cannot be planned."""
    applied.wires["tokyo"].dark = True
    plan = applied.plan()
    assert {one.alias for one in plan.failed} == {"tokyo"}
    assert "tokyo does not answer" in plan.failed[0].reason


def test_a_settled_incident_leaves_the_old_side_out(applied: World) -> None:
    """As apply would."""
    applied.ledger.say("tokyo", 2, IncidentState.SETTLED)
    applied.wires["seoul"].dark = True
    plan = applied.plan()
    assert _unit(plan, "seoul", "network").action is Action.SETTLED
    assert _unit(plan, "seoul", "ledger").action is Action.UNREACHABLE
    assert _unit(plan, "tokyo", "network").action is Action.NOTHING
    assert plan.failed == ()


def test_a_cut_value_shows_that_it_is_cut(world: World) -> None:
    """Policies are longer than a line."""
    lines = text.text(world.plan()).splitlines()
    assert any(line.endswith("…") for line in lines)
    assert all(len(line) < 260 for line in lines if "not known yet" not in line)
