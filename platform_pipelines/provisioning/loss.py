"""Which changes lose data, and who may allow them.

What counts is what CloudFormation will do to the old resource (`PolicyAction`), not whether it is
replaced: a replaced resource with a Retain policy is still there. Where AWS does not say, a removal
or a replacement of something that holds data counts as a loss.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import cfn
from cfn import Unit
from platform_pipelines.aws.change_sets import ResourceChange
from platform_pipelines.errors import Refused
from platform_pipelines.model import Platform
from platform_pipelines.provisioning.stateful import STATEFUL

LOSING = ("Delete", "ReplaceAndDelete")
FORM = "<alias>/<stack>/<LogicalId>, as seoul/files/Pictures"


@dataclass
class DataLoss(Refused):
    """A change set would delete something that holds data, and nobody has allowed it."""

    resources: tuple[str, ...]  # <alias>/<stack>/<LogicalId>

    def __str__(self) -> str:
        names = ", ".join(f'"{name}"' for name in self.resources)
        return (
            f"This would delete data: {', '.join(self.resources)}. Nothing of this stack was "
            f"changed. To accept the loss, run with allow_replace: [{names}]."
        )


@dataclass
class DataReplaced(Refused):
    """A change set would put something empty in the place of something that holds data, or leave it
    without a stack."""

    replaced: tuple[str, ...]  # <alias>/<stack>/<LogicalId>
    left: tuple[str, ...]

    def __str__(self) -> str:
        said = []
        if self.replaced:
            said.append(
                f"This would put an empty resource in the place of {', '.join(self.replaced)}; the "
                f"old one is retained, but nothing uses it any more."
            )
        if self.left:
            said.append(
                f"This would take {', '.join(self.left)} out of the stack: retained, so it goes on "
                f"and costs, but no stack has it any more."
            )
        names = ", ".join(f'"{name}"' for name in (*self.replaced, *self.left))
        said.append("Nothing of this stack was changed.")
        return f"{' '.join(said)} To accept that, run with allow_replace: [{names}]."


@dataclass
class StatefulChange(Refused):
    """A stack that holds data would change while an incident is settled but not closed."""

    where: str
    resources: tuple[str, ...]

    def __str__(self) -> str:
        return (
            f"{self.where} holds data and would change ({', '.join(self.resources)}), but the "
            f"incident is not closed. Close it with reprotect, then run again."
        )


@dataclass
class InvalidAllowance(Refused):
    """`allow_replace` names something that cannot be."""

    value: str
    allowed: str

    def __str__(self) -> str:
        return f"allow_replace: {self.value!r}; allowed: {self.allowed}. Nothing was changed."


def allowances(platform: Platform, names: Iterable[str]) -> frozenset[str]:
    """The resources that a run may lose. Raises: InvalidAllowance."""
    known = {"/".join(unit.key) for unit in cfn.units(platform)}
    chosen = frozenset(names)
    for name in sorted(chosen):
        where, _, logical_id = name.rpartition("/")
        if where.count("/") != 1 or not logical_id:
            raise InvalidAllowance(name, FORM)
        if where not in known:
            raise InvalidAllowance(name, f"a stack of this platform: {', '.join(sorted(known))}")
    return chosen


def loses_data(change: ResourceChange) -> bool:
    """Whether a change deletes something that holds data."""
    if change.type not in STATEFUL:
        return False
    if change.policy_action:
        return change.policy_action in LOSING
    return change.action == "Remove" or change.replacement in ("True", "Conditional")


def losses(unit: Unit, changes: Iterable[ResourceChange]) -> tuple[str, ...]:
    """What of a unit would be lost, as `allow_replace` names it."""
    return tuple(_name(unit, change) for change in changes if loses_data(change))


def judge(unit: Unit, changes: Iterable[ResourceChange], allowed: frozenset[str]) -> None:
    """What nobody has named must neither be lost nor replaced; the stack policy would refuse it in
    the middle of the update. Raises: DataLoss, DataReplaced."""
    changes = tuple(changes)
    if refused := tuple(name for name in losses(unit, changes) if name not in allowed):
        raise DataLoss(refused)
    gone = [one for one in changes if _goes(one) and _name(unit, one) not in allowed]
    if gone:
        left = tuple(_name(unit, one) for one in gone if one.action == "Remove")
        replaced = tuple(_name(unit, one) for one in gone if one.action != "Remove")
        raise DataReplaced(replaced, left)


def to_allow(unit: Unit, changes: Iterable[ResourceChange]) -> tuple[str, ...]:
    """What a run has to name in `allow_replace` before it may make these changes."""
    return tuple(_name(unit, one) for one in changes if loses_data(one) or _goes(one))


def _name(unit: Unit, change: ResourceChange) -> str:
    return "/".join((*unit.key, change.logical_id))


def _goes(change: ResourceChange) -> bool:
    """Whether something that holds data leaves its stack, retained or not."""
    replaced = change.replacement in ("True", "Conditional")
    return change.type in STATEFUL and (change.action == "Remove" or replaced)


def allowed_here(unit: Unit, allowed: Iterable[str]) -> frozenset[str]:
    """The logical ids of a unit's resources that a run may lose."""
    prefix = "/".join(unit.key) + "/"
    return frozenset(one.removeprefix(prefix) for one in allowed if one.startswith(prefix))
