"""The VPC's flow logs: who spoke to whom, kept for a while, and readable after the VPC is gone."""

from troposphere import GetAtt, Ref, Template
from troposphere.ec2 import FlowLog
from troposphere.iam import Role
from troposphere.logs import LogGroup

from cfn.names import KEPT, LOG_DAYS, named
from cfn.service_role import allow, service_role
from platform_pipelines.model import Platform, Region

AGGREGATION = 60  # seconds; the shortest, for the time of an incident


def add(template: Template, platform: Platform, region: Region) -> None:
    """A log group, a role that may write into it and nothing else, and the flow log."""
    group = template.add_resource(LogGroup("FlowLogs", RetentionInDays=LOG_DAYS, **KEPT))
    role = template.add_resource(_writer(platform, region, group))
    template.add_resource(
        FlowLog(
            "FlowLog",
            ResourceType="VPC",
            ResourceId=Ref("Vpc"),
            TrafficType="ALL",
            LogDestinationType="cloud-watch-logs",
            LogGroupName=Ref(group),
            DeliverLogsPermissionArn=GetAtt(role, "Arn"),
            MaxAggregationInterval=AGGREGATION,
            Tags=named(f"{platform.platform}-flows"),
        )
    )


def _writer(platform: Platform, region: Region, group: LogGroup) -> Role:
    """https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-iam-role.html"""
    writes = ("logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams")
    return service_role(
        platform,
        "FlowLogRole",
        "vpc-flow-logs",
        [allow(writes, GetAtt(group, "Arn")), allow(["logs:DescribeLogGroups"], "*")],
        sources=[f"arn:aws:ec2:{region.name}:{platform.account}:vpc-flow-log/*"],
    )
