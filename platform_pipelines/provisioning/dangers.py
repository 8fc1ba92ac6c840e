"""The edits of a template that would work against a failover, each with what it would do.

CloudFormation compares templates with templates, so it cannot see any of this. `find` reads the
template and its changes; `drifted` asks what the resources really are, which the template would
overwrite. Both give reasons; whoever plans or applies refuses with them (`Dangerous`). Nothing
allows a dangerous edit: each reason says what to write instead.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cfn import Unit
from platform_pipelines.aws import resource_drift
from platform_pipelines.aws.change_sets import ResourceChange
from platform_pipelines.aws.region import AwsRegion
from platform_pipelines.aws.resource_drift import Difference, Reality, ResourceDrift
from platform_pipelines.errors import Refused
from platform_pipelines.model import Platform
from platform_pipelines.provisioning import dangers_dns
from platform_pipelines.provisioning.stateful import STATEFUL

GLOBAL_CLUSTER = "AWS::RDS::GlobalCluster"
DB_CLUSTER = "AWS::RDS::DBCluster"
MEMBERSHIP = "GlobalClusterIdentifier"
NOTHING = {"Ref": "AWS::NoValue"}

# Run-time state that a template would overwrite: (type, property): what it would do, and whose it is.
RUN_TIME = {
    (GLOBAL_CLUSTER, "SourceDBClusterIdentifier"): (
        "it is create-only and reads back as the writer of the day, so after a failover "
        "CloudFormation would replace the global cluster. Leave it out: the DB clusters join by "
        f"{MEMBERSHIP}"
    ),
    ("AWS::EFS::FileSystem", "ReplicationConfiguration"): (
        "after a failover it would start replication again, over what the other Region has "
        "written since. Leave it out: converge_roles starts replication, reprotect turns it around"
    ),
    ("AWS::EFS::FileSystem", "FileSystemProtection"): (
        "after a failover it would make the file system that is in use read-only, or open the "
        "other one to be overwritten. Leave it out: converge_roles and the failover set it"
    ),
    ("AWS::EKS::Nodegroup", "ScalingConfig"): (
        "the next edit of the group would reset its node count, so a Region that has taken over "
        "would lose its nodes. Leave it out: converge_roles and the failover set counts"
    ),
    ("AWS::CodePipeline::Pipeline", "DisableInboundStageTransitions"): (
        "after a failover it would disable the active Region's pipeline, or enable the other "
        "one's. Leave it out: converge_roles sets it"
    ),
}
# What a failover, or a person in one, changes by hand, beside what holds data.
WATCHED = STATEFUL | {
    "AWS::EKS::Nodegroup",
    "AWS::Route53::HealthCheck",
    "AWS::Route53::RecordSet",
}
LABELS = ("/Tags", "/FileSystemTags", "/HealthCheckTags", "/HostedZoneTags")


@dataclass
class Dangerous(Refused):
    """A change would work against a failover."""

    where: str  # <alias>/<stack>
    reasons: tuple[str, ...]

    def __str__(self) -> str:
        return (
            f"{self.where} would work against a failover: {'; '.join(self.reasons)}. Nothing of "
            f"this stack was changed. Correct cfn/, then run again."
        )


def find(
    platform: Platform, unit: Unit, template: Mapping[str, Any], changes: Sequence[ResourceChange]
) -> tuple[str, ...]:
    """Why a template, or what it would change, works against a failover; empty if it does not."""
    resources: Mapping[str, Any] = template.get("Resources", {})
    found = [
        *_run_time_state(resources),
        *_memberships(platform, resources),
        *(reason for change in changes for reason in _moves(change)),
        *dangers_dns.find(platform, unit, template),
    ]
    return tuple(dict.fromkeys(found))


def drifted(region: AwsRegion, stack_id: str, changes: Sequence[ResourceChange]) -> tuple[str, ...]:
    """Why modifying these resources would undo what was changed outside of CloudFormation; empty
    if nothing was. One call for each modified resource that holds data or moves traffic."""
    modified = [one for one in changes if one.action == "Modify" and one.type in WATCHED]
    return tuple(
        reason
        for change in modified
        for reason in _overwritten(
            change, resource_drift.detect(region, stack_id, change.logical_id)
        )
    )


def _run_time_state(resources: Mapping[str, Any]) -> Iterator[str]:
    for name, resource in resources.items():
        for key in _properties(resource):
            if why := RUN_TIME.get((resource["Type"], key)):
                yield f"{name} has {key}: {why}"


def _memberships(platform: Platform, resources: Mapping[str, Any]) -> Iterator[str]:
    """Each DB cluster stands in its global cluster, or CloudFormation takes it out."""
    ours = [platform.global_cluster_id(one) for one in platform.databases]
    for name, resource in resources.items():
        if resource["Type"] != DB_CLUSTER:
            continue
        joins = _properties(resource).get(MEMBERSHIP)
        if joins is None:
            yield _detached(name, f"has no {MEMBERSHIP}", ours)
        elif isinstance(joins, str) and joins not in ours:
            yield _detached(name, f"would join {joins}", ours)


def _detached(name: str, what: str, ours: Sequence[str]) -> str:
    return (
        f"{name} {what}: CloudFormation would detach it from its global cluster and promote it, so "
        f"there would be two writers and nothing to fail over to. Set it to {' or '.join(ours)}"
    )


def _moves(change: ResourceChange) -> Iterator[str]:
    """What a change does that its template alone does not show."""
    replaced = change.replacement in ("True", "Conditional")
    if change.type == GLOBAL_CLUSTER and replaced:
        why = ", ".join(one.path for one in change.properties if one.recreation != "Never")
        yield (
            f"{change.logical_id} would be replaced ({why or 'CloudFormation does not say why'}): a "
            f"new global cluster has no members, so there would be nothing to fail over to. Undo "
            f"that edit: a global cluster is never made again by a template"
        )
    for one in change.properties:
        moved = one.path == MEMBERSHIP and one.before is not None and one.before != one.after
        if change.type == DB_CLUSTER and change.action == "Modify" and moved:
            yield _detached(
                change.logical_id, f"would leave {one.before}", [one.before or MEMBERSHIP]
            )


def _overwritten(change: ResourceChange, drift: ResourceDrift) -> Iterator[str]:
    name = f"{change.logical_id} ({change.physical_id or change.type})"
    match drift.reality:
        case Reality.GONE:
            yield f"{name} was deleted outside of CloudFormation: a person decides what becomes of it"
        case Reality.UNKNOWN:
            yield (
                f"{name} cannot be compared with what it really is ({drift.reason}): a failover's "
                f"change could be undone unseen. Make the comparison possible first"
            )
        case Reality.CHANGED:
            left = (one for one in drift.differences if not one.path.startswith(LABELS))
            yield from (_wins(name, one) for one in left if not _adopted(change, one))
        case Reality.AS_SAID | Reality.NOT_COMPARABLE:
            return


def _wins(name: str, one: Difference) -> str:
    return (
        f"{name} was changed outside of CloudFormation: {one.path.removeprefix('/')} is "
        f"{_shown(one.actual)}, and the template would set it back to {_shown(one.expected)}. If "
        f"that is right, undo the change by hand first; if not, write {_shown(one.actual)} in cfn/"
    )


def _shown(value: str | None) -> str:
    return "absent" if value is None else value


def _adopted(change: ResourceChange, difference: Difference) -> bool:
    """Whether the edit only writes down what is so already."""
    path = difference.path.strip("/").split("/")
    for one in change.properties:
        stem = one.path.split(".")
        if path[: len(stem)] == stem:
            written = _at(_value(one.after), path[len(stem) :])
            return bool(written == _value(difference.actual))
    return False


def _at(value: Any, path: Sequence[str]) -> Any:
    for part in path:
        if isinstance(value, list) and part.isdigit() and int(part) < len(value):
            value = value[int(part)]
        elif isinstance(value, dict):
            value = value.get(part)
        else:
            return None
    return value if isinstance(value, dict | list) else _value(value)


def _value(text: Any) -> Any:
    """A value that AWS writes as text: `true`, `"true"` and `True` are the same."""
    if not isinstance(text, str):
        return text if text is None or isinstance(text, dict | list) else str(text).lower()
    try:
        read = json.loads(text)
    except ValueError:
        return text.lower()
    return read if isinstance(read, dict | list) else str(read).lower()


def _properties(resource: Mapping[str, Any]) -> dict[str, Any]:
    """The properties that a resource really has: `AWS::NoValue` is none."""
    found = resource.get("Properties", {})
    return {key: value for key, value in found.items() if value != NOTHING}
