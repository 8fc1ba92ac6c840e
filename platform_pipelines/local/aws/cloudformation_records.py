"""What the execution of a stack operation remembers, kept in the stack's own record.

An operation is one request (create, update, delete, roll back) with its tasks, one a resource. Both
are plain JSON values in ministack's stack records, which are saved with every change: so a server
that was killed goes on with the task that it was at.
"""

from typing import Any, TypedDict
from uuid import uuid4

from platform_pipelines.local.aws.cloudformation_engine import Design, Stack

Tasks = dict[str, "Task"]

# The states of a task
WAITING, RUNNING, DONE, FAILED, CANCELLED = "waiting", "running", "done", "failed", "cancelled"
ENDED = (DONE, FAILED, CANCELLED)

# What a task does
CREATE, UPDATE, REPLACE, DELETE, REVERT = "create", "update", "replace", "delete", "revert"


class Task(TypedDict):
    """What an operation does with one resource."""

    name: str  # its logical id
    kind: str  # its type
    does: str
    state: str
    needs: list[str]  # keys of tasks that have to end before
    id: str  # its physical id, once there is one
    properties: dict[str, Any]  # with the stack's tags
    before: dict[str, Any]  # the properties that it had, with the tags of then
    announced: bool  # whether its first event is written
    accepted: bool  # whether its service has taken the request
    since: float  # AWS-like Unix seconds of the first try
    reason: str
    snapshot: bool  # of a deletion: whether what it holds is kept


class Operation(TypedDict):
    """A request that changes a stack."""

    id: str
    type: str  # CREATE_STACK, UPDATE_STACK, DELETE_STACK, ROLLBACK or CONTINUE_ROLLBACK
    token: str  # the client's request token
    change_set: str  # its id, if one is executed
    on_failure: str  # ROLLBACK, DELETE or DO_NOTHING
    retain_except_on_create: bool
    tasks: Tasks
    made: Tasks  # of a rollback: the tasks that had made something new
    actual: dict[str, dict[str, Any]]  # properties that drifted and are to be set again
    previous: dict[str, Any] | None  # of an update: what the stack was
    policy: str  # the stack policy in force
    retained: list[str]  # RetainResources
    force: bool
    reason: str


KEY = "_operation"
UPDATED = "_updated"  # where a stack says whether it has a LastUpdatedTime


def operation(type_: str, **known: Any) -> Operation:
    """A new operation."""
    fresh: dict[str, Any] = {
        "id": str(uuid4()),
        "type": type_,
        "token": "",
        "change_set": "",
        "on_failure": "ROLLBACK",
        "retain_except_on_create": False,
        "tasks": {},
        "made": {},
        "actual": {},
        "previous": None,
        "policy": "",
        "retained": [],
        "force": False,
        "reason": "",
    }
    made: Operation = {**fresh, **known}  # type: ignore[typeddict-item]  # every key is in `fresh`
    return made


def task(does: str, name: str, kind: str, **known: Any) -> Task:
    """A new task."""
    fresh: dict[str, Any] = {
        "name": name,
        "kind": kind,
        "does": does,
        "state": WAITING,
        "needs": [],
        "id": "",
        "properties": {},
        "before": {},
        "announced": False,
        "accepted": False,
        "since": 0.0,
        "reason": "",
        "snapshot": False,
    }
    made: Task = {**fresh, **known}  # type: ignore[typeddict-item]  # every key is in `fresh`
    return made


def of(stack: Stack) -> Operation:
    """The operation that runs, or that ran last."""
    found: Operation = stack[KEY]
    return found


def design(stack: Stack) -> Design:
    """What the stack is to be by its operation."""
    return Design(
        template=stack["_template"] or {},
        values=stack["_resolved_params"] or {},
        stack_name=stack["StackName"],
        stack_id=stack["StackId"],
    )


def design_before(stack: Stack) -> Design:
    """What an updated stack was before."""
    previous = of(stack)["previous"] or {}
    return Design(
        template=previous.get("_template") or {},
        values=previous.get("_resolved_params") or {},
        stack_name=stack["StackName"],
        stack_id=stack["StackId"],
    )


def named(tasks: Tasks, state: str) -> list[str]:
    """The resources whose tasks are in this state."""
    return sorted({one["name"] for one in tasks.values() if one["state"] == state})


def startable(tasks: Tasks) -> str | None:
    """The next task that waits for nothing."""
    for key, one in tasks.items():
        if one["state"] == WAITING and all(tasks[need]["state"] in ENDED for need in one["needs"]):
            return key
    return None
