"""When readiness is looked at: every night, from the Region that would have to take over."""

import os
from collections.abc import Callable, Mapping

from dagster import (
    DefaultScheduleStatus,
    RunRequest,
    ScheduleDefinition,
    SkipReason,
    schedule,
)

from platform_pipelines import ledger as ledgers
from platform_pipelines.aws import settings as environments
from platform_pipelines.aws.region import Aws
from platform_pipelines.aws.settings import Settings
from platform_pipelines.errors import Refused
from platform_pipelines.ledger_records import Roles
from platform_pipelines.model import Platform
from platform_pipelines.readiness import jobs, turn

AskRoles = Callable[[Platform, Settings], Roles | None]


def ask_ledger(platform: Platform, settings: Settings) -> Roles | None:
    """The roles as the ledger says. Raises: PlatformError."""
    return ledgers.connect(Aws(platform, settings)).roles()


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
        try:
            settings = environments.from_environment(platform, environ)
        except Refused as error:
            return SkipReason(str(error))
        skip = turn.skip_reason(settings.controller, lambda: ask_roles(platform, settings))
        return SkipReason(skip) if skip else RunRequest()

    return evaluate
