"""Whether EC2 launches an instance of a node group in a zone: faults, the vCPU quota, addresses.

The nodes of the local clusters are the instances of the account. Codes are those of EKS's health
issues: https://docs.aws.amazon.com/eks/latest/APIReference/API_Issue.html
"""

from collections.abc import Iterable, Sequence
from ipaddress import ip_network
from typing import Any

from platform_pipelines.local import ministack
from platform_pipelines.local.kube.controllers.cluster import Joining, NodeGroup, Refusal
from platform_pipelines.local.kube.controllers.instance_types import size_of
from platform_pipelines.local.kube.controllers.node_objects import zone_of
from platform_pipelines.local.kube.controllers.objects import Object, labels
from platform_pipelines.local.kube.kinds import NODE
from platform_pipelines.local.quotas import EC2_VCPUS
from platform_pipelines.local.world import World
from platform_pipelines.model import Region

STANDARD = "acdhimrtz"  # the families that share one quota
TYPE_LABEL = "node.kubernetes.io/instance-type"
# A node has its own address and a first set for its pods.
# https://docs.aws.amazon.com/eks/latest/best-practices/vpc-cni.html
ADDRESSES = 12
RESERVED = 5  # of every subnet, by AWS


def refusal(
    world: World, region: Region, group: NodeGroup, zone: str, joining: Sequence[Joining]
) -> Refusal | None:
    """Why no instance is launched there, beside those that are joining; None if one is."""
    fault = world.faults.capacity(region.alias, group.name, zone, group.instance_type)
    if fault is not None:
        return Refusal(code=fault.code, message=fault.message)
    nodes = _nodes(world, region)
    types = [labels(node).get(TYPE_LABEL, "") for node in nodes]
    over = _over_quota(world, region, group, [*types, *(one.instance_type for one in joining)])
    used = sum(zone_of(node) == zone for node in nodes) + sum(one.zone == zone for one in joining)
    return over or _without_address(world, region, group, zone, used)


def zones_of(world: World, region: Region, subnets: Iterable[str]) -> set[str]:
    """The zones of those subnets that exist."""
    wanted = set(subnets)
    found = [one for one in _subnets(world, region) if one["SubnetId"] in wanted]
    return {one["AvailabilityZone"] for one in found}


def _over_quota(
    world: World, region: Region, group: NodeGroup, types: Iterable[str]
) -> Refusal | None:
    if group.instance_type[:1] not in STANDARD:
        return None
    limit = world.quotas.value(region.name, "ec2", EC2_VCPUS)
    running = sum(size_of(one).cpus for one in types if one[:1] in STANDARD)
    if running + size_of(group.instance_type).cpus <= limit:
        return None
    message = (
        "Could not launch On-Demand Instances. VcpuLimitExceeded - You have requested more vCPU "
        f"capacity than your current vCPU limit of {limit:.0f} allows for the instance bucket that "
        "the specified instance type belongs to. Please visit "
        "http://aws.amazon.com/contact-us/ec2-request to request an adjustment to this limit. "
        "Launching EC2 instance failed."
    )
    return Refusal(code="AsgInstanceLaunchFailures", message=message)


def _without_address(
    world: World, region: Region, group: NodeGroup, zone: str, nodes: int
) -> Refusal | None:
    ours = [one for one in _subnets(world, region) if one["SubnetId"] in group.subnets]
    subnets = [one for one in ours if one["AvailabilityZone"] == zone]
    free = sum(ip_network(one["CidrBlock"]).num_addresses - RESERVED for one in subnets)
    if not subnets or ADDRESSES * (nodes + 1) <= free:
        return None
    message = (
        "Amazon Autoscaling was unable to launch instances because there are not enough free "
        "addresses in the subnet associated with your AutoScaling group(s)."
    )
    return Refusal(code="InsufficientFreeAddresses", message=message)


def _nodes(world: World, region: Region) -> list[Object]:
    cluster = world.stores.get(region.alias)
    return cluster.peek_all(NODE) if cluster else []


def _subnets(world: World, region: Region) -> list[dict[str, Any]]:
    with ministack.scope(world.platform.account, region.name):
        return list(ministack.service("ec2")._subnets.values())
