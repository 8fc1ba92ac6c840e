"""CloudFormation of the local Regions: ministack's, with the resource types that this platform needs.

`install` extends ministack by four of its private seams: its table of resource handlers, its tables
of what replaces a resource, and its table of API actions (property values in change sets). A test
holds each of them. Types that neither knows are refused when a change set is created, as on AWS.
"""

from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from typing import Any

from platform_pipelines.local.aws.cloudformation_access import AccessEntry, PodIdentityAssociation
from platform_pipelines.local.aws.cloudformation_changes import remembering_values, with_values
from platform_pipelines.local.aws.cloudformation_eks import Addon, Cluster, NodeGroup
from platform_pipelines.local.aws.cloudformation_network import ElasticIp, HealthCheck, NatGateway
from platform_pipelines.local.aws.cloudformation_rds import DbCluster, DbInstance, GlobalCluster
from platform_pipelines.local.aws.cloudformation_storage import (
    GlobalTable,
    ReplicationConfiguration,
)
from platform_pipelines.local.aws.cloudformation_types import (
    Calls,
    Existing,
    Made,
    Properties,
    ResourceType,
)
from platform_pipelines.local.aws.service import Call, Result

TYPES: tuple[type[ResourceType], ...] = (
    AccessEntry,
    Addon,
    Cluster,
    DbCluster,
    DbInstance,
    ElasticIp,
    GlobalCluster,
    GlobalTable,
    HealthCheck,
    NatGateway,
    NodeGroup,
    PodIdentityAssociation,
    ReplicationConfiguration,
)

# Names that CloudFormation makes up are cut to what every service takes.
LONGEST_NAME = 63


def install(answer: Callable[[Call], Result]) -> None:
    """Teach ministack our resource types; `answer` answers their calls, inside of the process."""
    call = Calls(answer)
    provisioners = _module("provisioners")
    for kind in TYPES:
        provisioners._RESOURCE_HANDLERS[kind.name] = _handlers(kind(call), provisioners)
        provisioners._REPLACING_PROPERTIES[kind.name] = kind.create_only
        provisioners._CONDITIONALLY_REPLACING_PROPERTIES[kind.name] = kind.conditional
        if kind.custom_name is not None:
            provisioners._CUSTOM_NAME_REPLACEMENT[kind.name] = {"name": kind.custom_name}
    changes = _module("changesets")
    actions = _module("handlers")._ACTION_HANDLERS
    actions["CreateChangeSet"] = remembering_values(changes._create_change_set)
    actions["DescribeChangeSet"] = with_values(changes._describe_change_set)


def _module(name: str) -> ModuleType:
    return import_module(f"ministack.services.cloudformation.{name}")


def _handlers(kind: ResourceType, provisioners: ModuleType) -> dict[str, Callable[..., Any]]:
    """A resource type as ministack calls it."""

    def create(logical_id: str, props: Properties, stack_name: str) -> tuple[str, dict[str, str]]:
        if kind.custom_name is not None:
            name = provisioners._physical_name(
                stack_name, logical_id, lowercase=True, max_len=LONGEST_NAME
            )
            props = {kind.custom_name: name} | props
        return _pair(kind.create(props))

    def update(
        id_: str, old: Properties, new: Properties, _stack_name: str
    ) -> tuple[str, dict[str, str]]:
        return _pair(kind.update(Existing(id=id_, properties=old), new))

    def delete(id_: str, props: Properties) -> None:
        kind.delete(Existing(id=id_, properties=props))

    return {"create": create, "update": update, "delete": delete}


def _pair(made: Made) -> tuple[str, dict[str, str]]:
    return made.id, dict(made.attributes)
