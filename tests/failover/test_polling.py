import pytest

from platform_pipelines.aws.region import AwsError
from platform_pipelines.failover.steps.polling import await_
from platform_pipelines.failover.work import LeaseLost, StepFailed, Work
from tests.fakes.calls import client_error
from tests.fakes.failover_world import World


@pytest.fixture
def work(world: World) -> Work:
    """A run at work on a lost Seoul."""
    world.black_out()
    world.propose()
    return world.open()


def _wait(work: Work, *answers: object) -> object:
    """Await the answers in turn; an exception is raised, None is not yet."""
    left = list(answers)

    def look() -> object:
        answer = left.pop(0) if left else None
        if isinstance(answer, Exception):
            raise answer
        return answer

    return await_(work, look, within=60, what="A thing", next_="Look at it.")


def test_what_breaks_while_waiting_is_looked_past(work: Work) -> None:
    """Throttling and failures of AWS pass."""
    throttled = client_error("ThrottlingException", "slow down", "DescribeFileSystems")
    assert isinstance(throttled, AwsError)
    assert _wait(work, throttled, None, "there") == "there"


def test_a_time_box_ends_with_the_last_reason(work: Work) -> None:
    """What was waited for, how long, and why it is not there."""
    before = work.clock.monotonic()
    with pytest.raises(StepFailed, match="A thing is not there after 60 s"):
        _wait(work)
    assert 60 <= work.clock.monotonic() - before <= 70


def test_what_is_forbidden_is_not_tried_again(work: Work) -> None:
    """A missing permission does not come by waiting."""
    denied = client_error("AccessDeniedException", "not you", "UpdateNodegroupConfig", 403)
    before = work.clock.monotonic()
    with pytest.raises(StepFailed, match="Give this controller the permission"):
        _wait(work, denied)
    assert work.clock.monotonic() == before


def test_a_lost_lease_ends_the_wait_as_what_it_is(work: Work) -> None:
    """Another run has it: waiting on would be wrong, and so would "start it again"."""
    with pytest.raises(LeaseLost):
        _wait(work, LeaseLost(work.incident.id))
