"""Each status that a stack can have, and what is done about it: one table.

Apply goes on by itself wherever nothing can be lost by it. Where something may be, job
`recover_stack` shows what would happen, and a person says so. Called by apply, plan, recovery and
drift detection.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html
"""

from dataclasses import dataclass
from enum import StrEnum

from platform_pipelines.errors import Refused


class Next(StrEnum):
    """What a status asks of apply."""

    CREATE = "create"
    UPDATE = "update"
    WAIT = "wait"
    RECREATE = "delete what is left, if that is nothing, and create"
    RECOVER = "job recover_stack"
    PERSON = "a person decides"


class Way(StrEnum):
    """How job `recover_stack` brings a stack back."""

    CONTINUE = "continue the rollback"  # ContinueUpdateRollback
    ROLL_BACK = "roll back"  # RollbackStack
    DELETE = "delete the stack"  # DeleteStack; apply creates it anew


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What one status means."""

    next: Next
    way: Way | None = None
    found: str = ""  # what has happened, for people


_RECOVER = "Run job recover_stack with this stack: it shows what is stuck, and changes nothing yet."
_BY_HAND = (
    "No job of ours imports, so none undoes it: look at the stack in the CloudFormation console, "
    "or ask AWS Support, then run again."
)
_UNKNOWN = "This status is not known here: look at the stack in the CloudFormation console."

_CREATE = Decision(next=Next.CREATE)
_UPDATE = Decision(next=Next.UPDATE)
_WAIT = Decision(next=Next.WAIT)


def _recover(way: Way, found: str) -> Decision:
    return Decision(next=Next.RECOVER, way=way, found=found)


TABLE: dict[str, Decision] = {
    "REVIEW_IN_PROGRESS": _CREATE,  # a shell: its first change set was never executed
    "DELETE_COMPLETE": _CREATE,
    "CREATE_COMPLETE": _UPDATE,
    "UPDATE_COMPLETE": _UPDATE,
    "UPDATE_ROLLBACK_COMPLETE": _UPDATE,
    "IMPORT_COMPLETE": _UPDATE,
    "IMPORT_ROLLBACK_COMPLETE": _UPDATE,
    "CREATE_IN_PROGRESS": _WAIT,
    "ROLLBACK_IN_PROGRESS": _WAIT,
    "DELETE_IN_PROGRESS": _WAIT,
    "UPDATE_IN_PROGRESS": _WAIT,
    "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS": _WAIT,
    "UPDATE_ROLLBACK_IN_PROGRESS": _WAIT,
    "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS": _WAIT,
    "IMPORT_IN_PROGRESS": _WAIT,
    "IMPORT_ROLLBACK_IN_PROGRESS": _WAIT,
    "ROLLBACK_COMPLETE": Decision(
        next=Next.RECREATE,
        way=Way.DELETE,
        found="Its first creation failed and was rolled back, and something of it is left.",
    ),
    "ROLLBACK_FAILED": _recover(Way.DELETE, "Its first creation failed, the rollback too."),
    "CREATE_FAILED": _recover(Way.ROLL_BACK, "Its first creation failed and was left as it was."),
    "DELETE_FAILED": _recover(Way.DELETE, "Somebody's deletion of it failed."),
    "UPDATE_FAILED": _recover(Way.ROLL_BACK, "An update failed and was left as it was."),
    "UPDATE_ROLLBACK_FAILED": _recover(Way.CONTINUE, "An update failed, the rollback too."),
    "IMPORT_ROLLBACK_FAILED": Decision(
        next=Next.PERSON, found="An import failed, the rollback too."
    ),
}


@dataclass
class StackStuck(Refused):
    """A stack is in a status from which apply cannot bring it back."""

    where: str  # <alias>/<stack>
    status: str
    advice: str
    reason: str = ""

    def __str__(self) -> str:
        reason = f" ({self.reason})" if self.reason else ""
        return f"{self.where} is {self.status}{reason}. {self.advice}"


def next_step(status: str) -> Next:
    """What this status asks for; one that we do not know asks for a person."""
    return TABLE[status].next if status in TABLE else Next.PERSON


def way(status: str) -> Way | None:
    """How job `recover_stack` brings a stack of this status back; None if it does not."""
    return TABLE[status].way if status in TABLE else None


def stuck(status: str) -> bool:
    """Whether apply can do nothing with a stack of this status."""
    return next_step(status) in (Next.RECOVER, Next.PERSON)


def advice(status: str) -> str:
    """What a person is told about a status; nothing if apply goes on by itself."""
    if status not in TABLE:
        return _UNKNOWN
    decision = TABLE[status]
    if not decision.found:
        return ""
    return f"{decision.found} {_RECOVER if decision.way else _BY_HAND}"
