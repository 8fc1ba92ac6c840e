"""What a failover would lose, as the surviving Region knows it: per resource, seconds or unknown.

EFS: T0 minus the last time that the destination was in step. Aurora: the last lag before T0 plus
the age of that sample. What is not known is None and is never taken for zero.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from platform_pipelines.aws import cloudwatch, efs
from platform_pipelines.aws.region import AwsError, AwsRegion
from platform_pipelines.clock import seconds
from platform_pipelines.model import Platform


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """The newest data of one resource that did not cross."""

    kind: str  # efs or aurora
    resource: str
    seconds: float | None  # None: unknown

    @property
    def key(self) -> str:
        """How ledger and report name it."""
        return f"{self.kind}:{self.resource}"


def known(target: AwsRegion, platform: Platform, t0: datetime) -> list[Loss]:
    """Every replicated resource's loss, read in the Region that would take over."""
    return [*_files(target, platform, t0), *_databases(target, platform, t0)]


def of_replication(last_replicated: datetime | None, t0: datetime) -> float | None:
    """Seconds between the last sync and T0; a sync after T0 lost nothing."""
    return None if last_replicated is None else max(0.0, seconds(t0 - last_replicated))


def worst(losses: list[Loss], kind: str) -> float | None:
    """The largest loss of a kind; unknown if any of them is, or if there is none."""
    found = [loss.seconds for loss in losses if loss.kind == kind]
    values = [value for value in found if value is not None]
    return max(values) if values and len(values) == len(found) else None


def _files(target: AwsRegion, platform: Platform, t0: datetime) -> list[Loss]:
    try:
        states = {state.name: state for state in efs.describe(target)}
    except AwsError:
        states = {}
    losses = []
    for file_system in platform.file_systems:
        state = states.get(platform.file_system_name(file_system))
        last = state.replication.last_replicated if state and state.replication else None
        losses.append(Loss(kind="efs", resource=file_system.name, seconds=of_replication(last, t0)))
    return losses


def _databases(target: AwsRegion, platform: Platform, t0: datetime) -> list[Loss]:
    losses = []
    for database in platform.databases:
        cluster = platform.db_cluster_id(database, target.region)
        try:
            sample = cloudwatch.aurora_lag(target, cluster, t0)
        except AwsError:
            sample = None
        age = max(timedelta(), t0 - sample.at) if sample else timedelta()
        lost = round(sample.value + seconds(age), 3) if sample else None
        losses.append(Loss(kind="aurora", resource=database.name, seconds=lost))
    return losses
