"""What one run of provisioning works with, and what it may do with a unit in its Region."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from cfn import Scope, Unit
from platform_pipelines.clock import Clock
from platform_pipelines.ledger_stacks import Applied, KeptPlan
from platform_pipelines.model import Platform
from platform_pipelines.provisioning import approval, ensure
from platform_pipelines.provisioning import regions as reach
from platform_pipelines.provisioning import standing as standings
from platform_pipelines.provisioning.ensure import Site, Tell
from platform_pipelines.provisioning.members import Members
from platform_pipelines.provisioning.outcome import Ending
from platform_pipelines.provisioning.regions import Regions
from platform_pipelines.provisioning.standing import Guard, LedgerSource, Permission, Standing

LEDGER = "ledger"  # the stack without which there are no roles


@dataclass(frozen=True, kw_only=True)
class Run:
    """Both Regions, the ledger, time, and somebody who listens."""

    platform: Platform
    regions: Regions
    ledger: LedgerSource
    clock: Clock
    stop: threading.Event = field(default_factory=threading.Event)
    tell: Tell = field(repr=False)
    allowed: frozenset[str] = frozenset()  # data that may be lost
    plan: str | None = None  # the id of a kept plan, which is then all that may be done
    answers: Callable[[str], bool] | None = None  # whether a Region is there; None: ask it

    def site(self, unit: Unit) -> Site:
        """Where a unit is worked on."""
        region = self.regions[unit.region.alias]
        return Site(
            platform=self.platform,
            unit=unit,
            region=region,
            clock=self.clock,
            stop=self.stop,
            tell=self.tell,
        )

    def dark(self, standing: Standing) -> bool:
        """Whether home, which the roles have settled away from, does not even answer."""
        home = self.platform.home
        if not standing.settled or standing.roles is None or standing.roles.active == home:
            return False
        if self.answers is not None:
            return not self.answers(home)
        return not reach.answers(self.regions[home], self.platform.stack_name(LEDGER))


@dataclass(frozen=True, slots=True, kw_only=True)
class Footing:
    """What the ledger said when the run began, and what follows from it for each unit."""

    standing: Standing
    dark: bool  # home is settled away from and does not answer
    applied: Mapping[str, Applied] = field(default_factory=dict)  # by <alias>/<stack>
    members: Members = field(default_factory=dict)  # grows as DB clusters are built
    plans: Mapping[str, KeptPlan] = field(default_factory=dict)  # those that wait, by id
    plan: KeptPlan | None = None  # the one that the run names

    @property
    def active(self) -> str | None:
        """The active Region's alias; None before there are roles."""
        return self.standing.roles.active if self.standing.roles else None

    @property
    def waiting(self) -> frozenset[str]:
        """The names of the change sets that wait for a person's word."""
        return frozenset(f"{ensure.PLAN}{identifier}" for identifier in self.plans)

    @property
    def epoch(self) -> int | None:
        """The epoch that the ledger is at; None before there are roles."""
        return self.standing.roles.epoch if self.standing.roles else None

    def left_alone(self, unit: Unit) -> Ending | None:
        """Why an incident keeps a unit from being touched, if one does."""
        if self.standing.permission(unit) is not Permission.SETTLED:
            return None
        lost = self.dark and unit.stack.scope is Scope.ONCE
        return Ending.UNREACHABLE if lost else Ending.SETTLED

    def guard(self, run: Run) -> Guard:
        """What every change of this run asks first."""
        return Guard(ledger=run.ledger, standing=self.standing, stop=run.stop)


def footing(run: Run) -> Footing:
    """The footing of a run that starts now. Raises: PlanOutdated, PlanUnknown, TableUnavailable."""
    standing = standings.read(run.ledger)
    known = run.ledger().stacks if standing.roles else None
    plans = known.plans() if known else {}
    return Footing(
        standing=standing,
        dark=run.dark(standing),
        applied=known.applied() if known else {},
        members=known.members() if known else {},
        plans=plans,
        plan=approval.fetch(plans, standing, run.plan) if run.plan else None,
    )


def started(run: Run) -> tuple[Run, Footing]:
    """A run that starts now, with the platform as the ledger's records complete it.
    Raises: as `footing`."""
    found = footing(run)
    return replace(run, platform=run.platform.rebuilt(found.members)), found
