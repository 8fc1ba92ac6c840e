from datetime import UTC, datetime

import pytest

from platform_pipelines.local.aws.service import Fault
from tests.local.aws.files import (
    SEOUL,
    TOKYO,
    destination_of,
    make,
    protect,
    protection,
    replicate,
)
from tests.local.aws.regions import Regions


@pytest.fixture
def pair(regions: Regions) -> tuple[str, str]:
    """A file system in each Region, replicating from Seoul to Tokyo for half an hour."""
    source, destination = make(regions, "seoul"), make(regions, "tokyo")
    protect(regions, "tokyo", destination, "DISABLED")
    replicate(regions, source, destination)
    regions.advance(1800)
    return source, destination


def test_a_replication_is_enabling_first_and_has_no_last_sync(regions: Regions) -> None:
    """Unknown is not zero: the timestamp is absent until the first sync."""
    source, destination = make(regions, "seoul"), make(regions, "tokyo")
    protect(regions, "tokyo", destination, "DISABLED")
    made = replicate(regions, source, destination)
    began = regions.world.now()
    assert made["Destinations"][0]["Status"] == "ENABLING"
    assert "LastReplicatedTimestamp" not in made["Destinations"][0]
    regions.advance(60)
    enabled = destination_of(regions, "seoul", source)
    assert enabled["Status"] == "ENABLED"
    assert enabled["LastReplicatedTimestamp"] == datetime.fromtimestamp(began + 60, UTC)


def test_both_regions_describe_a_replication_alike(regions: Regions, pair: tuple[str, str]) -> None:
    """By the source's id or the destination's, in either Region."""
    views = [
        destination_of(regions, alias, identifier)
        for alias in ("seoul", "tokyo")
        for identifier in pair
    ]
    assert all(view == views[0] for view in views)
    assert protection(regions, "tokyo", pair[1]) == "REPLICATING"


def test_the_last_sync_is_a_sawtooth(regions: Regions, pair: tuple[str, str]) -> None:
    """It is never older than the interval while both Regions are up."""
    seen = set()
    for _ in range(12):
        regions.advance(25)
        last = destination_of(regions, "tokyo", pair[1])["LastReplicatedTimestamp"]
        assert 0 <= regions.world.now() - last.timestamp() < 61
        seen.add(last)
    assert len(seen) == 6


def test_a_dark_source_stops_the_clock_of_a_replication(
    regions: Regions, pair: tuple[str, str]
) -> None:
    """What Tokyo says then is the recovery point; after the outage it moves on at once."""
    regions.advance(30)
    before = destination_of(regions, "tokyo", pair[1])["LastReplicatedTimestamp"]
    regions.black_out("seoul")
    regions.advance(900)
    assert destination_of(regions, "tokyo", pair[1])["LastReplicatedTimestamp"] == before
    regions.restore("seoul")
    regions.advance(61)
    after = destination_of(regions, "tokyo", pair[1])["LastReplicatedTimestamp"]
    assert regions.world.now() - after.timestamp() < 61


def test_a_replication_needs_an_unprotected_destination(regions: Regions) -> None:
    """An existing file system is overwritten, so its protection must have been taken off."""
    source, destination = make(regions, "seoul"), make(regions, "tokyo")
    with pytest.raises(Fault, match="BadRequest"):
        replicate(regions, source, destination)


def test_a_file_system_is_in_one_replication_only(regions: Regions, pair: tuple[str, str]) -> None:
    """Neither end can be used a second time."""
    other = make(regions, "tokyo", "other")
    protect(regions, "tokyo", other, "DISABLED")
    with pytest.raises(Fault, match="BadRequest"):
        replicate(regions, pair[0], other)


def test_an_encrypted_source_needs_an_encrypted_destination(regions: Regions) -> None:
    """AWS answers ConflictException."""
    source = make(regions, "seoul")
    plain = regions("tokyo", "efs", "CreateFileSystem", CreationToken="plain")["FileSystemId"]
    regions.advance(10)
    protect(regions, "tokyo", plain, "DISABLED")
    with pytest.raises(Fault, match="ConflictException"):
        replicate(regions, source, plain)


def test_protection_of_a_replicating_file_system_cannot_be_changed(
    regions: Regions, pair: tuple[str, str]
) -> None:
    """Only ending the replication changes it."""
    with pytest.raises(Fault, match="ReplicationAlreadyExists"):
        protect(regions, "tokyo", pair[1], "ENABLED")


def test_the_destination_region_ends_a_replication_while_the_source_is_dark(
    regions: Regions, pair: tuple[str, str]
) -> None:
    """DELETING for three minutes, then gone, and the file system takes writes again."""
    regions.black_out("seoul")
    regions("tokyo", "efs", "DeleteReplicationConfiguration", SourceFileSystemId=pair[0])
    assert destination_of(regions, "tokyo", pair[1])["Status"] == "DELETING"
    assert protection(regions, "tokyo", pair[1]) == "REPLICATING"
    regions.advance(179)
    assert destination_of(regions, "tokyo", pair[1])["Status"] == "DELETING"
    regions.advance(1)
    with pytest.raises(Fault, match="ReplicationNotFound"):
        destination_of(regions, "tokyo", pair[1])
    assert protection(regions, "tokyo", pair[1]) == "ENABLED"


def test_a_second_delete_while_deleting_changes_nothing(
    regions: Regions, pair: tuple[str, str]
) -> None:
    """It is accepted and does not prolong the first; after the end it is ReplicationNotFound."""
    delete = "DeleteReplicationConfiguration"
    regions("tokyo", "efs", delete, SourceFileSystemId=pair[0])
    regions.advance(100)
    regions("tokyo", "efs", delete, SourceFileSystemId=pair[0])
    regions.advance(80)
    with pytest.raises(Fault, match="ReplicationNotFound"):
        regions("tokyo", "efs", delete, SourceFileSystemId=pair[0])


def test_a_local_delete_leaves_an_orphan_on_the_other_side(
    regions: Regions, pair: tuple[str, str]
) -> None:
    """Tokyo is free and writable; Seoul still has a configuration, in ERROR, to delete itself."""
    regions(
        "tokyo",
        "efs",
        "DeleteReplicationConfiguration",
        SourceFileSystemId=pair[0],
        DeletionMode="LOCAL_CONFIGURATION_ONLY",
    )
    regions.advance(180)
    assert protection(regions, "tokyo", pair[1]) == "ENABLED"
    assert regions("tokyo", "efs", "DescribeReplicationConfigurations")["Replications"] == []
    assert destination_of(regions, "seoul", pair[0])["Status"] == "ERROR"
    regions("seoul", "efs", "DeleteReplicationConfiguration", SourceFileSystemId=pair[0])
    regions.advance(180)
    assert regions("seoul", "efs", "DescribeReplicationConfigurations")["Replications"] == []


def test_a_freed_destination_can_be_deleted_despite_the_orphan(
    regions: Regions, pair: tuple[str, str]
) -> None:
    """Its own Region knows of no replication any more."""
    mode = {"DeletionMode": "LOCAL_CONFIGURATION_ONLY"}
    regions("tokyo", "efs", "DeleteReplicationConfiguration", SourceFileSystemId=pair[0], **mode)
    regions.advance(180)
    regions("tokyo", "efs", "DeleteFileSystem", FileSystemId=pair[1])
    regions.advance(10)
    assert regions("tokyo", "efs", "DescribeFileSystems")["FileSystems"] == []


def test_a_replication_into_a_dark_region_cannot_be_made(regions: Regions) -> None:
    """The source's Region answers with an error of its own."""
    source, destination = make(regions, "seoul"), make(regions, "tokyo")
    protect(regions, "tokyo", destination, "DISABLED")
    regions.black_out("tokyo")
    with pytest.raises(Fault, match="InternalServerError"):
        replicate(regions, source, destination)


def test_a_replication_turns_around(regions: Regions, pair: tuple[str, str]) -> None:
    """After a failover Tokyo can replicate into the old source, once that is unprotected."""
    source, destination = pair
    regions("tokyo", "efs", "DeleteReplicationConfiguration", SourceFileSystemId=source)
    regions.advance(180)
    protect(regions, "seoul", source, "DISABLED")
    regions(
        "tokyo",
        "efs",
        "CreateReplicationConfiguration",
        SourceFileSystemId=destination,
        Destinations=[{"Region": SEOUL, "FileSystemId": source}],
    )
    regions.advance(120)
    assert destination_of(regions, "seoul", source)["Status"] == "ENABLED"
    assert protection(regions, "seoul", source) == "REPLICATING"


def test_names_that_do_not_exist_are_told_apart(regions: Regions) -> None:
    """No such file system, or one without a replication."""
    lonely = make(regions, "seoul")
    with pytest.raises(Fault, match="ReplicationNotFound"):
        destination_of(regions, "seoul", lonely)
    with pytest.raises(Fault, match="FileSystemNotFound"):
        destination_of(regions, "seoul", "fs-00000000")
    with pytest.raises(Fault, match="FileSystemNotFound"):
        regions("tokyo", "efs", "DeleteReplicationConfiguration", SourceFileSystemId="fs-0000000f")


def test_a_replicating_file_system_cannot_be_deleted(
    regions: Regions, pair: tuple[str, str]
) -> None:
    """Its replication must be deleted first."""
    with pytest.raises(Fault, match="FileSystemInUse"):
        regions("seoul", "efs", "DeleteFileSystem", FileSystemId=pair[0])


def test_file_systems_come_in_pages(regions: Regions) -> None:
    """Every one once, with an opaque marker between the pages."""
    made = {make(regions, "seoul", f"token-{number}") for number in range(5)}
    found: list[str] = []
    marker: dict[str, str] = {}
    while True:
        answer = regions("seoul", "efs", "DescribeFileSystems", MaxItems=2, **marker)
        found += [item["FileSystemId"] for item in answer["FileSystems"]]
        if "NextMarker" not in answer:
            break
        marker = {"Marker": answer["NextMarker"]}
    assert sorted(found) == sorted(made)


def test_a_creation_token_makes_one_file_system(regions: Regions) -> None:
    """AWS refuses a second file system of the same token."""
    make(regions, "seoul")
    with pytest.raises(Fault, match="FileSystemAlreadyExists"):
        make(regions, "seoul")


def test_replication_to_a_new_file_system_makes_it(regions: Regions) -> None:
    """Without an id EFS creates the destination, already REPLICATING."""
    source = make(regions, "seoul")
    made = regions(
        "seoul",
        "efs",
        "CreateReplicationConfiguration",
        SourceFileSystemId=source,
        Destinations=[{"Region": TOKYO}],
    )
    created = made["Destinations"][0]["FileSystemId"]
    assert protection(regions, "tokyo", created) == "REPLICATING"
