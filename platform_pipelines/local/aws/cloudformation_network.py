"""The resource types of the network that ministack refuses: EC2's EIP and NatGateway."""

from typing import Any

from platform_pipelines.local.aws.cloudformation_retag import retag
from platform_pipelines.local.aws.cloudformation_types import (
    Condition,
    Existing,
    Look,
    Made,
    Properties,
    ResourceType,
    changed,
    judge,
    parameters,
)
from platform_pipelines.local.aws.service import Fault


def _tagged(kind: str, tags: list[dict[str, str]] | None) -> dict[str, Any]:
    """EC2 tags a thing while it is created."""
    return {"TagSpecifications": [{"ResourceType": kind, "Tags": tags}]} if tags else {}


class _Ec2(ResourceType):
    """Only tags change in place."""

    def _retag(self, id_: str, old: Properties, new: Properties) -> None:
        if unknown := changed(old, new) - {"Tags"}:
            raise Fault("ValidationException", f"{self.name}: {sorted(unknown)} cannot be changed")
        before, after = old.get("Tags"), new.get("Tags")
        words = ("CreateTags", "DeleteTags")
        retag(self.call, "ec2", {"Resources": [id_]}, before, after, words=words)

    def _tags(self, id_: str) -> list[dict[str, str]]:
        asked = {"Filters": [{"Name": "resource-id", "Values": [id_]}]}
        found = self.call("ec2", "DescribeTags", asked)["Tags"]
        return [{"Key": one["Key"], "Value": one["Value"]} for one in found]


class ElasticIp(_Ec2):
    """AWS::EC2::EIP: Ref is the address."""

    name = "AWS::EC2::EIP"
    create_only = ("NetworkBorderGroup", "TransferAddress", "IpamPoolId", "Address")
    reads = frozenset({"Domain", "Tags"})

    def create(self, props: Properties) -> Made:
        tags = _tagged("elastic-ip", props.get("Tags"))
        rest = {name: value for name, value in props.items() if name != "Tags"}
        params = parameters("ec2", "AllocateAddress", rest) | tags
        address = self.call("ec2", "AllocateAddress", params)
        return self._made(address["PublicIp"], address["AllocationId"])

    def update(self, one: Existing, new: Properties) -> Made:
        allocation = self._allocation(one.id)
        self._retag(allocation, one.properties, new)
        return self._made(one.id, allocation)

    def delete(self, one: Existing) -> None:
        self.call("ec2", "ReleaseAddress", {"AllocationId": self._allocation(one.id)})

    def look(self, one: Existing) -> Look:
        found = self._found(one.id)
        made = self._made(one.id, found["AllocationId"])
        actual = {"Domain": found["Domain"], "Tags": self._tags(found["AllocationId"])}
        return Look(condition=Condition.READY, made=made, actual=actual)

    def _allocation(self, address: str) -> str:
        return str(self._found(address)["AllocationId"])

    def _found(self, address: str) -> dict[str, Any]:
        asked = {"Filters": [{"Name": "public-ip", "Values": [address]}]}
        found = self.call("ec2", "DescribeAddresses", asked)["Addresses"]
        if not found:
            raise Fault("InvalidAddress.NotFound", f"Address '{address}' not found.")
        return dict(found[0])

    @staticmethod
    def _made(address: str, allocation: str) -> Made:
        return Made(id=address, attributes={"PublicIp": address, "AllocationId": allocation})


class NatGateway(_Ec2):
    """AWS::EC2::NatGateway."""

    name = "AWS::EC2::NatGateway"
    create_only = ("VpcId", "SubnetId", "ConnectivityType", "AllocationId", "PrivateIpAddress")
    reads = frozenset({"SubnetId", "AllocationId", "Tags"})

    def create(self, props: Properties) -> Made:
        tags = _tagged("natgateway", props.get("Tags"))
        rest = {name: value for name, value in props.items() if name != "Tags"}
        params = parameters("ec2", "CreateNatGateway", rest) | tags
        gateway = self.call("ec2", "CreateNatGateway", params)["NatGateway"]
        return self._made(gateway["NatGatewayId"])

    def update(self, one: Existing, new: Properties) -> Made:
        self._retag(one.id, one.properties, new)
        return self._made(one.id)

    def delete(self, one: Existing) -> None:
        self.call("ec2", "DeleteNatGateway", {"NatGatewayId": one.id})

    def look(self, one: Existing) -> Look:
        asked = {"NatGatewayIds": [one.id]}
        found = self.call("ec2", "DescribeNatGateways", asked)["NatGateways"][0]
        condition = judge(
            found["State"], ready=("available",), failed=("failed",), gone=("deleted",)
        )
        actual = {"SubnetId": found["SubnetId"], "Tags": found.get("Tags", [])}
        addresses = found.get("NatGatewayAddresses", [])
        if addresses and "AllocationId" in addresses[0]:
            actual["AllocationId"] = addresses[0]["AllocationId"]
        reason = found.get("FailureMessage", "")
        return Look(condition=condition, reason=reason, made=self._made(one.id), actual=actual)

    @staticmethod
    def _made(id_: str) -> Made:
        return Made(id=id_, attributes={"NatGatewayId": id_})
