from botocore.exceptions import EndpointConnectionError

from platform_pipelines.ledger_records import Outcome
from tests.fakes.failover_world import World

STEP = "scale_node_groups"
UPDATE = "UpdateNodegroupConfig"


def test_node_groups_get_the_counts_of_an_active_region(world: World) -> None:
    """Minimum, desired and maximum together; what has them already is not asked."""
    step = world.execute(world.started(), STEP)
    assert step.outcome is Outcome.DONE
    assert world.counts("tokyo") == {"manage": (3, 3, 6), "web": (6, 6, 12), "app": (6, 6, 12)}
    assert world.calls(UPDATE) == ["tokyo", "tokyo"]


def test_done_is_nodes_that_are_ready_not_a_setting(world: World) -> None:
    """EKS accepts in 90 s, the nodes join 60 s later."""
    work = world.started()
    step = world.execute(work, STEP)
    assert step.ended is not None
    assert (step.ended - step.started).total_seconds() >= 150
    ready = {one["resource"]: one["ready"] for one in step.resources}
    assert ready == {"manage": 3, "web": 6, "app": 6}


def test_while_another_update_runs_it_waits_for_that_one(world: World) -> None:
    """ResourceInUse is no failure."""
    work = world.started()
    group = world.services["tokyo"]["eks"].groups["web"]
    group.busy_until = world.clock.monotonic() + 40
    step = world.execute(work, STEP)
    assert step.outcome is Outcome.DONE
    assert any("ResourceInUse" in call.get("error", "") for call in step.calls)
    assert world.counts("tokyo")["web"] == (6, 6, 12)


def test_one_attempt_repeats_its_request_under_one_token(world: World) -> None:
    """So that EKS answers with the same update; another attempt has another token."""
    work = world.started()
    world.execute(work, STEP)
    tokens = world.services["tokyo"]["eks"].tokens
    assert sorted(tokens) == sorted({f"{work.incident.id}-1-web", f"{work.incident.id}-1-app"})


def test_health_issues_of_a_node_group_fail_the_step(world: World) -> None:
    """Nodes that cannot start do not come by waiting."""
    work = world.started()
    eks = world.services["tokyo"]["eks"]
    eks.joining = 100_000.0
    eks.groups["app"].issues = [{"code": "AsgInstanceLaunchFailures", "message": "no capacity"}]
    step = world.execute(work, STEP)
    assert step.outcome is Outcome.FAILED
    assert "app gets no nodes: AsgInstanceLaunchFailures: no capacity" in step.detail
    assert "health issues" in step.detail


def test_nodes_that_never_come_end_the_wait(world: World) -> None:
    """After the time box, naming the node group."""
    work = world.started()
    world.services["tokyo"]["eks"].joining = 100_000.0
    step = world.execute(work, STEP)
    assert "6 Ready nodes of web is not there after 900 s" in step.detail


def test_more_nodes_than_wanted_stay(world: World) -> None:
    """An autoscaler, or a person, was there first; counts never go down in a failover."""
    work = world.started()
    group = world.services["tokyo"]["eks"].groups["web"]
    group.minimum, group.desired, group.maximum = 0, 9, 20
    world.execute(work, STEP)
    assert world.counts("tokyo")["web"] == (6, 9, 20)


def test_counts_do_not_compound(world: World) -> None:
    """The second failover asks for as many as the first."""
    work = world.started()
    world.execute(work, STEP)
    world.log.clear()
    world.execute(work, STEP)
    assert world.calls(UPDATE) == []


def test_an_unreachable_cluster_fails_the_step_only(world: World) -> None:
    """Its reason is recorded."""
    work = world.started()

    def look(_alias: str, operation: str) -> None:
        if operation == "DescribeCluster":
            raise EndpointConnectionError(endpoint_url="https://eks")

    world.wires["tokyo"].on_call = look
    step = world.execute(work, STEP)
    assert step.outcome is Outcome.FAILED
    assert "describe_cluster in tokyo" in step.detail
