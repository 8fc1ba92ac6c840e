from typing import Any

import pytest

from platform_pipelines.local import ministack
from platform_pipelines.local.aws import stores
from platform_pipelines.local.aws.efs_mount_targets import serving
from platform_pipelines.local.aws.service import Call, Fault
from tests.local.aws.files import SEOUL, make
from tests.local.aws.regions import Regions

ZONES = ("ap-northeast-2a", "ap-northeast-2b")


def ec2(regions: Regions, operation: str, **params: Any) -> dict[str, Any]:
    """What EC2 answers in Seoul."""
    account = regions.world.platform.account
    call = Call(
        service="ec2",
        operation=operation,
        params=params,
        region=SEOUL,
        account=account,
        request_id="test",
    )
    with ministack.scope(account, SEOUL):
        return stores.ask(call)


@pytest.fixture
def subnets(regions: Regions) -> list[str]:
    """A subnet in each of two zones of one network."""
    ministack.service("ec2").reset()
    vpc = ec2(regions, "CreateVpc", CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    return [
        ec2(
            regions,
            "CreateSubnet",
            VpcId=vpc,
            CidrBlock=f"10.9.{number}.0/24",
            AvailabilityZone=zone,
        )["Subnet"]["SubnetId"]
        for number, zone in enumerate(ZONES)
    ]


def mount(regions: Regions, files: str, subnet: str, **more: Any) -> dict[str, Any]:
    """Make a mount target in Seoul."""
    return regions("seoul", "efs", "CreateMountTarget", FileSystemId=files, SubnetId=subnet, **more)


def states(regions: Regions, files: str) -> list[str]:
    """The states of a file system's mount targets."""
    found = regions("seoul", "efs", "DescribeMountTargets", FileSystemId=files)["MountTargets"]
    return [str(one["LifeCycleState"]) for one in found]


def test_a_mount_target_takes_a_minute_and_a_half(regions: Regions, subnets: list[str]) -> None:
    """Its file system counts it at once, and cannot be deleted until it is gone."""
    files = make(regions, "seoul")
    made = mount(regions, files, subnets[0])
    assert (made["LifeCycleState"], made["AvailabilityZoneName"]) == ("creating", ZONES[0])
    regions.advance(89)
    assert states(regions, files) == ["creating"]
    regions.advance(1)
    assert states(regions, files) == ["available"]
    regions("seoul", "efs", "DeleteMountTarget", MountTargetId=made["MountTargetId"])
    assert states(regions, files) == ["deleting"]
    with pytest.raises(Fault, match="FileSystemInUse"):
        regions("seoul", "efs", "DeleteFileSystem", FileSystemId=files)
    regions.advance(30)
    regions("seoul", "efs", "DeleteFileSystem", FileSystemId=files)


def test_there_is_one_mount_target_a_zone(regions: Regions, subnets: list[str]) -> None:
    """A second one is a conflict, a used address is refused."""
    files, other = make(regions, "seoul"), make(regions, "seoul", "other")
    mount(regions, files, subnets[0], IpAddress="10.9.0.9")
    with pytest.raises(Fault, match="MountTargetConflict"):
        mount(regions, files, subnets[0])
    with pytest.raises(Fault, match="IpAddressInUse"):
        mount(regions, other, subnets[0], IpAddress="10.9.0.9")
    with pytest.raises(Fault, match="SubnetNotFound"):
        mount(regions, files, "subnet-00000000")


def test_a_lost_zone_serves_nobody_and_finishes_nothing(
    regions: Regions, subnets: list[str]
) -> None:
    """Its mount target is still described as available; a new one waits for the zone."""
    files = make(regions, "seoul")
    mount(regions, files, subnets[0])
    regions.advance(90)
    where = (regions.world, regions.world.platform.account, SEOUL, files)
    assert serving(*where) == [ZONES[0]]
    regions.world.zones |= {("seoul", zone) for zone in ZONES}
    mount(regions, files, subnets[1])
    regions.advance(600)
    assert (serving(*where), states(regions, files)) == ([], ["available", "creating"])
    regions.world.zones.clear()
    regions.advance(5)
    assert serving(*where) == list(ZONES)


def test_mount_targets_come_in_pages_and_by_one_id(regions: Regions, subnets: list[str]) -> None:
    """Without an id, or with two, the request makes no sense."""
    files = make(regions, "seoul")
    made = [mount(regions, files, subnet)["MountTargetId"] for subnet in subnets]
    describe = "DescribeMountTargets"
    first = regions("seoul", "efs", describe, FileSystemId=files, MaxItems=1)
    marker = first["NextMarker"]
    rest = regions("seoul", "efs", describe, FileSystemId=files, MaxItems=1, Marker=marker)
    found = [one["MountTargetId"] for one in first["MountTargets"] + rest["MountTargets"]]
    assert found == made
    assert "NextMarker" not in rest
    with pytest.raises(Fault, match="BadRequest"):
        regions("seoul", "efs", describe)


def test_security_groups_of_a_mount_target_change(regions: Regions, subnets: list[str]) -> None:
    """They must be of its network, and it must be available."""
    target = {"MountTargetId": mount(regions, make(regions, "seoul"), subnets[0])["MountTargetId"]}
    with pytest.raises(Fault, match="IncorrectMountTargetState"):
        regions("seoul", "efs", "DescribeMountTargetSecurityGroups", **target)
    regions.advance(90)
    vpc = ec2(regions, "DescribeSubnets", SubnetIds=[subnets[0]])["Subnets"][0]["VpcId"]
    group = ec2(regions, "CreateSecurityGroup", GroupName="nfs", Description="nfs", VpcId=vpc)
    groups = {"SecurityGroups": [group["GroupId"]]}
    regions("seoul", "efs", "ModifyMountTargetSecurityGroups", **target, **groups)
    assert regions("seoul", "efs", "DescribeMountTargetSecurityGroups", **target) == groups
    wrong = {"SecurityGroups": ["sg-00000000"]}
    with pytest.raises(Fault, match="SecurityGroupNotFound"):
        regions("seoul", "efs", "ModifyMountTargetSecurityGroups", **target, **wrong)
