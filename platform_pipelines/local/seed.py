"""Bulk load: thousands of repositories, images, workloads and Applications at once, for benchmarks.

`POST /_local/seed` takes a `Spec` and answers how many of each are new; what is there already stays
as it is, so the same load twice changes nothing. Everything has the same name, and every image the
same digest, in each Region, as if replication had copied it. Seeded workloads name these digests.
"""

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from platform_pipelines.local import images
from platform_pipelines.local.kube.kinds import (
    APPLICATION,
    CRON_JOB,
    NAMESPACE,
    NODE,
    POD,
    Kind,
)
from platform_pipelines.local.kube.store import Store
from platform_pipelines.local.world import World
from platform_pipelines.model import Region

Obj = dict[str, Any]
ARGO_CD = "argocd"
# Their git folders do not exist, so Argo CD must leave them as they are.
SKIP = {"argocd.argoproj.io/skip-reconcile": "true"}
REVISION = "5eed" * 10


class Spec(BaseModel):
    """How much to load into each Region."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    prefix: str = Field("bulk", pattern=r"^[a-z][a-z0-9]{0,20}$", description="of every name")
    regions: tuple[str, ...] = Field((), description="aliases; none is all")
    repositories: int = Field(0, ge=0, le=100_000, description="in ECR, `<prefix>/<number>`")
    images: int = Field(20, ge=0, le=1000, description="in each of them, tagged v1, v2, …")
    cron_jobs: int = Field(
        0, ge=0, le=100_000, description="suspended: pod templates that name seeded images"
    )
    pods: int = Field(
        0, ge=0, le=100_000, description="Running on the nodes; without nodes they are pending"
    )
    applications: int = Field(0, ge=0, le=100_000, description="of Argo CD, Synced and Healthy")


def seed(world: World, spec: Any) -> dict[str, int]:
    """Load what a spec says; how many of each are new. Raises: ValidationError, UnknownRegion."""
    wanted = Spec.model_validate(spec)
    regions = [world.platform.region(alias) for alias in wanted.regions] or world.platform.regions
    counts = dict.fromkeys(("repositories", "images", "cron_jobs", "pods", "applications"), 0)
    for region in regions:
        new = _repositories(world, region, wanted)
        counts["repositories"] += new
        counts["images"] += new * wanted.images
        for name, number in _objects(world, region, wanted):
            counts[name] += number
    return counts


def _repositories(world: World, region: Region, spec: Spec) -> int:
    account, now = world.platform.account, world.now()
    return sum(
        world.repositories.fill(
            account, region.name, _repository(spec, number), created=now, images=spec.images
        )
        for number in range(1, spec.repositories + 1)
    )


def _objects(world: World, region: Region, spec: Spec) -> Iterator[tuple[str, int]]:
    if not (spec.cron_jobs or spec.pods or spec.applications):
        return
    store = world.stores[region.alias]
    for name in (spec.prefix, ARGO_CD):
        _create(store, NAMESPACE, {"metadata": {"name": name}})
    host = world.platform.registry_host(region)
    nodes = [node["metadata"]["name"] for node in store.peek_all(NODE)]
    yield (
        "cron_jobs",
        sum(
            _create(store, CRON_JOB, _cron_job(spec, host, number))
            for number in range(1, spec.cron_jobs + 1)
        ),
    )
    yield (
        "pods",
        sum(
            _create(store, POD, _pod(spec, host, number, nodes, store.now()))
            for number in range(1, spec.pods + 1)
        ),
    )
    yield (
        "applications",
        sum(
            _create(store, APPLICATION, _application(spec, number, store.now()))
            for number in range(1, spec.applications + 1)
        ),
    )


def _create(store: Store, kind: Kind, obj: Obj) -> bool:
    """Whether the object is new."""
    metadata = obj["metadata"]
    if store.peek(kind, metadata.get("namespace"), metadata["name"]) is not None:
        return False
    store.create(kind, obj)
    return True


def _repository(spec: Spec, number: int) -> str:
    return f"{spec.prefix}/{number}"


def _image(spec: Spec, host: str, number: int) -> str:
    """The image of the workload of this number: each repository's in turn, the newest."""
    if not spec.repositories or not spec.images:
        return f"{host}/{spec.prefix}:none"
    repository = _repository(spec, (number - 1) % spec.repositories + 1)
    return f"{host}/{repository}@{images.stamp(repository, f'v{spec.images}').digest}"


def _metadata(spec: Spec, kind: str, number: int, namespace: str) -> Obj:
    return {
        "name": f"{spec.prefix}-{kind}-{number}",
        "namespace": namespace,
        "labels": {"app.kubernetes.io/part-of": spec.prefix},
    }


def _cron_job(spec: Spec, host: str, number: int) -> Obj:
    containers = [{"name": "main", "image": _image(spec, host, number)}]
    template = {"spec": {"containers": containers, "restartPolicy": "Never"}}
    return {
        "metadata": _metadata(spec, "cron-job", number, spec.prefix),
        "spec": {
            "schedule": "0 0 * * *",
            "suspend": True,
            "jobTemplate": {"spec": {"template": template}},
        },
    }


def _pod(spec: Spec, host: str, number: int, nodes: list[str], now: str) -> Obj:
    image = _image(spec, host, number)
    pod: Obj = {
        "metadata": _metadata(spec, "pod", number, spec.prefix),
        "spec": {"containers": [{"name": "main", "image": image}]},
        "status": {"phase": "Pending"},
    }
    if nodes:
        pod["spec"]["nodeName"] = nodes[number % len(nodes)]
        pod["status"] = _running(image, now)
    return pod


def _running(image: str, now: str) -> Obj:
    kinds = ("PodScheduled", "Initialized", "ContainersReady", "Ready")
    container = {
        "name": "main",
        "image": image,
        "imageID": image,
        "ready": True,
        "started": True,
        "restartCount": 0,
        "state": {"running": {"startedAt": now}},
    }
    return {
        "phase": "Running",
        "startTime": now,
        "conditions": [
            {"type": kind, "status": "True", "lastTransitionTime": now} for kind in kinds
        ],
        "containerStatuses": [container],
    }


def _application(spec: Spec, number: int, now: str) -> Obj:
    metadata = _metadata(spec, "application", number, ARGO_CD)
    source = {
        "repoURL": "https://git.example.com/bulk.git",
        "path": f"apps/{number}",
        "targetRevision": "main",
    }
    destination = {"server": "https://kubernetes.default.svc", "namespace": spec.prefix}
    compared = {"source": source, "destination": destination}
    return {
        "metadata": metadata | {"annotations": SKIP},
        "spec": {"project": "default", "source": source, "destination": destination},
        "status": {
            "sync": {"status": "Synced", "revision": REVISION, "comparedTo": compared},
            "health": {"status": "Healthy"},
            "reconciledAt": now,
        },
    }
