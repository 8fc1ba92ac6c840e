"""The records of EC2's VPC endpoints: what is asked for is checked and made.

They lie in ministack's store, so that EC2's other operations know them. `ec2_endpoints` has the
operations. https://docs.aws.amazon.com/vpc/latest/privatelink/create-interface-endpoint.html
"""

import json
import secrets
from collections.abc import Iterable
from typing import Any

from platform_pipelines.local import ministack
from platform_pipelines.local.aws import ec2_endpoint_services as services
from platform_pipelines.local.aws.service import Call, Fault, Params, Result, not_implemented

Record = dict[str, Any]
INTERFACE, GATEWAY = "Interface", "Gateway"
MISSING = "InvalidVpcEndpointId.NotFound"
PLACES = (  # what an endpoint is put into: member, store, code, words
    ("SubnetIds", "_subnets", "InvalidSubnetID.NotFound", "The subnet ID '{}' does not exist"),
    (
        *("SecurityGroupIds", "_security_groups", "InvalidGroup.NotFound"),
        "The security group '{}' does not exist",
    ),
    (
        *("RouteTableIds", "_route_tables", "InvalidRouteTableID.NotFound"),
        "The routeTable ID '{}' does not exist",
    ),
)
RAISES = (
    *("InvalidGroup.NotFound", "InvalidParameter", "InvalidRouteTableID.NotFound"),
    *("InvalidServiceName", "InvalidSubnetID.NotFound", "DuplicateSubnetsInSameZone"),
    *("InvalidVpcID.NotFound", "MissingParameter", "NotImplemented", "RouteAlreadyExists"),
)
_LACKING = (
    *("ResourceConfigurationArn", "ServiceNetworkArn", "ServiceRegion", "SubnetConfigurations"),
    "DnsOptions",
)
EVERYTHING = json.dumps(  # the policy of an endpoint that is given none
    {"Statement": [{"Action": "*", "Effect": "Allow", "Principal": "*", "Resource": "*"}]}
)


def endpoints() -> Any:
    """ministack's store of them."""
    return store("_vpc_endpoints")


def store(name: str) -> Any:
    """A store of ministack's EC2."""
    return getattr(ministack.service("ec2"), name)


def find(id_: str) -> Record:
    """One of them. Raises: Fault."""
    record: Record | None = endpoints().get(id_)
    if record is None:
        raise Fault(MISSING, f"The Vpc Endpoint Id '{id_}' does not exist")
    return record


def make(call: Call, now: float) -> Record:
    """A new one, if what is asked for makes one; an interface begins as pending. Raises: Fault."""
    params = call.params
    kind, service = _checked(call)
    interface = kind == INTERFACE
    id_ = f"vpce-{_hex()}"
    record: Record = {
        "VpcEndpointId": id_,
        "VpcEndpointType": kind,
        "VpcId": params["VpcId"],
        "ServiceName": params["ServiceName"],
        "State": "pending" if interface else "available",
        "PolicyDocument": params.get("PolicyDocument") or EVERYTHING,
        "RouteTableIds": list(params.get("RouteTableIds", [])),
        "SubnetIds": list(params.get("SubnetIds", [])),
        "SecurityGroupIds": _groups(params) if interface else [],
        "IpAddressType": params.get("IpAddressType", "ipv4"),
        "PrivateDnsEnabled": interface and params.get("PrivateDnsEnabled", True),
        "RequesterManaged": False,
        "CreationTimestamp": now,
        "OwnerId": call.account,
        "_service": service,
        "_interfaces": {one: f"eni-{_hex()}" for one in params.get("SubnetIds", [])},
        "_mark": secrets.token_hex(4),
        "_token": params.get("ClientToken"),
    }
    check_private_dns(record, call.region)
    endpoints()[id_] = record
    for specification in params.get("TagSpecifications", []):
        store("_tags")[id_] = list(specification["Tags"])
    return record


def described(record: Record, region: str) -> Result:
    """As DescribeVpcEndpoints has it."""
    names = [(one, _group_name(one)) for one in record.get("SecurityGroupIds", [])]
    left_out = {"SecurityGroupIds", "CreationTimestamp"}
    known = {key: value for key, value in record.items() if key[0] != "_" and key not in left_out}
    return known | {
        "CreationTimestamp": record["CreationTimestamp"],
        "Groups": [{"GroupId": id_, "GroupName": name} for id_, name in names],
        "NetworkInterfaceIds": list(record.get("_interfaces", {}).values()),
        "DnsEntries": _names(record, region),
        "Tags": list(store("_tags").get(record["VpcEndpointId"], [])),
    }


def check_places(params: Params, vpc: str, *, prefix: str = "") -> None:
    """Whether subnets, security groups and route tables are there, in the VPC. Raises: Fault."""
    for member, name, code, words in PLACES:
        for id_ in params.get(f"{prefix}{member}", []):
            if id_ not in store(name):
                raise Fault(code, words.format(id_))
            if store(name)[id_]["VpcId"] != vpc:
                raise Fault("InvalidParameter", f"{id_} does not belong to the vpc {vpc}")


def check_zones(subnets: Iterable[str]) -> None:
    """An endpoint has one interface in a zone. Raises: Fault."""
    zones: set[str] = set()
    for id_ in subnets:
        zone = store("_subnets")[id_]["AvailabilityZone"]
        if zone in zones:
            message = (
                f"Found another VPC endpoint subnet in the availability zone of {id_}. VPC endpoint "
                "subnets should be in different availability zones supported by the VPC endpoint "
                "service."
            )
            raise Fault("DuplicateSubnetsInSameZone", message)
        zones.add(zone)


def check_private_dns(record: Record, region: str) -> None:
    """A VPC resolves a name to one endpoint, and only if it resolves names at all. Raises: Fault."""
    if not record["PrivateDnsEnabled"]:
        return
    vpc, id_ = store("_vpcs")[record["VpcId"]], record["VpcId"]
    if not (vpc.get("EnableDnsSupport", True) and vpc.get("EnableDnsHostnames", False)):
        message = (
            "Enabling private DNS requires both enableDnsSupport and enableDnsHostnames VPC "
            f"attributes set to true for {id_}"
        )
        raise Fault("InvalidParameter", message)
    for other in endpoints().values():
        same = (other["VpcId"], other["ServiceName"]) == (id_, record["ServiceName"])
        if same and other.get("PrivateDnsEnabled") and other is not record:
            name = services.private_name(record["_service"], region)
            message = (
                "private-dns-enabled cannot be set because there is already a conflicting DNS "
                f"domain for {name} in the VPC {id_}"
            )
            raise Fault("InvalidParameter", message)


def using(*, subnet: str | None = None, group: str | None = None) -> bool:
    """Whether an endpoint has an interface in a subnet, or in a security group."""
    return any(
        subnet in one.get("SubnetIds", []) or group in one.get("SecurityGroupIds", [])
        for one in endpoints().values()
    )


def _checked(call: Call) -> tuple[str, str]:
    """What is asked for: the endpoint's type and its service. Raises: Fault."""
    params = call.params
    kind = params.get("VpcEndpointType", GATEWAY)
    lacking = [name for name in _LACKING if params.get(name)]
    if lacking or kind not in (GATEWAY, INTERFACE):
        raise not_implemented(f"CreateVpcEndpoint of {lacking or kind}")
    if params["VpcId"] not in store("_vpcs"):
        raise Fault("InvalidVpcID.NotFound", f"The vpc ID '{params['VpcId']}' does not exist")
    if "ServiceName" not in params:
        raise Fault("MissingParameter", "The request must contain the parameter ServiceName")
    service = services.short(params["ServiceName"], call.region)
    fits = service is not None and (
        services.has_interface(service) if kind == INTERFACE else service in services.GATEWAYS
    )
    if service is None or not fits:
        message = f"The Vpc Endpoint Service '{params['ServiceName']}' does not exist"
        raise Fault("InvalidServiceName", message)
    check_places(params, params["VpcId"])
    check_zones(params.get("SubnetIds", []))
    _check_members(params, kind)
    if kind == GATEWAY:
        check_routes(params.get("RouteTableIds", []), params["ServiceName"])
    return kind, service


def _check_members(params: Params, kind: str) -> None:
    wrong = ("RouteTableIds",) if kind == INTERFACE else ("SubnetIds", "SecurityGroupIds")
    if given := [name for name in wrong if params.get(name)]:
        message = f"{', '.join(given)} cannot be specified for an endpoint of type {kind}."
        raise Fault("InvalidParameter", message)
    if kind == GATEWAY and params.get("PrivateDnsEnabled"):
        message = "Private DNS can't be enabled because the endpoint's type is Gateway."
        raise Fault("InvalidParameter", message)


def check_routes(tables: Iterable[str], service: str) -> None:
    """A route table leads to a service by one gateway endpoint. Raises: Fault."""
    for other in endpoints().values():
        shared = sorted(set(tables) & set(other["RouteTableIds"]))
        if shared and other["ServiceName"] == service:
            message = f"route table {shared[0]} already has a route with destination-prefix-list-id"
            raise Fault("RouteAlreadyExists", message)


def _groups(params: Params) -> list[str]:
    """Those that are asked for; else the VPC's default one."""
    given = params.get("SecurityGroupIds")
    if given:
        return list(given)
    return [
        one["GroupId"]
        for one in store("_security_groups").values()
        if one["VpcId"] == params["VpcId"] and one["GroupName"] == "default"
    ]


def _group_name(id_: str) -> str:
    return str(store("_security_groups").get(id_, {}).get("GroupName", ""))


def _names(record: Record, region: str) -> list[dict[str, str]]:
    """Its own names, one for each zone, and the private one that the VPC resolves to it."""
    if record["VpcEndpointType"] != INTERFACE or "_service" not in record:
        return []
    mark, service = f"{record['VpcEndpointId']}-{record['_mark']}", record["_service"]
    suffix = f"{service}.{region}.vpce.amazonaws.com"
    zones = [store("_subnets")[one]["AvailabilityZone"] for one in record["SubnetIds"]]
    own = [f"{mark}.{suffix}", *(f"{mark}-{zone}.{suffix}" for zone in zones)]
    private = [services.private_name(service, region)] if record["PrivateDnsEnabled"] else []
    return [{"DnsName": name, "HostedZoneId": f"Z{record['_mark'].upper()}"} for name in own] + [
        {"DnsName": name, "HostedZoneId": "ZONEIDPENDING"} for name in private
    ]


def _hex() -> str:
    return secrets.token_hex(9)[:17]
