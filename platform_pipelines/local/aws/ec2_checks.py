"""EC2's refusals to make what cannot be; ministack makes it all the same."""

import ipaddress
from typing import Any

from platform_pipelines.local import ministack
from platform_pipelines.local.aws import stores
from platform_pipelines.local.aws.ec2_zones import zone_of_subnet
from platform_pipelines.local.aws.service import Call, Fault, Result, Service, operation

Record = dict[str, Any]
_LARGEST, _SMALLEST = 16, 28  # prefix lengths of a VPC and its subnets


class Checks(Service):
    """Making itself is ministack's."""

    name = "ec2"

    @operation(raises=("InvalidParameterValue", "InvalidVpc.Range", "MissingParameter"))
    def CreateVpc(self, call: Call) -> Result:  # noqa: N802
        if "CidrBlock" not in call.params:
            raise Fault("MissingParameter", "The request must contain the parameter CidrBlock")
        block = call.params["CidrBlock"]
        if not _LARGEST <= _network(block).prefixlen <= _SMALLEST:
            raise Fault("InvalidVpc.Range", f"The CIDR '{block}' is invalid.")
        return stores.ask(call)

    @operation(
        raises=(
            *("InvalidParameterValue", "InvalidSubnet.Conflict", "InvalidSubnet.Range"),
            *("InvalidVpcID.NotFound", "MissingParameter"),
        )
    )
    def CreateSubnet(self, call: Call) -> Result:  # noqa: N802
        params = call.params
        vpc = _one("_vpcs", params["VpcId"], "InvalidVpcID.NotFound", "vpc ID")
        if "CidrBlock" not in params:
            raise Fault("MissingParameter", "The request must contain the parameter CidrBlock")
        _check_cidr(params["CidrBlock"], vpc)
        zone = {"AvailabilityZone": zone_of_subnet(self.world, call.region, params)}
        rest = {key: value for key, value in params.items() if key != "AvailabilityZoneId"}
        return stores.ask(call, rest | zone)

    @operation(
        raises=(
            *("InvalidGatewayID.NotFound", "InvalidRouteTableID.NotFound"),
            *("NatGatewayNotFound", "RouteAlreadyExists"),
        )
    )
    def CreateRoute(self, call: Call) -> Result:  # noqa: N802
        params = call.params
        table = _table(params["RouteTableId"])
        destination = params.get("DestinationCidrBlock")
        known = [route.get("DestinationCidrBlock") for route in table.get("Routes", [])]
        if destination is not None and destination in known:
            message = f"The route identified by {destination} already exists."
            raise Fault("RouteAlreadyExists", message)
        gateway, nat = params.get("GatewayId", ""), params.get("NatGatewayId")
        if gateway.startswith("igw-"):
            _one("_internet_gateways", gateway, "InvalidGatewayID.NotFound", "gateway ID")
        if nat is not None:
            _one("_nat_gateways", nat, "NatGatewayNotFound", "NatGateway")
        return stores.ask(call)

    @operation(
        raises=(
            *("InvalidRouteTableID.NotFound", "InvalidSubnetID.NotFound"),
            "Resource.AlreadyAssociated",
        )
    )
    def AssociateRouteTable(self, call: Call) -> Result:  # noqa: N802
        table, subnet = call.params["RouteTableId"], call.params.get("SubnetId")
        _table(table)
        if subnet is not None:
            _one("_subnets", subnet, "InvalidSubnetID.NotFound", "subnet ID")
            _check_free(subnet)
        return stores.ask(call)

    @operation(raises=("InvalidGroup.NotFound", "InvalidPermission.Duplicate"))
    def AuthorizeSecurityGroupIngress(self, call: Call) -> Result:  # noqa: N802
        _check_rules(call, "IpPermissions", known=False)
        return stores.ask(call)

    @operation(raises=("InvalidGroup.NotFound", "InvalidPermission.Duplicate"))
    def AuthorizeSecurityGroupEgress(self, call: Call) -> Result:  # noqa: N802
        _check_rules(call, "IpPermissionsEgress", known=False)
        return stores.ask(call)

    @operation(raises=("InvalidGroup.NotFound", "InvalidPermission.NotFound"))
    def RevokeSecurityGroupIngress(self, call: Call) -> Result:  # noqa: N802
        _check_rules(call, "IpPermissions", known=True)
        return stores.ask(call)

    @operation(raises=("InvalidGroup.NotFound", "InvalidPermission.NotFound"))
    def RevokeSecurityGroupEgress(self, call: Call) -> Result:  # noqa: N802
        _check_rules(call, "IpPermissionsEgress", known=True)
        return stores.ask(call)


def _network(cidr: str) -> ipaddress.IPv4Network:
    try:
        return ipaddress.IPv4Network(cidr)
    except ValueError:
        message = (
            f"Value ({cidr}) for parameter cidrBlock is invalid. This is not a valid CIDR block."
        )
        raise Fault("InvalidParameterValue", message) from None


def _check_cidr(cidr: str, vpc: Record) -> None:
    wanted = _network(cidr)
    inside = wanted.subnet_of(ipaddress.IPv4Network(vpc["CidrBlock"]))
    if not inside or not _LARGEST <= wanted.prefixlen <= _SMALLEST:
        raise Fault("InvalidSubnet.Range", f"The CIDR '{cidr}' is invalid.")
    for other in _store("_subnets").values():
        if other["VpcId"] == vpc["VpcId"] and wanted.overlaps(
            ipaddress.IPv4Network(other["CidrBlock"])
        ):
            message = f"The CIDR '{cidr}' conflicts with another subnet"
            raise Fault("InvalidSubnet.Conflict", message)


def _check_free(subnet: str) -> None:
    for table in _store("_route_tables").values():
        for one in table.get("Associations", []):
            if one.get("SubnetId") == subnet:
                raise Fault(
                    "Resource.AlreadyAssociated",
                    f"the specified association for route table {table['RouteTableId']} conflicts "
                    "with an existing association",
                )


def _check_rules(call: Call, member: str, *, known: bool) -> None:
    """Whether all rules of a request are there, or none. Raises: Fault."""
    group = _store("_security_groups").get(call.params.get("GroupId"))
    if group is None:  # by name, or a wrong one: ministack finds it, or says that it is not there
        return
    there = {one for rule in group.get(member, []) for one in _sources(rule)}
    asked = [one for rule in call.params.get("IpPermissions", []) for one in _sources(rule)]
    for protocol, first, last, source in asked:
        is_there = (protocol, first, last, source) in there
        ports = f"{protocol}, from port: {first}, to port: {last}, {source}"
        if is_there and not known:
            message = f'the specified rule "peer: {ports}, ALLOW" already exists'
            raise Fault("InvalidPermission.Duplicate", message)
        if known and not is_there:
            message = "The specified rule does not exist in this security group."
            raise Fault("InvalidPermission.NotFound", message)


def _sources(rule: Record) -> list[tuple[str, int | None, int | None, str]]:
    """A rule, once for each of its sources: as AWS counts rules."""
    head = (str(rule["IpProtocol"]), rule.get("FromPort"), rule.get("ToPort"))
    names = [one["CidrIp"] for one in rule.get("IpRanges", [])]
    names += [one["CidrIpv6"] for one in rule.get("Ipv6Ranges", [])]
    names += [one["PrefixListId"] for one in rule.get("PrefixListIds", [])]
    names += [one["GroupId"] for one in rule.get("UserIdGroupPairs", []) if "GroupId" in one]
    return [(*head, str(name)) for name in names]


def _table(id_: str) -> Record:
    return _one("_route_tables", id_, "InvalidRouteTableID.NotFound", "routeTable ID")


def _one(store: str, id_: str, code: str, what: str) -> Record:
    record: Record | None = _store(store).get(id_)
    if record is None:
        raise Fault(code, f"The {what} '{id_}' does not exist")
    return record


def _store(name: str) -> Any:
    return getattr(ministack.service("ec2"), name)
