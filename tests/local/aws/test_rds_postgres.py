"""RDS for PostgreSQL: an instance by itself, its backups, and its standby in another zone."""

import json
from typing import Any

import pytest

from platform_pipelines.local.world import Outage
from tests.local.aws.accounts import SEOUL, Account

NAME = {"DBInstanceIdentifier": "control"}
ASKED = {
    **NAME,
    "Engine": "postgres",
    "EngineVersion": "17.6",
    "DBInstanceClass": "db.t4g.medium",
    "AllocatedStorage": 20,
    "StorageType": "gp3",
    "MasterUsername": "platform_admin",
    "MasterUserPassword": "long-enough",
    "MultiAZ": True,
    "BackupRetentionPeriod": 7,
}
COMBINATION, VALUE = "InvalidParameterCombination", "InvalidParameterValue"


@pytest.fixture
def account(account: Account) -> Account:
    """An account with a subnet group of three zones in Seoul."""
    _, subnets = account.network()
    group = {"DBSubnetGroupName": "private", "DBSubnetGroupDescription": "three zones"}
    account("rds", "CreateDBSubnetGroup", **group, SubnetIds=subnets)
    return account


def instance(account: Account) -> dict[str, Any]:
    """The instance as it is described."""
    return dict(account("rds", "DescribeDBInstances", **NAME)["DBInstances"][0])


def made(account: Account, **more: Any) -> dict[str, Any]:
    """An instance that is there."""
    account("rds", "CreateDBInstance", **{**ASKED, "DBSubnetGroupName": "private", **more})
    account.wait(425)
    return instance(account)


def zones(account: Account) -> tuple[str, str | None]:
    """The letters of the zones of the instance and its standby."""
    found = instance(account)
    second = found.get("SecondaryAvailabilityZone")
    return found["AvailabilityZone"][-1], second and second[-1]


def snapshots(account: Account) -> dict[str, str]:
    """The statuses of the DB snapshots, by their types."""
    found = account("rds", "DescribeDBSnapshots")["DBSnapshots"]
    return {one["SnapshotType"]: one["Status"] for one in found}


def test_an_instance_is_backed_up_before_it_is_available(account: Account) -> None:
    """creating, backing-up, available; in two zones, with its endpoint."""
    answer = account("rds", "CreateDBInstance", **ASKED, DBSubnetGroupName="private")
    assert "Endpoint" not in answer["DBInstance"]
    assert "DBClusterIdentifier" not in answer["DBInstance"]
    account.wait(301)
    assert instance(account)["DBInstanceStatus"] == "backing-up"
    account.wait(121)
    found = instance(account)
    assert (found["DBInstanceStatus"], found["Endpoint"]["Port"]) == ("available", 5432)
    assert zones(account) == ("a", "b")
    assert snapshots(account) == {"automated": "available"}


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"Engine": "mysql"}, "NotImplemented"),
        ({"EngineVersion": "17.99"}, COMBINATION),
        ({"DBInstanceClass": "db.huge"}, VALUE),
        ({"AllocatedStorage": 5}, COMBINATION),
        ({"StorageType": "tape"}, "StorageTypeNotSupported"),
        ({"MasterUsername": "admin"}, VALUE),
        ({"MasterUserPassword": "short"}, VALUE),
        ({"AvailabilityZone": f"{SEOUL}a"}, COMBINATION),
        ({"DBSubnetGroupName": "none"}, "DBSubnetGroupNotFoundFault"),
        ({"DBParameterGroupName": "none"}, "DBParameterGroupNotFound"),
        ({"KmsKeyId": "alias/none", "StorageEncrypted": True}, "KMSKeyNotAccessibleFault"),
        ({"EnableCloudwatchLogsExports": ["slowquery"]}, COMBINATION),
        ({"MonitoringInterval": 60}, COMBINATION),
        ({"MonitoringInterval": 60, "MonitoringRoleArn": "arn:aws:iam::1:role/no"}, VALUE),
        ({"ManageMasterUserPassword": True}, "NotImplemented"),
    ],
)
def test_a_wrong_instance_is_refused(account: Account, wrong: dict[str, Any], code: str) -> None:
    """Before anything is made."""
    assert account.refused("rds", "CreateDBInstance", **{**ASKED, **wrong}) == code
    assert account("rds", "DescribeDBInstances")["DBInstances"] == []


def test_a_parameter_group_has_to_be_of_the_version(account: Account) -> None:
    """postgres17, for 17.x; it is not deleted while it is used."""
    for name, family in (("old", "postgres16"), ("right", "postgres17")):
        group = {"DBParameterGroupName": name, "DBParameterGroupFamily": family}
        account("rds", "CreateDBParameterGroup", **group, Description="TLS only")
    asked = ASKED | {"DBParameterGroupName": "old"}
    assert account.refused("rds", "CreateDBInstance", **asked) == COMBINATION
    made(account, DBParameterGroupName="right")
    code = account.refused("rds", "DeleteDBParameterGroup", DBParameterGroupName="right")
    assert code == "InvalidDBParameterGroupState"


def test_enhanced_monitoring_needs_a_role_that_rds_may_take(account: Account) -> None:
    """And writes beside the instance's own logs."""
    trusted = {"Effect": "Allow", "Principal": {"Service": "monitoring.rds.amazonaws.com"}}
    trust = json.dumps({"Statement": [trusted | {"Action": "sts:AssumeRole"}]})
    asked = {"RoleName": "monitoring", "AssumeRolePolicyDocument": trust}
    role = account("iam", "CreateRole", **asked)["Role"]["Arn"]
    found = made(account, MonitoringInterval=60, MonitoringRoleArn=role)
    assert found["EnhancedMonitoringResourceArn"].endswith(f":{found['DbiResourceId']}")
    account("rds", "ModifyDBInstance", **NAME, MonitoringInterval=0)
    assert "EnhancedMonitoringResourceArn" not in instance(account)


def test_what_takes_time_waits_unless_it_is_asked_for_at_once(account: Account) -> None:
    """Settings hold at once; storage only grows."""
    made(account)
    change = {"DeletionProtection": True, "AllocatedStorage": 40}
    account("rds", "ModifyDBInstance", **NAME, **change)
    found = instance(account)
    assert (found["DeletionProtection"], found["AllocatedStorage"]) == (True, 20)
    assert found["PendingModifiedValues"] == {"AllocatedStorage": 40}
    account("rds", "ModifyDBInstance", **NAME, **change, ApplyImmediately=True)
    assert instance(account)["DBInstanceStatus"] == "modifying"
    account.wait(301)
    found = instance(account)
    assert (found["DBInstanceStatus"], found["AllocatedStorage"]) == ("available", 40)
    assert account.refused("rds", "ModifyDBInstance", **NAME, AllocatedStorage=20) == COMBINATION


def test_the_standby_takes_over_when_the_zone_is_lost(account: Account) -> None:
    """In a minute, under the same endpoint; it does not go back by itself."""
    before = made(account)["Endpoint"]
    account.world.zones.add(("seoul", f"{SEOUL}a"))
    account.world.changed()
    assert instance(account)["DBInstanceStatus"] == "rebooting"
    account.wait(61)
    found = instance(account)
    assert (found["DBInstanceStatus"], found["Endpoint"]) == ("available", before)
    account.world.zones.clear()
    account.world.changed()
    account.wait(600)
    assert zones(account) == ("b", "a")


def test_a_restart_with_a_failover_swaps_the_zones(account: Account) -> None:
    """Without a standby there is nothing to fail over to."""
    made(account)
    account("rds", "RebootDBInstance", **NAME, ForceFailover=True)
    account.wait(61)
    assert zones(account) == ("b", "a")
    account("rds", "ModifyDBInstance", **NAME, MultiAZ=False, ApplyImmediately=True)
    account.wait(301)
    assert zones(account) == ("b", None)
    assert account.refused("rds", "RebootDBInstance", **NAME, ForceFailover=True) == COMBINATION


def test_a_single_instance_is_back_with_its_zone(account: Account) -> None:
    """Until then nobody serves."""
    made(account, MultiAZ=False)
    account.world.zones.add(("seoul", f"{SEOUL}a"))
    account.world.changed()
    account.wait(600)
    assert instance(account)["DBInstanceStatus"] == "rebooting"
    account.world.zones.clear()
    account.world.changed()
    account.wait(61)
    assert instance(account)["DBInstanceStatus"] == "available"


def test_nothing_goes_on_in_a_region_that_stands_still(account: Account) -> None:
    """It is created when the Region is back."""
    account("rds", "CreateDBInstance", **ASKED)
    account.world.outages["seoul"] = Outage.HANG
    account.wait(3600)
    assert instance(account)["DBInstanceStatus"] == "creating"
    account.world.outages.clear()
    account.wait(130)
    assert instance(account)["DBInstanceStatus"] == "available"


def test_a_deleted_instance_leaves_a_snapshot(account: Account) -> None:
    """Unless it is skipped; a protected one is not deleted at all."""
    made(account, DeletionProtection=True)
    final = {"FinalDBSnapshotIdentifier": "last"}
    assert account.refused("rds", "DeleteDBInstance", **NAME, **final) == COMBINATION
    account("rds", "ModifyDBInstance", **NAME, DeletionProtection=False)
    assert account.refused("rds", "DeleteDBInstance", **NAME) == COMBINATION
    account("rds", "DeleteDBInstance", **NAME, **final)
    account.wait(181)
    assert account.refused("rds", "DescribeDBInstances", **NAME) == "DBInstanceNotFound"
    assert snapshots(account)["manual"] == "available"
    account("rds", "DeleteDBSnapshot", DBSnapshotIdentifier="last")
    assert "manual" not in snapshots(account)


def test_a_snapshot_is_taken_by_hand(account: Account) -> None:
    """Of an instance that is available, under a name that is free."""
    account("rds", "CreateDBInstance", **ASKED)
    asked = {**NAME, "DBSnapshotIdentifier": "before"}
    assert account.refused("rds", "CreateDBSnapshot", **asked) == "InvalidDBInstanceState"
    account.wait(425)
    account("rds", "CreateDBSnapshot", **asked)
    assert account.refused("rds", "CreateDBSnapshot", **asked) == "DBSnapshotAlreadyExists"
    account.wait(121)
    assert snapshots(account) == {"automated": "available", "manual": "available"}
