"""A Region's network: three zones that do not need each other, doors to AWS, and a record of flows."""

import ipaddress
from typing import Any

import pytest

from tests.cfn import templates
from tests.cfn.templates import PLATFORM

each_region = pytest.mark.parametrize("alias", ["seoul", "tokyo"])


def _network(alias: str) -> dict[str, Any]:
    return templates.resources(alias, "network")


def _of(alias: str, kind: str) -> dict[str, Any]:
    return {
        title: resource["Properties"]
        for title, resource in _network(alias).items()
        if resource["Type"] == kind
    }


@each_region
def test_each_zone_leaves_through_a_nat_gateway_of_its_own(alias: str) -> None:
    """Losing a zone takes no other zone's way out with it."""
    network = _network(alias)
    for number, zone in enumerate(PLATFORM.region(alias).zones, start=1):
        route = network[f"PrivateDefaultRoute{number}"]["Properties"]
        gateway = network[route["NatGatewayId"]["Ref"]]["Properties"]
        outside = network[gateway["SubnetId"]["Ref"]]["Properties"]
        joined = network[f"PrivateSubnet{number}Routes"]["Properties"]
        inside = network[joined["SubnetId"]["Ref"]]["Properties"]
        assert joined["RouteTableId"] == route["RouteTableId"]
        assert inside["AvailabilityZone"] == outside["AvailabilityZone"] == zone


@each_region
def test_subnets_lie_in_the_vpc_and_do_not_overlap(alias: str) -> None:
    """A public and a private one in each of three zones."""
    subnets = _of(alias, "AWS::EC2::Subnet").values()
    networks = [ipaddress.ip_network(subnet["CidrBlock"]) for subnet in subnets]
    whole = ipaddress.ip_network(PLATFORM.region(alias).cidr)
    assert len(networks) == 6
    assert all(one.subnet_of(whole) for one in networks)  # type: ignore[arg-type]  # both are IPv4
    assert not any(
        one.overlaps(two) for index, one in enumerate(networks) for two in networks[:index]
    )


@each_region
def test_services_of_aws_are_reached_without_the_internet(alias: str) -> None:
    """Interfaces in all three zones with private DNS; the gateways are in every route table."""
    endpoints = _of(alias, "AWS::EC2::VPCEndpoint").values()
    name = PLATFORM.region(alias).name
    services = {one["ServiceName"].removeprefix(f"com.amazonaws.{name}.") for one in endpoints}
    wanted = {"s3", "dynamodb", "ecr.api", "ecr.dkr", "sts", "eks", "eks-auth", "logs"}
    assert wanted <= services
    tables = _of(alias, "AWS::EC2::RouteTable").keys()
    for one in endpoints:
        if one["VpcEndpointType"] == "Gateway":
            assert {table["Ref"] for table in one["RouteTableIds"]} == tables
        else:
            assert one["PrivateDnsEnabled"] is True
            assert one["SubnetIds"] == [{"Ref": f"PrivateSubnet{zone}"} for zone in (1, 2, 3)]


@each_region
def test_endpoints_take_https_from_the_vpc_and_nothing_else(alias: str) -> None:
    """All interfaces share one security group."""
    doors = {
        one["SecurityGroupIds"][0]["Fn::GetAtt"][0]
        for one in _of(alias, "AWS::EC2::VPCEndpoint").values()
        if one["VpcEndpointType"] == "Interface"
    }
    (door,) = doors
    (rule,) = _network(alias)[door]["Properties"]["SecurityGroupIngress"]
    assert (rule["FromPort"], rule["ToPort"], rule["IpProtocol"]) == (443, 443, "tcp")
    assert rule["CidrIp"] == PLATFORM.region(alias).cidr


@each_region
def test_all_flows_of_the_vpc_are_logged_and_kept_for_a_while(alias: str) -> None:
    """The log group outlives its stack."""
    network = _network(alias)
    flow = network["FlowLog"]["Properties"]
    assert (flow["ResourceType"], flow["TrafficType"]) == ("VPC", "ALL")
    assert flow["ResourceId"] == {"Ref": "Vpc"}
    group = network[flow["LogGroupName"]["Ref"]]
    assert group["Properties"]["RetentionInDays"] == 90
    assert group["DeletionPolicy"] == "RetainExceptOnCreate"


@each_region
def test_flow_logs_are_written_by_a_role_that_may_do_nothing_else(alias: str) -> None:
    """And that only this account's flow logs of this Region can take."""
    network = _network(alias)
    title = network["FlowLog"]["Properties"]["DeliverLogsPermissionArn"]["Fn::GetAtt"][0]
    role = network[title]["Properties"]
    (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "vpc-flow-logs.amazonaws.com"}
    assert trust["Condition"]["StringEquals"] == {"aws:SourceAccount": "111122223333"}
    assert PLATFORM.region(alias).name in str(trust["Condition"]["ArnLike"])
    (policy,) = role["Policies"]
    for statement in policy["PolicyDocument"]["Statement"]:
        assert all(action.startswith("logs:") for action in statement["Action"])
        if statement["Resource"] == "*":
            assert statement["Action"] == ["logs:DescribeLogGroups"]
