import pytest

from platform_pipelines.errors import Refused
from platform_pipelines.failover import plan
from platform_pipelines.failover.opening import NotSettled
from platform_pipelines.ledger_records import IncidentState, Outcome
from tests.fakes.calls import Killed
from tests.fakes.failover_world import CHANGING, IRREVERSIBLE, Stage, World

SETTLED = {
    "roles": ("tokyo", "seoul", 2),
    "state": IncidentState.SETTLED,
    "replications": 0,
    "protection": "ENABLED",
    "writer": "ap-northeast-1",
    "counts": {"manage": (3, 3, 6), "web": (6, 6, 12), "app": (6, 6, 12)},
    "serving": "tokyo",
    "virgin": False,
}


def _dark(stage: Stage) -> World:
    world = World(stage)
    world.black_out()
    world.propose()
    return world


def test_a_failover_makes_tokyo_active(stage: Stage) -> None:
    """From a dark Seoul to a settled incident, with one call for each change."""
    world = _dark(stage)
    incident = world.run()
    assert world.end_state() == SETTLED
    assert sorted(name for _, name in world.log if name in CHANGING) == [
        "DeleteReplicationConfiguration",
        "FailoverGlobalCluster",
        "PutObject",
        "UpdateNodegroupConfig",
        "UpdateNodegroupConfig",
    ]
    assert incident.first_write_at is not None
    assert world.ledger().lease(incident.id) is None


def test_no_call_to_the_dark_region_is_needed(stage: Stage) -> None:
    """Whatever reaches a Region during the failover, reaches Tokyo."""
    world = _dark(stage)
    world.run()
    assert {alias for alias, _ in world.log} == {"tokyo"}


def test_steps_end_in_the_order_of_the_brief(stage: Stage) -> None:
    """EFS, Aurora, node groups; then the service, then traffic."""
    world = _dark(stage)
    incident = world.run()
    steps = world.ledger().steps(incident.id)
    ends = {step.name: step.ended for step in steps if step.ended}
    in_order = [ends[planned.name] for planned in plan.STEPS]
    assert in_order == sorted(in_order)
    assert ends["promote_efs"] < ends["promote_aurora"] < ends["scale_node_groups"]


@pytest.mark.parametrize("write", ["FailoverGlobalCluster", "PutObject"])
def test_a_write_before_the_move_of_traffic_is_not_a_write_of_clients(
    stage: Stage, write: str
) -> None:
    """The first client's write comes through the host, after DNS has moved."""
    world = _dark(stage)
    world.run()
    hosts = [host for host, _ in world.writes]
    assert hosts == ["tokyo.api.peccy.example.com", "api.peccy.example.com"]
    assert {alias for _, alias in world.writes} == {"tokyo"}
    assert write in [name for _, name in world.log]


def test_a_failed_step_does_not_block_what_does_not_depend_on_it(stage: Stage) -> None:
    """EFS is broken: Aurora and nodes are ready all the same, the rest is skipped with the reason."""
    world = _dark(stage)
    world.files.replications[0].status = "ERROR"
    with pytest.raises(NotSettled) as refused:
        world.run()
    outcomes = {step.name: step.outcome for step in world.ledger().steps(world.incident().id)}
    assert outcomes == {
        "hold_old_side": Outcome.SKIPPED,
        "promote_efs": Outcome.FAILED,
        "promote_aurora": Outcome.DONE,
        "scale_node_groups": Outcome.DONE,
        "verify_service": Outcome.SKIPPED,
        "move_traffic": Outcome.SKIPPED,
    }
    detail = world.step("verify_service").detail
    assert detail == "not tried, because promote_efs is not done"
    assert world.step("move_traffic").detail == "not tried, because verify_service is not done"
    assert world.serving() == "seoul"
    assert "promote_efs: " in str(refused.value)
    assert "Done: promote_aurora, scale_node_groups" in str(refused.value)


def test_a_failed_attempt_stays_open_and_the_next_one_ends_it(stage: Stage) -> None:
    """What is done stays done, and nothing irreversible is asked for twice."""
    world = _dark(stage)
    world.files.replications[0].status = "ERROR"
    with pytest.raises(NotSettled):
        world.run()
    failed = world.incident()
    assert failed.state is IncidentState.OPEN
    assert failed.failure
    world.files.replications[0].status = None
    incident = world.run("run-2")
    assert world.end_state() == SETTLED
    assert incident.failure is None
    assert incident.attempt == 2
    assert len(world.calls(*IRREVERSIBLE)) == 2
    assert "failed" not in world.step("promote_efs").resources[0]


def _killed(world: World, at: int) -> bool:
    """Kill the first run after its n-th change; whether it came so far."""
    world.kill(lambda number, _operation, _key: number == at)
    try:
        world.run("run-1")
    except Killed:
        return True
    finally:
        world.revive()
    return False


def _continued(world: World) -> None:
    """What the sensor does: attempts, until one settles the incident."""
    if world.incident().state is not IncidentState.SETTLED:
        world.run("run-2")


def test_killed_after_any_change_the_next_attempt_ends_in_the_same_place(stage: Stage) -> None:
    """Every changing call and every write to the ledger is a place to die."""
    at = 0
    while True:
        at += 1
        world = _dark(stage)
        if not _killed(world, at):
            break
        _continued(world)
        assert world.end_state() == SETTLED, at
        assert len(world.calls(*IRREVERSIBLE)) == 2, at
        assert world.files.last_sync is not None
        lost = (world.incident().t0 - world.files.last_sync).total_seconds()
        efs = world.step("promote_efs").resources[0]
        assert efs["rpo_s"] == lost, at
    assert at > 30


def test_killed_between_the_roles_and_the_state_it_is_settled_by_its_own_region(
    stage: Stage,
) -> None:
    """The roles say that Tokyo is active already; the incident is still open."""
    world = _dark(stage)
    world.kill(lambda _number, operation, key: (operation, key) == ("UpdateItem", "roles/current"))
    with pytest.raises(Killed):
        world.run()
    world.revive()
    roles = world.ledger().roles()
    assert roles is not None
    assert roles.active == "tokyo"
    assert world.incident().state is IncidentState.OPEN
    world.restore()  # Seoul is back, and must not be taken for a reason to abort
    world.run("run-2")
    assert world.end_state() == SETTLED


def test_a_second_run_at_the_same_time_is_refused(stage: Stage) -> None:
    """The lease in the ledger is the only guard, and it is enough."""
    world = _dark(stage)
    work = world.open("run-1")
    with work.clock.beating(10, work._beat), pytest.raises(Refused) as refused:
        world.open("run-2")
    assert "Run run-1 works on incident" in str(refused.value)


def test_a_run_that_lost_its_lease_changes_nothing_more(stage: Stage) -> None:
    """It stood still, another one took over, it wakes up."""
    world = _dark(stage)
    zombie = world.open("run-1")
    world.open("run-2")  # waits until the lease is dead
    world.log.clear()
    with pytest.raises(Refused) as refused:
        plan.execute(zombie, next(one for one in plan.STEPS if one.name == "promote_efs"))
    assert "went to another run" in str(refused.value)
    assert not [name for _, name in world.log if name in CHANGING]
