"""What a failover would lose, as the surviving Region knows it: per resource, seconds or unknown.

EFS: T0 minus the last time that the destination was in step. Aurora: the last lag before T0 plus
the age of that sample, which is an upper bound, because the metric has one value a minute. The lag
itself, by which approval is judged, is that last value. What is not known is None, never zero.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from platform_pipelines.aws import cloudwatch, efs
from platform_pipelines.aws.cloudwatch import Sample
from platform_pipelines.aws.region import AwsError, AwsRegion
from platform_pipelines.clock import seconds
from platform_pipelines.model import Platform

FRESH = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """The newest data of one resource that did not cross."""

    kind: str  # efs or aurora
    resource: str
    lag: float | None = None  # seconds behind at T0, as last measured; None: unknown
    seconds: float | None  # what is lost at most; None: unknown

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
        receives = state.replication if state and state.receives else None
        last = receives.last_replicated if receives else None
        behind = of_replication(last, t0)
        losses.append(Loss(kind="efs", resource=file_system.name, lag=behind, seconds=behind))
    return losses


def _databases(target: AwsRegion, platform: Platform, t0: datetime) -> list[Loss]:
    losses = []
    for database in platform.databases:
        cluster = platform.db_cluster_id(database, target.region)
        try:
            sample = cloudwatch.aurora_lag(target, cluster, t0)
        except AwsError:
            sample = None
        losses.append(_aurora(database.name, sample, t0))
    return losses


def _aurora(name: str, sample: Sample | None, t0: datetime) -> Loss:
    """A sample that is older than `FRESH` says nothing about the lag at T0."""
    if sample is None:
        return Loss(kind="aurora", resource=name, seconds=None)
    age = max(timedelta(), t0 - sample.at)
    return Loss(
        kind="aurora",
        resource=name,
        lag=sample.value if age <= FRESH else None,
        seconds=round(sample.value + seconds(age), 3),
    )
