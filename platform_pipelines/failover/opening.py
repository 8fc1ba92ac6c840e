"""The first and the last op of a failover: become the one run of an incident, and settle it.

`open_` is safe to run any number of times: it takes up a proposed incident, goes on with an open
one, or, started by a person without the sensor, proposes one of its own after a look of its own.
"""

from dataclasses import dataclass

from platform_pipelines.aws.region import Aws
from platform_pipelines.aws.settings import EXTERNAL
from platform_pipelines.errors import Failed
from platform_pipelines.failover import decision, incident, loss, plan
from platform_pipelines.failover.decision import Watch
from platform_pipelines.failover.incident import Case, MayNotFailOver
from platform_pipelines.failover.signals import Observer, State, is_back
from platform_pipelines.failover.work import Work, take_lease
from platform_pipelines.ledger import Ledger
from platform_pipelines.ledger_records import (
    Incident,
    IncidentState,
    Outcome,
    Roles,
    plain,
)
from platform_pipelines.model import Strategy


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What the launch of a run asks for."""

    target: str | None = None  # alias; the standby when it is not named
    reason: str = ""
    strategy: str | None = None
    accept_age_s: float | None = None
    attempt: int | None = None  # as the sensor counts


@dataclass
class NotSettled(Failed):
    """The failover is not complete; the incident stays open."""

    incident: str
    works: list[str]
    problems: list[str]

    def __str__(self) -> str:
        problems = "\n".join(f"  - {problem}" for problem in self.problems)
        return (
            f"Incident {self.incident} is not settled. Done: {', '.join(self.works) or 'nothing'}. "
            f"Not done:\n{problems}\nThe incident stays open: the sensor tries again by itself, or "
            f"launch region_failover again; what is done stays done."
        )


def open_(aws: Aws, ledger: Ledger, holder: str, request: Request) -> Work:
    """Open the incident for this run. Raises: MayNotFailOver, LeaseHeld, LedgerMoved."""
    roles = ledger.roles()
    if roles is None:
        raise MayNotFailOver("the ledger has no roles yet; run apply_infrastructure first.")
    last = ledger.last_incident()
    live = last if last and last.state in (IncidentState.PROPOSED, IncidentState.OPEN) else None
    target = aws.platform.region(request.target or (live.target if live else roles.standby)).alias
    _check_target(aws, roles, live, target)
    _check_strategy(request)
    chosen = live or _propose(aws, ledger, roles, last, request)
    if not chosen.approved:
        why = "; ".join(chosen.why_unsafe) or "the policy is `always`"
        raise MayNotFailOver(f"incident {chosen.id} waits for job approve_failover, because {why}.")
    take_lease(ledger, chosen.id, holder)
    work = Work(aws=aws, ledger=ledger, incident=chosen, holder=holder)
    _mark_open(work, request)
    return work


def settle(work: Work) -> Incident:
    """Change the roles, if everything is done, and give the lease back.
    Raises: NotSettled, LedgerMoved."""
    steps = {step.name: step for step in work.ledger.steps(work.incident.id)}
    works = [name for name, step in steps.items() if step.outcome is Outcome.DONE]
    problems = [
        f"{planned.name}: {step.detail if (step := steps.get(planned.name)) else 'never started'}"
        for planned in plan.STEPS
        if not _fine(planned.name, steps[planned.name].outcome if planned.name in steps else None)
    ]
    if problems:
        error = NotSettled(work.incident.id, works, problems)
        work.write(failure=str(error))
        work.ledger.release_lease(work.incident.id, work.holder)
        raise error
    work.guard()
    work.ledger.change_roles(work.incident)
    work.write(state=IncidentState.SETTLED, settled_at=work.clock.now(), failure=None)
    work.ledger.release_lease(work.incident.id, work.holder)
    return work.incident


def _fine(name: str, outcome: Outcome | None) -> bool:
    """The old side may be out of reach; everything else must be done."""
    return outcome is Outcome.DONE or (name == "hold_old_side" and outcome is Outcome.SKIPPED)


def _check_target(aws: Aws, roles: Roles, live: Incident | None, target: str) -> None:
    controller = aws.settings.controller
    if controller not in (EXTERNAL, target):
        raise MayNotFailOver(
            f"this controller is {controller} and may promote only itself; launch the job in "
            f"{target}'s Dagster, or with PLATFORM_CONTROLLER=external."
        )
    if live and live.target != target:
        raise MayNotFailOver(f"incident {live.id} is {live.state} with target {live.target}.")
    if live is None and roles.active == target:
        raise MayNotFailOver(f"{target} is active already, since epoch {roles.epoch}.")


def _check_strategy(request: Request) -> None:
    known = [one.value for one in Strategy]
    if request.strategy not in (None, *known):
        raise MayNotFailOver(f"there is no strategy {request.strategy!r}; use {', '.join(known)}.")


def _propose(
    aws: Aws, ledger: Ledger, roles: Roles, last: Incident | None, request: Request
) -> Incident:
    """A person launched the job: look, judge by the same rules, and record who wanted it."""
    if not request.reason.strip():
        raise MayNotFailOver("a launch by hand needs a `reason` in the config of open_incident.")
    paused = incident.in_maintenance(ledger, aws.platform)
    if paused:
        raise MayNotFailOver(paused)
    look = Observer(aws.platform, aws).look(roles, None)
    if look.self_check is not State.UP:
        raise MayNotFailOver("this controller cannot even see the standby; it may be cut off.")
    if is_back(look):
        raise MayNotFailOver(f"{roles.active} is up: its checkers and our probes reach it.")
    case = Case(
        roles=roles,
        last=last,
        t0=look.at,
        verdict=ledger.verdict_before(look.at),
        losses=loss.known(aws.other(roles.active), aws.platform, look.at),
    )
    why_not = incident.forbidden(case, aws.platform, look.at, request.accept_age_s)
    if why_not:
        raise MayNotFailOver(why_not)
    watch = decision.see(Watch.fresh(roles), look)
    reason = f"{request.reason} (launched by hand; T0 is this launch, the outage may be older)"
    proposed = incident.propose(ledger, case, aws.platform, watch, reason)
    approval = {
        "approver": "launched by hand",
        "reason": request.reason,
        "at": plain(look.at),
        "accept_age_s": request.accept_age_s,
    }
    return ledger.change_incident(proposed, approvals=(approval,))


def _mark_open(work: Work, request: Request) -> None:
    incident_ = work.incident
    if incident_.state is IncidentState.OPEN:
        work.write(attempt=request.attempt or incident_.attempt + 1)
        return
    roles = work.ledger.roles()
    if roles is None or roles.epoch != incident_.epoch or roles.incident != incident_.id:
        work.ledger.release_lease(incident_.id, work.holder)
        raise MayNotFailOver(f"incident {incident_.id} is of an epoch that is over.")
    work.write(
        state=IncidentState.OPEN,
        opened_at=work.clock.now(),
        attempt=request.attempt or incident_.attempt,
        strategy=request.strategy or incident_.strategy,
    )
