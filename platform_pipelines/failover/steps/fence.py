"""Hold the old side: make sure that it is still gone, then stop what of it can be reached.

Best effort and short, because the old Region is most likely dark: Aurora and the ledger fence
themselves. Before the point of no return a Region that is up again for the hold ends the incident.
"""

from collections.abc import Callable
from dataclasses import dataclass

from platform_pipelines.aws.region import PROBE, AwsError
from platform_pipelines.errors import Refused
from platform_pipelines.failover.signals import Observer, is_back
from platform_pipelines.failover.work import StepRecord, Work
from platform_pipelines.kube import cluster as clusters
from platform_pipelines.kube import workloads
from platform_pipelines.kube.cluster import KubeError
from platform_pipelines.ledger_records import IncidentState, Roles
from platform_pipelines.model import NodeGroup


@dataclass
class RegionIsBack(Refused):
    """The Region that was down is up again, and nothing has been changed yet."""

    alias: str
    incident: str

    def __str__(self) -> str:
        return (
            f"{self.alias} is up again, so incident {self.incident} is aborted; nothing was "
            f"changed. Look at the evidence of its looks before the next night."
        )


def hold_old_side(work: Work, step: StepRecord) -> None:
    """Stop the old side's pods, unless the old side is back. Raises: RegionIsBack."""
    if not work.incident.point_of_no_return:
        _abort_if_back(work)
    calls = [_stopper(work, step, group) for group in work.platform.node_groups if _moves(group)]
    stopped = sum(work.clock.gather(calls, work.stop))
    if not stopped:
        step.skip(f"{work.lost.alias} cannot be reached, so none of its pods was stopped")


def _moves(group: NodeGroup) -> bool:
    """Whether a node group serves only in the active Region."""
    return group.standby < group.active


def _abort_if_back(work: Work) -> None:
    """Keep looking as long as every look says `up`, for the policy's hold."""
    observer = Observer(work.platform, work.aws)
    roles = Roles(active=work.lost.alias, standby=work.incident.target, epoch=work.incident.epoch)
    until = work.clock.monotonic() + work.platform.failover.hold.total_seconds()
    while is_back(observer.look(roles, None)):
        if work.clock.monotonic() >= until:
            work.guard()
            work.write(state=IncidentState.ABORTED, failure=f"{work.lost.alias} is up again")
            raise RegionIsBack(work.lost.alias, work.incident.id)
        work.pause(1.0)


def _stopper(work: Work, step: StepRecord, group: NodeGroup) -> Callable[[], int]:
    def stop() -> int:
        region = work.aws.patient(PROBE)[work.lost.alias]
        name = work.platform.cluster_name(region.region)
        limits = clusters.Limits(connect=PROBE.connect, read=PROBE.read, retries=0)
        try:
            cluster = clusters.connect(region, name, limits)
            scaled = step.change(
                "scale deployments to 0",
                f"{region.alias}/{group.name}",
                lambda: workloads.scale_deployments(cluster, group.name, 0),
            )
        except (KubeError, *AwsError) as error:
            step.note("fence", group.name, stopped=False, why=str(error))
            return 0
        step.note("fence", group.name, stopped=True, deployments=scaled)
        return 1

    return stop
