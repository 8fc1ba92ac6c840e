"""Which file systems may be overwritten: those that `apply` made for the standby, and nothing since.

Only a virgin may become the destination of a replication. A file system in the active Region is
written by the service from its first minute, so it is never recorded. A run may be killed between
a stack's end and the record; so what is to be made is written down before it is made.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from cfn import Unit
from platform_pipelines.aws import cloudformation
from platform_pipelines.aws.change_sets import ResourceChange
from platform_pipelines.aws.region import AwsRegion
from platform_pipelines.model import Platform
from platform_pipelines.provisioning.standing import Ledger

FILE_SYSTEM = "AWS::EFS::FileSystem"


@dataclass(frozen=True, slots=True, kw_only=True)
class Birth:
    """A file system that a stack makes, known before it has an id."""

    stack_id: str
    logical_id: str

    @property
    def note(self) -> str:
        """The ledger's name for `is being made`; a stack that is made anew has another id."""
        return f"{self.stack_id.rpartition('/')[2]}/{self.logical_id}"


def births(stack_id: str, changes: Iterable[ResourceChange]) -> tuple[Birth, ...]:
    """The file systems that a change set makes for the first time."""
    return tuple(
        Birth(stack_id=stack_id, logical_id=change.logical_id)
        for change in changes
        if change.type == FILE_SYSTEM and change.action == "Add"
    )


def expect(ledger: Ledger, found: Iterable[Birth]) -> None:
    """Write down what is about to be made."""
    for birth in found:
        ledger.mark_virgin(birth.note)


def record(ledger: Ledger, region: AwsRegion, stack_id: str, template_ids: Iterable[str]) -> None:
    """Mark as virgin what was expected and now exists. Safe to repeat: what was spent stays so."""
    expected = [Birth(stack_id=stack_id, logical_id=one) for one in template_ids]
    waiting = [birth for birth in expected if ledger.is_virgin(birth.note)]
    if not waiting:
        return
    physical = cloudformation.physical_ids(region, stack_id)
    for birth in waiting:
        if identifier := physical.get(birth.logical_id):
            ledger.mark_virgin(identifier)
        ledger.spend_virgin(birth.note)


def may_be_virgin(unit: Unit, active: str | None) -> bool:
    """Whether a unit's new file systems are nobody's yet: those of the active Region never are."""
    return active is not None and unit.region.alias != active


def declared(platform: Platform, unit: Unit) -> list[str]:
    """The logical ids of the file systems in a unit's template."""
    resources = unit.stack.build(platform, unit.region).resources
    return [name for name, one in resources.items() if one.resource_type == FILE_SYSTEM]
