"""Aurora: make the target Region's cluster the writer of every global database.

Done is: the target member is the writer, no failover is under way, its cluster and an instance are
available. An empty FailoverState alone can mean "cancelled".
https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-global-database-disaster-recovery.html
"""

from dataclasses import dataclass

from platform_pipelines.aws import rds
from platform_pipelines.aws.rds import DbClusterState, GlobalClusterState, Member
from platform_pipelines.failover import loss
from platform_pipelines.failover.steps.each import for_each
from platform_pipelines.failover.steps.polling import await_
from platform_pipelines.failover.work import StepFailed, StepRecord, Work
from platform_pipelines.model import Database

WRITER_WITHIN = 900.0  # AWS-like seconds
LOOK = "Look at the global database in the RDS console, then start region_failover again."


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """A global database as the target Region sees it."""

    state: GlobalClusterState
    member: Member
    cluster: DbClusterState

    @property
    def done(self) -> bool:
        """Whether the target takes writes."""
        return self.member.writer and not self.state.failover_status and self.cluster.serving


def promote(work: Work, step: StepRecord) -> None:
    """Promote every database, all at once. Raises: StepFailed naming those that are not."""
    for_each(
        work,
        step,
        "aurora",
        work.platform.databases,
        lambda one: _promote(work, step, one),
        next_=LOOK,
    )


def _promote(work: Work, step: StepRecord, database: Database) -> None:
    _remember_loss(work, step, database)
    act(work, step, database, observe(work, database))
    await_(
        work,
        lambda: _progress(work, database),
        within=WRITER_WITHIN,
        what=f"A writer of {database.name} in {work.target.alias}",
        next_=LOOK,
    )
    step.note("aurora", database.name, writer_at=work.clock.now())


def observe(work: Work, database: Database) -> Observed:
    """The database as the target Region sees it. Raises: StepFailed if a part is missing."""
    identifier = work.platform.global_cluster_id(database)
    state = rds.describe_global(work.target, identifier)
    member = state.member_in(work.target.name) if state else None
    cluster = rds.describe_cluster(work.target, member.cluster_id) if member else None
    if state is None or member is None or cluster is None:
        missing = f"{identifier} has no member in {work.target.alias}"
        raise StepFailed(f"{missing if state else f'There is no {identifier}'}.", LOOK)
    return Observed(state=state, member=member, cluster=cluster)


def act(work: Work, step: StepRecord, database: Database, observed: Observed) -> None:
    """Decide by what is there, and ask Aurora for what is missing."""
    if observed.member.writer or observed.state.failover_status:
        return  # done, or somebody asked before us: only wait
    if not observed.cluster.instances:
        raise StepFailed(
            f"{observed.cluster.id} has no instance, so it cannot be promoted.",
            "Add an instance to it in the RDS console, then start region_failover again.",
        )
    work.pass_point_of_no_return()
    step.note("aurora", database.name, asked_at=work.clock.now())
    step.change(
        "FailoverGlobalCluster",
        observed.state.identifier,
        lambda: rds.failover(work.target, observed.state.identifier, observed.member.arn),
    )


def _progress(work: Work, database: Database) -> Observed | None:
    observed = observe(work, database)
    return observed if observed.done else None


def _remember_loss(work: Work, step: StepRecord, database: Database) -> None:
    """The lag before T0, read once: the metric ends with the failover."""
    if step.noted("aurora", database.name).get("rpo_s") is not None:
        return
    found = loss.known(work.target, work.platform, work.incident.t0)
    rpo = next((one.seconds for one in found if one.key == f"aurora:{database.name}"), None)
    step.note("aurora", database.name, rpo_s=rpo)
