from typing import Any

import pytest

from platform_pipelines.local.aws.service import Fault
from tests.local.aws.files import TOKYO, make, protect, protection
from tests.local.aws.regions import Regions


def create(regions: Regions, token: str = "one", **more: Any) -> str:
    """Ask for a file system in Seoul; its id."""
    made = regions("seoul", "efs", "CreateFileSystem", CreationToken=token, **more)
    assert made["LifeCycleState"] == "creating"
    return str(made["FileSystemId"])


def state(regions: Regions, identifier: str) -> str:
    """The state of a file system of Seoul."""
    found = regions("seoul", "efs", "DescribeFileSystems", FileSystemId=identifier)
    return str(found["FileSystems"][0]["LifeCycleState"])


def fail(regions: Regions, transition: str, ending: str = "failed", **more: Any) -> None:
    """Have a transition go wrong."""
    fault = {"kind": "transition", "transition": transition, "ending": ending}
    regions.world.faults.add(fault | more)


def test_a_file_system_is_available_after_a_while(regions: Regions) -> None:
    """Until then nothing can be changed."""
    identifier = create(regions)
    with pytest.raises(Fault, match="IncorrectFileSystemLifeCycleState"):
        protect(regions, "seoul", identifier, "DISABLED")
    regions.advance(9)
    assert state(regions, identifier) == "creating"
    regions.advance(1)
    assert state(regions, identifier) == "available"
    protect(regions, "seoul", identifier, "DISABLED")
    assert protection(regions, "seoul", identifier) == "DISABLED"


def test_a_creation_can_fail_or_never_end(regions: Regions) -> None:
    """It ends in `error`, or stays `creating` until the fault is gone."""
    fail(regions, "efs_file_system_creating")
    broken = create(regions)
    regions.advance(10)
    assert state(regions, broken) == "error"
    regions.world.faults.clear()
    fail(regions, "efs_file_system_creating", "never")
    stuck = create(regions, "two")
    regions.advance(600)
    assert state(regions, stuck) == "creating"
    regions.world.faults.clear()
    regions.advance(10)
    assert state(regions, stuck) == "available"


def test_a_deleted_file_system_is_deleting_first_and_takes_its_access_points(
    regions: Regions,
) -> None:
    """Then it does not exist any more."""
    identifier = make(regions, "seoul")
    regions("seoul", "efs", "CreateAccessPoint", ClientToken="a", FileSystemId=identifier)
    regions("seoul", "efs", "DeleteFileSystem", FileSystemId=identifier)
    assert state(regions, identifier) == "deleting"
    regions.advance(10)
    with pytest.raises(Fault, match="FileSystemNotFound"):
        state(regions, identifier)
    assert regions("seoul", "efs", "DescribeAccessPoints")["AccessPoints"] == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"ThroughputMode": "provisioned"},
        {"ProvisionedThroughputInMibps": 10.0},
        {"PerformanceMode": "maxIO", "ThroughputMode": "elastic"},
        {"PerformanceMode": "maxIO", "AvailabilityZoneName": "ap-northeast-2a"},
        {"KmsKeyId": "alias/pictures"},
    ],
)
def test_what_does_not_go_together_is_refused(regions: Regions, wrong: dict[str, Any]) -> None:
    """As AWS says: BadRequest."""
    with pytest.raises(Fault, match="BadRequest"):
        create(regions, **wrong)


def test_one_zone_storage_is_in_a_zone_of_the_region(regions: Regions) -> None:
    """Elsewhere it is UnsupportedAvailabilityZone; it is backed up unless it is told not to be."""
    with pytest.raises(Fault, match="UnsupportedAvailabilityZone"):
        create(regions, AvailabilityZoneName=f"{TOKYO}a")
    identifier = create(regions, AvailabilityZoneName="ap-northeast-2a")
    found = regions("seoul", "efs", "DescribeBackupPolicy", FileSystemId=identifier)
    assert found == {"BackupPolicy": {"Status": "ENABLED"}}


def test_throughput_can_be_lowered_once_a_day(regions: Regions) -> None:
    """Raising what is provisioned is always possible."""
    identifier = make(regions, "seoul")

    def update(**throughput: Any) -> None:
        updated = regions("seoul", "efs", "UpdateFileSystem", FileSystemId=identifier, **throughput)
        assert updated["LifeCycleState"] == "updating"
        regions.advance(20)
        assert state(regions, identifier) == "available"

    update(ThroughputMode="provisioned", ProvisionedThroughputInMibps=10.0)
    update(ProvisionedThroughputInMibps=20.0)
    with pytest.raises(Fault, match="TooManyRequests"):
        update(ThroughputMode="elastic")
    regions.advance(86_400)
    update(ThroughputMode="elastic")
    found = regions("seoul", "efs", "DescribeFileSystems", FileSystemId=identifier)
    assert "ProvisionedThroughputInMibps" not in found["FileSystems"][0]


def test_a_backup_policy_takes_a_while(regions: Regions) -> None:
    """ENABLING, then ENABLED."""
    identifier = make(regions, "seoul")
    where = {"FileSystemId": identifier}

    def status() -> str:
        found = regions("seoul", "efs", "DescribeBackupPolicy", **where)
        return str(found["BackupPolicy"]["Status"])

    assert status() == "DISABLED"
    policy = {"BackupPolicy": {"Status": "ENABLED"}}
    assert regions("seoul", "efs", "PutBackupPolicy", **where, **policy) == {
        "BackupPolicy": {"Status": "ENABLING"}
    }
    regions.advance(10)
    assert status() == "ENABLED"
    wrong = {"BackupPolicy": {"Status": "ENABLING"}}
    with pytest.raises(Fault, match="ValidationException"):
        regions("seoul", "efs", "PutBackupPolicy", **where, **wrong)


def test_a_file_system_policy_comes_and_goes(regions: Regions) -> None:
    """Without one there is PolicyNotFound; nonsense is InvalidPolicyException."""
    where = {"FileSystemId": make(regions, "seoul")}
    with pytest.raises(Fault, match="PolicyNotFound"):
        regions("seoul", "efs", "DescribeFileSystemPolicy", **where)
    statement = '{"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*"}]}'
    put = regions("seoul", "efs", "PutFileSystemPolicy", **where, Policy=statement)
    assert regions("seoul", "efs", "DescribeFileSystemPolicy", **where) == put
    regions("seoul", "efs", "DeleteFileSystemPolicy", **where)
    with pytest.raises(Fault, match="PolicyNotFound"):
        regions("seoul", "efs", "DescribeFileSystemPolicy", **where)
    with pytest.raises(Fault, match="InvalidPolicyException"):
        regions("seoul", "efs", "PutFileSystemPolicy", **where, Policy="{}")


def test_lifecycle_policies_have_one_transition_each(regions: Regions) -> None:
    """EFS takes up to three."""
    where = {"FileSystemId": make(regions, "seoul")}
    policies = [{"TransitionToIA": "AFTER_30_DAYS"}, {"TransitionToArchive": "AFTER_90_DAYS"}]
    put = {"LifecyclePolicies": policies}
    assert regions("seoul", "efs", "PutLifecycleConfiguration", **where, **put) == put
    assert regions("seoul", "efs", "DescribeLifecycleConfiguration", **where) == put
    both = {"LifecyclePolicies": [policies[0] | policies[1]]}
    with pytest.raises(Fault, match="BadRequest"):
        regions("seoul", "efs", "PutLifecycleConfiguration", **where, **both)


def test_the_name_is_a_tag(regions: Regions) -> None:
    """It follows TagResource and UntagResource."""
    identifier = make(regions, "seoul")

    def found() -> dict[str, Any]:
        answer = regions("seoul", "efs", "DescribeFileSystems", FileSystemId=identifier)
        return dict(answer["FileSystems"][0])

    where = {"ResourceId": found()["FileSystemArn"]}
    renamed = [{"Key": "Name", "Value": "renamed"}]
    regions("seoul", "efs", "TagResource", **where, Tags=renamed)
    assert found()["Name"] == "renamed"
    assert regions("seoul", "efs", "ListTagsForResource", **where) == {"Tags": renamed}
    regions("seoul", "efs", "UntagResource", **where, TagKeys=["Name"])
    assert "Name" not in found()


def test_an_access_point_is_made_once_for_a_token(regions: Regions) -> None:
    """It is creating first, and its path is the root unless it says otherwise."""
    files = make(regions, "seoul")
    token = {"ClientToken": "mine", "FileSystemId": files}
    made = regions("seoul", "efs", "CreateAccessPoint", **token)
    assert (made["LifeCycleState"], made["RootDirectory"]) == ("creating", {"Path": "/"})
    with pytest.raises(Fault, match="AccessPointAlreadyExists"):
        regions("seoul", "efs", "CreateAccessPoint", **token)
    regions.advance(5)
    found = regions("seoul", "efs", "DescribeAccessPoints", FileSystemId=files)["AccessPoints"]
    assert [one["LifeCycleState"] for one in found] == ["available"]
    regions("seoul", "efs", "DeleteAccessPoint", AccessPointId=made["AccessPointId"])
    regions.advance(5)
    with pytest.raises(Fault, match="AccessPointNotFound"):
        regions("seoul", "efs", "DescribeAccessPoints", AccessPointId=made["AccessPointId"])
