"""`dr_readiness`: one colour for the question whether tonight's failover would work, and why not.

Red is any ERROR, amber any WARN, green neither. What could not be looked at is at least amber, so
nothing is green because it was absent. The ledger keeps each verdict; failover reads the last one.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from platform_pipelines.ledger_records import Colour, Roles
from platform_pipelines.readiness.finding import Finding, Severity, Unknown, errors, warnings
from platform_pipelines.readiness.replication import Kind, Lag

CHECK = "dr_readiness"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What is known about the next failover."""

    at: datetime
    colour: Colour
    reasons: tuple[str, ...]  # the worst first, in the order of the checks
    findings: tuple[Finding, ...]
    roles: Roles | None
    rpo: Mapping[Kind, timedelta | None]  # worst lag of each kind; None is unknown


def judge(
    findings: Iterable[Finding], lags: Iterable[Lag], roles: Roles | None, at: datetime
) -> Verdict:
    """The verdict on all findings; without any finding it is red, because nothing was looked at."""
    found = tuple(findings) or (_nothing(),)
    colour = Colour.GREEN
    if warnings(found):
        colour = Colour.AMBER
    if errors(found):
        colour = Colour.RED
    reasons = tuple(f"{one.check}: {one}" for one in (*errors(found), *warnings(found)))
    return Verdict(
        at=at,
        colour=colour,
        reasons=reasons,
        findings=found,
        roles=roles,
        rpo=_worst(tuple(lags)),
    )


def of_roles(roles: Roles | Unknown | None) -> list[Finding]:
    """Without roles nobody knows what would fail over to where."""
    if isinstance(roles, Roles):
        reason = f"{roles.active} is active, {roles.standby} is standby, epoch {roles.epoch}"
        return [_finding("roles", "known", Severity.OK, reason)]
    if roles is None:
        reason, action = "the ledger names no roles", "Run apply_infrastructure, which writes them"
    else:
        reason, action = str(roles), "Look whether the ledger's table answers in this Region"
    return [_finding("roles", "unknown", Severity.ERROR, reason, action)]


def of_inventories(inventories: Iterable[object]) -> list[Finding]:
    """One finding for each Region of which something could not be read."""
    unread: dict[str, list[Unknown]] = {}
    for one in inventories:
        if isinstance(one, Unknown):
            unread.setdefault(one.region, []).append(one)
    action = "Look whether the Region answers, then run readiness_check again"
    return [
        _finding(
            region,
            "unknown",
            Severity.WARN,
            f"{', '.join(one.what for one in found)} could not be read: {found[0].reason}",
            action,
        )
        for region, found in unread.items()
    ]


def _worst(lags: tuple[Lag, ...]) -> dict[Kind, timedelta | None]:
    """The worst lag of each kind; one unknown makes the whole kind unknown."""
    kinds = {one.kind for one in lags}
    return {
        kind: _maximum([one.lag for one in lags if one.kind is kind])
        for kind in Kind
        if kind in kinds
    }


def _maximum(found: list[timedelta | None]) -> timedelta | None:
    known = [one for one in found if one is not None]
    return max(known) if known and len(known) == len(found) else None


def _nothing() -> Finding:
    return _finding(
        "everything", "unknown", Severity.ERROR, "nothing was looked at", "Run readiness_check"
    )


def _finding(
    subject: str, state: str, severity: Severity, reason: str, action: str = ""
) -> Finding:
    return Finding(
        check=CHECK,
        subject=subject,
        state=state,
        severity=severity,
        reason=reason,
        action=action,
    )
