"""Brings both Regions to what the ledger says: replication, node counts, whose pipelines work.

The only owner of that state in quiet times. It acts only while reality confirms the ledger, raises
the active side first, and lowers the other only when the active side serves. Turning a replication
around is not done here. Called by job `converge_roles`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from platform_pipelines.errors import Refused
from platform_pipelines.ledger_records import Roles
from platform_pipelines.provisioning import node_counts, pipelines, reality, replication
from platform_pipelines.provisioning import run as runs
from platform_pipelines.provisioning import standing as standings
from platform_pipelines.provisioning.node_counts import ReadyNodes, Side
from platform_pipelines.provisioning.regions import reaching
from platform_pipelines.provisioning.run import Run
from platform_pipelines.provisioning.standing import Guard, IncidentNotClosed

PATIENCE = timedelta(minutes=5)  # for the active side's services, once its nodes are Ready
POLL = 5.0  # AWS-like seconds
# Why the services of the Region with this alias are not verified; None when they are.
WhyNot = Callable[[str], str | None]


@dataclass
class NoRoles(Refused):
    """The ledger does not say yet which Region is active."""

    def __str__(self) -> str:
        return "The ledger has no roles yet. Run apply_infrastructure first: it writes them."


@dataclass(frozen=True, slots=True, kw_only=True)
class Converged:
    """What was done, and what was found wrong and left alone."""

    roles: Roles
    changed: tuple[str, ...] = ()
    traffic: str | None = None  # how the traffic object contradicts the ledger
    withheld: str | None = None  # why the standby's counts were left alone


def converge(run: Run, ready: ReadyNodes, why_not: WhyNot) -> Converged:
    """Bring both Regions to the ledger's roles; changes nothing where nothing differs.
    Raises: NoRoles, IncidentOpen, IncidentNotClosed, RealityContradictsLedger, NotVirgin, …"""
    footing = runs.footing(run)
    roles = footing.standing.roles
    if roles is None:
        raise NoRoles
    standings.refuse_open(footing.standing)
    if footing.standing.settled and footing.standing.incident:
        raise IncidentNotClosed(footing.standing.incident.id)
    reality.refuse_contradictions(run.platform, run.regions, roles)
    traffic = reality.traffic_contradiction(run.platform, run.regions, roles)
    guard = footing.guard(run)
    counts = partial(_counts, run, guard, roles, ready, partial(_withheld, run, why_not, traffic))
    files = [
        partial(_replication, run, guard, roles, run.platform.file_system_name(one))
        for one in run.platform.file_systems
    ]
    held = partial(_pipelines, run, guard, roles)
    (changed, withheld), *others = run.clock.gather([counts, held, *files])
    done = [text for texts, _ in others for text in texts]
    return Converged(roles=roles, changed=(*done, *changed), traffic=traffic, withheld=withheld)


Done = tuple[list[str], str | None]  # what was changed, and why something was not


def _replication(run: Run, guard: Guard, roles: Roles, name: str) -> Done:
    text = replication.ensure(run, guard, roles, name)
    return ([text] if text else []), None


def _pipelines(run: Run, guard: Guard, roles: Roles) -> Done:
    return pipelines.ensure(run, guard, roles), None


def _counts(
    run: Run, guard: Guard, roles: Roles, ready: ReadyNodes, withheld: Callable[[str], str | None]
) -> Done:
    """The active side first; the standby's only when the active side serves."""
    active = _side(run, guard, roles.active, active=True, ready=ready)
    standby = _side(run, guard, roles.standby, active=False, ready=ready)
    with reaching(active.region):
        changed = node_counts.ensure(active)
    with reaching(standby.region):
        if not node_counts.differs(standby):
            return changed, None
        if reason := withheld(roles.active):
            return changed, reason
        return changed + node_counts.ensure(standby), None


def _side(run: Run, guard: Guard, alias: str, *, active: bool, ready: ReadyNodes) -> Side:
    region = run.regions[alias]
    cluster = run.platform.cluster_name(region.region)
    return Side(region=region, cluster=cluster, active=active, run=run, guard=guard, ready=ready)


def _withheld(run: Run, why_not: WhyNot, traffic: str | None, alias: str) -> str | None:
    """Why the standby may not lose nodes; waits a while for the active side's services."""
    if traffic:
        return traffic
    deadline = run.clock.monotonic() + PATIENCE.total_seconds()
    while reason := why_not(alias):
        if run.clock.monotonic() > deadline:
            return f"{alias} does not serve yet: {reason}"
        run.clock.sleep(POLL, run.stop)
    return None
