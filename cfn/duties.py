"""As what Dagster works: the roles of a Region's controllers, and which job's run takes which.

A role is taken by Pod Identity, through the service account of the run's pod, so that a readiness
check cannot change what it looks at and an apply cannot fail anything over.
"""

from collections.abc import Mapping
from enum import StrEnum

NAMESPACE = "dagster"


class Role(StrEnum):
    """As what a controller of a Region works; each job has one of them."""

    READINESS = "readiness"  # looks; of the ledger, it writes its verdict
    APPLY = "apply"  # stacks, and the state that converge_roles owns
    FAILOVER = "failover"  # watches, decides, changes roles
    HEARTBEAT = "heartbeat"  # beats


# Which role a job's run takes. Everything else (the daemon, the web server) needs none.
JOBS: Mapping[str, Role] = {
    "plan_infrastructure": Role.APPLY,
    "apply_infrastructure": Role.APPLY,
    "converge_roles": Role.APPLY,
    "recover_stack": Role.APPLY,
    "detect_drift": Role.READINESS,
    "readiness_check": Role.READINESS,
    "region_failover": Role.FAILOVER,
    "approve_failover": Role.FAILOVER,
}
# What runs in the code location's server itself.
SENSOR = Role.FAILOVER


def service_account(role: Role) -> str:
    """The service account whose pods take a role."""
    return f"{NAMESPACE}-{role}"


def group(role: Role) -> str:
    """What a role is inside of the clusters."""
    return f"platform:{role}"
