"""What the ledger knows of the stacks: what was applied last, plans that wait for a person's word,
and how the DB clusters were born.

None of it says what a stack is now: AWS does. A record of an apply is believed only as long as the
stack has not been updated since. Called by provisioning, through `Ledger.stacks`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from platform_pipelines.aws.dynamodb import Condition, Table
from platform_pipelines.ledger_records import iso, parse_time, record
from platform_pipelines.model import Born, Member

APPLIED, PLAN, MEMBER = "applied/", "plan/", "member/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """A stack as an apply left it."""

    digest: str  # of template, parameters, tags and stack policy
    stack_id: str
    updated: str  # when CloudFormation changed the stack last, ISO UTC


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptUnit:
    """What a person saw of one stack."""

    action: str  # of provisioning.plan.Action
    digest: str  # of the template
    change_set: str | None = None  # ARN; None: there was nothing to do, or values were not known


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptPlan:
    """A plan whose change sets wait to be executed."""

    id: str
    epoch: int
    at: datetime
    units: Mapping[str, KeptUnit] = field(default_factory=dict)  # by `<alias>/<stack>`


@dataclass(frozen=True, slots=True, kw_only=True)
class StackRecords:
    """The ledger's items about stacks. Every method raises TableUnavailable."""

    table: Table

    def applied(self) -> dict[str, Applied]:
        """What each stack was when an apply ended with it, by `<alias>/<stack>`."""
        return {
            _rest(values, APPLIED): Applied(
                digest=values["digest"], stack_id=values["stack_id"], updated=values["updated"]
            )
            for values in self.table.starting_with(APPLIED)
        }

    def record_applied(self, where: str, applied: Applied) -> None:
        """A stack is now as its template says."""
        self.table.put(f"{APPLIED}{where}", record(applied))

    def plans(self) -> dict[str, KeptPlan]:
        """The plans that were kept and are not yet applied, by their ids; one, as a rule."""
        found = self.table.starting_with(PLAN)
        return {_rest(values, PLAN): _plan(_rest(values, PLAN), values) for values in found}

    def keep_plan(self, plan: KeptPlan) -> None:
        """Keep a plan, and what is known of it now."""
        units = {where: record(unit) for where, unit in plan.units.items()}
        values = {"epoch": plan.epoch, "at": iso(plan.at), "units": units}
        self.table.put(f"{PLAN}{plan.id}", values)

    def forget_plan(self, plan: KeptPlan) -> None:
        """Forget a kept plan; done before is fine."""
        self.table.delete(f"{PLAN}{plan.id}", Condition.equal(at=iso(plan.at)))

    def members(self) -> dict[tuple[str, str], Member]:
        """How each DB cluster that exists was born, by (database, alias)."""
        found = {}
        for values in self.table.starting_with(MEMBER):
            database, _, alias = _rest(values, MEMBER).rpartition("/")
            member = Member(generation=values["generation"], born=Born(values["born"]))
            found[database, alias] = member
        return found

    def record_member(self, database: str, alias: str, member: Member) -> None:
        """A DB cluster was built."""
        values = {"generation": member.generation, "born": str(member.born)}
        self.table.put(f"{MEMBER}{database}/{alias}", values)


def _rest(values: Mapping[str, Any], prefix: str) -> str:
    return str(values["sk"]).removeprefix(prefix)


def _plan(identifier: str, values: Mapping[str, Any]) -> KeptPlan:
    units = {
        where: KeptUnit(
            action=one["action"], digest=one["digest"], change_set=one.get("change_set")
        )
        for where, one in values["units"].items()
    }
    return KeptPlan(id=identifier, epoch=values["epoch"], at=parse_time(values["at"]), units=units)
