"""The service: every Deployment of the moved node groups is ready, and takes a write.

A business transaction through `<region>.<host>` proves it: create, read back, remove. An alarm that
is green, or a page that loads, would not.
"""

from platform_pipelines.aws.dns import Resolver
from platform_pipelines.aws.http import ServiceClient
from platform_pipelines.failover.steps.polling import await_
from platform_pipelines.failover.work import StepRecord, Work
from platform_pipelines.kube import cluster as clusters
from platform_pipelines.kube import workloads
from platform_pipelines.kube.cluster import Cluster

PODS_WITHIN = 600.0  # AWS-like seconds
SERVED_WITHIN = 300.0
LOOK = "Look at the pods in the target cluster, then start region_failover again."


def client(work: Work) -> ServiceClient:
    """A client of the service as the world sees it."""
    settings = work.aws.settings
    return ServiceClient(settings, Resolver(settings, work.platform.domain))


def verify(work: Work, step: StepRecord) -> None:
    """Await ready Deployments, then verify each service in the target Region.
    Raises: StepFailed, Stopped."""
    cluster = clusters.connect(work.target, work.platform.cluster_name(work.target.region))
    await_(
        work,
        lambda: _deployments_ready(work, cluster),
        within=PODS_WITHIN,
        what=f"Readiness of all Deployments in {work.target.alias}",
        next_=LOOK,
    )
    step.note("deployments", cluster.name, ready_at=work.clock.now())
    for service in work.platform.services:
        host = service.regional_host(work.target.region)
        address = await_(
            work,
            lambda service=service, host=host: answer(work, service.name, host),  # type: ignore[misc]
            within=SERVED_WITHIN,
            what=f"A verified answer of {host}",
            next_=LOOK,
        )
        step.note("service", service.name, host=host, address=address, verified_at=work.clock.now())


def answer(work: Work, service_name: str, host: str) -> str | None:
    """The address that served the host well: a write where the service declares one, else its
    health path. Raises: NameNotResolved, NotServed."""
    service = next(one for one in work.platform.services if one.name == service_name)
    if service.verify:
        return client(work).verify(host, service.verify)
    found = client(work).request(host, "GET", service.health_path)
    return found.address if found.status == 200 else None


def _deployments_ready(work: Work, cluster: Cluster) -> bool | None:
    groups = {service.node_group for service in work.platform.services}
    mine = [one for one in workloads.deployments(cluster) if one.node_group in groups]
    return True if mine and all(one.replicas and one.is_ready for one in mine) else None
