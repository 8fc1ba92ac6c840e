import botocore.session
import pytest

from platform_pipelines.provisioning import statuses
from platform_pipelines.provisioning.statuses import TABLE, Next, StackStuck, Way


def _known_to_aws() -> list[str]:
    model = botocore.session.get_session().get_service_model("cloudformation")
    return list(model.shape_for("StackStatus").enum)  # type: ignore[attr-defined]


def test_every_status_of_cloudformation_is_decided() -> None:
    """The table has exactly the 23 statuses that botocore's model has."""
    assert sorted(TABLE) == sorted(_known_to_aws())
    assert len(TABLE) == 23


@pytest.mark.parametrize("status", _known_to_aws())
def test_whoever_is_stuck_is_told_what_to_do(status: str) -> None:
    """What we do ourselves needs no advice; what apply cannot do has one."""
    if statuses.stuck(status):
        assert statuses.advice(status)
    elif statuses.next_step(status) is not Next.RECREATE:  # which may find something left
        assert statuses.advice(status) == ""


@pytest.mark.parametrize("status", [one for one in _known_to_aws() if "IN_PROGRESS" in one])
def test_a_running_operation_is_awaited(status: str) -> None:
    """But a shell runs nothing: it is filled."""
    shell = status == "REVIEW_IN_PROGRESS"
    assert statuses.next_step(status) is (Next.CREATE if shell else Next.WAIT)


@pytest.mark.parametrize("status", [one for one in _known_to_aws() if one.endswith("_FAILED")])
def test_every_failure_has_a_way_back_but_an_imports(status: str) -> None:
    """Job recover_stack knows them; we never import."""
    imported = status == "IMPORT_ROLLBACK_FAILED"
    assert statuses.next_step(status) is (Next.PERSON if imported else Next.RECOVER)
    assert (statuses.way(status) is None) is imported
    assert ("recover_stack" in statuses.advice(status)) is not imported


@pytest.mark.parametrize(
    ("status", "way"),
    [
        ("UPDATE_ROLLBACK_FAILED", Way.CONTINUE),  # the one status that AWS continues from
        ("CREATE_FAILED", Way.ROLL_BACK),  # the two that AWS rolls back from
        ("UPDATE_FAILED", Way.ROLL_BACK),
        ("DELETE_FAILED", Way.DELETE),
        ("ROLLBACK_FAILED", Way.DELETE),
        ("ROLLBACK_COMPLETE", Way.DELETE),
    ],
)
def test_the_way_back_is_the_one_that_aws_takes(status: str, way: Way) -> None:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_RollbackStack.html"""
    assert statuses.way(status) is way


def test_no_other_status_has_a_way() -> None:
    """Nobody recovers what is not stuck."""
    ways = {status for status in TABLE if statuses.way(status)}
    stuck = {status for status in TABLE if statuses.stuck(status)}
    assert ways == stuck - {"IMPORT_ROLLBACK_FAILED"} | {"ROLLBACK_COMPLETE"}


def test_an_unknown_status_is_a_persons() -> None:
    """AWS may add one."""
    assert statuses.next_step("FROZEN") is Next.PERSON
    assert statuses.stuck("FROZEN")
    assert statuses.way("FROZEN") is None
    assert "not known here" in statuses.advice("FROZEN")


def test_the_refusal_says_where_what_and_why() -> None:
    """As the Dagster UI shows it."""
    error = StackStuck("tokyo/files", "DELETE_FAILED", statuses.advice("DELETE_FAILED"), "in use")
    assert str(error) == (
        "tokyo/files is DELETE_FAILED (in use). Somebody's deletion of it failed. Run job "
        "recover_stack with this stack: it shows what is stuck, and changes nothing yet."
    )
