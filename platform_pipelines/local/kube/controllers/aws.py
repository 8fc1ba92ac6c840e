"""The controllers' view of the local Regions' AWS: EKS, ECR, load balancers and Route 53."""

import re
from collections.abc import Callable, Iterator

from platform_pipelines.local import ministack
from platform_pipelines.local.aws import eks, zones
from platform_pipelines.local.aws.eks_updates import moment
from platform_pipelines.local.kube.controllers.cluster import NodeGroup, Outside, Taint
from platform_pipelines.local.world import World
from platform_pipelines.model import Region

ECR = re.compile(
    r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com/(?P<path>.+)"
)
# EKS and Kubernetes write the same three words differently.
EFFECTS = {
    "NO_SCHEDULE": "NoSchedule",
    "NO_EXECUTE": "NoExecute",
    "PREFER_NO_SCHEDULE": "PreferNoSchedule",
}


def outside(world: World) -> Outside:
    """What the controllers of a world's clusters touch."""
    return Outside(
        node_groups=lambda region: _node_groups(world, region),
        pull_error=lambda region, image: _pull_error(world, region, image),
        register=lambda region, name, hosts, ready: _register(world, region, name, hosts, ready),
        unregister=world.balancers.unregister,
        upsert_cname=lambda host, target: zones.upsert_record(world, host, "CNAME", [target]),
    )


def _node_groups(world: World, region: Region) -> Iterator[NodeGroup]:
    for record in eks.node_groups(world, region.name):
        if record["status"] == "DELETING":
            continue
        yield NodeGroup(
            name=record["nodegroupName"],
            desired=int(record["scalingConfig"]["desiredSize"]),
            since=moment(record["modifiedAt"]).timestamp(),
            instance_type=(record.get("instanceTypes") or ["t3.medium"])[0],
            labels=dict(record.get("labels") or {}),
            taints=tuple(
                Taint(
                    key=taint["key"],
                    value=taint.get("value", ""),
                    effect=EFFECTS.get(taint["effect"], taint["effect"]),
                )
                for taint in record.get("taints") or []
            ),
        )


def _register(
    world: World, region: Region, name: str, hosts: tuple[str, ...], ready: Callable[[], bool]
) -> None:
    world.balancers.register(region.alias, name, hosts, ready)


def _pull_error(world: World, region: Region, image: str) -> str | None:
    """An image of an ECR registry must be there; any other registry is believed to have it."""
    match = ECR.fullmatch(image)
    if match is None:
        return None
    owner = world.region_of(match["region"])
    if owner is not None and owner != region and world.outage(owner) is not None:
        return f'failed to pull "{image}": dial tcp: i/o timeout'
    if _in_registry(match["account"], match["region"], match["path"]):
        return None
    return f'failed to resolve reference "{image}": {image}: not found'


def _in_registry(account: str, region: str, path: str) -> bool:
    repository, _, digest = path.partition("@")
    tag = "" if digest else path.rpartition(":")[2]
    if tag:
        repository = path.rpartition(":")[0]
    with ministack.scope(account, region):
        images = ministack.service("ecr")._images.get(repository) or []
        return any(
            (image["imageDigest"] == digest or tag in image.get("imageTags", []))
            and image.get("imageStatus", "ACTIVE") == "ACTIVE"
            for image in images
        )
