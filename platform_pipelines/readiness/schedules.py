"""When readiness is looked at: every night, from the Region that would have to take over."""

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
from platform_pipelines.readiness import jobs
from platform_pipelines.turn import AskRoles, ask_ledger


def nightly_readiness(
    platform: Platform,
    ask_roles: AskRoles = ask_ledger,
    environ: Mapping[str, str] = os.environ,
) -> ScheduleDefinition:
    """At 02:00 in Seoul, before people come in and after the nightly builds."""

    @schedule(
        name="nightly_readiness",
        job_name=jobs.READINESS_CHECK,
        cron_schedule="0 2 * * *",
        execution_timezone="Asia/Seoul",
        default_status=DefaultScheduleStatus.RUNNING,
        description="readiness_check, run by the standby's controller or an external one.",
    )
    def evaluate() -> RunRequest | SkipReason:
        skip = turn.tonight(platform, "readiness", ask_roles, environ)
        return SkipReason(skip) if skip else RunRequest()

    return evaluate
