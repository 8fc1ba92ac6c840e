"""Starts EFS replication from the active Region into the standby's file systems, while virgin.

Killed between any two calls and run again it ends in the same place, and never writes over data:
protection is taken off first (such a file system is read-only), then the start is written down for
this epoch, then virginity is spent, then EFS is asked. A spent file system is only taken up again
if this epoch's start stands in the ledger and the file system is still read-only.
https://docs.aws.amazon.com/efs/latest/ug/replication-use-cases.html
"""

from dataclasses import dataclass, field
from datetime import timedelta

from botocore.exceptions import ClientError

from platform_pipelines.aws import efs
from platform_pipelines.aws.efs import FileSystemState, Protection, ReplicationState
from platform_pipelines.aws.region import AwsRegion, error_code
from platform_pipelines.errors import Failed, Refused
from platform_pipelines.ledger_records import Roles
from platform_pipelines.provisioning.regions import reaching
from platform_pipelines.provisioning.run import Run
from platform_pipelines.provisioning.standing import Guard

POLL = 5.0  # AWS-like seconds
PATIENCE = timedelta(hours=2)  # for a first sync; EFS itself goes on when we stop looking
WORKING = ("ENABLED", "ENABLING")


@dataclass
class FileSystemUnclear(Refused):
    """A Region does not have exactly one file system of a name."""

    name: str
    alias: str
    count: int

    def __str__(self) -> str:
        todo = "run apply_infrastructure" if not self.count else "rename those that are not in use"
        return f"{self.alias} has {self.count} file systems named {self.name}, not one: {todo}."


@dataclass
class NotVirgin(Refused):
    """Replication would overwrite a file system that may hold data."""

    name: str
    identifier: str
    alias: str

    def __str__(self) -> str:
        return (
            f"{self.name} ({self.identifier}) in {self.alias} is in no replication, and may hold "
            f"data: it is not recorded as new. converge_roles never overwrites such a file system; "
            f"turn the direction around with reprotect, which asks for a recovery point first."
        )


@dataclass
class ReplicationBroken(Failed):
    """A replication is not what it should be, and waiting does not help."""

    name: str
    what: str

    def __str__(self) -> str:
        return f"The replication of {self.name} {self.what}. Look at it in the EFS console."


@dataclass
class ReplicationSlow(Failed):
    """The first sync takes longer than a run waits."""

    name: str
    patience: timedelta

    def __str__(self) -> str:
        return (
            f"The first sync of {self.name} has not ended within {self.patience}. EFS goes on; run "
            f"converge_roles again to see it through."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """One file system of the platform: in the active Region and in the standby."""

    name: str
    active: AwsRegion
    standby: AwsRegion
    source: FileSystemState
    destination: FileSystemState
    epoch: int
    run: Run = field(repr=False)
    guard: Guard = field(repr=False)

    @property
    def note(self) -> str:
        """The ledger's name for `replication is being started in this epoch`."""
        return f"{self.destination.id}@{self.epoch}"


def ensure(run: Run, guard: Guard, roles: Roles, name: str) -> str | None:
    """Replicate a file system from active to standby; returns what was done, None for nothing.
    Raises: FileSystemUnclear, NotVirgin, ReplicationBroken, ReplicationSlow, and what a guard does."""
    active, standby = run.regions[roles.active], run.regions[roles.standby]
    pair = Pair(
        name=name,
        active=active,
        standby=standby,
        source=_only(active, name),
        destination=_only(standby, name),
        epoch=roles.epoch,
        run=run,
        guard=guard,
    )
    _spend_source(pair)
    present = _present(pair)
    if present is None:
        _start(pair)
    synced = present is not None and _synced(present)
    if not synced:
        _await_first_sync(pair)
    _forget_start(pair)
    return None if synced else f"{name}: {pair.source.id} replicates into {pair.destination.id}"


def _only(region: AwsRegion, name: str) -> FileSystemState:
    with reaching(region):
        found = [one for one in efs.describe(region) if one.name == name]
    if len(found) != 1:
        raise FileSystemUnclear(name, region.alias, len(found))
    return found[0]


def _spend_source(pair: Pair) -> None:
    """The service writes into the active Region's file system: it is never a virgin again."""
    ledger = pair.run.ledger()
    if ledger.is_virgin(pair.source.id):
        pair.guard()
        ledger.spend_virgin(pair.source.id)


def _present(pair: Pair) -> ReplicationState | None:
    """The replication that is there. Raises: ReplicationBroken, if it is not the right one."""
    found = pair.source.replication or pair.destination.replication
    if found is None:
        return None
    if (found.source_id, found.destination_id) != (pair.source.id, pair.destination.id):
        raise ReplicationBroken(
            pair.name, f"goes from {found.source_id} to {found.destination_id}, which is not ours"
        )
    if found.status not in WORKING:
        raise ReplicationBroken(pair.name, f"is {found.status}")
    return found


def _start(pair: Pair) -> None:
    ledger = pair.run.ledger()
    if ledger.is_virgin(pair.destination.id):
        _take_protection_off(pair)
        pair.guard()
        ledger.mark_virgin(pair.note)
        ledger.spend_virgin(pair.destination.id)
    elif not (ledger.is_virgin(pair.note) and _read_only(pair.destination)):
        raise NotVirgin(pair.name, pair.destination.id, pair.standby.alias)
    pair.guard()
    pair.run.tell(f"{pair.name}: starting replication into {pair.destination.id}")
    try:
        with reaching(pair.active):
            efs.start_replication(pair.active, pair.source.id, pair.standby, pair.destination.id)
    except ClientError as error:
        # Sent twice because the first answer was lost: the wait sees what is there.
        if error_code(error) != "ConflictException":
            raise


def _take_protection_off(pair: Pair) -> None:
    if _read_only(pair.destination):
        return
    pair.guard()
    with reaching(pair.standby):
        efs.set_protection(pair.standby, pair.destination.id, "DISABLED")
    while not _read_only(_only(pair.standby, pair.name)):
        pair.run.clock.sleep(POLL, pair.run.stop)


def _read_only(state: FileSystemState) -> bool:
    return state.protection is Protection.DISABLED


def _synced(state: ReplicationState) -> bool:
    return state.status == "ENABLED" and state.last_replicated is not None


def _await_first_sync(pair: Pair) -> None:
    clock = pair.run.clock
    deadline = clock.monotonic() + PATIENCE.total_seconds()
    while clock.monotonic() < deadline:
        with reaching(pair.active):
            state = efs.replication_of(pair.active, pair.source.id)
        if state is not None and _synced(state):
            return
        if state is not None and state.status not in WORKING:
            raise ReplicationBroken(pair.name, f"is {state.status}")
        clock.sleep(POLL, pair.run.stop)
    raise ReplicationSlow(pair.name, PATIENCE)


def _forget_start(pair: Pair) -> None:
    ledger = pair.run.ledger()
    if ledger.is_virgin(pair.note):
        ledger.spend_virgin(pair.note)
