import pytest

from platform_pipelines.failover.work import Work
from platform_pipelines.ledger_records import IncidentState, Outcome, Roles, record
from tests.fakes.failover_world import World

STEP = "move_traffic"
BUCKET = "peccy-traffic-111122223333-ap-northeast-1"


@pytest.fixture
def work(world: World) -> Work:
    """A run whose service is verified in Tokyo."""
    world.files.end("fs-seoul")
    world.aurora.writer = "ap-northeast-1"
    for group in world.services["tokyo"]["eks"].groups.values():
        group.desired = 6
    return _verified(world.started())


def _verified(work: Work) -> Work:
    with work.step("verify_service"):
        pass
    return work


def _back_home(world: World) -> Work:
    """Tokyo has served since epoch 2, and went dark; a run brings the service home."""
    world.aurora.writer = "ap-northeast-2"
    world.services["tokyo"]["s3"].buckets[BUCKET] = {"serving"}
    ledger = world.ledger("seoul")
    ledger.table.put("roles/current", record(Roles(active="tokyo", standby="seoul", epoch=2)))
    world.propose(epoch=2, target="seoul", id="inc-2-20261122T030000Z")
    ledger.change_incident(world.incident(), state=IncidentState.OPEN)
    ledger.take_lease(world.incident().id, "run-1", None)
    incident = ledger.last_incident()
    assert incident is not None
    return Work(aws=world.aws(), ledger=ledger, incident=incident, holder="run-1")


def test_one_object_moves_the_hosts(world: World, work: Work) -> None:
    """It is written in the non-home Region's bucket, then the host is asked anew."""
    step = world.execute(work, STEP)
    assert step.outcome is Outcome.DONE
    assert world.services["tokyo"]["s3"].buckets == {BUCKET: {"serving"}}
    assert world.calls("PutObject") == ["tokyo"]
    assert [call["resource"] for call in step.calls] == [f"{BUCKET}/serving"]


def test_the_first_write_of_a_client_is_kept(world: World, work: Work) -> None:
    """Through the host, not the Region's own name; a later attempt does not move it."""
    world.execute(work, STEP)
    first = world.incident().first_write_at
    assert first is not None
    assert world.writes[-1] == ("api.peccy.example.com", "tokyo")
    world.clock.advance(100)
    world.execute(work, STEP)
    assert world.incident().first_write_at == first


def test_there_is_no_way_back_once_traffic_moves(world: World, work: Work) -> None:
    """Also when EFS and Aurora had been turned by hand, so that no step passed that point."""
    assert not world.incident().point_of_no_return
    world.execute(work, STEP)
    assert world.incident().point_of_no_return


def test_a_host_that_does_not_move_fails_the_step(world: World, work: Work) -> None:
    """The health checks did not follow; the step says where to look."""
    world.services["tokyo"]["s3"].__dict__["put_object"] = lambda **_: {}
    step = world.execute(work, STEP)
    assert step.outcome is Outcome.FAILED
    assert "www.peccy.example.com in tokyo is not there after 300 s" in step.detail
    assert "Route 53" in step.detail


def test_going_home_deletes_the_object(world: World) -> None:
    """Home serves when there is no object."""
    work = _back_home(world)
    step = world.execute(_verified(work), STEP)
    assert step.outcome is Outcome.DONE
    assert world.services["tokyo"]["s3"].buckets == {BUCKET: set()}


def test_going_home_from_a_dark_region_records_what_is_left(world: World) -> None:
    """The object's Region cannot be reached: the checks cannot read it either."""
    work = _verified(_back_home(world))
    world.black_out("tokyo")
    step = world.execute(work, STEP)
    assert step.outcome is Outcome.DONE
    assert {"left": True, "resource": f"{BUCKET}/serving"}.items() <= step.resources[0].items()
    assert world.writes[-1] == ("api.peccy.example.com", "seoul")
