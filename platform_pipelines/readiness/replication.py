"""`replication_lag`: how far is the standby behind, for each file system and each database?

The resource itself says most (EFS: when the last sync began; Aurora: who is the writer), CloudWatch
fills in. What nobody can say is None, which is not zero: an unknown lag makes the verdict red.
https://docs.aws.amazon.com/efs/latest/ug/monitoring-replication.html
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from platform_pipelines.aws.cloudwatch import Sample
from platform_pipelines.aws.efs import ReplicationState
from platform_pipelines.ledger_records import Roles
from platform_pipelines.model import Platform, Region
from platform_pipelines.readiness.finding import Finding, Severity, Unknown
from platform_pipelines.readiness.inventory import Database, FileSystem

CHECK = "replication_lag"
# CloudWatch has a value a minute; one older than this says nothing about now.
SAMPLE_FRESH = timedelta(minutes=5)


class Kind(StrEnum):
    """What replicates."""

    EFS = "efs"
    AURORA = "aurora"


class State(StrEnum):
    """What can be said of a lag."""

    WITHIN_OBJECTIVE = "within_objective"
    OVER_OBJECTIVE = "over_objective"
    OVER_APPROVAL = "over_approval_lag"
    BROKEN = "broken"  # it replicates not at all, or the wrong way
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lag:
    """How far one resource of the standby is behind."""

    kind: Kind
    name: str  # as platform.yaml names it
    lag: timedelta | None  # None is unknown, never zero
    source: str  # where the figure is from, or why there is none
    broken: str = ""  # why it cannot be relied on, whatever the figure
    objective: timedelta
    approval: timedelta  # over it, a failover waits for a person

    @property
    def resource(self) -> str:
        """The resource as people call it."""
        return f"{self.kind} {self.name}"

    @property
    def state(self) -> State:
        """What the figure means."""
        if self.broken:
            return State.BROKEN
        if self.lag is None:
            return State.UNKNOWN
        if self.lag > self.approval:
            return State.OVER_APPROVAL
        return State.OVER_OBJECTIVE if self.lag > self.objective else State.WITHIN_OBJECTIVE


@dataclass(frozen=True, slots=True, kw_only=True)
class Storage:
    """What this check needs to know of one Region."""

    file_systems: tuple[FileSystem, ...] | Unknown
    databases: tuple[Database, ...] | Unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class _Measured:
    lag: timedelta | None = None
    source: str = ""
    broken: str = ""


def lags(
    platform: Platform, roles: Roles | None, sides: Mapping[str, Storage], now: datetime
) -> list[Lag]:
    """The lag of every declared file system and database, whether it can be read or not."""
    policy, objective = platform.failover.approval_lag, platform.objectives.region_down.rpo
    found = [
        (Kind.EFS, one.name, _file_system(platform, roles, sides, one.name, now), policy.efs)
        for one in platform.file_systems
    ] + [
        (Kind.AURORA, one.name, _database(platform, roles, sides, one.name, now), policy.aurora)
        for one in platform.databases
    ]
    return [
        Lag(
            kind=kind,
            name=name,
            lag=measured.lag,
            source=measured.source,
            broken=measured.broken,
            objective=objective,
            approval=approval,
        )
        for kind, name, measured, approval in found
    ]


NO_ROLES = _Measured(source="the ledger names no roles, so nobody knows which side is behind")


def _file_system(
    platform: Platform,
    roles: Roles | None,
    sides: Mapping[str, Storage],
    name: str,
    now: datetime,
) -> _Measured:
    if roles is None:
        return NO_ROLES
    standby, active = platform.region(roles.standby), platform.region(roles.active)
    systems = sides[standby.alias].file_systems
    if isinstance(systems, Unknown):
        return _Measured(source=str(systems))
    tag = next(platform.file_system_name(one) for one in platform.file_systems if one.name == name)
    mine = next((one for one in systems if one.state.name == tag), None)
    if mine is None:
        return _Measured(broken=f"{standby.alias} has no file system named {tag}")
    replication = mine.state.replication
    if replication is None or not mine.state.receives:
        return _Measured(broken=f"nothing replicates into {mine.state.id} of {standby.alias}")
    samples = [mine.lag, _sample_of(sides[active.alias].file_systems, replication)]
    return _efs(replication, active, samples, now)


def _sample_of(
    systems: tuple[FileSystem, ...] | Unknown, replication: ReplicationState
) -> Sample | None:
    """What the source's Region knows of a replication."""
    if isinstance(systems, Unknown):
        return None
    found = (one.lag for one in systems if one.state.id == replication.source_id)
    return next(found, None)


def _efs(
    replication: ReplicationState, active: Region, samples: list[Sample | None], now: datetime
) -> _Measured:
    broken = ""
    if replication.source_region != active.name:
        broken = f"it replicates from {replication.source_region}, not from {active.name}"
    elif replication.status not in ("ENABLED", "ENABLING"):
        broken = f"its replication is {replication.status}"
    if replication.last_replicated is not None:
        lag = max(now - replication.last_replicated, timedelta())
        return _Measured(lag=lag, source="the last sync that EFS reports", broken=broken)
    for sample in samples:
        if sample and now - sample.at <= SAMPLE_FRESH:
            lag = timedelta(seconds=sample.value) + max(now - sample.at, timedelta())
            return _Measured(lag=lag, source="CloudWatch TimeSinceLastSync", broken=broken)
    return _Measured(source=f"no first sync yet ({replication.status})", broken=broken)


def _database(
    platform: Platform,
    roles: Roles | None,
    sides: Mapping[str, Storage],
    name: str,
    now: datetime,
) -> _Measured:
    if roles is None:
        return NO_ROLES
    databases = sides[roles.standby].databases
    if isinstance(databases, Unknown):
        return _Measured(source=str(databases))
    mine = next((one for one in databases if one.name == name), None)
    if mine is None or mine.world is None:
        return _Measured(broken="there is no global cluster")
    broken = _aurora_broken(mine, platform.region(roles.active), roles)
    if broken:
        return _Measured(broken=broken)
    if mine.lag is None:
        return _Measured(source="CloudWatch has no AuroraGlobalDBReplicationLag")
    age = now - mine.lag.at
    if age > SAMPLE_FRESH:
        return _Measured(source=f"the last AuroraGlobalDBReplicationLag is {age} old")
    lag = timedelta(seconds=mine.lag.value)
    return _Measured(lag=lag, source="CloudWatch AuroraGlobalDBReplicationLag")


def _aurora_broken(mine: Database, active: Region, roles: Roles) -> str:
    """Why the standby could not take over, however small its lag."""
    writer = mine.world.writer if mine.world else None
    if writer is None or writer.region != active.name:
        where = writer.region if writer else "in no Region, or in several"
        return f"the writer is {where}, but {roles.active} is active"
    if mine.cluster is None:
        return f"{roles.standby} has no DB cluster in the global cluster"
    if not mine.cluster.instances:
        return f"{mine.cluster.id} is headless: without an instance it cannot be promoted quickly"
    if not mine.cluster.serving:
        return f"{mine.cluster.id} is {mine.cluster.status}, and no instance is available"
    return ""


SEVERITIES = {State.WITHIN_OBJECTIVE: Severity.OK, State.OVER_OBJECTIVE: Severity.WARN}
ACTIONS = {
    (
        Kind.EFS,
        State.BROKEN,
    ): "Run converge_roles for a new file system; after a failover, reprotect",
    (Kind.AURORA, State.BROKEN): "Apply the stack database of the standby, or wait for RDS",
    (Kind.EFS, State.UNKNOWN): "Wait for the first sync, or look why the standby cannot be read",
    (Kind.AURORA, State.UNKNOWN): "Look at the secondary cluster and its metrics in CloudWatch",
}
TOO_FAR = "Look at the load on the source; a failover now would lose that much"


def findings(measured: list[Lag]) -> list[Finding]:
    """One finding per resource."""
    return [_finding(one) for one in measured]


def _finding(one: Lag) -> Finding:
    state = one.state
    act = ACTIONS.get((one.kind, state), "" if state is State.WITHIN_OBJECTIVE else TOO_FAR)
    return Finding(
        check=CHECK,
        subject=one.resource,
        state=state,
        severity=SEVERITIES.get(state, Severity.ERROR),
        reason=_reason(one),
        action=act,
    )


def _reason(one: Lag) -> str:
    if one.broken:
        return one.broken
    if one.lag is None:
        return f"the lag is unknown: {one.source}"
    seconds = f"{one.lag.total_seconds():.1f} s behind ({one.source})"
    limits = f"the objective is {one.objective}, approval is asked over {one.approval}"
    return f"{seconds}; {limits}"
