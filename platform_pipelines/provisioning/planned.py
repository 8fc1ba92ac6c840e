"""A plan as data: what apply would do with each unit. `plan` makes it, `text` shows it."""

from dataclasses import dataclass
from enum import StrEnum

from platform_pipelines.aws.change_sets import ResourceChange


class Action(StrEnum):
    """What apply would do with a stack."""

    CREATE = "create"
    UPDATE = "update"
    NOTHING = "nothing to do"
    LATER = "not known yet"  # it exists, and waits for a value that does not
    FAILED = "cannot be planned"
    REFUSED = "refused"
    SETTLED = "skipped: incident settled"
    UNREACHABLE = "unreachable"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitPlan:
    """What apply would do with one unit."""

    alias: str
    stack: str
    action: Action
    changes: tuple[ResourceChange, ...] = ()
    unknown: tuple[str, ...] = ()  # `<parameter> (output <key> of <alias>/<stack>)`
    losses: tuple[str, ...] = ()  # data that would be deleted, as `allow_replace` names it
    to_allow: tuple[str, ...] = ()  # what a run has to name there: losses, and what is left behind
    reason: str = ""
    digest: str = ""  # of the template
    change_set: str | None = None  # ARN, if it waits to be executed

    @property
    def key(self) -> tuple[str, str]:
        return self.alias, self.stack


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What apply would do, in the order in which it would."""

    units: tuple[UnitPlan, ...]
    id: str = ""
    epoch: int | None = None  # None before the first apply
    kept: bool = False  # its change sets wait

    @property
    def failed(self) -> tuple[UnitPlan, ...]:
        """The units about which nothing is known, or that must not be applied."""
        return tuple(unit for unit in self.units if unit.action in (Action.FAILED, Action.REFUSED))

    @property
    def changes(self) -> bool:
        """Whether apply would do anything."""
        doing = (Action.CREATE, Action.UPDATE, Action.LATER)
        return any(unit.action in doing for unit in self.units)
