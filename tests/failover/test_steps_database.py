import pytest

from platform_pipelines.ledger_records import Outcome
from tests.fakes.calls import client_error
from tests.fakes.failover_world import World

STEP = "promote_aurora"
FAILOVER = "FailoverGlobalCluster"
TOKYO, SEOUL = "ap-northeast-1", "ap-northeast-2"


def test_the_targets_cluster_becomes_the_writer(world: World) -> None:
    """By ARN, in the target's Region, accepting the loss."""
    step = world.execute(world.started(), STEP)
    assert step.outcome is Outcome.DONE
    assert world.aurora.writer == TOKYO
    assert world.calls(FAILOVER) == ["tokyo"]
    (request,) = world.aurora.failovers
    assert request == {
        "GlobalClusterIdentifier": "peccy-peccy",
        "TargetDbClusterIdentifier": "arn:aws:rds:ap-northeast-1:111122223333:cluster:peccy-peccy-tokyo",
        "AllowDataLoss": True,
    }


def test_the_point_of_no_return_is_written_before_the_call(world: World) -> None:
    """Whoever finds the failover accepted must also find that there is no way back."""
    work = world.started()
    seen: list[bool] = []

    def look(_alias: str, operation: str) -> None:
        if operation == FAILOVER:
            seen.append(world.incident().point_of_no_return)

    world.wires["tokyo"].on_call = look
    world.execute(work, STEP)
    assert seen == [True]


def test_the_writer_already_means_no_call(world: World) -> None:
    """Somebody, or an earlier attempt, has done it."""
    world.aurora.writer = TOKYO
    step = world.execute(world.started(), STEP)
    assert step.outcome is Outcome.DONE
    assert world.calls(FAILOVER) == []


@pytest.mark.parametrize("status", ["failing-over", "pending", "switching-over", "cancelling"])
def test_a_failover_under_way_is_only_awaited(world: World, status: str) -> None:
    """Whatever AWS calls it, also where botocore's enums do not know the word."""
    work = world.started()
    world.aurora.failing = (50.0, TOKYO)
    world.aurora.status = status

    def look(_alias: str, _operation: str) -> None:
        if world.clock.monotonic() > 60:
            world.aurora.status = None

    world.wires["tokyo"].on_call = look
    assert world.execute(work, STEP).outcome is Outcome.DONE
    assert world.calls(FAILOVER) == []


def test_a_headless_cluster_cannot_be_promoted(world: World) -> None:
    """It says so at once, and what to do, before anything irreversible."""
    world.aurora.instances[TOKYO] = []
    step = world.execute(world.started(), STEP)
    assert step.outcome is Outcome.FAILED
    assert "peccy-peccy-tokyo has no instance" in step.detail
    assert "Add an instance" in step.detail
    assert world.calls(FAILOVER) == []
    assert not world.incident().point_of_no_return


@pytest.mark.parametrize(
    ("statuses", "cluster"),
    [(["creating"], "available"), (["available"], "failing-over"), (["rebooting"], "available")],
)
def test_a_writer_that_does_not_serve_is_not_done(
    world: World, statuses: list[str], cluster: str
) -> None:
    """IsWriter alone is not a database."""
    world.aurora.writer = TOKYO
    world.aurora.instances[TOKYO] = statuses
    world.aurora.cluster_status[TOKYO] = cluster
    step = world.execute(world.started(), STEP)
    assert step.outcome is Outcome.FAILED
    assert "A writer of peccy in tokyo is not there after 900 s" in step.detail


def test_a_cancelled_failover_is_asked_for_again_by_the_next_attempt(world: World) -> None:
    """An empty FailoverState alone is no success."""
    work = world.started()

    def look(_alias: str, _operation: str) -> None:
        if world.aurora.failing and len(world.aurora.failovers) == 1:
            world.aurora.failing = None

    world.wires["tokyo"].on_call = look
    assert world.execute(work, STEP).outcome is Outcome.FAILED
    assert world.execute(work, STEP).outcome is Outcome.DONE
    assert len(world.aurora.failovers) == 2


def test_a_refused_failover_is_written_down(world: World) -> None:
    """With AWS's own words, and the step fails."""
    work = world.started()

    def look(_alias: str, operation: str) -> None:
        if operation == FAILOVER:
            raise client_error("InvalidDBClusterStateFault", "versions differ", FAILOVER)

    world.wires["tokyo"].on_call = look
    step = world.execute(work, STEP)
    assert step.outcome is Outcome.FAILED
    assert "versions differ" in step.calls[0]["error"]


def test_without_a_member_in_the_target_it_says_so(world: World) -> None:
    """A global cluster that was never joined there."""
    del world.aurora.clusters[TOKYO]
    step = world.execute(world.started(), STEP)
    assert "peccy-peccy has no member in tokyo" in step.detail


def test_without_a_global_cluster_it_says_so(world: World) -> None:
    """The stack `global_database` was never applied."""
    world.aurora.identifier = "another"
    assert "There is no peccy-peccy" in world.execute(world.started(), STEP).detail


def test_the_loss_is_the_last_lag_plus_its_age(world: World) -> None:
    """0.7 s of lag, 20 s before T0."""
    assert world.execute(world.started(), STEP).resources[0]["rpo_s"] == 20.7


def test_without_a_metric_the_loss_is_unknown(world: World) -> None:
    """Missing is unknown, and never zero."""
    world.services["tokyo"]["cloudwatch"].samples.clear()
    assert "rpo_s" not in world.execute(world.started(), STEP).resources[0]


def test_a_later_attempt_keeps_the_loss_that_the_first_one_read(world: World) -> None:
    """The metric ends with the failover."""
    work = world.started()
    world.execute(work, STEP)
    world.services["tokyo"]["cloudwatch"].samples.clear()
    assert world.execute(work, STEP).resources[0]["rpo_s"] == 20.7
