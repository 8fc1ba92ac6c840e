"""What EC2's filters look at, by their names, for each kind of resource that is described.

A record without members gives the names alone.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from platform_pipelines.local.aws.ec2_filters import Found

Record = dict[str, Any]
Values = Mapping[str, Found]


def of_vpc(one: Record) -> Values:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeVpcs.html"""
    associated = one.get("CidrBlockAssociationSet", [])
    names = {
        "cidr": "CidrBlock",
        "dhcp-options-id": "DhcpOptionsId",
        "is-default": "IsDefault",
        "owner-id": "OwnerId",
        "state": "State",
        "vpc-id": "VpcId",
    }
    return _members(one, names) | {
        "cidr-block-association.association-id": _each(associated, "AssociationId"),
        "cidr-block-association.cidr-block": _each(associated, "CidrBlock"),
    }


def of_subnet(one: Record) -> Values:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeSubnets.html"""
    names = {
        "availability-zone": "AvailabilityZone",
        "availability-zone-id": "AvailabilityZoneId",
        "available-ip-address-count": "AvailableIpAddressCount",
        "cidr-block": "CidrBlock",
        "default-for-az": "DefaultForAz",
        "map-public-ip-on-launch": "MapPublicIpOnLaunch",
        "owner-id": "OwnerId",
        "state": "State",
        "subnet-arn": "SubnetArn",
        "subnet-id": "SubnetId",
        "vpc-id": "VpcId",
    }
    also = {"availabilityZone": "AvailabilityZone", "cidr": "CidrBlock", "cidrBlock": "CidrBlock"}
    return _members(one, names | also)


def of_route_table(one: Record) -> Values:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeRouteTables.html"""
    associations, routes = one.get("Associations", []), one.get("Routes", [])
    states = [item.get("AssociationState") or {} for item in associations]
    return _members(
        one, {"owner-id": "OwnerId", "route-table-id": "RouteTableId", "vpc-id": "VpcId"}
    ) | {
        "association.gateway-id": _each(associations, "GatewayId"),
        "association.main": _each(associations, "Main"),
        "association.route-table-association-id": _each(associations, "RouteTableAssociationId"),
        "association.state": _each(states, "State"),
        "association.subnet-id": _each(associations, "SubnetId"),
        "route.destination-cidr-block": _each(routes, "DestinationCidrBlock"),
        "route.gateway-id": _each(routes, "GatewayId"),
        "route.nat-gateway-id": _each(routes, "NatGatewayId"),
        "route.origin": _each(routes, "Origin"),
        "route.state": _each(routes, "State"),
    }


def of_endpoint(one: Record) -> Values:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeVpcEndpoints.html"""
    names = {
        "ip-address-type": "IpAddressType",
        "service-name": "ServiceName",
        "vpc-endpoint-id": "VpcEndpointId",
        "vpc-endpoint-state": "State",
        "vpc-endpoint-type": "VpcEndpointType",
        "vpc-id": "VpcId",
    }
    return _members(one, names)


def of_template(one: Record) -> Values:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeLaunchTemplates.html"""
    made = one.get("CreateTime")
    created = made.isoformat() if made is not None else None
    return {"create-time": created, **_members(one, {"launch-template-name": "LaunchTemplateName"})}


def of_group(one: Record) -> Values:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeSecurityGroups.html"""
    names = {
        "description": "Description",
        "group-id": "GroupId",
        "group-name": "GroupName",
        "owner-id": "OwnerId",
        "vpc-id": "VpcId",
    }
    return (
        _members(one, names)
        | _of_rules("ip-permission", one.get("IpPermissions", []))
        | _of_rules("egress.ip-permission", one.get("IpPermissionsEgress", []))
    )


def of_instance(one: Record) -> Values:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstances.html"""
    names = {
        "architecture": "Architecture",
        "instance-id": "InstanceId",
        "instance-type": "InstanceType",
        "private-dns-name": "PrivateDnsName",
        "private-ip-address": "PrivateIpAddress",
        "subnet-id": "SubnetId",
        "vpc-id": "VpcId",
    }
    return _members(one, names) | {
        "availability-zone": (one.get("Placement") or {}).get("AvailabilityZone"),
        "instance-state-code": _text((one.get("State") or {}).get("Code")),
        "instance-state-name": (one.get("State") or {}).get("Name"),
    }


def _of_rules(prefix: str, rules: list[Record]) -> dict[str, Found]:
    ranges = [item for rule in rules for item in rule.get("IpRanges", [])]
    pairs = [item for rule in rules for item in rule.get("UserIdGroupPairs", [])]
    return {
        f"{prefix}.cidr": _each(ranges, "CidrIp"),
        f"{prefix}.from-port": _each(rules, "FromPort"),
        f"{prefix}.group-id": _each(pairs, "GroupId"),
        f"{prefix}.protocol": _each(rules, "IpProtocol"),
        f"{prefix}.to-port": _each(rules, "ToPort"),
    }


def _members(one: Record, names: Mapping[str, str]) -> dict[str, Found]:
    return {name: _text(one.get(member)) for name, member in names.items()}


def _each(items: Iterable[Record], member: str) -> tuple[str, ...]:
    found = (_text(item.get(member)) for item in items)
    return tuple(text for text in found if text is not None)


def _text(value: object) -> str | None:
    """A value as a filter writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return None if value is None else str(value)
