"""Brings a stack back that apply cannot go on with: shown first, done only when a person confirms.

A look says what is stuck, why, and what would be kept, skipped and deleted. A run that confirms has
to fit what is stuck then. The ledger is asked as for an apply: nothing while an incident is open,
only the active Region and nothing that holds data while one is settled. Called by job
`recover_stack`; each run reads the stack first, so it can be repeated.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-updating-stacks-continueupdaterollback.html
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import cfn
from cfn import Unit
from platform_pipelines.aws import cloudformation, recovery
from platform_pipelines.errors import Failed, Refused
from platform_pipelines.model import Platform
from platform_pipelines.provisioning import run as runs
from platform_pipelines.provisioning import standing as standings
from platform_pipelines.provisioning import statuses, stuck
from platform_pipelines.provisioning.ensure import Site
from platform_pipelines.provisioning.regions import reaching
from platform_pipelines.provisioning.run import Footing, Run
from platform_pipelines.provisioning.standing import Permission
from platform_pipelines.provisioning.statuses import Way
from platform_pipelines.provisioning.stuck import Recovery


@dataclass
class UnknownStack(Refused):
    """A run names a stack that the platform does not have."""

    name: str
    known: tuple[str, ...]

    def __str__(self) -> str:
        known = ", ".join(self.known)
        return f"There is no stack {self.name!r}. Nothing was changed. Name one of: {known}."


@dataclass
class NotNamed(Refused):
    """A run names resources that have no part in what is stuck now."""

    where: str
    setting: str  # of the run
    names: tuple[str, ...]
    possible: tuple[str, ...]

    def __str__(self) -> str:
        return (
            f"{self.setting}: {', '.join(self.names)} cannot be named for {self.where} now. Nothing "
            f"was changed. Possible: {', '.join(self.possible) or 'nothing'}."
        )


@dataclass
class WouldLoseData(Refused):
    """Going on would delete something that holds data."""

    where: str
    resources: tuple[str, ...]
    keepable: tuple[str, ...]  # by naming them

    def __str__(self) -> str:
        keep = f" Keep {', '.join(self.keepable)} by naming it in skip." if self.keepable else ""
        return (
            f"Going on with {self.where} would delete what holds data: {', '.join(self.resources)}. "
            f"Nothing was changed.{keep} To accept the loss, or if it is empty, name it in delete."
        )


@dataclass
class NotNow(Refused):
    """A settled incident keeps us from a stack."""

    where: str
    incident: str
    permission: Permission

    def __str__(self) -> str:
        return (
            f"{self.where} is left alone while incident {self.incident} is settled "
            f"({self.permission}). Close it with reprotect, then run again."
        )


@dataclass
class StillStuck(Failed):
    """The stack was asked to go on, and did not come back."""

    where: str
    status: str
    cause: str

    def __str__(self) -> str:
        return (
            f"{self.where} is {self.status} after that: {self.cause}. Run recover_stack without "
            f"confirm to see what is stuck now."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered:
    """How a stack came back."""

    where: str
    way: Way | None  # None: it already had
    status: str
    skipped: tuple[str, ...] = ()  # not as the template says
    kept: tuple[str, ...] = ()  # no longer the stack's


def unit_of(platform: Platform, name: str) -> Unit:
    """The stack of this name, as <alias>/<stack>. Raises: UnknownStack."""
    units = {"/".join(unit.key): unit for unit in cfn.units(platform)}
    if name not in units:
        raise UnknownStack(name, tuple(sorted(units)))
    return units[name]


def look(run: Run, unit: Unit) -> Recovery:
    """What is stuck, and what would help. Changes nothing. Raises: StackStuck, Stopped,
    RegionUnreachable."""
    site = run.site(unit)
    with reaching(site.region):
        return stuck.look(site)


def recover(run: Run, unit: Unit, skip: Iterable[str], delete: Iterable[str] = ()) -> Recovered:
    """Go on with a stuck stack and await its end. `skip` is left as it is, or kept; `delete` holds
    data and may go. A stack that is not stuck is left alone.
    Raises: IncidentOpen, NotNamed, NotNow, StackStuck, StillStuck, Stopped, WouldLoseData, and what
    a guard does."""
    footing = runs.footing(run)
    standings.refuse_open(footing.standing)
    _refuse_settled(footing, unit)
    site, skipped = run.site(unit), frozenset(skip)
    with reaching(site.region):
        found = stuck.look(site)
        if found.way is None:
            return Recovered(where=site.where, way=None, status=found.status)
        _judge(found, skipped, frozenset(delete))
        footing.guard(run)()
        return _gone_on(site, found, found.way, skipped)


def _refuse_settled(footing: Footing, unit: Unit) -> None:
    permission, incident = footing.standing.permission(unit), footing.standing.incident
    if incident is not None and permission is not Permission.APPLY:
        raise NotNow("/".join(unit.key), incident.id, permission)


def _judge(found: Recovery, skip: frozenset[str], delete: frozenset[str]) -> None:
    """Raises: NotNamed, WouldLoseData."""
    holding = {one.logical_id: one for one in found.losing}
    _refuse_foreign(found.where, "skip", skip, found.skip)
    _refuse_foreign(found.where, "delete", delete, sorted(holding))
    lost = [one for name, one in holding.items() if name not in skip | delete]
    if lost:
        keepable = tuple(one.logical_id for one in lost if one in found.stuck)
        raise WouldLoseData(found.where, tuple(str(one) for one in lost), keepable)


def _refuse_foreign(
    where: str, setting: str, names: frozenset[str], possible: Sequence[str]
) -> None:
    foreign = names.difference(possible)
    if foreign:
        raise NotNamed(where, setting, tuple(sorted(foreign)), tuple(possible))


def _gone_on(site: Site, found: Recovery, way: Way, skip: frozenset[str]) -> Recovered:
    """Ask CloudFormation to go on, and wait until it has. Raises: StillStuck, Stopped."""
    seen = cloudformation.last_event(site.region, found.stack_id)
    skipped = ", ".join(sorted(skip)) or "nothing"
    site.tell(f"{site.where} is {found.status}: {way}, skipping {skipped}")
    _ask(site, found, way, skip)
    kept = {str(one) for one in found.kept}
    kept |= {str(one) for one in found.stuck if one.logical_id in skip and way is Way.DELETE}
    return Recovered(
        where=site.where,
        way=way,
        status=_ended(site, found.stack_id, seen),
        skipped=tuple(sorted(skip)) if way is Way.CONTINUE else (),
        kept=tuple(sorted(kept)),
    )


def _ask(site: Site, found: Recovery, way: Way, skip: frozenset[str]) -> None:
    match way:
        case Way.CONTINUE:
            recovery.continue_rollback(site.region, found.stack_id, skip)
        case Way.ROLL_BACK:
            recovery.roll_back(site.region, found.stack_id)
        case Way.DELETE:
            recovery.delete(site.region, found.stack_id, skip)


def _ended(site: Site, stack_id: str, seen: str | None) -> str:
    """The status in which the stack comes to rest. Raises: StillStuck, Stopped."""
    state, events = cloudformation.follow(
        site.region,
        stack_id,
        seen,
        lambda event: site.tell(f"{site.where} {event}"),
        site.clock,
        site.stop,
        # Right after the request the status may still be the one before.
        lambda: seen is None or cloudformation.last_event(site.region, stack_id) != seen,
    )
    status = state.status if state else cloudformation.GONE
    if statuses.stuck(status):
        cause = cloudformation.root_cause(events)
        raise StillStuck(site.where, status, str(cause or (state.reason if state else status)))
    return status
