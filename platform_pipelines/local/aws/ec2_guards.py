"""EC2's refusals to remove what something else still uses; ministack removes it all the same."""

from typing import Any

from platform_pipelines.local import ministack
from platform_pipelines.local.aws import ec2_endpoint_records, ec2_nat_records, stores
from platform_pipelines.local.aws.service import Call, Fault, Result, Service, operation

Record = dict[str, Any]


class Guards(Service):
    """Removal itself is ministack's."""

    name = "ec2"

    @operation(raises=("DependencyViolation", "InvalidSubnetID.NotFound"))
    def DeleteSubnet(self, call: Call) -> Result:  # noqa: N802
        subnet = call.params["SubnetId"]
        mounted = any(one["SubnetId"] == subnet for one in _all("efs", "_mount_targets"))
        linked = ec2_endpoint_records.using(subnet=subnet)
        if mounted or linked or ec2_nat_records.using(subnet=subnet):
            raise _in_use("subnet", subnet)
        return stores.ask(call)

    @operation(raises=("CannotDelete", "DependencyViolation", "InvalidGroup.NotFound"))
    def DeleteSecurityGroup(self, call: Call) -> Result:  # noqa: N802
        group = call.params.get("GroupId")
        if group and (_interface_in(group) or _rule_about(group)):
            message = f"resource {group} has a dependent object"
            raise Fault("DependencyViolation", message)
        return stores.ask(call)

    @operation(raises=("DependencyViolation", "InvalidRouteTableID.NotFound"))
    def DeleteRouteTable(self, call: Call) -> Result:  # noqa: N802
        table = ministack.service("ec2")._route_tables.get(call.params["RouteTableId"])
        if table is not None and table.get("Associations"):
            raise _in_use("routeTable", table["RouteTableId"])
        return stores.ask(call)

    @operation(
        raises=("DependencyViolation", "Gateway.NotAttached", "InvalidInternetGatewayID.NotFound")
    )
    def DetachInternetGateway(self, call: Call) -> Result:  # noqa: N802
        gateway, vpc = call.params["InternetGatewayId"], call.params["VpcId"]
        if vpc not in _vpcs_of(_internet_gateway(gateway)):
            message = f"resource {gateway} is not attached to network {vpc}"
            raise Fault("Gateway.NotAttached", message)
        if any(one.get("_association") for one in ec2_nat_records.using(vpc=vpc)):
            raise Fault(
                "DependencyViolation",
                f"Network {vpc} has some mapped public address(es). Please unmap those public "
                "address(es) before detaching the gateway.",
            )
        return stores.ask(call)

    @operation(raises=("DependencyViolation", "InvalidInternetGatewayID.NotFound"))
    def DeleteInternetGateway(self, call: Call) -> Result:  # noqa: N802
        gateway = call.params["InternetGatewayId"]
        if _vpcs_of(_internet_gateway(gateway)):
            raise _in_use("internetGateway", gateway)
        return stores.ask(call)


def _all(service: str, store: str) -> list[Record]:
    return list(getattr(ministack.service(service), store).values())


def _interface_in(group: str) -> bool:
    """Whether a mount target, an endpoint or a database has its interface in a security group."""
    if ec2_endpoint_records.using(group=group):
        return True
    mounted = any(group in one.get("SecurityGroups", []) for one in _all("efs", "_mount_targets"))
    databases = [*_all("rds", "_clusters"), *_all("rds", "_instances")]
    groups = [one for database in databases for one in database.get("VpcSecurityGroups", [])]
    return mounted or any(one.get("VpcSecurityGroupId") == group for one in groups)


def _rule_about(group: str) -> bool:
    """Whether a rule of another security group names this one."""
    return any(
        pair.get("GroupId") == group
        for other in _all("ec2", "_security_groups")
        if other["GroupId"] != group
        for rule in [*other.get("IpPermissions", []), *other.get("IpPermissionsEgress", [])]
        for pair in rule.get("UserIdGroupPairs", [])
    )


def _internet_gateway(id_: str) -> Record:
    record: Record | None = ministack.service("ec2")._internet_gateways.get(id_)
    if record is None:
        message = f"The internet gateway ID '{id_}' does not exist"
        raise Fault("InvalidInternetGatewayID.NotFound", message)
    return record


def _vpcs_of(gateway: Record) -> set[str]:
    return {one["VpcId"] for one in gateway.get("Attachments", [])}


def _in_use(kind: str, id_: str) -> Fault:
    message = f"The {kind} '{id_}' has dependencies and cannot be deleted."
    return Fault("DependencyViolation", message)
