"""The controllers of the local clusters: what kube-controller-manager, scheduler, kubelets and the
AWS controllers do, as far as the platform's API shows it.

`start` begins them for both clusters of a world. They run on the event loop from the store's changes
and the world's timers, without threads, so a test drives them by moving the clock and running what
is due.
"""

from platform_pipelines.local.kube.controllers.autoscalers import Autoscalers
from platform_pipelines.local.kube.controllers.cluster import Cluster, Outside
from platform_pipelines.local.kube.controllers.cron_jobs import CronJobs
from platform_pipelines.local.kube.controllers.daemon_sets import DaemonSets
from platform_pipelines.local.kube.controllers.deployments import Deployments
from platform_pipelines.local.kube.controllers.disruption_budgets import DisruptionBudgets
from platform_pipelines.local.kube.controllers.endpoint_slices import EndpointSlices
from platform_pipelines.local.kube.controllers.evictions import Evictions
from platform_pipelines.local.kube.controllers.ingresses import Ingresses
from platform_pipelines.local.kube.controllers.jobs import Jobs
from platform_pipelines.local.kube.controllers.kubelet import Kubelet
from platform_pipelines.local.kube.controllers.loop import Loop, handle_timers
from platform_pipelines.local.kube.controllers.nodes import Nodes
from platform_pipelines.local.kube.controllers.replica_sets import ReplicaSets
from platform_pipelines.local.kube.controllers.scheduler import Scheduler
from platform_pipelines.local.kube.controllers.stateful_sets import StatefulSets
from platform_pipelines.local.kube.controllers.volumes import Volumes
from platform_pipelines.local.world import World

# In the order in which a change runs through a cluster.
CONTROLLERS = (
    *(Nodes, Volumes, Evictions, Autoscalers, Deployments, ReplicaSets, StatefulSets, DaemonSets),
    *(CronJobs, Jobs, Scheduler, Kubelet, EndpointSlices, DisruptionBudgets, Ingresses),
)


def start(world: World, outside: Outside | None = None) -> dict[str, Loop]:
    """Begin the controllers of every cluster in `world.stores`, by the Region's alias; `outside` is
    AWS by default."""
    if outside is None:
        from platform_pipelines.local.kube.controllers import aws  # after ministack is configured

        outside = aws.outside(world)
    loops: dict[str, Loop] = {}
    handle_timers(world, loops)
    for alias, store in world.stores.items():
        region = world.platform.region(alias)
        cluster = Cluster(world=world, region=region, store=store, outside=outside)
        loops[alias] = Loop(cluster, [make(cluster) for make in CONTROLLERS])
        loops[alias].start()
    return loops
