"""What a network is that ministack made: EC2's resources, asked of EC2 for drift detection."""

from typing import Any

from platform_pipelines.local.aws.cloudformation_readers import first, reads
from platform_pipelines.local.aws.cloudformation_types import Calls, Properties


def _vpc(call: Calls, id_: str, _props: Properties) -> Properties:
    found = first(call("ec2", "DescribeVpcs", {"VpcIds": [id_]})["Vpcs"])
    dns = {
        name: call("ec2", "DescribeVpcAttribute", {"VpcId": id_, "Attribute": key})[name]["Value"]
        for name, key in (
            ("EnableDnsSupport", "enableDnsSupport"),
            ("EnableDnsHostnames", "enableDnsHostnames"),
        )
    }
    return {"CidrBlock": found["CidrBlock"], "Tags": found.get("Tags", []), **dns}


def _subnet(call: Calls, id_: str, _props: Properties) -> Properties:
    found = first(call("ec2", "DescribeSubnets", {"SubnetIds": [id_]})["Subnets"])
    names = ("VpcId", "CidrBlock", "AvailabilityZone", "MapPublicIpOnLaunch")
    return {name: found[name] for name in names} | {"Tags": found.get("Tags", [])}


def _security_group(call: Calls, id_: str, _props: Properties) -> Properties:
    asked = {"GroupIds": [id_]}
    found = first(call("ec2", "DescribeSecurityGroups", asked)["SecurityGroups"])
    return {
        "GroupDescription": found["Description"],
        "SecurityGroupIngress": _rules(found.get("IpPermissions", []), "Source"),
        "SecurityGroupEgress": _rules(found.get("IpPermissionsEgress", []), "Destination"),
        "VpcId": found["VpcId"],
        "Tags": found.get("Tags", []),
    }


def _route_table(call: Calls, id_: str, _props: Properties) -> Properties:
    asked = {"RouteTableIds": [id_]}
    found = first(call("ec2", "DescribeRouteTables", asked)["RouteTables"])
    return {"VpcId": found["VpcId"], "Tags": found.get("Tags", [])}


def _internet_gateway(call: Calls, id_: str, _props: Properties) -> Properties:
    asked = {"InternetGatewayIds": [id_]}
    found = first(call("ec2", "DescribeInternetGateways", asked)["InternetGateways"])
    return {"Tags": found.get("Tags", [])}


def _route(call: Calls, _id: str, props: Properties) -> Properties | None:
    asked = {"RouteTableIds": [props["RouteTableId"]]}
    table = first(call("ec2", "DescribeRouteTables", asked)["RouteTables"])
    for route in table["Routes"]:
        if route.get("DestinationCidrBlock") == props.get("DestinationCidrBlock"):
            names = ("DestinationCidrBlock", "GatewayId", "NatGatewayId")
            return {"RouteTableId": props["RouteTableId"]} | {
                name: route[name] for name in names if route.get(name)
            }
    return None


def _launch_template(call: Calls, id_: str, _props: Properties) -> Properties:
    asked = {"LaunchTemplateIds": [id_]}
    found = first(call("ec2", "DescribeLaunchTemplates", asked)["LaunchTemplates"])
    return {"LaunchTemplateName": found["LaunchTemplateName"]}  # what it launches is write-only


def _association(call: Calls, id_: str, _props: Properties) -> Properties | None:
    asked = {"Filters": [{"Name": "association.route-table-association-id", "Values": [id_]}]}
    for table in call("ec2", "DescribeRouteTables", asked)["RouteTables"]:
        for one in table["Associations"]:
            if one["RouteTableAssociationId"] == id_:
                return {"RouteTableId": table["RouteTableId"], "SubnetId": one.get("SubnetId")}
    return None


def _attachment(call: Calls, _id: str, props: Properties) -> Properties | None:
    gateway = props.get("InternetGatewayId")
    asked = {"InternetGatewayIds": [gateway]}
    found = first(call("ec2", "DescribeInternetGateways", asked)["InternetGateways"])
    networks = [one["VpcId"] for one in found.get("Attachments", [])]
    if not networks:
        return None
    wanted = props["VpcId"]
    return {
        "InternetGatewayId": gateway,
        "VpcId": wanted if wanted in networks else networks[0],
    }


def _rules(permissions: list[dict[str, Any]], way: str) -> list[Properties]:
    """Rules of a security group as a template has them, one for each peer."""
    found = []
    for one in permissions:
        ports = {name: one[name] for name in ("FromPort", "ToPort") if name in one}
        base = {"IpProtocol": one["IpProtocol"]} | ports
        for peers, key, name in (
            ("IpRanges", "CidrIp", "CidrIp"),
            ("Ipv6Ranges", "CidrIpv6", "CidrIpv6"),
            ("PrefixListIds", "PrefixListId", f"{way}PrefixListId"),
            ("UserIdGroupPairs", "GroupId", f"{way}SecurityGroupId"),
        ):
            for peer in one.get(peers, []):
                told = {"Description": peer["Description"]} if peer.get("Description") else {}
                found.append(base | {name: peer[key]} | told)
    return found


NETWORK = {
    "AWS::EC2::InternetGateway": reads(_internet_gateway, "Tags"),
    "AWS::EC2::LaunchTemplate": reads(_launch_template, "LaunchTemplateName"),
    "AWS::EC2::Route": reads(
        _route, "DestinationCidrBlock", "GatewayId", "NatGatewayId", "RouteTableId"
    ),
    "AWS::EC2::RouteTable": reads(_route_table, "Tags", "VpcId"),
    "AWS::EC2::SecurityGroup": reads(
        _security_group,
        *("GroupDescription", "SecurityGroupEgress", "SecurityGroupIngress", "Tags", "VpcId"),
    ),
    "AWS::EC2::Subnet": reads(
        _subnet, "AvailabilityZone", "CidrBlock", "MapPublicIpOnLaunch", "Tags", "VpcId"
    ),
    "AWS::EC2::SubnetRouteTableAssociation": reads(_association, "RouteTableId", "SubnetId"),
    "AWS::EC2::VPC": reads(_vpc, "CidrBlock", "EnableDnsHostnames", "EnableDnsSupport", "Tags"),
    "AWS::EC2::VPCGatewayAttachment": reads(_attachment, "InternetGatewayId", "VpcId"),
}
