"""Stack `network` (each): a VPC with a public and a private subnet in each of three zones.

Each zone has its own NAT gateway, so that losing one zone takes no other zone's way out with it.
What nodes and controllers need of AWS in the Region itself is reached without one.
"""

import ipaddress
from dataclasses import dataclass

from troposphere import GetAtt, Join, Output, Ref, Tags, Template
from troposphere.ec2 import (
    EIP,
    VPC,
    InternetGateway,
    NatGateway,
    Route,
    RouteTable,
    Subnet,
    SubnetRouteTableAssociation,
    VPCGatewayAttachment,
)

from cfn import network_endpoints, network_logs
from cfn.names import named
from platform_pipelines.model import Platform, Region

ANYWHERE = "0.0.0.0/0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """One zone's share of the VPC."""

    number: int
    name: str
    private: str  # CIDR; nodes, databases and mount targets
    public: str  # CIDR, a quarter of it; load balancers and the NAT gateway


def build(platform: Platform, region: Region) -> Template:
    """The Region's network. Outputs: Vpc, PublicSubnets, PrivateSubnets, NatAddresses."""
    template = Template(Description=f"{platform.platform}: the network in {region.name}")
    template.add_resource(_vpc(platform, region))
    way_out = _way_out(template, platform)
    zones = _zones(region)
    tables = [way_out] + [_zone(template, platform, zone, way_out) for zone in zones]
    private = [f"PrivateSubnet{zone.number}" for zone in zones]
    network_endpoints.add(template, platform, region, tables, private)
    network_logs.add(template, platform, region)
    _outputs(template, zones)
    return template


def _vpc(platform: Platform, region: Region) -> VPC:
    return VPC(
        "Vpc",
        CidrBlock=region.cidr,
        EnableDnsHostnames=True,
        EnableDnsSupport=True,
        Tags=named(platform.platform),
    )


def _outputs(template: Template, zones: list[Zone]) -> None:
    """With the NAT gateways' addresses: as such the Region's controllers reach the other one."""
    template.add_output(Output("Vpc", Value=Ref("Vpc")))
    for key, title in (
        ("PublicSubnets", "PublicSubnet"),
        ("PrivateSubnets", "PrivateSubnet"),
        ("NatAddresses", "NatAddress"),
    ):
        values = [Ref(f"{title}{zone.number}") for zone in zones]
        template.add_output(Output(key, Value=Join(",", values)))


def _zones(region: Region) -> list[Zone]:
    """Three quarters of the VPC are private, one a zone; the fourth is shared by the public ones."""
    *private, rest = ipaddress.IPv4Network(region.cidr).subnets(prefixlen_diff=2)
    public = rest.subnets(prefixlen_diff=2)
    return [
        Zone(number=number, name=name, private=str(inside), public=str(outside))
        for number, (name, inside, outside) in enumerate(
            zip(region.zones, private, public, strict=False), start=1
        )
    ]


def _way_out(template: Template, platform: Platform) -> RouteTable:
    """The internet gateway, and the route table of all public subnets."""
    gateway = template.add_resource(
        InternetGateway("InternetGateway", Tags=named(platform.platform))
    )
    attachment = template.add_resource(
        VPCGatewayAttachment(
            "InternetGatewayAttachment", VpcId=Ref("Vpc"), InternetGatewayId=Ref(gateway)
        )
    )
    table = template.add_resource(
        RouteTable("PublicRoutes", VpcId=Ref("Vpc"), Tags=named(f"{platform.platform}-public"))
    )
    template.add_resource(
        Route(
            "PublicDefaultRoute",
            RouteTableId=Ref(table),
            DestinationCidrBlock=ANYWHERE,
            GatewayId=Ref(gateway),
            DependsOn=attachment.title,
        )
    )
    return table


def _zone(template: Template, platform: Platform, zone: Zone, way_out: RouteTable) -> RouteTable:
    """Both subnets of a zone; its private one leaves through the NAT gateway of the same zone."""
    public = _subnet(template, platform, zone, "Public")
    private = _subnet(template, platform, zone, "Private")
    address = template.add_resource(
        EIP(
            f"NatAddress{zone.number}",
            Domain="vpc",
            DependsOn="InternetGatewayAttachment",
            Tags=named(f"{platform.platform}-{zone.name}"),
        )
    )
    gateway = template.add_resource(
        NatGateway(
            f"NatGateway{zone.number}",
            SubnetId=Ref(public),
            AllocationId=GetAtt(address, "AllocationId"),
            Tags=named(f"{platform.platform}-{zone.name}"),
        )
    )
    name = named(f"{platform.platform}-private-{zone.name}")
    table = template.add_resource(
        RouteTable(f"PrivateRoutes{zone.number}", VpcId=Ref("Vpc"), Tags=name)
    )
    template.add_resource(
        Route(
            f"PrivateDefaultRoute{zone.number}",
            RouteTableId=Ref(table),
            DestinationCidrBlock=ANYWHERE,
            NatGatewayId=Ref(gateway),
        )
    )
    _associate(template, public, way_out)
    _associate(template, private, table)
    return table


def _subnet(template: Template, platform: Platform, zone: Zone, kind: str) -> Subnet:
    """A subnet, tagged for the load balancer controller (internet-facing, or internal)."""
    public = kind == "Public"
    role = "kubernetes.io/role/elb" if public else "kubernetes.io/role/internal-elb"
    name = f"{platform.platform}-{kind.lower()}-{zone.name}"
    return template.add_resource(
        Subnet(
            f"{kind}Subnet{zone.number}",
            VpcId=Ref("Vpc"),
            AvailabilityZone=zone.name,
            CidrBlock=zone.public if public else zone.private,
            MapPublicIpOnLaunch=False,
            Tags=Tags({"Name": name, role: "1"}),
        )
    )


def _associate(template: Template, subnet: Subnet, table: RouteTable) -> None:
    template.add_resource(
        SubnetRouteTableAssociation(
            f"{subnet.title}Routes", SubnetId=Ref(subnet), RouteTableId=Ref(table)
        )
    )
