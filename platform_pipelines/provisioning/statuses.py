"""Each status that a stack can have, and what is done about it: one table.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html
"""

from dataclasses import dataclass
from enum import StrEnum

from platform_pipelines.errors import Refused


class Next(StrEnum):
    """What a status asks for."""

    CREATE = "create"
    UPDATE = "update"
    WAIT = "wait"
    PERSON = "a person decides"


_DELETE = "Nothing of it is in use: delete the stack in the CloudFormation console, then run again."
_LOOK = "Look at the stack's events for the resource that could not be deleted, free it, delete the stack, then run again."
_CONTINUE = "Continue the rollback in the CloudFormation console (skip only resources that you have checked), then run again."

# Status: (what is done, what a person is told if nothing can be done).
TABLE: dict[str, tuple[Next, str]] = {
    "REVIEW_IN_PROGRESS": (Next.CREATE, ""),
    "DELETE_COMPLETE": (Next.CREATE, ""),
    "CREATE_COMPLETE": (Next.UPDATE, ""),
    "UPDATE_COMPLETE": (Next.UPDATE, ""),
    "UPDATE_ROLLBACK_COMPLETE": (Next.UPDATE, ""),
    "IMPORT_COMPLETE": (Next.UPDATE, ""),
    "IMPORT_ROLLBACK_COMPLETE": (Next.UPDATE, ""),
    "CREATE_IN_PROGRESS": (Next.WAIT, ""),
    "ROLLBACK_IN_PROGRESS": (Next.WAIT, ""),
    "DELETE_IN_PROGRESS": (Next.WAIT, ""),
    "UPDATE_IN_PROGRESS": (Next.WAIT, ""),
    "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS": (Next.WAIT, ""),
    "UPDATE_ROLLBACK_IN_PROGRESS": (Next.WAIT, ""),
    "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS": (Next.WAIT, ""),
    "IMPORT_IN_PROGRESS": (Next.WAIT, ""),
    "IMPORT_ROLLBACK_IN_PROGRESS": (Next.WAIT, ""),
    "ROLLBACK_COMPLETE": (Next.PERSON, f"Its first creation failed and was rolled back. {_DELETE}"),
    "ROLLBACK_FAILED": (Next.PERSON, f"Its first creation failed, the rollback too. {_LOOK}"),
    "CREATE_FAILED": (Next.PERSON, f"Its first creation failed and was left as it was. {_LOOK}"),
    "DELETE_FAILED": (Next.PERSON, f"Somebody's deletion of it failed. {_LOOK}"),
    "UPDATE_FAILED": (Next.PERSON, f"An update failed without a rollback. {_CONTINUE}"),
    "UPDATE_ROLLBACK_FAILED": (Next.PERSON, f"An update failed, the rollback too. {_CONTINUE}"),
    "IMPORT_ROLLBACK_FAILED": (Next.PERSON, f"An import failed, the rollback too. {_CONTINUE}"),
}


@dataclass
class StackStuck(Refused):
    """A stack is in a status from which only a person can bring it back."""

    where: str  # <alias>/<stack>
    status: str
    advice: str
    reason: str = ""

    def __str__(self) -> str:
        reason = f" ({self.reason})" if self.reason else ""
        return f"{self.where} is {self.status}{reason}. {self.advice}"


def next_step(status: str) -> Next:
    """What this status asks for; one that we do not know asks for a person."""
    return TABLE[status][0] if status in TABLE else Next.PERSON


def advice(status: str) -> str:
    """What a person is told about a status."""
    unknown = "This status is not known here: look at the stack in the CloudFormation console."
    return TABLE[status][1] if status in TABLE else unknown
