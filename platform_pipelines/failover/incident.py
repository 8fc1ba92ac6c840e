"""An incident's life: proposed with its evidence, approved, opened by one run, settled or aborted.

The rules of who may change roles, in one place: one incident per epoch, a cooldown, no target whose
own last incident is not closed, and approval judged on what was known before T0.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from platform_pipelines.clock import seconds
from platform_pipelines.errors import Refused
from platform_pipelines.failover.decision import Watch
from platform_pipelines.failover.loss import Loss
from platform_pipelines.ledger import Ledger
from platform_pipelines.ledger_records import (
    Colour,
    Incident,
    IncidentState,
    Roles,
    Verdict,
    plain,
    record,
)
from platform_pipelines.model import Approval, Platform


@dataclass
class MayNotFailOver(Refused):
    """A rule forbids a change of roles now."""

    why: str

    def __str__(self) -> str:
        return f"No failover: {self.why}"


@dataclass
class NothingToApprove(Refused):
    """There is no incident that waits for this approval."""

    incident: str
    why: str

    def __str__(self) -> str:
        return f"Incident {self.incident!r} cannot be approved: {self.why}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What is known when a change of roles is considered."""

    roles: Roles
    last: Incident | None  # the incident that this epoch has, or that made it
    t0: datetime
    verdict: Verdict | None  # the last before T0
    losses: list[Loss]


def forbidden(case: Case, platform: Platform, now: datetime, accept_age_s: float | None) -> str:
    """Why roles may not change now; empty if they may. Cooldown binds the automatic rule only: a
    person who names the age of the data that is accepted has acknowledged it."""
    last = case.last
    if last is None:
        return ""
    if last.state in (IncidentState.PROPOSED, IncidentState.OPEN):
        return f"incident {last.id} is {last.state}; one incident per epoch."
    if last.settled_at is None:
        return ""
    if accept_age_s is not None:
        return _too_old(last, now, accept_age_s)
    cooldown = platform.failover.cooldown
    since = now - last.settled_at
    if since < cooldown:
        return (
            f"incident {last.id} settled {_minutes(since)} ago and the cooldown is "
            f"{_minutes(cooldown)}; launch region_failover with accept_age_s to go on anyway."
        )
    if last.state.over:
        return ""
    return (
        f"{case.roles.standby} was lost in incident {last.id}, which is not closed: its data is old. "
        f"Launch region_failover with accept_age_s, the age of the data that you accept, in seconds."
    )


def in_maintenance(ledger: Ledger, platform: Platform) -> str:
    """Why outages are only reported at the moment; empty if they are not."""
    if platform.failover.maintenance:
        return "platform.yaml says maintenance."
    why = ledger.maintenance()
    return f"the platform is in maintenance: {why}." if why else ""


def _too_old(last: Incident, now: datetime, accept_age_s: float) -> str:
    """The lost Region's data is as old as its outage, unless it was reprotected since."""
    age = seconds(now - last.t0)
    if last.state.over or age <= accept_age_s:
        return ""
    return (
        f"the data there is {age:.0f} s old, since incident {last.id}, and accept_age_s is "
        f"{accept_age_s:.0f}; name an age that you really accept."
    )


def unsafe(case: Case, platform: Platform) -> tuple[str, ...]:
    """Why a failover would not be safe by what was known before T0; empty if it would."""
    reasons = []
    verdict, policy = case.verdict, platform.failover
    if verdict is None:
        reasons.append("no readiness verdict was known before the outage")
    elif case.t0 - verdict.at > platform.readiness.verdict_age:
        reasons.append(f"the last verdict is {_minutes(case.t0 - verdict.at)} old")
    elif verdict.colour is Colour.RED:
        reasons.append(f"the last verdict is red: {'; '.join(verdict.reasons)}")
    limits = {"efs": policy.approval_lag.efs, "aurora": policy.approval_lag.aurora}
    for loss in case.losses:
        limit = seconds(limits[loss.kind])
        if loss.lag is None:
            reasons.append(f"the lag of {loss.key} at T0 is unknown")
        elif loss.lag > limit:
            reasons.append(f"the lag of {loss.key} at T0 was {loss.lag:.0f} s, over {limit:.0f} s")
    return tuple(reasons)


def propose(ledger: Ledger, case: Case, platform: Platform, watch: Watch, reason: str) -> Incident:
    """Record the incident of this epoch. Raises: LedgerMoved when somebody was first."""
    why = unsafe(case, platform)
    policy = platform.failover.approval
    now = ledger.clock.now()
    incident = Incident(
        id=f"inc-{case.roles.epoch}-{now:%Y%m%dT%H%M%SZ}",
        state=IncidentState.PROPOSED,
        epoch=case.roles.epoch,
        target=case.roles.standby,
        strategy=platform.failover.strategy.value,
        t0=case.t0,
        proposed_at=now,
        reason=reason,
        needs_approval=policy is Approval.ALWAYS or (policy is Approval.WHEN_UNSAFE and bool(why)),
        why_unsafe=why,
        signals=watch.evidence,
        verdict_before=record(case.verdict) if case.verdict else None,
        lag_before={loss.key: loss.seconds for loss in case.losses},
    )
    ledger.propose(incident, replaces=case.last.id if case.last else None)
    return incident


def approve(
    ledger: Ledger, identifier: str, approver: str, reason: str, accept_data_loss_s: float | None
) -> Incident:
    """Record a person's approval of a proposed incident. Raises: NothingToApprove, LedgerMoved."""
    incident = ledger.last_incident()
    if incident is None or incident.id != identifier:
        known = f"the ledger's incident is {incident.id}" if incident else "the ledger has none"
        raise NothingToApprove(identifier, f"{known}; take the id from there.")
    if incident.state is not IncidentState.PROPOSED:
        raise NothingToApprove(identifier, f"it is {incident.state} already.")
    _check_accepted(incident, accept_data_loss_s)
    approval = {
        "approver": approver,
        "reason": reason,
        "at": plain(ledger.clock.now()),
        "accept_data_loss_s": accept_data_loss_s,
    }
    return ledger.change_incident(incident, approvals=(*incident.approvals, approval))


def _check_accepted(incident: Incident, accept_data_loss_s: float | None) -> None:
    """A number that is named must cover what is known to be lost. Raises: NothingToApprove."""
    if accept_data_loss_s is None:
        return
    for resource, lost in incident.lag_before.items():
        if lost is None or lost > accept_data_loss_s:
            known = "unknown" if lost is None else f"{lost:.0f} s"
            raise NothingToApprove(
                incident.id,
                f"the loss of {resource} is {known}, and accept_data_loss_s is "
                f"{accept_data_loss_s:.0f}; raise it, or leave it out to accept any loss.",
            )


def _minutes(delta: timedelta) -> str:
    return f"{delta.total_seconds() / 60:.0f} min"
