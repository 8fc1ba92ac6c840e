"""A kind of transition: how it is begun, and what its API shows on the way and at the end."""

from collections.abc import Callable
from dataclasses import dataclass

from platform_pipelines.local.durations import Durations
from tests.local.rehearsals.building import SHORTER
from tests.local.rehearsals.rehearsal import Rehearsal

DURATIONS = Durations(**SHORTER)
MARGIN = 40.0  # AWS-like seconds beside the transition itself
GONE = "gone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One kind of transition, and the states that its API shows."""

    transition: str
    begin: Callable[[Rehearsal], str]  # asks for it; the resource's id
    look: Callable[[Rehearsal, str], str]
    running: str
    failed: str | None  # None: AWS has no such state
    done: str

    def __str__(self) -> str:
        return self.transition

    @property
    def long_enough(self) -> float:
        """AWS-like seconds in which it ends."""
        return float(getattr(DURATIONS, self.transition)) + MARGIN
