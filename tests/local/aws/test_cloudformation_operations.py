"""Stack operations take their time, in the order of dependencies; a creation that fails goes back."""

import json
from typing import Any

import pytest

from platform_pipelines.local.world import World
from tests.local.aws.stack_calls import (
    broken,
    created,
    value,
    world_of,
)
from tests.local.aws.stacks import (
    CLUSTER,
    Stacks,
    eks_cluster,
    files,
    global_cluster,
    in_still_world,
    network,
    parameter,
    resource,
    template,
)


@pytest.fixture
def stacks(world: World) -> Stacks:
    """The stacks of a world of this test's own."""
    return in_still_world(world)


def test_nothing_happens_while_time_stands_still(stacks: Stacks) -> None:
    """An operation progresses as time is advanced, and not before."""
    body = template(Files=files())
    stacks.client("seoul").create_stack(StackName="still", TemplateBody=json.dumps(body))
    assert stacks.events("seoul", "still") == [("still", "CREATE_IN_PROGRESS")]
    stacks.wait(2)
    assert stacks.events("seoul", "still")[1:] == 2 * [("Files", "CREATE_IN_PROGRESS")]
    assert stacks.status("seoul", "still") == "CREATE_IN_PROGRESS"


def test_a_resource_is_complete_when_its_service_says_so(stacks: Stacks) -> None:
    """A cluster is CREATE_IN_PROGRESS until it is ACTIVE, and what needs it waits."""
    group = resource(
        "AWS::EKS::AccessEntry",
        ClusterName={"Ref": "Cluster"},
        PrincipalArn="arn:aws:iam::111122223333:role/one",
    )
    body = template(**network(), Cluster=eks_cluster(), Entry=group)
    stacks.client("seoul").create_stack(StackName="slow", TemplateBody=json.dumps(body))
    stacks.wait(100)
    eks = stacks.world.aws("eks")
    assert eks.describe_cluster(name=CLUSTER)["cluster"]["status"] == "CREATING"
    assert ("Cluster", "CREATE_COMPLETE") not in stacks.events("seoul", "slow")
    assert "Entry" not in dict(stacks.events("seoul", "slow"))
    assert stacks.end("seoul", "slow") == "CREATE_COMPLETE"
    order = [name for name, status in stacks.events("seoul", "slow") if status == "CREATE_COMPLETE"]
    assert order.index("Vpc") < order.index("SubnetA") < order.index("Cluster")
    assert order[-2:] == ["Entry", "slow"]


def test_what_does_not_depend_on_each_other_is_made_at_the_same_time(stacks: Stacks) -> None:
    """Two file systems take as long as one."""
    now = world_of(stacks).clock.now
    created(stacks, "one", template(A=files()))
    took, start = now() - 1_800_000_000, now()
    created(stacks, "two", template(A=files(), B=files()))
    assert now() - start == took


def test_attributes_that_come_with_readiness_are_there_for_what_needs_them(stacks: Stacks) -> None:
    """A cluster has no endpoint while it is CREATING; its stack's output has it at the end."""
    body = template(**network(), Cluster=eks_cluster())
    body["Outputs"] = {"Url": {"Value": {"Fn::GetAtt": ["Cluster", "Endpoint"]}}}
    assert created(stacks, "ends", body) == "CREATE_COMPLETE"
    assert stacks.outputs("seoul", "ends")["Url"].startswith("https://")


def test_a_condition_may_ask_for_the_region(stacks: Stacks) -> None:
    """Ref AWS::Region has its value in Conditions."""
    body = template(It=parameter("1", Name="in-seoul") | {"Condition": "InSeoul"})
    body["Conditions"] = {"InSeoul": {"Fn::Equals": [{"Ref": "AWS::Region"}, "ap-northeast-2"]}}
    other = template(Other=parameter("1", Name="anywhere"))
    body["Resources"] |= other["Resources"]
    assert created(stacks, "conditions", body) == "CREATE_COMPLETE"
    assert value(stacks, "in-seoul") == "1"
    assert stacks.apply("tokyo", "conditions", body) == "CREATE_COMPLETE"
    names = stacks.world.aws("ssm", "tokyo").describe_parameters()["Parameters"]
    assert [one["Name"] for one in names] == ["anywhere"]


def test_a_creation_that_fails_is_rolled_back(stacks: Stacks) -> None:
    """What was made is deleted, dependents first; the reason is in the events."""
    body = template(Files=files(), It=broken())
    assert created(stacks, "back", body) == "ROLLBACK_COMPLETE"
    assert stacks.world.aws("efs").describe_file_systems()["FileSystems"] == []
    reasons = stacks.failures("seoul", "back")
    assert "Resource handler returned message" in reasons["It"]
    assert reasons["Files"] == "Resource creation cancelled"
    stack = stacks.describe("seoul", "back")
    assert stack is not None
    started = next(
        one
        for one in stacks.client("seoul").describe_stack_events(StackName="back")["StackEvents"]
        if one["ResourceStatus"] == "ROLLBACK_IN_PROGRESS"
    )
    assert started["ResourceStatusReason"] == (
        "The following resource(s) failed to create: [Files, It]. Rollback requested by user."
    )


def test_what_is_retained_survives_the_rollback_of_its_creation_unless_told(stacks: Stacks) -> None:
    """Retain keeps it; RetainExceptOnCreate, as a policy or a parameter, does not."""

    def left(name: str, policy: str, **more: Any) -> int:
        kept = files() | {"DeletionPolicy": policy}
        body = template(Files=kept, Broken=broken() | {"DependsOn": "Files"})
        assert created(stacks, name, body, **more) == "ROLLBACK_COMPLETE"
        return len(stacks.world.aws("efs").describe_file_systems()["FileSystems"])

    assert left("except", "RetainExceptOnCreate") == 0
    assert left("parameter", "Retain", RetainExceptOnCreate=True) == 0
    assert left("retain", "Retain") == 1


def test_without_a_rollback_what_was_made_stays_and_may_be_rolled_back_later(
    stacks: Stacks,
) -> None:
    """DisableRollback: independent resources are finished; RollbackStack removes them."""
    body = template(Files=files(), Broken=broken())
    assert created(stacks, "kept", body, DisableRollback=True) == "CREATE_FAILED"
    found = stacks.world.aws("efs").describe_file_systems()["FileSystems"]
    assert [one["LifeCycleState"] for one in found] == ["available"]
    stacks.client("seoul").rollback_stack(StackName="kept")
    assert stacks.end("seoul", "kept") == "ROLLBACK_COMPLETE"
    assert stacks.world.aws("efs").describe_file_systems()["FileSystems"] == []


def test_a_rollback_that_cannot_delete_says_so(stacks: Stacks) -> None:
    """ROLLBACK_FAILED, with the resource that is left."""
    safe = global_cluster("safe", DeletionProtection=True)
    body = template(Safe=safe, Broken=broken() | {"DependsOn": "Safe"})
    assert created(stacks, "stuck", body) == "ROLLBACK_FAILED"
    stack = stacks.describe("seoul", "stuck")
    assert stack is not None
    assert stack["StackStatusReason"] == "The following resource(s) failed to delete: [Safe]."
