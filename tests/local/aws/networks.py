"""A network for the clusters of tests: a VPC with a subnet in every zone of a Region."""

from dataclasses import dataclass

from platform_pipelines.local import ministack
from platform_pipelines.local.aws import stores
from platform_pipelines.local.aws.service import Call
from platform_pipelines.local.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """What a cluster is placed in."""

    vpc: str
    subnets: tuple[str, ...]


def make_network(world: World, alias: str) -> Network:
    """A Region's network."""
    region = world.platform.region(alias)
    prefix = region.cidr.rpartition(".")[0].rpartition(".")[0]
    vpc = _ask(world, alias, "CreateVpc", CidrBlock=region.cidr)["Vpc"]["VpcId"]
    subnets = [
        _ask(
            world,
            alias,
            "CreateSubnet",
            VpcId=vpc,
            AvailabilityZone=zone,
            CidrBlock=f"{prefix}.{number}.0/24",
        )["Subnet"]["SubnetId"]
        for number, zone in enumerate(region.zones)
    ]
    return Network(vpc=vpc, subnets=tuple(subnets))


def _ask(world: World, alias: str, operation: str, **params: object) -> dict[str, dict[str, str]]:
    call = Call(
        service="ec2",
        operation=operation,
        params=dict(params),
        region=world.platform.region(alias).name,
        account=world.platform.account,
        request_id="test",
    )
    with ministack.scope(call.account, call.region):
        return stores.ask(call)
