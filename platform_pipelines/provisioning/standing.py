"""What the ledger lets provisioning do now: everything, one Region, or nothing.

In quiet times both Regions are applied. While an incident is open nothing is. Once it is settled,
only the active Region is, and nothing that holds data. Every change is preceded by a look at the
ledger (`Guard`), so that a failover which starts meanwhile is never worked against.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from botocore.exceptions import ClientError

from cfn import Unit
from platform_pipelines.aws.dynamodb import TableUnavailable
from platform_pipelines.aws.region import error_code
from platform_pipelines.clock import Stopped
from platform_pipelines.errors import Refused
from platform_pipelines.ledger_records import Incident, IncidentState, Roles
from platform_pipelines.ledger_stacks import StackRecords


class Ledger(Protocol):
    """What provisioning needs of the ledger."""

    @property
    def stacks(self) -> StackRecords: ...
    def roles(self) -> Roles | None: ...
    def bootstrap(self, active: str) -> Roles: ...
    def last_incident(self) -> Incident | None: ...
    def mark_virgin(self, file_system_id: str) -> None: ...
    def spend_virgin(self, file_system_id: str) -> None: ...
    def is_virgin(self, file_system_id: str) -> bool: ...


@dataclass
class IncidentOpen(Refused):
    """A failover is being worked on."""

    incident: str
    target: str

    def __str__(self) -> str:
        return (
            f"Incident {self.incident} is open: {self.target} is being made active. Nothing else is "
            f"changed meanwhile. Wait until region_failover has settled it, then run again."
        )


@dataclass
class IncidentNotClosed(Refused):
    """A failover is settled, and its old side is not yet a standby again."""

    incident: str

    def __str__(self) -> str:
        return (
            f"Incident {self.incident} is settled but not closed: what the old side holds is not "
            f"decided, so converge_roles does nothing. Close it with reprotect first."
        )


@dataclass
class RolesMoved(Refused):
    """The roles or the incident changed since this run read them."""

    was: str
    now: str

    def __str__(self) -> str:
        return (
            f"The ledger moved during this run, from {self.was} to {self.now}; nothing more is "
            f"changed. Look at the incident, then run again."
        )


class Permission(StrEnum):
    """What may happen to a unit."""

    APPLY = "apply"
    NO_STATEFUL_CHANGE = "apply, but change nothing that holds data"
    SETTLED = "skipped: incident settled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """The roles and the incident as a run read them."""

    roles: Roles | None  # None before the first apply
    incident: Incident | None

    @property
    def settled(self) -> bool:
        """Whether an incident is settled and not yet closed."""
        return self.incident is not None and self.incident.state is IncidentState.SETTLED

    def permission(self, unit: Unit) -> Permission:
        """What may happen to a unit."""
        if not self.settled or self.roles is None:
            return Permission.APPLY
        if unit.region.alias != self.roles.active:
            return Permission.SETTLED
        return Permission.NO_STATEFUL_CHANGE if unit.stack.stateful else Permission.APPLY

    def __str__(self) -> str:
        if self.roles is None:
            return "no roles"
        incident = f", incident {self.incident.id} {self.incident.state}" if self.incident else ""
        return f"epoch {self.roles.epoch} ({self.roles.active} active{incident})"


# Finds the ledger when it is needed: the first apply ever runs before there is one.
LedgerSource = Callable[[], Ledger]


def read(ledger: LedgerSource) -> Standing:
    """The present standing. Raises: TableUnavailable."""
    try:
        found = ledger()
        roles = found.roles()
    except TableUnavailable as error:
        if not _missing(error):
            raise
        return Standing(roles=None, incident=None)
    return Standing(roles=roles, incident=found.last_incident() if roles else None)


def refuse_open(standing: Standing) -> None:
    """Raises: IncidentOpen."""
    incident = standing.incident
    if incident is not None and incident.state is IncidentState.OPEN:
        raise IncidentOpen(incident.id, incident.target)


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """Asked before every change: may this run still go on?"""

    ledger: LedgerSource
    standing: Standing
    stop: threading.Event

    def __call__(self) -> None:
        """Raises: Stopped, IncidentOpen, RolesMoved, TableUnavailable."""
        if self.stop.is_set():
            raise Stopped
        if self.standing.roles is None:
            return  # there is no ledger yet, and this run makes it
        now = read(self.ledger)
        refuse_open(now)
        if _facts(now) != _facts(self.standing):
            raise RolesMoved(str(self.standing), str(now))


def _facts(standing: Standing) -> tuple[object, ...]:
    roles = standing.roles
    return (roles and roles.epoch, roles and roles.active, standing.settled)


def _missing(error: TableUnavailable) -> bool:
    cause = error.__cause__
    return isinstance(cause, ClientError) and error_code(cause) == "ResourceNotFoundException"
