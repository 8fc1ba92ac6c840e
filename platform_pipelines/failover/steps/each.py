"""One step, many resources: all at once, and none stops the others.

What becomes of each is noted with the step, so that the report names every resource that failed.
"""

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from platform_pipelines.aws.region import AwsError
from platform_pipelines.errors import Failed
from platform_pipelines.failover.work import StepFailed, StepRecord, Work


class Named(Protocol):
    """A record of `platform.yaml`."""

    @property
    def name(self) -> str: ...


N = TypeVar("N", bound=Named)


def for_each(
    work: Work,
    step: StepRecord,
    kind: str,
    items: Sequence[N],
    act: Callable[[N], None],
    *,
    next_: str,
) -> None:
    """Act on every item in parallel. Raises: StepFailed naming those that failed, Stopped,
    Refused."""
    calls = [_tried(step, kind, item, act) for item in items]
    problems = [problem for problem in work.clock.gather(calls, work.stop) if problem]
    if problems:
        raise StepFailed("; ".join(problems), next_)


def _tried(step: StepRecord, kind: str, item: N, act: Callable[[N], None]) -> Callable[[], str]:
    def try_() -> str:
        try:
            act(item)
        except (Failed, *AwsError) as error:
            step.note(kind, item.name, failed=str(error))
            return str(error)
        return ""

    return try_
