"""Every AWS operation that our code calls, who calls it, and on what: Dagster's policies are made of it.

One row per operation and kind of resource. A test holds the table to the code in both directions:
whatever a rehearsal calls is allowed, and whatever is allowed is called. Where AWS's name for the
permission differs from the operation's (`ListObjectsV2` is `s3:ListBucket`), or it asks for more than
one, the row says so. https://docs.aws.amazon.com/service-authorization/latest/reference/
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from cfn.duties import Role


class On(StrEnum):
    """What an operation is done on; `cfn.policies` knows the ARNs."""

    ANYTHING = "anything"  # AWS takes no resource for it
    STACK = "stack"
    CHANGE_SET = "change_set"
    STACKS_ROLE = "stacks_role"  # what CloudFormation works as
    TEMPLATE = "template"  # an object of the control bucket
    CONTROL_BUCKET = "control_bucket"
    TRAFFIC_BUCKET = "traffic_bucket"  # of the Region that is not home, as the object
    TRAFFIC_OBJECT = "traffic_object"
    LEDGER = "ledger"
    REPOSITORY = "repository"
    FILE_SYSTEM = "file_system"
    CLUSTER = "cluster"
    NODE_GROUP = "node_group"
    PIPELINE = "pipeline"
    STAGE = "stage"
    GLOBAL_CLUSTER = "global_cluster"
    DB_CLUSTER = "db_cluster"
    DB_INSTANCE = "db_instance"


class Limit(StrEnum):
    """What else must hold; `cfn.policies` knows the conditions."""

    OWN_REGION = "own_region"  # only through the endpoints of the controller's own Region
    OURS = "ours"  # only what carries the platform's tag
    PARTITION = "partition"  # only the platform's items of the ledger
    VERDICT = "verdict"  # and of those only the attributes of a verdict
    BEAT = "beat"  # and of those only the attributes of a heartbeat
    TO_CLOUDFORMATION = "to_cloudformation"  # the role is handed to nobody else


PREFIXES = {"efs": "elasticfilesystem"}  # where IAM's word for a service is not boto3's


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One operation, as these roles may call it."""

    service: str  # as boto3 names it
    name: str
    roles: frozenset[Role]
    on: frozenset[On]
    limits: frozenset[Limit] = frozenset()
    permission: str = ""  # when it is not the operation's own name
    why: str = ""  # when AWS asks for more than one permission: what this one is for

    @property
    def action(self) -> str:
        """As a policy says it."""
        prefix = PREFIXES.get(self.service, self.service)
        return self.permission or f"{prefix}:{self.name}"


# Whoever has any credentials may ask who they are: no policy can allow or deny it.
FREE = frozenset({("sts", "GetCallerIdentity")})

_LOOKS = (Role.READINESS, Role.APPLY, Role.FAILOVER)
_STACKS = (Role.READINESS, Role.APPLY)


def _rows(
    service: str,
    names: str,
    roles: tuple[Role, ...],
    *on: On,
    limits: tuple[Limit, ...] = (),
    **more: Any,
) -> Iterator[Operation]:
    for name in names.split():
        yield Operation(
            service=service,
            name=name,
            roles=frozenset(roles),
            on=frozenset(on),
            limits=frozenset(limits),
            **more,
        )


def _stacks() -> Iterator[Operation]:
    yield from _rows("cloudformation", "DescribeStacks ListStackResources", _STACKS, On.STACK)
    drift = "DetectStackDrift DescribeStackResourceDrifts GetStackPolicy"
    yield from _rows("cloudformation", drift, (Role.READINESS,), On.STACK)
    yield from _rows(
        "cloudformation", "DescribeStackDriftDetectionStatus", (Role.READINESS,), On.ANYTHING
    )
    yield from _rows("cloudformation", "DetectStackResourceDrift", (Role.APPLY,), On.STACK)
    yield from _rows(
        "cloudformation",
        "DetectStackDrift",
        (Role.READINESS,),
        On.STACK,
        permission="cloudformation:DetectStackResourceDrift",
        why="of a stack, it is asked for each resource",
    )
    follows = "DescribeStackEvents ListChangeSets"
    yield from _rows("cloudformation", follows, (Role.APPLY,), On.STACK)
    sets = "CreateChangeSet DescribeChangeSet ExecuteChangeSet DeleteChangeSet DescribeEvents"
    yield from _rows("cloudformation", sets, (Role.APPLY,), On.STACK, On.CHANGE_SET)
    changes = "SetStackPolicy UpdateTerminationProtection DeleteStack"
    recovers = "GetTemplate ContinueUpdateRollback RollbackStack"
    yield from _rows("cloudformation", f"{changes} {recovers}", (Role.APPLY,), On.STACK)
    yield from _change_sets()


def _change_sets() -> Iterator[Operation]:
    """What CloudFormation asks for on the way of a change set, beside its own permission."""
    yield from _rows(
        "cloudformation",
        "CreateChangeSet",
        (Role.APPLY,),
        On.STACK,
        On.CHANGE_SET,
        permission="cloudformation:TagResource",
        why="the stack carries tags",
    )
    yield from _rows(
        "cloudformation",
        "CreateChangeSet",
        (Role.APPLY,),
        On.STACKS_ROLE,
        limits=(Limit.TO_CLOUDFORMATION,),
        permission="iam:PassRole",
        why="CloudFormation works as the role `stacks`",
    )
    yield from _rows(
        "cloudformation",
        "CreateChangeSet",
        (Role.APPLY,),
        On.TEMPLATE,
        permission="s3:GetObject",
        why="CloudFormation reads a large template as whoever asks",
    )
    yield from _rows(
        "s3", "ListObjectsV2", (Role.APPLY,), On.CONTROL_BUCKET, permission="s3:ListBucket"
    )
    yield from _rows("s3", "PutObject", (Role.APPLY,), On.TEMPLATE)


def _ledger() -> Iterator[Operation]:
    mine = (Limit.PARTITION,)
    yield from _rows("dynamodb", "GetItem Query", _LOOKS, On.LEDGER, limits=mine)
    writes = "PutItem UpdateItem DeleteItem"
    yield from _rows("dynamodb", writes, (Role.APPLY, Role.FAILOVER), On.LEDGER, limits=mine)
    yield from _rows(
        "dynamodb", "PutItem", (Role.READINESS,), On.LEDGER, limits=(*mine, Limit.VERDICT)
    )
    beat = (*mine, Limit.BEAT, Limit.OWN_REGION)
    yield from _rows("dynamodb", "UpdateItem", (Role.HEARTBEAT,), On.LEDGER, limits=beat)
    known = (*mine, Limit.OWN_REGION)  # whether there is a ledger yet
    yield from _rows("dynamodb", "GetItem", (Role.HEARTBEAT,), On.LEDGER, limits=known)


def _data() -> Iterator[Operation]:
    files = "DescribeFileSystems DescribeReplicationConfigurations"
    yield from _rows("efs", files, _LOOKS, On.FILE_SYSTEM)
    yield from _rows(
        "efs", "CreateReplicationConfiguration", (Role.APPLY,), On.FILE_SYSTEM, limits=(Limit.OURS,)
    )
    yield from _rows(
        "efs", "UpdateFileSystemProtection", (Role.APPLY,), On.FILE_SYSTEM, limits=(Limit.OURS,)
    )
    own = (Limit.OWN_REGION,)
    # Its argument is the source, in the Region that is lost: no tag of it can be asked for.
    yield from _rows(
        "efs", "DeleteReplicationConfiguration", (Role.FAILOVER,), On.FILE_SYSTEM, limits=own
    )
    yield from _rows(
        "efs",
        "UpdateFileSystemProtection",
        (Role.FAILOVER,),
        On.FILE_SYSTEM,
        limits=(Limit.OURS, *own),
    )
    yield from _rows("rds", "DescribeGlobalClusters", _LOOKS, On.GLOBAL_CLUSTER)
    both = (Role.READINESS, Role.FAILOVER)
    yield from _rows("rds", "DescribeDBClusters", both, On.DB_CLUSTER)
    yield from _rows("rds", "DescribeDBInstances", both, On.DB_INSTANCE)
    yield from _rows(
        "rds",
        "FailoverGlobalCluster",
        (Role.FAILOVER,),
        On.GLOBAL_CLUSTER,
        On.DB_CLUSTER,
        limits=own,
    )
    yield from _rows("cloudwatch", "GetMetricData", both, On.ANYTHING)


def _clusters() -> Iterator[Operation]:
    yield from _rows("eks", "DescribeCluster", _LOOKS, On.CLUSTER)
    yield from _rows("eks", "ListNodegroups", (Role.READINESS,), On.CLUSTER)
    yield from _rows("eks", "DescribeNodegroup", _LOOKS, On.NODE_GROUP)
    yield from _rows("eks", "DescribeUpdate", (Role.APPLY,), On.CLUSTER, On.NODE_GROUP)
    yield from _rows("eks", "UpdateNodegroupConfig", (Role.APPLY,), On.NODE_GROUP)
    yield from _rows(
        "eks",
        "UpdateNodegroupConfig",
        (Role.FAILOVER,),
        On.NODE_GROUP,
        limits=(Limit.OWN_REGION,),
    )
    images = "DescribeImages BatchGetImage DescribeImageReplicationStatus"
    yield from _rows("ecr", images, (Role.READINESS,), On.REPOSITORY)


def _traffic() -> Iterator[Operation]:
    yield from _rows(
        "s3", "ListObjectsV2", (Role.APPLY,), On.TRAFFIC_BUCKET, permission="s3:ListBucket"
    )
    yield from _rows("s3", "PutObject DeleteObject", (Role.FAILOVER,), On.TRAFFIC_OBJECT)


def _delivery() -> Iterator[Operation]:
    yield from _rows("codepipeline", "GetPipelineState", (Role.APPLY,), On.PIPELINE)
    switches = "DisableStageTransition EnableStageTransition"
    yield from _rows("codepipeline", switches, (Role.APPLY,), On.STAGE)


OPERATIONS: tuple[Operation, ...] = (
    *_stacks(),
    *_ledger(),
    *_data(),
    *_clusters(),
    *_traffic(),
    *_delivery(),
)
