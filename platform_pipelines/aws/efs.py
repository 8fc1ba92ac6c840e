"""EFS: file systems, their replication and its protection, as both Regions see them.

A replication is described in either of its two Regions and named by its source's id everywhere.
https://docs.aws.amazon.com/efs/latest/ug/efs-replication.html
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Literal

from platform_pipelines.aws.region import AwsRegion

if TYPE_CHECKING:
    from mypy_boto3_efs.type_defs import (
        FileSystemDescriptionTypeDef,
        ReplicationConfigurationDescriptionTypeDef,
    )


class Protection(StrEnum):
    """Overwrite protection; a DISABLED file system is read-only for clients."""

    ENABLED = "ENABLED"
    DISABLED = "DISABLED"
    REPLICATING = "REPLICATING"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplicationState:
    """One replication: from a source to its only destination."""

    source_id: str
    source_region: str  # AWS name
    destination_id: str
    destination_region: str  # AWS name
    status: str  # ENABLED, ENABLING, DELETING, ERROR, PAUSED, PAUSING
    last_replicated: datetime | None  # None until the first sync: unknown, not zero


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSystemState:
    """A file system as its Region describes it."""

    name: str  # the Name tag; equal in both Regions
    id: str
    arn: str
    lifecycle: str
    protection: Protection
    mount_targets: int
    replication: ReplicationState | None  # in either direction; a file system is in one only

    @property
    def receives(self) -> bool:
        """Whether a replication writes into it."""
        return self.replication is not None and self.replication.destination_id == self.id

    @property
    def writable(self) -> bool:
        """Whether clients can write: nothing replicates into it, and it is protected again."""
        return (
            not self.receives
            and self.protection is Protection.ENABLED
            and self.lifecycle == "available"
        )


def describe(region: AwsRegion) -> list[FileSystemState]:
    """Every file system of the Region, with its replication."""
    replications = list(_replications(region))
    found = region.efs.get_paginator("describe_file_systems").paginate()
    return [_state(item, replications) for page in found for item in page["FileSystems"]]


def replication_of(region: AwsRegion, source_id: str) -> ReplicationState | None:
    """The replication of a source, as this Region (either of the two) describes it."""
    return next((item for item in _replications(region) if item.source_id == source_id), None)


def start_replication(
    source: AwsRegion, source_id: str, destination: AwsRegion, destination_id: str
) -> None:
    """Ask EFS to replicate into an existing file system, whose protection must be DISABLED."""
    source.efs.create_replication_configuration(
        SourceFileSystemId=source_id,
        Destinations=[{"Region": destination.name, "FileSystemId": destination_id}],
    )


def stop_replication(region: AwsRegion, source_id: str, *, local_only: bool = False) -> None:
    """Ask this Region, the destination's when the source's is dark, to end a replication.
    Returns as soon as EFS has accepted. `local_only` leaves the other side as an orphan."""
    mode: Literal["ALL_CONFIGURATIONS", "LOCAL_CONFIGURATION_ONLY"] = (
        "LOCAL_CONFIGURATION_ONLY" if local_only else "ALL_CONFIGURATIONS"
    )
    region.efs.delete_replication_configuration(SourceFileSystemId=source_id, DeletionMode=mode)


def set_protection(
    region: AwsRegion, file_system_id: str, protection: Literal["ENABLED", "DISABLED"]
) -> None:
    """Set overwrite protection; EFS itself sets REPLICATING."""
    region.efs.update_file_system_protection(
        FileSystemId=file_system_id, ReplicationOverwriteProtection=protection
    )


def _replications(region: AwsRegion) -> Iterator[ReplicationState]:
    pages = region.efs.get_paginator("describe_replication_configurations").paginate()
    for page in pages:
        for item in page.get("Replications", []):
            yield from _edges(item)


def _edges(item: "ReplicationConfigurationDescriptionTypeDef") -> Iterator[ReplicationState]:
    for destination in item["Destinations"]:
        yield ReplicationState(
            source_id=item["SourceFileSystemId"],
            source_region=item["SourceFileSystemRegion"],
            destination_id=destination["FileSystemId"],
            destination_region=destination["Region"],
            status=destination["Status"],
            last_replicated=destination.get("LastReplicatedTimestamp"),
        )


def _state(
    item: "FileSystemDescriptionTypeDef", replications: list[ReplicationState]
) -> FileSystemState:
    identifier = item["FileSystemId"]
    protection = item.get("FileSystemProtection", {})
    return FileSystemState(
        name=item.get("Name", ""),
        id=identifier,
        arn=item.get("FileSystemArn", ""),
        lifecycle=item["LifeCycleState"],
        protection=Protection(protection.get("ReplicationOverwriteProtection", "ENABLED")),
        mount_targets=item["NumberOfMountTargets"],
        replication=next(
            (one for one in replications if identifier in (one.source_id, one.destination_id)), None
        ),
    )
