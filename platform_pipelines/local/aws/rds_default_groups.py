"""Parameter groups and their parameters: ministack's, and the default ones that AWS makes itself.

There is a default group for each family of an engine, as default.aurora-mysql8.0; it is read and never
changed. Of a family's parameters, ministack knows a few.
https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/USER_WorkingWithParamGroups.html
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from platform_pipelines.local import ministack
from platform_pipelines.local.aws import rds_views, stores
from platform_pipelines.local.aws.rds_postgres_versions import families
from platform_pipelines.local.aws.rds_store import CLUSTERS, INSTANCES, Record
from platform_pipelines.local.aws.rds_versions import PORTS
from platform_pipelines.local.aws.service import Call, Fault, Result, Service, operation

PREFIX = "default."
_MISSING, _STATE = "DBParameterGroupNotFound", "InvalidDBParameterGroupState"
_INVALID = "InvalidParameterValue"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """Groups of clusters, or of instances."""

    name: str  # the member that names one
    listed: str  # the member that lists them
    arn: str  # the member, and what stands in it
    resource: str
    description: str
    used: Callable[[Call], set[str]]


def _of_clusters(call: Call) -> set[str]:
    return {one["DBClusterParameterGroup"] for one in CLUSTERS.of(call.account, call.region)}


def _of_instances(call: Call) -> set[str]:
    found: list[Record] = INSTANCES.of(call.account, call.region)
    return {group["DBParameterGroupName"] for one in found for group in one["DBParameterGroups"]}


CLUSTER_GROUPS = Kind(
    name="DBClusterParameterGroupName",
    listed="DBClusterParameterGroups",
    arn="DBClusterParameterGroupArn",
    resource="cluster-pg",
    description="Default cluster parameter group for",
    used=_of_clusters,
)
INSTANCE_GROUPS = Kind(
    name="DBParameterGroupName",
    listed="DBParameterGroups",
    arn="DBParameterGroupArn",
    resource="pg",
    description="Default parameter group for",
    used=_of_instances,
)


class ParameterGroups(Service):
    """The operations on groups that may be default ones."""

    @operation(raises=(_MISSING, _INVALID))
    def DescribeDBClusterParameterGroups(self, call: Call) -> Result:  # noqa: N802
        return _groups(call, CLUSTER_GROUPS)

    @operation(raises=(_MISSING, _INVALID))
    def DescribeDBParameterGroups(self, call: Call) -> Result:  # noqa: N802
        return _groups(call, INSTANCE_GROUPS)

    @operation(raises=(_MISSING, _INVALID))
    def DescribeDBClusterParameters(self, call: Call) -> Result:  # noqa: N802
        return _parameters(call, CLUSTER_GROUPS)

    @operation(raises=(_MISSING, _INVALID))
    def DescribeDBParameters(self, call: Call) -> Result:  # noqa: N802
        return _parameters(call, INSTANCE_GROUPS)

    @operation(raises=(_MISSING, _STATE, _INVALID))
    def ModifyDBClusterParameterGroup(self, call: Call) -> Result:  # noqa: N802
        return _changed(call, CLUSTER_GROUPS)

    @operation(raises=(_MISSING, _STATE, _INVALID))
    def ModifyDBParameterGroup(self, call: Call) -> Result:  # noqa: N802
        return _changed(call, INSTANCE_GROUPS)

    @operation(raises=(_MISSING, _STATE, _INVALID))
    def ResetDBClusterParameterGroup(self, call: Call) -> Result:  # noqa: N802
        return _changed(call, CLUSTER_GROUPS)

    @operation(raises=(_MISSING, _STATE, _INVALID))
    def ResetDBParameterGroup(self, call: Call) -> Result:  # noqa: N802
        return _changed(call, INSTANCE_GROUPS)

    @operation(raises=(_MISSING, _STATE))
    def DeleteDBParameterGroup(self, call: Call) -> Result:  # noqa: N802
        name = call.params[INSTANCE_GROUPS.name]
        refuse_deletion(name)
        if name in _of_instances(call):
            text = "One or more database instances are still members of this parameter group"
            raise Fault(_STATE, f"{text} {name}, so the group cannot be deleted")
        return stores.ask(call)


def refuse_deletion(name: str) -> None:
    """Raises: Fault, for a default group."""
    if is_default(name):
        raise Fault(_STATE, f"Default DBParameterGroup cannot be deleted: {name}")


def is_default(name: str) -> bool:
    """Whether there is a default group of this name."""
    return name.startswith(PREFIX) and name.removeprefix(PREFIX) in _families()


def _families() -> set[str]:
    module = ministack.service("rds")
    names = [f"{engine.replace('-', '_').upper()}_ENGINE_VERSIONS" for engine in PORTS]
    return {family for name in names for _, family in module.__dict__[name]} | families()


def _groups(call: Call, kind: Kind) -> Result:
    """The group that is asked for; or every own one, and the default ones that are in use."""
    name = call.params.get(kind.name)
    defaults = {name} if name else kind.used(call)
    found = [_default(call, kind, one) for one in sorted(defaults) if is_default(one)]
    if not name or not found:
        found += stores.ask(call, {kind.name: name} if name else {})[kind.listed]
    return rds_views.paged(kind.listed, rds_views.select(found, call.params, {}), call.params)


def _default(call: Call, kind: Kind, name: str) -> Result:
    family = name.removeprefix(PREFIX)
    return {
        kind.name: name,
        "DBParameterGroupFamily": family,
        "Description": f"{kind.description} {family}",
        kind.arn: f"arn:aws:rds:{call.region}:{call.account}:{kind.resource}:{name}",
    }


def _parameters(call: Call, kind: Kind) -> Result:
    name, source = call.params[kind.name], call.params.get("Source")
    if is_default(name):
        found = [_parameter(one) for one in _known(name.removeprefix(PREFIX))]
        found = found if source in (None, "engine-default") else []
    else:
        asked = {key: call.params[key] for key in (kind.name, "Source") if key in call.params}
        found = stores.ask(call, asked)["Parameters"]
    return rds_views.paged("Parameters", rds_views.select(found, call.params, {}), call.params)


def _known(family: str) -> list[dict[str, Any]]:
    known: list[dict[str, Any]] = ministack.service("rds")._default_parameters_for_family(family)
    return known


def _parameter(one: dict[str, Any]) -> Result:
    return {
        "ParameterName": one["name"],
        "ParameterValue": one["default"],
        "Description": one["description"],
        "Source": "engine-default",
        "ApplyType": one["apply_type"],
        "DataType": one["data_type"],
        "IsModifiable": one["modifiable"],
        "ApplyMethod": "pending-reboot",
    }


def _changed(call: Call, kind: Kind) -> Result:
    if is_default(call.params[kind.name]):
        raise Fault(_INVALID, "Cannot modify a default parameter group.")
    return stores.ask(call)
