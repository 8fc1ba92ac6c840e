"""When drift is looked for: every night, before readiness, from the Region that would take over."""

import os
from collections.abc import Mapping

from dagster import (
    DefaultScheduleStatus,
    RunRequest,
    ScheduleDefinition,
    SkipReason,
    schedule,
)

from platform_pipelines import turn
from platform_pipelines.model import Platform
from platform_pipelines.provisioning import jobs
from platform_pipelines.turn import AskRoles, ask_ledger


def nightly_drift(
    platform: Platform,
    ask_roles: AskRoles = ask_ledger,
    environ: Mapping[str, str] = os.environ,
) -> ScheduleDefinition:
    """At 01:30 in Seoul, half an hour before readiness."""

    @schedule(
        name="nightly_drift",
        job_name=jobs.DETECT_DRIFT,
        cron_schedule="30 1 * * *",
        execution_timezone="Asia/Seoul",
        default_status=DefaultScheduleStatus.RUNNING,
        description="detect_drift, run by the standby's controller or an external one.",
    )
    def evaluate() -> RunRequest | SkipReason:
        skip = turn.tonight(platform, "drift", ask_roles, environ)
        return SkipReason(skip) if skip else RunRequest()

    return evaluate
