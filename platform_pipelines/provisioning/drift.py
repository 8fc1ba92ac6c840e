"""What the stacks of both Regions really are, beside what their templates say: `detect_drift`.

Each difference is expected, because an incident explains it, or it is not; what cannot be looked at
is unknown, and says so. Missing protection of a stack that holds data is drift, too. Nothing is
changed, so no incident forbids a look. A Region is asked by few at a time, because CloudFormation
throttles; one that does not answer is not asked again. Called by the asset check `drift`.
"""

import json
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial

from cfn import Unit
from platform_pipelines.aws import cloudformation, drift, recovery
from platform_pipelines.aws.cloudformation import StackState
from platform_pipelines.aws.drift import Compared
from platform_pipelines.aws.dynamodb import TableUnavailable
from platform_pipelines.aws.region import AwsError
from platform_pipelines.aws.resource_drift import Difference
from platform_pipelines.clock import Stopped
from platform_pipelines.errors import PlatformError
from platform_pipelines.ledger_records import Incident
from platform_pipelines.provisioning import expected, protection, statuses
from platform_pipelines.provisioning import standing as standings
from platform_pipelines.provisioning.ensure import Site
from platform_pipelines.provisioning.regions import RegionUnreachable, reaching
from platform_pipelines.provisioning.run import Run
from platform_pipelines.provisioning.standing import Standing
from platform_pipelines.provisioning.statuses import Next

AT_ONCE = 4  # stacks of one Region
STACK = "the stack"  # a finding's subject, when it is none of its resources
APPLY = "Run apply_infrastructure with it."


class State(StrEnum):
    """What a look came to; the worst comes last."""

    IN_SYNC = "in sync"
    EXPECTED = "expected"
    UNKNOWN = "unknown"
    DRIFTED = "drifted"


RANK = {state: rank for rank, state in enumerate(State)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something that is not as its template says, or could not be compared."""

    subject: str  # a logical id
    state: State
    reason: str  # what is wrong, and what to do; of an expected one, the incident
    type: str = ""
    differences: tuple[Difference, ...] = ()

    def __str__(self) -> str:
        shown = "; ".join(
            f"{one.path}: {one.expected or '(none)'} → {one.actual or '(none)'}"
            for one in self.differences
        )
        return (
            f"{self.subject}: {shown} ({self.reason})"
            if shown
            else f"{self.subject}: {self.reason}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitDrift:
    """One stack beside its template."""

    alias: str
    stack: str
    findings: tuple[Finding, ...] = ()
    compared: int = 0  # resources
    uncompared: tuple[str, ...] = ()  # of types that CloudFormation cannot compare

    @property
    def key(self) -> tuple[str, str]:
        return self.alias, self.stack

    @property
    def state(self) -> State:
        """The worst that was found."""
        return max(
            (one.state for one in self.findings), key=RANK.__getitem__, default=State.IN_SYNC
        )

    def __str__(self) -> str:
        found = "".join(f"\n  {one}" for one in self.findings)
        return f"{self.alias}/{self.stack}: {self.state}{found}"


@dataclass(kw_only=True)
class _Look:
    """What all looks of one run share."""

    run: Run
    standing: Standing | None  # None: the ledger could not be read
    dark: dict[str, str] = field(default_factory=dict)  # alias: how it did not answer

    @property
    def incident(self) -> Incident | None:
        return self.standing.incident if self.standing else None


def detect(run: Run, units: Sequence[Unit], emit: Callable[[UnitDrift], None]) -> None:
    """Compare these stacks with their templates; each result is emitted as it ends.
    Raises: Stopped."""
    look = _Look(run=run, standing=_standing(run))
    queues: dict[str, deque[Unit]] = {}
    for unit in units:
        queues.setdefault(unit.region.alias, deque()).append(unit)

    def work(queue: deque[Unit]) -> None:
        while queue:
            try:
                unit = queue.popleft()
            except IndexError:  # another one took the last
                return
            emit(_looked(look, unit))

    workers = [partial(work, queue) for queue in queues.values() for _ in range(AT_ONCE)]
    run.clock.gather(workers, run.stop)


def _standing(run: Run) -> Standing | None:
    """The roles and the incident; without them nothing is expected."""
    try:
        return standings.read(run.ledger)
    except TableUnavailable as error:
        run.tell(f"The ledger cannot be read, so no incident explains anything: {error}")
        return None


def _looked(look: _Look, unit: Unit) -> UnitDrift:
    if look.run.stop.is_set():
        raise Stopped
    alias = unit.region.alias
    site = look.run.site(unit)
    try:
        if alias in look.dark:
            return _unknown(look, unit, look.dark[alias])
        with reaching(site.region):
            return _compared(look, site)
    except Stopped:
        raise
    except RegionUnreachable as error:
        look.dark[alias] = f"{alias} does not answer ({error.reason})"
        return _unknown(look, unit, look.dark[alias])
    except (PlatformError, *AwsError) as error:
        return _unknown(look, unit, str(error))


def _unknown(look: _Look, unit: Unit, reason: str) -> UnitDrift:
    """Not looked at; while an incident is not over, it is named beside a silent Region."""
    incident = look.incident
    during = f"; {incident.id} is {incident.state}" if incident and not incident.state.over else ""
    finding = Finding(subject=STACK, state=State.UNKNOWN, reason=f"{reason}{during}")
    return _result(unit, [finding])


def _compared(look: _Look, site: Site) -> UnitDrift:
    state = cloudformation.describe(site.region, site.stack_name)
    if state is None or statuses.next_step(state.status) is not Next.UPDATE:
        return _result(site.unit, [_unusable(state)])
    detected = drift.detect(site.region, state.id, site.clock, site.stop)
    findings = [
        finding for one in detected.resources for finding in _of_resource(look.incident, site, one)
    ]
    unknown = any(one.state is State.UNKNOWN for one in findings)
    if detected.failed and not unknown:
        findings.append(Finding(subject=STACK, state=State.UNKNOWN, reason=detected.reason))
    names = {one.logical_id for one in detected.resources}
    owned = [one for one in recovery.resources(site.region, state.id) if one.owned]
    return UnitDrift(
        alias=site.region.alias,
        stack=site.unit.stack.name,
        findings=(*findings, *_protection(site, state)),
        compared=len(names),
        uncompared=tuple(str(one) for one in owned if one.logical_id not in names),
    )


def _unusable(state: StackState | None) -> Finding:
    """A stack without a template that holds."""
    if state is None or statuses.next_step(state.status) is Next.CREATE:
        return Finding(subject=STACK, state=State.DRIFTED, reason=f"it does not exist. {APPLY}")
    if statuses.next_step(state.status) is Next.WAIT:
        reason = f"it is {state.status}: run detect_drift again when that has ended"
        return Finding(subject=STACK, state=State.UNKNOWN, reason=reason)
    reason = f"it is {state.status}. {statuses.advice(state.status)}"
    return Finding(subject=STACK, state=State.DRIFTED, reason=reason)


def _of_resource(incident: Incident | None, site: Site, one: Compared) -> Iterator[Finding]:
    """What is wrong with one resource; what an incident explains stands for itself."""
    found = partial(Finding, subject=one.logical_id, type=one.type)
    match one.status:
        case "IN_SYNC":
            return
        case "DELETED":
            gone = f"{one.physical_id} does not exist any more: somebody deleted it by hand"
            yield found(state=State.DRIFTED, reason=gone)
            return
        case "MODIFIED" if one.differences:
            pass
        case status:
            yield found(state=State.UNKNOWN, reason=one.reason or f"CloudFormation says {status}")
            return
    reasons = {
        difference: expected.reason(incident, site.region.alias, one.type, difference.path)
        for difference in one.differences
    }
    for reason in dict.fromkeys(reasons.values()):
        same = tuple(difference for difference, why in reasons.items() if why == reason)
        state = State.EXPECTED if reason else State.DRIFTED
        said = reason or "somebody changed it by hand: put it back, or write it into cfn/ and apply"
        yield found(state=state, reason=said, differences=same)


def _protection(site: Site, state: StackState) -> Iterator[Finding]:
    """What keeps a stack that holds data from being deleted, or replaced, by mistake."""
    if not site.unit.stack.stateful:
        return
    lost = partial(Finding, subject=STACK, state=State.DRIFTED)
    if not state.protected:
        how = "--enable-termination-protection"
        command = f"`aws cloudformation update-termination-protection {how}"
        yield lost(reason=f"termination protection is off: {command} {_where(site)}`")
    wanted = protection.policy()
    found = drift.stack_policy(site.region, state.id)
    if not found or json.loads(found) != json.loads(wanted):
        wrong = "is not ours" if found else "is missing"
        command = f"`aws cloudformation set-stack-policy {_where(site)}"
        yield lost(reason=f"its stack policy {wrong}: {command} --stack-policy-body '{wanted}'`")


def _where(site: Site) -> str:
    return f"--region {site.region.name} --stack-name {site.stack_name}"


def _result(unit: Unit, findings: Sequence[Finding]) -> UnitDrift:
    alias, stack = unit.key
    return UnitDrift(alias=alias, stack=stack, findings=tuple(findings))
