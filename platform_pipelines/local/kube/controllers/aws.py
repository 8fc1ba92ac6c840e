"""The controllers' view of the local Regions' AWS: EKS, ECR, load balancers and Route 53."""

import re
from collections.abc import Callable, Iterator

from platform_pipelines.local.aws import eks, eks_health, zones
from platform_pipelines.local.aws.ecr_records import Status
from platform_pipelines.local.kube.controllers import capacity
from platform_pipelines.local.kube.controllers.cluster import NodeGroup, Outside, Refusal, Taint
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
        refusal=lambda region, group, zone, joining: capacity.refusal(
            world, region, group, zone, joining
        ),
        report=lambda region, group, refusals: _report(world, region, group, refusals),
    )


def _node_groups(world: World, region: Region) -> Iterator[NodeGroup]:
    for record in eks.node_groups(world, region.name):
        if record["status"] == "DELETING":
            continue
        yield NodeGroup(
            name=record["nodegroupName"],
            desired=int(record["scalingConfig"]["desiredSize"]),
            since=record["modifiedAt"].timestamp(),
            instance_type=(record.get("instanceTypes") or ["t3.medium"])[0],
            zones=tuple(sorted(capacity.zones_of(world, region, record["subnets"]))),
            subnets=tuple(record["subnets"]),
            version=record["version"],
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


def _report(world: World, region: Region, group: str, refusals: tuple[Refusal, ...]) -> None:
    issues = [eks_health.issue(one.code, one.message, group) for one in refusals]
    eks.report_health(world, region.name, group, issues)


def _register(
    world: World, region: Region, name: str, hosts: tuple[str, ...], ready: Callable[[], bool]
) -> None:
    world.balancers.register(region.alias, name, hosts, ready)


def _pull_error(world: World, region: Region, image: str) -> str | None:
    """An image of an ECR registry must be there; any other registry is believed to have it."""
    fault = world.faults.image_pull(region.alias, image)
    if fault is not None:
        return fault
    match = ECR.fullmatch(image)
    if match is None:
        return None
    owner = world.region_of(match["region"])
    if owner is not None and owner != region and world.apart(region.alias, owner.alias):
        return f'failed to pull "{image}": dial tcp: i/o timeout'
    if _in_registry(world, match["account"], match["region"], match["path"]):
        return None
    return f'failed to resolve reference "{image}": {image}: not found'


def _in_registry(world: World, account: str, region: str, path: str) -> bool:
    name, _, digest = path.partition("@")
    tag = ""
    if not digest:
        name, _, tag = path.rpartition(":")
    known = world.repositories
    repository = known.find(account, region, name) if known is not None else None
    if repository is None:
        return False
    image = repository.image(digest) if digest else repository.tagged(tag)
    return image is not None and image.status is Status.ACTIVE
