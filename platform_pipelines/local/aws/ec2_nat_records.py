"""The records of EC2's NAT gateways: what is asked for is checked, made, described and found.

They lie in ministack's store, so that EC2's other operations know them. `ec2_nat_gateways` has the
operations.
"""

import ipaddress
import secrets
from typing import Any

from platform_pipelines.local import ministack
from platform_pipelines.local.aws import ec2_addresses, ec2_filters
from platform_pipelines.local.aws.service import Fault, Params, Result, not_implemented

Record = dict[str, Any]
USING = frozenset({"pending", "available", "deleting"})  # states in which it has its interface
_LACKING = ("SecondaryAllocationIds", "SecondaryPrivateIpAddresses", "AvailabilityZoneAddresses")
_FIRST_HOST = 4  # AWS keeps the first four addresses of a subnet, and the last


def gateways() -> Any:
    """ministack's store of them."""
    return ministack.service("ec2")._nat_gateways


def find(id_: str) -> Record:
    """One of them. Raises: Fault."""
    record: Record | None = gateways().get(id_)
    if record is None:
        raise Fault("NatGatewayNotFound", f"The Nat Gateway {id_} was not found")
    return record


def check(params: Params) -> Record:
    """The subnet, if what is asked for makes a NAT gateway. Raises: Fault."""
    lacking = [name for name in _LACKING if params.get(name)]
    if lacking or params.get("AvailabilityMode") == "regional":
        what = lacking or "AvailabilityMode regional"
        raise not_implemented(f"CreateNatGateway with {what}")
    if "SubnetId" not in params:
        raise Fault("MissingParameter", "The request must contain the parameter SubnetId")
    subnet: Record | None = ministack.service("ec2")._subnets.get(params["SubnetId"])
    if subnet is None:
        message = f"The subnet ID '{params['SubnetId']}' does not exist"
        raise Fault("InvalidSubnetID.NotFound", message)
    private = params.get("ConnectivityType") == "private"
    if private and "AllocationId" in params:
        message = "AllocationId is not supported for private NAT gateways"
        raise Fault("InvalidParameter", message)
    if not private and "AllocationId" not in params:
        raise Fault("MissingParameter", "The request must contain the parameter AllocationId")
    return subnet


def using(subnet: str | None = None, vpc: str | None = None) -> list[Record]:
    """The NAT gateways that have an interface in a subnet, or in a VPC."""
    return [
        record
        for record in gateways().values()
        if record["State"] in USING
        and subnet in {None, record["SubnetId"]}
        and vpc in {None, record["VpcId"]}
    ]


def leave(record: Record) -> None:
    """Give the address back."""
    if association := record.get("_association"):
        address = ministack.service("ec2")._addresses.get(record["AllocationId"])
        if address and address.get("AssociationId") == association:
            ec2_addresses.disassociate(address)


def described(record: Record) -> Result:
    """As DescribeNatGateways has it."""
    code, message = record.get("_failure") or (None, None)
    told = record["State"] == "failed"
    known = {
        "NatGatewayId": record["NatGatewayId"],
        "SubnetId": record["SubnetId"],
        "VpcId": record["VpcId"],
        "State": record["State"],
        "ConnectivityType": record["ConnectivityType"],
        "AvailabilityMode": "zonal",
        "CreateTime": record["CreateTime"],
        "DeleteTime": record.get("DeleteTime"),
        "FailureCode": code if told else None,
        "FailureMessage": message if told else None,
        "NatGatewayAddresses": [_address(record)],
        "Tags": ec2_addresses.tags(record["NatGatewayId"]),
    }
    return {name: value for name, value in known.items() if value is not None}


def make(params: Params, subnet: Record, now: float) -> Record:
    """A new one, which takes its address; what is in the way of that fails it when it is due."""
    public = params.get("ConnectivityType", "public") == "public"
    if public:
        ec2_addresses.find(params["AllocationId"])
    record: Record = {
        "NatGatewayId": f"nat-{_hex()}",
        "SubnetId": subnet["SubnetId"],
        "VpcId": subnet["VpcId"],
        "AllocationId": params.get("AllocationId"),
        "ConnectivityType": "public" if public else "private",
        "State": "pending",
        "CreateTime": now,
        "_interface": f"eni-{_hex()}",
        "_private_ip": params.get("PrivateIpAddress") or _free(subnet),
        "_token": params.get("ClientToken"),
        "_asked": asked(params),
    }
    if public:
        _claim(record)
    gateways()[record["NatGatewayId"]] = record
    for specification in params.get("TagSpecifications", []):
        ministack.service("ec2")._tags[record["NatGatewayId"]] = list(specification["Tags"])
    return record


def asked(params: Params) -> Params:
    """What a client token stands for."""
    return {name: value for name, value in params.items() if name != "ClientToken"}


def passes(one: Result, filters: list[dict[str, Any]]) -> bool:
    """Whether the filters let a described one pass. Raises: Fault."""
    values = {
        "nat-gateway-id": one["NatGatewayId"],
        "state": one["State"],
        "subnet-id": one["SubnetId"],
        "vpc-id": one["VpcId"],
    }
    return ec2_filters.passes(filters, values, one["Tags"])


def _claim(record: Record) -> None:
    address = ec2_addresses.find(record["AllocationId"])
    if address.get("AssociationId"):
        message = f"Elastic IP address [{address['AllocationId']}] is already associated"
        record["_failure"] = ("Resource.AlreadyAssociated", message)
    elif not _attached(record["VpcId"]):
        message = f"Network {record['VpcId']} has no Internet gateway attached"
        record["_failure"] = ("Gateway.NotAttached", message)
    else:
        record["_association"] = f"eipassoc-{_hex()}"
        record["_public_ip"] = address["PublicIp"]
        ec2_addresses.associate(
            address, record["_association"], record["_interface"], record["_private_ip"]
        )


def _attached(vpc: str) -> bool:
    found = ministack.service("ec2")._internet_gateways.values()
    return any(at.get("VpcId") == vpc for one in found for at in one.get("Attachments", []))


def _free(subnet: Record) -> str:
    """An address of the subnet that no other NAT gateway has."""
    taken = {one.get("_private_ip") for one in using(subnet=subnet["SubnetId"])}
    network = ipaddress.ip_network(subnet["CidrBlock"])
    numbers = range(_FIRST_HOST, network.num_addresses - 1)
    return next(ip for number in numbers if (ip := str(network[number])) not in taken)


def _address(record: Record) -> Result:
    state = record["State"]
    status = {"pending": "associating", "failed": "failed", "deleting": "disassociating"}
    known = {
        "AllocationId": record["AllocationId"],
        "AssociationId": record.get("_association"),
        "NetworkInterfaceId": record["_interface"],
        "PrivateIp": record["_private_ip"],
        "PublicIp": record.get("_public_ip"),
        "IsPrimary": True,
        "Status": status.get(state, "succeeded"),
        "FailureMessage": record["_failure"][1] if state == "failed" else None,
    }
    return {name: value for name, value in known.items() if value is not None}


def _hex() -> str:
    return secrets.token_hex(9)[:17]
