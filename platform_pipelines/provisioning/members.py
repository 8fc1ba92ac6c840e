"""How the DB clusters were born, as the ledger records it and the templates need it.

Credentials of a DB cluster are create-only, and only the first member of a global cluster takes
them. So a DB cluster that is built again, also in home, must be rendered as one that joins, under
an identifier of its own, since the old one is retained. Called by `one`.
"""

from cfn import Unit
from platform_pipelines.aws.cloudformation import StackState
from platform_pipelines.model import Born, Member, Platform
from platform_pipelines.provisioning import statuses
from platform_pipelines.provisioning.standing import Ledger
from platform_pipelines.provisioning.statuses import Next

STACK = "database"
Members = dict[tuple[str, str], Member]  # by (database, alias)


def expected(
    platform: Platform, recorded: Members, unit: Unit, state: StackState | None
) -> Platform:
    """The platform as this unit is to be rendered: where the ledger knows of a DB cluster that has
    no stack any more, the next one joins."""
    now, again = renderings(platform, recorded, unit)
    return again if _is_new(state) else now


def renderings(platform: Platform, recorded: Members, unit: Unit) -> tuple[Platform, Platform]:
    """The platform as this unit is to be rendered while it has its stack, and if that is gone."""
    now = platform.rebuilt(recorded)
    if unit.stack.name != STACK:
        return now, now
    alias = unit.region.alias
    again = {key: _next(member) for key, member in recorded.items() if key[1] == alias}
    return now, now.rebuilt(again)


def record(ledger: Ledger, platform: Platform, recorded: Members, unit: Unit) -> None:
    """Write down what exists now, also in `recorded`: stacks that come later name it. Safe to
    repeat."""
    if unit.stack.name != STACK:
        return
    for database in platform.databases:
        member = platform.member(database, unit.region)
        key = database.name, unit.region.alias
        if recorded.get(key) != member:
            ledger.stacks.record_member(*key, member)
            recorded[key] = member


def _is_new(state: StackState | None) -> bool:
    return state is None or statuses.next_step(state.status) is Next.CREATE


def _next(member: Member) -> Member:
    return Member(generation=member.generation + 1, born=Born.JOINED)
