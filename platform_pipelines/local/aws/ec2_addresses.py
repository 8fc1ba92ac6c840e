"""EC2's Elastic IP addresses: who uses one is seen in its description, and keeps it from release.

ministack describes all addresses whatever is asked for, and knows no network interfaces.
"""

from typing import Any

from platform_pipelines.local import ministack
from platform_pipelines.local.aws import ec2_filters
from platform_pipelines.local.aws.service import Call, Fault, Result, Service, operation

Record = dict[str, Any]


class Addresses(Service):
    """Allocating and tagging are ministack's."""

    name = "ec2"

    @operation(
        raises=("InvalidAddress.NotFound", "InvalidAllocationID.NotFound", "InvalidParameterValue")
    )
    def DescribeAddresses(self, call: Call) -> Result:  # noqa: N802
        params = call.params
        wanted = [find(id_) for id_ in params.get("AllocationIds", [])]
        wanted += [_at(ip) for ip in params.get("PublicIps", [])]
        chosen = wanted or list(_addresses().values())
        described = [_described(one, call) for one in chosen]
        filters = params.get("Filters", [])
        return {"Addresses": [one for one in described if _passes(one, filters)]}

    @operation(
        raises=(
            *("AuthFailure", "InvalidAddress.NotFound"),
            *("InvalidAllocationID.NotFound", "MissingParameter"),
        )
    )
    def ReleaseAddress(self, call: Call) -> Result:  # noqa: N802
        allocation, address = call.params.get("AllocationId"), call.params.get("PublicIp")
        if allocation is None and address is None:
            message = "Either 'PublicIp' or 'AllocationId' must be specified."
            raise Fault("MissingParameter", message)
        record = _at(str(address)) if allocation is None else find(allocation)
        if record.get("AssociationId"):  # what a NAT gateway uses is not the caller's to release
            message = "You do not have permission to access the specified resource."
            raise Fault("AuthFailure", message)
        _store("_tags").pop(record["AllocationId"], None)
        del _addresses()[record["AllocationId"]]
        return {}


def find(allocation: str) -> Record:
    """The address of an allocation id. Raises: Fault."""
    record: Record | None = _addresses().get(allocation)
    if record is None:
        message = f"The allocation ID '{allocation}' does not exist"
        raise Fault("InvalidAllocationID.NotFound", message)
    return record


def associate(record: Record, association: str, interface: str, private_ip: str) -> None:
    """Give an address to a network interface."""
    record |= {
        "AssociationId": association,
        "NetworkInterfaceId": interface,
        "PrivateIpAddress": private_ip,
    }


def disassociate(record: Record) -> None:
    """Take it from its network interface."""
    record |= {"AssociationId": None, "NetworkInterfaceId": None, "PrivateIpAddress": None}


def _at(ip: str) -> Record:
    for record in _addresses().values():
        if record["PublicIp"] == ip:
            found: Record = record
            return found
    raise Fault("InvalidAddress.NotFound", f"Address '{ip}' not found.")


def _described(record: Record, call: Call) -> Result:
    owner = call.account if record.get("NetworkInterfaceId") else None
    known = {
        "AllocationId": record["AllocationId"],
        "PublicIp": record["PublicIp"],
        "Domain": record["Domain"],
        "AssociationId": record.get("AssociationId"),
        "InstanceId": record.get("InstanceId"),
        "NetworkInterfaceId": record.get("NetworkInterfaceId"),
        "NetworkInterfaceOwnerId": owner,
        "PrivateIpAddress": record.get("PrivateIpAddress"),
        "PublicIpv4Pool": "amazon",
        "NetworkBorderGroup": call.region,
        "Tags": tags(record["AllocationId"]),
    }
    return {name: value for name, value in known.items() if value is not None}


def _passes(described: Result, filters: list[dict[str, Any]]) -> bool:
    values = {
        "allocation-id": described["AllocationId"],
        "association-id": described.get("AssociationId"),
        "domain": described["Domain"],
        "instance-id": described.get("InstanceId"),
        "network-border-group": described["NetworkBorderGroup"],
        "network-interface-id": described.get("NetworkInterfaceId"),
        "network-interface-owner-id": described.get("NetworkInterfaceOwnerId"),
        "private-ip-address": described.get("PrivateIpAddress"),
        "public-ip": described["PublicIp"],
    }
    return ec2_filters.passes(filters, values, described["Tags"])


def tags(resource: str) -> list[dict[str, str]]:
    """A resource's tags."""
    found = _store("_tags").get(resource) or []
    return [{"Key": tag["Key"], "Value": tag.get("Value", "")} for tag in found]


def _addresses() -> Any:
    return _store("_addresses")


def _store(name: str) -> Any:
    return getattr(ministack.service("ec2"), name)
