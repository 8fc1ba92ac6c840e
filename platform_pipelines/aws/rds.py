"""Aurora: global clusters, their members, and the DB clusters and instances of a Region.

Statuses are kept as text: AWS sends values that botocore's enums lack (`failing-over`).
https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-global-database-disaster-recovery.html
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from platform_pipelines.aws.region import AwsRegion

if TYPE_CHECKING:
    from mypy_boto3_rds.type_defs import (
        DBClusterTypeDef,
        DBInstanceTypeDef,
        GlobalClusterMemberTypeDef,
        GlobalClusterTypeDef,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A DB cluster's place in a global cluster."""

    arn: str
    cluster_id: str
    region: str  # AWS name
    writer: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class GlobalClusterState:
    """A global cluster as one Region describes it; every Region of it answers."""

    identifier: str
    status: str
    engine_version: str
    failover_status: str | None  # pending, failing-over, cancelling; None when there is none
    members: tuple[Member, ...]
    endpoint: str | None  # the global writer endpoint

    @property
    def writer(self) -> Member | None:
        """The member that takes writes, if exactly one does."""
        writers = [member for member in self.members if member.writer]
        return writers[0] if len(writers) == 1 else None

    def member_in(self, region: str) -> Member | None:
        """The member of a Region, by its AWS name."""
        return next((member for member in self.members if member.region == region), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class DbInstanceState:
    """One instance of a DB cluster."""

    id: str
    status: str
    zone: str | None
    instance_class: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DbClusterState:
    """A DB cluster as its Region describes it."""

    id: str
    arn: str
    status: str
    engine_version: str
    endpoint: str | None
    instances: tuple[DbInstanceState, ...]

    @property
    def serving(self) -> bool:
        """Whether the cluster and at least one instance are available."""
        return self.status == "available" and any(
            instance.status == "available" for instance in self.instances
        )


def describe_global(region: AwsRegion, identifier: str) -> GlobalClusterState | None:
    """A global cluster as `region` sees it; None if there is none."""
    try:
        found = region.rds.describe_global_clusters(GlobalClusterIdentifier=identifier)
    except region.rds.exceptions.GlobalClusterNotFoundFault:
        return None
    clusters = found["GlobalClusters"]
    return _global(clusters[0]) if clusters else None


def describe_cluster(region: AwsRegion, cluster_id: str) -> DbClusterState | None:
    """A DB cluster with its instances; None if there is none."""
    try:
        clusters = region.rds.describe_db_clusters(DBClusterIdentifier=cluster_id)["DBClusters"]
    except region.rds.exceptions.DBClusterNotFoundFault:
        return None
    if not clusters:
        return None
    pages = region.rds.get_paginator("describe_db_instances").paginate(
        Filters=[{"Name": "db-cluster-id", "Values": [cluster_id]}]
    )
    instances = [_instance(item) for page in pages for item in page["DBInstances"]]
    return _cluster(clusters[0], tuple(instances))


def failover(region: AwsRegion, global_id: str, target_arn: str) -> None:
    """Make the cluster `target_arn` of this Region the writer, accepting the loss of what was not
    replicated. Without AllowDataLoss AWS would do a switchover, which hangs with a dead primary."""
    region.rds.failover_global_cluster(
        GlobalClusterIdentifier=global_id,
        TargetDbClusterIdentifier=target_arn,
        AllowDataLoss=True,
    )


def _member(item: "GlobalClusterMemberTypeDef") -> Member:
    arn = item.get("DBClusterArn", "")
    parts = arn.split(":")
    return Member(
        arn=arn, cluster_id=parts[-1], region=parts[3], writer=item.get("IsWriter", False)
    )


def _global(item: "GlobalClusterTypeDef") -> GlobalClusterState:
    return GlobalClusterState(
        identifier=item.get("GlobalClusterIdentifier", ""),
        status=item.get("Status", ""),
        engine_version=item.get("EngineVersion", ""),
        failover_status=item.get("FailoverState", {}).get("Status"),
        members=tuple(_member(member) for member in item.get("GlobalClusterMembers", [])),
        endpoint=item.get("Endpoint"),
    )


def _instance(item: "DBInstanceTypeDef") -> DbInstanceState:
    return DbInstanceState(
        id=item.get("DBInstanceIdentifier", ""),
        status=item.get("DBInstanceStatus", ""),
        zone=item.get("AvailabilityZone"),
        instance_class=item.get("DBInstanceClass", ""),
    )


def _cluster(item: "DBClusterTypeDef", instances: tuple[DbInstanceState, ...]) -> DbClusterState:
    return DbClusterState(
        id=item.get("DBClusterIdentifier", ""),
        arn=item.get("DBClusterArn", ""),
        status=item.get("Status", ""),
        engine_version=item.get("EngineVersion", ""),
        endpoint=item.get("Endpoint"),
        instances=instances,
    )
