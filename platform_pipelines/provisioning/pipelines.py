"""Lets the active Region's pipelines work, and holds the standby's after their source.

Both Regions have the same pipelines and both see each push, but one commit is built once: two builds
would be two digests. So the standby's are held before the active Region's are let go. Called by
`converge`.
"""

from dataclasses import dataclass
from functools import partial

from platform_pipelines.aws import codepipeline
from platform_pipelines.aws.codepipeline import Transition
from platform_pipelines.aws.region import AwsRegion
from platform_pipelines.errors import Refused
from platform_pipelines.ledger_records import Roles
from platform_pipelines.model import Service
from platform_pipelines.provisioning.regions import reaching
from platform_pipelines.provisioning.run import Run
from platform_pipelines.provisioning.standing import Guard


@dataclass
class PipelineMissing(Refused):
    """A pipeline of a service of `platform.yaml` is not there."""

    where: str

    def __str__(self) -> str:
        return f"There is no pipeline {self.where}. Run apply_infrastructure first."


def ensure(run: Run, guard: Guard, roles: Roles) -> list[str]:
    """Bring every pipeline of both Regions to its Region's role; returns what was changed.
    Raises: PipelineMissing, RegionUnreachable, and what a guard does."""
    built = [service for service in run.platform.services if service.source]
    held = [partial(_hold, run, guard, roles, service) for service in built]
    let_go = [partial(_let_go, run, guard, roles, service) for service in built]
    changed = [*run.clock.gather(held), *run.clock.gather(let_go)]
    return [text for text in changed if text is not None]


def _hold(run: Run, guard: Guard, roles: Roles, service: Service) -> str | None:
    standby = run.regions[roles.standby]
    with reaching(standby):
        found = _found(run, standby, service)
        if not found.enabled:
            return None
        guard()
        run.tell(f"{found.pipeline} in {standby.alias}: holding it before {found.stage}")
        codepipeline.disable(standby, found, f"standby in epoch {roles.epoch}")
    return f"pipeline {found.pipeline} in {standby.alias}: held before {found.stage}"


def _let_go(run: Run, guard: Guard, roles: Roles, service: Service) -> str | None:
    active = run.regions[roles.active]
    with reaching(active):
        found = _found(run, active, service)
        if found.enabled:
            return None
        guard()
        why = f" (it was held: {found.reason})" if found.reason else ""
        run.tell(f"{found.pipeline} in {active.alias}: letting it go into {found.stage}{why}")
        codepipeline.enable(active, found)
    return f"pipeline {found.pipeline} in {active.alias}: let go into {found.stage}"


def _found(run: Run, region: AwsRegion, service: Service) -> Transition:
    name = run.platform.pipeline_name(service)
    found = codepipeline.transition(region, name)
    if found is None:
        raise PipelineMissing(f"{name} in {region.alias}")
    return found
