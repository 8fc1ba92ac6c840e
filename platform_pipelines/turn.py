"""Whose turn a nightly look is: the standby's controller, or one outside both Regions.

The active Region looks at nothing by night: when it matters, it is the one that is dark. Called by
the nightly schedules.
"""

import os
from collections.abc import Callable, Mapping

from platform_pipelines import ledger as ledgers
from platform_pipelines.aws import settings as environments
from platform_pipelines.aws.region import Aws
from platform_pipelines.aws.settings import EXTERNAL, Settings
from platform_pipelines.errors import PlatformError, Refused
from platform_pipelines.ledger_records import Roles
from platform_pipelines.model import Platform

AskRoles = Callable[[Platform, Settings], Roles | None]


def ask_ledger(platform: Platform, settings: Settings) -> Roles | None:
    """The roles as the ledger says. Raises: PlatformError."""
    return ledgers.connect(Aws(platform, settings)).roles()


def tonight(
    platform: Platform,
    work: str,
    ask_roles: AskRoles = ask_ledger,
    environ: Mapping[str, str] = os.environ,
) -> str | None:
    """Why this process skips a nightly look at `work`; None when it looks."""
    try:
        settings = environments.from_environment(platform, environ)
    except Refused as error:
        return str(error)
    return skip_reason(settings.controller, lambda: ask_roles(platform, settings), work)


def skip_reason(controller: str, roles: Callable[[], Roles | None], work: str) -> str | None:
    """Why this controller does not look tonight; None when it does. When the ledger cannot tell,
    it looks: what it finds then says so, and an extra look does no harm."""
    if controller == EXTERNAL:
        return None
    try:
        known = roles()
    except PlatformError:
        return None
    if known and known.active == controller:
        return f"{controller} is active; the controller of {known.standby} looks at {work}"
    return None
