"""Dagster's own policies, computed from `cfn.operations`, and those of the role `stacks`.

Every statement names what it is for, on which ARNs, and under which conditions. The stack `access`
makes roles of them; tests evaluate them against every call of a whole rehearsal.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from cfn.duties import Role
from cfn.operations import OPERATIONS, Limit, On, Operation
from cfn.reads import READS
from cfn.service_role import Statement
from cfn.traffic import OBJECT
from platform_pipelines.model import Platform, Region

Condition = Mapping[str, Mapping[str, Any]]
KEYS = ("pk", "sk")  # of the ledger
VERDICT = (*KEYS, "at", "colour", "reasons")
BEAT = (*KEYS, "at", "counter")
# What an UpdateItem may answer, so that it cannot be used to read.
QUIET = ("NONE", "UPDATED_OLD", "UPDATED_NEW")


def of_role(platform: Platform, region: Region, role: Role) -> list[Statement]:
    """What a Region's controllers may do as this role."""
    groups: dict[tuple[frozenset[On], frozenset[Limit]], list[Operation]] = {}
    for one in OPERATIONS:
        if role in one.roles:
            groups.setdefault((one.on, one.limits), []).append(one)
    made = (_statement(platform, region, *key, found) for key, found in groups.items())
    # IAM takes no statement about nothing: a platform may be without databases or pipelines.
    some = [one for one in made if one["Resource"]]
    return some + [_drift()] * (role in (Role.READINESS, Role.APPLY))


def arns(platform: Platform, on: On) -> list[str]:
    """What an operation is done on, in both Regions."""
    if on in _ONCE:
        return _ONCE[on](platform)
    found = (arn for region in platform.regions for arn in _EACH[on](platform, region))
    return list(dict.fromkeys(found))


def _statement(
    platform: Platform,
    region: Region,
    on: frozenset[On],
    limits: frozenset[Limit],
    operations: Iterable[Operation],
) -> Statement:
    made: Statement = {
        "Sid": "".join(word.title().replace("_", "") for word in sorted({*on, *limits})),
        "Effect": "Allow",
        "Action": sorted({one.action for one in operations}),
        "Resource": [arn for one in sorted(on) for arn in arns(platform, one)],
    }
    condition = _merged(_LIMITS[one](platform, region) for one in sorted(limits))
    return made | ({"Condition": condition} if condition else {})


def _drift() -> Statement:
    """CloudFormation looks at what it compares with the permissions of whoever asks. It reads
    settings only: no secret's value, no item and no object is among them."""
    actions = sorted({action for actions in READS.values() for action in actions})
    return {"Sid": "DriftReads", "Effect": "Allow", "Action": actions, "Resource": ["*"]}


def _merged(conditions: Iterable[Condition]) -> dict[str, dict[str, Any]]:
    """All of them at once. Operators of the same name are one block of a policy."""
    merged: dict[str, dict[str, Any]] = {}
    for condition in conditions:
        for operator, keys in condition.items():
            merged.setdefault(operator, {}).update(keys)
    return merged


def _arn(service: str, region: Region, platform: Platform, resource: str) -> str:
    return f"arn:aws:{service}:{region.name}:{platform.account}:{resource}"


def _clusters(platform: Platform, region: Region) -> list[str]:
    """A DB cluster's identifier, and that of each that may take its place."""
    first = platform.model_copy(update={"members": {}})
    names = [first.db_cluster_id(one, region) for one in platform.databases]
    return [
        _arn("rds", region, platform, f"cluster:{name}{again}")
        for name in names
        for again in ("", "-g*")
    ]


def _pipelines(platform: Platform, region: Region, rest: str) -> list[str]:
    names = [platform.pipeline_name(one) for one in platform.services if one.source]
    return [_arn("codepipeline", region, platform, f"{name}{rest}") for name in names]


def _far(platform: Platform) -> str:
    """The bucket of the traffic object: that of the Region that is not home."""
    return f"arn:aws:s3:::{platform.traffic_bucket(platform.other(platform.home))}"


_ONCE: Mapping[On, Callable[[Platform], list[str]]] = {
    On.ANYTHING: lambda _: ["*"],
    On.TRAFFIC_BUCKET: lambda platform: [_far(platform)],
    On.TRAFFIC_OBJECT: lambda platform: [f"{_far(platform)}/{OBJECT}"],
    On.GLOBAL_CLUSTER: lambda platform: [
        f"arn:aws:rds::{platform.account}:global-cluster:{platform.global_cluster_id(one)}"
        for one in platform.databases
    ],
}

_EACH: Mapping[On, Callable[[Platform, Region], list[str]]] = {
    On.STACK: lambda platform, region: [
        _arn("cloudformation", region, platform, f"stack/{platform.platform}-*/*")
    ],
    On.CHANGE_SET: lambda platform, region: [
        _arn("cloudformation", region, platform, "changeSet/*")
    ],
    On.STACKS_ROLE: lambda platform, region: [
        f"arn:aws:iam::{platform.account}:role/{platform.role_name('stacks', region)}"
    ],
    On.TEMPLATE: lambda platform, region: [
        f"arn:aws:s3:::{platform.control_bucket(region)}/templates/*"
    ],
    On.CONTROL_BUCKET: lambda platform, region: [f"arn:aws:s3:::{platform.control_bucket(region)}"],
    On.LEDGER: lambda platform, region: [
        _arn("dynamodb", region, platform, f"table/{platform.ledger_table}")
    ],
    On.REPOSITORY: lambda platform, region: [_arn("ecr", region, platform, "repository/*")],
    On.FILE_SYSTEM: lambda platform, region: [
        _arn("elasticfilesystem", region, platform, "file-system/*")
    ],
    On.CLUSTER: lambda platform, region: [
        _arn("eks", region, platform, f"cluster/{platform.cluster_name(region)}")
    ],
    On.NODE_GROUP: lambda platform, region: [
        _arn("eks", region, platform, f"nodegroup/{platform.cluster_name(region)}/*/*")
    ],
    On.PIPELINE: lambda platform, region: _pipelines(platform, region, ""),
    On.STAGE: lambda platform, region: _pipelines(platform, region, "/*"),
    On.DB_CLUSTER: _clusters,
    On.DB_INSTANCE: lambda platform, region: [_arn("rds", region, platform, "db:*")],
}

_LIMITS: Mapping[Limit, Callable[[Platform, Region], Condition]] = {
    Limit.OWN_REGION: lambda _, region: {"StringEquals": {"aws:RequestedRegion": region.name}},
    Limit.OURS: lambda platform, _: {
        "StringEquals": {"aws:ResourceTag/platform": platform.platform}
    },
    Limit.PARTITION: lambda platform, _: {
        "ForAllValues:StringEquals": {"dynamodb:LeadingKeys": [platform.platform]}
    },
    Limit.VERDICT: lambda _platform, _region: {
        "ForAllValues:StringEquals": {"dynamodb:Attributes": list(VERDICT)}
    },
    Limit.BEAT: lambda _platform, _region: {
        "ForAllValues:StringEquals": {"dynamodb:Attributes": list(BEAT)},
        "StringEqualsIfExists": {"dynamodb:ReturnValues": list(QUIET)},
    },
    Limit.TO_CLOUDFORMATION: lambda _platform, _region: {
        "StringEquals": {"iam:PassedToService": "cloudformation.amazonaws.com"}
    },
}
