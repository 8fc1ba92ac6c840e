# ruff: noqa: N803, ARG002  # arguments are AWS's, and so are their names
"""EFS, Aurora, EKS and S3 of two Regions, as far as bringing them to their roles needs them."""

import itertools
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from tests.fakes.calls import Paginator, Wire, client_error
from tests.fakes.clock import FakeClock

Json = dict[str, Any]
ENABLING = 60.0
SCALING = 90.0


@dataclass
class Replication:
    """From a source to its destination."""

    source: str
    source_region: str
    destination: str
    destination_region: str
    started: float
    status: str | None = None  # forced by a test


@dataclass
class Files:
    """The file systems of both Regions."""

    clock: FakeClock
    systems: dict[str, Json] = field(default_factory=dict)  # by id
    replications: list[Replication] = field(default_factory=list)

    def add(self, region: str, identifier: str, name: str) -> None:
        """A new file system."""
        self.systems[identifier] = {
            "region": region,
            "OwnerId": "111122223333",
            "CreationToken": identifier,
            "FileSystemId": identifier,
            "Name": name,
            "LifeCycleState": "available",
            "NumberOfMountTargets": 3,
            "FileSystemProtection": {"ReplicationOverwriteProtection": "ENABLED"},
        }

    def ids(self, region: str) -> list[str]:
        return [key for key, one in self.systems.items() if one["region"] == region]

    def protection(self, identifier: str) -> str:
        return str(
            self.systems[identifier]["FileSystemProtection"]["ReplicationOverwriteProtection"]
        )


class FakeEfs:
    """The EFS client of one Region."""

    def __init__(self, wire: Wire, files: Files, region: str) -> None:
        self.wire, self.files, self.region = wire, files, region

    def get_paginator(self, operation: str) -> Paginator:
        pages = {
            "describe_file_systems": self._systems,
            "describe_replication_configurations": self._replications,
        }
        return Paginator(pages[operation])

    def update_file_system_protection(
        self,
        *,
        FileSystemId: str,
        ReplicationOverwriteProtection: str,
    ) -> Json:
        self.wire.call("UpdateFileSystemProtection")
        self._protect(FileSystemId, ReplicationOverwriteProtection)
        return {}

    def create_replication_configuration(
        self,
        *,
        SourceFileSystemId: str,
        Destinations: list[Json],
    ) -> Json:
        self.wire.call("CreateReplicationConfiguration")
        destination = Destinations[0]["FileSystemId"]
        name = "CreateReplicationConfiguration"
        if any(one.source == SourceFileSystemId for one in self.files.replications):
            raise client_error("ConflictException", "it replicates already", name, 409)
        if self.files.protection(destination) != "DISABLED":
            raise client_error("ConflictException", "the destination is protected", name, 409)
        self.files.replications.append(
            Replication(
                source=SourceFileSystemId,
                source_region=self.region,
                destination=destination,
                destination_region=Destinations[0]["Region"],
                started=self.files.clock.monotonic(),
            )
        )
        self._protect(destination, "REPLICATING")
        return {}

    def _protect(self, identifier: str, value: str) -> None:
        self.files.systems[identifier]["FileSystemProtection"] = {
            "ReplicationOverwriteProtection": value
        }

    def _systems(self) -> list[Json]:
        self.wire.call("DescribeFileSystems")
        mine = [one for one in self.files.systems.values() if one["region"] == self.region]
        return [{"FileSystems": mine}]

    def _replications(self) -> list[Json]:
        self.wire.call("DescribeReplicationConfigurations")
        mine = [
            one
            for one in self.files.replications
            if self.region in (one.source_region, one.destination_region)
        ]
        return [{"Replications": [self._described(one) for one in mine]}]

    def _described(self, one: Replication) -> Json:
        age = self.files.clock.monotonic() - one.started
        status = one.status or ("ENABLED" if age >= ENABLING else "ENABLING")
        destination: Json = {
            "Status": status,
            "FileSystemId": one.destination,
            "Region": one.destination_region,
        }
        if age >= ENABLING:
            destination["LastReplicatedTimestamp"] = self.files.clock.now() - timedelta(seconds=30)
        return {
            "SourceFileSystemId": one.source,
            "SourceFileSystemRegion": one.source_region,
            "Destinations": [destination],
        }


@dataclass
class Databases:
    """The global clusters: identifier → the Region that writes, and what happens to it."""

    members: dict[str, list[str]] = field(default_factory=dict)
    writers: dict[str, str] = field(default_factory=dict)
    failing_over: set[str] = field(default_factory=set)


class _RdsExceptions:
    class GlobalClusterNotFoundFault(Exception):  # AWS's own name
        """There is no such global cluster."""


class FakeRds:
    """The RDS client of one Region."""

    exceptions = _RdsExceptions

    def __init__(self, wire: Wire, databases: Databases) -> None:
        self.wire, self.databases = wire, databases

    def describe_global_clusters(self, *, GlobalClusterIdentifier: str) -> Json:
        self.wire.call("DescribeGlobalClusters")
        identifier = GlobalClusterIdentifier
        if identifier not in self.databases.members:
            raise self.exceptions.GlobalClusterNotFoundFault(identifier)
        cluster: Json = {
            "GlobalClusterIdentifier": identifier,
            "Status": "available",
            "EngineVersion": "8.0",
            "GlobalClusterMembers": [
                {
                    "DBClusterArn": f"arn:aws:rds:{region}:111122223333:cluster:{identifier}-{region}",
                    "IsWriter": self.databases.writers.get(identifier) == region,
                }
                for region in self.databases.members[identifier]
            ],
        }
        if identifier in self.databases.failing_over:
            cluster["FailoverState"] = {"Status": "failing-over"}
        return {"GlobalClusters": [cluster]}


@dataclass
class Group:
    """A node group."""

    minimum: int = 1
    desired: int = 2
    maximum: int = 2
    issues: list[Json] = field(default_factory=list)
    status: str | None = None  # forced by a test
    busy_until: float = 0.0


class FakeEks:
    """The EKS client of one Region, and the nodes that its cluster shows."""

    def __init__(self, wire: Wire, clock: FakeClock) -> None:
        self.wire, self.clock = wire, clock
        self.groups: dict[str, Group] = {}
        self.updates: dict[str, tuple[float, str]] = {}  # id: (ends, how)
        self.ends = "Successful"
        self.joining = 60.0  # after the update
        self._numbers = itertools.count(1)

    def describe_nodegroup(self, *, clusterName: str, nodegroupName: str) -> Json:
        self.wire.call("DescribeNodegroup")
        group = self.groups.get(nodegroupName)
        if group is None:
            raise client_error("ResourceNotFoundException", nodegroupName, "DescribeNodegroup", 404)
        busy = self.clock.monotonic() < group.busy_until
        return {
            "nodegroup": {
                "nodegroupName": nodegroupName,
                "status": group.status or ("UPDATING" if busy else "ACTIVE"),
                "scalingConfig": {
                    "minSize": group.minimum,
                    "desiredSize": group.desired,
                    "maxSize": group.maximum,
                },
                "health": {"issues": group.issues},
            }
        }

    def update_nodegroup_config(self, **request: Any) -> Json:
        self.wire.call("UpdateNodegroupConfig")
        group = self.groups[request["nodegroupName"]]
        if self.clock.monotonic() < group.busy_until:
            raise client_error("ResourceInUseException", "busy", "UpdateNodegroupConfig", 409)
        scaling = request["scalingConfig"]
        group.minimum, group.desired = scaling["minSize"], scaling["desiredSize"]
        group.maximum = scaling["maxSize"]
        group.busy_until = self.clock.monotonic() + SCALING
        update = f"update-{next(self._numbers)}"
        self.updates[update] = (group.busy_until, self.ends)
        return {"update": {"id": update, "status": "InProgress"}}

    def describe_update(self, *, name: str, nodegroupName: str, updateId: str) -> Json:
        self.wire.call("DescribeUpdate")
        ends, how = self.updates[updateId]
        return {"update": {"status": how if self.clock.monotonic() >= ends else "InProgress"}}

    def ready(self) -> dict[str, int]:
        """Ready nodes by node group."""
        now = self.clock.monotonic()
        return {
            name: group.desired if now >= group.busy_until + self.joining else 0
            for name, group in self.groups.items()
        }


class FakeS3:
    """The S3 client of one Region."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.buckets: dict[str, set[str]] = {}
        self.bodies: dict[tuple[str, str], bytes] = {}  # of what was put

    def put_object(self, *, Bucket: str, Key: str, Body: bytes, **_more: Any) -> Json:
        self.wire.call("PutObject")
        if Bucket not in self.buckets:
            raise client_error("NoSuchBucket", Bucket, "PutObject", 404)
        self.buckets[Bucket].add(Key)
        self.bodies[Bucket, Key] = Body
        return {}

    def list_objects_v2(self, *, Bucket: str, Prefix: str) -> Json:
        self.wire.call("ListObjectsV2")
        if Bucket not in self.buckets:
            raise client_error("NoSuchBucket", Bucket, "ListObjectsV2", 404)
        return {
            "Contents": [{"Key": key} for key in self.buckets[Bucket] if key.startswith(Prefix)]
        }
