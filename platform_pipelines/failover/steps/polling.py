"""How a step awaits: look, and look again, a little less often each time, until a time box ends."""

from collections.abc import Callable
from typing import TypeVar

from platform_pipelines.aws.region import AwsError, forbidden
from platform_pipelines.clock import Stopped
from platform_pipelines.errors import Failed, Refused
from platform_pipelines.failover.work import StepFailed, Work

T = TypeVar("T")
FIRST = 2.0  # AWS-like seconds
GROWTH = 1.3
LONGEST = 10.0
PERMISSION = "Give this controller the permission, then start region_failover again."


def await_(work: Work, look: Callable[[], T | None], *, within: float, what: str, next_: str) -> T:
    """What `look` finds, once it finds something. An AWS error while waiting is looked past until
    the time box of `within` AWS-like seconds ends, but for what we may not do at all.
    Raises: StepFailed, Stopped, Refused."""
    clock = work.clock
    deadline = clock.monotonic() + within
    pause, last = FIRST, "it never came"
    while True:
        try:
            found = look()
        except (StepFailed, Refused, Stopped):
            raise
        except (*AwsError, Failed) as error:
            if forbidden(error):
                raise StepFailed(f"{what}: {error}.", PERMISSION) from error
            found, last = None, str(error)
        if found is not None:
            return found
        if clock.monotonic() >= deadline:
            raise StepFailed(f"{what} is not there after {within:.0f} s: {last}.", next_)
        work.pause(min(pause, LONGEST))
        pause *= GROWTH
