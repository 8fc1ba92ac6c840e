"""EFS file systems and their replication, asked for as the product does."""

from typing import Any

from tests.local.aws.regions import Regions

SEOUL, TOKYO = "ap-northeast-2", "ap-northeast-1"


def make(regions: Regions, alias: str, token: str = "pictures") -> str:
    """Make a file system, wait until it is available, and return its id."""
    tags = [{"Key": "Name", "Value": "peccy-pictures"}]
    made = regions(alias, "efs", "CreateFileSystem", CreationToken=token, Encrypted=True, Tags=tags)
    regions.advance(regions.world.durations.efs_file_system_creating)
    return str(made["FileSystemId"])


def protect(regions: Regions, alias: str, identifier: str, protection: str) -> None:
    """Set overwrite protection."""
    regions(
        alias,
        "efs",
        "UpdateFileSystemProtection",
        FileSystemId=identifier,
        ReplicationOverwriteProtection=protection,
    )


def protection(regions: Regions, alias: str, identifier: str) -> str:
    """The overwrite protection of a file system."""
    found = regions(alias, "efs", "DescribeFileSystems", FileSystemId=identifier)
    return str(found["FileSystems"][0]["FileSystemProtection"]["ReplicationOverwriteProtection"])


def replicate(regions: Regions, source: str, destination: str) -> dict[str, Any]:
    """Replicate from Seoul into an existing file system in Tokyo."""
    return regions(
        "seoul",
        "efs",
        "CreateReplicationConfiguration",
        SourceFileSystemId=source,
        Destinations=[{"Region": TOKYO, "FileSystemId": destination}],
    )


def destination_of(regions: Regions, alias: str, identifier: str) -> dict[str, Any]:
    """The destination of a file system's replication as a Region describes it."""
    found = regions(alias, "efs", "DescribeReplicationConfigurations", FileSystemId=identifier)
    destination: dict[str, Any] = found["Replications"][0]["Destinations"][0]
    return destination
