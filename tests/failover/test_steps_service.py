from platform_pipelines.ledger_records import Outcome
from tests.fakes.failover_world import World

STEP = "verify_service"


def _ready(world: World) -> None:
    """Everything that the service needs is there."""
    world.files.end("fs-seoul")
    world.aurora.writer = "ap-northeast-1"
    for name, group in world.services["tokyo"]["eks"].groups.items():
        group.desired = {"manage": 3, "web": 6, "app": 6}[name]


def _verify(world: World) -> None:
    work = world.started()
    for name in ("promote_efs", "promote_aurora", "scale_node_groups"):
        with work.step(name):
            pass
    world.execute(work, STEP)


def test_a_write_through_the_regional_host_proves_the_service(world: World) -> None:
    """Created, read back, removed; where no write is declared, the health path answers."""
    _ready(world)
    _verify(world)
    step = world.step(STEP)
    assert step.outcome is Outcome.DONE
    assert world.writes == [("tokyo.api.peccy.example.com", "tokyo")]
    assert world.hobbies == {}
    hosts = {one["resource"]: one.get("address") for one in step.resources}
    assert hosts["peccy-web"] == hosts["peccy-app"] == "192.0.2.2"


def test_it_waits_for_ready_deployments(world: World) -> None:
    """Pods need nodes; without them it gives up after its time box."""
    _ready(world)
    world.services["tokyo"]["eks"].groups["app"].desired = 0
    _verify(world)
    step = world.step(STEP)
    assert step.outcome is Outcome.FAILED
    assert "Readiness of all Deployments in tokyo is not there after 600 s" in step.detail
    assert world.writes == []


def test_a_service_that_only_reads_is_not_verified(world: World) -> None:
    """The database is not the writer: pages load, and the step fails with the answer."""
    _ready(world)
    world.aurora.writer = "ap-northeast-2"
    _verify(world)
    step = world.step(STEP)
    assert step.outcome is Outcome.FAILED
    assert "tokyo.api.peccy.example.com" in step.detail
    assert "503, not 201" in step.detail


def test_it_keeps_asking_until_the_service_recovers(world: World) -> None:
    """Pods in back-off need a moment after the database takes writes."""
    _ready(world)
    world.aurora.failing = (50.0, "ap-northeast-1")
    _verify(world)
    assert world.step(STEP).outcome is Outcome.DONE
    assert world.clock.monotonic() >= 50


def test_no_deployment_at_all_is_not_ready(world: World) -> None:
    """An empty cluster has no Deployment that is not ready."""
    _ready(world)
    world.deployments["tokyo"].clear()
    work = world.started()
    for name in ("promote_efs", "promote_aurora", "scale_node_groups"):
        with work.step(name):
            pass
    assert world.execute(work, STEP).outcome is Outcome.FAILED
