"""One run's work on one incident: the lease that makes it the only one, and the record it leaves.

Every changing call goes through `change`, which first proves that the lease is still ours and that
nobody asked the run to stop, and then writes the call down with its request id. Whatever a step
learns is in the ledger before the next call, so that a run killed anywhere loses nothing.
"""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from platform_pipelines.aws.region import (
    Aws,
    AwsError,
    AwsRegion,
    forget_request_id,
    last_request_id,
)
from platform_pipelines.clock import Clock, Stopped
from platform_pipelines.errors import Failed, PlatformError, Refused
from platform_pipelines.ledger import Ledger
from platform_pipelines.ledger_records import (
    Incident,
    IncidentState,
    Lease,
    Outcome,
    Step,
    plain,
)
from platform_pipelines.model import Platform

T = TypeVar("T")
# A process may stall for a few real seconds (a hanging call, a busy machine) and still be alive.
STALL = 5.0


@dataclass
class LeaseHeld(Refused):
    """Another run works on the incident."""

    incident: str
    holder: str

    def __str__(self) -> str:
        return (
            f"Run {self.holder} works on incident {self.incident} at this moment. "
            f"Follow that run; this one may be started again when it is dead."
        )


@dataclass
class LeaseLost(Refused):
    """The incident is somebody else's by now; this run changes nothing more."""

    incident: str

    def __str__(self) -> str:
        return f"The lease of incident {self.incident} went to another run; follow that one."


@dataclass
class StepFailed(Failed):
    """A step could not reach its end state."""

    what: str
    next: str

    def __str__(self) -> str:
        return f"{self.what} {self.next}"


def stands_still(clock: Clock, lease_dead_s: float) -> float:
    """How long a lease's counter must stand still, in AWS-like seconds, to be dead."""
    return max(lease_dead_s, STALL * clock.speed)


def take_lease(ledger: Ledger, incident_id: str, holder: str) -> None:
    """Become the one run that works on an incident; waits as long as a dead lease has to stand
    still. Raises: LeaseHeld, if its holder lives."""
    clock = ledger.clock
    seen = ledger.lease(incident_id)
    if seen and seen.holder != holder:
        patience = ledger.platform.failover.lease_dead.total_seconds()
        _wait_until_dead(ledger, incident_id, seen, stands_still(clock, patience))
    if not ledger.take_lease(incident_id, holder, seen):
        now = ledger.lease(incident_id)
        if now is None or now.holder != holder:  # it is ours when only the answer was lost
            raise LeaseHeld(incident_id, now.holder if now else "unknown")


def _wait_until_dead(ledger: Ledger, incident_id: str, seen: Lease, patience: float) -> None:
    clock = ledger.clock
    until = clock.monotonic() + patience
    while clock.monotonic() < until:
        clock.sleep(patience / 10)
        if ledger.lease(incident_id) != seen:
            raise LeaseHeld(incident_id, seen.holder)


@dataclass
class Work:
    """What a step is given: the Regions, the incident, and the way to change something."""

    aws: Aws
    ledger: Ledger
    incident: Incident
    holder: str
    stop: threading.Event = field(default_factory=threading.Event)

    @property
    def platform(self) -> Platform:
        return self.aws.platform

    @property
    def clock(self) -> Clock:
        return self.aws.settings.clock

    @property
    def target(self) -> AwsRegion:
        """The Region that becomes active."""
        return self.aws[self.incident.target]

    @property
    def lost(self) -> AwsRegion:
        """The Region that was active."""
        return self.aws.other(self.incident.target)

    def pause(self, seconds: float) -> None:
        """Wait, in AWS-like seconds. Raises: Stopped."""
        self.clock.sleep(seconds, self.stop)

    def guard(self) -> None:
        """Prove that we may still change something. Raises: Stopped, LeaseLost."""
        if self.stop.is_set():
            raise Stopped
        if not self.ledger.renew_lease(self.incident.id, self.holder):
            self.stop.set()
            raise LeaseLost(self.incident.id)

    def write(self, **changes: Any) -> None:
        """Change the incident in the ledger. Raises: LedgerMoved."""
        self.incident = self.ledger.change_incident(self.incident, **changes)

    def pass_point_of_no_return(self) -> None:
        """From the next call on there is no way back; written before that call is made."""
        if not self.incident.point_of_no_return:
            self.write(point_of_no_return=True)

    @contextmanager
    def step(self, name: str) -> Iterator["StepRecord"]:
        """Record a step from its start to its end. What failed is recorded and ends here, so that
        what does not depend on this step goes on; a refusal, a stop or a lost lease ends the run."""
        before = {step.name: step for step in self.ledger.steps(self.incident.id)}
        record = StepRecord(self, self._begun(name, before.get(name)))
        with self._kept_alive():
            try:
                yield record
            except (Stopped, LeaseLost):
                raise
            except Refused as error:
                record.end(Outcome.FAILED, str(error))
                raise
            except (*AwsError, PlatformError) as error:
                record.end(Outcome.FAILED, str(error))
            else:
                record.end(record.step.outcome or Outcome.DONE)

    def _begun(self, name: str, before: Step | None) -> Step:
        """A step goes on where an earlier attempt left it: its start, calls and findings stay."""
        step = (
            replace(before, ended=None, outcome=None, detail="", resources=_retried(before))
            if before
            else Step(name=name, started=self.clock.now())
        )
        self.ledger.write_step(self.incident.id, step)
        return step

    @contextmanager
    def _kept_alive(self) -> Iterator[None]:
        """Move the lease's counter while a step works, however long one of its calls takes. The
        stop event is set if the step is interrupted, so that its threads change nothing more."""
        every = self.platform.failover.lease_dead.total_seconds() / 3
        with self.clock.beating(every, self._beat):
            try:
                yield
            except BaseException:
                self.stop.set()
                raise

    def _beat(self) -> bool:
        try:
            kept = self.ledger.renew_lease(self.incident.id, self.holder)
        except Failed:  # the ledger did not answer once; `guard` decides before a change
            return True
        if not kept:
            self.stop.set()
        return kept


@dataclass
class StepRecord:
    """What a step has done so far, written to the ledger as it happens. Thread-safe."""

    work: Work
    step: Step
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, kind: str, resource: str, **found: Any) -> None:
        """Keep what was found out about a resource. What an earlier attempt knew stays known:
        a value is never replaced by None."""
        with self._lock:
            rest = [one for one in self.step.resources if _identity(one) != (kind, resource)]
            old = next(
                (one for one in self.step.resources if _identity(one) == (kind, resource)), {}
            )
            new = {key: value for key, value in plain(found).items() if value is not None}
            merged = {**old, "kind": kind, "resource": resource, **new}
            self._save(replace(self.step, resources=(*rest, merged)))

    def noted(self, kind: str, resource: str) -> Mapping[str, Any]:
        """What is known about a resource."""
        found = (one for one in self.step.resources if _identity(one) == (kind, resource))
        return next(found, {})

    def change(self, what: str, resource: str, call: Callable[[], T]) -> T:
        """Make one changing call and write it down, with the error if AWS refused."""
        self.work.guard()
        entry = {"at": plain(self.work.clock.now()), "what": what, "resource": resource}
        forget_request_id()
        try:
            result = call()
        except AwsError as error:
            self._called({**entry, "error": str(error), "request_id": last_request_id()})
            raise
        self._called({**entry, "request_id": last_request_id()})
        return result

    def skip(self, why: str) -> None:
        """There was nothing to do, or nothing could be done; neither is a failure."""
        self._save(replace(self.step, outcome=Outcome.SKIPPED, detail=why))

    def end(self, outcome: Outcome, detail: str = "") -> None:
        """The step is over."""
        with self._lock:
            self._save(
                replace(
                    self.step,
                    ended=self.work.clock.now(),
                    outcome=outcome,
                    detail=detail or self.step.detail,
                )
            )

    def _called(self, entry: dict[str, Any]) -> None:
        with self._lock:
            self._save(replace(self.step, calls=(*self.step.calls, entry)))

    def _save(self, step: Step) -> None:
        self.step = step
        self.work.ledger.write_step(self.work.incident.id, step)


def resume(aws: Aws, ledger: Ledger, holder: str) -> Work:
    """The work of a later op of the same run. Raises: LeaseLost when it is not ours any more."""
    incident = ledger.last_incident()
    if incident is None or incident.state is not IncidentState.OPEN:
        raise LeaseLost(incident.id if incident else "none")
    lease = ledger.lease(incident.id)
    if lease is None or lease.holder != holder:
        raise LeaseLost(incident.id)
    return Work(aws=aws, ledger=ledger, incident=incident, holder=holder)


def _retried(step: Step) -> tuple[dict[str, Any], ...]:
    """What is known about the resources, without how they failed: that is tried anew."""
    return tuple(
        {key: value for key, value in one.items() if key != "failed"} for one in step.resources
    )


def _identity(entry: Mapping[str, Any]) -> tuple[Any, Any]:
    return entry.get("kind"), entry.get("resource")
