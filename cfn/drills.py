"""Stack `drills` (each): experiments of AWS's Fault Injection Service, to be started by a drill only.

Two of AWS's own scenarios, with the actions for which the platform has something: a zone without
power (one template a zone), and a Region cut off from the other one. There is no standalone instance,
no volume beside the nodes' own, no cache and no transit gateway to disturb; S3 does not replicate.
Both end at once when more nodes fail than a zone has; AWS's scenarios come without such a condition.
https://docs.aws.amazon.com/fis/latest/userguide/az-availability-scenario.html
https://docs.aws.amazon.com/fis/latest/userguide/cross-region-scenario.html
"""

from collections.abc import Mapping
from typing import Any

from troposphere import GetAtt, Output, Parameter, Ref, Template
from troposphere.fis import (
    CloudWatchLogsConfiguration,
    ExperimentTemplate,
    ExperimentTemplateAction,
    ExperimentTemplateExperimentOptions,
    ExperimentTemplateLogConfiguration,
    ExperimentTemplateStopCondition,
    ExperimentTemplateTarget,
    ExperimentTemplateTargetFilter,
)
from troposphere.logs import LogGroup

from cfn import drill_roles, tags
from cfn.names import KEPT, LOG_DAYS
from platform_pipelines.model import Platform, Region

INTERRUPTION = "PT30M"  # the scenario's default
SILENCE = "PT2M"  # how long a zone's network takes to be gone for good: the scenario's default
PARTITION = "PT1H"  # longer than the objective of a Region, so that a failover can be seen to end
ALL = "ALL"
SCHEMA = 2  # of the log


def build(platform: Platform, region: Region) -> Template:
    """The Region's experiment templates. Outputs: ZonePower1 to 3, Partition: their ids."""
    template = Template(Description=f"{platform.platform}: the drills in {region.name}")
    template.add_parameter(Parameter("DrillStop", Type="String"))
    template.add_resource(LogGroup("Logs", RetentionInDays=LOG_DAYS, **KEPT))
    template.add_resource(drill_roles.zone_role(platform, region))
    template.add_resource(drill_roles.partition_role(platform, region))
    for number, zone in enumerate(region.zones, start=1):
        _add(template, _zone_power(platform, region, zone, f"ZonePower{number}"))
    _add(template, _partition(platform, region))
    return template


def _add(template: Template, experiment: ExperimentTemplate) -> None:
    template.add_resource(experiment)
    template.add_output(Output(str(experiment.title), Value=Ref(experiment)))


def _zone_power(platform: Platform, region: Region, zone: str, title: str) -> ExperimentTemplate:
    """Nodes stop, none can start, the zone's subnets go silent, its Aurora writer moves."""
    targets = {
        "AutoScalingGroups": _target("aws:ec2:autoscaling-group", tagged=_nodes(platform, region)),
        "Instances": _target(
            "aws:ec2:instance",
            tagged=_nodes(platform, region),
            filters={"State.Name": "running", "Placement.AvailabilityZone": zone},
        ),
        "Subnets": _target(
            "aws:ec2:subnet",
            tagged=tags.of(platform, "network", region),
            parameters={"availabilityZoneIdentifier": zone},
        ),
        "Clusters": _target(
            "aws:rds:cluster",
            tagged=tags.of(platform, "database", region),
            parameters={"writerAvailabilityZoneIdentifiers": zone},
        ),
    }
    actions = {
        "Stop-ASG-Instances": _action(
            "aws:ec2:stop-instances",
            "Instances",
            completeIfInstancesTerminated="true",
            startInstancesAfterDuration=INTERRUPTION,
        ),
        "Pause-ASG-Scaling": _action(
            "aws:ec2:asg-insufficient-instance-capacity-error",
            "AutoScalingGroups",
            availabilityZoneIdentifiers=zone,
            duration=INTERRUPTION,
            percentage="100",
        ),
        "Pause-network-connectivity": _action(
            "aws:network:disrupt-connectivity", "Subnets", duration=SILENCE, scope="all"
        ),
        "Failover-RDS": _action("aws:rds:failover-db-cluster", "Clusters"),
    }
    about = f"{platform.platform}: {zone} without power for 30 minutes"
    return _experiment(title, about, drill_roles.ZONE, actions, targets)


def _partition(platform: Platform, region: Region) -> ExperimentTemplate:
    """Nothing leaves for the other Region, and the ledger's replica here is cut off: a controller of
    this Region must be able to change nothing. AWS's own replications go on.

    It needs an Amazon VPC quota of 250 routes per route table, beside the routes that are there.
    """
    other = platform.other(region.alias)
    table = f"arn:aws:dynamodb:{region.name}:{platform.account}:table/{platform.ledger_table}"
    targets = {
        "Subnets": _target("aws:ec2:subnet", tagged=tags.of(platform, "network", region)),
        "Tables": _target("aws:dynamodb:global-table", arns=[table]),
    }
    actions = {
        "Disrupt-Subnet-Connectivity": _action(
            "aws:network:route-table-disrupt-cross-region-connectivity",
            "Subnets",
            duration=PARTITION,
            region=other.name,
        ),
        "Pause-DynamoDB-Replication": _action(
            "aws:dynamodb:global-table-pause-replication", "Tables", duration=PARTITION
        ),
    }
    about = f"{platform.platform}: {region.name} cut off from {other.name} for an hour"
    return _experiment("Partition", about, drill_roles.PARTITION, actions, targets)


def _experiment(
    title: str,
    about: str,
    role: str,
    actions: dict[str, ExperimentTemplateAction],
    targets: dict[str, ExperimentTemplateTarget],
) -> ExperimentTemplate:
    """An action without a target is skipped: a standby has no writer to fail over."""
    return ExperimentTemplate(
        title,
        Description=about,
        RoleArn=GetAtt(role, "Arn"),
        Actions=actions,
        Targets=targets,
        StopConditions=[
            ExperimentTemplateStopCondition(Source="aws:cloudwatch:alarm", Value=Ref("DrillStop"))
        ],
        LogConfiguration=ExperimentTemplateLogConfiguration(
            LogSchemaVersion=SCHEMA,
            CloudWatchLogsConfiguration=CloudWatchLogsConfiguration(
                LogGroupArn=GetAtt("Logs", "Arn")
            ),
        ),
        ExperimentOptions=ExperimentTemplateExperimentOptions(
            AccountTargeting="single-account", EmptyTargetResolutionMode="skip"
        ),
        Tags={"Name": about},
    )


def _action(action: str, target: str, **parameters: str) -> ExperimentTemplateAction:
    """An action whose target has the name by which the action calls it."""
    given: dict[str, Any] = {"Parameters": parameters} if parameters else {}
    return ExperimentTemplateAction(ActionId=action, Targets={target: target}, **given)


def _target(
    kind: str,
    *,
    tagged: Mapping[str, str] | None = None,
    arns: list[str] | None = None,
    filters: dict[str, str] | None = None,
    parameters: dict[str, str] | None = None,
) -> ExperimentTemplateTarget:
    given: dict[str, Any] = {
        "ResourceTags": tagged and dict(tagged),
        "ResourceArns": arns,
        "Filters": [
            ExperimentTemplateTargetFilter(Path=path, Values=[value])
            for path, value in (filters or {}).items()
        ],
        "Parameters": parameters,
    }
    present = {key: value for key, value in given.items() if value}
    return ExperimentTemplateTarget(ResourceType=kind, SelectionMode=ALL, **present)


def _nodes(platform: Platform, region: Region) -> dict[str, str]:
    """The tag that EKS gives to the Auto Scaling groups and instances of a cluster's node groups.
    https://docs.aws.amazon.com/eks/latest/userguide/managed-node-groups.html
    """
    return {"eks:cluster-name": platform.cluster_name(region)}
