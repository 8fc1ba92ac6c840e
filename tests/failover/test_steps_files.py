from datetime import timedelta

import pytest
from botocore.exceptions import EndpointConnectionError

from platform_pipelines.ledger_records import Outcome, plain
from tests.fakes.failover_world import World

STEP = "promote_efs"
DELETE = "DeleteReplicationConfiguration"


def test_a_replication_is_ended_from_the_target_region(world: World) -> None:
    """Named by its source's id, both sides at once, and awaited until clients can write."""
    step = world.execute(world.started(), STEP)
    assert step.outcome is Outcome.DONE
    assert world.files.deletes == [("fs-seoul", "ALL_CONFIGURATIONS")]
    assert world.calls(DELETE) == ["tokyo"]
    assert world.files.protection("fs-tokyo") == "ENABLED"
    assert step.ended is not None
    assert step.ended - step.started >= timedelta(seconds=180)


def test_the_point_of_no_return_is_written_before_the_call(world: World) -> None:
    """Whoever finds the delete done must also find that there is no way back."""
    work = world.started()
    seen: list[bool] = []

    def look(_alias: str, operation: str) -> None:
        if operation == DELETE:
            seen.append(world.incident().point_of_no_return)

    world.wires["tokyo"].on_call = look
    world.execute(work, STEP)
    assert seen == [True]


def test_the_loss_is_read_before_the_replication_is_gone(world: World) -> None:
    """T0 minus the last sync; it disappears with the configuration."""
    step = world.execute(world.started(), STEP)
    assert step.resources[0]["rpo_s"] == 240.0
    assert step.resources[0]["last_replicated"] == plain(world.files.last_sync)


def test_without_a_first_sync_the_loss_is_unknown(world: World) -> None:
    """Missing is unknown, and never zero."""
    world.files.last_sync = None
    step = world.execute(world.started(), STEP)
    assert "rpo_s" not in step.resources[0]


def test_a_sync_after_t0_lost_nothing(world: World) -> None:
    """The last files crossed while the outage was being noticed."""
    world.files.last_sync = world.clock.now() + timedelta(seconds=5)
    assert world.execute(world.started(), STEP).resources[0]["rpo_s"] == 0.0


def test_killed_after_the_delete_was_accepted_it_only_waits(world: World) -> None:
    """DELETING: somebody asked before us."""
    world.files.replications[0].status = "DELETING"
    world.files.ending["fs-seoul"] = 100.0
    step = world.execute(world.started(), STEP)
    assert step.outcome is Outcome.DONE
    assert world.calls(DELETE) == []


def test_not_found_but_unprotected_is_protected_again(world: World) -> None:
    """A DISABLED file system is read-only: no replication alone is no success."""
    world.files.end("fs-seoul")
    world.files.protect("fs-tokyo", "DISABLED")
    step = world.execute(world.started(), STEP)
    assert step.outcome is Outcome.DONE
    assert world.calls(DELETE, "UpdateFileSystemProtection") == ["tokyo"]
    assert world.files.protection("fs-tokyo") == "ENABLED"


def test_writable_already_means_no_call(world: World) -> None:
    """A second attempt finds its work done."""
    world.files.end("fs-seoul")
    step = world.execute(world.started(), STEP)
    assert step.outcome is Outcome.DONE
    assert step.calls == ()


@pytest.mark.parametrize("status", ["ERROR", "PAUSED", "PAUSING"])
def test_what_does_not_end_by_waiting_needs_a_person(world: World, status: str) -> None:
    """It fails at once, and says where to go."""
    world.files.replications[0].status = status
    work = world.started()
    before = world.clock.monotonic()
    step = world.execute(work, STEP)
    assert step.outcome is Outcome.FAILED
    assert f"is {status}, which ends only by hand" in step.detail
    assert "EFS console" in step.detail
    assert world.clock.monotonic() == before
    assert world.calls(DELETE) == []


def test_an_error_while_it_waits_needs_a_person_too(world: World) -> None:
    """The replication breaks after the delete was accepted."""
    work = world.started()

    def look(_alias: str, _operation: str) -> None:
        if world.clock.monotonic() > 20:
            world.files.replications[0].status = "ERROR"

    world.wires["tokyo"].on_call = look
    world.files.stuck = True
    step = world.execute(work, STEP)
    assert step.outcome is Outcome.FAILED
    assert "is ERROR" in step.detail


def test_a_delete_that_does_not_begin_is_escalated_once(world: World) -> None:
    """After 60 s our side alone is ended, and the orphan is recorded."""
    world.files.stuck = True
    step = world.execute(world.started(), STEP)
    assert step.outcome is Outcome.DONE
    assert world.files.deletes == [
        ("fs-seoul", "ALL_CONFIGURATIONS"),
        ("fs-seoul", "LOCAL_CONFIGURATION_ONLY"),
    ]
    known = step.resources[0]
    assert known["orphan"] == "fs-seoul"
    assert known["escalated_at"] > known["asked_at"]
    (first, second) = step.calls
    assert second["what"].endswith("LOCAL_CONFIGURATION_ONLY")
    assert first["what"] == DELETE


def test_an_escalation_that_died_before_its_call_is_made_up_for(world: World) -> None:
    """The note stands in the ledger, the call was never made: the next attempt escalates again."""
    world.files.stuck = True
    work = world.started()
    with work.step(STEP) as step:
        now = world.clock.now()
        step.note("efs", "pictures", asked_at=now, escalated_at=now + timedelta(seconds=61))
    world.clock.advance(100)
    assert world.execute(work, STEP).outcome is Outcome.DONE
    modes = [mode for _, mode in world.files.deletes]
    assert modes == ["ALL_CONFIGURATIONS", "LOCAL_CONFIGURATION_ONLY"]


def test_it_gives_up_after_its_time_box(world: World) -> None:
    """Nothing waits for ever; what to do next is said."""
    work = world.started()
    world.files.replications[0].status = "DELETING"
    step = world.execute(work, STEP)
    assert step.outcome is Outcome.FAILED
    assert "is not there after 480 s" in step.detail
    assert "start region_failover again" in step.detail


def test_a_hiccup_of_the_api_while_it_waits_is_looked_past(world: World) -> None:
    """The Region that takes over has a bad minute."""
    work = world.started()
    world.files.replications[0].status = "DELETING"
    world.files.ending["fs-seoul"] = 100.0

    def look(_alias: str, operation: str) -> None:
        if operation == "DescribeFileSystems" and 20 < world.clock.monotonic() < 60:
            raise EndpointConnectionError(endpoint_url="https://efs")

    world.wires["tokyo"].on_call = look
    assert world.execute(work, STEP).outcome is Outcome.DONE


def test_without_a_file_system_it_says_so(world: World) -> None:
    """The stack `files` was never applied there."""
    del world.files.systems["fs-tokyo"]
    step = world.execute(world.started(), STEP)
    assert "There is no file system peccy-pictures in tokyo" in step.detail


def test_a_promoted_file_system_is_never_virgin_again(world: World) -> None:
    """Also when nothing had ever been replicated into it: from now on it holds data."""
    world.files.end("fs-seoul")
    assert world.ledger().is_virgin("fs-tokyo")
    world.execute(world.started(), STEP)
    assert not world.ledger().is_virgin("fs-tokyo")
    world.ledger().mark_virgin("fs-tokyo")  # a later apply
    assert not world.ledger().is_virgin("fs-tokyo")
