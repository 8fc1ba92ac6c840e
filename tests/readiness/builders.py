"""Short ways to say what a Region looks like."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from platform_pipelines import model
from platform_pipelines.aws.cloudwatch import Sample
from platform_pipelines.aws.efs import FileSystemState, Protection, ReplicationState
from platform_pipelines.aws.eks import NodeGroupState
from platform_pipelines.aws.rds import DbClusterState, DbInstanceState, GlobalClusterState, Member
from platform_pipelines.kube.workloads import NodeState, PodState
from platform_pipelines.ledger_records import Roles
from platform_pipelines.model import Platform
from platform_pipelines.readiness.inventory import Database, FileSystem, NodeGroups
from tests.fakes.clock import ORIGIN

PLATFORM: Platform = model.load(Path(__file__).parent.parent.parent / "platform.yaml")
NOW = ORIGIN
ROLES = Roles(active="seoul", standby="tokyo", epoch=1)
SEOUL, TOKYO = "ap-northeast-2", "ap-northeast-1"


def ago(**span: float) -> datetime:
    """A time before now."""
    return NOW - timedelta(**span)


def node_groups(pods: tuple[PodState, ...] = (), nodes: int = 0, **desired: int) -> NodeGroups:
    """Node groups by their desired counts; `nodes` of the first one are there."""
    names = list(desired)
    return NodeGroups(
        groups=tuple(
            NodeGroupState(
                name=name,
                status="ACTIVE",
                minimum=count,
                desired=count,
                maximum=12,
                instance_types=("t3.medium",),
                issues=(),
            )
            for name, count in desired.items()
        ),
        nodes=tuple(
            NodeState(name=f"node-{n}", node_group=names[0], ready=True, zone=None)
            for n in range(nodes)
        ),
        pods=pods,
    )


def pod(name: str, **differs: Any) -> PodState:
    """A pod of the Deployment web that waits for a node."""
    values: dict[str, Any] = {
        "namespace": "web",
        "name": name,
        "owner": "Deployment/web",
        "node_group": "web",
        "node": None,
        "phase": "Pending",
        "ready": False,
        "unschedulable": True,
    }
    return PodState(**{**values, **differs})


def replication(**differs: Any) -> ReplicationState:
    """Seoul's file system replicates to Tokyo's, synced a minute ago."""
    values: dict[str, Any] = {
        "source_id": "fs-seoul",
        "source_region": SEOUL,
        "destination_id": "fs-tokyo",
        "destination_region": TOKYO,
        "status": "ENABLED",
        "last_replicated": ago(minutes=1),
    }
    return ReplicationState(**{**values, **differs})


def file_system(
    alias: str = "tokyo",
    replication: ReplicationState | None = None,
    lag: Sample | None = None,
) -> FileSystem:
    """The file system `pictures` of a Region."""
    return FileSystem(
        state=FileSystemState(
            name="peccy-pictures",
            id=f"fs-{alias}",
            arn=f"arn:{alias}",
            lifecycle="available",
            protection=Protection.REPLICATING,
            mount_targets=3,
            replication=replication,
        ),
        lag=lag,
    )


def database(
    *, lag: Sample | None = None, writer: str | None = SEOUL, instances: int = 2, **differs: Any
) -> Database:
    """The database `peccy` as Tokyo sees it."""
    members = tuple(
        Member(arn=name, cluster_id=name, region=name, writer=name == writer)
        for name in (SEOUL, TOKYO)
    )
    cluster: dict[str, Any] = {
        "id": "peccy-peccy-tokyo",
        "arn": TOKYO,
        "status": "available",
        "engine_version": "8.0.mysql_aurora.3.10.0",
        "endpoint": None,
        "instances": tuple(
            DbInstanceState(id=str(n), status="available", zone=None, instance_class="db.r6g.large")
            for n in range(instances)
        ),
    }
    world = GlobalClusterState(
        identifier="peccy-peccy",
        status="available",
        engine_version="8.0.mysql_aurora.3.10.0",
        failover_status=None,
        members=members,
        endpoint=None,
    )
    return Database(
        name="peccy", world=world, cluster=DbClusterState(**{**cluster, **differs}), lag=lag
    )
