"""A Region's file systems: equal in both, so that pods find after a failover what they wrote."""

from typing import Any

import pytest

from tests.cfn import templates
from tests.cfn.templates import in_stack

each_region = pytest.mark.parametrize("alias", ["seoul", "tokyo"])


def _files(alias: str) -> Any:
    return templates.properties(alias, "files", "FileSystemPictures")


def test_file_systems_have_neither_replication_nor_protection() -> None:
    """Replication belongs to the roles; here it could start over newer data."""
    found = in_stack("AWS::EFS::FileSystem", "files")
    assert len(found) == 2
    for files in found:
        assert not files.keys() & {"ReplicationConfiguration", "FileSystemProtection"}


@each_region
def test_files_are_backed_up_and_encrypted_with_the_regions_own_key(alias: str) -> None:
    """A standby that needed the other Region's key could not be promoted."""
    files = _files(alias)
    assert files["BackupPolicy"] == {"Status": "ENABLED"}
    assert (files["Encrypted"], files["KmsKeyId"]) == (True, {"Ref": "Key"})
    assert files["ThroughputMode"] == "elastic"
    assert files["LifecyclePolicies"] == [{"TransitionToIA": "AFTER_30_DAYS"}]


@each_region
def test_files_are_mounted_in_every_zone(alias: str) -> None:
    """Each zone's mount target is in that zone's private subnet."""
    subnets = [
        templates.properties(alias, "files", f"MountTargetPictures{zone}")["SubnetId"]
        for zone in (1, 2, 3)
    ]
    assert subnets == [{"Fn::Select": [zone, {"Ref": "PrivateSubnets"}]} for zone in (0, 1, 2)]


@each_region
def test_files_are_mounted_over_tls_and_through_an_access_point_only(alias: str) -> None:
    """Without a right to be root; and only from inside of the VPC."""
    allow, deny = _files(alias)["FileSystemPolicy"]["Statement"]
    assert (allow["Effect"], deny["Effect"]) == ("Allow", "Deny")
    assert allow["Action"] == ["elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"]
    assert allow["Condition"]["Bool"] == {"elasticfilesystem:AccessedViaMountTarget": "true"}
    (pattern,) = allow["Condition"]["StringLike"].values()
    assert pattern.endswith(":111122223333:access-point/*")
    assert deny["Action"] == "*"
    assert deny["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_access_points_lead_to_equal_paths_with_equal_owners() -> None:
    """In both Regions: static volumes find the same directories."""
    one, two = in_stack("AWS::EFS::AccessPoint", "files")
    for key in ("RootDirectory", "PosixUser"):
        assert one[key] == two[key]
    assert one["RootDirectory"]["Path"] == "/pictures"
