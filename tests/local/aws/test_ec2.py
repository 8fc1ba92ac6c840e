"""EC2's network: NAT gateways and addresses through their lives, and what is refused."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from platform_pipelines.local import ministack
from platform_pipelines.local.aws.registry import Registry
from platform_pipelines.local.aws.service import Fault
from platform_pipelines.local.ministack_state import MinistackState
from platform_pipelines.local.world import World

SEOUL, TOKYO = "ap-northeast-2", "ap-northeast-1"


@dataclass
class Network:
    """A VPC with one public subnet."""

    world: World
    registry: Registry
    vpc: str
    subnet: str
    gateway: str

    def __call__(self, operation: str, **params: Any) -> dict[str, Any]:
        """One call in Seoul. Raises: Fault."""
        return self.registry.ask("ec2", operation, SEOUL, **params)

    def address(self) -> str:
        """A new Elastic IP address."""
        return str(self("AllocateAddress", Domain="vpc")["AllocationId"])

    def nat(self, allocation: str, **params: Any) -> str:
        """A new NAT gateway."""
        asked = {"SubnetId": self.subnet, "AllocationId": allocation, **params}
        return str(self("CreateNatGateway", **asked)["NatGateway"]["NatGatewayId"])

    def describe(self, nat: str) -> dict[str, Any]:
        """The NAT gateway as it is."""
        found = self("DescribeNatGateways", NatGatewayIds=[nat])["NatGateways"]
        return dict(found[0])


@pytest.fixture
def network(world: World) -> Iterator[Network]:
    """A VPC in Seoul."""
    registry = Registry(world)
    state = MinistackState()
    state.restore({})
    made = Network(world, registry, "", "", "")
    made.vpc = made("CreateVpc", CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    made.subnet = made("CreateSubnet", VpcId=made.vpc, CidrBlock="10.0.0.0/24")["Subnet"][
        "SubnetId"
    ]
    made.gateway = made("CreateInternetGateway")["InternetGateway"]["InternetGatewayId"]
    made("AttachInternetGateway", InternetGatewayId=made.gateway, VpcId=made.vpc)
    yield made
    state.restore({})


def pass_time(network: Network, seconds: float) -> None:
    """Let AWS-like time pass."""
    clock: Any = network.world.clock
    clock.move(clock.now() + seconds)
    network.world.timers.run_due()


def refused(network: Network, operation: str, **params: Any) -> str:
    """The code with which a call is refused."""
    with pytest.raises(Fault) as told:
        network(operation, **params)
    return told.value.code


def test_a_nat_gateway_is_pending_and_then_available_with_its_address(network: Network) -> None:
    """The address shows who uses it."""
    allocation = network.address()
    nat = network.nat(allocation)
    assert network.describe(nat)["State"] == "pending"
    pass_time(network, 200)
    found = network.describe(nat)
    address = network("DescribeAddresses", AllocationIds=[allocation])["Addresses"][0]
    its = found["NatGatewayAddresses"][0]
    assert (found["State"], its["Status"], its["IsPrimary"]) == ("available", "succeeded", True)
    assert its["PublicIp"] == address["PublicIp"]
    assert its["NetworkInterfaceId"] == address["NetworkInterfaceId"]
    assert its["AssociationId"] == address["AssociationId"]


def test_an_address_in_use_cannot_be_released_until_its_gateway_is_gone(network: Network) -> None:
    """Nor its subnet and internet gateway removed; a deleted gateway is described for an hour."""
    allocation = network.address()
    nat = network.nat(allocation)
    pass_time(network, 200)
    assert refused(network, "ReleaseAddress", AllocationId=allocation) == "AuthFailure"
    assert refused(network, "DeleteSubnet", SubnetId=network.subnet) == "DependencyViolation"
    detach = {"InternetGatewayId": network.gateway, "VpcId": network.vpc}
    assert refused(network, "DetachInternetGateway", **detach) == "DependencyViolation"
    network("DeleteNatGateway", NatGatewayId=nat)
    assert network.describe(nat)["State"] == "deleting"
    pass_time(network, 200)
    assert network.describe(nat)["State"] == "deleted"
    network("ReleaseAddress", AllocationId=allocation)
    network("DeleteSubnet", SubnetId=network.subnet)
    network("DetachInternetGateway", **detach)
    pass_time(network, 3600)
    assert refused(network, "DescribeNatGateways", NatGatewayIds=[nat]) == "NatGatewayNotFound"


def test_a_taken_address_makes_a_gateway_fail_when_it_is_due(network: Network) -> None:
    """As AWS says it only then; the first gateway keeps its address."""
    allocation = network.address()
    first = network.nat(allocation)
    second = network.nat(allocation)
    assert network.describe(second)["State"] == "pending"
    pass_time(network, 200)
    failed = network.describe(second)
    assert (failed["State"], failed["FailureCode"]) == ("failed", "Resource.AlreadyAssociated")
    assert network.describe(first)["State"] == "available"


def test_a_network_without_a_way_out_makes_a_gateway_fail(network: Network) -> None:
    """Its address is free for another."""
    network("DetachInternetGateway", InternetGatewayId=network.gateway, VpcId=network.vpc)
    allocation = network.address()
    nat = network.nat(allocation)
    pass_time(network, 200)
    assert network.describe(nat)["FailureCode"] == "Gateway.NotAttached"
    network("ReleaseAddress", AllocationId=allocation)


def test_a_client_token_makes_one_gateway(network: Network) -> None:
    """The same request gives the same one; another request is refused."""
    allocation = network.address()
    assert network.nat(allocation, ClientToken="t") == network.nat(allocation, ClientToken="t")
    other = {"SubnetId": network.subnet, "AllocationId": network.address(), "ClientToken": "t"}
    assert refused(network, "CreateNatGateway", **other) == "IdempotentParameterMismatch"


def test_only_the_address_that_was_asked_for_is_described(network: Network) -> None:
    """By id, by address and by filter; one that is not there is an error."""
    first, second = network.address(), network.address()
    every = {one["AllocationId"]: one for one in network("DescribeAddresses")["Addresses"]}
    ip = every[second]["PublicIp"]
    for asked in (
        {"AllocationIds": [second]},
        {"PublicIps": [ip]},
        {"Filters": [{"Name": "public-ip", "Values": [ip]}]},
    ):
        found = network("DescribeAddresses", **asked)["Addresses"]
        assert [one["AllocationId"] for one in found] == [second]
    assert set(every) == {first, second}
    assert refused(network, "DescribeAddresses", PublicIps=["1.2.3.4"]) == "InvalidAddress.NotFound"


def test_filters_match_tags_and_patterns(network: Network) -> None:
    """And a filter that there is not is an error."""
    tags = [{"ResourceType": "natgateway", "Tags": [{"Key": "zone", "Value": "a[1]"}]}]
    nat = network.nat(network.address(), TagSpecifications=tags)
    network.nat(network.address())

    def found(name: str, value: str) -> list[str]:
        asked = [{"Name": name, "Values": [value]}]
        return [
            one["NatGatewayId"]
            for one in network("DescribeNatGateways", Filter=asked)["NatGateways"]
        ]

    assert found("tag:zone", "a[*") == found("tag-key", "zone") == [nat]
    assert len(found("state", "pend*")) == 2
    assert found("vpc-id", "vpc-other") == []
    bogus = [{"Name": "colour", "Values": ["red"]}]
    assert refused(network, "DescribeNatGateways", Filter=bogus) == "InvalidParameterValue"


def test_gateways_are_described_in_pages(network: Network) -> None:
    """Each once."""
    nats = {network.nat(network.address()) for _ in range(7)}
    first = network("DescribeNatGateways", MaxResults=5)
    second = network("DescribeNatGateways", MaxResults=5, NextToken=first["NextToken"])
    assert "NextToken" not in second
    listed = [one["NatGatewayId"] for one in [*first["NatGateways"], *second["NatGateways"]]]
    assert set(listed) == nats
    assert len(listed) == 7


@pytest.mark.parametrize(
    ("operation", "params", "code"),
    [
        ("CreateSubnet", {"CidrBlock": "10.0.0.128/25"}, "InvalidSubnet.Conflict"),
        ("CreateSubnet", {"CidrBlock": "10.9.0.0/24"}, "InvalidSubnet.Range"),
        ("CreateSubnet", {"CidrBlock": "10.0.0.1/24"}, "InvalidParameterValue"),
        (
            "CreateSubnet",
            {"CidrBlock": "10.0.1.0/24", "AvailabilityZone": "us-east-1a"},
            "InvalidParameterValue",
        ),
        ("CreateSubnet", {"VpcId": "vpc-0", "CidrBlock": "10.0.1.0/24"}, "InvalidVpcID.NotFound"),
    ],
)
def test_a_subnet_that_does_not_fit_is_refused(
    network: Network, operation: str, params: dict[str, Any], code: str
) -> None:
    """Where ministack would make it."""
    assert refused(network, operation, **({"VpcId": network.vpc} | params)) == code


def test_routes_and_associations_are_made_once_and_to_what_there_is(network: Network) -> None:
    """And a table that a subnet uses is not deleted."""
    table = network("CreateRouteTable", VpcId=network.vpc)["RouteTable"]["RouteTableId"]
    route = {"RouteTableId": table, "DestinationCidrBlock": "0.0.0.0/0"}
    missing = route | {"NatGatewayId": "nat-0"}
    assert refused(network, "CreateRoute", **missing) == "NatGatewayNotFound"
    network("CreateRoute", **route, GatewayId=network.gateway)
    assert (
        refused(network, "CreateRoute", **route, GatewayId=network.gateway) == "RouteAlreadyExists"
    )
    network("AssociateRouteTable", RouteTableId=table, SubnetId=network.subnet)
    again = {"RouteTableId": table, "SubnetId": network.subnet}
    assert refused(network, "AssociateRouteTable", **again) == "Resource.AlreadyAssociated"
    assert refused(network, "DeleteRouteTable", RouteTableId=table) == "DependencyViolation"


def test_rules_are_added_once_and_removed_once(network: Network) -> None:
    """And a group that another's rule names is not deleted."""
    made = [
        network("CreateSecurityGroup", GroupName=name, Description="d", VpcId=network.vpc)
        for name in ("one", "two")
    ]
    one, two = (group["GroupId"] for group in made)
    source = [{"GroupId": two}]
    rule = {"IpProtocol": "tcp", "FromPort": 2049, "ToPort": 2049, "UserIdGroupPairs": source}
    asked = {"GroupId": one, "IpPermissions": [rule]}
    network("AuthorizeSecurityGroupIngress", **asked)
    duplicate = refused(network, "AuthorizeSecurityGroupIngress", **asked)
    assert duplicate == "InvalidPermission.Duplicate"
    assert refused(network, "DeleteSecurityGroup", GroupId=two) == "DependencyViolation"
    network("RevokeSecurityGroupIngress", **asked)
    assert refused(network, "RevokeSecurityGroupIngress", **asked) == "InvalidPermission.NotFound"
    network("DeleteSecurityGroup", GroupId=two)


def test_a_dry_run_does_nothing(network: Network) -> None:
    """Neither in an operation of ours, nor in one of ministack's."""
    before = network("DescribeVpcs")["Vpcs"]
    assert refused(network, "CreateVpc", CidrBlock="10.1.0.0/16", DryRun=True) == "DryRunOperation"
    assert network("DescribeVpcs")["Vpcs"] == before
    assert (
        refused(network, "DeleteSubnet", SubnetId=network.subnet, DryRun=True) == "DryRunOperation"
    )
    assert network("DescribeSubnets", SubnetIds=[network.subnet])["Subnets"]


def test_what_runs_on_instances_is_not_implemented(network: Network) -> None:
    """EKS starts and ends them."""
    assert refused(network, "RunInstances", MinCount=1, MaxCount=1) == "NotImplemented"
    with pytest.raises(Fault, match="elbv2 DescribeLoadBalancers is not implemented"):
        network.registry.ask("elbv2", "DescribeLoadBalancers", SEOUL)


def test_a_gateway_goes_on_after_a_restart(network: Network) -> None:
    """Its state is ministack's, its end a timer of the world."""
    nat = network.nat(network.address())
    with ministack.scope("111122223333", SEOUL):
        kept = dict(ministack.service("ec2")._nat_gateways.get(nat))
    assert kept["State"] == "pending"
    assert network.world.timers.pending("transition", resource=nat)
