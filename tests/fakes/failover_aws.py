# ruff: noqa: N803, ARG002  # arguments are AWS's, and so are their names
"""EFS, Aurora, EKS, S3, CloudWatch and STS, as far as failing over needs them: deletes that take
time, a managed failover, counts that become nodes, one object, the lag metric, who we are."""

import base64
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import boto3

from tests.fakes.calls import Paginator, Wire, client_error
from tests.fakes.clock import FakeClock
from tests.fakes.data import FakeEfs, FakeEks, FakeRds, FakeS3, Files
from tests.fakes.session import LOCAL_URL

Json = dict[str, Any]
DELETING = 180.0
FAILING_OVER = 90.0


@dataclass
class ReplicatedFiles(Files):
    """File systems whose replications can end."""

    last_sync: datetime | None = None  # what the destination knows of it
    ending: dict[str, float] = field(default_factory=dict)  # source: when it is gone
    stuck: bool = False  # a delete of both sides is accepted and does not begin
    deletes: list[tuple[str, str]] = field(default_factory=list)  # source and mode

    def settle(self) -> None:
        """Let what is due be done."""
        for source, due in list(self.ending.items()):
            if self.clock.monotonic() >= due:
                del self.ending[source]
                self.end(source)

    def end(self, source: str) -> None:
        """A replication is gone, and its destination protected again."""
        for one in [one for one in self.replications if one.source == source]:
            self.replications.remove(one)
            self.protect(one.destination, "ENABLED")

    def protect(self, identifier: str, value: str) -> None:
        """Set overwrite protection."""
        self.systems[identifier]["FileSystemProtection"] = {"ReplicationOverwriteProtection": value}


class FailoverEfs(FakeEfs):
    """The EFS client of one Region."""

    files: ReplicatedFiles

    def __init__(self, wire: Wire, files: ReplicatedFiles, region: str) -> None:
        super().__init__(wire, files, region)
        self.files = files

    def delete_replication_configuration(
        self, *, SourceFileSystemId: str, DeletionMode: str
    ) -> Json:
        with self.wire.lock:
            self.wire.call("DeleteReplicationConfiguration")
            files = self.files
            files.settle()
            found = [one for one in files.replications if one.source == SourceFileSystemId]
            if not found:
                name = "DeleteReplicationConfiguration"
                raise client_error("ReplicationNotFound", SourceFileSystemId, name, 404)
            files.deletes.append((SourceFileSystemId, DeletionMode))
            if DeletionMode == "LOCAL_CONFIGURATION_ONLY" or not files.stuck:
                found[0].status = "DELETING"
                files.ending.setdefault(SourceFileSystemId, files.clock.monotonic() + DELETING)
        return {}

    def _systems(self) -> list[Json]:
        self.files.settle()
        return super()._systems()

    def _described(self, one: Any) -> Json:
        described = super()._described(one)
        destination = described["Destinations"][0]
        destination.pop("LastReplicatedTimestamp", None)
        if self.files.last_sync:
            destination["LastReplicatedTimestamp"] = self.files.last_sync
        return described

    def _replications(self) -> list[Json]:
        self.files.settle()
        return super()._replications()


@dataclass
class Aurora:
    """One global database over both Regions."""

    clock: FakeClock
    identifier: str
    clusters: dict[str, str]  # Region's AWS name: DB cluster id
    writer: str  # Region's AWS name
    failing: tuple[float, str] | None = None  # due, and to which Region
    status: str | None = None  # FailoverState, forced by a test
    instances: dict[str, list[str]] = field(default_factory=dict)  # Region: instance statuses
    cluster_status: dict[str, str] = field(default_factory=dict)
    failovers: list[Json] = field(default_factory=list)

    def arn(self, region: str) -> str:
        return f"arn:aws:rds:{region}:111122223333:cluster:{self.clusters[region]}"

    def settle(self) -> None:
        """Let what is due be done."""
        if self.failing and self.clock.monotonic() >= self.failing[0]:
            self.writer, self.failing = self.failing[1], None


class _RdsExceptions:
    class GlobalClusterNotFoundFault(Exception):  # AWS's own name
        """There is no such global cluster."""

    class DBClusterNotFoundFault(Exception):  # AWS's own name
        """There is no such DB cluster."""


class FailoverRds(FakeRds):
    """The RDS client of one Region."""

    exceptions = _RdsExceptions  # type: ignore[assignment]  # it knows one more

    def __init__(self, wire: Wire, aurora: Aurora, region: str) -> None:
        self.wire, self.aurora, self.region = wire, aurora, region

    def describe_global_clusters(self, *, GlobalClusterIdentifier: str) -> Json:
        self.wire.call("DescribeGlobalClusters")
        aurora = self.aurora
        aurora.settle()
        if GlobalClusterIdentifier != aurora.identifier:
            raise self.exceptions.GlobalClusterNotFoundFault(GlobalClusterIdentifier)
        members = [
            {"DBClusterArn": aurora.arn(region), "IsWriter": region == aurora.writer}
            for region in aurora.clusters
        ]
        found: Json = {
            "GlobalClusterIdentifier": aurora.identifier,
            "Status": "available",
            "EngineVersion": "8.0",
            "GlobalClusterMembers": members,
        }
        status = aurora.status or ("failing-over" if aurora.failing else None)
        if status:
            found["FailoverState"] = {"Status": status}
        return {"GlobalClusters": [found]}

    def describe_db_clusters(self, *, DBClusterIdentifier: str) -> Json:
        self.wire.call("DescribeDBClusters")
        if self.aurora.clusters.get(self.region) != DBClusterIdentifier:
            raise self.exceptions.DBClusterNotFoundFault(DBClusterIdentifier)
        status = self.aurora.cluster_status.get(self.region, "available")
        one = {
            "DBClusterIdentifier": DBClusterIdentifier,
            "DBClusterArn": self.aurora.arn(self.region),
            "Status": status,
            "EngineVersion": "8.0",
        }
        return {"DBClusters": [one]}

    def get_paginator(self, _operation: str) -> Paginator:
        return Paginator(self._instances)

    def _instances(self, **_: Any) -> list[Json]:
        self.wire.call("DescribeDBInstances")
        statuses = self.aurora.instances.get(self.region, ["available", "available"])
        instances = [
            {"DBInstanceIdentifier": f"one-{i}", "DBInstanceStatus": status}
            for i, status in enumerate(statuses)
        ]
        return [{"DBInstances": instances}]

    def failover_global_cluster(self, **request: Any) -> Json:
        with self.wire.lock:
            self.wire.call("FailoverGlobalCluster")
            aurora = self.aurora
            aurora.settle()
            if aurora.failing:
                name = "FailoverGlobalCluster"
                raise client_error("InvalidGlobalClusterStateFault", "it fails over", name)
            assert request["TargetDbClusterIdentifier"] == aurora.arn(self.region)
            assert request["AllowDataLoss"] is True
            aurora.failovers.append(request)
            aurora.failing = (aurora.clock.monotonic() + FAILING_OVER, self.region)
        return {}


class _EksExceptions:
    class ResourceNotFoundException(Exception):  # AWS's own name
        """There is no such cluster."""


class FailoverEks(FakeEks):
    """The EKS client of one Region; its cluster's API is a real server on loopback."""

    exceptions = _EksExceptions

    def __init__(self, wire: Wire, clock: FakeClock, endpoint: str, ca_pem: bytes) -> None:
        super().__init__(wire, clock)
        self.endpoint, self.ca = endpoint, base64.b64encode(ca_pem).decode()
        self.tokens: list[str] = []

    def describe_cluster(self, *, name: str) -> Json:
        self.wire.call("DescribeCluster")
        return {
            "cluster": {
                "name": name,
                "status": "ACTIVE",
                "endpoint": self.endpoint,
                "certificateAuthority": {"data": self.ca},
                "version": "1.36",
            }
        }

    def update_nodegroup_config(self, **request: Any) -> Json:
        with self.wire.lock:
            self.tokens.append(request["clientRequestToken"])
            return super().update_nodegroup_config(**request)


class FailoverS3(FakeS3):
    """The S3 client of one Region."""

    def put_object(self, *, Bucket: str, Key: str, Body: bytes, **_more: Any) -> Json:
        with self.wire.lock:
            self.wire.call("PutObject")
            self.buckets.setdefault(Bucket, set()).add(Key)
        return {}

    def delete_object(self, *, Bucket: str, Key: str) -> Json:
        with self.wire.lock:
            self.wire.call("DeleteObject")
            self.buckets.setdefault(Bucket, set()).discard(Key)
        return {}


class FakeCloudWatch:
    """The CloudWatch client of one Region: one metric, in milliseconds as Aurora's."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.samples: list[tuple[datetime, float]] = []

    def get_metric_data(self, **request: Any) -> Json:
        self.wire.call("GetMetricData")
        start, end = request["StartTime"], request["EndTime"]
        assert end - start <= timedelta(hours=1)
        found = sorted((one for one in self.samples if start <= one[0] < end), reverse=True)
        times, values = [at for at, _ in found], [value for _, value in found]
        return {"MetricDataResults": [{"Id": "lag", "Timestamps": times, "Values": values}]}


@cache
def _real_sts() -> Any:
    return boto3.client(
        "sts",
        region_name="ap-northeast-1",
        endpoint_url=LOCAL_URL,
        aws_access_key_id="111122223333",
        aws_secret_access_key="local",
    )


class FakeSts:
    """The STS client of one Region; what presigning a token needs is the real client's."""

    def __init__(self, wire: Wire, account: str) -> None:
        self.wire, self.account = wire, account
        self._real = _real_sts()

    @property
    def meta(self) -> Any:
        return self._real.meta

    @meta.setter
    def meta(self, _other: Any) -> None:
        """The session gives every fake its own; ours is real."""

    def get_caller_identity(self) -> Json:
        self.wire.call("GetCallerIdentity")
        return {"Account": self.account}
