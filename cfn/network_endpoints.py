"""The doors of a Region's network to AWS's services that need neither the internet nor a NAT gateway.

With them nodes join the cluster, pull images, mount files, write logs and reach the ledger while a
NAT gateway is down. Private DNS: nobody has to know that they are there.
"""

from collections.abc import Sequence

from troposphere import GetAtt, Ref, Template
from troposphere.ec2 import RouteTable, SecurityGroup, SecurityGroupRule, VPCEndpoint

from cfn.names import logical, named
from platform_pipelines.model import Platform, Region

GATEWAYS = ("s3", "dynamodb")  # in the route tables; images are in S3, the ledger is in DynamoDB
INTERFACES = (
    "ec2",  # the VPC CNI gives pods their addresses
    "ecr.api",
    "ecr.dkr",
    "eks",
    "eks-auth",  # Pod Identity
    "elasticfilesystem",
    "logs",
    "monitoring",
    "rds",
    "secretsmanager",
    "sts",
)
HTTPS = 443


def add(
    template: Template,
    platform: Platform,
    region: Region,
    tables: Sequence[RouteTable],
    subnets: Sequence[str],
) -> None:
    """A gateway in every route table; an interface in every private subnet, one a zone."""
    for service in GATEWAYS:
        template.add_resource(_gateway(platform, region, service, tables))
    door = template.add_resource(_door(platform, region))
    for service in INTERFACES:
        template.add_resource(_interface(platform, region, service, subnets, door))


def _gateway(
    platform: Platform, region: Region, service: str, tables: Sequence[RouteTable]
) -> VPCEndpoint:
    return VPCEndpoint(
        _title(service),
        VpcId=Ref("Vpc"),
        VpcEndpointType="Gateway",
        ServiceName=f"com.amazonaws.{region.name}.{service}",
        RouteTableIds=[Ref(table) for table in tables],
        Tags=named(f"{platform.platform}-{service}"),
    )


def _interface(
    platform: Platform,
    region: Region,
    service: str,
    subnets: Sequence[str],
    door: SecurityGroup,
) -> VPCEndpoint:
    return VPCEndpoint(
        _title(service),
        VpcId=Ref("Vpc"),
        VpcEndpointType="Interface",
        ServiceName=f"com.amazonaws.{region.name}.{service}",
        PrivateDnsEnabled=True,
        SubnetIds=[Ref(subnet) for subnet in subnets],
        SecurityGroupIds=[GetAtt(door, "GroupId")],
        Tags=named(f"{platform.platform}-{service}"),
    )


def _title(service: str) -> str:
    return logical(*service.split("."), "endpoint")


def _door(platform: Platform, region: Region) -> SecurityGroup:
    """Whatever runs in the VPC may call AWS."""
    return SecurityGroup(
        "Endpoints",
        GroupDescription="HTTPS from the VPC to AWS",
        VpcId=Ref("Vpc"),
        SecurityGroupIngress=[
            SecurityGroupRule(IpProtocol="tcp", FromPort=HTTPS, ToPort=HTTPS, CidrIp=region.cidr)
        ],
        Tags=named(f"{platform.platform}-endpoints"),
    )
