import pytest

from platform_pipelines.clock import Stopped
from platform_pipelines.failover.steps.fence import RegionIsBack
from platform_pipelines.failover.work import LeaseLost
from platform_pipelines.ledger_records import IncidentState, Outcome
from tests.fakes.failover_world import World

STEP = "hold_old_side"


def test_a_dark_side_is_not_waited_for(world: World) -> None:
    """Aurora and the ledger fence themselves; what could not be stopped is recorded."""
    step = world.execute(world.started(), STEP)
    assert step.outcome is Outcome.SKIPPED
    assert step.detail == "seoul cannot be reached, so none of its pods was stopped"
    assert {one["resource"]: one["stopped"] for one in step.resources} == {
        "web": False,
        "app": False,
    }


def test_the_pods_of_a_side_that_answers_are_stopped(world: World) -> None:
    """Its service is broken, its cluster is not: nothing there may write any more."""
    work = world.started()
    world.restore()
    world.broken.add("seoul")
    world.checkers["seoul"] = "down"
    step = world.execute(work, STEP)
    assert step.outcome is Outcome.DONE
    assert world.deployments["seoul"] == {"web": 0, "app": 0}
    assert world.deployments["tokyo"] == {"web": 3, "app": 3}


def test_a_region_that_is_back_for_the_hold_ends_the_incident(world: World) -> None:
    """Before the point of no return, and nothing was changed."""
    work = world.started()
    world.restore()
    before = world.clock.monotonic()
    with pytest.raises(RegionIsBack, match="seoul is up again"):
        world.execute(work, STEP)
    assert world.clock.monotonic() - before >= 30
    assert world.incident().state is IncidentState.ABORTED
    assert world.deployments["seoul"] == {"web": 3, "app": 3}
    assert world.step(STEP).outcome is Outcome.FAILED


def test_a_region_that_blinks_is_not_back(world: World) -> None:
    """Up for 20 s, then dark again: the failover goes on."""
    work = world.started()
    world.restore()

    def look(_alias: str, _operation: str) -> None:
        if world.clock.monotonic() >= 20 and "seoul" not in world.went_dark:
            world.black_out()
            world.checkers["seoul"] = "down"

    world.wires["tokyo"].on_call = look
    assert world.execute(work, STEP).outcome is Outcome.SKIPPED
    assert world.incident().state is IncidentState.OPEN


def test_after_the_point_of_no_return_there_is_only_forward(world: World) -> None:
    """A Region that comes back then is fenced."""
    work = world.started()
    work.pass_point_of_no_return()
    world.restore()
    assert world.execute(work, STEP).outcome is Outcome.DONE
    assert world.incident().state is IncidentState.OPEN
    assert world.deployments["seoul"] == {"web": 0, "app": 0}


def test_a_run_without_lease_does_not_abort(world: World) -> None:
    """Another run has taken over and may be past the point of no return."""
    zombie = world.started()
    world.open("run-2")
    world.restore()
    with pytest.raises((Stopped, LeaseLost)):
        world.execute(zombie, STEP)
    assert world.incident().state is IncidentState.OPEN


def test_an_unknown_old_side_is_not_back(world: World) -> None:
    """No word of the checkers is not `up`."""
    work = world.started()
    world.restore()
    world.checkers["seoul"] = None
    world.execute(work, STEP)
    assert world.incident().state is IncidentState.OPEN
