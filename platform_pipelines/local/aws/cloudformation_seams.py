"""What the local Regions put into ministack's CloudFormation: resource types, readers, and rules.

Private seams of ministack 1.5.33: its tables of resource handlers, of what replaces a resource, and
of what drift can be read; and its two functions that judge conditions and templates. Types that are
in no table of `SUPPORTED` are refused when a template is sent, since nobody would answer for what
they make.
"""

import hashlib
from collections.abc import Callable
from functools import partial
from types import ModuleType
from typing import Any

from platform_pipelines.local.aws import cloudformation_attachments as attachments
from platform_pipelines.local.aws import cloudformation_engine as engine
from platform_pipelines.local.aws import cloudformation_tags as tags
from platform_pipelines.local.aws.cloudformation_access import AccessEntry, PodIdentityAssociation
from platform_pipelines.local.aws.cloudformation_acm import Certificate
from platform_pipelines.local.aws.cloudformation_addons import Addon
from platform_pipelines.local.aws.cloudformation_cloudwatch import (
    Alarm,
    CompositeAlarm,
    Dashboard,
)
from platform_pipelines.local.aws.cloudformation_codebuild import Project
from platform_pipelines.local.aws.cloudformation_codepipeline import Pipeline
from platform_pipelines.local.aws.cloudformation_db_instances import DbInstance
from platform_pipelines.local.aws.cloudformation_dynamodb import GlobalTable
from platform_pipelines.local.aws.cloudformation_ecr import ReplicationConfiguration, Repository
from platform_pipelines.local.aws.cloudformation_efs import AccessPoint, FileSystem, MountTarget
from platform_pipelines.local.aws.cloudformation_eks import NodeGroup
from platform_pipelines.local.aws.cloudformation_eks_clusters import Cluster
from platform_pipelines.local.aws.cloudformation_endpoints import FlowLog, VpcEndpoint
from platform_pipelines.local.aws.cloudformation_fis import ExperimentTemplate
from platform_pipelines.local.aws.cloudformation_iam import InlinePolicy, Role
from platform_pipelines.local.aws.cloudformation_iam_policies import ManagedPolicy
from platform_pipelines.local.aws.cloudformation_logs import LogGroup
from platform_pipelines.local.aws.cloudformation_network import ElasticIp, NatGateway
from platform_pipelines.local.aws.cloudformation_notices import (
    Connection,
    NotificationRule,
    SlackChannelConfiguration,
)
from platform_pipelines.local.aws.cloudformation_rds import DbCluster, GlobalCluster
from platform_pipelines.local.aws.cloudformation_readers import Reader
from platform_pipelines.local.aws.cloudformation_reality import READERS
from platform_pipelines.local.aws.cloudformation_route53 import HealthCheck, HostedZone
from platform_pipelines.local.aws.cloudformation_s3 import Bucket, BucketPolicy
from platform_pipelines.local.aws.cloudformation_secrets import Secret
from platform_pipelines.local.aws.cloudformation_sns import Topic, TopicPolicy
from platform_pipelines.local.aws.cloudformation_sns_subscriptions import Subscription
from platform_pipelines.local.aws.cloudformation_types import (
    Calls,
    Condition,
    Existing,
    Made,
    Properties,
    ResourceType,
)
from platform_pipelines.local.aws.ec2_zones import zone_names, zone_of_subnet
from platform_pipelines.local.world import World

TYPES: tuple[type[ResourceType], ...] = (
    *(AccessEntry, AccessPoint, Addon, Cluster, DbCluster, DbInstance, ElasticIp, FileSystem),
    *(GlobalCluster, GlobalTable, HealthCheck, MountTarget, NatGateway, NodeGroup),
    *(PodIdentityAssociation, ReplicationConfiguration, Repository),
    *(Alarm, CompositeAlarm, Dashboard, HostedZone, InlinePolicy, ManagedPolicy, Role),
    *(Subscription, Topic, TopicPolicy),
    *(Bucket, BucketPolicy, Certificate, FlowLog, LogGroup, Secret, VpcEndpoint),
    *(Connection, ExperimentTemplate, NotificationRule, Pipeline, Project),
    SlackChannelConfiguration,
)

# Types that ministack makes in the stores of services that the local Regions answer.
NATIVE = frozenset(
    {
        *("AWS::EC2::InternetGateway", "AWS::EC2::LaunchTemplate", "AWS::EC2::Route"),
        *("AWS::EC2::RouteTable", "AWS::EC2::SecurityGroup", "AWS::EC2::Subnet", "AWS::EC2::VPC"),
        *("AWS::EC2::SubnetRouteTableAssociation",),
        "AWS::EC2::VPCGatewayAttachment",
        *("AWS::IAM::InstanceProfile", "AWS::KMS::Alias", "AWS::KMS::Key"),
        *("AWS::RDS::DBClusterParameterGroup", "AWS::RDS::DBParameterGroup"),
        *("AWS::RDS::DBSubnetGroup", "AWS::Route53::RecordSet"),
        *("AWS::SSM::Parameter",),
    }
)
SUPPORTED = NATIVE | {kind.name for kind in TYPES}


def install(call: Calls, world: World) -> dict[str, ResourceType]:
    """Teach ministack our types and rules; the types by their names."""
    types = {kind.name: kind(call) for kind in TYPES}
    for kind in types.values():
        _add(kind)
    for name, reads in READERS.items():
        _readers()[name] = (reads.bind(call), reads.properties)
    tags.install(SUPPORTED)
    vars(engine.module("handlers"))["_capabilities_enforced"] = lambda: True
    for module in engine.each_namespace():
        _wrap(module, "_evaluate_conditions", knowing_the_region)
        _wrap(module, "validate_template_support", refusing_other_types)
        _wrap(module, "_resolve_refs", partial(knowing_the_zones, world))
    vars(engine.module("provisioners"))["_ec2_subnet_zone"] = of_a_subnet(world)
    return types


def _add(kind: ResourceType) -> None:
    provisioners = engine.module("provisioners")
    provisioners._RESOURCE_HANDLERS[kind.name] = handlers(kind)
    provisioners._REPLACING_PROPERTIES[kind.name] = kind.create_only
    provisioners._CONDITIONALLY_REPLACING_PROPERTIES[kind.name] = kind.conditional
    if kind.custom_name is not None:
        provisioners._CUSTOM_NAME_REPLACEMENT[kind.name] = {"name": kind.custom_name}
    if kind.reads:
        _readers()[kind.name] = (_reader(kind), kind.reads)


def _readers() -> dict[str, Any]:
    found: dict[str, Any] = engine.module("drift")._DRIFT_READERS
    return found


def _reader(kind: ResourceType) -> Reader:
    """How ministack's drift detection reads one of our types: None if it is gone."""

    def read(id_: str, props: Properties) -> Properties | None:
        look = kind.condition(Existing(id=id_, properties=props))
        gone = look.condition is Condition.GONE
        return None if gone else attachments.own(kind.name, props, look.actual)

    return read


def handlers(kind: ResourceType) -> dict[str, Callable[..., Any]]:
    """A resource type as ministack calls it."""

    def create(logical_id: str, props: Properties, stack_name: str) -> tuple[str, dict[str, Any]]:
        if kind.custom_name is not None and kind.custom_name not in props:
            props = {kind.custom_name: made_up(kind, stack_name, logical_id)} | props
        return _pair(kind.create(props))

    def update(
        id_: str, old: Properties, new: Properties, _stack_name: str
    ) -> tuple[str, dict[str, Any]]:
        return _pair(kind.update(Existing(id=id_, properties=old), new))

    def delete(id_: str, props: Properties) -> None:
        kind.delete(Existing(id=id_, properties=props))

    return {"create": create, "update": update, "delete": delete}


def made_up(kind: ResourceType, stack_name: str, logical_id: str) -> str:
    """A name for what a template does not name: another one in each Region, and for a replacement."""
    seed = engine.module("provisioners")._NAME_SEED.get()
    key = ":".join((_region(), stack_name, logical_id, seed))
    suffix = hashlib.sha256(key.encode()).hexdigest()[:13].upper()
    name = f"{stack_name}-{logical_id}-"[: kind.longest_name - len(suffix)] + suffix
    return name.lower() if kind.lowercase else name


def _pair(made: Made) -> tuple[str, dict[str, Any]]:
    return made.id, dict(made.attributes)


def _wrap(module: ModuleType, name: str, wrapper: Callable[..., Any]) -> None:
    """Put ours around a function of ministack's, in place of another world's."""
    found = getattr(module, name, None)
    if found is not None:
        setattr(module, name, wrapper(getattr(found, "inner", found)))


def knowing_the_region(inner: Callable[..., dict[str, bool]]) -> Callable[..., dict[str, bool]]:
    """Conditions in which pseudo parameters, as AWS::Region, have their values."""

    def evaluate(template: dict[str, Any], params: dict[str, Any]) -> dict[str, bool]:
        known = {name: {"Value": value} for name, value in engine.pseudo_parameters().items()}
        return inner(template, known | params)

    evaluate.__dict__["inner"] = inner
    return evaluate


def knowing_the_zones(world: World, inner: Callable[..., Any]) -> Callable[..., Any]:
    """Fn::GetAZs as DescribeAvailabilityZones answers; of another Region ministack has none."""

    def resolve(value: Any, *more: Any) -> Any:
        found = inner(value, *more)
        asked = isinstance(value, dict) and "Fn::GetAZs" in value
        return list(zone_names(world, _region())) if asked and found else found

    resolve.__dict__["inner"] = inner
    return resolve


def of_a_subnet(world: World) -> Callable[[Properties], str]:
    """The zone that a subnet's properties ask for, if its Region has it."""
    return lambda props: zone_of_subnet(world, _region(), props)


def _region() -> str:
    return engine.pseudo_parameters()["AWS::Region"]


def refusing_other_types(inner: Callable[..., None]) -> Callable[..., None]:
    """A template's resources must be of types that we answer for."""

    def validate(
        template: dict[str, Any], conditions: dict[str, bool], params: dict[str, Any] | None = None
    ) -> None:
        resources = template.get("Resources") or {}
        kinds = {one.get("Type", "") for one in resources.values() if isinstance(one, dict)}
        if unknown := sorted(kinds - SUPPORTED):
            names = ", ".join(unknown)
            message = f"Template format error: Unrecognized resource types: [{names}]"
            raise ValueError(f"{message} (not implemented by the local Regions)")
        inner(template, conditions, params=params)

    validate.__dict__["inner"] = inner
    return validate
