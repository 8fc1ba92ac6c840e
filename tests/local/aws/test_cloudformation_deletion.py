"""Deletions of stacks; and operations that hang, fail, stand still or are killed."""

import asyncio
import json

import pytest

from platform_pipelines.local.world import Outage, World
from tests.local.aws.stack_calls import (
    LOGIN,
    created,
    fault,
    value,
    world_of,
)
from tests.local.aws.stacks import (
    Stacks,
    eks_cluster,
    files,
    global_cluster,
    in_still_world,
    instance,
    member,
    network,
    parameter,
    template,
)


@pytest.fixture
def stacks(world: World) -> Stacks:
    """The stacks of a world of this test's own."""
    return in_still_world(world)


def test_a_deletion_waits_for_what_it_deletes_and_keeps_what_is_retained(stacks: Stacks) -> None:
    """Dependents first; Retain stays, and its event says so."""
    kept = files() | {"DeletionPolicy": "Retain"}
    body = template(
        Global=global_cluster("gone"),
        It=member("gone-1", GlobalClusterIdentifier={"Ref": "Global"}, **LOGIN),
        One=instance("It"),
        Kept=kept,
    )
    assert created(stacks, "gone", body) == "CREATE_COMPLETE"
    stack = stacks.describe("seoul", "gone")
    assert stack is not None
    stacks.client("seoul").delete_stack(StackName="gone")
    assert stacks.end("seoul", stack["StackId"]) == "DELETE_COMPLETE"
    events = stacks.events("seoul", stack["StackId"])
    assert ("Kept", "DELETE_SKIPPED") in events
    done = [name for name, status in events if status == "DELETE_COMPLETE"]
    assert done == ["One", "It", "Global", "gone"]
    rds = stacks.world.aws("rds")
    assert rds.describe_db_clusters()["DBClusters"] == []
    assert len(stacks.world.aws("efs").describe_file_systems()["FileSystems"]) == 1


def test_a_deletion_that_fails_is_tried_again_without_the_resource(stacks: Stacks) -> None:
    """DELETE_FAILED names it; RetainResources leaves it behind."""
    created(stacks, "held", template(Global=global_cluster("held", DeletionProtection=True)))
    stack = stacks.describe("seoul", "held")
    assert stack is not None
    assert stacks.delete("seoul", "held") == "DELETE_FAILED"
    assert "Global" in stacks.failures("seoul", "held")
    assert stacks.delete("seoul", "held", RetainResources=["Global"]) == "DELETE_COMPLETE"
    assert len(stacks.world.aws("rds").describe_global_clusters()["GlobalClusters"]) == 1


def test_a_deletion_may_be_forced(stacks: Stacks) -> None:
    """FORCE_DELETE_STACK leaves what cannot be deleted."""
    created(stacks, "forced", template(Global=global_cluster("forced", DeletionProtection=True)))
    assert stacks.delete("seoul", "forced") == "DELETE_FAILED"
    forced = {"DeletionMode": "FORCE_DELETE_STACK"}
    assert stacks.delete("seoul", "forced", **forced) == "DELETE_COMPLETE"


def test_a_cluster_leaves_a_snapshot_by_default(stacks: Stacks) -> None:
    """DeletionPolicy of a DB cluster is Snapshot, if the template does not say."""
    cluster = member("leaves", **LOGIN)
    del cluster["DeletionPolicy"]
    created(stacks, "leaves", template(It=cluster))
    assert stacks.delete("seoul", "leaves") == "DELETE_COMPLETE"
    found = stacks.world.aws("rds").describe_db_cluster_snapshots()["DBClusterSnapshots"]
    assert [one["DBClusterIdentifier"] for one in found] == ["leaves"]


def test_a_creation_may_be_deleted_in_its_middle(stacks: Stacks) -> None:
    """What was begun is waited for, and then deleted."""
    body = template(**network(), Cluster=eks_cluster())
    stacks.client("seoul").create_stack(StackName="half", TemplateBody=json.dumps(body))
    stacks.wait(60)
    assert stacks.delete("seoul", "half") == "DELETE_COMPLETE"
    assert stacks.world.aws("eks").list_clusters()["clusters"] == []


def test_a_resource_may_never_be_ready(stacks: Stacks) -> None:
    """The fault holds the operation up until it is gone."""
    end = fault(stacks, "hung/A", "never")
    body = json.dumps(template(A=files(), B=files()))
    stacks.client("seoul").create_stack(StackName="hung", TemplateBody=body)
    stacks.wait(3600)
    events = stacks.events("seoul", "hung")
    assert ("B", "CREATE_COMPLETE") in events
    assert ("A", "CREATE_COMPLETE") not in events
    end()
    assert stacks.end("seoul", "hung") == "CREATE_COMPLETE"


def test_a_resource_may_fail_to_become_ready(stacks: Stacks) -> None:
    """NotStabilized, and the rollback that follows."""
    fault(stacks, "fails/A", "failed")
    body = json.dumps(template(A=files()))
    stacks.client("seoul").create_stack(StackName="fails", TemplateBody=body)
    assert stacks.end("seoul", "fails") == "ROLLBACK_FAILED"
    assert "HandlerErrorCode: NotStabilized" in stacks.failures("seoul", "fails")["A"]


@pytest.mark.parametrize("mode", [Outage.HANG, Outage.CONTROL_PLANE])
def test_a_region_whose_control_plane_stands_still_parks_its_stacks(
    stacks: Stacks, mode: Outage
) -> None:
    """They go on when it is back, while the other Region's are not touched."""
    world, body = world_of(stacks), json.dumps(template(A=files()))
    for alias in ("seoul", "tokyo"):
        stacks.client(alias).create_stack(StackName="parked", TemplateBody=body)
    stacks.wait(1)
    world.outages["seoul"] = mode
    stacks.wait(3600)
    assert stacks.events("seoul", "parked") == [("parked", "CREATE_IN_PROGRESS")]
    assert stacks.status("tokyo", "parked") == "CREATE_COMPLETE"
    del world.outages["seoul"]
    assert stacks.end("seoul", "parked") == "CREATE_COMPLETE"


def test_a_killed_server_goes_on_with_the_operation_that_it_was_at(
    stacks: Stacks, world: World
) -> None:
    """At any moment: a new process has the same stack, task and timer."""
    asyncio.run(_killed_every_second(stacks, world))


async def _killed_every_second(stacks: Stacks, world: World) -> None:
    body = template(A=files(), B=parameter("1", Name="b") | {"DependsOn": "A"})
    world.vault.open()
    stacks.client("seoul").create_stack(StackName="goes-on", TemplateBody=json.dumps(body))
    lives = 0
    while stacks.status("seoul", "goes-on") == "CREATE_IN_PROGRESS":
        world.vault.close()
        world = World(
            platform=world.platform,
            state=world.state,
            ports=world.ports,
            clock=type(world.clock)(),
            ca_pem=world.ca_pem,
        )
        stacks, lives = in_still_world(world), lives + 1
        assert world.vault.open()
        stacks.wait(1)
    assert stacks.status("seoul", "goes-on") == "CREATE_COMPLETE"
    assert value(stacks, "b") == "1"
    assert lives > 10
    world.vault.close()
