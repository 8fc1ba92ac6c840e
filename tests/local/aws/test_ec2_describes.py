"""EC2's descriptions: ids, filters and pages; tags; and the instances behind the nodes."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from platform_pipelines.local.aws.registry import Registry
from platform_pipelines.local.aws.service import Fault
from platform_pipelines.local.kube.controllers.cluster import NodeGroup
from platform_pipelines.local.kube.controllers.node_objects import new_node
from platform_pipelines.local.kube.kinds import NODE
from platform_pipelines.local.kube.store import Store
from platform_pipelines.local.ministack_state import MinistackState
from platform_pipelines.local.world import World

SEOUL, TOKYO = "ap-northeast-2", "ap-northeast-1"
Answer = dict[str, Any]


class Ec2:
    """EC2 in Seoul, with a VPC and six subnets."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.registry = Registry(world)
        cidr = world.platform.region("seoul").cidr
        first, second = cidr.split(".")[:2]
        self.vpc = self("CreateVpc", CidrBlock=cidr)["Vpc"]["VpcId"]
        self.subnets = [self.subnet(f"{first}.{second}.{one * 4}.0/22") for one in range(6)]

    def __call__(self, operation: str, **params: Any) -> Answer:
        """One call. Raises: Fault."""
        return self.registry.ask("ec2", operation, SEOUL, **params)

    def subnet(self, cidr: str) -> str:
        """A new subnet."""
        return str(self("CreateSubnet", VpcId=self.vpc, CidrBlock=cidr)["Subnet"]["SubnetId"])

    def refused(self, operation: str, **params: Any) -> str:
        """The code with which a call is refused."""
        with pytest.raises(Fault) as told:
            self(operation, **params)
        return told.value.code

    def ids(self, **params: Any) -> list[str]:
        """The subnets that are described."""
        return [one["SubnetId"] for one in self("DescribeSubnets", **params)["Subnets"]]


@pytest.fixture
def ec2(world: World) -> Iterator[Ec2]:
    """EC2 with nothing else in it."""
    state = MinistackState()
    state.restore({})
    yield Ec2(world)
    state.restore({})


def only(name: str, *values: str) -> list[Answer]:
    """A filter."""
    return [{"Name": name, "Values": list(values)}]


@pytest.mark.parametrize(
    ("operation", "parameter", "unknown", "code"),
    [
        ("DescribeVpcs", "VpcIds", "vpc-0", "InvalidVpcID.NotFound"),
        ("DescribeSubnets", "SubnetIds", "subnet-0", "InvalidSubnetID.NotFound"),
        ("DescribeRouteTables", "RouteTableIds", "rtb-0", "InvalidRouteTableID.NotFound"),
        ("DescribeSecurityGroups", "GroupIds", "sg-0", "InvalidGroup.NotFound"),
        ("DescribeSecurityGroups", "GroupNames", "none", "InvalidGroup.NotFound"),
        ("DescribeVpcEndpoints", "VpcEndpointIds", "vpce-0", "InvalidVpcEndpointId.NotFound"),
        ("DescribeInstances", "InstanceIds", "i-0", "InvalidInstanceID.NotFound"),
        (
            *("DescribeLaunchTemplates", "LaunchTemplateIds", "lt-0"),
            "InvalidLaunchTemplateId.NotFound",
        ),
        (
            *("DescribeLaunchTemplates", "LaunchTemplateNames", "none"),
            "InvalidLaunchTemplateName.NotFoundException",
        ),
    ],
)
def test_an_id_or_a_filter_that_is_unknown_is_refused(
    ec2: Ec2, operation: str, parameter: str, unknown: str, code: str
) -> None:
    """Never an empty answer, also where there is nothing to be filtered."""
    assert ec2.refused(operation, **{parameter: [unknown]}) == code
    assert ec2.refused(operation, Filters=only("color", "red")) == "InvalidParameterValue"


def test_a_regions_zones_are_the_platforms_own(ec2: Ec2) -> None:
    """Tokyo has a, c and d: for new subnets, and for those of the default VPC too."""
    ask = partial(ec2.registry.ask, "ec2", region=TOKYO)
    zones = ask("DescribeAvailabilityZones")["AvailabilityZones"]
    names = [one["ZoneName"] for one in zones]
    assert names == [f"{TOKYO}{letter}" for letter in "acd"]
    subnets = ask("DescribeSubnets")["Subnets"]
    assert sorted(one["AvailabilityZone"] for one in subnets) == names
    vpc = ask("CreateVpc", CidrBlock="10.7.0.0/16")["Vpc"]["VpcId"]
    wanted = {"VpcId": vpc, "CidrBlock": "10.7.0.0/24"}
    for zone in (
        {"AvailabilityZone": f"{TOKYO}b"},
        {"AvailabilityZoneId": "apne1-az9"},
    ):
        with pytest.raises(Fault, match="Subnets can currently only be created in"):
            ask("CreateSubnet", **wanted, **zone)
    made = ask("CreateSubnet", **wanted, AvailabilityZoneId=zones[2]["ZoneId"])["Subnet"]
    assert (made["AvailabilityZone"], made["AvailabilityZoneId"]) == (
        zones[2]["ZoneName"],
        zones[2]["ZoneId"],
    )


def test_filters_choose(ec2: Ec2) -> None:
    """Each of them one of its values; tags too."""
    first, second, *_ = ec2.subnets
    ec2("CreateTags", Resources=[second], Tags=[{"Key": "Name", "Value": "b"}])
    assert ec2.ids(Filters=only("subnet-id", first, second)) == [first, second]
    assert ec2.ids(Filters=[*only("tag:Name", "b"), *only("vpc-id", ec2.vpc)]) == [second]
    assert ec2.ids(Filters=only("vpc-id", "vpc-0")) == []
    assert ec2.ids(SubnetIds=[second], Filters=only("default-for-az", "false")) == [second]


def test_a_route_table_is_found_by_what_it_is_associated_with(ec2: Ec2) -> None:
    """And by its routes."""
    table = ec2("CreateRouteTable", VpcId=ec2.vpc)["RouteTable"]["RouteTableId"]
    ec2("AssociateRouteTable", RouteTableId=table, SubnetId=ec2.subnets[0])
    for name, value in (
        ("association.subnet-id", ec2.subnets[0]),
        ("route-table-id", table),
    ):
        found = ec2("DescribeRouteTables", Filters=only(name, value))["RouteTables"]
        assert [one["RouteTableId"] for one in found] == [table]
    mains = [*only("association.main", "true"), *only("vpc-id", ec2.vpc)]
    [main] = ec2("DescribeRouteTables", Filters=mains)["RouteTables"]
    assert main["RouteTableId"] != table


def test_many_come_in_pages(ec2: Ec2) -> None:
    """With a token; not together with ids, and no token but ours."""
    ours = only("vpc-id", ec2.vpc)
    first = ec2("DescribeSubnets", Filters=ours, MaxResults=5)
    rest = ec2("DescribeSubnets", Filters=ours, MaxResults=5, NextToken=first["NextToken"])
    found = [one["SubnetId"] for one in [*first["Subnets"], *rest["Subnets"]]]
    assert (found, "NextToken" in rest) == (ec2.subnets, False)
    both = {"SubnetIds": ec2.subnets[:1], "MaxResults": 5}
    assert ec2.refused("DescribeSubnets", **both) == "InvalidParameterCombination"
    assert ec2.refused("DescribeSubnets", NextToken="?") == "InvalidNextToken"


@pytest.mark.parametrize(
    ("id_", "code"),
    [
        ("subnet-0", "InvalidSubnetID.NotFound"),
        ("vpc-0", "InvalidVpcID.NotFound"),
        ("nat-0", "NatGatewayNotFound"),
        ("eni-0", "NotImplemented"),
        ("nonsense", "InvalidID"),
    ],
)
def test_only_what_is_there_gets_tags(ec2: Ec2, id_: str, code: str) -> None:
    """All of a request, or nothing."""
    tags = [{"Key": "team", "Value": "peccy"}]
    assert ec2.refused("CreateTags", Resources=[ec2.vpc, id_], Tags=tags) == code
    assert ec2("DescribeVpcs", VpcIds=[ec2.vpc])["Vpcs"][0].get("Tags", []) == []


def test_tags_of_aws_itself_are_not_for_everybody(ec2: Ec2) -> None:
    """`aws:` is reserved."""
    tags = [{"Key": "aws:x", "Value": "1"}]
    assert ec2.refused("CreateTags", Resources=[ec2.vpc], Tags=tags) == "InvalidParameterValue"


@pytest.fixture
def nodes(ec2: Ec2) -> list[Answer]:
    """Six nodes in Seoul's cluster."""
    region = ec2.world.platform.region("seoul")
    store = ec2.world.stores["seoul"] = Store(ec2.world.datetime)
    group = NodeGroup(name="web", desired=6, since=0, instance_type="t3.medium")
    zones = region.zones
    return [
        store.create(NODE, new_node(group, region, zones[number % 2], number, "1.36"))
        for number in range(1, 7)
    ]


def instances(answer: Answer) -> list[Answer]:
    """The instances of an answer."""
    return [one for reservation in answer["Reservations"] for one in reservation["Instances"]]


def test_each_node_is_an_instance(ec2: Ec2, nodes: list[Answer]) -> None:
    """With the id, the zone, the type and the address that the node names."""
    found = instances(ec2("DescribeInstances"))
    told = {f"aws:///{one['Placement']['AvailabilityZone']}/{one['InstanceId']}" for one in found}
    assert told == {node["spec"]["providerID"] for node in nodes}
    assert {one["InstanceType"] for one in found} == {"t3.medium"}
    assert {one["State"]["Name"] for one in found} == {"running"}
    addresses = {node["status"]["addresses"][0]["address"] for node in nodes}
    assert {one["PrivateIpAddress"] for one in found} == addresses
    assert {"Key": "eks:nodegroup-name", "Value": "web"} in found[0]["Tags"]
    assert ec2.registry.ask("ec2", "DescribeInstances", TOKYO)["Reservations"] == []


def test_instances_are_chosen_and_paged(ec2: Ec2, nodes: list[Answer]) -> None:
    """By id, by zone and by tag."""
    zone = ec2.world.platform.region("seoul").zones[0]
    assert len(instances(ec2("DescribeInstances", Filters=only("availability-zone", zone)))) == 3
    assert not instances(ec2("DescribeInstances", Filters=only("tag:eks:nodegroup-name", "app")))
    wanted = nodes[2]["spec"]["providerID"].rpartition("/")[2]
    [one] = instances(ec2("DescribeInstances", InstanceIds=[wanted]))
    assert one["InstanceId"] == wanted
    first = ec2("DescribeInstances", MaxResults=5)
    rest = ec2("DescribeInstances", MaxResults=5, NextToken=first["NextToken"])
    assert (len(instances(first)), len(instances(rest))) == (5, 1)
    assert ec2.refused("DescribeInstances", MaxResults=4) == "InvalidParameterValue"
