"""The steps of a region failover, in the order of their completion, and what each depends on.

The order is the platform team's: EFS, Aurora, node groups. A step that failed does not block what
does not depend on it; traffic moves only when everything before it is done.
"""

from collections.abc import Callable
from dataclasses import dataclass

from platform_pipelines.failover.steps import database, fence, files, nodes, service, traffic
from platform_pipelines.failover.work import StepRecord, Work
from platform_pipelines.ledger_records import Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedStep:
    """One step: its name is the op's, and the ledger's."""

    name: str
    description: str
    run: Callable[[Work, StepRecord], None]
    needs: tuple[str, ...] = ()


STEPS: tuple[PlannedStep, ...] = (
    PlannedStep(
        name="hold_old_side",
        description="Abort if the old Region is back; else stop its pods, as far as it answers.",
        run=fence.hold_old_side,
    ),
    PlannedStep(
        name="promote_efs",
        description="Make every file system of the target Region writable.",
        run=files.promote,
    ),
    PlannedStep(
        name="promote_aurora",
        description="Make the target Region's clusters the writers of the global databases.",
        run=database.promote,
    ),
    PlannedStep(
        name="scale_node_groups",
        description="Give the target Region the node counts of an active Region.",
        run=nodes.scale,
    ),
    PlannedStep(
        name="verify_service",
        description="Await ready Deployments, then write and read back through <region>.<host>.",
        run=service.verify,
        needs=("promote_efs", "promote_aurora", "scale_node_groups"),
    ),
    PlannedStep(
        name="move_traffic",
        description="Write the one object that moves DNS, and verify a write through <host>.",
        run=traffic.move,
        needs=("verify_service",),
    ),
)


def execute(work: Work, planned: PlannedStep) -> None:
    """Run one step, unless something that it needs is not done. A step that an earlier attempt did
    runs again: it looks, and finds nothing to do.
    Raises: Stopped, Refused."""
    done = {step.name: step.outcome for step in work.ledger.steps(work.incident.id)}
    missing = [name for name in planned.needs if done.get(name) is not Outcome.DONE]
    with work.step(planned.name) as step:
        if missing:
            step.skip(f"not tried, because {', '.join(missing)} is not done")
        else:
            planned.run(work, step)
