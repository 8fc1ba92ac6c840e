"""The ledger: the one place that says which Region is active, and who may change that.

A DynamoDB global table with multi-Region strong consistency: every read is consistent, every write
is conditional, and a Region that is cut off from the other two can change nothing. Bound to one
Region's endpoint, so that no call goes to a dark Region. Formats: docs/ledger.md.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/multi-region-strong-consistency-gt.html
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from platform_pipelines.aws.dynamodb import Condition, Table, TableUnavailable
from platform_pipelines.aws.region import PROBE, Aws, AwsRegion
from platform_pipelines.aws.settings import EXTERNAL
from platform_pipelines.clock import Clock
from platform_pipelines.errors import Refused
from platform_pipelines.ledger_records import (
    Colour,
    Heartbeat,
    Incident,
    IncidentState,
    Lease,
    Roles,
    Step,
    Verdict,
    build,
    iso,
    plain,
    record,
)
from platform_pipelines.ledger_stacks import StackRecords
from platform_pipelines.model import Platform

ROLES = "roles/current"
MAINTENANCE = "maintenance"


@dataclass
class LedgerMoved(Refused):
    """Somebody else changed the ledger first; what we wanted to write is out of date."""

    what: str

    def __str__(self) -> str:
        return f"The ledger changed meanwhile: {self.what}. Read it again, then decide anew."


class Ledger:
    """The ledger through one Region's endpoint."""

    def __init__(self, region: AwsRegion, platform: Platform, clock: Clock) -> None:
        self.region = region
        self.platform = platform
        self.clock = clock
        self.table = Table(
            region=region,
            name=platform.ledger_table,
            partition=platform.platform,
            clock=clock,
        )

    @property
    def stacks(self) -> StackRecords:
        """What is known of the stacks."""
        return StackRecords(table=self.table)

    # Roles

    def roles(self) -> Roles | None:
        """Who is active; None before the first apply."""
        values = self.table.get(ROLES)
        return build(Roles, values) if values else None

    def bootstrap(self, active: str) -> Roles:
        """Write epoch 1, unless roles exist; returns what holds then."""
        standby = self.platform.other(active).alias
        first = Roles(active=active, standby=standby, epoch=1)
        self.table.put(ROLES, record(first), Condition.absent())
        roles = self.roles()
        assert roles is not None  # our write or somebody's was the first
        return roles

    def change_roles(self, incident: Incident) -> None:
        """Make the incident's target active and raise the epoch; done before is fine.
        Raises: LedgerMoved."""
        roles = self.roles()
        if roles and roles.active == incident.target and roles.incident == incident.id:
            return
        changed = self.table.change(
            ROLES,
            {
                "active": incident.target,
                "standby": self.platform.other(incident.target).alias,
                "epoch": incident.epoch + 1,
            },
            Condition.equal(epoch=incident.epoch, incident=incident.id),
        )
        if not changed:
            raise LedgerMoved(f"epoch {incident.epoch} is over, or another incident has it")

    # Incidents

    def last_incident(self) -> Incident | None:
        """The incident that this epoch has, or that made it."""
        roles = self.roles()
        return self.incident(roles.incident) if roles and roles.incident else None

    def open_incident(self) -> Incident | None:
        """The incident that is being worked on, if one is."""
        incident = self.last_incident()
        return incident if incident and incident.state is IncidentState.OPEN else None

    def incident(self, identifier: str) -> Incident | None:
        """An incident by its id."""
        values = self.table.get(f"incident/{identifier}")
        return build(Incident, values) if values else None

    def propose(self, incident: Incident, replaces: str | None) -> None:
        """Record an incident and give it the epoch. `replaces` is the epoch's earlier incident,
        which must be over. Raises: LedgerMoved when somebody was first."""
        self.table.put(f"incident/{incident.id}", record(incident), Condition.absent())
        condition = Condition.equal(epoch=incident.epoch, incident=replaces)
        if not self.table.change(ROLES, {"incident": incident.id}, condition):
            raise LedgerMoved(f"another incident has epoch {incident.epoch}, or it is over")

    def change_incident(self, incident: Incident, **changes: Any) -> Incident:
        """Write changes to an incident whose state is still the one we read.
        Raises: LedgerMoved."""
        ok = self.table.change(
            f"incident/{incident.id}", plain(changes), Condition.equal(state=str(incident.state))
        )
        if not ok:
            raise LedgerMoved(f"incident {incident.id} is no longer {incident.state}")
        return replace(incident, **changes)

    def write_step(self, incident_id: str, step: Step) -> None:
        """Record what a step did so far."""
        self.table.put(f"incident/{incident_id}#{step.name}", record(step))

    def steps(self, incident_id: str) -> list[Step]:
        """The steps of an incident in order of their start."""
        found = [
            build(Step, values) for values in self.table.starting_with(f"incident/{incident_id}#")
        ]
        return sorted(found, key=lambda step: step.started)

    # The lease of an incident

    def lease(self, incident_id: str) -> Lease | None:
        """Who works on an incident."""
        values = self.table.get(f"lease/{incident_id}")
        return build(Lease, values) if values else None

    def take_lease(self, incident_id: str, holder: str, seen: Lease | None) -> bool:
        """Become the holder, if the lease is still as `seen` (None: there is none)."""
        values = {"holder": holder, "counter": seen.counter + 1 if seen else 1}
        condition = (
            Condition.equal(holder=seen.holder, counter=seen.counter)
            if seen
            else Condition.absent()
        )
        return self.table.put(f"lease/{incident_id}", values, condition)

    def renew_lease(self, incident_id: str, holder: str) -> bool:
        """Move the counter; False when the lease is somebody else's by now."""
        return self.table.count(f"lease/{incident_id}", Condition.equal(holder=holder))

    def release_lease(self, incident_id: str, holder: str) -> None:
        """Give the lease back, if it is ours."""
        self.table.delete(f"lease/{incident_id}", Condition.equal(holder=holder))

    # Signs of life, verdicts, virgins, maintenance

    def beat(self, alias: str) -> None:
        """A Region's sign of life."""
        self.table.count(f"heartbeat/{alias}", at=iso(self.clock.now()))

    def heartbeat(self, alias: str) -> Heartbeat | None:
        """The last sign of life of a Region; None if it never gave one."""
        values = self.table.get(f"heartbeat/{alias}")
        return build(Heartbeat, values) if values else None

    def record_verdict(self, colour: Colour, reasons: Sequence[str], at: datetime) -> None:
        """Keep the verdict of a moment."""
        verdict = Verdict(at=at, colour=colour, reasons=tuple(reasons))
        self.table.put(f"verdict/{iso(at)}", record(verdict))

    def verdict_before(self, time: datetime) -> Verdict | None:
        """The last verdict that was known at a time."""
        values = self.table.last_between("verdict/", f"verdict/{iso(time)}")
        return build(Verdict, values) if values else None

    def mark_virgin(self, file_system_id: str) -> None:
        """`apply` made this file system: nothing has ever been in it. Never undoes `spend`."""
        self.table.put(f"virgin/{file_system_id}", {"virgin": True}, Condition.absent())

    def spend_virgin(self, file_system_id: str) -> None:
        """From now on this file system may hold data that only it has."""
        self.table.put(f"virgin/{file_system_id}", {"virgin": False})

    def is_virgin(self, file_system_id: str) -> bool:
        """Whether replication may overwrite this file system."""
        values = self.table.get(f"virgin/{file_system_id}")
        return bool(values and values.get("virgin"))

    def maintenance(self) -> str | None:
        """Why failover is only reported at the moment; None when it is not."""
        values = self.table.get(MAINTENANCE)
        return str(values.get("reason", "no reason given")) if values else None


def connect(aws: Aws) -> Ledger:
    """The ledger through the Region that may be trusted to answer: the controller's own, or for an
    `external` controller the standby's, so that no call has to go to a Region that fails.
    Raises: TableUnavailable when neither Region answers."""
    quick = aws.patient(PROBE)
    own = aws.settings.controller
    if own != EXTERNAL:
        return Ledger(aws[own], aws.platform, aws.settings.clock)
    found = aws.settings.clock.gather([_reader(region, aws) for region in quick])
    answers = {alias: roles for alias, roles, error in found if error is None}
    if not answers:
        raise next(error for _, _, error in found if error)
    known = [roles for roles in answers.values() if roles]
    standby = max(known, key=lambda roles: roles.epoch).standby if known else aws.platform.home
    alias = standby if standby in answers else next(iter(answers))
    return Ledger(aws[alias], aws.platform, aws.settings.clock)


def _reader(
    region: AwsRegion, aws: Aws
) -> Callable[[], tuple[str, Roles | None, TableUnavailable | None]]:
    def read() -> tuple[str, Roles | None, TableUnavailable | None]:
        try:
            return region.alias, Ledger(region, aws.platform, aws.settings.clock).roles(), None
        except TableUnavailable as error:
            return region.alias, None, error

    return read
