"""One tick of the outage sensor, without Dagster: look, decide, propose, and keep an incident going.

A tick looks again and again for `tick_s` real seconds, so that detection is not bound by how often
Dagster asks. What it learnt goes into the cursor. Nothing here starts a run: it says which attempt
of which incident should be running, and the sensor asks Dagster for it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from platform_pipelines.aws.dynamodb import TableUnavailable
from platform_pipelines.aws.region import Aws
from platform_pipelines.aws.settings import EXTERNAL
from platform_pipelines.clock import Clock
from platform_pipelines.errors import PlatformError
from platform_pipelines.failover import decision, incident, loss
from platform_pipelines.failover.decision import Decision, Watch
from platform_pipelines.failover.incident import Case
from platform_pipelines.failover.signals import Look, Observer, State, is_back
from platform_pipelines.failover.work import stands_still
from platform_pipelines.ledger import Ledger, LedgerMoved, connect
from platform_pipelines.ledger_records import (
    Incident,
    IncidentState,
    Lease,
    Roles,
    parse_time,
    plain,
)
from platform_pipelines.model import Platform

TICK = 38.5  # real seconds; Dagster's loop is 5 s, so 1.5 s of a cycle stay blind
FOLLOWED = ("lease", "ended", "back")  # what the cursor keeps of an incident
START_PATIENCE = 10  # a run may wait for its start so many times longer than a lease lives
Cursor = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """A run of an incident, as Dagster knows it."""

    number: int
    finished: bool
    waiting: bool  # queued or starting: not yet at work


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """A run that should exist."""

    incident: Incident
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticked:
    """What a tick came to."""

    cursor: Cursor
    message: str
    launch: Launch | None = None
    quiet: bool = False  # everything was up


@dataclass
class Watcher:
    """Watches the active Region for one controller. Kept by the process between ticks."""

    aws: Aws
    tick_s: float = TICK
    _observer: Observer = field(init=False)
    _ledger: Ledger | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self._observer = Observer(self.platform, self.aws)

    @property
    def platform(self) -> Platform:
        """What is watched."""
        return self.aws.platform

    @property
    def clock(self) -> Clock:
        """The time of the looks."""
        return self.aws.settings.clock

    def tick(self, cursor: Cursor, attempts: Callable[[str], list[Attempt]]) -> Ticked:
        """Watch for `tick_s` real seconds. `attempts` finds an incident's runs."""
        clock = self.clock
        end = clock.monotonic() + self.tick_s * clock.speed
        while True:
            try:
                ticked = self._once(cursor, attempts)
            except TableUnavailable as error:
                self._ledger = None
                ticked = Ticked(cursor=cursor, message=f"The ledger cannot be read: {error}")
            cursor = ticked.cursor
            pause = self._pause(ticked)
            if ticked.launch or pause >= end - clock.monotonic():
                return ticked
            clock.sleep(pause)

    def _once(self, cursor: Cursor, attempts: Callable[[str], list[Attempt]]) -> Ticked:
        ledger = self._ledger = self._ledger or connect(self.aws)
        roles = ledger.roles()
        if roles is None:
            self._ledger = None  # whom to trust with it depends on the roles
            return Ticked(cursor={}, message="No roles in the ledger: run apply_infrastructure.")
        if ledger.region.alias == roles.active:
            self._ledger = None  # it must not be read through the Region that may go dark
        last = ledger.last_incident()
        live = last if last and last.state in (IncidentState.PROPOSED, IncidentState.OPEN) else None
        target = live.target if live else roles.standby  # a run may die after it changed the roles
        controller = self.aws.settings.controller
        if controller not in (EXTERNAL, target):
            message = f"This controller is {controller} and may not promote {target}."
            return Ticked(cursor={}, message=message)
        if live:
            return self._follow(ledger, live, cursor, attempts(live.id))
        return self._watch(ledger, roles, last, cursor)

    def _pause(self, ticked: Ticked) -> float:
        """AWS-like seconds until the next look: short as soon as anything is not up."""
        return self.platform.failover.interval.total_seconds() if ticked.quiet else 1.0

    # No incident: look

    def _watch(self, ledger: Ledger, roles: Roles, last: Incident | None, cursor: Cursor) -> Ticked:
        kept = cursor.get("watch")
        watch = decision.restore(kept) if kept else Watch.fresh(roles)
        if watch.epoch != roles.epoch:
            watch = Watch.fresh(roles)
        look = self._observer.look(roles, watch.pulse)
        watch = decision.see(watch, look)
        made = decision.decide(self.platform.failover, watch, look)
        after = {"watch": decision.dump(watch)}
        if made is not Decision.DOWN:
            message = _message(made, roles, watch, look)
            return Ticked(cursor=after, message=message, quiet=look.quiet)
        return self._propose(ledger, roles, last, watch, after)

    def _propose(
        self, ledger: Ledger, roles: Roles, last: Incident | None, watch: Watch, cursor: Cursor
    ) -> Ticked:
        paused = incident.in_maintenance(ledger, self.platform)
        if paused:
            return Ticked(cursor=cursor, message=f"{roles.active} is down, but {paused}")
        t0 = watch.t0 or self.clock.now()
        target = self.aws[roles.standby]
        case = Case(
            roles=roles,
            last=last,
            t0=t0,
            verdict=ledger.verdict_before(t0),
            losses=loss.known(target, self.platform, t0),
        )
        why_not = incident.forbidden(case, self.platform, self.clock.now(), None)
        if why_not:
            return Ticked(cursor=cursor, message=f"{roles.active} is down, but {why_not}")
        reason = f"{roles.active} is down since {plain(t0)}: checkers, heartbeat and probes agree"
        try:
            proposed = incident.propose(ledger, case, self.platform, watch, reason)
        except LedgerMoved as error:
            return Ticked(cursor=cursor, message=str(error))
        return self._follow(ledger, proposed, cursor, [])

    # An incident: see to it that one run works on it

    def _follow(
        self, ledger: Ledger, live: Incident, cursor: Cursor, attempts: list[Attempt]
    ) -> Ticked:
        cursor = {key: cursor[key] for key in FOLLOWED if key in cursor}  # looks are over
        if not live.approved:
            return self._await_approval(ledger, live, cursor)
        number = max([attempt.number for attempt in attempts], default=0)
        if number and not all(attempt.finished for attempt in attempts):
            waiting = any(attempt.waiting for attempt in attempts)
            dead, cursor = self._lease_dead(ledger, live, cursor, waiting)
            if not dead:
                does = "starting" if waiting else "at work"
                return Ticked(cursor=cursor, message=f"{live.id}: attempt {number} is {does}.")
        if number >= self.platform.failover.attempts:
            message = f"{live.id}: {number} attempts ended unsettled; read their errors, then launch region_failover."
            return Ticked(cursor=cursor, message=message)
        if number and all(attempt.finished for attempt in attempts):
            due, cursor = self._retry_due(number, cursor)
            if not due:
                message = f"{live.id}: attempt {number} ended unsettled; the next one is soon."
                return Ticked(cursor=cursor, message=message)
        launch = Launch(incident=live, attempt=number + 1)
        return Ticked(cursor={}, message=f"{live.id}: attempt {number + 1}.", launch=launch)

    def _await_approval(self, ledger: Ledger, live: Incident, cursor: Cursor) -> Ticked:
        """A person decides; meanwhile a Region that is up again for the hold ends the proposal, so
        that nobody approves what is long over."""
        roles = Roles(
            active=self.platform.other(live.target).alias, standby=live.target, epoch=live.epoch
        )
        now = self.clock.now()
        since = parse_time(cursor.get("back", plain(now)))
        if not is_back(self._observer.look(roles, None)):
            why = "; ".join(live.why_unsafe) or "the policy is `always`"
            message = f"{live.id} waits for job approve_failover: {why}."
            return Ticked(cursor={}, message=message)
        if now - since < self.platform.failover.hold:
            message = f"{live.id} waits, and {roles.active} answers again."
            return Ticked(cursor={"back": plain(since)}, message=message)
        over = f"{roles.active} is up again"
        ledger.change_incident(live, state=IncidentState.EXPIRED, failure=over)
        return Ticked(cursor={}, message=f"{live.id} is expired: {over}.")

    def _retry_due(self, number: int, cursor: Cursor) -> tuple[bool, Cursor]:
        """Whether the pause after an attempt is over; attempts in a row would only burn."""
        now = self.clock.now()
        ended = cursor.get("ended")
        if ended is None or ended["attempt"] != number:
            return False, {**cursor, "ended": {"attempt": number, "since": plain(now)}}
        return now - parse_time(ended["since"]) >= self.platform.failover.lease_dead, cursor

    def _lease_dead(
        self, ledger: Ledger, live: Incident, cursor: Cursor, waiting: bool
    ) -> tuple[bool, Cursor]:
        """Whether the lease's counter has stood still too long; the cursor keeps since when. A run
        that only waits for its start has no lease yet, and gets more time."""
        now = self.clock.now()
        seen = _lease_seen(ledger.lease(live.id))
        before = cursor.get("lease")
        if before is None or before["seen"] != seen:
            return False, {**cursor, "lease": {"seen": seen, "since": plain(now)}}
        limit = stands_still(self.clock, self.platform.failover.lease_dead.total_seconds())
        still = (now - parse_time(before["since"])).total_seconds()
        return still >= (limit * START_PATIENCE if waiting else limit), cursor


def _lease_seen(lease: Lease | None) -> list[Any]:
    return [lease.holder, lease.counter] if lease else []


def _message(made: Decision, roles: Roles, watch: Watch, look: Look) -> str:
    match made:
        case Decision.UP:
            return f"{roles.active} is up."
        case Decision.UNSEEN:
            unknown = [one.vantage for one in look.signals if one.state is State.UNKNOWN]
            return f"{roles.active}: nothing is down, and unknown are {', '.join(unknown)}."
        case Decision.BLIND:
            return "The self-check failed: this controller sees nothing and decides nothing."
    if decision.application_outage(look):
        return f"The service is down in {roles.active}, but the Region is up: no failover."
    since = min(one.since for one in watch.down.values())
    return f"{roles.active}: {', '.join(sorted(watch.down))} down since {plain(since)}."


def describe(error: PlatformError) -> str:
    """An error of the environment, as the reason why the sensor does nothing."""
    return f"The sensor does nothing: {error}"
