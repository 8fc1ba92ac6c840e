"""What resources are that ministack makes itself, asked of their services, for drift detection."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from platform_pipelines.local.aws.cloudformation_types import Calls, Properties, is_missing
from platform_pipelines.local.aws.service import Fault

Reader = Callable[[str, Properties], Properties | None]
Read = Callable[[Calls, str, Properties], Properties | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reads:
    """How to read a type."""

    read: Read  # what it is now; None if it is gone
    properties: frozenset[str]  # what can be read

    def bind(self, call: Calls) -> Reader:
        """As ministack's drift detection asks for it."""

        def read(id_: str, props: Properties) -> Properties | None:
            try:
                return self.read(call, id_, props)
            except Fault as fault:
                if is_missing(fault):
                    return None
                raise

        return read


def _first(found: list[dict[str, Any]]) -> dict[str, Any]:
    if not found:
        raise Fault("NotFound", "it is gone")
    return found[0]


def _vpc(call: Calls, id_: str, _props: Properties) -> Properties:
    found = _first(call("ec2", "DescribeVpcs", {"VpcIds": [id_]})["Vpcs"])
    dns = {
        name: call("ec2", "DescribeVpcAttribute", {"VpcId": id_, "Attribute": key})[name]["Value"]
        for name, key in (
            ("EnableDnsSupport", "enableDnsSupport"),
            ("EnableDnsHostnames", "enableDnsHostnames"),
        )
    }
    return {"CidrBlock": found["CidrBlock"], "Tags": found.get("Tags", []), **dns}


def _subnet(call: Calls, id_: str, _props: Properties) -> Properties:
    found = _first(call("ec2", "DescribeSubnets", {"SubnetIds": [id_]})["Subnets"])
    names = ("VpcId", "CidrBlock", "AvailabilityZone", "MapPublicIpOnLaunch")
    return {name: found[name] for name in names} | {"Tags": found.get("Tags", [])}


def _security_group(call: Calls, id_: str, _props: Properties) -> Properties:
    asked = {"GroupIds": [id_]}
    found = _first(call("ec2", "DescribeSecurityGroups", asked)["SecurityGroups"])
    return {
        "GroupDescription": found["Description"],
        "VpcId": found["VpcId"],
        "Tags": found.get("Tags", []),
    }


def _route_table(call: Calls, id_: str, _props: Properties) -> Properties:
    asked = {"RouteTableIds": [id_]}
    found = _first(call("ec2", "DescribeRouteTables", asked)["RouteTables"])
    return {"VpcId": found["VpcId"], "Tags": found.get("Tags", [])}


def _internet_gateway(call: Calls, id_: str, _props: Properties) -> Properties:
    asked = {"InternetGatewayIds": [id_]}
    found = _first(call("ec2", "DescribeInternetGateways", asked)["InternetGateways"])
    return {"Tags": found.get("Tags", [])}


def _route(call: Calls, _id: str, props: Properties) -> Properties | None:
    asked = {"RouteTableIds": [props["RouteTableId"]]}
    table = _first(call("ec2", "DescribeRouteTables", asked)["RouteTables"])
    for route in table["Routes"]:
        if route.get("DestinationCidrBlock") == props.get("DestinationCidrBlock"):
            names = ("DestinationCidrBlock", "GatewayId", "NatGatewayId")
            return {"RouteTableId": props["RouteTableId"]} | {
                name: route[name] for name in names if route.get(name)
            }
    return None


def _launch_template(call: Calls, id_: str, _props: Properties) -> Properties:
    asked = {"LaunchTemplateIds": [id_]}
    _first(call("ec2", "DescribeLaunchTemplates", asked)["LaunchTemplates"])
    return {}


def _subnet_group(call: Calls, id_: str, _props: Properties) -> Properties:
    asked = {"DBSubnetGroupName": id_}
    found = _first(call("rds", "DescribeDBSubnetGroups", asked)["DBSubnetGroups"])
    return {
        "DBSubnetGroupDescription": found["DBSubnetGroupDescription"],
        "SubnetIds": [subnet["SubnetIdentifier"] for subnet in found["Subnets"]],
    }


def _cluster_parameter_group(call: Calls, id_: str, _props: Properties) -> Properties:
    asked = {"DBClusterParameterGroupName": id_}
    found = _first(
        call("rds", "DescribeDBClusterParameterGroups", asked)["DBClusterParameterGroups"]
    )
    return {"Family": found["DBParameterGroupFamily"], "Description": found["Description"]}


def _hosted_zone(call: Calls, id_: str, _props: Properties) -> Properties:
    return {"Name": call("route53", "GetHostedZone", {"Id": id_})["HostedZone"]["Name"].rstrip(".")}


def _record_set(call: Calls, _id: str, props: Properties) -> Properties | None:
    asked = {"HostedZoneId": props["HostedZoneId"]}
    found = call("route53", "ListResourceRecordSets", asked)["ResourceRecordSets"]
    name = props["Name"].rstrip(".")
    for one in found:
        same = one["Name"].rstrip(".") == name and one["Type"] == props["Type"]
        if same and one.get("SetIdentifier") == props.get("SetIdentifier"):
            return _as_template(one, props)
    return None


def _as_template(one: dict[str, Any], props: Properties) -> Properties:
    records = [record["Value"] for record in one.get("ResourceRecords", [])]
    kept = {name: one[name] for name in ("Failover", "HealthCheckId") if name in one}
    named = {"Name": props["Name"], "Type": one["Type"], "ResourceRecords": records}
    return kept | named | ({"TTL": one["TTL"]} if "TTL" in one else {})


def _key(call: Calls, id_: str, _props: Properties) -> Properties | None:
    found = call("kms", "DescribeKey", {"KeyId": id_})["KeyMetadata"]
    if found["KeyState"] == "PendingDeletion":
        return None
    rotation = call("kms", "GetKeyRotationStatus", {"KeyId": id_})["KeyRotationEnabled"]
    return {"Description": found.get("Description", ""), "EnableKeyRotation": rotation}


def _reads(read: Read, *properties: str) -> Reads:
    return Reads(read=read, properties=frozenset(properties))


READERS = {
    "AWS::EC2::InternetGateway": _reads(_internet_gateway, "Tags"),
    "AWS::EC2::LaunchTemplate": _reads(_launch_template),
    "AWS::EC2::Route": _reads(
        _route, "DestinationCidrBlock", "GatewayId", "NatGatewayId", "RouteTableId"
    ),
    "AWS::EC2::RouteTable": _reads(_route_table, "Tags", "VpcId"),
    "AWS::EC2::SecurityGroup": _reads(_security_group, "GroupDescription", "Tags", "VpcId"),
    "AWS::EC2::Subnet": _reads(
        _subnet, "AvailabilityZone", "CidrBlock", "MapPublicIpOnLaunch", "Tags", "VpcId"
    ),
    "AWS::EC2::VPC": _reads(_vpc, "CidrBlock", "EnableDnsHostnames", "EnableDnsSupport", "Tags"),
    "AWS::KMS::Key": _reads(_key, "Description", "EnableKeyRotation"),
    "AWS::RDS::DBClusterParameterGroup": _reads(_cluster_parameter_group, "Description", "Family"),
    "AWS::RDS::DBSubnetGroup": _reads(_subnet_group, "DBSubnetGroupDescription", "SubnetIds"),
    "AWS::Route53::HostedZone": _reads(_hosted_zone, "Name"),
    "AWS::Route53::RecordSet": _reads(
        _record_set, "Failover", "HealthCheckId", "Name", "ResourceRecords", "TTL", "Type"
    ),
}
