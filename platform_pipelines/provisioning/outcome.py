"""How applying a unit ended, as data: the Dagster edge shows it, tests compare it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from platform_pipelines.aws.change_sets import ResourceChange


class Ending(StrEnum):
    """How a unit ended."""

    APPLIED = "applied"
    UNCHANGED = "nothing to do"
    FAILED = "failed"
    BLOCKED = "blocked"
    SETTLED = "skipped: incident settled"
    UNREACHABLE = "unreachable"

    @property
    def good(self) -> bool:
        """Whether the stack is now as its template says."""
        return self in (Ending.APPLIED, Ending.UNCHANGED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One unit's end."""

    alias: str
    stack: str
    ending: Ending
    reason: str = ""  # of a failure, a skip or a block
    stack_id: str = ""
    changes: tuple[ResourceChange, ...] = ()
    outputs: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0  # AWS-like

    @property
    def key(self) -> tuple[str, str]:
        return self.alias, self.stack

    def __str__(self) -> str:
        reason = f": {self.reason}" if self.reason else ""
        changed = f" ({len(self.changes)} changes)" if self.ending is Ending.APPLIED else ""
        return f"{self.alias}/{self.stack} {self.ending}{changed}{reason}"
