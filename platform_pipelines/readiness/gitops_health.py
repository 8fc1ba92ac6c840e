"""Health under parity: the active side is Healthy, the standby may be short of nodes only.

A standby whose node groups are at 0 is Degraded for weeks, and that is fine; a broken image behind
the same word is not. The pods tell the two apart. Called by `gitops_rules`.
"""

from collections.abc import Iterator

from platform_pipelines.kube.argocd import ApplicationState
from platform_pipelines.kube.workloads import PodState
from platform_pipelines.readiness.finding import Unknown
from platform_pipelines.readiness.gitops_pair import Objection, Pair, Side, State


def healthy(pair: Pair) -> Iterator[Objection]:
    """Rule 8: the active side is Healthy; the standby may be short of nodes, and of nothing else."""
    for side in pair.sides:
        if side.application.health == "Healthy":
            continue
        standby = pair.roles_known and side is pair.standby
        yield _without_nodes(side) if standby else _unhealthy(side)


def _unhealthy(side: Side) -> Objection:
    health, message = side.application.health, side.application.health_message
    reason = f"{side.region.alias} is {health or 'of no known health'}"
    reason += f": {message}" if message else ""
    if health == "Progressing":
        return Objection(state=State.CONVERGING, reason=reason)
    return Objection(
        state=State.UNKNOWN if health in ("", "Unknown") else State.DRIFTED, reason=reason
    )


def _without_nodes(side: Side) -> Objection:
    """A standby that is not Healthy: fine only if every unready pod waits for a node of a node
    group that is at zero on purpose, or a broken image hides behind the expected Degraded."""
    if isinstance(side.nodes, Unknown):
        return Objection(state=State.UNKNOWN, reason=str(side.nodes))
    if side.application.health not in ("Degraded", "Progressing"):
        return _unhealthy(side)
    unready = [pod for pod in side.nodes.pods if not pod.ready and _manages(side.application, pod)]
    others = [
        pod for pod in unready if not (pod.unschedulable and side.nodes.at_zero(pod.node_group))
    ]
    if unready and not others:
        reason = f"{side.region.alias}: {len(unready)} pods wait for node groups that are at 0"
        return Objection(state=State.STANDBY_EXPECTED, reason=reason)
    unhealthy = _unhealthy(side)
    why = (
        f"; {others[0].name} is unready for another reason"
        if others
        else "; no pod waits for a node"
    )
    return Objection(state=unhealthy.state, reason=unhealthy.reason + why)


def _manages(application: ApplicationState, pod: PodState) -> bool:
    """Whether a pod belongs to an Application, as far as its status lists what it manages."""
    if pod.namespace != application.destination:
        return False
    return not application.workloads or pod.owner in application.workloads
