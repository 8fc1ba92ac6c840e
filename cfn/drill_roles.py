"""The roles by which the Fault Injection Service does what an experiment says; part of `drills`.

The statements are those of AWS's scenarios, narrowed to this Region and account, and to what FIS made
itself (its tag `managedByFIS`). No role can do the other drill's harm.
https://docs.aws.amazon.com/fis/latest/userguide/fis-actions-reference.html
"""

from collections.abc import Sequence
from typing import Any

from troposphere.iam import Role

from cfn.service_role import Statement, allow, service_role
from platform_pipelines.model import Platform, Region

ZONE, PARTITION = "ZoneRole", "PartitionRole"
LOGGING = (  # vended logs: FIS gives its log deliveries leave to write
    "logs:CreateLogDelivery",
    "logs:DescribeLogGroups",
    "logs:DescribeResourcePolicies",
    "logs:PutResourcePolicy",
)
MADE = {"StringEquals": {"ec2:ResourceTag/managedByFIS": "true"}}


def zone_role(platform: Platform, region: Region) -> Role:
    """A zone without power: nodes, their launches, network ACLs, the writer."""
    return _role(
        platform,
        region,
        ZONE,
        [*_nodes(platform, region), *_network_acls(platform, region), *_writer(platform, region)],
    )


def partition_role(platform: Platform, region: Region) -> Role:
    """Cut off from the other Region: route tables, and the ledger's replica."""
    return _role(
        platform,
        region,
        PARTITION,
        [*_route_tables(platform, region), *_ledger(platform, region)],
    )


def _role(platform: Platform, region: Region, title: str, statements: Sequence[Statement]) -> Role:
    shared = [allow(LOGGING, "*"), allow(["tag:GetResources"], "*")]
    experiments = f"arn:aws:fis:{region.name}:{platform.account}:experiment/*"
    return service_role(platform, title, "fis", [*statements, *shared], [experiments])


def _ec2(platform: Platform, region: Region, *kinds: str) -> list[str]:
    return [f"arn:aws:ec2:{region.name}:{platform.account}:{kind}/*" for kind in kinds]


def _asked(**creating: str) -> dict[str, Any]:
    """What is created carries FIS's tag from the beginning."""
    return {"StringEquals": {"aws:RequestTag/managedByFIS": "true"} | creating}


def _nodes(platform: Platform, region: Region) -> list[Statement]:
    cluster = {"StringEquals": {"ec2:ResourceTag/eks:cluster-name": platform.cluster_name(region)}}
    action = "aws:ec2:asg-insufficient-instance-capacity-error"
    return [
        allow(
            ["ec2:StartInstances", "ec2:StopInstances"],
            _ec2(platform, region, "instance"),
            cluster,
        ),
        allow(["autoscaling:DescribeAutoScalingGroups", "ec2:DescribeInstances"], "*"),
        allow(
            ["ec2:InjectApiError"],
            "*",
            {"ForAllValues:StringEquals": {"ec2:FisActionId": [action]}},
        ),
        # The nodes' disks are encrypted, so a node that starts again needs its key.
        allow(
            ["kms:CreateGrant"],
            f"arn:aws:kms:{region.name}:{platform.account}:key/*",
            {
                "StringEquals": {"kms:ViaService": f"ec2.{region.name}.amazonaws.com"},
                "Bool": {"kms:GrantIsForAWSResource": "true"},
            },
        ),
    ]


def _network_acls(platform: Platform, region: Region) -> list[Statement]:
    """FIS clones a subnet's ACL, denies everything in the clone, and puts the old one back."""
    acls, vpcs = _ec2(platform, region, "network-acl"), _ec2(platform, region, "vpc")
    return [
        allow(["ec2:CreateTags"], acls, _asked(**{"ec2:CreateAction": "CreateNetworkAcl"})),
        allow(["ec2:CreateNetworkAcl"], acls, _asked()),
        allow(["ec2:CreateNetworkAcl"], vpcs),
        allow(["ec2:CreateNetworkAclEntry", "ec2:DeleteNetworkAcl"], acls, MADE),
        allow(
            ["ec2:ReplaceNetworkAclAssociation"],
            _ec2(platform, region, "subnet", "network-acl"),
        ),
        allow(
            [
                "ec2:DescribeManagedPrefixLists",
                "ec2:DescribeNetworkAcls",
                "ec2:DescribeSubnets",
                "ec2:DescribeVpcs",
            ],
            "*",
        ),
    ]


def _writer(platform: Platform, region: Region) -> list[Statement]:
    """An Aurora writer in the zone moves to another one. Never to another Region."""
    ours = f"arn:aws:rds:{region.name}:{platform.account}:cluster:{platform.platform}-*"
    return [
        allow(["rds:FailoverDBCluster"], ours),
        allow(["rds:DescribeDBClusters", "rds:DescribeDBInstances"], "*"),
    ]


def _route_tables(platform: Platform, region: Region) -> list[Statement]:
    """FIS makes route tables and prefix lists without the other Region, and takes them away."""
    tables, lists = _ec2(platform, region, "route-table"), _ec2(platform, region, "prefix-list")
    cards = _ec2(platform, region, "network-interface")
    made = [
        allow(["ec2:CreateTags"], arns, _asked(**{"ec2:CreateAction": action}))
        for arns, action in (
            (tables, "CreateRouteTable"),
            (lists, "CreateManagedPrefixList"),
            (cards, "CreateNetworkInterface"),
        )
    ]
    return [
        *made,
        allow(["ec2:CreateRouteTable"], tables, _asked()),
        allow(["ec2:CreateRouteTable"], _ec2(platform, region, "vpc")),
        allow(["ec2:CreateRoute", "ec2:DeleteRouteTable"], tables, MADE),
        allow(["ec2:CreateManagedPrefixList"], lists, _asked()),
        allow(["ec2:DeleteManagedPrefixList", "ec2:ModifyManagedPrefixList"], lists, MADE),
        allow(["ec2:GetManagedPrefixListEntries"], lists),
        allow(["ec2:CreateNetworkInterface"], cards, _asked()),
        allow(["ec2:CreateNetworkInterface"], _ec2(platform, region, "subnet", "security-group")),
        allow(["ec2:DeleteNetworkInterface"], cards, MADE),
        allow(
            ["ec2:AssociateRouteTable", "ec2:ReplaceRouteTableAssociation"],
            _ec2(platform, region, "subnet", "route-table"),
        ),
        allow(["ec2:DisassociateRouteTable", "ec2:ModifyVpcEndpoint"], tables, MADE),
        allow(["ec2:DisassociateRouteTable"], _ec2(platform, region, "subnet")),
        allow(["ec2:ModifyVpcEndpoint"], _ec2(platform, region, "vpc-endpoint")),
        allow(
            [
                "ec2:DescribeManagedPrefixLists",
                "ec2:DescribeNetworkInterfaces",
                "ec2:DescribeRouteTables",
                "ec2:DescribeSubnets",
                "ec2:DescribeVpcEndpoints",
                "ec2:DescribeVpcPeeringConnections",
                "ec2:DescribeVpcs",
            ],
            "*",
        ),
    ]


def _ledger(platform: Platform, region: Region) -> list[Statement]:
    """Of a strongly consistent table FIS fails the replication; of others it denies it by policy."""
    table = f"arn:aws:dynamodb:{region.name}:{platform.account}:table/{platform.ledger_table}"
    policies = ("DeleteResourcePolicy", "DescribeTable", "GetResourcePolicy", "PutResourcePolicy")
    return [
        allow([f"dynamodb:{name}" for name in policies], table),
        allow(["dynamodb:InjectError"], "*"),  # takes no resource
    ]
