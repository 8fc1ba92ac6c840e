"""EC2's tags: only of what there is; ministack tags anything.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateTags.html
"""

from platform_pipelines.local import ministack
from platform_pipelines.local.aws import ec2_nat_records, stores
from platform_pipelines.local.aws.service import (
    Call,
    Fault,
    Result,
    Service,
    not_implemented,
    operation,
)

# By the beginning of an id: ministack's store, the code and the words of the refusal.
_KINDS = {
    "vpc": ("_vpcs", "InvalidVpcID.NotFound", "The vpc ID '{}' does not exist"),
    "subnet": ("_subnets", "InvalidSubnetID.NotFound", "The subnet ID '{}' does not exist"),
    "sg": ("_security_groups", "InvalidGroup.NotFound", "The security group '{}' does not exist"),
    "rtb": (
        *("_route_tables", "InvalidRouteTableID.NotFound"),
        "The routeTable ID '{}' does not exist",
    ),
    "igw": (
        *("_internet_gateways", "InvalidInternetGatewayID.NotFound"),
        "The internetGateway ID '{}' does not exist",
    ),
    "eipalloc": (
        *("_addresses", "InvalidAllocationID.NotFound"),
        "The allocation ID '{}' does not exist",
    ),
    "vpce": (
        *("_vpc_endpoints", "InvalidVpcEndpointId.NotFound"),
        "The Vpc Endpoint Id '{}' does not exist",
    ),
    "lt": (
        *("_launch_templates", "InvalidLaunchTemplateId.NotFound"),
        "The specified launch template, with template ID {}, does not exist.",
    ),
    "fl": ("_flow_logs", "InvalidFlowLogId.NotFound", "The flow log ID '{}' does not exist"),
    "acl": ("_network_acls", "InvalidNetworkAclID.NotFound", "The network ACL '{}' does not exist"),
}
_OTHERS = ("i", "eni", "vol", "snap", "ami", "sgr", "pcx", "dopt", "key", "eigw", "vgw", "tgw")
_RAISES = (
    *(code for _, code, _ in _KINDS.values()),
    *("InvalidID", "InvalidParameterValue", "NatGatewayNotFound", "NotImplemented"),
)


class Tags(Service):
    """Writing the tags down is ministack's."""

    name = "ec2"

    @operation(raises=_RAISES)
    def CreateTags(self, call: Call) -> Result:  # noqa: N802
        for tag in call.params["Tags"]:
            reserved = tag.get("Key", "").lower().startswith("aws:")
            if reserved and not call.by_cloudformation:
                message = "Tag keys starting with 'aws:' are reserved for internal use"
                raise Fault("InvalidParameterValue", message)
        for id_ in call.params["Resources"]:
            _check(id_)
        stores.ask(call)
        return {}


def _check(id_: str) -> None:
    kind = id_.partition("-")[0]
    if kind == "nat":
        ec2_nat_records.find(id_)
        return
    if kind in _OTHERS:
        raise not_implemented(f"ec2 CreateTags of {kind}-…")
    if kind not in _KINDS or "-" not in id_:
        raise Fault("InvalidID", f"The ID '{id_}' is not valid")
    store, code, words = _KINDS[kind]
    if id_ not in getattr(ministack.service("ec2"), store):
        raise Fault(code, words.format(id_))
