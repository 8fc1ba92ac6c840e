"""`region_outage_sensor`: watches the active Region and starts `region_failover`, nothing else.

Without PLATFORM_TARGET and PLATFORM_CONTROLLER it skips and says so. One run key per attempt, so
that Dagster starts each attempt once.
"""

import json

from dagster import (
    DagsterRunStatus,
    DefaultSensorStatus,
    RunRequest,
    RunsFilter,
    SensorDefinition,
    SensorEvaluationContext,
    SensorResult,
    SkipReason,
    sensor,
)

from platform_pipelines.aws import settings as environments
from platform_pipelines.aws.region import Aws
from platform_pipelines.aws.settings import Settings
from platform_pipelines.errors import PlatformError
from platform_pipelines.failover.jobs import region_failover
from platform_pipelines.failover.ops import ATTEMPT_TAG, INCIDENT_TAG
from platform_pipelines.failover.watcher import TICK, Attempt, Launch, Watcher, describe
from platform_pipelines.model import Platform

FINISHED = (DagsterRunStatus.SUCCESS, DagsterRunStatus.FAILURE, DagsterRunStatus.CANCELED)
WAITING = (DagsterRunStatus.QUEUED, DagsterRunStatus.NOT_STARTED, DagsterRunStatus.STARTING)


def build(platform: Platform, tick_s: float = TICK) -> SensorDefinition:
    """The sensor of a platform; a tick looks for `tick_s` real seconds."""
    kept: dict[Settings, Watcher] = {}

    @sensor(
        name="region_outage_sensor",
        job=region_failover,
        default_status=DefaultSensorStatus.RUNNING,
        minimum_interval_seconds=5,
        description="Watches the active Region from three vantages and starts region_failover "
        "when all of them see it down for the policy's hold.",
    )
    def region_outage_sensor(context: SensorEvaluationContext) -> SensorResult | SkipReason:
        try:
            settings = environments.from_environment(platform)
            watcher = kept.get(settings) or Watcher(Aws(platform, settings), tick_s)
            kept[settings] = watcher
            cursor = json.loads(context.cursor) if context.cursor else {}
            ticked = watcher.tick(cursor, lambda incident: _attempts(context, incident))
        except PlatformError as error:
            return SkipReason(describe(error))
        after = json.dumps(ticked.cursor)
        if ticked.launch is None:
            return SensorResult(skip_reason=ticked.message, cursor=after)
        return SensorResult(run_requests=[_request(ticked.launch)], cursor=after)

    return region_outage_sensor


def _request(launch: Launch) -> RunRequest:
    incident = launch.incident
    config = {"target": incident.target, "reason": incident.reason, "strategy": incident.strategy}
    return RunRequest(
        run_key=f"{incident.id}:{launch.attempt}",
        run_config={"ops": {"open_incident": {"config": config}}},
        tags={INCIDENT_TAG: incident.id, ATTEMPT_TAG: str(launch.attempt)},
    )


def _attempts(context: SensorEvaluationContext, incident: str) -> list[Attempt]:
    """The runs of an incident that the sensor asked for or a person launched."""
    runs = context.instance.get_runs(RunsFilter(tags={INCIDENT_TAG: incident}))
    return [
        Attempt(
            number=int(run.tags.get(ATTEMPT_TAG, "1")),
            finished=run.status in FINISHED,
            waiting=run.status in WAITING,
        )
        for run in runs
    ]
