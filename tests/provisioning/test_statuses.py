import botocore.session
import pytest

from platform_pipelines.provisioning import statuses
from platform_pipelines.provisioning.statuses import TABLE, Next


def _known_to_aws() -> list[str]:
    model = botocore.session.get_session().get_service_model("cloudformation")
    return list(model.shape_for("StackStatus").enum)  # type: ignore[attr-defined]


def test_every_status_of_cloudformation_is_decided() -> None:
    """The table has exactly the statuses that botocore's model has."""
    assert sorted(TABLE) == sorted(_known_to_aws())


@pytest.mark.parametrize("status", _known_to_aws())
def test_a_person_is_told_what_to_do_and_only_then(status: str) -> None:
    """What we do ourselves needs no advice; what we cannot do has one."""
    assert bool(statuses.advice(status)) == (statuses.next_step(status) is Next.PERSON)


@pytest.mark.parametrize("status", [one for one in _known_to_aws() if "IN_PROGRESS" in one])
def test_a_running_operation_is_awaited(status: str) -> None:
    """But a shell runs nothing: it is filled."""
    shell = status == "REVIEW_IN_PROGRESS"
    assert statuses.next_step(status) is (Next.CREATE if shell else Next.WAIT)


def test_an_unknown_status_is_a_persons() -> None:
    """AWS may add one."""
    assert statuses.next_step("FROZEN") is Next.PERSON
    assert "not known here" in statuses.advice("FROZEN")
