"""Whose turn the nightly look is: the standby's controller, or one outside both Regions.

The active Region looks at nothing by night: when it matters, it is the one that is dark.
"""

from collections.abc import Callable

from platform_pipelines.aws.settings import EXTERNAL
from platform_pipelines.errors import PlatformError
from platform_pipelines.ledger_records import Roles


def skip_reason(controller: str, roles: Callable[[], Roles | None]) -> str | None:
    """Why this controller does not look tonight; None when it does. When the ledger cannot tell,
    it looks: the verdict then says so, and an extra look does no harm."""
    if controller == EXTERNAL:
        return None
    try:
        known = roles()
    except PlatformError:
        return None
    if known and known.active == controller:
        return f"{controller} is active; the controller of {known.standby} looks at readiness"
    return None
