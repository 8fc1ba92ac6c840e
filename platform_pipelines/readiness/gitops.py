"""`argocd_sync_parity`: do both Regions' own Argo CDs have the same Applications in the same state?

Two independent controllers, no hub: parity is judged from the Application resources of both sides,
by the rules of `gitops_rules`. What one rule cannot tell, the whole pair cannot.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from platform_pipelines.kube.argocd import ApplicationState
from platform_pipelines.ledger_records import Roles
from platform_pipelines.model import Platform, Region
from platform_pipelines.readiness.finding import Finding, Severity, Unknown
from platform_pipelines.readiness.gitops_pair import Objection, Pair, Side, State, neutral
from platform_pipelines.readiness.gitops_rules import RULES
from platform_pipelines.readiness.inventory import NodeGroups

CHECK = "argocd_sync_parity"
RANK = {state: rank for rank, state in enumerate(State)}
SEVERITIES = {
    State.IN_PARITY: Severity.OK,
    State.STANDBY_EXPECTED: Severity.OK,
    State.CONVERGING: Severity.WARN,
    State.UNKNOWN: Severity.WARN,
    State.DRIFTED: Severity.ERROR,
}
ACTIONS = {
    State.CONVERGING: "Wait for the next reconciliation, then run the check again",
    State.UNKNOWN: "Look at the application controller and the repo server of that Region",
    State.DRIFTED: "Sync the Application in the Region that is behind, and correct what fails",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Gitops:
    """What this check needs to know of one Region."""

    applications: tuple[ApplicationState, ...] | Unknown
    nodes: NodeGroups | Unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """One Application's parity."""

    state: State
    reason: str


def judge(pair: Pair) -> Judgement:
    """The worst that any rule says, with all reasons of that rank."""
    objections = [said for rule in RULES for said in rule(pair)]
    if not objections:
        revision = "+".join(pair.active.application.revisions)
        return Judgement(state=State.IN_PARITY, reason=f"both are Synced to {revision}")
    worst = max((one.state for one in objections), key=lambda state: RANK[state])
    reasons = dict.fromkeys(_reasons(objections, worst))
    return Judgement(state=worst, reason="; ".join(reasons))


def parity(
    platform: Platform,
    roles: Roles | None,
    sides: Mapping[str, Gitops],
    now: datetime,
) -> list[Finding]:
    """Every Application of either Region. `roles` None: nobody knows who is active, so no side is
    excused for standing without nodes."""
    active = platform.region(roles.active) if roles else platform.home_region
    standby = platform.other(active.alias)
    found = {alias: side.applications for alias, side in sides.items()}
    dark = [one for one in found.values() if isinstance(one, Unknown)]
    if dark:
        return [_finding(one.region, State.UNKNOWN, str(one)) for one in dark]
    one, other = (_named(region, found[region.alias]) for region in (active, standby))
    findings = [
        _finding(name, State.DRIFTED, f"is in {region.alias} only")
        for name in sorted(one.keys() ^ other.keys())
        for region in (active if name in one else standby,)
    ]
    for name in sorted(one.keys() & other.keys()):
        judgement = judge(
            Pair(
                active=Side(region=active, application=one[name], nodes=sides[active.alias].nodes),
                standby=Side(
                    region=standby, application=other[name], nodes=sides[standby.alias].nodes
                ),
                roles_known=roles is not None,
                now=now,
                fresh=platform.readiness.argocd_fresh,
            )
        )
        findings.append(_finding(name, judgement.state, judgement.reason))
    none = "there is no Application in either"
    return findings or [_finding("both Regions", State.UNKNOWN, none)]


def _named(
    region: Region, applications: tuple[ApplicationState, ...] | Unknown
) -> dict[str, ApplicationState]:
    """The Applications by a name that is the same in both Regions."""
    if isinstance(applications, Unknown):
        return {}
    return {neutral(f"{one.namespace}/{one.name}", region): one for one in applications}


def _reasons(objections: list[Objection], state: State) -> Iterator[str]:
    return (one.reason for one in objections if one.state is state)


def _finding(subject: str, state: State, reason: str) -> Finding:
    return Finding(
        check=CHECK,
        subject=subject,
        state=state,
        severity=SEVERITIES[state],
        reason=reason,
        action=ACTIONS.get(state, ""),
    )
