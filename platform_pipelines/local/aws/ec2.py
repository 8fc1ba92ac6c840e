"""EC2: the network of the platform's VPCs. Instances are EKS's affair, so they can only be looked at.

What ministack answers as AWS would is passed; what it answers whatever is asked for, or does whatever
is in the way, is ours.
"""

import functools
from typing import Any
from urllib.parse import parse_qs

from platform_pipelines.local import ministack
from platform_pipelines.local.aws.ec2_addresses import Addresses
from platform_pipelines.local.aws.ec2_checks import Checks
from platform_pipelines.local.aws.ec2_describes import Describes
from platform_pipelines.local.aws.ec2_endpoints import Endpoints
from platform_pipelines.local.aws.ec2_flow_logs import FlowLogs
from platform_pipelines.local.aws.ec2_guards import Guards
from platform_pipelines.local.aws.ec2_instances import Instances
from platform_pipelines.local.aws.ec2_nat_gateways import NatGateways
from platform_pipelines.local.aws.ec2_tags import Tags
from platform_pipelines.local.aws.ec2_zones import AvailabilityZones
from platform_pipelines.local.aws.service import Call, Fault, Result

_DRY = Fault("DryRunOperation", "Request would have succeeded, but DryRun flag is set.", status=412)


class Ec2(
    Addresses,
    AvailabilityZones,
    Checks,
    Describes,
    Endpoints,
    FlowLogs,
    Guards,
    Instances,
    NatGateways,
    Tags,
):
    """VPCs, subnets, gateways, endpoints, routes, security groups, flow logs, addresses and launch
    templates."""

    name = "ec2"
    passes = frozenset(
        {
            *("DeleteVpc", "DescribeVpcAttribute"),
            *("ModifyVpcAttribute", "ModifySubnetAttribute"),
            *("CreateInternetGateway", "AttachInternetGateway", "DescribeInternetGateways"),
            *("CreateRouteTable", "ReplaceRouteTableAssociation"),
            "DisassociateRouteTable",
            *("ReplaceRoute", "DeleteRoute"),
            *("CreateSecurityGroup", "DescribeSecurityGroupRules"),
            *("AllocateAddress", "DeleteTags", "DescribeTags"),
            *("CreateLaunchTemplate", "CreateLaunchTemplateVersion", "ModifyLaunchTemplate"),
            *("DescribeLaunchTemplateVersions", "DeleteLaunchTemplate"),
            "DescribeRegions",
        }
    )

    def start(self) -> None:
        super().start()
        module = ministack.service("ec2")
        original = getattr(module.handle_request, "__wrapped__", module.handle_request)

        @functools.wraps(original)
        async def guarded(
            method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]
        ) -> Any:
            if _is_dry(body):
                return _refused(_DRY)
            return await original(method, path, headers, body, query)

        module.__dict__["handle_request"] = guarded

    def answer(self, call: Call) -> Result:
        """Answer a call to one of `operations()`. Raises: Fault."""
        if call.params.get("DryRun"):
            raise _DRY
        return super().answer(call)


def _is_dry(body: bytes) -> bool:
    """Whether a request for ministack, which would do it all the same, only asks for permission."""
    asked = parse_qs(body.decode("latin-1")) if b"DryRun" in body else {}
    return asked.get("DryRun") == ["true"]


def _refused(fault: Fault) -> tuple[int, dict[str, str], bytes]:
    errors = f"<Error><Code>{fault.code}</Code><Message>{fault.message}</Message></Error>"
    body = f"<Response><Errors>{errors}</Errors><RequestID>dry-run</RequestID></Response>"
    return fault.status, {"Content-Type": "application/xml"}, body.encode()
