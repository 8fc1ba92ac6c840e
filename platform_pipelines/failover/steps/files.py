"""EFS: make every file system of the target Region writable.

Ending a replication is the point of no return. `ReplicationNotFound` alone proves nothing: done is
no replication, protection ENABLED and `available`. A crash can leave protection DISABLED, which is
read-only for clients, so that is set right too.
https://docs.aws.amazon.com/efs/latest/ug/replication-fail-over.html
"""

from dataclasses import dataclass

from platform_pipelines.aws import efs
from platform_pipelines.aws.efs import FileSystemState, Protection
from platform_pipelines.errors import Failed
from platform_pipelines.failover import loss
from platform_pipelines.failover.steps.each import for_each
from platform_pipelines.failover.steps.polling import await_
from platform_pipelines.failover.work import StepFailed, StepRecord, Work
from platform_pipelines.ledger_records import parse_time
from platform_pipelines.model import FileSystem

WRITABLE_WITHIN = 480.0  # AWS-like seconds
ESCALATE_AFTER = 60.0  # accepted, and not DELETING by then: end our side alone
LOOK = "Look at the file system in the EFS console, then start region_failover again."


@dataclass
class ReplicationBroken(Failed):
    """A replication is in a state that does not end by waiting."""

    file_system: str
    status: str

    def __str__(self) -> str:
        return (
            f"The replication of {self.file_system} is {self.status}, which ends only by hand: "
            f"delete the replication in the EFS console, then start region_failover again."
        )


def promote(work: Work, step: StepRecord) -> None:
    """Make every file system writable, all at once. Raises: StepFailed naming those that are not."""
    for_each(
        work,
        step,
        "efs",
        work.platform.file_systems,
        lambda one: _promote(work, step, one),
        next_=LOOK,
    )


def _promote(work: Work, step: StepRecord, file_system: FileSystem) -> None:
    state = observe(work, file_system)
    _remember_loss(work, step, file_system, state)
    work.ledger.spend_virgin(state.id)  # from now on it may hold what only it has
    act(work, step, file_system, state)
    await_(
        work,
        lambda: _progress(work, step, file_system),
        within=WRITABLE_WITHIN,
        what=f"A writable {state.name} in {work.target.alias}",
        next_=LOOK,
    )
    step.note("efs", file_system.name, id=state.id, writable_at=work.clock.now())


def observe(work: Work, file_system: FileSystem) -> FileSystemState:
    """The file system in the target Region. Raises: StepFailed if there is none."""
    name = work.platform.file_system_name(file_system)
    for state in efs.describe(work.target):
        if state.name == name:
            return state
    raise StepFailed(f"There is no file system {name} in {work.target.alias}.", LOOK)


def act(work: Work, step: StepRecord, file_system: FileSystem, state: FileSystemState) -> None:
    """Decide by what is there, and ask EFS for what is missing. Raises: ReplicationBroken."""
    if not state.receives:
        if state.protection is Protection.DISABLED:
            _protect(work, step, state)
        return
    assert state.replication is not None
    match state.replication.status:
        case "ENABLED" | "ENABLING":
            source = state.replication.source_id
            step.note("efs", file_system.name, asked_at=work.clock.now(), source_id=source)
            work.pass_point_of_no_return()
            step.change(
                "DeleteReplicationConfiguration",
                state.id,
                lambda: efs.stop_replication(work.target, source),
            )
        case "DELETING":
            pass  # somebody asked before us: only wait
        case status:
            raise ReplicationBroken(state.name, status)


def _remember_loss(
    work: Work, step: StepRecord, file_system: FileSystem, state: FileSystemState
) -> None:
    """The last sync disappears with the replication, and it is the achieved RPO."""
    last = state.replication.last_replicated if state.replication and state.receives else None
    rpo = loss.of_replication(last, work.incident.t0)
    step.note("efs", file_system.name, id=state.id, last_replicated=last, rpo_s=rpo)


def _progress(work: Work, step: StepRecord, file_system: FileSystem) -> FileSystemState | None:
    state = observe(work, file_system)
    if state.writable:
        return state
    if not state.receives and state.protection is Protection.DISABLED:
        _protect(work, step, state)
    elif state.receives:
        assert state.replication is not None
        if state.replication.status in ("ERROR", "PAUSED"):
            raise StepFailed(str(ReplicationBroken(state.name, state.replication.status)), LOOK)
        if state.replication.status != "DELETING":
            _escalate(work, step, file_system, state)
    return None


def _escalate(
    work: Work, step: StepRecord, file_system: FileSystem, state: FileSystemState
) -> None:
    """EFS accepted the delete but does not start: the source's Region may be what it waits for.
    Ending only our side leaves an orphan on the other, which is recorded for reprotect."""
    known = step.noted("efs", file_system.name)
    asked = known.get("asked_at")
    if asked is None or known.get("escalated_at", "") >= asked:  # times as text, in their order
        return
    waited = work.clock.now() - parse_time(asked)
    if waited.total_seconds() < ESCALATE_AFTER:
        return
    assert state.replication is not None
    source = state.replication.source_id
    step.note("efs", file_system.name, escalated_at=work.clock.now(), orphan=source)
    step.change(
        "DeleteReplicationConfiguration LOCAL_CONFIGURATION_ONLY",
        state.id,
        lambda: efs.stop_replication(work.target, source, local_only=True),
    )


def _protect(work: Work, step: StepRecord, state: FileSystemState) -> None:
    work.pass_point_of_no_return()
    step.change(
        "UpdateFileSystemProtection ENABLED",
        state.id,
        lambda: efs.set_protection(work.target, state.id, "ENABLED"),
    )
