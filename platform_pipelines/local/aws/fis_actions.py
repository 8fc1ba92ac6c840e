"""The actions of Fault Injection Service, and the targets that they act on.

https://docs.aws.amazon.com/fis/latest/userguide/fis-actions-reference.html
https://docs.aws.amazon.com/fis/latest/userguide/targets.html
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

DURATION = "duration"


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One action."""

    targets: Mapping[str, str] = field(default_factory=dict)  # resource types, by what names them
    required: frozenset[str] = frozenset()  # parameters
    optional: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetType:
    """One type of resource that can be a target."""

    required: frozenset[str] = frozenset()  # parameters
    optional: frozenset[str] = frozenset()


def _on(name: str, kind: str, *required: str, optional: tuple[str, ...] = ()) -> Action:
    targets = {name: kind} if name else {}
    return Action(targets=targets, required=frozenset(required), optional=frozenset(optional))


def _target(*required: str, optional: tuple[str, ...] = ()) -> TargetType:
    return TargetType(required=frozenset(required), optional=frozenset(optional))


_INSTANCES, _SUBNETS = ("Instances", "aws:ec2:instance"), ("Subnets", "aws:ec2:subnet")
_ROLES = ("Roles", "aws:iam:role")
_API = ("service", "percentage", "operations")
_DOCUMENT = ("documentVersion", "documentParameters")
_LATENCY = (
    *("readIOPercentage", "readIOLatencyMilliseconds", "writeIOPercentage"),
    "writeIOLatencyMilliseconds",
)

ACTIONS: dict[str, Action] = {
    "aws:arc:start-zonal-autoshift": _on(
        *("ManagedResources", "aws:arc:zonal-shift-managed-resource", DURATION),
        "availabilityZoneIdentifier",
        optional=("managedResourceTypes", "zonalAutoshiftStatus"),
    ),
    "aws:cloudwatch:assert-alarm-state": _on("", "", "alarmArns", "alarmStates"),
    "aws:dynamodb:global-table-pause-replication": _on(
        "Tables", "aws:dynamodb:global-table", DURATION
    ),
    "aws:ebs:pause-volume-io": _on("Volumes", "aws:ec2:ebs-volume", DURATION),
    "aws:ebs:volume-io-latency": _on("Volumes", "aws:ec2:ebs-volume", DURATION, optional=_LATENCY),
    "aws:ec2:api-insufficient-instance-capacity-error": _on(
        *_ROLES, DURATION, "availabilityZoneIdentifiers", "percentage"
    ),
    "aws:ec2:asg-insufficient-instance-capacity-error": _on(
        *("AutoScalingGroups", "aws:ec2:autoscaling-group", DURATION),
        "availabilityZoneIdentifiers",
        optional=("percentage",),
    ),
    "aws:ec2:reboot-instances": _on(*_INSTANCES),
    "aws:ec2:send-spot-instance-interruptions": _on(
        "SpotInstances", "aws:ec2:spot-instance", "durationBeforeInterruption"
    ),
    "aws:ec2:stop-instances": _on(
        *_INSTANCES, optional=("startInstancesAfterDuration", "completeIfInstancesTerminated")
    ),
    "aws:ec2:terminate-instances": _on(*_INSTANCES),
    "aws:eks:terminate-nodegroup-instances": _on(
        "Nodegroups", "aws:eks:nodegroup", "instanceTerminationPercentage"
    ),
    "aws:elasticache:replicationgroup-interrupt-az-power": _on(
        "ReplicationGroups", "aws:elasticache:replicationgroup", DURATION
    ),
    "aws:fis:inject-api-internal-error": _on(*_ROLES, DURATION, *_API),
    "aws:fis:inject-api-throttle-error": _on(*_ROLES, DURATION, *_API),
    "aws:fis:inject-api-unavailable-error": _on(*_ROLES, DURATION, *_API),
    "aws:fis:wait": _on("", "", DURATION),
    "aws:memorydb:multi-region-cluster-pause-replication": _on(
        *("MultiRegionClusters", "aws:memorydb:multi-region-cluster", DURATION),
        optional=("region",),
    ),
    "aws:network:disrupt-connectivity": _on(
        *_SUBNETS, DURATION, "scope", optional=("prefixListIdentifier",)
    ),
    "aws:network:disrupt-vpc-endpoint": _on("VPCEndpoints", "aws:ec2:vpc-endpoint", DURATION),
    "aws:network:route-table-disrupt-cross-region-connectivity": _on(*_SUBNETS, DURATION, "region"),
    "aws:network:transit-gateway-disrupt-cross-region-connectivity": _on(
        "TransitGateways", "aws:ec2:transit-gateway", DURATION, "region"
    ),
    "aws:rds:failover-db-cluster": _on("Clusters", "aws:rds:cluster"),
    "aws:rds:reboot-db-instances": _on("DBInstances", "aws:rds:db", optional=("forceFailover",)),
    "aws:s3:bucket-pause-replication": _on(
        *("Buckets", "aws:s3:bucket", DURATION, "region"),
        optional=("destinationBuckets", "prefixes"),
    ),
    "aws:ssm:send-command": _on(*_INSTANCES, DURATION, "documentArn", optional=_DOCUMENT),
    "aws:ssm:start-automation-execution": _on(
        "", "", "documentArn", "maxDuration", optional=_DOCUMENT
    ),
}

TARGETS: dict[str, TargetType] = {
    "aws:arc:zonal-shift-managed-resource": _target(),
    "aws:dynamodb:global-table": _target(),
    "aws:ec2:autoscaling-group": _target(),
    "aws:ec2:ebs-volume": _target(optional=("availabilityZoneIdentifier",)),
    "aws:ec2:instance": _target(),
    "aws:ec2:spot-instance": _target(),
    "aws:ec2:subnet": _target(optional=("availabilityZoneIdentifier", "vpc")),
    "aws:ec2:transit-gateway": _target(),
    "aws:ec2:vpc-endpoint": _target(),
    "aws:eks:nodegroup": _target(),
    "aws:elasticache:replicationgroup": _target("availabilityZoneIdentifier"),
    "aws:iam:role": _target(),
    "aws:memorydb:multi-region-cluster": _target(),
    "aws:rds:cluster": _target(optional=("writerAvailabilityZoneIdentifiers",)),
    "aws:rds:db": _target(optional=("availabilityZoneIdentifiers",)),
    "aws:s3:bucket": _target(),
}

# Actions and targets that AWS has, and that nothing here knows the parameters of.
ELSEWHERE = (
    "aws:directconnect:",
    "aws:dsql:",
    "aws:ecs:",
    "aws:eks:",
    "aws:kinesis:",
    "aws:lambda:",
)
