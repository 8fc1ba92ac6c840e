"""What the ledger holds, as records, and how a record becomes plain values and back.

An item's attributes are plain and flat where people look (`state`, `epoch`, `t0`), so that the
ledger can be read in the AWS console at 03:00; lists and maps are DynamoDB lists and maps.
"""

from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

R = TypeVar("R", bound="DataclassInstance")
TIMES = frozenset(
    {"at", "t0", "proposed_at", "opened_at", "settled_at", "first_write_at", "started", "ended"}
)


class Colour(StrEnum):
    """The verdict on readiness."""

    GREEN = "green"
    AMBER = "amber"
    RED = "red"


class IncidentState(StrEnum):
    """Where a decision to change roles stands."""

    PROPOSED = "proposed"
    OPEN = "open"
    SETTLED = "settled"
    CLOSED = "closed"
    EXPIRED = "expired"
    ABORTED = "aborted"

    @property
    def over(self) -> bool:
        """Whether it blocks nothing any more."""
        return self in (IncidentState.CLOSED, IncidentState.EXPIRED, IncidentState.ABORTED)


class Outcome(StrEnum):
    """How a step of an incident ended."""

    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Roles:
    """Which Region is active and which is standby, since which change of roles."""

    active: str  # alias
    standby: str  # alias
    epoch: int
    incident: str | None = None  # the incident that this epoch has, or that made it


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeat:
    """A Region's sign of life: the counter matters, the time is for people."""

    counter: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """Who works on an incident; alive as long as the counter moves."""

    holder: str
    counter: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The readiness verdict of a moment."""

    at: datetime
    colour: Colour
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """One decision to change roles, with its evidence."""

    id: str
    state: IncidentState
    epoch: int  # at which it was proposed
    target: str  # alias of the Region that becomes active
    strategy: str
    t0: datetime  # the first evidence of the outage
    proposed_at: datetime
    reason: str
    attempt: int = 1
    needs_approval: bool = False
    why_unsafe: tuple[str, ...] = ()
    approvals: tuple[dict[str, Any], ...] = ()
    signals: tuple[dict[str, Any], ...] = ()  # the looks that led to the decision
    verdict_before: dict[str, Any] | None = None
    lag_before: dict[str, Any] = field(default_factory=dict)  # what was known at T0, by resource
    point_of_no_return: bool = False
    opened_at: datetime | None = None
    settled_at: datetime | None = None
    first_write_at: datetime | None = None  # through the host, resolved anew
    failure: str | None = None

    @property
    def approved(self) -> bool:
        """Whether nothing or nobody is waited for."""
        return not self.needs_approval or bool(self.approvals)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What one op of a failover did."""

    name: str
    started: datetime
    ended: datetime | None = None
    outcome: Outcome | None = None
    detail: str = ""
    resources: tuple[dict[str, Any], ...] = ()
    calls: tuple[dict[str, Any], ...] = ()  # every changing call, with its request id


def iso(time: datetime) -> str:
    """A time as the ledger and the reports write it."""
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_time(text: str) -> datetime:
    """The time that `iso` wrote."""
    return datetime.fromisoformat(text)


def plain(value: Any) -> Any:
    """A value as JSON would have it: times as text, enums as text, tuples as lists."""
    match value:
        case datetime():
            return iso(value)
        case StrEnum():
            return str(value)
        case dict():
            return {str(key): plain(item) for key, item in value.items()}
        case list() | tuple():
            return [plain(item) for item in value]
    return value


def record(instance: "DataclassInstance") -> dict[str, Any]:
    """A record's fields as plain values; what is None is left out."""
    return {key: plain(value) for key, value in asdict(instance).items() if value is not None}


def build(kind: type[R], values: dict[str, Any]) -> R:
    """The record of plain values; attributes that the record does not know are passed over."""
    known = {one.name for one in fields(kind)}
    return kind(**{key: _typed(key, value) for key, value in values.items() if key in known})


def _typed(key: str, value: Any) -> Any:
    if key in TIMES and isinstance(value, str):
        return parse_time(value)
    if key == "state":
        return IncidentState(value)
    if key == "colour":
        return Colour(value)
    if key == "outcome":
        return Outcome(value)
    return tuple(value) if isinstance(value, list) else value
