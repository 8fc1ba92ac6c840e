"""Replication of EFS when something is wrong: lag, partitions, permissions, transitions that fail."""

import pytest

from platform_pipelines.local import ministack
from platform_pipelines.local.aws import stores
from platform_pipelines.local.aws.service import Call, Fault
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

DELETE = "DeleteReplicationConfiguration"
ROLE = "arn:aws:iam::111122223333:role/efs-replication"


@pytest.fixture
def pair(regions: Regions) -> tuple[str, str]:
    """A file system in each Region, replicating from Seoul to Tokyo for half an hour."""
    source, destination = make(regions, "seoul"), make(regions, "tokyo")
    protect(regions, "tokyo", destination, "DISABLED")
    replicate(regions, source, destination)
    regions.advance(1800)
    return source, destination


def behind(regions: Regions, pair: tuple[str, str]) -> float:
    """Seconds since the last sync, as Tokyo says."""
    last = destination_of(regions, "tokyo", pair[1])["LastReplicatedTimestamp"]
    return float(regions.world.now() - last.timestamp())


def iam(regions: Regions, operation: str, **params: str) -> None:
    """Make or delete the role of replication."""
    account = regions.world.platform.account
    call = Call(
        service="iam",
        operation=operation,
        params={"RoleName": "efs-replication", **params},
        region=SEOUL,
        account=account,
        request_id="test",
    )
    with ministack.scope(account, SEOUL):
        stores.ask(call)


def test_lag_grows_and_is_made_up_for(regions: Regions, pair: tuple[str, str]) -> None:
    """The last sync never moves back, and is young again when the fault is gone."""
    fault = regions.world.faults.add(
        {"kind": "lag", "of": "efs", "region": "tokyo", "resource": pair[0]}
    )
    regions.advance(1800)
    assert 1740 <= behind(regions, pair) <= 1920
    regions.world.faults.remove(fault.id)
    regions.advance(60)
    assert behind(regions, pair) < 61


def test_a_partition_stops_syncs(regions: Regions, pair: tuple[str, str]) -> None:
    """Both Regions answer, and neither hears of the other."""
    regions.world.partitions.add(frozenset({"seoul", "tokyo"}))
    regions.advance(900)
    assert behind(regions, pair) >= 900
    assert destination_of(regions, "seoul", pair[0])["Status"] == "ENABLED"


def test_the_other_region_hears_of_a_deletion_when_it_can_be_reached(
    regions: Regions, pair: tuple[str, str]
) -> None:
    """Until then Seoul thinks that it still replicates; Tokyo takes writes long before."""
    regions.black_out("seoul")
    regions("tokyo", "efs", DELETE, SourceFileSystemId=pair[0])
    regions.advance(180)
    assert protection(regions, "tokyo", pair[1]) == "ENABLED"
    regions.restore("seoul")
    assert destination_of(regions, "seoul", pair[0])["Status"] == "ENABLED"
    regions.advance(5)
    assert destination_of(regions, "seoul", pair[0])["Status"] == "DELETING"
    regions.advance(180)
    assert regions("seoul", "efs", "DescribeReplicationConfigurations")["Replications"] == []


def test_a_deletion_asked_for_in_the_source_frees_a_dark_destination_later(
    regions: Regions, pair: tuple[str, str]
) -> None:
    """Tokyo's file system stays read-only until Tokyo has heard of it."""
    regions.black_out("tokyo")
    regions("seoul", "efs", DELETE, SourceFileSystemId=pair[0])
    regions.advance(600)
    assert protection(regions, "tokyo", pair[1]) == "REPLICATING"
    regions.restore("tokyo")
    regions.advance(185)
    assert protection(regions, "tokyo", pair[1]) == "ENABLED"


def test_a_role_that_is_gone_pauses_replication(regions: Regions) -> None:
    """PAUSING, PAUSED with the reason, and ENABLED again when the role is back."""
    ministack.service("iam").reset()
    iam(regions, "CreateRole", AssumeRolePolicyDocument="{}")
    source, destination = make(regions, "seoul"), make(regions, "tokyo")
    protect(regions, "tokyo", destination, "DISABLED")
    regions(
        "seoul",
        "efs",
        "CreateReplicationConfiguration",
        SourceFileSystemId=source,
        Destinations=[{"Region": TOKYO, "FileSystemId": destination, "RoleArn": ROLE}],
    )
    regions.advance(60)
    assert destination_of(regions, "tokyo", destination)["RoleArn"] == ROLE
    iam(regions, "DeleteRole")
    regions.advance(60)
    assert destination_of(regions, "seoul", source)["Status"] == "PAUSING"
    regions.advance(60)
    paused = destination_of(regions, "seoul", source)
    assert (paused["Status"], ROLE in paused["StatusMessage"]) == ("PAUSED", True)
    iam(regions, "CreateRole", AssumeRolePolicyDocument="{}")
    regions.advance(60)
    assert destination_of(regions, "seoul", source)["Status"] == "ENABLED"
    assert behind(regions, (source, destination)) == 0


@pytest.mark.parametrize("transition", ["efs_replication_enabling", "efs_replication_sync"])
def test_a_replication_can_end_in_error(regions: Regions, transition: str) -> None:
    """It does not replicate any more; deleting it frees the destination."""
    fault = {"kind": "transition", "transition": transition, "ending": "failed"}
    regions.world.faults.add(fault)
    source, destination = make(regions, "seoul"), make(regions, "tokyo")
    protect(regions, "tokyo", destination, "DISABLED")
    replicate(regions, source, destination)
    regions.advance(1800)
    broken = destination_of(regions, "tokyo", destination)
    assert broken["Status"] == "ERROR"
    assert "delete the replication" in broken["StatusMessage"]
    regions("tokyo", "efs", DELETE, SourceFileSystemId=source)
    regions.advance(180)
    assert protection(regions, "tokyo", destination) == "ENABLED"


def test_a_deletion_can_fail_on_one_side(regions: Regions, pair: tuple[str, str]) -> None:
    """Tokyo ends in ERROR and stays read-only; the local deletion still helps."""
    name = {"transition": "efs_replication_deleting", "region": "tokyo"}
    fault = regions.world.faults.add({"kind": "transition", "ending": "failed", **name})
    regions("tokyo", "efs", DELETE, SourceFileSystemId=pair[0])
    regions.advance(180)
    assert destination_of(regions, "tokyo", pair[1])["Status"] == "ERROR"
    assert protection(regions, "tokyo", pair[1]) == "REPLICATING"
    with pytest.raises(Fault, match="ReplicationNotFound"):
        destination_of(regions, "seoul", pair[0])
    regions.world.faults.remove(fault.id)
    mode = {"DeletionMode": "LOCAL_CONFIGURATION_ONLY"}
    regions("tokyo", "efs", DELETE, SourceFileSystemId=pair[0], **mode)
    regions.advance(180)
    assert protection(regions, "tokyo", pair[1]) == "ENABLED"


def test_an_orphan_of_the_destination_outlives_a_new_replication_of_its_source(
    regions: Regions, pair: tuple[str, str]
) -> None:
    """Seoul is free and replicates elsewhere; Tokyo still has the old configuration, in ERROR."""
    mode = {"DeletionMode": "LOCAL_CONFIGURATION_ONLY"}
    regions("seoul", "efs", DELETE, SourceFileSystemId=pair[0], **mode)
    regions.advance(180)
    other = make(regions, "tokyo", "other")
    protect(regions, "tokyo", other, "DISABLED")
    replicate(regions, pair[0], other)
    regions.advance(120)
    assert destination_of(regions, "seoul", pair[0])["FileSystemId"] == other
    assert destination_of(regions, "tokyo", pair[1])["Status"] == "ERROR"


def test_another_accounts_file_system_is_refused(regions: Regions) -> None:
    """There is one account's world here."""
    arn = f"arn:aws:elasticfilesystem:{TOKYO}:999999999999:file-system/fs-0123456789abcdef0"
    with pytest.raises(Fault, match="ValidationException"):
        replicate(regions, make(regions, "seoul"), arn)
